//! Fractional sample interpolation (8.4.2.2) of blocks that may lie anywhere, inside of a reference picture or not.

use std::ops::Range;

use crate::macroblock::Mv;
use crate::planes::{FrameRef, PlaneMut, PlaneRef, Sample};
use crate::simd::{LumaFilter, Size, Source};

/// Samples that a filter may read around the widest block: 16 + 5, in rows of a round number.
const EDGE_PITCH: usize = 24;
const EDGE_ROWS: usize = 21;

/// Which half-sample positions make a quarter-sample position, and where they are taken from, in whole samples
/// (figure 8-4, table 8-12).
struct Position {
    first: (LumaFilter, usize, usize),
    second: Option<(LumaFilter, usize, usize)>,
}

/// By `yFracL * 4 + xFracL`.
const POSITIONS: [Position; 16] = {
    use LumaFilter::{Centre, Full, Horizontal, Vertical};
    const fn one(filter: LumaFilter) -> Position {
        Position {
            first: (filter, 0, 0),
            second: None,
        }
    }
    const fn two(first: (LumaFilter, usize, usize), second: (LumaFilter, usize, usize)) -> Position {
        Position {
            first,
            second: Some(second),
        }
    }
    const B: (LumaFilter, usize, usize) = (Horizontal, 0, 0);
    const S: (LumaFilter, usize, usize) = (Horizontal, 0, 1);
    const H: (LumaFilter, usize, usize) = (Vertical, 0, 0);
    const M: (LumaFilter, usize, usize) = (Vertical, 1, 0);
    const J: (LumaFilter, usize, usize) = (Centre, 0, 0);
    [
        one(Full),
        two(B, (Full, 0, 0)),
        one(Horizontal),
        two(B, (Full, 1, 0)),
        two(H, (Full, 0, 0)),
        two(B, H),
        two(J, B),
        two(B, M),
        one(Vertical),
        two(J, H),
        one(Centre),
        two(J, M),
        two(H, (Full, 0, 1)),
        two(S, H),
        two(J, S),
        two(S, M),
    ]
};

/// Memory for the interpolation of one block.
#[derive(Debug)]
pub(super) struct FilterScratch<S> {
    /// The second of the half-sample positions that are averaged.
    second: [S; 256],
    /// What the block sees of a picture whose edge it crosses.
    edge: [S; EDGE_PITCH * EDGE_ROWS],
}

impl<S: Sample> Default for FilterScratch<S> {
    fn default() -> Self {
        let zero = S::default();
        Self {
            second: [zero; 256],
            edge: [zero; EDGE_PITCH * EDGE_ROWS],
        }
    }
}

/// A plane of a reference picture as interpolation sees it: samples outside are those of the nearest edge. A column has
/// `STEP` samples: 2 in interleaved chroma.
#[derive(Clone, Copy)]
struct Reach<'a, S, const STEP: usize> {
    plane: PlaneRef<'a, S>,
    /// Columns and rows of the picture.
    size: Size,
}

impl<'a, S: Sample, const STEP: usize> Reach<'a, S, STEP> {
    /// The block at `(x, y)`, with its margins readable; copied into `edge` if they leave the picture.
    #[inline(always)]
    fn source(&self, (x, y): (i32, i32), block: Size, margin: [Margin; 2], edge: &'a mut [S]) -> Source<'a, S> {
        let [across, down] = margin;
        let (left, top) = (x - across.before, y - down.before);
        let (right, bottom) = (
            x + block.width as i32 + across.after,
            y + block.height as i32 + down.after,
        );
        let (width, height) = (self.size.width as i32, self.size.height as i32);
        if left >= 0 && top >= 0 && right <= width && bottom <= height {
            return Source {
                plane: self.plane,
                at: y as usize * self.plane.pitch + x as usize * STEP,
            };
        }
        self.extend(left..right, top..bottom, edge);
        let at = down.before as usize * EDGE_PITCH + across.before as usize * STEP;
        Source {
            plane: PlaneRef {
                data: edge,
                pitch: EDGE_PITCH,
            },
            at,
        }
    }

    /// Copies a rectangle that lies partly or wholly outside.
    fn extend(&self, columns: Range<i32>, rows: Range<i32>, edge: &mut [S]) {
        let (width, height) = (self.size.width as i32, self.size.height as i32);
        let count = columns.len();
        let first = columns.start.clamp(0, width - 1);
        let end = columns.end.clamp(first + 1, width);
        let before = ((first - columns.start).max(0) as usize).min(count - 1);
        let inside = &(first as usize..end as usize);
        let copied = inside.len().min(count - before);
        for (row, line) in rows.zip(edge.chunks_mut(EDGE_PITCH)) {
            let from = &self.plane.data[row.clamp(0, height - 1) as usize * self.plane.pitch..];
            let from = &from.as_chunks::<STEP>().0[inside.clone()][..copied];
            let (head, rest) = line.as_chunks_mut::<STEP>().0[..count].split_at_mut(before);
            let (middle, tail) = rest.split_at_mut(copied);
            head.fill(from[0]);
            middle.copy_from_slice(from);
            tail.fill(from[copied - 1]);
        }
    }
}

/// How far a filter reads beyond a block.
#[derive(Clone, Copy)]
struct Margin {
    before: i32,
    after: i32,
}

impl Margin {
    const NONE: Self = Self { before: 0, after: 0 };

