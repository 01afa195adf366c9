//! The decoded picture buffer (8.2.5, C.4): which pictures are references, which wait to be shown.
//!
//! ```text
//! start_picture -> picture, counts, references -> ref_pic_lists per slice -> finish_picture -> next_event*
//! ```
//! Pictures are names only. Nothing that a stream does stops it: what breaks the rules is reported as
//! [`DpbEvent::Violation`] and made good.

mod frame;
mod gaps;
mod limits;
mod marking;
mod output;

use std::collections::VecDeque;

use crate::BitstreamError;

use self::frame::{Display, Frame, Marking, Origin, Viewpoint};
pub use self::limits::{DpbLimits, OutputPolicy};
use super::poc::{PictureOrderCount, PocState};
use super::ref_lists::{self, CurrentPicture, RefPicLists};
use super::reference::ReferencePicture;
use super::slice_header::{DecRefPicMarking, MemoryManagementControlOperation, SliceHeader};
use super::sps::{PicOrderCntType, Sps};
use super::{Parity, PictureId, PictureStructure};

/// What happens to pictures, in the order in which it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DpbEvent {
    /// The next picture in display order.
    Output {
        /// Which.
        picture: PictureId,
        /// Its `PicOrderCnt`.
        pic_order_cnt: i32,
    },
    /// A picture that will never be shown: a flush, or `no_output_of_prior_pics_flag`.
    Discarded {
        /// Which.
        picture: PictureId,
    },
    /// A frame of which a field seems to be lost: the other one is alone, or was paired with one of another frame.
    Unpaired {
        /// Which.
        picture: PictureId,
    },
    /// A picture that is neither a reference nor waiting any more.
    Released {
        /// Which.
        picture: PictureId,
    },
    /// The stream contradicts itself; decoding goes on.
    Violation(BitstreamError),
}

/// What [`Dpb::start_picture`] found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartedPicture {
    /// Its name; the second field of a frame has that of the first.
    pub picture: PictureId,
    /// It completes the frame that the picture before it began.
    pub second_field: bool,
    /// `TopFieldOrderCnt`, `BottomFieldOrderCnt` of its frame as far as it is decoded: a first field has its own in both.
    pub field_order_cnt: [i32; 2],
    /// Frames that were lost before it: a gap in `frame_num` where the stream allows none.
    pub lost_frames: u32,
    /// It cannot come after what was decoded: an unknown number of pictures was lost, an IDR picture among them.
    pub repeats: bool,
}

/// The decoded picture buffer of one stream.
#[derive(Clone, Debug)]
pub struct Dpb {
    policy: OutputPolicy,
    limits: Option<DpbLimits>,
    /// In decoding order; each is a reference, waits for output, or is the open one.
    frames: Vec<Frame>,
    /// A first field whose second may follow.
    open: Option<OpenFrame>,
    /// The second field of the last pair that `frame_num` proves to be one.
    second_parity: Option<Parity>,
    current: Option<Current>,
    references: Vec<ReferencePicture>,
    poc: PocState,
    /// `PrevRefFrameNum`; `None` until a picture was decoded.
    prev_ref_frame_num: Option<u16>,
    /// Coded pictures that were not released yet.
    alive: Vec<PictureId>,
    /// `PicOrderCnt` of the picture shown last in this sequence.
    last_output: Option<i32>,
    /// Frames by which the stream was seen to reorder beyond what it signals.
    excess_reorder: usize,
    events: VecDeque<DpbEvent>,
    next_picture: u64,
}

/// A frame store with one field, waiting for the other.
#[derive(Clone, Copy, Debug)]
struct OpenFrame {
    picture: PictureId,
    is_reference: bool,
    idr_pic_id: Option<u16>,
}

/// The picture between start and finish.
#[derive(Clone, Debug)]
struct Current {
    picture: PictureId,
    second_field: bool,
    count: PictureOrderCount,
    view: Viewpoint,
    pic_order_cnt_type_is_0: bool,
}

impl Current {
    /// `PicOrderCnt(CurrPic)` (8-1).
    fn pic_order_cnt(&self) -> i32 {
        let [top, bottom] = self.count.field_order_cnt;
        top.min(bottom)
    }
}

impl Dpb {
    /// An empty buffer; its limits come with the first picture's SPS.
    pub fn new(policy: OutputPolicy) -> Self {
        Self {
            policy,
            limits: None,
            frames: Vec::new(),
            open: None,
            second_parity: None,
            current: None,
            references: Vec::new(),
            poc: PocState::default(),
            prev_ref_frame_num: None,
            alive: Vec::new(),
            last_output: None,
            excess_reorder: 0,
            events: VecDeque::new(),
            next_picture: 0,
        }
    }

