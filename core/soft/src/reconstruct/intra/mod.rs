//! Intra macroblocks (8.3): derivation of the modes, prediction and residual, block by block.

mod predict;

use std::array::from_fn;

use super::picture::{MbContext, Picture};
use super::residual::{Scales, add_chroma, add_luma_4x4, add_luma_4x4_with_dc, add_luma_8x8, luma_dc};
use super::state::MbState;
use crate::macroblock::{MbType, block};
use crate::motion::MbMotion;
use crate::picture::ChromaFormat;
use crate::planes::Sample;
use predict::{Border, ChromaBorder, LumaBorder, Mode, predict, predict_16x16, predict_chroma};

/// Place of each 4x4 block in its macroblock, in blocks, by `luma4x4BlkIdx` (6.4.3).
const BLOCKS: [(usize, usize); 16] = [
    (0, 0),
    (1, 0),
    (0, 1),
    (1, 1),
    (2, 0),
    (3, 0),
    (2, 1),
    (3, 1),
    (0, 2),
    (1, 2),
    (0, 3),
    (1, 3),
    (2, 2),
    (3, 2),
    (2, 3),
    (3, 3),
];

/// Neighbours whose samples may be used (with `constrained_intra_pred_flag` only those of intra macroblocks).
#[derive(Clone, Copy)]
struct Usable {
    left: bool,
    above: bool,
    above_right: bool,
    corner: bool,
}

impl<'a, S: Sample> Picture<'a, S> {
    /// Reconstructs an intra macroblock.
    pub(super) fn intra(&mut self, at: MbContext<'a>) {
        self.state.macroblocks[at.mb_addr].intra = true;
        *self.motion.get_mut(at.mb_addr) = MbMotion::INTRA;
        let usable = self.usable(&at);
        let mut at = at;
        match at.mb.mb_type {
            MbType::IPcm => return self.pcm(at),
            MbType::I16x16 { pred_mode } => self.intra_16x16(&mut at, pred_mode, usable),
            _ if at.mb.transform_size_8x8_flag => self.intra_nxn::<8>(&mut at, usable),
            _ => self.intra_nxn::<4>(&mut at, usable),
        }
        if self.params.chroma_format != ChromaFormat::Monochrome {
            self.intra_chroma(&at, usable);
        }
    }

    fn usable(&self, at: &MbContext<'_>) -> Usable {
        let constrained = self.params.constrained_intra_pred_flag;
        let is = |addr: Option<usize>| addr.is_some_and(|addr| !constrained || self.state.macroblocks[addr].intra);
        let n = at.neighbours;
        Usable {
            left: is(n.a),
            above: is(n.b),
            above_right: is(n.c),
            corner: is(n.d),
        }
    }

    /// `I_PCM` (8.3.5).
    fn pcm(&mut self, mut at: MbContext<'_>) {
        let state = &mut self.state.macroblocks[at.mb_addr];
        (state.right_modes, state.bottom_modes) = ([2; 4], [2; 4]);
        let luma = at.levels.take(256);
        let plane = self.target.luma.from(at.y * self.target.luma.pitch + at.x);
        for (row, samples) in plane.data.chunks_mut(plane.pitch).zip(luma.chunks(16)) {
            for (out, sample) in row.iter_mut().zip(samples) {
                *out = S::clip(sample.0);
            }
        }
        if self.params.chroma_format == ChromaFormat::Monochrome {
            return;
        }
        let components = [at.levels.take(64), at.levels.take(64)];
        let plane = self.target.chroma.from(at.y / 2 * self.target.chroma.pitch + at.x);
        for (y, row) in plane.data.chunks_mut(plane.pitch).take(8).enumerate() {
            for (i, out) in row[..16].iter_mut().enumerate() {
                if let Some(sample) = components[i % 2].get(y * 8 + i / 2) {
                    *out = S::clip(sample.0);
                }
            }
        }
    }

