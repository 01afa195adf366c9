//! Decoded reference picture marking (8.2.5): sliding window and memory management control operations.

use super::frame::{Frame, Marking, PictureNumber, Viewpoint};
use super::{Current, CurrentMarks, Dpb};
use crate::h264::PictureId;
use crate::h264::slice_header::{DecRefPicMarking, MemoryManagementControlOperation as Mmco, SliceHeader};

/// `LongTermFrameIdx` values are below this.
const MAX_LONG_TERM_FRAMES: u16 = 16;

impl Dpb {
    /// Marks the references that were decoded before the current picture, and says how itself is to be marked.
    pub(super) fn mark_references(&mut self, current: &Current, header: &SliceHeader) -> CurrentMarks {
        let mut marks = CurrentMarks {
            marking: Marking::ShortTerm,
            long_term_frame_idx: 0,
            reset: false,
        };
        if header.nal_ref_idc == 0 {
            return CurrentMarks {
                marking: Marking::Unused,
                ..marks
            };
        }
        match &header.dec_ref_pic_marking {
            Some(DecRefPicMarking::Idr {
                long_term_reference_flag: true,
                ..
            }) => marks.marking = Marking::LongTerm,
            Some(DecRefPicMarking::Idr { .. }) => {}
            Some(DecRefPicMarking::Adaptive(operations)) => {
                for &operation in operations {
                    self.execute(operation, current, &mut marks);
                }
            }
            Some(DecRefPicMarking::SlidingWindow) | None => {
                let second = current.second_field.then_some(current.picture);
                if !self.is_short_term(second) {
                    self.slide_window(&current.view, second);
                }
            }
        }
        marks
    }

    /// Makes room for one more reference by taking the mark of the oldest short-term one (8.2.5.3).
    pub(super) fn slide_window(&mut self, view: &Viewpoint, keep: Option<PictureId>) {
        let Some(limits) = self.limits else {
            return;
        };
        while self.reference_count(keep) >= limits.max_num_ref_frames && self.unmark_oldest(view, keep) {}
    }

    /// Holds the number of references within what the sequence permits after the current picture was stored.
    pub(super) fn limit_references(&mut self, current: &Current) {
        let Some(limits) = self.limits else {
            return;
        };
        if self.reference_count(None) > limits.max_num_ref_frames {
            let reason = format!(
                "more than max_num_ref_frames = {} references",
                limits.max_num_ref_frames
            );
            self.report("dec_ref_pic_marking", reason, "8.2.5.1");
        }
        while self.reference_count(None) > limits.max_num_ref_frames
            && (self.unmark_oldest(&current.view, Some(current.picture)) || self.unmark_a_long_term(current.picture))
        {
        }
    }

    fn execute(&mut self, operation: Mmco, current: &Current, marks: &mut CurrentMarks) {
        let view = &current.view;
        let curr_pic_num = view.curr_pic_num();
        let pic_num_x = |difference_of_pic_nums_minus1: u32| {
            let difference = i32::try_from(difference_of_pic_nums_minus1).unwrap_or(i32::MAX - 1);
            PictureNumber::PicNum(curr_pic_num.saturating_sub(difference + 1))
        };
        match operation {
            Mmco::UnmarkShortTerm {
                difference_of_pic_nums_minus1,
            } => {
                self.unmark_picture(pic_num_x(difference_of_pic_nums_minus1), view);
            }
            Mmco::UnmarkLongTerm { long_term_pic_num } => {
                let number = i32::try_from(long_term_pic_num).unwrap_or(i32::MAX);
                self.unmark_picture(PictureNumber::LongTermPicNum(number), view);
            }
            Mmco::AssignLongTerm {
                difference_of_pic_nums_minus1,
                long_term_frame_idx,
            } => {
                self.assign_long_term(pic_num_x(difference_of_pic_nums_minus1), long_term_frame_idx, view);
            }
            Mmco::SetMaxLongTermFrameIdx {
                max_long_term_frame_idx_plus1,
            } => {
                let beyond = |frame: &&mut Frame| u32::from(frame.long_term_frame_idx) >= max_long_term_frame_idx_plus1;
                self.frames.iter_mut().filter(beyond).for_each(Frame::unmark_long_term);
            }
            Mmco::UnmarkAll => {
                self.frames.iter_mut().for_each(Frame::unmark);
                marks.reset = true;
            }
            Mmco::MarkCurrentLongTerm { long_term_frame_idx } => {
                let keep = current.second_field.then_some(current.picture);
                if let Some(long_term_frame_idx) = self.free_long_term_frame_idx(long_term_frame_idx, keep) {
                    marks.marking = Marking::LongTerm;
                    marks.long_term_frame_idx = long_term_frame_idx;
                }
            }
        }
    }

