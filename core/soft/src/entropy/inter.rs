//! `mb_pred()` of inter macroblocks and `sub_mb_pred()` (7.3.5.1, 7.3.5.2).

use super::elements::{Edges, Elements, MVD_LIMIT};
use super::fault::Fault;
use super::mb_types::sub_mb_type;
use super::slice_data::{SliceContext, sub_mb_part_size};
use crate::macroblock::{Macroblock, MbType, Mv, PredMode, SubMbShape, SubMbType};

/// A rectangle of 4x4 blocks inside a macroblock.
#[derive(Clone, Copy, Debug)]
struct Partition {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

/// Reads prediction of `mb`; returns whether its partitions allow `transform_size_8x8_flag`.
#[inline(always)]
pub(super) fn prediction<E: Elements>(
    context: SliceContext,
    elements: &mut E,
    edges: &mut Edges,
    mvds: &mut Vec<Mv>,
    mb: &mut Macroblock,
    ref0: bool,
) -> Result<bool, Fault> {
    let mut reader = PredictionReader {
        elements,
        edges,
        mvds,
        num_ref_idx_active: context.num_ref_idx_active,
    };
    let part = |x, y, width, height| Partition { x, y, width, height };
    match mb.mb_type {
        MbType::Inter16x16(mode) => reader.partitions(mb, &[(part(0, 0, 4, 4), mode)])?,
        MbType::Inter16x8([upper, lower]) => {
            reader.partitions(mb, &[(part(0, 0, 4, 2), upper), (part(0, 2, 4, 2), lower)])?;
        }
        MbType::Inter8x16([left, right]) => {
            reader.partitions(mb, &[(part(0, 0, 2, 4), left), (part(2, 0, 2, 4), right)])?;
        }
        MbType::Inter8x8 => return reader.sub_macroblocks(context, mb, ref0),
        // B_Direct_16x16: nothing is coded.
        _ => reader.clear(),
    }
    Ok(true)
}

struct PredictionReader<'a, E> {
    elements: &'a mut E,
    edges: &'a mut Edges,
    mvds: &'a mut Vec<Mv>,
    num_ref_idx_active: [u8; 2],
}