    fn intra_16x16(&mut self, at: &mut MbContext<'_>, pred_mode: u8, usable: Usable) {
        let state = &mut self.state.macroblocks[at.mb_addr];
        (state.right_modes, state.bottom_modes) = ([2; 4], [2; 4]);
        let border = self.luma_border(at, usable);
        let pitch = self.target.luma.pitch;
        let origin = at.y * pitch + at.x;
        predict_16x16(pred_mode, &border, self.target.luma.from(origin));
        let scale = self.scale.of_4x4(false, 0, at.qp[0]);
        let dc = luma_dc(at.levels.block(at.mb, block::LUMA_DC), scale);
        for (i, (x, y)) in BLOCKS.into_iter().enumerate() {
            let levels = at.levels.block(at.mb, block::LUMA + i);
            let dst = self.target.luma.from(origin + y * 4 * pitch + x * 4);
            add_luma_4x4_with_dc(dst, dc[y * 4 + x], levels, scale);
        }
    }

    /// `I_NxN` with blocks of 4x4 or 8x8 (8.3.1, 8.3.2).
    fn intra_nxn<const N: usize>(&mut self, at: &mut MbContext<'_>, usable: Usable) {
        let mut modes = Modes::new(self.neighbour_modes(at));
        let pitch = self.target.luma.pitch;
        let origin = at.y * pitch + at.x;
        let scales = Scales::luma(self.scale, false, at.qp[0]);
        for i in (0..16).step_by(N * N / 16) {
            let (x, y) = BLOCKS[i];
            let mode = modes.derive::<N>(x, y, at.mb.intra_pred_mode[i]);
            let border = self.block_border::<N>(at, (x, y), usable);
            let place = origin + y * 4 * pitch + x * 4;
            predict::<S, N>(mode, &border, self.target.luma.from(place));
            let dst = self.target.luma.from(place);
            if N == 8 {
                let count = at.mb.total_coeff[i..i + 4]
                    .iter()
                    .map(|&count| usize::from(count))
                    .sum();
                add_luma_8x8(dst, at.levels.take(count), scales.by_8x8);
            } else {
                add_luma_4x4(dst, at.levels.block(at.mb, block::LUMA + i), scales.by_4x4);
            }
        }
        let state = &mut self.state.macroblocks[at.mb_addr];
        state.right_modes = from_fn(|y| modes.at(3, y));
        state.bottom_modes = from_fn(|x| modes.at(x, 3));
    }

    /// What the left and the upper neighbour say about modes: -1 makes `dcPredModePredictedFlag` (8.3.1.1).
    fn neighbour_modes(&self, at: &MbContext<'_>) -> [[i8; 4]; 2] {
        let inter = if self.params.constrained_intra_pred_flag { -1 } else { 2 };
        let of =
            |addr: Option<usize>, side: fn(&MbState) -> [i8; 4]| match addr.map(|addr| self.state.macroblocks[addr]) {
                None => [-1; 4],
                Some(state) if state.intra => side(&state),
                Some(_) => [inter; 4],
            };
        [
            of(at.neighbours.a, |state| state.right_modes),
            of(at.neighbours.b, |state| state.bottom_modes),
        ]
    }

    /// The samples around a block; blocks of the first row look into the line kept from the row above.
    fn block_border<const N: usize>(&self, at: &MbContext<'_>, block: (usize, usize), usable: Usable) -> Border<S> {
        let (x, y) = (at.x + block.0 * 4, at.y + block.1 * 4);
        let (plane, pitch) = (&*self.target.luma.data, self.target.luma.pitch);
        let first_row = block.1 == 0;
        let mut border = Border::new();
        border.left = block.0 > 0 || usable.left;
        border.above = !first_row || usable.above;
        if border.left {
            for i in 0..N {
                border.samples[N - 1 - i] = plane[(y + i) * pitch + x - 1];
            }
        }
        let above: &[S] = match first_row {
            true => self.state.above_luma(),
            false => &plane[(y - 1) * pitch..],
        };
        let corner = match (block.0 == 0, first_row) {
            (true, true) => usable.corner,
            (true, false) => usable.left,
            (false, true) => usable.above,
            (false, false) => true,
        };
        if corner {
            border.samples[N] = above[x - 1];
        }
        if border.above {
            let right = above_right_is_usable::<N>(block, usable);
            border.samples[N + 1..2 * N + 1].copy_from_slice(&above[x..x + N]);
            match right {
                true => border.samples[2 * N + 1..3 * N + 1].copy_from_slice(&above[x + N..x + 2 * N]),
                false => border.samples[2 * N + 1..3 * N + 1].fill(above[x + N - 1]),
            }
        }
        if N == 8 { border.filtered_8x8(corner) } else { border }
    }