    /// Starts the picture whose first slice has `header`: pairs fields, fills gaps, empties the buffer at an IDR
    /// picture, derives the picture's order count and names its references.
    pub fn start_picture(&mut self, sps: &Sps, header: &SliceHeader) -> StartedPicture {
        let first_field = self.open.filter(|open| self.completes(open, header));
        let (picture, lost_frames) = match first_field {
            Some(open) => (open.picture, 0),
            None => (self.name_picture(), self.prepare_frame(sps, header)),
        };
        let count = self.poc.derive(sps, header);
        let [top, bottom] = count.field_order_cnt;
        let repeats = first_field.is_none() && lost_frames == 0 && self.repeats(header, top.min(bottom));
        let view = Viewpoint {
            frame_num: header.frame_num,
            max_frame_num: sps.max_frame_num().cast_signed(),
            structure: header.structure,
        };
        self.references.clear();
        self.references
            .extend(self.frames.iter().filter_map(|frame| frame.as_reference(&view)));
        self.current = Some(Current {
            picture,
            second_field: first_field.is_some(),
            count,
            view,
            pic_order_cnt_type_is_0: matches!(sps.pic_order_cnt_type, PicOrderCntType::Type0 { .. }),
        });
        StartedPicture {
            picture,
            second_field: first_field.is_some(),
            field_order_cnt: self.frame_order_cnt(header.structure, &count, first_field),
            lost_frames,
            repeats,
        }
    }

    /// Whether the picture whose first slice has `header` would complete the frame that the one before it began.
    pub fn is_second_field(&self, header: &SliceHeader) -> bool {
        self.open.is_some_and(|open| self.completes(&open, header))
    }

    /// Everything marked "used for reference" for the started picture, at most 16 frames.
    pub fn references(&self) -> &[ReferencePicture] {
        &self.references
    }

    /// The reference picture lists of a slice of the started picture; indexes are into [`Self::references`].
    pub fn ref_pic_lists(&self, header: &SliceHeader) -> RefPicLists {
        let Some(current) = &self.current else {
            return RefPicLists::default();
        };
        let picture = CurrentPicture {
            structure: current.view.structure,
            frame_num: current.view.frame_num,
            max_frame_num: current.view.max_frame_num,
            pic_order_cnt: current.pic_order_cnt(),
            pic_order_cnt_type_is_0: current.pic_order_cnt_type_is_0,
        };
        ref_lists::build(&picture, &self.references, header)
    }

    /// Marks references as the picture's `header` says, stores it, and outputs what is due.
    pub fn finish_picture(&mut self, header: &SliceHeader) {
        let Some(current) = self.current.take() else {
            return;
        };
        let marks = self.mark_references(&current, header);
        let mut frame_num = header.frame_num;
        let mut field_order_cnt = current.count.field_order_cnt;
        self.poc.finish(header, &current.count);
        if marks.reset {
            self.output_all();
            self.last_output = None;
            frame_num = 0;
            field_order_cnt = self.poc.finish_with_reset(header.structure, field_order_cnt);
        }
        if header.nal_ref_idc != 0 || self.prev_ref_frame_num.is_none() {
            self.prev_ref_frame_num = Some(frame_num);
        }
        let decoded = match header.structure {
            PictureStructure::Frame => [true, true],
            PictureStructure::Field(parity) => [parity.index() == 0, parity.index() == 1],
        };
        if current.second_field {
            self.note_pair(header);
            self.complete(current.picture, decoded, &marks, field_order_cnt);
        } else {
            self.alive.push(current.picture);
            self.frames.push(Frame {
                picture: current.picture,
                origin: Origin::Coded,
                display: Display::Waiting,
                frame_num,
                long_term_frame_idx: marks.long_term_frame_idx,
                decoded,
                marking: decoded.map(|there| if there { marks.marking } else { Marking::Unused }),
                field_order_cnt,
                coded_as_fields: header.structure != PictureStructure::Frame,
            });
            self.open = header.structure.parity().map(|_| OpenFrame {
                picture: current.picture,
                is_reference: header.nal_ref_idc != 0,
                idr_pic_id: header.idr_pic_id,
            });
        }
        self.limit_references(&current);
        if self.open.is_none() {
            self.frame_is_complete(current.picture);
        }
    }

    /// Outputs everything that waits. References stay, so that decoding may go on.
    pub fn drain(&mut self) {
        self.close_open_frame();
        self.output_all();
        self.last_output = None;
    }

    /// Outputs everything, and nothing is a reference any more: an IDR picture comes next, or nothing.
    pub fn end_sequence(&mut self) {
        self.close_open_frame();
        self.unmark_and_output_all();
        self.forget_numbers();
    }

    /// Gives everything up unseen, as a seek does.
    pub fn flush(&mut self) {
        self.open = None;
        self.current = None;
        self.discard_all();
        self.unmark_and_output_all();
        self.forget_numbers();
    }

