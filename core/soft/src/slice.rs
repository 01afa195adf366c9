//! One slice as the entropy stage hands it to reconstruction.

use crate::picture::Parity;

/// `slice_type % 5`; SP and SI are refused earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SliceType {
    /// P slice.
    P,
    /// B slice.
    B,
    /// I slice.
    I,
}

/// An entry of `RefPicList0` or `RefPicList1` after modification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefPic {
    /// Index into [`crate::PictureParams::dpb`].
    pub dpb_index: u8,
    /// `None` = the frame (or complementary field pair).
    pub parity: Option<Parity>,
}

/// Explicit weights of one reference index (7.4.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Weight of Y, Cb, Cr.
    pub weight: [i16; 3],
    /// Offset of Y, Cb, Cr, not yet scaled to the bit depth.
    pub offset: [i16; 3],
}

/// `pred_weight_table()`, filled for every active index, defaults included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredWeightTable {
    /// `luma_log2_weight_denom`.
    pub luma_log2_weight_denom: u8,
    /// `chroma_log2_weight_denom`.
    pub chroma_log2_weight_denom: u8,
    /// Weights by list and `ref_idx`.
    pub weights: [[Weight; 32]; 2],
}

/// One slice: what its header says that reconstruction needs, and where its macroblocks stand.
#[derive(Clone, Debug)]
pub struct Slice {
    /// `slice_type`.
    pub slice_type: SliceType,
    /// `first_mb_in_slice * (1 + MbaffFrameFlag)`.
    pub first_mb: u32,
    /// Range of its macroblocks in [`crate::ParsedPicture::macroblocks`].
    pub macroblocks: std::ops::Range<usize>,
    /// `num_ref_idx_l0_active`, `num_ref_idx_l1_active`; 0 where the list is not used.
    pub num_ref_idx_active: [u8; 2],
    /// The two lists; `None` where the list names nothing (a lost reference).
    pub ref_pic_list: [[Option<RefPic>; 32]; 2],
    /// `direct_spatial_mv_pred_flag`.
    pub direct_spatial_mv_pred_flag: bool,
    /// Explicit weights, if the PPS and the slice type ask for them.
    pub pred_weights: Option<Box<PredWeightTable>>,
    /// `disable_deblocking_filter_idc`, 0 to 2.
    pub disable_deblocking_filter_idc: u8,
    /// `FilterOffsetA`.
    pub filter_offset_a: i8,
    /// `FilterOffsetB`.
    pub filter_offset_b: i8,
}