    /// Operations 1 and 2 (8.2.5.4.1, 8.2.5.4.2).
    fn unmark_picture(&mut self, number: PictureNumber, view: &Viewpoint) {
        match self.find(number, view) {
            Some((frame, fields)) => frame.mark(fields, Marking::Unused),
            None => self.report_missing(number),
        }
    }

    /// Operation 3 (8.2.5.4.3).
    fn assign_long_term(&mut self, number: PictureNumber, long_term_frame_idx: u32, view: &Viewpoint) {
        let Some(picture) = self.find(number, view).map(|(frame, _)| frame.picture) else {
            self.report_missing(number);
            return;
        };
        let Some(long_term_frame_idx) = self.free_long_term_frame_idx(long_term_frame_idx, Some(picture)) else {
            return;
        };
        if let Some((frame, fields)) = self.find(number, view) {
            if frame.long_term_frame_idx != long_term_frame_idx {
                frame.unmark_long_term();
            }
            frame.mark(fields, Marking::LongTerm);
            frame.long_term_frame_idx = long_term_frame_idx;
        }
    }

    /// Takes an index from whatever frame other than `keep` has it; `None` (reported) if no frame can have it.
    fn free_long_term_frame_idx(&mut self, long_term_frame_idx: u32, keep: Option<PictureId>) -> Option<u16> {
        let Some(index) = u16::try_from(long_term_frame_idx)
            .ok()
            .filter(|&index| index < MAX_LONG_TERM_FRAMES)
        else {
            self.report(
                "long_term_frame_idx",
                format!("{long_term_frame_idx} is out of range"),
                "7.4.3.3",
            );
            return None;
        };
        let taken = |frame: &&mut Frame| frame.long_term_frame_idx == index && Some(frame.picture) != keep;
        self.frames.iter_mut().filter(taken).for_each(Frame::unmark_long_term);
        Some(index)
    }

    fn find(&mut self, number: PictureNumber, view: &Viewpoint) -> Option<(&mut Frame, [bool; 2])> {
        self.frames
            .iter_mut()
            .find_map(|frame| frame.fields_named(number, view).map(|fields| (frame, fields)))
    }

    fn report_missing(&mut self, number: PictureNumber) {
        let (element, reason) = match number {
            PictureNumber::PicNum(number) => (
                "difference_of_pic_nums_minus1",
                format!("no picture has PicNum {number}"),
            ),
            PictureNumber::LongTermPicNum(number) => {
                ("long_term_pic_num", format!("no picture has LongTermPicNum {number}"))
            }
        };
        self.report(element, reason, "8.2.5.4");
    }

    /// Frames of which any field is a reference, `except` one.
    fn reference_count(&self, except: Option<PictureId>) -> usize {
        self.frames
            .iter()
            .filter(|frame| frame.is_reference() && Some(frame.picture) != except)
            .count()
    }

    fn is_short_term(&self, picture: Option<PictureId>) -> bool {
        self.frames
            .iter()
            .any(|frame| Some(frame.picture) == picture && frame.has(Marking::ShortTerm))
    }

    /// Takes the marks of the short-term frame with the smallest `FrameNumWrap`; false if there is none.
    fn unmark_oldest(&mut self, view: &Viewpoint, keep: Option<PictureId>) -> bool {
        let short = self
            .frames
            .iter_mut()
            .filter(|frame| frame.has(Marking::ShortTerm) && Some(frame.picture) != keep);
        let oldest = short.min_by_key(|frame| frame.frame_num_wrap(view));
        oldest.map(Frame::unmark).is_some()
    }

    fn unmark_a_long_term(&mut self, keep: PictureId) -> bool {
        let long = self
            .frames
            .iter_mut()
            .filter(|frame| frame.has(Marking::LongTerm) && frame.picture != keep);
        let first = long.min_by_key(|frame| frame.long_term_frame_idx);
        first.map(Frame::unmark).is_some()
    }
}
