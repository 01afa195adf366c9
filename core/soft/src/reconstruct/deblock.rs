//! The deblocking filter (8.7): which edges, how strongly.

use super::picture::Picture;
use super::scaling::chroma_qp;
use super::state::{MbState, NO_SLICE, SliceState};
use crate::macroblock::Mv;
use crate::motion::MbMotion;
use crate::picture::ChromaFormat;
use crate::planes::{PlaneMut, Sample};
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

/// `t'C0` for `bS` 1 to 3, by `indexA` (table 8-17).
const TC0: [[u8; 52]; 3] = [
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2,
        3, 3, 3, 4, 4, 4, 5, 6, 6, 7, 8, 9, 10, 11, 13,
    ],
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3,
        3, 4, 4, 5, 5, 6, 7, 8, 8, 10, 11, 12, 13, 15, 17,
    ],
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4,
        5, 6, 6, 7, 8, 9, 10, 11, 13, 14, 16, 18, 20, 23, 25,
    ],
];

/// `bS` of the four 4-sample parts of an edge.
type BoundaryStrengths = [u8; 4];

/// `qPp` or `qPq` of Y, Cb and Cr.
type Qps = [u8; 3];

/// A macroblock on one side of an edge.
#[derive(Clone, Copy)]
struct Side<'a> {
    state: &'a MbState,
    motion: &'a MbMotion,
}

/// The macroblock whose edges are filtered.
struct Deblocked<'a> {
    side: Side<'a>,
    slice: SliceState,
    qp: Qps,
    chroma_qp_index_offset: [i8; 2],
}

/// Deblocks the macroblocks of a row, left to right.
pub(super) fn row<S: Sample>(picture: &mut Picture<'_, S>, mb_y: usize) {
    let width = picture.state.width_in_mbs;
    for mb_x in 0..width {
        macroblock(picture, mb_x, mb_y);
    }
}

fn macroblock<S: Sample>(picture: &mut Picture<'_, S>, mb_x: usize, mb_y: usize) {
    let width = picture.state.width_in_mbs;
    let mb_addr = mb_y * width + mb_x;
    let side = |addr: usize| Side {
        state: &picture.state.macroblocks[addr],
        motion: picture.motion.get(addr),
    };
    let current = side(mb_addr);
    let Some(&slice) = picture.state.slices.get(current.state.slice as usize) else {
        return;
    };
    if slice.disable_deblocking_filter_idc == 1 {
        return;
    }
    let across = |addr: Option<usize>| {
        let filters = |side: &Side<'_>| match slice.disable_deblocking_filter_idc {
            2 => side.state.slice == current.state.slice,
            _ => side.state.slice != NO_SLICE,
        };
        addr.map(side).filter(filters)
    };
    let neighbours = [
        across((mb_x > 0).then(|| mb_addr - 1)),
        across(mb_addr.checked_sub(width)),
    ];
    let chroma_qp_index_offset = picture.params.chroma_qp_index_offset;
    let mb = Deblocked {
        side: current,
        slice,
        qp: qps(current.state, chroma_qp_index_offset),
        chroma_qp_index_offset,
    };
    let luma_at = mb_y * 16 * picture.target.luma.pitch + mb_x * 16;
    let chroma_at = mb_y * 8 * picture.target.chroma.pitch + mb_x * 16;
    let has_chroma = picture.params.chroma_format != ChromaFormat::Monochrome;
    for (edge, neighbour) in [Edge::Vertical, Edge::Horizontal].into_iter().zip(neighbours) {
        let strengths = mb.strengths(edge, neighbour);
        for (i, strengths) in strengths
            .into_iter()
            .enumerate()
            .filter(|(_, strengths)| *strengths != [0; 4])
        {
            let qp = match neighbour {
                Some(neighbour) if i == 0 => qps(neighbour.state, mb.chroma_qp_index_offset),
                _ => mb.qp,
            };
            let [luma, chroma] = mb.filters(qp, strengths);
            if let Some(filter) = luma {
                filter_luma(&mut picture.target.luma, luma_at, edge, i, &filter);
            }
            if let Some(filter) = chroma.filter(|_| has_chroma && i % 2 == 0) {
                filter_chroma(&mut picture.target.chroma, chroma_at, edge, i, &filter);
            }
        }
    }
}

fn filter_luma<S: Sample>(plane: &mut PlaneMut<'_, S>, mb_at: usize, edge: Edge, i: usize, filter: &EdgeFilter) {
    let at = match edge {
        Edge::Vertical => mb_at + i * 4,
        Edge::Horizontal => mb_at + i * 4 * plane.pitch,
    };
    S::deblock_luma(edge, plane.from(0), at, filter);
}

fn filter_chroma<S: Sample>(plane: &mut PlaneMut<'_, S>, mb_at: usize, edge: Edge, i: usize, filter: &EdgeFilter) {
    let at = match edge {
        Edge::Vertical => mb_at + i / 2 * 8,
        Edge::Horizontal => mb_at + i / 2 * 4 * plane.pitch,
    };
    S::deblock_chroma(edge, plane.from(0), at, filter);
}

fn qps(state: &MbState, chroma_qp_index_offset: [i8; 2]) -> Qps {
    let [cb, cr] = chroma_qp_index_offset.map(|offset| chroma_qp(state.qp_y, offset));
    [state.qp_y as u8, cb, cr]
}

