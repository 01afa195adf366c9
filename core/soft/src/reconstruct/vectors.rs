//! Motion vector prediction (8.4.1): the motion of a macroblock from its neighbours' and its syntax elements.

use super::direct::Direct;
use super::mbaff::MixedLeft;
use super::partition::{Area, Partitioning};
use super::picture::{MbContext, Picture, SliceContext};
use super::state::{Neighbours, picture_number};
use crate::macroblock::{Macroblock, MbType, Mv, PredMode, SubMbShape, SubMbType};
use crate::motion::MbMotion;
use crate::planes::Sample;

/// `refIdx` of what is not available, or not decoded yet.
const UNAVAILABLE: i8 = -2;
/// `refIdx` of intra macroblocks and unused lists.
const UNUSED: i8 = -1;

/// Motion of one list in a grid of 4x4 blocks: the macroblock, a column to its left and right, a row above.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    ref_idx: [i8; Self::PITCH * 5],
    mv: [Mv; Self::PITCH * 5],
    /// Neighbours D of the blocks of the left column, where those are not the neighbours A of the blocks above them:
    /// beside a mixed pair of an MBAFF frame.
    diagonal: Option<[Neighbour; 4]>,
}

/// `mvLXN` and `refIdxLXN` of a neighbouring partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Neighbour {
    pub ref_idx: i8,
    pub mv: Mv,
}

/// Which neighbour a 16x8 or 8x16 partition prefers (8.4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preferred {
    A,
    B,
    C,
    Median,
}

impl Grid {
    const PITCH: usize = 6;

    const fn place(x: usize, y: usize) -> usize {
        (y + 1) * Self::PITCH + x + 1
    }

    fn neighbour(&self, place: usize) -> Neighbour {
        Neighbour {
            ref_idx: self.ref_idx[place],
            mv: self.mv[place],
        }
    }

    /// Neighbouring partitions A, B and C, D standing in for C (8.4.1.3.2).
    pub(super) fn neighbours(&self, area: Area) -> [Neighbour; 3] {
        let place = Self::place(area.x, area.y);
        let above = place - Self::PITCH;
        let c = self.neighbour(above + area.width);
        let c = match self.diagonal {
            _ if c.ref_idx != UNAVAILABLE => c,
            Some(diagonal) if area.x == 0 => diagonal[area.y],
            _ => self.neighbour(above - 1),
        };
        [self.neighbour(place - 1), self.neighbour(above), c]
    }

    /// `mvpLX` (8.4.1.3).
    fn predict(&self, area: Area, ref_idx: i8, preferred: Preferred) -> Mv {
        let neighbours @ [a, b, c] = self.neighbours(area);
        match preferred {
            Preferred::A if a.ref_idx == ref_idx => a.mv,
            Preferred::B if b.ref_idx == ref_idx => b.mv,
            Preferred::C if c.ref_idx == ref_idx => c.mv,
            _ => median(neighbours, ref_idx),
        }
    }

    /// Vectors by 4x4 block and `refIdx` by 8x8 quarter of the macroblock.
    fn inside(&self) -> ([Mv; 16], [i8; 4]) {
        let mut mv = [Mv::default(); 16];
        for (y, row) in mv.chunks_exact_mut(4).enumerate() {
            let first = Self::place(0, y);
            row.copy_from_slice(&self.mv[first..first + 4]);
        }
        let ref_idx = [(0, 0), (2, 0), (0, 2), (2, 2)].map(|(x, y)| self.ref_idx[Self::place(x, y)]);
        (mv, ref_idx)
    }

    /// Gives the blocks of an area their motion.
    fn fill(&mut self, area: Area, ref_idx: i8, mv: Mv) {
        match area.width {
            4 => self.fill_columns::<4>(area, ref_idx, mv),
            2 => self.fill_columns::<2>(area, ref_idx, mv),
            _ => self.fill_columns::<1>(area, ref_idx, mv),
        }
    }

