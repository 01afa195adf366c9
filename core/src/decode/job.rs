//! One picture to decode, in H.264's terms. Both front ends make these; only [`super`]'s `controls` turns them into uAPI.

use crate::h264::{Parity, PictureId, Pps, SliceHeader, Sps};

/// Short-term or long-term, with the numbers that name a reference (8.2.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// "used for short-term reference".
    ShortTerm {
        /// `FrameNum`.
        frame_num: u16,
        /// `PicNum` of the frame, or `FrameNumWrap` while a field is decoded.
        pic_num: i32,
    },
    /// "used for long-term reference".
    LongTerm {
        /// `LongTermFrameIdx`.
        long_term_frame_idx: u16,
        /// `LongTermPicNum` of the frame, or `LongTermFrameIdx` while a field is decoded.
        long_term_pic_num: u16,
    },
}

/// A frame, complementary field pair or field of the DPB that is a reference of the current picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferencePicture {
    /// Which picture.
    pub picture: PictureId,
    /// How it is named.
    pub reference: Reference,
    /// Which of its fields are references: top, bottom.
    pub fields: [bool; 2],
    /// It was coded as a field pair or single field.
    pub coded_as_fields: bool,
    /// `TopFieldOrderCnt`, `BottomFieldOrderCnt`.
    pub field_order_cnt: [i32; 2],
    /// Inserted for a gap in `frame_num`: it has numbers but never had samples (8.2.5.2).
    pub non_existing: bool,
}

/// An entry of a reference list of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// Index into [`DecodeJob::references`].
    pub reference: u8,
    /// `None` = the frame.
    pub parity: Option<Parity>,
}

/// One slice of a picture.
#[derive(Clone, Debug)]
pub struct SliceJob<'a> {
    /// Its header.
    pub header: SliceHeader,
    /// The NAL unit with its header byte, without start code, emulation prevention bytes in place.
    pub nal: &'a [u8],
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
