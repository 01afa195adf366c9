//! Direct prediction of B macroblocks (8.4.1.2), spatial and temporal.

use super::partition::{Area, Partitioning};
use super::picture::{MbContext, Picture, SliceContext};
use super::references::current_order_cnt;
use super::vectors::{Grid, median};
use super::weights::{UNSCALED, dist_scale_factor};
use crate::MotionField;
use crate::macroblock::{Mv, SubMbShape};
use crate::motion::MbMotion;
use crate::planes::Sample;

/// Motion of a macroblock in direct mode.
#[derive(Clone, Copy, Debug)]
pub(super) struct Direct {
    /// Vectors by list and 4x4 block, in raster order.
    pub mv: [[Mv; 16]; 2],
    /// `refIdx` by list and 8x8 quarter.
    pub ref_idx: [[i8; 4]; 2],
}

impl Direct {
    /// The largest blocks that have one motion each.
    pub(super) fn partitioning(&self) -> Partitioning {
        let same_everywhere = |mv: &[Mv; 16]| mv.iter().all(|other| *other == mv[0]);
        let same_pictures = |ref_idx: &[i8; 4]| ref_idx.iter().all(|other| *other == ref_idx[0]);
        if self.mv.iter().all(same_everywhere) && self.ref_idx.iter().all(same_pictures) {
            return Partitioning::Whole;
        }
        Partitioning::Quarters(std::array::from_fn(|i| self.shape(i)))
    }

    /// Sets the vectors of an area to zero where they refer to index 0.
    fn make_still(&mut self, area: Area, ref_idx: [i8; 2]) {
        for list in (0..2).filter(|&list| ref_idx[list] == 0) {
            for y in area.y..area.y + area.height {
                self.mv[list][y * 4 + area.x..][..area.width].fill(Mv::default());
            }
        }
    }

    /// 8x8 if a quarter has one motion, else 4x4.
    pub(super) fn shape(&self, quarter: usize) -> SubMbShape {
        let Area { x, y, .. } = Area::quarter(quarter);
        let first = y * 4 + x;
        let uniform = self
            .mv
            .iter()
            .all(|mv| [1, 4, 5].iter().all(|offset| mv[first + offset] == mv[first]));
        if uniform { SubMbShape::S8x8 } else { SubMbShape::S4x4 }
    }
}

/// `mvCol` and `refIdxCol` of a 4x4 block (8.4.1.2.1).
#[derive(Clone, Copy, Debug)]
struct Colocated {
    mv: Mv,
    /// Negative if intra.
    ref_idx: i8,
    /// The picture that it refers to.
    timestamp: Option<u64>,
}

/// Motion of the macroblock of `colPic` at the same place.
struct ColocatedMb<'a> {
    field: Option<&'a MotionField>,
    motion: &'a MbMotion,
    direct_8x8_inference_flag: bool,
}

impl ColocatedMb<'_> {
    /// The parts of a quarter that each look at one colocated block.
    fn areas(&self, quarter: usize) -> impl Iterator<Item = Area> + use<> {
        Area::parts(
            quarter,
            if self.direct_8x8_inference_flag {
                SubMbShape::S8x8
            } else {
                SubMbShape::S4x4
            },
        )
    }

    /// What counts for a 4x4 block: with `direct_8x8_inference_flag` the corner of its quarter.
    fn at(&self, x: usize, y: usize) -> Colocated {
        let corner = |i: usize| if i < 2 { 0 } else { 3 };
        let (x, y) = if self.direct_8x8_inference_flag {
            (corner(x), corner(y))
        } else {
            (x, y)
        };
        let quarter = y / 2 * 2 + x / 2;
        let list = usize::from(self.motion.ref_idx[0][quarter] < 0);
        let ref_idx = self.motion.ref_idx[list][quarter];
        if ref_idx < 0 {
            return Colocated {
                mv: Mv::default(),
                ref_idx,
                timestamp: None,
            };
        }
        let timestamp = self
            .field
            .and_then(|field| field.reference(self.motion.slice, list, ref_idx));
        Colocated {
            mv: self.motion.mv[list][y * 4 + x],
            ref_idx,
            timestamp,
        }
    }
}

impl<'p, S: Sample> Picture<'p, S> {
    /// Derives the motion of a whole macroblock in direct mode.
    pub(super) fn direct(&self, at: &MbContext<'_>, slice: &SliceContext<'_>) -> Direct {
        let colocated = self.colocated(at, slice);
        if slice.header.direct_spatial_mv_pred_flag {
            self.spatial(at, slice, &colocated)
        } else {
            self.temporal(slice, &colocated)
        }
    }

