//! How the DPB names its reference pictures to whoever decodes with them.

use super::{Parity, PictureId};

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
    /// Which picture holds the samples.
    pub picture: PictureId,
    /// How it is named.
    pub reference: Reference,
    /// Which of its fields are references: top, bottom.
    pub fields: [bool; 2],
    /// It was coded as a field pair or single field.
    pub coded_as_fields: bool,
    /// `TopFieldOrderCnt`, `BottomFieldOrderCnt`; of a single field both are that field's.
    pub field_order_cnt: [i32; 2],
    /// Inserted for a gap in `frame_num`: it has numbers but never had samples (8.2.5.2).
    pub non_existing: bool,
    /// The frame of these numbers was lost; unless `non_existing`, `picture` is an earlier one that stands in for it.
    pub lost: bool,
}

/// An entry of a reference list of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// Index into the references of the picture.
    pub reference: u8,
    /// `None` = the frame.
    pub parity: Option<Parity>,
}