    #[inline(always)]
    fn fill_columns<const WIDTH: usize>(&mut self, area: Area, ref_idx: i8, mv: Mv) {
        for y in area.y..area.y + area.height {
            let first = Self::place(area.x, y);
            self.ref_idx[first..][..WIDTH].copy_from_slice(&[ref_idx; WIDTH]);
            self.mv[first..][..WIDTH].copy_from_slice(&[mv; WIDTH]);
        }
    }
}

/// Median luma motion vector prediction (8.4.1.3.1).
pub(super) fn median([a, b, c]: [Neighbour; 3], ref_idx: i8) -> Mv {
    if b.ref_idx == UNAVAILABLE && c.ref_idx == UNAVAILABLE && a.ref_idx != UNAVAILABLE {
        return a.mv;
    }
    match [a, b, c].map(|neighbour| neighbour.ref_idx == ref_idx) {
        [true, false, false] => a.mv,
        [false, true, false] => b.mv,
        [false, false, true] => c.mv,
        _ => Mv {
            x: median_of(a.mv.x, b.mv.x, c.mv.x),
            y: median_of(a.mv.y, b.mv.y, c.mv.y),
        },
    }
}

fn median_of(a: i16, b: i16, c: i16) -> i16 {
    a.max(b).min(a.min(b).max(c))
}

/// `mvd_l0` and `mvd_l1` that are still to come.
struct Mvds<'a>(&'a [Mv]);

impl Mvds<'_> {
    /// Adds the next one to a prediction.
    fn add_to(&mut self, prediction: Mv) -> Mv {
        let Some((mvd, rest)) = self.0.split_first() else {
            return prediction;
        };
        self.0 = rest;
        Mv {
            x: prediction.x.wrapping_add(mvd.x),
            y: prediction.y.wrapping_add(mvd.y),
        }
    }
}

/// Whether a prediction mode uses a list.
fn uses(mode: PredMode, list: usize) -> bool {
    match mode {
        PredMode::L0 => list == 0,
        PredMode::L1 => list == 1,
        PredMode::Bi => true,
    }
}

/// Macroblock and block of each neighbour that there is, and its place in a grid.
#[inline(always)]
fn for_each_around(at: &MbContext<'_>, mut take: impl FnMut(usize, usize, usize)) {
    let Neighbours { a, b, c, d, .. } = at.neighbours;
    if let Some(a) = a {
        (0..4).for_each(|i| take(a, i * 4 + 3, (i + 1) * Grid::PITCH));
    }
    if let Some(b) = b {
        (0..4).for_each(|i| take(b, 12 + i, i + 1));
    }
    if let Some(c) = c {
        take(c, 12, 5);
    }
    if let Some(d) = d {
        take(d, 15, 0);
    }
}