    /// The macroblock of the first picture of list 1; without one it counts as intra.
    fn colocated(&self, at: &MbContext<'_>, slice: &SliceContext<'_>) -> ColocatedMb<'p> {
        let dpb_index = slice.lists.get(1, 0).dpb_index;
        let field = dpb_index
            .and_then(|index| self.pool.get(index))
            .map(|picture| picture.motion);
        let direct_8x8_inference_flag = self.params.direct_8x8_inference_flag;
        match field {
            Some(field) if field.is_of(self.state.width_in_mbs, self.state.height_in_mbs) => ColocatedMb {
                field: Some(field),
                motion: field.get(at.mb_addr),
                direct_8x8_inference_flag,
            },
            _ => ColocatedMb {
                field: None,
                motion: &MbMotion::INTRA,
                direct_8x8_inference_flag,
            },
        }
    }

    /// Spatial direct prediction (8.4.1.2.2).
    fn spatial(&self, at: &MbContext<'_>, slice: &SliceContext<'_>, colocated: &ColocatedMb<'_>) -> Direct {
        let neighbours = [0, 1].map(|list| Grid::neighbours(&self.grid(at, list), Area::WHOLE));
        // As unsigned numbers, negative indexes are the largest: the minimum is MinPositive of all three.
        let ref_idx = neighbours.map(|of_list| of_list.map(|n| n.ref_idx as u8).into_iter().min().unwrap_or(0) as i8);
        if ref_idx.iter().all(|&ref_idx| ref_idx < 0) {
            return Direct {
                mv: [[Mv::default(); 16]; 2],
                ref_idx: [[0; 4]; 2],
            };
        }
        let mv = [0, 1].map(|list| match ref_idx[list] {
            ..0 => Mv::default(),
            ref_idx => median(neighbours[list], ref_idx),
        });
        let mut direct = Direct {
            mv: mv.map(|mv| [mv; 16]),
            ref_idx: ref_idx.map(|ref_idx| [if ref_idx < 0 { -1 } else { ref_idx }; 4]),
        };
        let can_be_still = !slice.lists.get(1, 0).long_term && (0..2).any(|list| ref_idx[list] == 0);
        if can_be_still && mv != [Mv::default(); 2] {
            for quarter in 0..4 {
                for area in colocated.areas(quarter) {
                    if is_still(&colocated.at(area.x, area.y)) {
                        direct.make_still(area, ref_idx);
                    }
                }
            }
        }
        direct
    }

    /// Temporal direct prediction (8.4.1.2.3).
    fn temporal(&self, slice: &SliceContext<'_>, colocated: &ColocatedMb<'_>) -> Direct {
        let mut direct = Direct {
            mv: [[Mv::default(); 16]; 2],
            ref_idx: [[0; 4]; 2],
        };
        let col_order_cnt = slice.lists.get(1, 0).pic_order_cnt;
        for quarter in 0..4 {
            let Area { x, y, .. } = Area::quarter(quarter);
            let ref_idx_l0 = match colocated.at(x, y) {
                Colocated { ref_idx: ..0, .. } => 0,
                col => col
                    .timestamp
                    .and_then(|timestamp| slice.lists.list_0_index_of(timestamp))
                    .unwrap_or(0),
            };
            let reference = slice.lists.get(0, ref_idx_l0);
            let scale = match reference.long_term {
                true => UNSCALED,
                false => dist_scale_factor(current_order_cnt(self.params), reference.pic_order_cnt, col_order_cnt),
            };
            direct.ref_idx[0][quarter] = ref_idx_l0;
            for area in colocated.areas(quarter) {
                let mv_col = colocated.at(area.x, area.y).mv;
                let mv_l0 = Mv {
                    x: scaled(scale, mv_col.x),
                    y: scaled(scale, mv_col.y),
                };
                let mv_l1 = Mv {
                    x: mv_l0.x.wrapping_sub(mv_col.x),
                    y: mv_l0.y.wrapping_sub(mv_col.y),
                };
                for y in area.y..area.y + area.height {
                    direct.mv[0][y * 4 + area.x..][..area.width].fill(mv_l0);
                    direct.mv[1][y * 4 + area.x..][..area.width].fill(mv_l1);
                }
            }
        }
        direct
    }
}

/// `colZeroFlag` without its condition on the reference.
fn is_still(col: &Colocated) -> bool {
    col.ref_idx == 0 && (-1..=1).contains(&col.mv.x) && (-1..=1).contains(&col.mv.y)
}

/// Equations 8-195 and 8-196.
fn scaled(dist_scale_factor: i32, component: i16) -> i16 {
    ((dist_scale_factor * i32::from(component) + 128) >> 8) as i16
}
