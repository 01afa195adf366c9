//! Intra macroblocks (8.3): derivation of the modes, prediction and residual, block by block.

mod predict;

use std::array::from_fn;

use super::mbaff::MixedLeft;
use super::picture::{MbContext, Picture};
use super::residual::{
    ChromaScaling, Scaling4x4, Scaling8x8, add_chroma, add_luma_4x4, add_luma_4x4_with_dc, add_luma_8x8, luma_dc,
};
use super::state::MbState;
use crate::macroblock::{MbType, block};
use crate::motion::MbMotion;
use crate::picture::ChromaFormat;
use crate::planes::{PlaneMut, Sample};
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
    /// Of the upper and of the lower half: beside a mixed pair of an MBAFF frame they may differ.
    left: [bool; 2],
    above: bool,
    above_right: bool,
    corner: bool,
}

impl Usable {
    /// All of the left column.
    fn whole_left(&self) -> bool {
        self.left == [true; 2]
    }
}

impl<'a, S: Sample> Picture<'a, S> {
    /// Reconstructs an intra macroblock.
    pub(super) fn intra(&mut self, at: &mut MbContext<'a>) {
        self.state.macroblocks[at.mb_addr].intra = true;
        *self.motion.get_mut(at.mb_addr) = MbMotion {
            field: at.mb.mb_field_decoding_flag,
            ..MbMotion::INTRA
        };
        let usable = self.usable(at);
        match at.mb.mb_type {
            MbType::IPcm => return self.pcm(at),
            MbType::I16x16 { pred_mode } => self.intra_16x16(at, pred_mode, usable),
            _ if at.mb.transform_size_8x8_flag => self.intra_nxn::<8>(at, usable),
            _ => self.intra_nxn::<4>(at, usable),
        }
        match self.params.chroma_format {
            ChromaFormat::Monochrome => {}
            ChromaFormat::Yuv420 => self.intra_chroma::<8>(at, usable),
            ChromaFormat::Yuv422 => self.intra_chroma::<16>(at, usable),
        }
    }

    fn usable(&self, at: &MbContext<'_>) -> Usable {
        let constrained = self.params.constrained_intra_pred_flag;
        let is = |addr: Option<usize>| addr.is_some_and(|addr| !constrained || self.state.macroblocks[addr].intra);
        let n = at.neighbours;
        let left = match n.mixed_left {
            None => [is(n.a); 2],
            // The rows of the halves of a field macroblock are those of one macroblock each, else those of both.
            Some(MixedLeft { top, current }) => match [is(Some(top)), is(Some(top + 1))] {
                halves if current.is_field => halves,
                [upper, lower] => [upper && lower; 2],
            },
        };
        Usable {
            left,
            above: is(n.b),
            above_right: is(n.c),
            corner: is(n.d),
        }
    }

