//! A whole picture: to the DPB, to the session, and what is kept of it as long as the DPB has it.

use std::sync::Arc;

use super::StreamDecoder;
use super::event::{DropReason, Event, FrameTag, OutputFrame};
use super::format::StreamFormat;
use super::health::Health;
use super::interlacing::Interlacing;
use super::pending::{KeptBytes, PendingPicture, PendingSlice};
use super::random_access::Candidate;
use crate::decode::{DecodeJob, PictureHandle, SliceJob};
use crate::h264::dpb::StartedPicture;
use crate::h264::parameter_sets::ActiveParameterSets;
use crate::h264::reference::ReferencePicture;
use crate::h264::sei::PicTiming;
use crate::h264::slice_header::{DecRefPicMarking, MemoryManagementControlOperation, SliceHeader, SliceType};
use crate::h264::{PictureId, PictureStructure};
use crate::pool::Frame;
use crate::{Error, Result};

/// References of a picture at most.
const MAX_REFERENCES: usize = 16;

/// A picture that the DPB has.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) id: PictureId,
    pub(super) tag: Option<FrameTag>,
    /// Why it is not shown.
    hidden: Option<DropReason>,
    /// Where it is decoded into; `None` if that failed or was not worth it.
    frame: Option<Frame>,
    /// What keeps it known to the session, one for each field.
    handles: [Option<PictureHandle>; 2],
    pub(super) health: Arc<Health>,
    format: Option<Arc<StreamFormat>>,
    timing: PicTiming,
    /// `TopFieldOrderCnt`, `BottomFieldOrderCnt`; the same twice as long as there is only one field.
    field_order_cnt: [i32; 2],
    /// It is coded as fields, or MBAFF.
    in_fields: bool,
    interlacing: Interlacing,
}

impl Picture {
    /// The frame to show.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn output(&self, tag: Option<FrameTag>, pic_order_cnt: i32) -> Result<OutputFrame, DropReason> {
        if let Some(reason) = self.hidden {
            return Err(reason);
        }
        let (Some(frame), Some(format)) = (&self.frame, &self.format) else {
            return Err(DropReason::Undecodable);
        };
        Ok(OutputFrame {
            tag,
            pic_order_cnt,
            interlacing: self.interlacing,
            frame: frame.clone(),
            format: Arc::clone(format),
            health: Arc::clone(&self.health),
        })
    }
}

impl Picture {
    /// It may have one field only.
    pub(super) fn may_lack_a_field(&self) -> bool {
        self.in_fields && self.handles[1].is_none()
    }

    /// Finds out how its fields are to be shown, after a picture that was shown as `before` says.
    fn place_fields(&mut self, before: Interlacing) {
        self.interlacing = Interlacing::new(self.timing, self.field_order_cnt, self.in_fields, before);
    }
}

impl StreamDecoder {
    /// Decodes `pending`, whose slices lie in `input` and `kept`.
    pub(super) fn decode_picture(&mut self, mut pending: PendingPicture, input: &[u8], kept: &KeptBytes) -> Result<()> {
        let Some(first) = pending.slices.first().map(|slice| &slice.header) else {
            return Ok(());
        };
        if !self.dpb.is_second_field(first) {
            self.leave_sequence(&pending.active.sps, first);
            let mut candidate = pending.candidate(first);
            // Its SEI may be that of a picture that was lost.
            if !candidate.is_intra && self.dpb.loses_frames(&pending.active.sps, first) {
                candidate.recovery_point = None;
            }
            if let Err(reason) = self.random_access.admit(&candidate) {
                self.drop_pending(&mut pending, reason);
                return Ok(());
            }
        }
        if let Err(error) = self.activate(&pending.active.sps, pending.sei.metadata) {
            self.random_access.reset();
            self.drop_pending(&mut pending, DropReason::Undecodable);
            return Err(error);
        }
        let started = self.dpb.start_picture(&pending.active.sps, first);
        // What is predicted from a field whose other one is lost must know.
        self.take_dpb_events(DropReason::NotOutput);
        self.counts.lost_frames += u64::from(started.lost_frames);
        let index = self.remember(&mut pending, &started);
        let slices = self.slice_jobs(&mut pending, input, kept);
        let result = self.decode_slices(index, &started, &pending.active, &slices);
        if let Some(first) = slices.first() {
            self.dpb.finish_picture(&first.header);
        }
        result
    }

