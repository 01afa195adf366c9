//! The deblocking filter (8.7): which edges, how strongly; `mbaff` has the edges between frame and field macroblocks.

mod mbaff;

pub(super) use mbaff::frame as mbaff_frame;

use super::picture::{MbPlace, Picture};
use super::state::{MbState, NO_SLICE, SliceState};
use crate::MotionField;
use crate::macroblock::Mv;
use crate::motion::MbMotion;
use crate::picture::ChromaFormat;
use crate::planes::{FrameMut, PlaneMut, Sample};
use crate::simd::{Edge, EdgeFilter, Strength};

/// `alpha'` by `indexA` (table 8-16).
const ALPHA: [u8; 52] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 17, 20, 22, 25, 28, 32, 36,
    40, 45, 50, 56, 63, 71, 80, 90, 101, 113, 127, 144, 162, 182, 203, 226, 255, 255,
];

/// `beta'` by `indexB` (table 8-16).
const BETA: [u8; 52] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11,
    11, 12, 12, 13, 13, 14, 14, 15, 15, 16, 16, 17, 17, 18, 18,
];

/// `t'C0` by `indexA` and `bS` 1 to 3 (table 8-17); -1 for `bS` 0.
const TC0: [[i16; 4]; 52] = {
    let of_strength: [[u8; 52]; 3] = [
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
            2, 3, 3, 3, 4, 4, 4, 5, 6, 6, 7, 8, 9, 10, 11, 13,
        ],
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3,
            3, 3, 4, 4, 5, 5, 6, 7, 8, 8, 10, 11, 12, 13, 15, 17,
        ],
        [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4,
            4, 5, 6, 6, 7, 8, 9, 10, 11, 13, 14, 16, 18, 20, 23, 25,
        ],
    ];
    let mut table = [[-1; 4]; 52];
    let mut i = 0;
    while i < 52 {
        table[i] = [
            -1,
            of_strength[0][i] as i16,
            of_strength[1][i] as i16,
            of_strength[2][i] as i16,
        ];
        i += 1;
    }
    table
};

/// `bS` of the four 4-sample parts of an edge.
type BoundaryStrengths = [u8; 4];

/// A macroblock on one side of an edge.
#[derive(Clone, Copy)]
struct Side<'a> {
    state: &'a MbState,
    motion: &'a MbMotion,
}

/// Deblocks the macroblocks of a row, left to right.
pub(super) fn row<S: Sample>(picture: &mut Picture<'_, S>, mb_y: usize) {
    let width = picture.state.width_in_mbs;
    for mb_x in 0..width {
        let mb_addr = mb_y * width + mb_x;
        let place = picture.place(mb_addr, false);
        let Some((mut mb, around)) = Deblocked::new(picture, mb_addr, place) else {
            continue;
        };
        let left = (mb_x > 0).then(|| mb_addr - 1);
        let above = mb_addr.checked_sub(width);
        for (edge, neighbour) in [(Edge::Vertical, left), (Edge::Horizontal, above)] {
            if let Some(neighbour) = neighbour.and_then(|addr| around.neighbour(addr)) {
                mb.outer_edge(edge, neighbour);
            }
            mb.inner_edges(edge);
        }
    }
}

/// The other macroblocks of the picture, as the filter of one sees them.
struct Around<'a> {
    macroblocks: &'a [MbState],
    motion: &'a MotionField,
    slice: u32,
    disable_deblocking_filter_idc: u8,
}

impl<'a> Around<'a> {
    /// A neighbour, if the edge to it is filtered.
    #[inline(always)]
    fn neighbour(&self, mb_addr: usize) -> Option<Side<'a>> {
        let state = &self.macroblocks[mb_addr];
        let filters = match self.disable_deblocking_filter_idc {
            2 => state.slice == self.slice,
            _ => state.slice != NO_SLICE,
        };
        filters.then(|| Side {
            state,
            motion: self.motion.get(mb_addr),
        })
    }
}