    /// `I_PCM` (8.3.5).
    fn pcm(&mut self, at: &mut MbContext<'_>) {
        let state = &mut self.state.macroblocks[at.mb_addr];
        (state.right_modes, state.bottom_modes) = ([2; 4], [2; 4]);
        let luma = at.levels.take(256);
        let plane = self.luma_from(&at.place, at.place.luma_at);
        for (row, samples) in plane.data.chunks_mut(plane.pitch).zip(luma.chunks(16)) {
            for (out, sample) in row.iter_mut().zip(samples) {
                *out = S::clip(sample.0);
            }
        }
        if self.params.chroma_format == ChromaFormat::Monochrome {
            return;
        }
        let rows = at.place.mb_height_c;
        let components = [at.levels.take(rows * 8), at.levels.take(rows * 8)];
        let plane = self.chroma_from(&at.place, at.place.chroma_at);
        for (y, row) in plane.data.chunks_mut(plane.pitch).take(rows).enumerate() {
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
        let (pitch, origin) = (at.place.luma_pitch, at.place.luma_at);
        predict_16x16(pred_mode, &border, self.luma_from(&at.place, origin));
        let scaling = Scaling4x4::new(self.scale, at.scan, false, 0, at.qp[0]);
        let dc = luma_dc(at.levels.block(at.mb, block::LUMA_DC), scaling);
        for (i, (x, y)) in BLOCKS.into_iter().enumerate() {
            let levels = at.levels.block(at.mb, block::LUMA + i);
            let dst = self.luma_from(&at.place, origin + y * 4 * pitch + x * 4);
            add_luma_4x4_with_dc(dst, dc[y * 4 + x], levels, scaling);
        }
    }

    /// `I_NxN` with blocks of 4x4 or 8x8 (8.3.1, 8.3.2).
    fn intra_nxn<const N: usize>(&mut self, at: &mut MbContext<'_>, usable: Usable) {
        let mut modes = Modes::new(self.neighbour_modes(at));
        let (pitch, origin) = (at.place.luma_pitch, at.place.luma_at);
        let by_4x4 = Scaling4x4::new(self.scale, at.scan, false, 0, at.qp[0]);
        let by_8x8 = Scaling8x8::new(self.scale, at.scan, false, at.qp[0]);
        for i in (0..16).step_by(N * N / 16) {
            let (x, y) = BLOCKS[i];
            let mode = modes.derive::<N>(x, y, at.mb.intra_pred_mode[i]);
            let border = self.block_border::<N>(at, (x, y), usable);
            let place = origin + y * 4 * pitch + x * 4;
            predict::<S, N>(mode, &border, self.luma_from(&at.place, place));
            let dst = self.luma_from(&at.place, place);
            if N == 8 {
                let count = at.mb.total_coeff[i..i + 4]
                    .iter()
                    .map(|&count| usize::from(count))
                    .sum();
                add_luma_8x8(dst, at.levels.take(count), by_8x8);
            } else {
                add_luma_4x4(dst, at.levels.block(at.mb, block::LUMA + i), by_4x4);
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
        let left = match at.neighbours.mixed_left {
            None => of(at.neighbours.a, |state| state.right_modes),
            Some(mixed) => from_fn(|y| {
                let (addr, row) = mixed.at(y * 4);
                of(Some(addr), |state| state.right_modes)[row]
            }),
        };
        [left, of(at.neighbours.b, |state| state.bottom_modes)]
    }

    /// The luma row above a macroblock before deblocking, from the left edge of the picture on.
    fn luma_above(&self, at: &MbContext<'_>) -> &[S] {
        match self.params.structure.is_mbaff() {
            true => row_above(&self.target.luma, at.place.luma_at, at.place.luma_pitch, at.place.x),
            false => self.state.above_luma(),
        }
    }

    /// The same of chroma.
    fn chroma_above(&self, at: &MbContext<'_>) -> &[S] {
        match self.params.structure.is_mbaff() {
            true => row_above(
                &self.target.chroma,
                at.place.chroma_at,
                at.place.chroma_pitch,
                at.place.x,
            ),
            false => self.state.above_chroma(),
        }
    }

    /// The samples around a block; blocks of the first row look into the row above the macroblock.
    fn block_border<const N: usize>(&self, at: &MbContext<'_>, block: (usize, usize), usable: Usable) -> Border<S> {
        let x = at.place.x + block.0 * 4;
        let (plane, pitch) = (&*self.target.luma.data, at.place.luma_pitch);
        let origin = at.place.luma_at + block.1 * 4 * pitch + block.0 * 4;
        let first_row = block.1 == 0;
        let mut border = Border::new();
        border.left = block.0 > 0 || usable.left[block.1 / 2];
        border.above = !first_row || usable.above;
        if border.left {
            for i in 0..N {
                border.samples[N - 1 - i] = plane[origin + i * pitch - 1];
            }
        }
        let above: &[S] = match first_row {
            true => self.luma_above(at),
            false => &plane[origin - pitch - x..],
        };
        let corner = match (block.0 == 0, first_row) {
            (true, true) => usable.corner,
            (true, false) => usable.left[(block.1 - 1) / 2],
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
        let (plane, pitch, origin) = (&*self.target.luma.data, at.place.luma_pitch, at.place.luma_at);
        let above = self.luma_above(at);
        LumaBorder {
            left: usable
                .whole_left()
                .then(|| from_fn(|y| [plane[origin + y * pitch - 1]])),
            left_halves: usable.left,
            above: usable.above.then(|| from_fn(|x| above[at.place.x + x])),
            corner: [if usable.corner {
                above[at.place.x - 1]
            } else {
                S::from_value(S::GREY)
            }],
        }
    }

    /// `ROWS` is `MbHeightC`.
    fn intra_chroma<const ROWS: usize>(&mut self, at: &MbContext<'_>, usable: Usable) {
        let (plane, pitch, origin) = (&*self.target.chroma.data, at.place.chroma_pitch, at.place.chroma_at);
        let above = self.chroma_above(at);
        let any_left = usable.left != [false; 2];
        let border = ChromaBorder::<S, ROWS> {
            left: any_left.then(|| from_fn(|y| from_fn(|i| plane[origin + y * pitch - 2 + i]))),
            left_halves: usable.left,
            above: usable.above.then(|| from_fn(|x| above[at.place.x + x])),
            corner: match usable.corner {
                true => [above[at.place.x - 2], above[at.place.x - 1]],
                false => [S::from_value(S::GREY); 2],
            },
        };
        predict_chroma(
            at.mb.intra_chroma_pred_mode,
            &border,
            self.chroma_from(&at.place, origin),
        );
        self.add_chroma_residual(at, false);
    }

    /// Adds what the macroblock has of chroma residual; its luma levels have been taken.
    pub(super) fn add_chroma_residual(&mut self, at: &MbContext<'_>, inter: bool) {
        if at.mb.coded_block_pattern >> 4 == 0 {
            return;
        }
        let [_, cb, cr] = at.qp;
        let format = self.params.chroma_format;
        let scaling = ChromaScaling::new(format, self.scale, at.scan, inter, [cb, cr]);
        let dst = self.chroma_from(&at.place, at.place.chroma_at);
        add_chroma(dst, format, at.mb, at.levels, &scaling);
    }
}

/// The row above the sample at `at`, from the left edge of the picture on; nothing where there is none.
fn row_above<'a, S>(plane: &'a PlaneMut<'_, S>, at: usize, pitch: usize, x: usize) -> &'a [S] {
    let row = at.checked_sub(pitch + x);
    row.and_then(|row| plane.data.get(row..)).unwrap_or_default()
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
