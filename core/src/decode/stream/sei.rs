//! The SEI messages that precede a picture. They are read when its SPS is known, for they depend on it.

use crate::h264::Sps;
use crate::h264::nal::NalUnit;
use crate::h264::sei::{
    ContentLightLevel, MasteringDisplayColourVolume, PicTiming, RecoveryPoint, SeiMessage, messages,
};

/// SEI NAL units kept for the next picture, at most this many bytes of them.
const MAX_KEPT_BYTES: usize = 1 << 20;

/// SEI NAL units that wait for the picture that they belong to. Its memory is used again and again.
#[derive(Debug, Default)]
pub(super) struct PendingSei {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// What a picture's SEI said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PictureSei {
    pub(super) recovery_point: Option<RecoveryPoint>,
    pub(super) pic_timing: PicTiming,
    pub(super) metadata: StaticMetadata,
}

/// What SEI says about a whole sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StaticMetadata {
    pub(super) mastering_display: Option<MasteringDisplayColourVolume>,
    pub(super) content_light_level: Option<ContentLightLevel>,
    pub(super) preferred_transfer_characteristics: Option<u8>,
}

impl PendingSei {
    /// Keeps an SEI NAL unit.
    pub(super) fn push(&mut self, nal: &NalUnit<'_>) {
        if self.bytes.len() + nal.bytes.len() <= MAX_KEPT_BYTES {
            self.bytes.extend_from_slice(nal.bytes);
            self.ends.push(self.bytes.len());
        }
    }

    /// Forgets what was kept.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Reads what was kept, for a picture of `sps`.
    pub(super) fn take(&mut self, sps: &Sps) -> PictureSei {
        let mut sei = PictureSei::default();
        let mut start = 0;
        for &end in &self.ends {
            let nal = self.bytes.get(start..end).and_then(|bytes| NalUnit::parse(bytes).ok());
            start = end;
            nal.iter()
                .flat_map(|nal| messages(nal, Some(sps)))
                .for_each(|message| sei.note(message));
        }
        self.clear();
        sei
    }
}

impl PictureSei {
    fn note(&mut self, message: SeiMessage) {
        match message {
            SeiMessage::PicTiming(timing) => self.pic_timing = timing,
            SeiMessage::RecoveryPoint(point) => self.recovery_point = Some(point),
            SeiMessage::MasteringDisplayColourVolume(volume) => self.metadata.mastering_display = Some(volume),
            SeiMessage::ContentLightLevel(level) => self.metadata.content_light_level = Some(level),
            SeiMessage::AlternativeTransferCharacteristics(preferred) => {
                self.metadata.preferred_transfer_characteristics = Some(preferred);
            }
        }
    }
}
