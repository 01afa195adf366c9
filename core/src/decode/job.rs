//! One picture to decode, in H.264's terms. Both front ends make these; only [`super`]'s `controls` turns them into uAPI.

use std::sync::Arc;

pub use crate::h264::reference::{ListEntry, Reference, ReferencePicture};
use crate::h264::{PictureId, Pps, SliceHeader, Sps};

/// One slice of a picture.
#[derive(Clone, Debug)]
pub struct SliceJob<'a> {
    /// Its header.
    pub header: SliceHeader,
    /// The NAL unit with its header byte, without start code, emulation prevention bytes in place.
    pub nal: &'a [u8],
    /// Its PPS, where that is another one than the first slice's.
    pub pps: Option<Arc<Pps>>,
    /// `RefPicList0`, `RefPicList1` after modification, as long as `num_ref_idx_active`; `None` = lost. The frame-based
    /// drivers derive these themselves.
    pub ref_pic_lists: [Vec<Option<ListEntry>>; 2],
}

/// One coded frame or field.
#[derive(Clone, Debug)]
pub struct DecodeJob<'a> {
    /// The picture it belongs to; both fields of a pair have the same.
    pub picture: PictureId,
    /// This is the second field of `picture`.
    pub second_field: bool,
    /// Active SPS.
    pub sps: &'a Sps,
    /// Active PPS of the first slice.
    pub pps: &'a Pps,
    /// `TopFieldOrderCnt`, `BottomFieldOrderCnt` (both valid for a frame; the one of its parity for a field).
    pub field_order_cnt: [i32; 2],
    /// Everything marked "used for reference", at most 16 frames.
    pub references: &'a [ReferencePicture],
    /// Slices in decoding order, at least one.
    pub slices: &'a [SliceJob<'a>],
}
