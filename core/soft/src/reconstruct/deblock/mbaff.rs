//! Deblocking of MBAFF frames (8.7): macroblock pairs, and the edges between frame and field macroblocks.

use super::super::picture::{MbPlace, Picture};
use super::super::state::MbState;
use super::{Around, BoundaryStrengths, Deblocked, Side, edge_filter};
use crate::picture::ChromaFormat;
use crate::planes::{PlaneMut, Sample};
use crate::simd::{Edge, plain};

/// Deblocks a frame, macroblock by macroblock in the order of their addresses.
pub(in super::super) fn frame<S: Sample>(picture: &mut Picture<'_, S>) {
    let width = picture.state.width_in_mbs;
    for mb_addr in 0..picture.state.macroblocks.len() {
        let place = picture.place(mb_addr, picture.state.macroblocks[mb_addr].field);
        let Some((mut mb, around)) = Deblocked::new(picture, mb_addr, place) else {
            continue;
        };
        let pair = mb_addr / 2;
        let left = (!pair.is_multiple_of(width)).then(|| 2 * (pair - 1));
        let above = pair.checked_sub(width).map(|pair| 2 * pair);
        if let Some(left) = left {
            mb.left_edge(&around, left, mb_addr % 2);
        }
        mb.inner_edges(Edge::Vertical);
        mb.upper_edge(&around, above, mb_addr);
        mb.inner_edges(Edge::Horizontal);
    }
}

impl<S: Sample> Deblocked<'_, '_, S> {
    /// The edge to the pair whose upper macroblock is `left`; `bottom`: place of the current one in its pair.
    fn left_edge(&mut self, around: &Around<'_>, left: usize, bottom: usize) {
        let field = self.current.state.field;
        if around.macroblocks[left].field == field {
            if let Some(neighbour) = around.neighbour(left + bottom) {
                self.outer_edge(Edge::Vertical, neighbour);
            }
            return;
        }
        for i in 0..2 {
            let Some(neighbour) = around.neighbour(left + i) else {
                continue;
            };
            // Rows beside one of the two: every other row of a frame macroblock, one half of a field macroblock.
            let MbPlace {
                luma_at,
                luma_pitch,
                chroma_at,
                chroma_pitch,
                ..
            } = self.place;
            let rows = match field {
                true => MbPlace {
                    luma_at: luma_at + i * 8 * luma_pitch,
                    chroma_at: chroma_at + i * self.place.mb_height_c / 2 * chroma_pitch,
                    ..self.place
                },
                false => MbPlace {
                    luma_at: luma_at + i * luma_pitch,
                    luma_pitch: luma_pitch * 2,
                    chroma_at: chroma_at + i * chroma_pitch,
                    chroma_pitch: chroma_pitch * 2,
                    ..self.place
                },
            };
            let strengths = mixed_strengths(neighbour.state, self.current.state, 4, |part| {
                let (p_row, q_row) = match field {
                    true => (part, 2 * i + part / 2),
                    false => (2 * bottom + part / 2, part),
                };
                (p_row * 4 + 3, q_row * 4)
            });
            self.half_edge(&rows, neighbour, strengths);
        }
    }

    /// Filters 8 rows of the left edge.
    fn half_edge(&mut self, rows: &MbPlace, neighbour: Side<'_>, strengths: BoundaryStrengths) {
        let [y, cb, cr] = self.thresholds(neighbour.state);
        if let Some(filter) = edge_filter(&y, &y, strengths) {
            let plane = PlaneMut::new(&mut *self.target.luma.data, rows.luma_pitch);
            plain::deblock_luma_half(plane, rows.luma_at, &filter);
        }
        let Some(filter) = edge_filter(&cb, &cr, strengths) else {
            return;
        };
        let mut plane = PlaneMut::new(&mut *self.target.chroma.data, rows.chroma_pitch);
        match self.chroma_format {
            ChromaFormat::Monochrome => {}
            ChromaFormat::Yuv420 => plain::deblock_chroma_half(plane, rows.chroma_at, &filter),
            // 8 rows.
            ChromaFormat::Yuv422 => {
                for half in 0..2 {
                    let at = rows.chroma_at + half * 4 * rows.chroma_pitch;
                    plain::deblock_chroma_half(plane.from(0), at, &filter.half(half));
                }
            }
        }
    }

    /// The edge to what is above; `above` is the upper macroblock of the pair there.
    fn upper_edge(&mut self, around: &Around<'_>, above: Option<usize>, mb_addr: usize) {
        let (field, bottom) = (self.current.state.field, mb_addr % 2);
        if !field && bottom == 1 {
            if let Some(neighbour) = around.neighbour(mb_addr - 1) {
                self.outer_edge(Edge::Horizontal, neighbour);
            }
            return;
        }
        let Some(above) = above else { return };
        match (field, around.macroblocks[above].field) {
            (false, false) => {
                if let Some(neighbour) = around.neighbour(above + 1) {
                    self.outer_edge(Edge::Horizontal, neighbour);
                }
            }
            (true, true) => {
                if let Some(neighbour) = around.neighbour(above + bottom) {
                    self.outer_edge(Edge::Horizontal, neighbour);
                }
            }
            (true, false) => {
                if let Some(neighbour) = around.neighbour(above + 1) {
                    self.mixed_upper_edge(neighbour);
                }
            }
            (false, true) => self.upper_edge_by_fields(around, above),
        }
    }

    /// The edge of a frame macroblock below field macroblocks: once for the rows of each field.
    fn upper_edge_by_fields(&mut self, around: &Around<'_>, above: usize) {
        let whole = self.place;
        for i in 0..2 {
            let Some(neighbour) = around.neighbour(above + i) else {
                continue;
            };
            self.place = MbPlace {
                luma_at: whole.luma_at + i * whole.luma_pitch,
                luma_pitch: whole.luma_pitch * 2,
                chroma_at: whole.chroma_at + i * whole.chroma_pitch,
                chroma_pitch: whole.chroma_pitch * 2,
                ..whole
            };
            self.mixed_upper_edge(neighbour);
        }
        self.place = whole;
    }

    /// Filters the upper edge between a frame and a field macroblock, in rows of one field.
    fn mixed_upper_edge(&mut self, neighbour: Side<'_>) {
        let strengths = mixed_strengths(neighbour.state, self.current.state, 3, |part| (12 + part, part));
        let thresholds = self.thresholds(neighbour.state);
        self.filter(Edge::Horizontal, 0, &thresholds, strengths);
    }
}

/// `bS` where `mixedModeEdgeFlag` is 1: `intra`, 2 or 1; `blocks` gives the 4x4 blocks on both sides of a part.
fn mixed_strengths(p: &MbState, q: &MbState, intra: u8, blocks: impl Fn(usize) -> (usize, usize)) -> BoundaryStrengths {
    if p.intra || q.intra {
        return [intra; 4];
    }
    std::array::from_fn(|part| {
        let (p_block, q_block) = blocks(part);
        1 + ((p.coded_blocks >> p_block | q.coded_blocks >> q_block) & 1) as u8
    })
}
