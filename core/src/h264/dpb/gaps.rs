//! Gaps in `frame_num` (8.2.5.2): announced by the stream, or pictures that were lost.

use super::Dpb;
use super::frame::{Frame, Origin, StandIn, Viewpoint};
use crate::h264::PictureStructure;
use crate::h264::sps::Sps;

impl Dpb {
    /// Inserts a frame for every skipped value before `frame_num`, as many as can be references; gives the number of
    /// frames that were lost.
    ///
    /// A loss is filled just like an announced gap, so that the numbers of all other references stay right; the last
    /// picture before it stands in for what is missing.
    pub(super) fn fill_gap(&mut self, sps: &Sps, frame_num: u16) -> u32 {
        let max_frame_num = sps.max_frame_num().cast_signed();
        let (Some(prev_ref_frame_num), Some(limits)) = (self.prev_ref_frame_num, self.limits) else {
            return 0;
        };
        let skipped = (i32::from(frame_num) - i32::from(prev_ref_frame_num) - 1).rem_euclid(max_frame_num);
        if frame_num == prev_ref_frame_num || skipped == 0 {
            return 0;
        }
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
