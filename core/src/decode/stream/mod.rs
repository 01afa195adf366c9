//! Bytes in, frames in display order out.
//!
//! ```text
//! decode(bytes, tag) -> NAL units -> slices gathered into a picture -> random access, DPB -> session -> events
//! ```
//! * `random_access`: where decoding may begin and what may be shown;
//! * `pending`, `sei`: the picture that is coming in;
//! * `picture`: a whole picture to the DPB and the session;
//! * `sequence`: a new SPS to a new format;
//! * `health`: whether a picture and all that it was predicted from are right;
//! * `event`, `format`, `interlacing`: what callers see.
//!
//! One thread feeds a decoder; [`OutputFrame::wait`] and [`Interrupt`] are for any other. A warning never stops it: only
//! what this stream can never do, or a device that is gone, is an error.

mod event;
mod format;
mod health;
mod interlacing;
mod pending;
mod picture;
mod random_access;
mod sei;
mod sequence;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::{Session, SessionStats};
use crate::device::DecoderDevice;
use crate::h264::access_unit::{SlicePlace, place_slice};
use crate::h264::avcc::{AvcDecoderConfiguration, LengthSize};
use crate::h264::dpb::{Dpb, DpbEvent, OutputPolicy};
use crate::h264::nal::{NalUnit, NalUnitType};
use crate::h264::parameter_sets::{ActiveParameterSets, ParameterSets};
use crate::h264::slice_header::{SliceHeader, unsupported_feature};
use crate::h264::{PictureId, PictureStructure, annexb, avcc};
use crate::pool::PoolStats;
use crate::{BitstreamError, Error, Result};

pub use self::event::{DropReason, Event, FrameTag, OutputFrame};
pub use self::format::StreamFormat;
pub use self::interlacing::Interlacing;
pub use self::random_access::{DecodingState, StartPolicy};
pub use crate::pool::Interrupt;

use self::pending::{KeptBytes, PendingPicture, PendingSlice};
use self::picture::Picture;
use self::random_access::RandomAccess;
use self::sei::PendingSei;
use self::sequence::Sequence;

/// What one call of [`StreamDecoder::decode`] brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alignment {
    /// A whole access unit: its picture is decoded before the call returns.
    #[default]
    AccessUnit,
    /// Whole NAL units: a picture is decoded when the next one begins, at a delimiter, or at
    /// [`StreamDecoder::end_of_access_unit`].
    Nal,
}

/// How a stream is to be decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamConfig {
    /// Streams that do not say how far they reorder are taken not to reorder at all.
    pub low_latency: bool,
    /// Where what is shown begins.
    pub start: StartPolicy,
    /// Frames that downstream holds at once.
    pub downstream_min_frames: usize,
    /// What one call brings.
    pub alignment: Alignment,
}

/// Bytes of NAL units, and how they are told apart.
#[derive(Clone, Copy, Debug)]
pub enum AccessUnitBytes<'a> {
    /// Start codes before each (annex B).
    AnnexB(&'a [u8]),
    /// Its length before each.
    Avcc {
        /// Of the length.
        length_size: LengthSize,
        /// The sample.
        data: &'a [u8],
    },
}

/// What a decoder has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamStats {
    /// Frames given out.
    pub frames: u64,
    /// Pieces of input for which no frame came, other than those that hold no picture.
    pub dropped: u64,
    /// Reference frames that the stream lost.
    pub lost_frames: u64,
    /// Warnings given out.
    pub warnings: u64,
    /// Of the session, those of earlier devices of this stream not included.
    pub session: SessionStats,
    /// Of the pool of the format being decoded.
    pub pool: PoolStats,
}

