//! The seam between the macroblock syntax (7.3.5) and the two ways to code it, CAVLC and CABAC.

use super::fault::Fault;
use crate::macroblock::{Coefficient, Mv};
use crate::slice::SliceType;

/// Kinds of residual blocks: `ctxBlockCat` (table 9-42), and one more for the chroma DC of 4:2:2.
pub(super) mod cat {
    /// `Intra16x16DCLevel`.
    pub(in super::super) const LUMA_DC: usize = 0;
    /// `Intra16x16ACLevel`.
    pub(in super::super) const LUMA_AC: usize = 1;
    /// `LumaLevel4x4`.
    pub(in super::super) const LUMA_4X4: usize = 2;
    /// `ChromaDCLevel` of 4:2:0.
    pub(in super::super) const CHROMA_DC: usize = 3;
    /// `ChromaACLevel`.
    pub(in super::super) const CHROMA_AC: usize = 4;
    /// `LumaLevel8x8`.
    pub(in super::super) const LUMA_8X8: usize = 5;
    /// `ChromaDCLevel` of 4:2:2.
    pub(in super::super) const CHROMA_DC_422: usize = 6;
    /// How many levels a block of each kind has at most.
    pub(in super::super) const MAX_COEFFS: [usize; 7] = [16, 15, 16, 4, 15, 64, 8];

    /// Index of the first level along the scan: AC blocks leave out DC.
    pub(in super::super) const fn first_index(cat: usize) -> usize {
        (cat == LUMA_AC || cat == CHROMA_AC) as usize
    }

    /// The `ctxBlockCat` proper.
    pub(in super::super) const fn ctx_block_cat(cat: usize) -> usize {
        if cat == CHROMA_DC_422 { CHROMA_DC } else { cat }
    }
}

/// What the macroblocks to the right of one and below it need to know of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    /// In the same slice.
    pub(super) available: bool,
    /// Not `P_Skip` or `B_Skip`.
    pub(super) not_skipped: bool,
    /// Not `I_NxN`.
    pub(super) not_i_nxn: bool,
    /// Not `B_Skip` or `B_Direct_16x16`.
    pub(super) not_direct: bool,
    /// `intra_chroma_pred_mode` is not 0.
    pub(super) chroma_mode: bool,
    /// `transform_size_8x8_flag`.
    pub(super) transform_8x8: bool,
    /// `coded_block_pattern` as context selection sees it: 0x2f for `I_PCM`, 0x0f where not available.
    pub(super) coded_block_pattern: u8,
    /// `total_coeff` of the four luma blocks along the edge.
    pub(super) luma: [u8; 4],
    /// `total_coeff` of the AC blocks of Cb and Cr along the edge: two on top, two or four on the left.
    pub(super) chroma: [[u8; 4]; 2],
    /// `coded_block_flag` of the DC of Y, Cb, Cr.
    pub(super) dc: [u8; 3],
    /// By list, of the two 8x8 blocks along the edge: `ref_idx`, 0 where it is inferred.
    pub(super) ref_idx: [[u8; 2]; 2],
    /// By list, of the four 4x4 blocks along the edge: absolute `mvd`, x and y, at most [`MVD_LIMIT`].
    pub(super) mvd: [[[u8; 2]; 4]; 2],
}

/// Sums above 32 all select the same context, also after MBAFF frames have halved a difference: larger ones need not be
/// told apart.
pub(super) const MVD_LIMIT: u16 = 70;

impl Edge {
    /// The edge of a macroblock that is not in the slice.
    pub(super) const UNAVAILABLE: Self = Self {
        available: false,
        not_skipped: false,
        not_i_nxn: false,
        not_direct: false,
        chroma_mode: false,
        transform_8x8: false,
        coded_block_pattern: 0x0f,
        luma: [0; 4],
        chroma: [[0; 4]; 2],
        dc: [0; 3],
        ref_idx: [[0; 2]; 2],
        mvd: [[[0; 2]; 4]; 2],
    };

    /// The edge of a macroblock without any coded element; the callers set what differs.
    pub(super) const EMPTY: Self = Self {
        available: true,
        not_skipped: true,
        not_i_nxn: true,
        not_direct: true,
        coded_block_pattern: 0,
        ..Self::UNAVAILABLE
    };

    /// The edge of a skipped macroblock of a B slice.
    pub(super) const SKIPPED: Self = Self {
        not_skipped: false,
        not_direct: false,
        ..Self::EMPTY
    };
}

