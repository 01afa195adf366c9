//! Gaps in `frame_num` (8.2.5.2): announced by the stream, or pictures that were lost.

use super::frame::{Frame, Origin, StandIn, Viewpoint};
use super::{Dpb, DpbEvent};
use crate::h264::PictureStructure;
use crate::h264::slice_header::SliceHeader;
use crate::h264::sps::Sps;

impl Dpb {
    /// Inserts a frame for every skipped value before `frame_num`, as many as can be references; gives the number of
    /// frames that were lost.
    ///
    /// A loss is filled just like an announced gap, so that the numbers of all other references stay right; the last
    /// picture before it stands in for what is missing.
    pub(super) fn fill_gap(&mut self, sps: &Sps, frame_num: u16) -> u32 {
        let max_frame_num = sps.max_frame_num().cast_signed();
        let skipped = self.skipped(sps, frame_num);
        let (Some(prev_ref_frame_num), Some(limits), true) = (self.prev_ref_frame_num, self.limits, skipped > 0) else {
            return 0;
        };
        let lost = !sps.gaps_in_frame_num_value_allowed_flag;
        if lost {
            let reason = format!("{frame_num} after {prev_ref_frame_num}: {skipped} reference frames are lost");
            self.report("frame_num", reason, "7.4.3");
        }
        let origin = if lost {
            Origin::Lost {
                stand_in: self.stand_in(),
            }
        } else {
            Origin::NonExisting
        };
        let inserted = skipped.min(i32::try_from(limits.max_num_ref_frames).unwrap_or(skipped));
        for back in (1..=inserted).rev() {
            let skipped = (i32::from(frame_num) - back).rem_euclid(max_frame_num);
            let Ok(skipped) = u16::try_from(skipped) else { continue };
            self.insert_gap_frame(sps, skipped, origin);
        }
        if lost { u32::try_from(skipped).unwrap_or(0) } else { 0 }
    }

    /// Whether reference frames were lost right before the frame whose first slice has `header`, as `frame_num` tells.
    pub fn loses_frames(&self, sps: &Sps, header: &SliceHeader) -> bool {
        let may_skip = header.idr_pic_id.is_some() || sps.gaps_in_frame_num_value_allowed_flag;
        !may_skip && self.skipped(sps, header.frame_num) > 0
    }

    /// Values that `frame_num` skips.
    fn skipped(&self, sps: &Sps, frame_num: u16) -> i32 {
        match self.prev_ref_frame_num {
            Some(previous) if previous != frame_num => {
                (i32::from(frame_num) - i32::from(previous) - 1).rem_euclid(sps.max_frame_num().cast_signed())
            }
            Some(_) | None => 0,
        }
    }

    /// Whether a frame or first field with this `header` and count cannot come after what was decoded: it repeats the
    /// number of the reference before it (7.4.3) or the count of a picture of its sequence (8.2.1). So do pictures behind a
    /// lost IDR picture if their numbers happen to leave no gap.
    pub(super) fn repeats(&self, header: &SliceHeader, pic_order_cnt: i32) -> bool {
        if header.idr_pic_id.is_some() || self.prev_ref_frame_num.is_none() {
            return false;
        }
        let is_numbered_twice = header.nal_ref_idc != 0 && self.prev_ref_frame_num == Some(header.frame_num);
        is_numbered_twice || self.is_counted(header.structure, pic_order_cnt)
    }

    /// Whether a picture of the same structure has that count.
    fn is_counted(&self, structure: PictureStructure, pic_order_cnt: i32) -> bool {
        let mut coded = self.frames.iter().filter(|frame| frame.origin == Origin::Coded);
        match structure {
            PictureStructure::Frame => {
                self.last_output == Some(pic_order_cnt)
                    || coded.any(|frame| !frame.coded_as_fields && frame.pic_order_cnt() == pic_order_cnt)
            }
            PictureStructure::Field(parity) => coded
                .any(|frame| frame.decoded[parity.index()] && frame.field_order_cnt[parity.index()] == pic_order_cnt),
        }
    }

    /// Finds out whether a frame that `header` completes is of two halves. Fields that are no references share their
    /// `frame_num` with those of other frames, so that after a loss the second field of one frame meets the first of the
    /// next: then the frame does not begin with the field that others begin with.
    pub(super) fn note_pair(&mut self, header: &SliceHeader) {
        let (Some(open), Some(parity)) = (self.open, header.structure.parity()) else {
            return;
        };
        if open.is_reference {
            self.second_parity = Some(parity);
        } else if self.second_parity == Some(parity.opposite()) {
            self.events.push_back(DpbEvent::Unpaired { picture: open.picture });
        }
    }

    fn insert_gap_frame(&mut self, sps: &Sps, frame_num: u16, origin: Origin) {
        let view = Viewpoint {
            frame_num,
            max_frame_num: sps.max_frame_num().cast_signed(),
            structure: PictureStructure::Frame,
        };
        self.slide_window(&view, None);
        let field_order_cnt = self.poc.fill_gap(sps, frame_num).unwrap_or_default();
        let picture = self.name_picture();
        self.frames
            .push(Frame::gap(picture, origin, frame_num, field_order_cnt));
        self.prev_ref_frame_num = Some(frame_num);
        self.sweep();
        self.bump();
    }

    /// The reference decoded last that has samples.
    fn stand_in(&self) -> Option<StandIn> {
        self.frames
            .iter()
            .rev()
            .filter(|frame| frame.is_reference())
            .find_map(|frame| match frame.origin {
                Origin::Coded => Some(StandIn {
                    picture: frame.picture,
                    field_order_cnt: frame.field_order_cnt,
                }),
                Origin::Lost { stand_in } => stand_in,
                Origin::NonExisting => None,
            })
    }
}
