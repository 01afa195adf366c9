//! Picture order count (8.2.1): types 0, 1 and 2, frames and fields.
//!
//! Sums wrap: a stream whose counts leave 32 bits is broken, and a wrong order is all that it loses.

use super::slice_header::{PicOrderCnt, SliceHeader};
use super::sps::{PicOrderCntType, Sps};
use super::{Parity, PictureStructure};

/// What the decoding process for picture order count remembers from one picture to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PocState {
    prev_pic_order_cnt_msb: i32,
    prev_pic_order_cnt_lsb: i32,
    prev_frame_num: u16,
    prev_frame_num_offset: i32,
}

/// The counts of one picture, with what the next one needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureOrderCount {
    /// `TopFieldOrderCnt`, `BottomFieldOrderCnt`; both the same for a single field.
    pub field_order_cnt: [i32; 2],
    pic_order_cnt_msb: i32,
    pic_order_cnt_lsb: i32,
    frame_num_offset: i32,
}

/// The numbers of a picture that its count is derived from.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    frame_num: u16,
    structure: PictureStructure,
    is_reference: bool,
}

impl PocState {
    /// Derives the counts of the picture that `header` starts.
    pub fn derive(&self, sps: &Sps, header: &SliceHeader) -> PictureOrderCount {
        let idr = header.idr_pic_id.is_some();
        let numbers = Numbers {
            frame_num: header.frame_num,
            structure: header.structure,
            is_reference: header.nal_ref_idc != 0,
        };
        match header.pic_order_cnt {
            PicOrderCnt::Type0 {
                pic_order_cnt_lsb,
                delta_pic_order_cnt_bottom,
            } => self.type0(
                sps,
                idr,
                header.structure,
                (pic_order_cnt_lsb.into(), delta_pic_order_cnt_bottom),
            ),
            PicOrderCnt::Type1 { delta_pic_order_cnt } => self.by_frame_num(
                sps,
                idr,
                |offset| type1(sps, numbers, offset, delta_pic_order_cnt),
                numbers,
            ),
            PicOrderCnt::Type2 => self.by_frame_num(
                sps,
                idr,
                |offset| if idr { [0, 0] } else { type2(numbers, offset) },
                numbers,
            ),
        }
    }

    /// Derives the counts of a frame that fills a gap in `frame_num` (8.2.5.2) and makes it the previous picture.
    ///
    /// `None` for type 0: nothing is coded that its count could be derived from.
    pub fn fill_gap(&mut self, sps: &Sps, frame_num: u16) -> Option<[i32; 2]> {
        let numbers = Numbers {
            frame_num,
            structure: PictureStructure::Frame,
            is_reference: true,
        };
        let count = match &sps.pic_order_cnt_type {
            PicOrderCntType::Type0 { .. } => return None,
            PicOrderCntType::Type1 { .. } => {
                self.by_frame_num(sps, false, |offset| type1(sps, numbers, offset, [0, 0]), numbers)
            }
            PicOrderCntType::Type2 => self.by_frame_num(sps, false, |offset| type2(numbers, offset), numbers),
        };
        self.prev_frame_num = frame_num;
        self.prev_frame_num_offset = count.frame_num_offset;
        Some(count.field_order_cnt)
    }

    /// Makes the decoded picture the previous one.
    pub fn finish(&mut self, header: &SliceHeader, count: &PictureOrderCount) {
        self.prev_frame_num = header.frame_num;
        self.prev_frame_num_offset = count.frame_num_offset;
        if header.nal_ref_idc != 0 {
            self.prev_pic_order_cnt_msb = count.pic_order_cnt_msb;
            self.prev_pic_order_cnt_lsb = count.pic_order_cnt_lsb;
        }
    }

    /// Makes a picture with memory_management_control_operation 5 the previous one; gives its counts after decoding.
    pub fn finish_with_reset(&mut self, structure: PictureStructure, field_order_cnt: [i32; 2]) -> [i32; 2] {
        let after = match structure {
            PictureStructure::Frame => {
                let [top, bottom] = field_order_cnt;
                let temp_pic_order_cnt = top.min(bottom);
                [
                    top.wrapping_sub(temp_pic_order_cnt),
                    bottom.wrapping_sub(temp_pic_order_cnt),
                ]
            }
            PictureStructure::Field(_) => [0, 0],
        };
        let top = match structure {
            PictureStructure::Field(Parity::Bottom) => 0,
            PictureStructure::Frame | PictureStructure::Field(Parity::Top) => after[0],
        };
        *self = Self {
            prev_pic_order_cnt_lsb: top,
            ..Self::default()
        };
        after
    }