/// The edges that a macroblock lies at. While it is read they move through it: a block is read with what is to the left
/// of it and above it in them and leaves itself there, so that at the end they are the macroblock's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edges {
    /// To the left.
    pub(super) left: Edge,
    /// Above.
    pub(super) top: Edge,
}

/// The levels of one macroblock.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    values: [Coefficient; Self::CAPACITY],
    len: usize,
}

impl Levels {
    /// Levels of a 4:2:2 macroblock.
    const CAPACITY: usize = 512;

    /// None yet.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds a level; `index` counts along the scan.
    #[inline(always)]
    pub(super) fn push(&mut self, index: usize, level: i32) {
        self.values[self.len % Self::CAPACITY] = Coefficient::new(index, level);
        self.len += 1;
    }

    /// All levels.
    pub(super) fn as_slice(&self) -> &[Coefficient] {
        &self.values[..self.len.min(Self::CAPACITY)]
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            values: [Coefficient(0); Self::CAPACITY],
            len: 0,
        }
    }
}

/// The syntax elements of slice data, in either entropy coding.
pub(super) trait Elements {
    /// What stands in an edge for the `total_coeff` of a macroblock that is not available.
    fn unavailable_total_coeff(intra: bool) -> u8;

    /// After a macroblock: whether another one follows.
    fn more_data(&mut self) -> bool;

    /// More was read than the slice has.
    fn overrun(&self) -> bool;

    /// `mb_skip_flag`, or whether `mb_skip_run` has another macroblock.
    fn mb_skip_flag(&mut self, slice_type: SliceType, edges: &Edges) -> Result<bool, Fault>;

    /// `mb_field_decoding_flag`; `left` and `top`: those of the pairs there, false where there is none.
    fn mb_field_decoding_flag(&mut self, left: bool, top: bool) -> bool;

    /// Tells what the next macroblocks of an MBAFF frame are.
    fn set_field_macroblock(&mut self, is_field: bool);

    /// `mb_type`, numbered as in CAVLC: intra types follow those of the slice type.
    fn mb_type(&mut self, slice_type: SliceType, edges: &Edges) -> Result<u32, Fault>;

    /// Adds `count` `pcm_sample`s of `bit_depth` bits.
    fn pcm_samples(&mut self, count: usize, bit_depth: usize, samples: &mut Vec<Coefficient>) -> Result<(), Fault>;

    /// `transform_size_8x8_flag`.
    fn transform_size_8x8_flag(&mut self, edges: &Edges) -> bool;

    /// `coded_block_pattern`.
    fn coded_block_pattern(&mut self, intra: bool, edges: &Edges) -> Result<u8, Fault>;

    /// `mb_qp_delta`; `after_nonzero`: that of the macroblock before was not 0.
    fn mb_qp_delta(&mut self, after_nonzero: bool) -> Result<i32, Fault>;

    /// 0 for `prev_intra4x4_pred_mode_flag` or its 8x8 twin, else 1 + `rem_intra*_pred_mode`.
    fn intra_pred_mode(&mut self) -> u8;

    /// `intra_chroma_pred_mode`.
    fn intra_chroma_pred_mode(&mut self, edges: &Edges) -> Result<u8, Fault>;

    /// `sub_mb_type`.
    fn sub_mb_type(&mut self, slice_type: SliceType) -> Result<u32, Fault>;

    /// `ref_idx_lX`, at most `max`, which is not 0; `left` and `top`: the neighbours' are above 0.
    fn ref_idx(&mut self, max: u8, left: bool, top: bool) -> Result<u8, Fault>;

    /// `mvd_lX`, both components; `sum`: `absMvdComp` of the two neighbours together.
    fn mvd(&mut self, sum: [u8; 2]) -> Result<Mv, Fault>;

    /// `Intra16x16DCLevel`: how many levels it has.
    fn luma_dc(&mut self, edges: &mut Edges, levels: &mut Levels) -> Result<u8, Fault>;

    /// `LumaLevel8x8` of a quarter: how many levels it has. Leaves the counts of its blocks in the edges.
    fn luma_8x8(&mut self, quarter: usize, edges: &mut Edges, levels: &mut Levels) -> Result<u8, Fault>;

    /// Any other block of kind `CAT` between neighbours with `left` and `top` levels: how many levels it has.
    fn block<const CAT: usize>(&mut self, left: u8, top: u8, levels: &mut Levels) -> Result<u8, Fault>;
}
