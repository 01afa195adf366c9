//! Where a coded picture ends and the next begins (7.4.1.2.4).

use super::slice_header::{PicOrderCnt, SliceHeader};

/// Where a slice belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlicePlace {
    /// It starts a new primary coded picture (a frame or one field).
    NewPicture,
    /// It goes on with the picture of the slice before it.
    SamePicture,
    /// It goes on with that picture but starts before slices that are already there: arbitrary slice order (ASO).
    OutOfOrder,
}

/// Tells where the slice with header `current` belongs; `first` and `previous` are those of the picture so far.
///
/// Redundant slices must have been dropped before.
pub fn place_slice(first: &SliceHeader, previous: &SliceHeader, current: &SliceHeader) -> SlicePlace {
    if differs(previous, current) {
        return SlicePlace::NewPicture;
    }
    match (current.first_mb_in_slice, first.first_mb_in_slice) {
        // Equal numbers, yet macroblock 0 again: memory_management_control_operation 5 has reset them.
        (0, 0) => SlicePlace::NewPicture,
        (mb, _) if mb > previous.first_mb_in_slice => SlicePlace::SamePicture,
        _ => SlicePlace::OutOfOrder,
    }
}

/// The comparisons of 7.4.1.2.4, except that of `pic_parameter_set_id`: encoders do change it within a picture, and a
/// new picture always differs in something else or starts over at macroblock 0.
fn differs(previous: &SliceHeader, current: &SliceHeader) -> bool {
    let one_is_no_reference = (previous.nal_ref_idc == 0) != (current.nal_ref_idc == 0);
    previous.frame_num != current.frame_num
        || previous.structure != current.structure
        || one_is_no_reference
        || previous.idr_pic_id != current.idr_pic_id
        || pic_order_cnt_differs(previous.pic_order_cnt, current.pic_order_cnt)
}

/// Counts of different types come from different parameter sets: no comparison there.
fn pic_order_cnt_differs(previous: PicOrderCnt, current: PicOrderCnt) -> bool {
    match (previous, current) {
        (PicOrderCnt::Type0 { .. }, PicOrderCnt::Type0 { .. })
        | (PicOrderCnt::Type1 { .. }, PicOrderCnt::Type1 { .. }) => previous != current,
        (PicOrderCnt::Type0 { .. } | PicOrderCnt::Type1 { .. } | PicOrderCnt::Type2, _) => false,
    }
}

#[cfg(test)]
mod tests;
