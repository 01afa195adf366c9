//! Levels of the bitstream into coefficients (8.5.6 to 8.5.11), and those onto the prediction.

use super::scaling::{LevelScale, Scan};
use crate::macroblock::{Coefficient, Macroblock, block};
use crate::picture::ChromaFormat;
use crate::planes::{PlaneMut, Sample};

/// The levels of a macroblock that are still to come, block after block in the order of the syntax.
#[derive(Clone, Copy, Debug)]
pub(super) struct Levels<'a> {
    rest: &'a [Coefficient],
}

impl<'a> Levels<'a> {
    /// The levels of a macroblock; a range outside of the arena is empty.
    pub(super) fn of(mb: &Macroblock, coefficients: &'a [Coefficient]) -> Self {
        Self {
            rest: coefficients.get(mb.coefficients as usize..).unwrap_or_default(),
        }
    }

    /// The next `count` levels, or as many as there are.
    #[inline(always)]
    pub(super) fn take(&mut self, count: usize) -> &'a [Coefficient] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// The levels of the block whose count stands at `place`.
    #[inline(always)]
    pub(super) fn block(&mut self, mb: &Macroblock, place: usize) -> &'a [Coefficient] {
        self.take(usize::from(mb.total_coeff[place]))
    }
}

/// How the levels of blocks of one size become coefficients: where they go, and what they are scaled by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scaling<'a, const COUNT: usize> {
    scan: &'a [u8; COUNT],
    scale: &'a [i32; COUNT],
}

/// Of 4x4 blocks.
pub(super) type Scaling4x4<'a> = Scaling<'a, 16>;
/// Of 8x8 blocks.
pub(super) type Scaling8x8<'a> = Scaling<'a, 64>;

impl<'a> Scaling4x4<'a> {
    /// Of a component: 0 for Y, 1 for Cb, 2 for Cr.
    #[inline(always)]
    pub(super) fn new(tables: &'a LevelScale, scan: &'a Scan, inter: bool, component: usize, qp: u8) -> Self {
        Self {
            scan: &scan.by_4x4,
            scale: tables.of_4x4(inter, component, qp),
        }
    }

    #[inline(always)]
    fn position(&self, index: usize) -> usize {
        usize::from(self.scan[index & 15] & 15)
    }
}

impl<'a> Scaling8x8<'a> {
    /// Of luma.
    #[inline(always)]
    pub(super) fn new(tables: &'a LevelScale, scan: &'a Scan, inter: bool, qp: u8) -> Self {
        Self {
            scan: &scan.by_8x8,
            scale: tables.of_8x8(inter, qp),
        }
    }

    #[inline(always)]
    fn position(&self, index: usize) -> usize {
        usize::from(self.scan[index & 63] & 63)
    }
}

/// Adds a 4x4 luma block.
pub(super) fn add_luma_4x4<S: Sample>(dst: PlaneMut<'_, S>, levels: &[Coefficient], scaling: Scaling4x4<'_>) {
    match levels {
        [] => {}
        [only] if only.index() == 0 => S::add_dc::<4>(dst, scale_4x4(only.level(), scaling.scale[0])),
        _ => S::add_4x4(dst, &coefficients_4x4(levels, scaling)),
    }
}

/// Adds a 4x4 luma block of an `Intra_16x16` macroblock, whose DC was transformed before.
pub(super) fn add_luma_4x4_with_dc<S: Sample>(
    dst: PlaneMut<'_, S>,
    dc: i32,
    levels: &[Coefficient],
    scaling: Scaling4x4<'_>,
) {
    if levels.is_empty() {
        if dc != 0 {
            S::add_dc::<4>(dst, dc);
        }
        return;
    }
    let mut block = coefficients_4x4(levels, scaling);
    block[0] = dc;
    S::add_4x4(dst, &block);
}

/// Adds an 8x8 luma block.
pub(super) fn add_luma_8x8<S: Sample>(dst: PlaneMut<'_, S>, levels: &[Coefficient], scaling: Scaling8x8<'_>) {
    match levels {
        [] => {}
        [only] if only.index() == 0 => S::add_dc::<8>(dst, scale_8x8(only.level(), scaling.scale[0])),
        _ => {
            let mut block = [0; 64];
            for coefficient in levels {
                let position = scaling.position(coefficient.index());
                block[position] = scale_8x8(coefficient.level(), scaling.scale[position]);
            }
            S::add_8x8(dst, &block);
        }
    }
}

/// The DC coefficients of the luma blocks of an `Intra_16x16` macroblock, in raster order (8.5.10).
pub(super) fn luma_dc(levels: &[Coefficient], scaling: Scaling4x4<'_>) -> [i32; 16] {
    let mut c = [0i32; 16];
    for coefficient in levels {
        c[scaling.position(coefficient.index())] = coefficient.level();
    }
    for row in c.as_chunks_mut::<4>().0 {
        *row = hadamard_4(*row);
    }
    for x in 0..4 {
        let column = hadamard_4([c[x], c[x + 4], c[x + 8], c[x + 12]]);
        for (y, f) in column.into_iter().enumerate() {
            c[y * 4 + x] = f.wrapping_mul(scaling.scale[0]).wrapping_add(32) >> 6;
        }
    }
    c
}

/// What chroma levels are scaled by: those of AC and the DC, of Cb and Cr.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChromaScaling<'a> {
    pub ac: [Scaling4x4<'a>; 2],
    /// `LevelScale( QP'c % 6, 0, 0 ) << ( QP'c / 6 )`, of 4:2:2 with `QP'c,dc`.
    pub dc: [i32; 2],
}

