//! A new SPS: the old frames out, the device set up, the new format announced.

use std::sync::Arc;

use super::StreamDecoder;
use super::event::{DropReason, Event};
use super::format::StreamFormat;
use super::sei::StaticMetadata;
use crate::decode::{FrameNeeds, Session};
use crate::h264::dpb::{DpbLimits, OutputPolicy};
use crate::h264::slice_header::SliceHeader;
use crate::h264::sps::Sps;
use crate::pool::FramePool;
use crate::{Error, Result};

/// The coded video sequence that is being decoded.
#[derive(Debug)]
pub(super) struct Sequence {
    sps: Arc<Sps>,
    /// Frames that the pool has room for in the DPB.
    dpb_frames: usize,
    pub(super) pool: FramePool,
    pub(super) format: Arc<StreamFormat>,
}

impl StreamDecoder {
    /// Ends the sequence if a frame with another SPS comes that cannot refer to anything in it.
    pub(super) fn leave_sequence(&mut self, sps: &Sps, first: &SliceHeader) {
        let Some(sequence) = &self.sequence else {
            return;
        };
        if refers_alike(&sequence.sps, sps) {
            return;
        }
        // An IDR picture decides itself what becomes of the frames before it.
        if first.idr_pic_id.is_none() {
            self.dpb.end_sequence();
            self.random_access.reset();
        }
        self.take_dpb_events(DropReason::NotOutput);
    }

    /// Makes the device ready for pictures of `sps` and announces their format, if either is new.
    ///
    /// # Errors
    /// [`Error::Unsupported`] naming what the device cannot do, or what setting it up failed with.
    pub(super) fn activate(&mut self, sps: &Arc<Sps>, metadata: StaticMetadata) -> Result<()> {
        let metadata = self
            .sequence
            .as_ref()
            .map_or(metadata, |sequence| metadata.or(&sequence.format));
        if let Some(sequence) = &self.sequence
            && Arc::ptr_eq(&sequence.sps, sps)
            && metadata == StaticMetadata::of(&sequence.format)
        {
            return Ok(());
        }
        let policy = if self.config.low_latency {
            OutputPolicy::LowLatency
        } else {
            OutputPolicy::Standard
        };
        let limits = DpbLimits::new(sps, policy);
        let (pool, dpb_frames) = self.pool_for(sps, limits)?;
        let capture = self
            .session
            .format()
            .ok_or_else(|| Error::Bug("a session without a format".to_owned()))?;
        let format = StreamFormat::new(sps, limits, (&capture, self.device.capabilities()), metadata)?;
        let known = self.sequence.as_ref().map(|sequence| &sequence.format);
        let format = match known.filter(|known| ***known == format) {
            Some(known) => Arc::clone(known),
            None => {
                tracing::info!(
                    "{} of {}, {} shown",
                    format.coded_size,
                    self.device.capabilities().path,
                    format.visible.size
                );
                let format = Arc::new(format);
                self.events.push_back(Event::Format(Arc::clone(&format)));
                format
            }
        };
        self.sequence = Some(Sequence {
            sps: Arc::clone(sps),
            dpb_frames,
            pool,
            format,
        });
        Ok(())
    }

    /// The pool that is there if it will do, else that of a session set up anew, after everything was shown.
    fn pool_for(&mut self, sps: &Sps, limits: DpbLimits) -> Result<(FramePool, usize)> {
        let dpb = limits.max_dec_frame_buffering;
        if let Some(sequence) = &self.sequence
            && sequence.dpb_frames >= dpb
            && self.session.is_configured_for(sps)
        {
            return Ok((sequence.pool.clone(), sequence.dpb_frames));
        }
        self.dpb.end_sequence();
        self.take_dpb_events(DropReason::NotOutput);
        self.sequence = None;
        let needs = FrameNeeds {
            dpb,
            downstream: self.config.downstream_min_frames,
        };
        Ok((self.configure(sps, needs)?, dpb))
    }

    /// Sets up the session for `sps`; where its device refuses the stream, a session of the first that does not.
    fn configure(&mut self, sps: &Sps, needs: FrameNeeds) -> Result<FramePool> {
        let refusal = match self.session.configure(sps, needs, &self.interrupt) {
            Err(refusal @ Error::Unsupported(_)) => refusal,
            configured => return configured,
        };
        let current = Arc::clone(&self.device);
        let others = self.candidates.iter().filter(|other| !Arc::ptr_eq(other, &current));
        for other in others {
            let taken = Session::open(Arc::clone(other))
                .and_then(|session| Ok((session.configure(sps, needs, &self.interrupt)?, session)));
            match taken {
                Ok((pool, session)) => {
                    let (from, to) = (&current.capabilities().path, &other.capabilities().path);
                    tracing::info!("{to} takes the stream that {from} refuses: {refusal}");
                    self.session = session;
                    self.device = Arc::clone(other);
                    return Ok(pool);
                }
                Err(error) => tracing::debug!("{}: {error}", other.capabilities().path),
            }
        }
        Err(refusal)
    }
}

impl StaticMetadata {
    fn of(format: &StreamFormat) -> Self {
        Self {
            mastering_display: format.mastering_display,
            content_light_level: format.content_light_level,
            preferred_transfer_characteristics: format.preferred_transfer_characteristics,
        }
    }

    /// What is not said again stays.
    fn or(self, format: &StreamFormat) -> Self {
        let before = Self::of(format);
        Self {
            mastering_display: self.mastering_display.or(before.mastering_display),
            content_light_level: self.content_light_level.or(before.content_light_level),
            preferred_transfer_characteristics: self
                .preferred_transfer_characteristics
                .or(before.preferred_transfer_characteristics),
        }
    }
}

/// Pictures of both can refer to each other: they differ at most in what concerns display.
fn refers_alike(one: &Sps, other: &Sps) -> bool {
    one.coded_size() == other.coded_size()
        && one.chroma_format_idc == other.chroma_format_idc
        && one.bit_depth_luma_minus8 == other.bit_depth_luma_minus8
        && one.bit_depth_chroma_minus8 == other.bit_depth_chroma_minus8
        && one.log2_max_frame_num_minus4 == other.log2_max_frame_num_minus4
        && one.pic_order_cnt_type == other.pic_order_cnt_type
        && one.max_num_ref_frames == other.max_num_ref_frames
}