impl<S: Sample> Picture<'_, S> {
    /// Derives the motion of an inter macroblock; leaves it in the motion field and the macroblock's state too.
    pub(super) fn derive_motion(&mut self, at: &MbContext<'_>, slice: &SliceContext<'_>) -> (Partitioning, MbMotion) {
        let mut motion = MbMotion {
            slice: slice.number,
            field: at.mb.mb_field_decoding_flag,
            ..MbMotion::INTRA
        };
        let partitioning = match at.mb.mb_type {
            MbType::PSkip => {
                let mv = self.skip_vector(at);
                motion.mv[0] = [mv; 16];
                motion.ref_idx[0] = [0; 4];
                Partitioning::Whole
            }
            MbType::BSkip | MbType::Direct16x16 => {
                let direct = self.direct(at, slice);
                (motion.mv, motion.ref_idx) = (direct.mv, direct.ref_idx);
                direct.partitioning()
            }
            _ => self.coded_motion(at, slice, &mut motion),
        };
        let state = &mut self.state.macroblocks[at.mb_addr];
        (state.vertical_motion_edges, state.horizontal_motion_edges) = partitioning.motion_edges();
        for list in 0..2 {
            for (ref_pic, &ref_idx) in state.ref_pic[list].iter_mut().zip(&motion.ref_idx[list]) {
                if ref_idx >= 0 {
                    *ref_pic = picture_number(slice.lists.get(list, ref_idx).picture);
                }
            }
        }
        let inter_mode = if self.params.constrained_intra_pred_flag { -1 } else { 2 };
        (state.right_modes, state.bottom_modes) = ([inter_mode; 4], [inter_mode; 4]);
        *self.motion.get_mut(at.mb_addr) = motion;
        (partitioning, motion)
    }

    /// The motion around a macroblock, as a list sees it; the macroblock itself is still to be filled.
    pub(super) fn grid(&self, at: &MbContext<'_>, list: usize) -> Grid {
        let mut grid = Grid {
            ref_idx: [UNAVAILABLE; 30],
            mv: [Mv::default(); 30],
            diagonal: None,
        };
        for_each_around(at, |addr, from, to| {
            let motion = self.motion.get(addr);
            let (x, y) = (from % 4, from / 4);
            grid.ref_idx[to] = motion.ref_idx[list][y / 2 * 2 + x / 2];
            grid.mv[to] = motion.mv[list][from];
        });
        if self.params.structure.is_mbaff() {
            self.count_as(at, list, &mut grid);
        }
        grid
    }

    /// Fills a grid of an MBAFF frame with the motion around as a macroblock of this kind counts it.
    #[cold]
    fn count_as(&self, at: &MbContext<'_>, list: usize, grid: &mut Grid) {
        for_each_around(at, |addr, from, to| {
            let Neighbour { ref_idx, mv } = self.neighbour(at, list, addr, from);
            (grid.ref_idx[to], grid.mv[to]) = (ref_idx, mv);
        });
        if let Some(mixed) = at.neighbours.mixed_left {
            self.mix_left(at, list, mixed, grid);
        }
    }

    /// Puts the column beside a mixed pair of an MBAFF frame into a grid.
    fn mix_left(&self, at: &MbContext<'_>, list: usize, mixed: MixedLeft, grid: &mut Grid) {
        let of = |(addr, row): (usize, usize)| self.neighbour(at, list, addr, row * 4 + 3);
        for y in 0..4 {
            let place = Grid::place(0, y) - 1;
            Neighbour {
                ref_idx: grid.ref_idx[place],
                mv: grid.mv[place],
            } = of(mixed.at(y * 4));
        }
        let above_left = grid.neighbour(0);
        grid.diagonal = Some(std::array::from_fn(|y| mixed.diagonal(y).map_or(above_left, of)));
    }

    /// Motion of a 4x4 block of a neighbour as the current macroblock counts it (8.4.1.3.2): between frame and field
    /// macroblocks, vertical distances and indexes double or halve.
    #[inline(never)]
    fn neighbour(&self, at: &MbContext<'_>, list: usize, addr: usize, block: usize) -> Neighbour {
        let motion = self.motion.get(addr);
        let (ref_idx, mv) = (
            motion.ref_idx[list][block / 8 * 2 + block % 4 / 2],
            motion.mv[list][block],
        );
        match (at.mb.mb_field_decoding_flag, motion.field) {
            _ if ref_idx < 0 => Neighbour { ref_idx, mv },
            (true, false) => Neighbour {
                ref_idx: (ref_idx & 31) * 2,
                mv: Mv { y: mv.y / 2, ..mv },
            },
            (false, true) => Neighbour {
                ref_idx: ref_idx / 2,
                mv: Mv {
                    y: mv.y.wrapping_mul(2),
                    ..mv
                },
            },
            _ => Neighbour { ref_idx, mv },
        }
    }

    /// Motion vector of `P_Skip` (8.4.1.1).
    fn skip_vector(&self, at: &MbContext<'_>) -> Mv {
        let neighbours @ [a, b, _] = self.grid(at, 0).neighbours(Area::WHOLE);
        let still = Neighbour {
            ref_idx: 0,
            mv: Mv::default(),
        };
        let zero = [a, b].into_iter().any(|n| n.ref_idx == UNAVAILABLE || n == still);
        if zero { Mv::default() } else { median(neighbours, 0) }
    }

    /// Motion with vectors of its own.
    fn coded_motion(&self, at: &MbContext<'_>, slice: &SliceContext<'_>, motion: &mut MbMotion) -> Partitioning {
        let is_direct = |sub: &SubMbType| *sub == SubMbType::Direct;
        let any_direct = at.mb.mb_type == MbType::Inter8x8 && at.mb.sub_mb_type.iter().any(is_direct);
        let direct = any_direct.then(|| self.direct(at, slice));
        let mut mvds = Mvds(self.parsed.mvds.get(at.mb.mvds as usize..).unwrap_or_default());
        for list in 0..slice.list_count() {
            let mut coder = ListMotion {
                mb: at.mb,
                list,
                grid: self.grid(at, list),
            };
            match at.mb.mb_type {
                MbType::Inter16x8(modes) => coder.halves(Self::ROWS, modes, &mut mvds),
                MbType::Inter8x16(modes) => coder.halves(Self::COLUMNS, modes, &mut mvds),
                MbType::Inter16x16(mode) => coder.part(Area::WHOLE, mode, Preferred::Median, &mut mvds),
                _ => coder.quarters(direct.as_ref(), &mut mvds),
            }
            (motion.mv[list], motion.ref_idx[list]) = coder.grid.inside();
        }
        match at.mb.mb_type {
            MbType::Inter16x8(_) => Partitioning::Rows,
            MbType::Inter8x16(_) => Partitioning::Columns,
            MbType::Inter8x8 => Partitioning::Quarters(std::array::from_fn(|i| match at.mb.sub_mb_type[i] {
                SubMbType::Inter(shape, _) => shape,
                SubMbType::Direct => direct.as_ref().map_or(SubMbShape::S8x8, |direct| direct.shape(i)),
            })),
            _ => Partitioning::Whole,
        }
    }

    /// The 16x8 partitions and the neighbours that they prefer.
    const ROWS: [(Area, Preferred); 2] = [
        (
            Area {
                x: 0,
                y: 0,
                width: 4,
                height: 2,
            },
            Preferred::B,
        ),
        (
            Area {
                x: 0,
                y: 2,
                width: 4,
                height: 2,
            },
            Preferred::A,
        ),
    ];

    /// The 8x16 partitions and the neighbours that they prefer.
    const COLUMNS: [(Area, Preferred); 2] = [
        (
            Area {
                x: 0,
                y: 0,
                width: 2,
                height: 4,
            },
            Preferred::A,
        ),
        (
            Area {
                x: 2,
                y: 0,
                width: 2,
                height: 4,
            },
            Preferred::C,
        ),
    ];
}

