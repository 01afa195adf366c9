//! The deblocking filter (8.7): which edges, how strongly.

use super::picture::Picture;
use super::state::{MbState, NO_SLICE, SliceState};
use crate::macroblock::Mv;
use crate::motion::MbMotion;
use crate::picture::ChromaFormat;
use crate::planes::{FrameMut, Sample};
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
    let Picture {
        target,
        state,
        motion,
        params,
        ..
    } = picture;
    let has_chroma = params.chroma_format != ChromaFormat::Monochrome;
    let side = |mb_addr: usize| Side {
        state: &state.macroblocks[mb_addr],
        motion: motion.get(mb_addr),
    };
    for mb_x in 0..width {
        let mb_addr = mb_y * width + mb_x;
        let current = side(mb_addr);
        let Some(slice) = state.slices.get(current.state.slice as usize) else {
            continue;
        };
        let filters = |neighbour: &Side<'_>| match slice.disable_deblocking_filter_idc {
            2 => neighbour.state.slice == current.state.slice,
            _ => neighbour.state.slice != NO_SLICE,
        };
        if slice.disable_deblocking_filter_idc == 1 {
            continue;
        }
        let mut mb = Deblocked {
            luma_at: mb_y * 16 * target.luma.pitch + mb_x * 16,
            chroma_at: mb_y * 8 * target.chroma.pitch + mb_x * 16,
            target,
            has_chroma,
            current,
            slice,
        };
        let left = (mb_x > 0).then(|| side(mb_addr - 1)).filter(filters);
        let above = mb_addr.checked_sub(width).map(side).filter(filters);
        mb.edges(Edge::Vertical, left);
        mb.edges(Edge::Horizontal, above);
    }
}

/// The macroblock whose edges are filtered.
struct Deblocked<'a, 'f, S> {
    target: &'a mut FrameMut<'f, S>,
    luma_at: usize,
    chroma_at: usize,
    has_chroma: bool,
    current: Side<'a>,
    slice: &'a SliceState,
}

impl<S: Sample> Deblocked<'_, '_, S> {
    /// Filters the edges of one direction; `neighbour` lies behind the outer one, if that is filtered.
    fn edges(&mut self, edge: Edge, neighbour: Option<Side<'_>>) {
        let state = self.current.state;
        if let Some(neighbour) = neighbour {
            let strengths = match neighbour.state.intra || state.intra {
                true => [4; 4],
                false => outer_strengths(edge, neighbour, self.current),
            };
            if strengths != [0; 4] {
                let thresholds = Thresholds::between(neighbour.state, state, self.slice);
                self.filter(edge, 0, &thresholds, strengths);
            }
        }
        let motion_edges = match edge {
            Edge::Vertical => state.vertical_motion_edges,
            Edge::Horizontal => state.horizontal_motion_edges,
        };
        if !state.intra && state.coded_blocks == 0 && motion_edges == 0 {
            return;
        }
        let thresholds = Thresholds::between(state, state, self.slice);
        let step = if state.transform_size_8x8_flag { 2 } else { 1 };
        for i in (step..4).step_by(step) {
            let strengths = match state.intra {
                true => [3; 4],
                false => inner_strengths(edge, i, self.current, motion_edges >> i & 1 != 0),
            };
            if strengths != [0; 4] {
                self.filter(edge, i, &thresholds, strengths);
            }
        }
    }

    /// Filters edge `i` of luma, and of chroma if it is one of chroma too.
    fn filter(&mut self, edge: Edge, i: usize, thresholds: &[Thresholds; 3], strengths: BoundaryStrengths) {
        let [y, cb, cr] = thresholds;
        if let Some(filter) = edge_filter(y, y, strengths) {
            let offset = match edge {
                Edge::Vertical => i * 4,
                Edge::Horizontal => i * 4 * self.target.luma.pitch,
            };
            S::deblock_luma(edge, self.target.luma.from(0), self.luma_at + offset, &filter);
        }
        if !self.has_chroma || !i.is_multiple_of(2) {
            return;
        }
        if let Some(filter) = edge_filter(cb, cr, strengths) {
            let offset = match edge {
                Edge::Vertical => i * 4,
                Edge::Horizontal => i * 2 * self.target.chroma.pitch,
            };
            S::deblock_chroma(edge, self.target.chroma.from(0), self.chroma_at + offset, &filter);
        }
    }
}