impl<E: Elements> PredictionReader<'_, E> {
    /// Leaves a macroblock without references and differences in the edges.
    #[inline(always)]
    fn clear(&mut self) {
        for edge in [&mut self.edges.left, &mut self.edges.top] {
            edge.ref_idx = [[0; 2]; 2];
            edge.mvd = [[[0; 2]; 4]; 2];
        }
    }

    /// `mb_pred()`.
    #[inline(always)]
    fn partitions(&mut self, mb: &mut Macroblock, partitions: &[(Partition, PredMode)]) -> Result<(), Fault> {
        for list in 0..2 {
            for &(part, mode) in partitions {
                if mode.uses(list) {
                    let ref_idx = self.ref_idx(list, part)?;
                    set_ref_idx(mb, list, part, ref_idx);
                } else {
                    self.leave_ref_idx(list, part, 0);
                }
            }
        }
        for list in 0..2 {
            for &(part, mode) in partitions {
                if mode.uses(list) {
                    self.mvd(list, part)?;
                } else {
                    self.leave_mvd(list, part, [0; 2]);
                }
            }
        }
        Ok(())
    }

    /// `sub_mb_pred()`; returns whether all sub-macroblocks allow the 8x8 transform.
    #[inline(always)]
    fn sub_macroblocks(&mut self, context: SliceContext, mb: &mut Macroblock, ref0: bool) -> Result<bool, Fault> {
        let mut may_be_8x8 = true;
        for sub in &mut mb.sub_mb_type {
            let number = self.elements.sub_mb_type(context.slice_type)?;
            *sub = sub_mb_type(context.slice_type, number)?;
            may_be_8x8 &= match sub {
                SubMbType::Direct => context.direct_8x8_inference_flag,
                SubMbType::Inter(shape, _) => *shape == SubMbShape::S8x8,
            };
        }
        for list in 0..2 {
            for quarter in 0..4 {
                let part = quarter_partition(quarter);
                match mb.sub_mb_type[quarter] {
                    SubMbType::Inter(_, mode) if mode.uses(list) => {
                        mb.ref_idx[list][quarter] = if ref0 { 0 } else { self.ref_idx(list, part)? } as i8;
                    }
                    _ => self.leave_ref_idx(list, part, 0),
                }
            }
        }
        for list in 0..2 {
            for quarter in 0..4 {
                let part = quarter_partition(quarter);
                match mb.sub_mb_type[quarter] {
                    SubMbType::Inter(shape, mode) if mode.uses(list) => self.sub_mvds(list, part, shape)?,
                    _ => self.leave_mvd(list, part, [0; 2]),
                }
            }
        }
        Ok(may_be_8x8)
    }

    /// The `mvd_lX` of one sub-macroblock.
    #[inline(always)]
    fn sub_mvds(&mut self, list: usize, quarter: Partition, shape: SubMbShape) -> Result<(), Fault> {
        let (width, height) = sub_mb_part_size(shape);
        for y in (0..2).step_by(height) {
            for x in (0..2).step_by(width) {
                self.mvd(
                    list,
                    Partition {
                        x: quarter.x + x,
                        y: quarter.y + y,
                        width,
                        height,
                    },
                )?;
            }
        }
        Ok(())
    }

    /// `ref_idx_lX`, inferred to be 0 where there is no choice.
    #[inline(always)]
    fn ref_idx(&mut self, list: usize, part: Partition) -> Result<u8, Fault> {
        let max = self.num_ref_idx_active[list] - 1;
        let ref_idx = if max == 0 {
            0
        } else {
            let left = self.edges.left.ref_idx[list][part.y >> 1 & 1] > 0;
            let top = self.edges.top.ref_idx[list][part.x >> 1 & 1] > 0;
            self.elements.ref_idx(max, left, top)?
        };
        self.leave_ref_idx(list, part, ref_idx);
        Ok(ref_idx)
    }

    #[inline(always)]
    fn leave_ref_idx(&mut self, list: usize, part: Partition, ref_idx: u8) {
        let (x, y) = (part.x >> 1 & 1, part.y >> 1 & 1);
        self.edges.left.ref_idx[list][y] = ref_idx;
        self.edges.top.ref_idx[list][x] = ref_idx;
        if part.height == 4 {
            self.edges.left.ref_idx[list][1] = ref_idx;
        }
        if part.width == 4 {
            self.edges.top.ref_idx[list][1] = ref_idx;
        }
    }

    /// `mvd_lX`, both components.
    #[inline(always)]
    fn mvd(&mut self, list: usize, part: Partition) -> Result<(), Fault> {
        let left = self.edges.left.mvd[list][part.y & 3];
        let top = self.edges.top.mvd[list][part.x & 3];
        let mvd = self.elements.mvd([left[0] + top[0], left[1] + top[1]])?;
        self.mvds.push(mvd);
        let limited = |component: i16| component.unsigned_abs().min(MVD_LIMIT) as u8;
        self.leave_mvd(list, part, [limited(mvd.x), limited(mvd.y)]);
        Ok(())
    }

    #[inline(always)]
    fn leave_mvd(&mut self, list: usize, part: Partition, mvd: [u8; 2]) {
        for i in 0..part.height {
            self.edges.left.mvd[list][(part.y + i) & 3] = mvd;
        }
        for i in 0..part.width {
            self.edges.top.mvd[list][(part.x + i) & 3] = mvd;
        }
    }
}

/// The blocks of an 8x8 quarter.
#[inline(always)]
fn quarter_partition(quarter: usize) -> Partition {
    Partition {
        x: (quarter & 1) * 2,
        y: (quarter >> 1) * 2,
        width: 2,
        height: 2,
    }
}

/// Sets `ref_idx` of the quarters that `part` covers.
#[inline(always)]
fn set_ref_idx(mb: &mut Macroblock, list: usize, part: Partition, ref_idx: u8) {
    for y in (part.y..part.y + part.height).step_by(2) {
        for x in (part.x..part.x + part.width).step_by(2) {
            mb.ref_idx[list][(y & 2 | x >> 1) & 3] = ref_idx as i8;
        }
    }
}