/// The macroblock whose edges are filtered.
struct Deblocked<'a, 'f, S> {
    target: &'a mut FrameMut<'f, S>,
    place: MbPlace,
    chroma_format: ChromaFormat,
    current: Side<'a>,
    slice: &'a SliceState,
    /// Of the edges inside, once somebody has asked.
    inside: Option<[Thresholds; 3]>,
}

impl<'a, 'f, S: Sample> Deblocked<'a, 'f, S> {
    /// A macroblock of the picture and what is around it; `None` = it is not filtered.
    #[inline(always)]
    fn new(picture: &'a mut Picture<'f, S>, mb_addr: usize, place: MbPlace) -> Option<(Self, Around<'a>)> {
        let Picture {
            target,
            state,
            motion,
            params,
            ..
        } = picture;
        let current = Side {
            state: &state.macroblocks[mb_addr],
            motion: motion.get(mb_addr),
        };
        let slice = state.slices.get(current.state.slice as usize)?;
        if slice.disable_deblocking_filter_idc == 1 {
            return None;
        }
        let around = Around {
            macroblocks: &state.macroblocks,
            motion,
            slice: current.state.slice,
            disable_deblocking_filter_idc: slice.disable_deblocking_filter_idc,
        };
        let mb = Self {
            target,
            place,
            chroma_format: params.chroma_format,
            current,
            slice,
            inside: None,
        };
        Some((mb, around))
    }

    /// Of Y, Cb and Cr at the edge to a neighbour, or inside.
    fn thresholds(&mut self, neighbour: &MbState) -> [Thresholds; 3] {
        let (state, slice) = (self.current.state, self.slice);
        match neighbour.qp == state.qp {
            true => *self
                .inside
                .get_or_insert_with(|| Thresholds::between::<S>(state, state, slice)),
            false => Thresholds::between::<S>(neighbour, state, slice),
        }
    }

    /// Vectors of rows of a field differ by a sample of the frame when they differ by half a sample of the field.
    fn limit(&self) -> MvLimit {
        MvLimit(if self.place.parity.is_some() { 2 } else { 4 })
    }

    /// Filters the edge to a macroblock of the same kind.
    fn outer_edge(&mut self, edge: Edge, neighbour: Side<'_>) {
        let state = self.current.state;
        let strengths = match neighbour.state.intra || state.intra {
            true if edge == Edge::Horizontal && self.place.parity.is_some() => [3; 4],
            true => [4; 4],
            false => outer_strengths(edge, neighbour, self.current, self.limit()),
        };
        if strengths != [0; 4] {
            let thresholds = self.thresholds(neighbour.state);
            self.filter(edge, 0, &thresholds, strengths);
        }
    }

    /// Filters the edges inside.
    fn inner_edges(&mut self, edge: Edge) {
        let state = self.current.state;
        let motion_edges = match edge {
            Edge::Vertical => state.vertical_motion_edges,
            Edge::Horizontal => state.horizontal_motion_edges,
        };
        if !state.intra && state.coded_blocks == 0 && motion_edges == 0 {
            return;
        }
        let thresholds = self.thresholds(state);
        // Rows of blocks of 4:2:2 chroma are as far apart as those of 4x4 luma, whatever the luma transform.
        let chroma_alone = edge == Edge::Horizontal && self.chroma_format == ChromaFormat::Yuv422;
        let step = if state.transform_size_8x8_flag && !chroma_alone {
            2
        } else {
            1
        };
        let limit = self.limit();
        for i in (step..4).step_by(step) {
            let strengths = match state.intra {
                true => [3; 4],
                false => inner_strengths(edge, i, self.current, motion_edges >> i & 1 != 0, limit),
            };
            if strengths != [0; 4] {
                self.filter(edge, i, &thresholds, strengths);
            }
        }
    }

