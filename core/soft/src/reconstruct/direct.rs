//! Direct prediction of B macroblocks (8.4.1.2), spatial and temporal.

use super::colocated::{Colocated, ColocatedMb};
use super::partition::{Area, Partitioning};
use super::picture::{MbContext, Picture, SliceContext};
use super::vectors::{Grid, median};
use super::weights::{UNSCALED, dist_scale_factor};
use crate::macroblock::{Mv, SubMbShape};
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
                    .reference
                    .and_then(|name| {
                        slice
                            .lists
                            .list_0_index_of(colocated.scale.reference(name, slice.lists.parity))
                    })
                    .unwrap_or(0),
            };
            let reference = slice.lists.get(0, ref_idx_l0);
            let scale = match reference.long_term {
                true => UNSCALED,
                false => dist_scale_factor(slice.pic_order_cnt, reference.pic_order_cnt, col_order_cnt),
            };
            direct.ref_idx[0][quarter] = ref_idx_l0;
            for area in colocated.areas(quarter) {
                let mv_col = colocated.scale.vector(colocated.at(area.x, area.y).mv);
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
