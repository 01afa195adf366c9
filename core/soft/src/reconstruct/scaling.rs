//! Level scale tables (8.5.9) and inverse scans: what turns a level with its place in the scan into a coefficient.

use std::array::from_fn;

use crate::picture::ScalingMatrix;

/// How many values `qP` has at 10 bits.
pub(super) const QP_COUNT: usize = 52 + 12;

/// The inverse scans of 4x4 and 8x8 blocks: raster positions by index.
#[derive(Debug)]
pub(super) struct Scan {
    pub by_4x4: [u8; 16],
    pub by_8x8: [u8; 64],
}

impl Scan {
    /// The zig-zag scans of frame macroblocks, or the field scans.
    pub(super) fn of(field: bool) -> &'static Self {
        static ZIGZAG: Scan = Scan {
            by_4x4: ZIGZAG_4X4,
            by_8x8: ZIGZAG_8X8,
        };
        static FIELD: Scan = Scan {
            by_4x4: FIELD_4X4,
            by_8x8: FIELD_8X8,
        };
        if field { &FIELD } else { &ZIGZAG }
    }
}

/// Raster positions of a 4x4 block in field order (table 8-2).
const FIELD_4X4: [u8; 16] = [0, 4, 1, 8, 12, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];

/// Raster positions of an 8x8 block in field order (table 8-3).
const FIELD_8X8: [u8; 64] = [
    0, 8, 16, 1, 9, 24, 32, 17, 2, 25, 40, 48, 56, 33, 10, 3, 18, 41, 49, 57, 26, 11, 4, 19, 34, 42, 50, 58, 27, 12, 5,
    20, 35, 43, 51, 59, 28, 13, 6, 21, 36, 44, 52, 60, 29, 14, 22, 37, 45, 53, 61, 30, 7, 15, 38, 46, 54, 62, 23, 31,
    39, 47, 55, 63,
];

/// Raster positions of a 4x4 block in zig-zag order (table 8-2).
const ZIGZAG_4X4: [u8; 16] = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];

/// Raster positions of an 8x8 block in zig-zag order (table 8-3).
const ZIGZAG_8X8: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// `normAdjust4x4` (equation 8-315): both coordinates even, both odd, else.
const NORM_ADJUST_4X4: [[i32; 3]; 6] = [
    [10, 16, 13],
    [11, 18, 14],
    [13, 20, 16],
    [14, 23, 18],
    [16, 25, 20],
    [18, 29, 23],
];

/// `normAdjust8x8` (equation 8-318), by the six kinds of position.
const NORM_ADJUST_8X8: [[i32; 6]; 6] = [
    [20, 18, 32, 19, 25, 24],
    [22, 19, 35, 21, 28, 26],
    [26, 23, 42, 24, 33, 31],
    [28, 25, 45, 26, 35, 33],
    [32, 28, 51, 30, 40, 38],
    [36, 32, 58, 34, 46, 43],
];

/// `LevelScale4x4 << (qP / 6)` of one list, by `qP` and raster position.
pub(super) type LevelScale4x4 = [[i32; 16]; QP_COUNT];
/// `LevelScale8x8 << (qP / 6)` of one list, by `qP` and raster position.
pub(super) type LevelScale8x8 = [[i32; 64]; QP_COUNT];

/// The level scale tables of a picture, rebuilt only when its scaling matrix is another.
#[derive(Debug, Default)]
pub(super) struct LevelScale {
    matrix: Option<ScalingMatrix>,
    scale_4x4: Vec<LevelScale4x4>,
    scale_8x8: Vec<LevelScale8x8>,
}

impl LevelScale {
    /// Takes the scaling matrix of a picture.
    pub(super) fn set(&mut self, matrix: &ScalingMatrix) {
        if self.matrix.as_ref() == Some(matrix) {
            return;
        }
        self.scale_4x4.clear();
        self.scale_4x4.extend(matrix.lists_4x4.iter().map(level_scale_4x4));
        self.scale_8x8.clear();
        self.scale_8x8.extend(matrix.lists_8x8.iter().map(level_scale_8x8));
        self.matrix = Some(matrix.clone());
    }

    /// Scales of 4x4 blocks; `component` is 0 for Y, 1 for Cb, 2 for Cr.
    #[inline(always)]
    pub(super) fn of_4x4(&self, inter: bool, component: usize, qp: u8) -> &[i32; 16] {
        &self.scale_4x4[usize::from(inter) * 3 + component][usize::from(qp)]
    }