    /// Type 0 (8.2.1.1): the most significant bits are counted from the previous reference picture.
    fn type0(
        &self,
        sps: &Sps,
        idr: bool,
        structure: PictureStructure,
        (lsb, delta_bottom): (i32, i32),
    ) -> PictureOrderCount {
        let max_lsb = max_pic_order_cnt_lsb(sps);
        let (prev_msb, prev_lsb) = if idr {
            (0, 0)
        } else {
            (self.prev_pic_order_cnt_msb, self.prev_pic_order_cnt_lsb)
        };
        let msb = if lsb < prev_lsb && prev_lsb.wrapping_sub(lsb) >= max_lsb / 2 {
            prev_msb.wrapping_add(max_lsb)
        } else if lsb > prev_lsb && lsb.wrapping_sub(prev_lsb) > max_lsb / 2 {
            prev_msb.wrapping_sub(max_lsb)
        } else {
            prev_msb
        };
        let count = msb.wrapping_add(lsb);
        let bottom = match structure {
            PictureStructure::Frame => count.wrapping_add(delta_bottom),
            PictureStructure::Field(_) => count,
        };
        PictureOrderCount {
            field_order_cnt: [count, bottom],
            pic_order_cnt_msb: msb,
            pic_order_cnt_lsb: lsb,
            frame_num_offset: 0,
        }
    }

    /// Types 1 and 2: counts follow `frame_num`, made continuous by `FrameNumOffset` (7-4, 8-6, 8-11).
    fn by_frame_num(
        &self,
        sps: &Sps,
        idr: bool,
        count: impl FnOnce(i32) -> [i32; 2],
        numbers: Numbers,
    ) -> PictureOrderCount {
        let frame_num_offset = if idr {
            0
        } else if self.prev_frame_num > numbers.frame_num {
            self.prev_frame_num_offset
                .wrapping_add(sps.max_frame_num().cast_signed())
        } else {
            self.prev_frame_num_offset
        };
        PictureOrderCount {
            field_order_cnt: count(frame_num_offset),
            pic_order_cnt_msb: 0,
            pic_order_cnt_lsb: 0,
            frame_num_offset,
        }
    }
}

/// Type 1 (8.2.1.2): a cycle of expected deltas, and coded deltas to them.
fn type1(sps: &Sps, numbers: Numbers, frame_num_offset: i32, delta_pic_order_cnt: [i32; 2]) -> [i32; 2] {
    let PicOrderCntType::Type1 {
        offset_for_non_ref_pic,
        offset_for_top_to_bottom_field,
        offset_for_ref_frame,
        ..
    } = &sps.pic_order_cnt_type
    else {
        // A header parsed with another SPS: no cycle to follow.
        return [0, 0];
    };
    let mut abs_frame_num = match offset_for_ref_frame.len() {
        0 => 0,
        _ => frame_num_offset.wrapping_add(numbers.frame_num.into()),
    };
    if !numbers.is_reference && abs_frame_num > 0 {
        abs_frame_num -= 1;
    }
    let mut expected = expected_pic_order_cnt(offset_for_ref_frame, abs_frame_num);
    if !numbers.is_reference {
        expected = expected.wrapping_add(*offset_for_non_ref_pic);
    }
    let first = expected.wrapping_add(delta_pic_order_cnt[0]);
    let opposite = first.wrapping_add(*offset_for_top_to_bottom_field);
    match numbers.structure {
        PictureStructure::Frame => [first, opposite.wrapping_add(delta_pic_order_cnt[1])],
        PictureStructure::Field(Parity::Top) => [first, first],
        PictureStructure::Field(Parity::Bottom) => [opposite, opposite],
    }
}

/// `expectedPicOrderCnt` before the offset of non-reference pictures (8-9).
fn expected_pic_order_cnt(offset_for_ref_frame: &[i32], abs_frame_num: i32) -> i32 {
    let (Ok(length), Some(last)) = (i32::try_from(offset_for_ref_frame.len()), abs_frame_num.checked_sub(1)) else {
        return 0;
    };
    if length == 0 || last < 0 {
        return 0;
    }
    let sum = |offsets: &[i32]| offsets.iter().fold(0i32, |sum, &offset| sum.wrapping_add(offset));
    let cycles = (last / length).wrapping_mul(sum(offset_for_ref_frame));
    let in_cycle = usize::try_from(last % length).unwrap_or(0);
    cycles.wrapping_add(offset_for_ref_frame.get(..=in_cycle).map_or(0, sum))
}

/// Type 2 (8.2.1.3): output order is decoding order.
fn type2(numbers: Numbers, frame_num_offset: i32) -> [i32; 2] {
    let twice = frame_num_offset.wrapping_add(numbers.frame_num.into()).wrapping_mul(2);
    let count = if numbers.is_reference {
        twice
    } else {
        twice.wrapping_sub(1)
    };
    [count, count]
}

/// `MaxPicOrderCntLsb` (7-11); 16 bits where the header was parsed with another SPS.
fn max_pic_order_cnt_lsb(sps: &Sps) -> i32 {
    match sps.pic_order_cnt_type {
        PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4,
        } => 1 << (log2_max_pic_order_cnt_lsb_minus4.min(12) + 4),
        PicOrderCntType::Type1 { .. } | PicOrderCntType::Type2 => 1 << 16,
    }
}

#[cfg(test)]
mod tests;