/// What the tables say for `indexA` and `indexB` of one component (8.7.2.2).
struct Thresholds {
    alpha: i16,
    beta: i16,
    tc0: &'static [i16; 4],
}

impl Thresholds {
    /// Of Y, Cb and Cr between two macroblocks.
    fn between(p: &MbState, q: &MbState, slice: &SliceState) -> [Self; 3] {
        std::array::from_fn(|i| Self::new((p.qp[i] + q.qp[i] + 1) >> 1, slice))
    }

    #[inline(always)]
    fn new(qp_av: u8, slice: &SliceState) -> Self {
        let index = |offset: i8| (i32::from(qp_av) + i32::from(offset)).clamp(0, 51) as usize;
        let index_a = index(slice.filter_offset_a);
        Self {
            alpha: ALPHA[index_a].into(),
            beta: BETA[index(slice.filter_offset_b)].into(),
            tc0: &TC0[index_a],
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
fn inner_strengths(edge: Edge, i: usize, side: Side<'_>, motion_changes: bool) -> BoundaryStrengths {
    let mut strengths = [0; 4];
    for (part, strength) in strengths.iter_mut().enumerate() {
        let (p, q) = match edge {
            Edge::Vertical => (part * 4 + i - 1, part * 4 + i),
            Edge::Horizontal => ((i - 1) * 4 + part, i * 4 + part),
        };
        *strength = match (side.state.coded_blocks >> p | side.state.coded_blocks >> q) & 1 {
            0 => u8::from(motion_changes && motion_differs(side, p, side, q)),
            _ => 2,
        };
    }
    strengths
}

/// `bS` across a macroblock edge where neither side is intra.
fn outer_strengths(edge: Edge, p_side: Side<'_>, q_side: Side<'_>) -> BoundaryStrengths {
    let mut strengths = [0; 4];
    for (part, strength) in strengths.iter_mut().enumerate() {
        let (p, q) = match edge {
            Edge::Vertical => (part * 4 + 3, part * 4),
            Edge::Horizontal => (12 + part, part),
        };
        *strength = match (p_side.state.coded_blocks >> p | q_side.state.coded_blocks >> q) & 1 {
            0 => u8::from(motion_differs(p_side, p, q_side, q)),
            _ => 2,
        };
    }
    strengths
}

/// Whether two 4x4 blocks have other reference pictures, another number of vectors, or vectors that differ by a sample.
#[inline(always)]
fn motion_differs(p_side: Side<'_>, p: usize, q_side: Side<'_>, q: usize) -> bool {
    let quarter = |i: usize| i / 8 * 2 + i % 4 / 2;
    let picture = |side: Side<'_>, list: usize, i: usize| side.state.ref_pic[list][quarter(i)];
    let (p_first, p_second) = (picture(p_side, 0, p), picture(p_side, 1, p));
    let (q_first, q_second) = (picture(q_side, 0, q), picture(q_side, 1, q));
    let (p_mv, q_mv) = (&p_side.motion.mv, &q_side.motion.mv);
    let straight_far = || far(p_mv[0][p], q_mv[0][q]) || far(p_mv[1][p], q_mv[1][q]);
    let crossed_far = || far(p_mv[0][p], q_mv[1][q]) || far(p_mv[1][p], q_mv[0][q]);
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

/// Whether two vectors differ by 4 quarter samples or more in a frame.
#[inline(always)]
fn far(a: Mv, b: Mv) -> bool {
    a.x.abs_diff(b.x) >= 4 || a.y.abs_diff(b.y) >= 4
}

#[cfg(test)]
mod tests;