    /// Scales of 8x8 luma blocks.
    #[inline(always)]
    pub(super) fn of_8x8(&self, inter: bool, qp: u8) -> &[i32; 64] {
        &self.scale_8x8[usize::from(inter)][usize::from(qp)]
    }
}

fn level_scale_4x4(weight_scale: &[u8; 16]) -> LevelScale4x4 {
    let scale = |i: usize, qp: usize| i32::from(weight_scale[i]) * NORM_ADJUST_4X4[qp % 6][kind_4x4(i % 4, i / 4)];
    from_fn(|qp| from_fn(|i| scale(i, qp) << (qp / 6)))
}

fn level_scale_8x8(weight_scale: &[u8; 64]) -> LevelScale8x8 {
    let scale = |i: usize, qp: usize| i32::from(weight_scale[i]) * NORM_ADJUST_8X8[qp % 6][kind_8x8(i % 8, i / 8)];
    from_fn(|qp| from_fn(|i| scale(i, qp) << (qp / 6)))
}

fn kind_4x4(x: usize, y: usize) -> usize {
    match (x % 2, y % 2) {
        (0, 0) => 0,
        (1, 1) => 1,
        _ => 2,
    }
}

fn kind_8x8(x: usize, y: usize) -> usize {
    match (x % 4, y % 4) {
        (0, 0) => 0,
        (1 | 3, 1 | 3) => 1,
        (2, 2) => 2,
        (0, 1 | 3) | (1 | 3, 0) => 3,
        (0, 2) | (2, 0) => 4,
        _ => 5,
    }
}

/// `QP_C` by `qPI` from 30 on (table 8-15); below it is the same.
const QP_C: [i8; 22] = [
    29, 30, 31, 32, 32, 33, 34, 34, 35, 35, 36, 36, 37, 37, 37, 38, 38, 38, 39, 39, 39, 39,
];

/// `QP_C` of a macroblock (8.5.8), -`QpBdOffset_C` to 39.
#[inline(always)]
pub(super) fn chroma_qp(qp_y: i8, chroma_qp_index_offset: i8, qp_bd_offset: i8) -> i8 {
    let qp_i = (i32::from(qp_y) + i32::from(chroma_qp_index_offset)).clamp(-i32::from(qp_bd_offset), 51) as i8;
    match usize::try_from(qp_i - 30) {
        Err(_) => qp_i,
        Ok(i) => QP_C[i.min(21)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_visit_every_position_once() {
        for scan in [false, true].map(Scan::of) {
            let (mut by_4x4, mut by_8x8) = (scan.by_4x4, scan.by_8x8);
            by_4x4.sort_unstable();
            assert_eq!(by_4x4, from_fn(|i| i as u8));
            by_8x8.sort_unstable();
            assert_eq!(by_8x8, from_fn(|i| i as u8));
        }
    }

    #[test]
    fn every_step_of_a_zigzag_goes_to_a_neighbour() {
        for (zigzag, width) in [(&ZIGZAG_4X4[..], 4i32), (&ZIGZAG_8X8[..], 8)] {
            for pair in zigzag.windows(2) {
                let [a, b] = [i32::from(pair[0]), i32::from(pair[1])];
                let step = ((a % width - b % width).abs(), (a / width - b / width).abs());
                assert!(step.0 <= 1 && step.1 <= 1, "{pair:?}");
            }
        }
    }

    #[test]
    fn flat_lists_scale_by_sixteen_times_norm_adjust() {
        let table = level_scale_4x4(&[16; 16]);
        assert_eq!(table[0][..6], [160, 208, 160, 208, 208, 256]);
        assert_eq!(table[51][0], (14 * 16) << 8);
        let table = level_scale_8x8(&[16; 64]);
        assert_eq!(table[6][..3], [640, 608, 800]);
    }

    #[test]
    fn chroma_qp_saturates_at_39() {
        assert_eq!(chroma_qp(29, 0, 0), 29);
        assert_eq!(chroma_qp(30, 0, 0), 29);
        assert_eq!(chroma_qp(51, 12, 0), 39);
        assert_eq!(chroma_qp(3, -12, 0), 0);
        assert_eq!([chroma_qp(3, -12, 12), chroma_qp(-12, -12, 12)], [-9, -12]);
    }
}
