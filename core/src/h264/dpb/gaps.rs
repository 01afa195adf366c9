//! Gaps in `frame_num` (8.2.5.2): announced by the stream, or pictures that were lost.

use super::Dpb;
use super::frame::{Frame, Origin, StandIn, Viewpoint};
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

    /// Whether a frame with this `header` and count cannot come after what was decoded: it repeats the number of the
    /// reference before it (7.4.3) or the count of a frame of its sequence (8.2.1). So do frames behind a lost IDR
    /// picture if their numbers happen to leave no gap.
    pub(super) fn repeats(&self, header: &SliceHeader, pic_order_cnt: i32) -> bool {
        if header.idr_pic_id.is_some() || header.structure != PictureStructure::Frame {
            return false;
        }
        let is_numbered_twice = header.nal_ref_idc != 0 && self.prev_ref_frame_num == Some(header.frame_num);
        let is_counted_twice = self.last_output == Some(pic_order_cnt)
            || self.frames.iter().any(|frame| {
                frame.origin == Origin::Coded && !frame.coded_as_fields && frame.pic_order_cnt() == pic_order_cnt
            });
        self.prev_ref_frame_num.is_some() && (is_numbered_twice || is_counted_twice)
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