/// Decodes one stream, on the first of its devices that takes it.
#[derive(Debug)]
pub struct StreamDecoder {
    /// Best first.
    candidates: Vec<Arc<dyn DecoderDevice>>,
    /// The one that `session` is on.
    device: Arc<dyn DecoderDevice>,
    session: Session,
    config: StreamConfig,
    interrupt: Interrupt,
    parameter_sets: ParameterSets,
    random_access: RandomAccess,
    dpb: Dpb,
    sei: PendingSei,
    pending: Option<PendingPicture>,
    kept: KeptBytes,
    sequence: Option<Sequence>,
    /// Pictures that the DPB has.
    pictures: Vec<Picture>,
    /// Of the picture last decoded.
    interlacing: Interlacing,
    input: Input,
    events: VecDeque<Event>,
    counts: StreamStats,
}

/// The piece of input that is being decoded.
#[derive(Debug, Default)]
struct Input {
    /// Its tag, unless a picture has it.
    tag: Option<FrameTag>,
    /// Why no picture came of it.
    reason: Option<DropReason>,
}

impl StreamDecoder {
    /// Opens a context of `device`.
    ///
    /// # Errors
    /// [`Error::Device`] with what open(2) says.
    pub fn new(device: Arc<dyn DecoderDevice>, config: StreamConfig) -> Result<Self> {
        Self::with_candidates(vec![device], config)
    }

    /// Opens a context of the first of `candidates`; where that refuses what an SPS says, the next one gets the stream.
    ///
    /// # Errors
    /// [`Error::Device`] with what open(2) says; [`Error::Unsupported`] if there are none.
    pub fn with_candidates(candidates: Vec<Arc<dyn DecoderDevice>>, config: StreamConfig) -> Result<Self> {
        let device = candidates.first().cloned();
        let device = device.ok_or_else(|| Error::Unsupported("decoding without a device".to_owned()))?;
        let policy = if config.low_latency {
            OutputPolicy::LowLatency
        } else {
            OutputPolicy::Standard
        };
        Ok(Self {
            session: Session::open(Arc::clone(&device))?,
            device,
            candidates,
            config,
            interrupt: Interrupt::new(),
            parameter_sets: ParameterSets::default(),
            random_access: RandomAccess::new(config.start),
            dpb: Dpb::new(policy),
            sei: PendingSei::default(),
            pending: None,
            kept: KeptBytes::new(),
            sequence: None,
            pictures: Vec::new(),
            interlacing: Interlacing::default(),
            input: Input::default(),
            events: VecDeque::new(),
            counts: StreamStats::default(),
        })
    }

    /// Takes the parameter sets of an `avcC` record; gives the length size of the samples that go with it.
    ///
    /// # Errors
    /// [`Error::Bitstream`] if it is no such record; a parameter set in it that cannot be read is only a warning.
    pub fn set_codec_data(&mut self, codec_data: &[u8]) -> Result<LengthSize> {
        let configuration = AvcDecoderConfiguration::parse(codec_data)?;
        for bytes in configuration.parameter_sets {
            match NalUnit::parse(bytes) {
                Ok(nal) => self.receive_parameter_set(&nal),
                Err(error) => self.warn(error.into()),
            }
        }
        Ok(configuration.length_size)
    }

    /// Decodes one access unit, or with [`Alignment::Nal`] some NAL units. `tag` comes out exactly once, with a frame
    /// or as dropped.
    ///
    /// # Errors
    /// [`Error::Unsupported`] naming the feature, [`Error::Lost`] if the device is gone, [`Error::Flushing`] after an
    /// interrupt, or what setting up the device failed with.
    pub fn decode(&mut self, data: AccessUnitBytes<'_>, tag: FrameTag) -> Result<()> {
        self.input = Input {
            tag: Some(tag),
            reason: None,
        };
        let (bytes, mut result) = match data {
            AccessUnitBytes::AnnexB(bytes) => (bytes, self.decode_nal_units(bytes, annexb::nal_units(bytes).map(Ok))),
            AccessUnitBytes::Avcc { length_size, data } => {
                (data, self.decode_nal_units(data, avcc::nal_units(data, length_size)))
            }
        };
        match (self.config.alignment, &result) {
            (Alignment::AccessUnit, Ok(())) => result = self.finish_picture(bytes),
            (Alignment::AccessUnit, Err(_)) => self.abandon_picture(DropReason::Undecodable),
            (Alignment::Nal, _) => self.keep_pending(bytes),
        }
        if let Some(tag) = self.input.tag.take() {
            let reason = self.input.reason.unwrap_or(DropReason::NoPicture);
            self.drop_tag(tag, reason);
        }
        result
    }