    /// The tag of a picture that gives no frame comes out as dropped.
    fn drop_pending(&mut self, pending: &mut PendingPicture, reason: DropReason) {
        match pending.tag.take() {
            Some(tag) => self.drop_tag(tag, reason),
            None => self.input.reason = Some(reason),
        }
    }

    /// Keeps a started picture among those that the DPB has; gives its place there.
    fn remember(&mut self, pending: &mut PendingPicture, started: &StartedPicture) -> usize {
        let first = pending.slices.first().map(|slice| &slice.header);
        let parity = first.and_then(|first| first.structure.parity());
        let [top, bottom] = started.field_order_cnt;
        if let Some(index) = self.pictures.iter().position(|picture| picture.id == started.picture) {
            if let (Some(picture), Some(parity)) = (self.pictures.get_mut(index), parity) {
                picture.field_order_cnt[parity.index()] = started.field_order_cnt[parity.index()];
                picture.place_fields(self.interlacing);
            }
            self.drop_pending(pending, DropReason::SecondField);
            return index;
        }
        if started.lost_frames > 0 || started.repeats {
            self.random_access.lose_references();
        }
        self.random_access
            .note_references(started.picture, pending.is_intra(), self.dpb.references());
        let standing = self
            .random_access
            .place(top.min(bottom), first.is_some_and(restarts_counting));
        let mut picture = Picture {
            id: started.picture,
            tag: pending.tag.take(),
            hidden: standing.hidden,
            frame: None,
            handles: [None, None],
            health: Arc::new(Health::new(standing)),
            format: self.sequence.as_ref().map(|sequence| Arc::clone(&sequence.format)),
            timing: pending.sei.pic_timing,
            field_order_cnt: started.field_order_cnt,
            in_fields: parity.is_some() || pending.active.sps.mb_adaptive_frame_field_flag,
            interlacing: Interlacing::default(),
        };
        picture.place_fields(self.interlacing);
        self.interlacing = picture.interlacing;
        self.pictures.push(picture);
        self.pictures.len() - 1
    }

    /// The slices with their reference lists, in the form that the session takes.
    fn slice_jobs<'a>(&self, pending: &mut PendingPicture, input: &'a [u8], kept: &'a KeptBytes) -> Vec<SliceJob<'a>> {
        let job = |slice: PendingSlice| SliceJob {
            nal: slice.nal(input, kept),
            ref_pic_lists: self.dpb.ref_pic_lists(&slice.header),
            header: slice.header,
            pps: slice.pps,
        };
        pending.slices.drain(..).map(job).collect()
    }