/// Derives the motion of one list of a macroblock, part by part in decoding order.
struct ListMotion<'a> {
    mb: &'a Macroblock,
    list: usize,
    grid: Grid,
}

impl ListMotion<'_> {
    fn halves(&mut self, areas: [(Area, Preferred); 2], modes: [PredMode; 2], mvds: &mut Mvds<'_>) {
        for ((area, preferred), mode) in areas.into_iter().zip(modes) {
            self.part(area, mode, preferred, mvds);
        }
    }

    fn quarters(&mut self, direct: Option<&Direct>, mvds: &mut Mvds<'_>) {
        for (i, sub_mb_type) in self.mb.sub_mb_type.into_iter().enumerate() {
            match (sub_mb_type, direct) {
                (SubMbType::Inter(shape, mode), _) => {
                    for area in Area::parts(i, shape) {
                        self.part(area, mode, Preferred::Median, mvds);
                    }
                }
                (SubMbType::Direct, Some(direct)) => {
                    for area in Area::parts(i, SubMbShape::S4x4) {
                        let mv = direct.mv[self.list][area.y * 4 + area.x];
                        self.grid.fill(area, direct.ref_idx[self.list][i], mv);
                    }
                }
                (SubMbType::Direct, None) => {}
            }
        }
    }

    fn part(&mut self, area: Area, mode: PredMode, preferred: Preferred, mvds: &mut Mvds<'_>) {
        if !uses(mode, self.list) {
            self.grid.fill(area, UNUSED, Mv::default());
            return;
        }
        let ref_idx = self.mb.ref_idx[self.list][area.y / 2 * 2 + area.x / 2].clamp(0, 31);
        let prediction = self.grid.predict(area, ref_idx, preferred);
        self.grid.fill(area, ref_idx, mvds.add_to(prediction));
    }
}

#[cfg(test)]
mod tests;
