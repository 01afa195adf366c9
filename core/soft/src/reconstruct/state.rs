//! What is kept of the picture in progress between requests: one small record per macroblock, the unfiltered line above.

use super::mbaff::MixedLeft;
use crate::picture::Parity;
use crate::planes::{PlaneRef, Sample};
use crate::slice::RefPic;

/// Of no slice: not decoded, or concealed.
pub(super) const NO_SLICE: u32 = u32::MAX;
/// In [`MbState::ref_pic`]: the list is not used.
pub(super) const NO_PICTURE: u8 = u8::MAX;

/// What later macroblocks and the deblocking filter ask of a macroblock.
#[derive(Clone, Copy, Debug)]
pub(super) struct MbState {
    /// Number of its slice in the picture, or [`NO_SLICE`].
    pub slice: u32,
    /// Intra macroblock type.
    pub intra: bool,
    /// A field macroblock of an MBAFF frame.
    pub field: bool,
    /// `transform_size_8x8_flag`.
    pub transform_size_8x8_flag: bool,
    /// `QP_Y`, and `QP_C` of Cb and Cr.
    pub qp: [i8; 3],
    /// Which 4x4 luma blocks (raster order) have coefficients, or lie in an 8x8 block that has.
    pub coded_blocks: u16,
    /// Between which columns of 4x4 blocks motion can change: bits 1 to 3.
    pub vertical_motion_edges: u8,
    /// Between which rows of 4x4 blocks motion can change: bits 1 to 3.
    pub horizontal_motion_edges: u8,
    /// `Intra4x4PredMode` of the right column as neighbours see it (8.3.1.1): 2 if not 4x4 or 8x8, -1 if it makes
    /// `dcPredModePredictedFlag`.
    pub right_modes: [i8; 4],
    /// `Intra4x4PredMode` of the bottom row, likewise.
    pub bottom_modes: [i8; 4],
    /// The reference picture by list and 8x8 quarter, by [`picture_number`], or [`NO_PICTURE`].
    pub ref_pic: [[u8; 4]; 2],
}

impl MbState {
    /// A macroblock that was not decoded.
    pub(super) const ABSENT: Self = Self {
        slice: NO_SLICE,
        intra: false,
        field: false,
        transform_size_8x8_flag: false,
        qp: [0; 3],
        coded_blocks: 0,
        vertical_motion_edges: 0,
        horizontal_motion_edges: 0,
        right_modes: [-1; 4],
        bottom_modes: [-1; 4],
        ref_pic: [[NO_PICTURE; 4]; 2],
    };
}

/// What stands for a reference picture in [`MbState::ref_pic`].
pub(super) fn picture_number(picture: Option<RefPic>) -> u8 {
    let Some(picture) = picture else { return NO_PICTURE - 1 };
    let fields = match picture.parity {
        None => 0,
        Some(Parity::Top) => 1,
        Some(Parity::Bottom) => 2,
    };
    picture.dpb_index << 2 | fields
}

/// What the deblocking filter asks of a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct SliceState {
    /// `disable_deblocking_filter_idc`.
    pub disable_deblocking_filter_idc: u8,
    /// `FilterOffsetA`.
    pub filter_offset_a: i8,
    /// `FilterOffsetB`.
    pub filter_offset_b: i8,
}

/// Addresses of the available neighbours A (left), B (above), C (above right), D (above left) of a macroblock (6.4.9).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Neighbours {
    pub a: Option<usize>,
    pub b: Option<usize>,
    pub c: Option<usize>,
    pub d: Option<usize>,
    /// Instead of A, in MBAFF frames: the left pair has the other mode.
    pub mixed_left: Option<MixedLeft>,
}

/// The picture in progress.
#[derive(Debug, Default)]
pub(super) struct State<S> {
    /// `PicWidthInMbs`.
    pub width_in_mbs: usize,
    /// `PicHeightInMbs`.
    pub height_in_mbs: usize,
    /// The first macroblock that is neither decoded nor concealed.
    pub next_mb: usize,
    /// One record per macroblock.
    pub macroblocks: Vec<MbState>,
    /// One record per slice.
    pub slices: Vec<SliceState>,
    /// The last luma line of the macroblock row above, before deblocking.
    above_luma: Vec<S>,
    /// The last chroma line of the macroblock row above, before deblocking.
    above_chroma: Vec<S>,
}

impl<S: Sample> State<S> {
    /// Begins a picture; allocates only when it grows.
    pub(super) fn start(&mut self, width_in_mbs: usize, height_in_mbs: usize) {
        self.width_in_mbs = width_in_mbs;
        self.height_in_mbs = height_in_mbs;
        self.next_mb = 0;
        self.macroblocks.clear();
        self.macroblocks.resize(width_in_mbs * height_in_mbs, MbState::ABSENT);
        self.slices.clear();
        self.above_luma.resize(width_in_mbs * 16, S::default());
        self.above_chroma.resize(width_in_mbs * 16, S::default());
    }

    /// Whether it is of a picture of that size.
    pub(super) fn is_of(&self, width_in_mbs: usize, height_in_mbs: usize) -> bool {
        (self.width_in_mbs, self.height_in_mbs) == (width_in_mbs, height_in_mbs)
    }

    /// The last unfiltered luma line of the row above.
    #[inline(always)]
    pub(super) fn above_luma(&self) -> &[S] {
        &self.above_luma
    }

    /// The last unfiltered chroma line of the row above.
    #[inline(always)]
    pub(super) fn above_chroma(&self) -> &[S] {
        &self.above_chroma
    }

    /// Keeps the last lines of macroblock row `mb_y` for the next one, before they are deblocked.
    pub(super) fn keep_lines(
        &mut self,
        luma: PlaneRef<'_, S>,
        chroma: PlaneRef<'_, S>,
        mb_y: usize,
        mb_height_c: usize,
    ) {
        let width = self.width_in_mbs * 16;
        self.above_luma
            .copy_from_slice(&luma.data[(mb_y * 16 + 15) * luma.pitch..][..width]);
        self.above_chroma
            .copy_from_slice(&chroma.data[(mb_y * mb_height_c + mb_height_c - 1) * chroma.pitch..][..width]);
    }

    /// The neighbours of a macroblock that are in its slice.
    #[inline(always)]
    pub(super) fn neighbours(&self, mb_addr: usize, slice: u32) -> Neighbours {
        let width = self.width_in_mbs;
        let x = mb_addr % width;
        let in_slice = |addr: Option<usize>| addr.filter(|&addr| self.macroblocks[addr].slice == slice);
        let left = (x > 0).then(|| mb_addr - 1);
        let above = mb_addr.checked_sub(width);
        Neighbours {
            a: in_slice(left),
            b: in_slice(above),
            c: in_slice(above.filter(|_| x + 1 < width).map(|addr| addr + 1)),
            d: in_slice(above.filter(|_| x > 0).map(|addr| addr - 1)),
            mixed_left: None,
        }
    }
}
