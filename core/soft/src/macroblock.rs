//! One macroblock as the entropy stage hands it to reconstruction: syntax elements (7.3.5), nothing derived but `QP_Y`.

/// A motion vector or a motion vector difference, in quarter luma samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mv {
    /// Horizontal component.
    pub x: i16,
    /// Vertical component.
    pub y: i16,
}

/// Which reference lists a partition is predicted from (tables 7-13, 7-14, 7-17, 7-18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PredMode {
    /// `Pred_L0`.
    L0,
    /// `Pred_L1`.
    L1,
    /// `BiPred`.
    Bi,
}

/// `mb_type` (tables 7-11, 7-13, 7-14), P and B written alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MbType {
    /// `I_NxN`: 4x4, or 8x8 with [`Macroblock::transform_size_8x8_flag`].
    INxN,
    /// `I_16x16_*`.
    I16x16 {
        /// `Intra16x16PredMode`, 0 to 3.
        pred_mode: u8,
    },
    /// `I_PCM`: the samples stand in [`crate::ParsedPicture::coefficients`], one per entry, luma, Cb, Cr.
    IPcm,
    /// `P_Skip`.
    PSkip,
    /// `B_Skip`.
    BSkip,
    /// `B_Direct_16x16`.
    Direct16x16,
    /// One partition of 16x16.
    Inter16x16(PredMode),
    /// Two partitions of 16x8.
    Inter16x8([PredMode; 2]),
    /// Two partitions of 8x16.
    Inter8x16([PredMode; 2]),
    /// Four sub-macroblocks: `P_8x8`, `P_8x8ref0` or `B_8x8`; see [`Macroblock::sub_mb_type`].
    Inter8x8,
}

/// How a sub-macroblock is split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubMbShape {
    /// One 8x8.
    #[default]
    S8x8,
    /// Two 8x4.
    S8x4,
    /// Two 4x8.
    S4x8,
    /// Four 4x4.
    S4x4,
}

/// `sub_mb_type` (tables 7-17, 7-18).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubMbType {
    /// `B_Direct_8x8`; also the filling value where there is no sub-macroblock.
    #[default]
    Direct,
    /// Predicted with its own motion vectors.
    Inter(SubMbShape, PredMode),
}

/// A transform coefficient level with its place: `level << 6 | index`.
///
/// `index` counts along the scan (zig-zag or field) of the block, from 0: 0..=15 for 4x4 (AC blocks of `Intra16x16` and
/// chroma start at 1), 0..=63 for 8x8, the `chroma DC` order for chroma DC. In an `I_PCM` macroblock the whole value is
/// a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coefficient(pub i32);

impl Coefficient {
    /// Packs a level and its index along the scan.
    #[inline(always)]
    pub fn new(index: usize, level: i32) -> Self {
        Self(level << 6 | (index & 63) as i32)
    }

    /// Index along the scan, 0 to 63.
    #[inline(always)]
    pub fn index(self) -> usize {
        (self.0 & 63) as usize
    }

    /// The level before scaling.
    #[inline(always)]
    pub fn level(self) -> i32 {
        self.0 >> 6
    }
}

/// Where the counts of the blocks of a macroblock stand in [`Macroblock::total_coeff`].
pub mod block {
    /// Luma 4x4 blocks, `luma4x4BlkIdx` 0 to 15; an 8x8 block uses the place of its first 4x4 block.
    pub const LUMA: usize = 0;
    /// AC blocks of Cb, `chroma4x4BlkIdx` 0 to 7 (4:2:0 uses four).
    pub const CB_AC: usize = 16;
    /// AC blocks of Cr.
    pub const CR_AC: usize = 24;
    /// `Intra16x16DCLevel`.
    pub const LUMA_DC: usize = 32;
    /// DC of Cb.
    pub const CB_DC: usize = 33;
    /// DC of Cr.
    pub const CR_DC: usize = 34;
    /// How many places there are.
    pub const COUNT: usize = 35;
}

/// The syntax elements of one macroblock.
#[derive(Clone, Copy, Debug)]
pub struct Macroblock {
    /// `CurrMbAddr`.
    pub mb_addr: u32,
    /// `mb_type`.
    pub mb_type: MbType,
    /// `mb_field_decoding_flag`, inferred where absent; false outside MBAFF frames.
    pub mb_field_decoding_flag: bool,
    /// `transform_size_8x8_flag`.
    pub transform_size_8x8_flag: bool,
    /// `QP_Y` (7.4.5), after `mb_qp_delta`; of `I_PCM` 0 as deblocking wants it.
    pub qp_y: i8,
    /// `CodedBlockPatternLuma` (bits 0 to 3) and `CodedBlockPatternChroma << 4`.
    pub coded_block_pattern: u8,
    /// `intra_chroma_pred_mode`, 0 to 3.
    pub intra_chroma_pred_mode: u8,
    /// Per 4x4 block (`luma4x4BlkIdx`) or, in places 0, 4, 8, 12, per 8x8 block: 0 = `prev_intra*_pred_mode_flag`, else
    /// 1 + `rem_intra*_pred_mode`.
    pub intra_pred_mode: [u8; 16],
    /// `sub_mb_type` of the four 8x8 quarters of an [`MbType::Inter8x8`].
    pub sub_mb_type: [SubMbType; 4],
    /// `ref_idx_l0` and `ref_idx_l1` of each 8x8 quarter, -1 where the list is not used or the quarter is direct or skipped.
    pub ref_idx: [[i8; 4]; 2],
    /// Start of its `mvd_l0`, then `mvd_l1`, in [`crate::ParsedPicture::mvds`], in the order of the syntax.
    pub mvds: u32,
    /// Start of its levels in [`crate::ParsedPicture::coefficients`]: luma DC, luma, Cb DC, Cr DC, Cb AC, Cr AC.
    pub coefficients: u32,
    /// How many levels each block has, see [`block`].
    pub total_coeff: [u8; block::COUNT],
}