    /// Of the six-tap filter.
    fn luma(fraction: usize) -> Self {
        if fraction == 0 {
            Self::NONE
        } else {
            Self { before: 2, after: 3 }
        }
    }

    /// Of the bilinear filter.
    fn chroma(fraction: [u8; 2]) -> Self {
        if fraction == [0; 2] {
            Self::NONE
        } else {
            Self { before: 0, after: 1 }
        }
    }
}

/// One block of a picture: where it is, and its size, in luma samples.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub x: usize,
    pub y: usize,
    pub size: Size,
}

/// A reference frame or field, or none at all, to predict blocks from.
pub(super) struct RefBlock<'a, S> {
    pub picture: Option<FrameRef<'a, S>>,
    pub width_in_mbs: usize,
    pub height_in_mbs: usize,
    pub mb_height_c: usize,
}

impl<S: Sample> RefBlock<'_, S> {
    /// Luma sample interpolation (8.4.2.2.1).
    pub(super) fn luma(&self, block: &Block, mv: Mv, mut dst: PlaneMut<'_, S>, scratch: &mut FilterScratch<S>) {
        let Some(picture) = &self.picture else {
            return grey(dst, block.size);
        };
        let size = Size {
            width: self.width_in_mbs * 16,
            height: self.height_in_mbs * 16,
        };
        let reach = Reach::<S, 1> {
            plane: picture.luma,
            size,
        };
        let (mv_x, mv_y) = (i32::from(mv.x), i32::from(mv.y));
        let (x_frac, y_frac) = ((mv_x & 3) as usize, (mv_y & 3) as usize);
        let mut across = Margin::luma(x_frac);
        if x_frac != 0 {
            // Kernels load 16 samples at once, however narrow the block.
            across.after = across.after.max(14 - block.size.width as i32);
        }
        let at = (block.x as i32 + (mv_x >> 2), block.y as i32 + (mv_y >> 2));
        let FilterScratch { second, edge } = scratch;
        let source = reach.source(at, block.size, [across, Margin::luma(y_frac)], edge);
        let moved = |x: usize, y: usize| Source {
            plane: source.plane,
            at: source.at + y * source.plane.pitch + x,
        };
        let Position {
            first: (filter, x, y),
            second: averaged,
        } = &POSITIONS[y_frac * 4 + x_frac];
        S::luma(*filter, dst.from(0), moved(*x, *y), block.size);
        match averaged {
            None => {}
            Some((LumaFilter::Full, x, y)) => {
                let source = moved(*x, *y);
                S::average(dst, source.plane.from(source.at), block.size);
            }
            Some((filter, x, y)) => {
                let other = PlaneMut {
                    data: second.as_mut_slice(),
                    pitch: 16,
                };
                S::luma(*filter, other, moved(*x, *y), block.size);
                S::average(
                    dst,
                    PlaneRef {
                        data: second.as_slice(),
                        pitch: 16,
                    },
                    block.size,
                );
            }
        }
    }

    /// Chroma sample interpolation (8.4.2.2.2): a vector counts eighths of a sample, in columns of 4:2:2 quarters.
    pub(super) fn chroma(&self, block: &Block, mv: Mv, dst: PlaneMut<'_, S>, scratch: &mut FilterScratch<S>) {
        let is_422 = self.mb_height_c == 16;
        let rows = |luma_rows: usize| if is_422 { luma_rows } else { luma_rows / 2 };
        let size = Size {
            width: block.size.width / 2,
            height: rows(block.size.height),
        };
        let Some(picture) = &self.picture else {
            return grey(
                dst,
                Size {
                    width: block.size.width,
                    ..size
                },
            );
        };
        let picture_size = Size {
            width: self.width_in_mbs * 8,
            height: self.height_in_mbs * self.mb_height_c,
        };
        let reach = Reach::<S, 2> {
            plane: picture.chroma,
            size: picture_size,
        };
        let (mv_x, mv_y) = (i32::from(mv.x), i32::from(mv.y));
        let mv_y = if is_422 { mv_y * 2 } else { mv_y };
        let fraction = [(mv_x & 7) as u8, (mv_y & 7) as u8];
        let at = ((block.x / 2) as i32 + (mv_x >> 3), rows(block.y) as i32 + (mv_y >> 3));
        let source = reach.source(at, size, [Margin::chroma(fraction); 2], &mut scratch.edge);
        if fraction == [0; 2] {
            S::luma(
                LumaFilter::Full,
                dst,
                source,
                Size {
                    width: block.size.width,
                    ..size
                },
            );
        } else {
            S::chroma(fraction, dst, source, size);
        }
    }
}

/// What is predicted where there is no picture.
fn grey<S: Sample>(dst: PlaneMut<'_, S>, size: Size) {
    for row in dst.data.chunks_mut(dst.pitch).take(size.height) {
        row[..size.width].fill(S::from_value(S::GREY));
    }
}

#[cfg(test)]
mod tests;