    /// Filters edge `i` of luma, and of chroma if it is one of chroma too.
    fn filter(&mut self, edge: Edge, i: usize, thresholds: &[Thresholds; 3], strengths: BoundaryStrengths) {
        let [y, cb, cr] = thresholds;
        let place = &self.place;
        let is_of_luma = i.is_multiple_of(2) || !self.current.state.transform_size_8x8_flag;
        if let Some(filter) = edge_filter(y, y, strengths).filter(|_| is_of_luma) {
            let offset = match edge {
                Edge::Vertical => i * 4,
                Edge::Horizontal => i * 4 * place.luma_pitch,
            };
            let plane = PlaneMut::new(&mut *self.target.luma.data, place.luma_pitch);
            S::deblock_luma(edge, plane, place.luma_at + offset, &filter);
        }
        let (is_of_chroma, row) = match self.chroma_format {
            ChromaFormat::Monochrome => (false, 0),
            ChromaFormat::Yuv420 => (i.is_multiple_of(2), i * 2),
            ChromaFormat::Yuv422 => (edge == Edge::Horizontal || i.is_multiple_of(2), i * 4),
        };
        let Some(filter) = is_of_chroma.then(|| edge_filter(cb, cr, strengths)).flatten() else {
            return;
        };
        let mut plane = PlaneMut::new(&mut *self.target.chroma.data, place.chroma_pitch);
        match (edge, self.chroma_format) {
            (Edge::Horizontal, _) => {
                S::deblock_chroma(edge, plane, place.chroma_at + row * place.chroma_pitch, &filter);
            }
            // 16 rows.
            (Edge::Vertical, ChromaFormat::Yuv422) => {
                for half in 0..2 {
                    let at = place.chroma_at + half * 8 * place.chroma_pitch + i * 4;
                    S::deblock_chroma(edge, plane.from(0), at, &filter.half(half));
                }
            }
            (Edge::Vertical, _) => S::deblock_chroma(edge, plane, place.chroma_at + i * 4, &filter),
        }
    }
}

/// What the tables say for `indexA` and `indexB` of one component (8.7.2.2).
#[derive(Clone, Copy)]
struct Thresholds {
    alpha: i16,
    beta: i16,
    tc0: [i16; 4],
}

impl Thresholds {
    /// Of Y, Cb and Cr between two macroblocks.
    fn between<S: Sample>(p: &MbState, q: &MbState, slice: &SliceState) -> [Self; 3] {
        std::array::from_fn(|i| Self::new::<S>((p.qp[i] + q.qp[i] + 1) >> 1, slice))
    }

    #[inline(always)]
    fn new<S: Sample>(qp_av: i8, slice: &SliceState) -> Self {
        let to_depth = const { S::BIT_DEPTH - 8 };
        let index = |offset: i8| (i32::from(qp_av) + i32::from(offset)).clamp(0, 51) as usize;
        let index_a = index(slice.filter_offset_a);
        Self {
            alpha: i16::from(ALPHA[index_a]) << to_depth,
            beta: i16::from(BETA[index(slice.filter_offset_b)]) << to_depth,
            // -1 stays negative.
            tc0: TC0[index_a].map(|tc0| tc0 << to_depth),
        }
    }
}

/// The filter of an edge whose samples alternate between two components; `None` = it changes nothing.
#[inline(always)]
fn edge_filter(even: &Thresholds, odd: &Thresholds, strengths: BoundaryStrengths) -> Option<EdgeFilter> {
    if (even.alpha | odd.alpha) == 0 || (even.beta | odd.beta) == 0 {
        return None;
    }
    let mut tc0 = [[0; 2]; 4];
    for (tc0, strength) in tc0.iter_mut().zip(strengths) {
        *tc0 = [even.tc0[usize::from(strength & 3)], odd.tc0[usize::from(strength & 3)]];
    }
    let strength = if strengths[0] == 4 {
        Strength::Intra
    } else {
        Strength::Normal(tc0)
    };
    Some(EdgeFilter {
        alpha: [even.alpha, odd.alpha],
        beta: [even.beta, odd.beta],
        strength,
    })
}