    /// Hands the picture to the session. What goes wrong is the picture's fault, except what ends everything.
    fn decode_slices(
        &mut self,
        index: usize,
        started: &StartedPicture,
        active: &ActiveParameterSets,
        slices: &[SliceJob<'_>],
    ) -> Result<()> {
        self.note_references(index, slices);
        let is_reference = slices.iter().any(|slice| slice.header.nal_ref_idc != 0);
        let target = match self.target(index, is_reference) {
            Ok(Some(target)) => target,
            Ok(None) => return Ok(()),
            Err(error) => return self.lose(index, error),
        };
        let job = DecodeJob {
            picture: started.picture,
            second_field: started.second_field,
            sps: &active.sps,
            pps: &active.pps,
            field_order_cnt: started.field_order_cnt,
            references: self.dpb.references(),
            slices,
        };
        let mut entries = slices.iter().flat_map(|slice| slice.ref_pic_lists.iter().flatten());
        let lacks_references = entries.any(Option::is_none);
        match self.session.submit(&job, &target) {
            Ok(submitted) => {
                if let Some(picture) = self.pictures.get_mut(index) {
                    picture.frame = Some(target);
                    picture.handles[usize::from(started.second_field)] = Some(submitted.picture);
                    picture.health.depends_on_ticket(submitted.ticket, lacks_references);
                }
                Ok(())
            }
            Err(error) => self.lose(index, error),
        }
    }

    /// Notes what the picture was predicted from, and whether some of that was never there.
    fn note_references(&self, index: usize, slices: &[SliceJob<'_>]) {
        let Some(current) = self.pictures.get(index) else {
            return;
        };
        if slices.iter().any(|slice| slice.header.slice_type != SliceType::I) {
            current.health.is_predicted();
        }
        let in_frames = slices
            .iter()
            .any(|slice| slice.header.slice_type != SliceType::I && slice.header.structure == PictureStructure::Frame);
        let mut used = [false; MAX_REFERENCES];
        let mut missing = false;
        for slice in slices {
            for (list, modifications) in slice.ref_pic_lists.iter().zip(&slice.header.ref_pic_list_modification) {
                // A list may be longer than there are references; but what it names must be there.
                missing |= list.iter().take(modifications.len().max(1)).any(Option::is_none);
                for entry in list.iter().flatten() {
                    used[usize::from(entry.reference) % MAX_REFERENCES] = true;
                }
            }
        }
        // The lists of a frame are without half a frame. If its other half was lost, others have moved to its place.
        let is_left_out = |reference: &ReferencePicture| in_frames && reference.fields != [true; 2];
        let used = self
            .dpb
            .references()
            .iter()
            .zip(used)
            .filter(|&(reference, used)| used || is_left_out(reference))
            .map(|(reference, _)| reference);
        for reference in used.filter(|reference| reference.picture != current.id) {
            let picture = self.pictures.iter().find(|picture| picture.id == reference.picture);
            match picture.filter(|_| !reference.lost) {
                Some(picture) => current.health.depends_on(&picture.health),
                // What that means for pictures is known to random access.
                None if reference.lost => {}
                // Listed, but never to be predicted from.
                None if reference.non_existing => {}
                None => missing = true,
            }
        }
        if missing {
            current.health.misses_references();
        }
    }

    /// The frame to decode into; `None` if nobody will see the picture or refer to it.
    fn target(&mut self, index: usize, is_reference: bool) -> Result<Option<Frame>> {
        match self.pictures.get(index) {
            Some(Picture {
                frame: Some(first_field),
                ..
            }) => return Ok(Some(first_field.clone())),
            Some(Picture { hidden: Some(_), .. }) if !is_reference => return Ok(None),
            Some(_) | None => {}
        }
        loop {
            let Some(sequence) = &self.sequence else {
                return Err(Error::Bug("a picture without a sequence".to_owned()));
            };
            match sequence.pool.acquire() {
                // The caller holds too many, but some it has not even been given: those come back first.
                Err(error @ Error::NeedFrames { .. }) if self.has_frames_to_take() => {
                    self.warn(error);
                    self.take_back_frames(DropReason::NoMemory, 1);
                }
                // Downstream is slow or stopped: so is decoding, until a frame comes home or a flush ends the wait.
                Err(Error::NeedFrames { .. }) => {}
                result => return result.map(Some),
            }
        }
    }

    fn has_frames_to_take(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Frame(_)))
    }

    /// The picture could not be decoded: it is not shown, and what refers to it is damaged.
    fn lose(&mut self, index: usize, error: Error) -> Result<()> {
        if let Some(picture) = self.pictures.get_mut(index) {
            picture.health.spoil();
        }
        match error {
            Error::Lost(_) | Error::Flushing => Err(error),
            error => {
                self.warn(error);
                Ok(())
            }
        }
    }
}

impl PendingPicture {
    fn candidate(&self, first: &SliceHeader) -> Candidate {
        Candidate {
            is_idr: first.idr_pic_id.is_some(),
            is_intra: self.is_intra(),
            recovery_point: self.sei.recovery_point,
            frame_num: first.frame_num,
            max_frame_num: self.active.sps.max_frame_num(),
        }
    }
}

/// Order counts after the picture have nothing to do with those before.
fn restarts_counting(header: &SliceHeader) -> bool {
    match &header.dec_ref_pic_marking {
        Some(DecRefPicMarking::Idr { .. }) => true,
        Some(DecRefPicMarking::Adaptive(operations)) => {
            operations.contains(&MemoryManagementControlOperation::UnmarkAll)
        }
        Some(DecRefPicMarking::SlidingWindow) | None => false,
    }
}