    fn luma_border(&self, at: &MbContext<'_>, usable: Usable) -> LumaBorder<S> {
        let (plane, pitch) = (&*self.target.luma.data, self.target.luma.pitch);
        let above = self.state.above_luma();
        LumaBorder {
            left: usable.left.then(|| from_fn(|y| [plane[(at.y + y) * pitch + at.x - 1]])),
            above: usable.above.then(|| from_fn(|x| above[at.x + x])),
            corner: [if usable.corner {
                above[at.x - 1]
            } else {
                S::from_value(S::GREY)
            }],
        }
    }

    fn intra_chroma(&mut self, at: &MbContext<'_>, usable: Usable) {
        let (plane, pitch) = (&*self.target.chroma.data, self.target.chroma.pitch);
        let above = self.state.above_chroma();
        let origin = at.y / 2 * pitch + at.x;
        let border = ChromaBorder {
            left: usable
                .left
                .then(|| from_fn(|y| from_fn(|i| plane[origin + y * pitch - 2 + i]))),
            above: usable.above.then(|| from_fn(|x| above[at.x + x])),
            corner: match usable.corner {
                true => [above[at.x - 2], above[at.x - 1]],
                false => [S::from_value(S::GREY); 2],
            },
        };
        predict_chroma(at.mb.intra_chroma_pred_mode, &border, self.target.chroma.from(origin));
        self.add_chroma_residual(at, false);
    }

    /// Adds what the macroblock has of chroma residual; its luma levels have been taken.
    pub(super) fn add_chroma_residual(&mut self, at: &MbContext<'_>, inter: bool) {
        if at.mb.coded_block_pattern >> 4 == 0 {
            return;
        }
        let [_, cb, cr] = at.qp;
        let scales = [self.scale.of_4x4(inter, 1, cb), self.scale.of_4x4(inter, 2, cr)];
        let origin = at.y / 2 * self.target.chroma.pitch + at.x;
        add_chroma(self.target.chroma.from(origin), at.mb, at.levels, scales);
    }
}

/// Whether the samples above and to the right of a block were decoded before it.
fn above_right_is_usable<const N: usize>(block: (usize, usize), usable: Usable) -> bool {
    match (block, N) {
        ((2, 0), 8) | ((3, 0), 4) => usable.above_right,
        ((_, 0), _) => usable.above,
        ((2, _), 8) | ((3, _), 4) => false,
        ((1, 1 | 3), 4) => false,
        _ => true,
    }
}

/// Modes of the blocks of a macroblock and its neighbours, in a grid of 4x4 blocks with a column and a row more.
struct Modes([[i8; 5]; 5]);

impl Modes {
    fn new([left, above]: [[i8; 4]; 2]) -> Self {
        let mut grid = [[-1; 5]; 5];
        grid[0][1..].copy_from_slice(&above);
        for (row, mode) in grid[1..].iter_mut().zip(left) {
            row[0] = mode;
        }
        Self(grid)
    }

    fn at(&self, x: usize, y: usize) -> i8 {
        self.0[y + 1][x + 1]
    }

    /// `Intra4x4PredMode` or `Intra8x8PredMode` of a block (8.3.1.1, 8.3.2.1); `coded` is as in
    /// [`intra_pred_mode`](crate::macroblock::Macroblock::intra_pred_mode).
    fn derive<const N: usize>(&mut self, x: usize, y: usize, coded: u8) -> Mode {
        let neighbours = self.0[y + 1][x].min(self.0[y][x + 1]);
        let predicted = if neighbours < 0 { 2 } else { neighbours };
        let mode = match coded.checked_sub(1).map(|rem| (rem & 7) as i8) {
            None => predicted,
            Some(rem) if rem < predicted => rem,
            Some(rem) => rem + 1,
        };
        for row in &mut self.0[y + 1..=y + N / 4] {
            row[x + 1..=x + N / 4].fill(mode);
        }
        Mode::from_number(mode)
    }
}