impl<'a> ChromaScaling<'a> {
    /// Of `QP'c` of Cb and Cr.
    #[inline(always)]
    pub(super) fn new(format: ChromaFormat, tables: &'a LevelScale, scan: &'a Scan, inter: bool, qp: [u8; 2]) -> Self {
        let of =
            |qp: [u8; 2]| [1, 2].map(|component| Scaling4x4::new(tables, scan, inter, component, qp[component - 1]));
        let ac = of(qp);
        let dc = match format {
            ChromaFormat::Monochrome | ChromaFormat::Yuv420 => ac,
            // Equation 8-329.
            ChromaFormat::Yuv422 => of(qp.map(|qp| qp + 3)),
        };
        Self {
            ac,
            dc: dc.map(|scaling| scaling.scale[0]),
        }
    }
}

/// The chroma blocks of Cb and Cr of a macroblock, eight of each in 4:2:2, else four, onto `dst` (8.5.4, 8.5.11).
pub(super) fn add_chroma<S: Sample>(
    mut dst: PlaneMut<'_, S>,
    format: ChromaFormat,
    mb: &Macroblock,
    mut levels: Levels<'_>,
    scaling: &ChromaScaling<'_>,
) {
    let mut dc = [[0; 8]; 2];
    for (component, dc) in dc.iter_mut().enumerate() {
        let levels = levels.block(mb, block::CB_DC + component);
        match format {
            ChromaFormat::Yuv422 => *dc = chroma_dc_422(levels, scaling.dc[component]),
            ChromaFormat::Monochrome | ChromaFormat::Yuv420 => {
                dc[..4].copy_from_slice(&chroma_dc(levels, scaling.dc[component]));
            }
        }
    }
    let blocks = format.mb_height_c() / 2;
    let mut ac = [[[].as_slice(); 8]; 2];
    for (of_component, first) in ac.iter_mut().zip([block::CB_AC, block::CR_AC]) {
        for (i, of_block) in of_component.iter_mut().enumerate().take(blocks) {
            *of_block = levels.block(mb, first + i);
        }
    }
    for i in 0..blocks {
        if ac[0][i].is_empty() && ac[1][i].is_empty() && dc[0][i] | dc[1][i] == 0 {
            continue;
        }
        let mut blocks = [
            coefficients_4x4(ac[0][i], scaling.ac[0]),
            coefficients_4x4(ac[1][i], scaling.ac[1]),
        ];
        (blocks[0][0], blocks[1][0]) = (dc[0][i], dc[1][i]);
        let at = (i / 2) * 4 * dst.pitch + (i % 2) * 8;
        S::add_chroma_4x4(dst.from(at), &blocks);
    }
}

/// Inverse transform and scaling of the DC of one chroma component of 4:2:0 (equations 8-328 and 8-330).
fn chroma_dc(levels: &[Coefficient], scale: i32) -> [i32; 4] {
    let mut c = [0i32; 4];
    for coefficient in levels {
        c[coefficient.index() & 3] = coefficient.level();
    }
    let [sum_0, sum_1] = [c[0].wrapping_add(c[1]), c[2].wrapping_add(c[3])];
    let [difference_0, difference_1] = [c[0].wrapping_sub(c[1]), c[2].wrapping_sub(c[3])];
    let f = [
        sum_0.wrapping_add(sum_1),
        difference_0.wrapping_add(difference_1),
        sum_0.wrapping_sub(sum_1),
        difference_0.wrapping_sub(difference_1),
    ];
    f.map(|f| f.wrapping_mul(scale) >> 5)
}

/// The same of 4:2:2, four rows of two, by `chroma4x4BlkIdx` (equations 8-327, 8-331 and 8-332).
fn chroma_dc_422(levels: &[Coefficient], scale: i32) -> [i32; 8] {
    /// Where each level goes.
    const RASTER: [usize; 8] = [0, 2, 1, 4, 6, 3, 5, 7];
    let mut c = [0i32; 8];
    for coefficient in levels {
        c[RASTER[coefficient.index() & 7]] = coefficient.level();
    }
    let [left, right] = [0, 1].map(|x| hadamard_4([c[x], c[x + 2], c[x + 4], c[x + 6]]));
    let mut dc = [0; 8];
    for (y, pair) in dc.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let f = [left[y].wrapping_add(right[y]), left[y].wrapping_sub(right[y])];
        *pair = f.map(|f| f.wrapping_mul(scale).wrapping_add(32) >> 6);
    }
    dc
}

#[inline(always)]
fn coefficients_4x4(levels: &[Coefficient], scaling: Scaling4x4<'_>) -> [i32; 16] {
    let mut block = [0; 16];
    for coefficient in levels {
        let position = scaling.position(coefficient.index());
        block[position] = scale_4x4(coefficient.level(), scaling.scale[position]);
    }
    block
}

/// Equations 8-336 and 8-337 in one: the table holds `LevelScale << (qP / 6)`.
#[inline(always)]
fn scale_4x4(level: i32, scale: i32) -> i32 {
    level.wrapping_mul(scale).wrapping_add(8) >> 4
}

/// Equations 8-356 and 8-357 in one.
#[inline(always)]
fn scale_8x8(level: i32, scale: i32) -> i32 {
    level.wrapping_mul(scale).wrapping_add(32) >> 6
}

#[inline(always)]
fn hadamard_4(c: [i32; 4]) -> [i32; 4] {
    let [sum_0, sum_1] = [c[0].wrapping_add(c[1]), c[2].wrapping_add(c[3])];
    let [difference_0, difference_1] = [c[0].wrapping_sub(c[1]), c[2].wrapping_sub(c[3])];
    [
        sum_0.wrapping_add(sum_1),
        sum_0.wrapping_sub(sum_1),
        difference_0.wrapping_sub(difference_1),
        difference_0.wrapping_add(difference_1),
    ]
}
