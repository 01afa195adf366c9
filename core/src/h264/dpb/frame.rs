//! One frame store: a frame, a complementary field pair or a single field, with its marks.

use crate::h264::reference::{Reference, ReferencePicture};
use crate::h264::{Parity, PictureId, PictureStructure};

/// How a field is marked (8.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marking {
    /// "unused for reference".
    Unused,
    /// "used for short-term reference".
    ShortTerm,
    /// "used for long-term reference".
    LongTerm,
}

/// Where a frame store came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The stream.
    Coded,
    /// A gap in `frame_num` that the stream announced: "non-existing" (8.2.5.2).
    NonExisting,
    /// A gap that is a loss; an earlier picture stands in, if there was one.
    Lost { stand_in: Option<StandIn> },
}

/// The picture that a lost frame is concealed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StandIn {
    pub(super) picture: PictureId,
    pub(super) field_order_cnt: [i32; 2],
}

/// Whether a frame still has to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Display {
    /// "needed for output".
    Waiting,
    /// Output, or never to be.
    Done,
}

/// A frame store of the DPB. Pairs are in the order top, bottom.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) picture: PictureId,
    pub(super) origin: Origin,
    pub(super) display: Display,
    /// `FrameNum`; 0 after memory_management_control_operation 5.
    pub(super) frame_num: u16,
    /// `LongTermFrameIdx`, meaningful while a field is long-term.
    pub(super) long_term_frame_idx: u16,
    /// Which fields are there.
    pub(super) decoded: [bool; 2],
    pub(super) marking: [Marking; 2],
    /// Of a single field both are that field's.
    pub(super) field_order_cnt: [i32; 2],
    pub(super) coded_as_fields: bool,
}

/// A reference number of 8.2.4.1, as 8.2.5.4 looks pictures up by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PictureNumber {
    /// `PicNum`.
    PicNum(i32),
    /// `LongTermPicNum`.
    LongTermPicNum(i32),
}

/// The picture that is being decoded, as far as numbers of others depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Viewpoint {
    pub(super) frame_num: u16,
    pub(super) max_frame_num: i32,
    pub(super) structure: PictureStructure,
}

impl Viewpoint {
    /// `CurrPicNum`.
    pub(super) fn curr_pic_num(&self) -> i32 {
        match self.structure {
            PictureStructure::Frame => self.frame_num.into(),
            PictureStructure::Field(_) => 2 * i32::from(self.frame_num) + 1,
        }
    }
}

impl Frame {
    /// A frame that fills a gap: a short-term reference without samples, never shown.
    pub(super) fn gap(picture: PictureId, origin: Origin, frame_num: u16, field_order_cnt: [i32; 2]) -> Self {
        Self {
            picture,
            origin,
            display: Display::Done,
            frame_num,
            long_term_frame_idx: 0,
            decoded: [true, true],
            marking: [Marking::ShortTerm; 2],
            field_order_cnt,
            coded_as_fields: false,
        }
    }

    /// `PicOrderCnt()` of what is there (8-1).
    pub(super) fn pic_order_cnt(&self) -> i32 {
        let [top, bottom] = self.field_order_cnt;
        top.min(bottom)
    }

    pub(super) fn is_reference(&self) -> bool {
        self.marking != [Marking::Unused; 2]
    }

    pub(super) fn has(&self, marking: Marking) -> bool {
        self.marking.contains(&marking)
    }

    /// `FrameNumWrap` (8-27).
    pub(super) fn frame_num_wrap(&self, view: &Viewpoint) -> i32 {
        let frame_num = i32::from(self.frame_num);
        if self.frame_num > view.frame_num {
            frame_num - view.max_frame_num
        } else {
            frame_num
        }
    }

    /// The fields that `number` names: both of a frame, or one; `None` if it names nothing here.
    pub(super) fn fields_named(&self, number: PictureNumber, view: &Viewpoint) -> Option<[bool; 2]> {
        let (marking, own, wanted) = match number {
            PictureNumber::PicNum(wanted) => (Marking::ShortTerm, self.frame_num_wrap(view), wanted),
            PictureNumber::LongTermPicNum(wanted) => (Marking::LongTerm, self.long_term_frame_idx.into(), wanted),
        };
        let candidates = match view.structure {
            PictureStructure::Frame if own == wanted => [true, true],
            PictureStructure::Field(same) if own == wanted >> 1 => {
                let parity = if wanted & 1 == 1 { same } else { same.opposite() };
                [parity == Parity::Top, parity == Parity::Bottom]
            }
            PictureStructure::Frame | PictureStructure::Field(_) => return None,
        };
        let [top, bottom] = self.marking.map(|field| field == marking);
        let named = [top && candidates[0], bottom && candidates[1]];
        (named != [false, false]).then_some(named)
    }

    /// Marks the given fields.
    pub(super) fn mark(&mut self, fields: [bool; 2], marking: Marking) {
        for (field, selected) in self.marking.iter_mut().zip(fields) {
            if selected {
                *field = marking;
            }
        }
    }

    pub(super) fn unmark(&mut self) {
        self.marking = [Marking::Unused; 2];
    }

    /// Takes every long-term mark away.
    pub(super) fn unmark_long_term(&mut self) {
        for field in self.marking.iter_mut().filter(|field| **field == Marking::LongTerm) {
            *field = Marking::Unused;
        }
    }

    /// What the decoding of `view` needs to know of this reference; `None` if it is none.
    pub(super) fn as_reference(&self, view: &Viewpoint) -> Option<ReferencePicture> {
        let fields = self.marking.map(|marking| marking != Marking::Unused);
        if fields == [false, false] {
            return None;
        }
        let reference = if self.has(Marking::LongTerm) {
            Reference::LongTerm {
                long_term_frame_idx: self.long_term_frame_idx,
                long_term_pic_num: self.long_term_frame_idx,
            }
        } else {
            Reference::ShortTerm {
                frame_num: self.frame_num,
                pic_num: self.frame_num_wrap(view),
            }
        };
        let lost = matches!(self.origin, Origin::Lost { .. });
        let (picture, field_order_cnt, non_existing) = match self.origin {
            Origin::Coded => (self.picture, self.field_order_cnt, false),
            Origin::NonExisting | Origin::Lost { stand_in: None } => (self.picture, self.field_order_cnt, true),
            Origin::Lost { stand_in: Some(other) } => (other.picture, other.field_order_cnt, false),
        };
        Some(ReferencePicture {
            picture,
            reference,
            fields,
            coded_as_fields: self.coded_as_fields,
            field_order_cnt,
            non_existing,
            lost,
        })
    }
}