    /// The next thing that happened.
    pub fn next_event(&mut self) -> Option<DpbEvent> {
        self.events.pop_front()
    }

    /// The limits of the sequence that is being decoded; `None` before its first picture.
    pub fn limits(&self) -> Option<DpbLimits> {
        self.limits
    }

    /// Whether `header` is the second field of the frame that is open (3.30, 3.31).
    fn completes(&self, open: &OpenFrame, header: &SliceHeader) -> bool {
        let first = self.frames.iter().find(|frame| frame.picture == open.picture);
        let (Some(first), Some(parity)) = (first, header.structure.parity()) else {
            return false;
        };
        let resets = match &header.dec_ref_pic_marking {
            Some(DecRefPicMarking::Adaptive(operations)) => {
                operations.contains(&MemoryManagementControlOperation::UnmarkAll)
            }
            // A second IDR picture in a row would need another idr_pic_id; one more field of the first has its own.
            Some(DecRefPicMarking::Idr { .. }) => open.idr_pic_id != header.idr_pic_id,
            Some(DecRefPicMarking::SlidingWindow) | None => false,
        };
        // A reference field may be completed by a field that is none, but not the other way round.
        let reference = open.is_reference || header.nal_ref_idc == 0;
        !first.decoded[parity.index()] && first.frame_num == header.frame_num && reference && !resets
    }

    /// The counts of the frame that a picture belongs to: a second field leaves its first one what it has.
    fn frame_order_cnt(
        &self,
        structure: PictureStructure,
        count: &PictureOrderCount,
        first_field: Option<OpenFrame>,
    ) -> [i32; 2] {
        let first = first_field.and_then(|open| self.frames.iter().find(|frame| frame.picture == open.picture));
        let mut field_order_cnt = count.field_order_cnt;
        if let (Some(first), Some(parity)) = (first, structure.parity()) {
            let other = parity.opposite().index();
            field_order_cnt[other] = first.field_order_cnt[other];
        }
        field_order_cnt
    }

    /// Everything that comes before a picture that starts a frame; gives the number of lost frames.
    fn prepare_frame(&mut self, sps: &Sps, header: &SliceHeader) -> u32 {
        self.close_open_frame();
        self.adopt_limits(DpbLimits::new(sps, self.policy));
        if header.idr_pic_id.is_none() {
            return self.fill_gap(sps, header.frame_num);
        }
        if let Some(DecRefPicMarking::Idr {
            no_output_of_prior_pics_flag: true,
            ..
        }) = header.dec_ref_pic_marking
        {
            self.discard_all();
        }
        self.unmark_and_output_all();
        0
    }

    fn adopt_limits(&mut self, limits: DpbLimits) {
        if self.limits != Some(limits) {
            self.limits = Some(limits);
            self.excess_reorder = 0;
        }
    }

    fn name_picture(&mut self) -> PictureId {
        let picture = PictureId(self.next_picture);
        self.next_picture += 1;
        picture
    }

    /// Adds a second field to its frame.
    fn complete(&mut self, picture: PictureId, decoded: [bool; 2], marks: &CurrentMarks, field_order_cnt: [i32; 2]) {
        self.open = None;
        let Some(frame) = self.frames.iter_mut().find(|frame| frame.picture == picture) else {
            return;
        };
        frame.mark(decoded, marks.marking);
        if marks.marking == Marking::LongTerm {
            frame.long_term_frame_idx = marks.long_term_frame_idx;
        }
        for (index, second) in decoded.into_iter().enumerate() {
            if second {
                frame.decoded[index] = true;
                frame.field_order_cnt[index] = field_order_cnt[index];
            }
        }
    }

    /// A first field that is left alone is a frame of its own.
    fn close_open_frame(&mut self) {
        if let Some(open) = self.open.take() {
            self.events.push_back(DpbEvent::Unpaired { picture: open.picture });
            self.frame_is_complete(open.picture);
        }
    }

    fn unmark_and_output_all(&mut self) {
        self.frames.iter_mut().for_each(Frame::unmark);
        self.output_all();
        self.last_output = None;
    }

    fn forget_numbers(&mut self) {
        self.poc = PocState::default();
        self.prev_ref_frame_num = None;
    }

    fn report(&mut self, element: &'static str, reason: String, clause: &'static str) {
        self.events.push_back(DpbEvent::Violation(BitstreamError {
            structure: "slice_header",
            element,
            reason,
            clause,
        }));
    }
}

/// How the current picture itself ends up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CurrentMarks {
    marking: Marking,
    long_term_frame_idx: u16,
    /// It had memory_management_control_operation 5.
    reset: bool,
}

#[cfg(test)]
mod tests;