/// `bS` of an edge within a macroblock that is not intra (8.7.2.1).
fn inner_strengths(edge: Edge, i: usize, side: Side<'_>, motion_changes: bool, limit: MvLimit) -> BoundaryStrengths {
    let mut strengths = [0; 4];
    for (part, strength) in strengths.iter_mut().enumerate() {
        let (p, q) = match edge {
            Edge::Vertical => (part * 4 + i - 1, part * 4 + i),
            Edge::Horizontal => ((i - 1) * 4 + part, i * 4 + part),
        };
        *strength = match (side.state.coded_blocks >> p | side.state.coded_blocks >> q) & 1 {
            0 => u8::from(motion_changes && motion_differs(side, p, side, q, limit)),
            _ => 2,
        };
    }
    strengths
}

/// `bS` across a macroblock edge where neither side is intra.
fn outer_strengths(edge: Edge, p_side: Side<'_>, q_side: Side<'_>, limit: MvLimit) -> BoundaryStrengths {
    let blocks = |part: usize| match edge {
        Edge::Vertical => (part * 4 + 3, part * 4),
        Edge::Horizontal => (12 + part, part),
    };
    let differs = |part: usize| {
        let (p, q) = blocks(part);
        u8::from(motion_differs(p_side, p, q_side, q, limit))
    };
    let changes_along = |side: Side<'_>| match edge {
        Edge::Vertical => side.state.horizontal_motion_edges != 0,
        Edge::Horizontal => side.state.vertical_motion_edges != 0,
    };
    let without_coefficients = match changes_along(p_side) || changes_along(q_side) {
        true => std::array::from_fn(differs),
        false => [differs(0); 4],
    };
    std::array::from_fn(|part| {
        let (p, q) = blocks(part);
        match (p_side.state.coded_blocks >> p | q_side.state.coded_blocks >> q) & 1 {
            0 => without_coefficients[part],
            _ => 2,
        }
    })
}

/// Whether two 4x4 blocks have other reference pictures, another number of vectors, or vectors that differ by a sample.
#[inline(always)]
fn motion_differs(p_side: Side<'_>, p: usize, q_side: Side<'_>, q: usize, limit: MvLimit) -> bool {
    let quarter = |i: usize| i / 8 * 2 + i % 4 / 2;
    let picture = |side: Side<'_>, list: usize, i: usize| side.state.ref_pic[list][quarter(i)];
    let (p_first, p_second) = (picture(p_side, 0, p), picture(p_side, 1, p));
    let (q_first, q_second) = (picture(q_side, 0, q), picture(q_side, 1, q));
    let (p_mv, q_mv) = (&p_side.motion.mv, &q_side.motion.mv);
    let straight_far = || limit.far(p_mv[0][p], q_mv[0][q]) || limit.far(p_mv[1][p], q_mv[1][q]);
    let crossed_far = || limit.far(p_mv[0][p], q_mv[1][q]) || limit.far(p_mv[1][p], q_mv[0][q]);
    match (
        p_first == q_first && p_second == q_second,
        p_first == q_second && p_second == q_first,
    ) {
        (false, false) => true,
        (true, false) => straight_far(),
        (false, true) => crossed_far(),
        (true, true) => straight_far() && crossed_far(),
    }
}

/// By how many quarter samples vertical components differ if they differ by a sample of the frame: 4, in a field 2.
#[derive(Clone, Copy, Debug)]
struct MvLimit(u16);

impl MvLimit {
    /// Whether two vectors differ by a sample of the frame or more.
    #[inline(always)]
    fn far(self, a: Mv, b: Mv) -> bool {
        a.x.abs_diff(b.x) >= 4 || a.y.abs_diff(b.y) >= self.0
    }
}

#[cfg(test)]
mod tests;