impl Deblocked<'_> {
    /// `bS` of the four edges of one direction (8.7.2.1); 0 where there is nothing to filter.
    fn strengths(&self, edge: Edge, neighbour: Option<Side<'_>>) -> [BoundaryStrengths; 4] {
        let mut strengths = [[0; 4]; 4];
        if let Some(neighbour) = neighbour {
            strengths[0] = match neighbour.state.intra || self.side.state.intra {
                true => [4; 4],
                false => outer_strengths(edge, neighbour, self.side),
            };
        }
        let step = if self.side.state.transform_size_8x8_flag { 2 } else { 1 };
        for i in (step..4).step_by(step) {
            strengths[i] = match self.side.state.intra {
                true => [3; 4],
                false => self.inner_strengths(edge, i),
            };
        }
        strengths
    }

    fn inner_strengths(&self, edge: Edge, i: usize) -> BoundaryStrengths {
        let state = self.side.state;
        let motion_edges = match edge {
            Edge::Vertical => state.vertical_motion_edges,
            Edge::Horizontal => state.horizontal_motion_edges,
        };
        let motion_changes = motion_edges >> i & 1 != 0;
        if state.coded_blocks == 0 && !motion_changes {
            return [0; 4];
        }
        std::array::from_fn(|part| {
            let (p, q) = match edge {
                Edge::Vertical => (part * 4 + i - 1, part * 4 + i),
                Edge::Horizontal => ((i - 1) * 4 + part, i * 4 + part),
            };
            if (state.coded_blocks >> p | state.coded_blocks >> q) & 1 != 0 {
                2
            } else {
                u8::from(motion_changes && motion_differs(self.side, p, self.side, q))
            }
        })
    }

    /// Thresholds of luma and chroma between this macroblock and one with these `qPp` (8.7.2.2); `None` = no filtering.
    fn filters(&self, qp: Qps, strengths: BoundaryStrengths) -> [Option<EdgeFilter>; 2] {
        let thresholds: [Thresholds; 3] =
            std::array::from_fn(|i| Thresholds::new((qp[i] + self.qp[i] + 1) >> 1, &self.slice));
        let [y, cb, cr] = thresholds;
        [EdgeFilter::of([y, y], strengths), EdgeFilter::of([cb, cr], strengths)]
    }
}

/// `indexA` with what the tables say for it and for `indexB`.
#[derive(Clone, Copy)]
struct Thresholds {
    index_a: usize,
    alpha: i16,
    beta: i16,
}

impl Thresholds {
    fn new(qp_av: u8, slice: &SliceState) -> Self {
        let index = |offset: i8| (i32::from(qp_av) + i32::from(offset)).clamp(0, 51) as usize;
        let (index_a, index_b) = (index(slice.filter_offset_a), index(slice.filter_offset_b));
        Self {
            index_a,
            alpha: ALPHA[index_a].into(),
            beta: BETA[index_b].into(),
        }
    }
}

impl EdgeFilter {
    fn of(thresholds: [Thresholds; 2], strengths: BoundaryStrengths) -> Option<Self> {
        let (alpha, beta) = (thresholds.map(|t| t.alpha), thresholds.map(|t| t.beta));
        if alpha == [0; 2] || beta == [0; 2] {
            return None;
        }
        let strength = match strengths {
            [4, ..] => Strength::Intra,
            _ => Strength::Normal(strengths.map(|strength| {
                thresholds.map(|t| match strength {
                    0 => -1,
                    strength => TC0[usize::from(strength - 1).min(2)][t.index_a].into(),
                })
            })),
        };
        Some(Self { alpha, beta, strength })
    }
}

/// `bS` across a macroblock edge where neither side is intra.
fn outer_strengths(edge: Edge, p_side: Side<'_>, q_side: Side<'_>) -> BoundaryStrengths {
    std::array::from_fn(|part| {
        let (p, q) = match edge {
            Edge::Vertical => (part * 4 + 3, part * 4),
            Edge::Horizontal => (12 + part, part),
        };
        if (p_side.state.coded_blocks >> p | q_side.state.coded_blocks >> q) & 1 != 0 {
            2
        } else {
            u8::from(motion_differs(p_side, p, q_side, q))
        }
    })
}

/// Whether two 4x4 blocks have other reference pictures, another number of vectors, or vectors that differ by a sample.
fn motion_differs(p_side: Side<'_>, p: usize, q_side: Side<'_>, q: usize) -> bool {
    let quarter = |i: usize| i / 8 * 2 + i % 4 / 2;
    let pictures = |side: Side<'_>, i: usize| [0, 1].map(|list| side.state.ref_pic[list][quarter(i)]);
    let vectors = |side: Side<'_>, i: usize| [0, 1].map(|list| side.motion.mv[list][i]);
    let (p_pictures, q_pictures) = (pictures(p_side, p), pictures(q_side, q));
    let ([p0, p1], [q0, q1]) = (vectors(p_side, p), vectors(q_side, q));
    let straight = p_pictures == q_pictures;
    let crossed = p_pictures == [q_pictures[1], q_pictures[0]];
    let straight_far = || far(p0, q0) || far(p1, q1);
    let crossed_far = || far(p0, q1) || far(p1, q0);
    match (straight, crossed) {
        (false, false) => true,
        (true, false) => straight_far(),
        (false, true) => crossed_far(),
        (true, true) => straight_far() && crossed_far(),
    }
}

/// Whether two vectors differ by 4 quarter samples or more in a frame.
fn far(a: Mv, b: Mv) -> bool {
    a.x.abs_diff(b.x) >= 4 || a.y.abs_diff(b.y) >= 4
}