    /// Says that the access unit is complete, so that its picture need not wait for the next one.
    ///
    /// # Errors
    /// Those of [`Self::decode`].
    pub fn end_of_access_unit(&mut self) -> Result<()> {
        self.finish_picture(&[])
    }

    /// The next thing that happened; to be called until there is nothing more after each of the other calls.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Gives out every frame that waits for its turn. Decoding may go on with any picture.
    ///
    /// # Errors
    /// Those of [`Self::decode`].
    pub fn drain(&mut self) -> Result<()> {
        let result = self.finish_picture(&[]);
        self.dpb.drain();
        self.take_dpb_events(DropReason::NotOutput);
        result
    }

    /// Gives up everything that was not taken, as a seek wants it; parameter sets are kept. Decoding begins again at the
    /// next random access point.
    ///
    /// # Errors
    /// [`Error::Lost`] if the device is gone.
    pub fn flush(&mut self) -> Result<()> {
        self.abandon_picture(DropReason::Flushed);
        self.sei.clear();
        self.dpb.flush();
        self.take_dpb_events(DropReason::Flushed);
        self.take_back_frames(DropReason::Flushed, usize::MAX);
        self.random_access.reset();
        self.session.drain()
    }

    /// Downstream wants to hold `frames` at once; more than before make the pool grow.
    pub fn set_downstream_min_frames(&mut self, frames: usize) {
        self.config.downstream_min_frames = frames;
        if let Some(sequence) = &self.sequence {
            sequence.pool.allow_downstream(frames);
        }
    }

    /// Ends waits for frames from another thread.
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// The device that decodes.
    pub fn device(&self) -> &Arc<dyn DecoderDevice> {
        &self.device
    }

    /// How far it is into the stream.
    pub fn state(&self) -> DecodingState {
        self.random_access.state()
    }

    /// What it has done.
    pub fn stats(&self) -> StreamStats {
        StreamStats {
            session: self.session.stats(),
            pool: self
                .sequence
                .as_ref()
                .map(|sequence| sequence.pool.stats())
                .unwrap_or_default(),
            ..self.counts
        }
    }

    fn decode_nal_units<'a>(
        &mut self,
        input: &'a [u8],
        nal_units: impl Iterator<Item = Result<&'a [u8], BitstreamError>>,
    ) -> Result<()> {
        for bytes in nal_units {
            match bytes.and_then(NalUnit::parse) {
                Ok(nal) => self.decode_nal_unit(&nal, input)?,
                Err(error) => self.damaged(error.into()),
            }
        }
        Ok(())
    }

    fn decode_nal_unit(&mut self, nal: &NalUnit<'_>, input: &[u8]) -> Result<()> {
        match nal.nal_unit_type {
            NalUnitType::NonIdrSlice | NalUnitType::IdrSlice | NalUnitType::DataPartitionA => {
                self.receive_slice(nal, input)?;
            }
            NalUnitType::Sps | NalUnitType::Pps => self.receive_parameter_set(nal),
            NalUnitType::Sei => self.sei.push(nal),
            NalUnitType::AccessUnitDelimiter => {
                self.finish_picture(input)?;
                // Of an access unit whose slices did not come.
                self.sei.clear();
            }
            NalUnitType::EndOfSequence | NalUnitType::EndOfStream => {
                self.finish_picture(input)?;
                self.end_sequence();
            }
            // Useless without partition A, which is refused.
            NalUnitType::DataPartitionB | NalUnitType::DataPartitionC => {}
            ignored => tracing::trace!("{ignored:?} NAL unit of {} bytes is passed over", nal.bytes.len()),
        }
        Ok(())
    }

    fn receive_parameter_set(&mut self, nal: &NalUnit<'_>) {
        let received = match nal.nal_unit_type {
            NalUnitType::Sps => self.parameter_sets.receive_sps(nal),
            _ => self.parameter_sets.receive_pps(nal),
        };
        match received {
            Ok(reception) => tracing::trace!("{:?}: {reception:?}", nal.nal_unit_type),
            Err(error) => self.damaged(error.into()),
        }
    }

    fn receive_slice(&mut self, nal: &NalUnit<'_>, input: &[u8]) -> Result<()> {
        let (header, active) = match self.parameter_sets.parse_slice_header(nal) {
            Ok(parsed) => parsed,
            Err(_) if self.random_access.state() == DecodingState::AwaitingParameterSets => {
                self.input.reason = Some(DropReason::AwaitingParameterSets);
                return Ok(());
            }
            Err(error) => {
                self.damaged(error.into());
                return Ok(());
            }
        };
        self.random_access.parameter_sets_found();
        if let Some(feature) = unsupported_feature(nal.nal_unit_type, &active.pps, &header) {
            return Err(Error::Unsupported(feature.to_owned()));
        }
        let capabilities = self.device.capabilities();
        if header.structure != PictureStructure::Frame && !capabilities.interlaced {
            return Err(Error::Unsupported(format!(
                "interlaced coding (field_pic_flag) by {} ({})",
                capabilities.driver, capabilities.path
            )));
        }
        if header.redundant_pic_cnt > 0 {
            return Ok(());
        }
        let place = self
            .pending
            .as_ref()
            .map_or(SlicePlace::NewPicture, |pending| pending.place(&header));
        let slice = PendingSlice::in_input(header, range_in(input, nal.bytes));
        match (place, &mut self.pending) {
            (SlicePlace::SamePicture, Some(pending)) => pending.push(slice, active.pps),
            (SlicePlace::OutOfOrder, Some(pending)) if pending.may_have_arbitrary_slice_order() => {
                return Err(Error::Unsupported(
                    "arbitrary slice order (Baseline and Extended profile)".to_owned(),
                ));
            }
            // Sent twice, or damaged: what is there stays.
            (SlicePlace::OutOfOrder, _) => {}
            (SlicePlace::NewPicture | SlicePlace::SamePicture, _) => {
                self.finish_picture(input)?;
                self.begin_picture(slice, active);
            }
        }
        Ok(())
    }

    fn begin_picture(&mut self, slice: PendingSlice, active: ActiveParameterSets) {
        let sei = self.sei.take(&active.sps);
        self.pending = Some(PendingPicture {
            tag: self.input.tag.take(),
            active,
            sei,
            slices: vec![slice],
        });
    }

    fn keep_pending(&mut self, input: &[u8]) {
        if let Some(pending) = &mut self.pending {
            pending.keep(input, &mut self.kept);
        }
    }

    /// Decodes the picture whose slices have come; `input` is where the latest of them are.
    fn finish_picture(&mut self, input: &[u8]) -> Result<()> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        let kept = std::mem::take(&mut self.kept);
        let result = self.decode_picture(pending, input, &kept);
        self.kept = kept;
        self.kept.clear();
        self.take_dpb_events(DropReason::NotOutput);
        result
    }

    fn abandon_picture(&mut self, reason: DropReason) {
        self.kept.clear();
        if let Some(tag) = self.pending.take().and_then(|pending| pending.tag) {
            self.drop_tag(tag, reason);
        }
    }

    /// Nothing that comes refers to anything before.
    fn end_sequence(&mut self) {
        self.dpb.end_sequence();
        self.take_dpb_events(DropReason::NotOutput);
        self.random_access.reset();
    }

    /// Turns what happened in the DPB into events; `discarded` is why pictures are not shown.
    fn take_dpb_events(&mut self, discarded: DropReason) {
        while let Some(event) = self.dpb.next_event() {
            match event {
                DpbEvent::Output { picture, pic_order_cnt } => self.output(picture, pic_order_cnt),
                DpbEvent::Discarded { picture } => {
                    if let Some(tag) = self.picture(picture).and_then(|picture| picture.tag.take()) {
                        self.drop_tag(tag, discarded);
                    }
                }
                DpbEvent::Unpaired { picture } => {
                    if let Some(picture) = self.picture(picture) {
                        picture.health.spoil();
                    }
                }
                DpbEvent::Released { picture } => self.pictures.retain(|held| held.id != picture),
                DpbEvent::Violation(violation) => self.warn(violation.into()),
            }
        }
    }

    fn output(&mut self, id: PictureId, pic_order_cnt: i32) {
        // Its other field does not come any more: the driver must not go on waiting for it.
        if self.picture(id).is_some_and(|picture| picture.may_lack_a_field())
            && let Err(error) = self.session.end_picture(id)
        {
            self.warn(error);
        }
        let Some(picture) = self.picture(id) else {
            return;
        };
        let tag = picture.tag.take();
        match (picture.output(tag, pic_order_cnt), tag) {
            (Ok(frame), _) => {
                self.counts.frames += 1;
                self.events.push_back(Event::Frame(frame));
            }
            (Err(reason), Some(tag)) => self.drop_tag(tag, reason),
            (Err(_), None) => {}
        }
    }

    /// Takes at most `count` frames back that nobody has taken, oldest first.
    fn take_back_frames(&mut self, reason: DropReason, count: usize) {
        let mut left = count;
        let events = std::mem::take(&mut self.events);
        for event in events {
            match event {
                Event::Frame(frame) if left > 0 => {
                    left -= 1;
                    self.counts.frames -= 1;
                    if let Some(tag) = frame.tag() {
                        self.drop_tag(tag, reason);
                    }
                }
                other => self.events.push_back(other),
            }
        }
    }

    fn picture(&mut self, id: PictureId) -> Option<&mut Picture> {
        self.pictures.iter_mut().find(|picture| picture.id == id)
    }

    fn drop_tag(&mut self, tag: FrameTag, reason: DropReason) {
        match reason {
            DropReason::NoPicture | DropReason::SecondField => {}
            _ => self.counts.dropped += 1,
        }
        tracing::trace!("{tag:?} gives no frame: {reason:?}");
        self.events.push_back(Event::Dropped { tag, reason });
    }

    /// Part of the input cannot be read.
    fn damaged(&mut self, error: Error) {
        self.input.reason = Some(DropReason::Undecodable);
        self.warn(error);
    }

    fn warn(&mut self, error: Error) {
        tracing::debug!("{error}");
        self.counts.warnings += 1;
        self.events.push_back(Event::Warning(error));
    }
}

impl PendingPicture {
    /// Where a slice with `header` belongs.
    fn place(&self, header: &SliceHeader) -> SlicePlace {
        match (self.slices.first(), self.slices.last()) {
            (Some(first), Some(previous)) => place_slice(&first.header, &previous.header, header),
            _ => SlicePlace::NewPicture,
        }
    }

    /// Baseline, unless it is also Main, and Extended (A.2.1, A.2.3).
    fn may_have_arbitrary_slice_order(&self) -> bool {
        const CONSTRAINT_SET1: u8 = 1 << 1;
        let sps = &self.active.sps;
        sps.profile_idc == 88 || (sps.profile_idc == 66 && sps.constraint_set_flags & CONSTRAINT_SET1 == 0)
    }
}

/// Where `part`, which lies in `whole`, does so.
fn range_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start + part.len()
}
