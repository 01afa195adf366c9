//! Prediction weights (8.4.2.3) and the distances in time that the implicit ones come from.

use super::references::{ListEntry, Lists};
use crate::PictureParams;
use crate::simd::Weighting;
use crate::slice::{PredWeightTable, Slice, SliceType, Weight};

/// The `DistScaleFactor` that leaves a vector as it is.
pub(super) const UNSCALED: i32 = 256;

/// `DistScaleFactor` between a picture and its references with these picture order counts (8.4.1.2.3).
pub(super) fn dist_scale_factor(current: i32, order_cnt_0: i32, order_cnt_1: i32) -> i32 {
    let tb = current.saturating_sub(order_cnt_0).clamp(-128, 127);
    let td = order_cnt_1.saturating_sub(order_cnt_0).clamp(-128, 127);
    if td == 0 {
        return UNSCALED;
    }
    let tx = (16384 + (td / 2).abs()) / td;
    ((tb * tx + 32) >> 6).clamp(-1024, 1023)
}

/// Which weights a slice uses.
#[derive(Clone, Debug)]
pub(super) enum Weights<'a> {
    /// None: default prediction.
    Default,
    /// Those of its `pred_weight_table()`; an index of a field macroblock counts fields, two per entry.
    Explicit {
        table: &'a PredWeightTable,
        of_field_macroblocks: bool,
    },
    /// Those of the distances in time, for prediction from both lists: `w1` by the two indexes.
    Implicit(Box<[[i16; 32]; 32]>),
}

/// Weights of the two colour planes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockWeights {
    pub luma: Weighting,
    pub chroma: Weighting,
}

impl<'a> Weights<'a> {
    pub(super) fn new(slice: &'a Slice, params: &PictureParams, lists: &Lists, pic_order_cnt: i32) -> Self {
        let of_field_macroblocks = lists.parity.is_some() && params.structure.parity().is_none();
        if let Some(table) = slice.pred_weights.as_deref() {
            return Self::Explicit {
                table,
                of_field_macroblocks,
            };
        }
        if slice.slice_type != SliceType::B || params.weighted_bipred_idc != 2 {
            return Self::Default;
        }
        let active = slice
            .num_ref_idx_active
            .map(|active| usize::from(active) << u8::from(of_field_macroblocks));
        let mut w1 = Box::new([[32; 32]; 32]);
        for (i, of_ref_0) in w1.iter_mut().enumerate().take(active[0]) {
            for (j, w1) in of_ref_0.iter_mut().enumerate().take(active[1]) {
                *w1 = implicit_weight(pic_order_cnt, lists.get(0, i as i8), lists.get(1, j as i8));
            }
        }
        Self::Implicit(w1)
    }

    /// The weights of a block with these indexes (negative = list not used); `None` = default prediction.
    pub(super) fn of(&self, ref_idx: [i8; 2], bit_depth: u32) -> Option<BlockWeights> {
        if matches!(self, Self::Default) {
            return None;
        }
        let weights = match (self, ref_idx.map(|ref_idx| usize::try_from(ref_idx).ok())) {
            (Self::Default, _) | (Self::Implicit(_), [None, _] | [_, None]) | (Self::Explicit { .. }, [None, None]) => {
                None
            }
            (Self::Implicit(w1), [Some(i), Some(j)]) => {
                let w1 = w1[i & 31][j & 31];
                let weight = [[64 - w1; 2], [w1; 2]];
                let weighting = Weighting {
                    log_wd: 5,
                    weight,
                    offset: [0; 2],
                };
                (w1 != 32).then_some(BlockWeights {
                    luma: weighting,
                    chroma: weighting,
                })
            }
            (
                Self::Explicit {
                    table,
                    of_field_macroblocks,
                },
                ref_idx,
            ) => {
                let entry = ref_idx.map(|ref_idx| ref_idx.map(|i| i >> u8::from(*of_field_macroblocks)));
                Some(explicit(table, entry, bit_depth))
            }
        };
        weights.filter(|weights| !(is_default(&weights.luma, ref_idx) && is_default(&weights.chroma, ref_idx)))
    }
}

/// `w1` of implicit weighted prediction (equations 8-279 to 8-283).
fn implicit_weight(current: i32, ref_0: &ListEntry, ref_1: &ListEntry) -> i16 {
    if ref_0.long_term || ref_1.long_term || ref_0.pic_order_cnt == ref_1.pic_order_cnt {
        return 32;
    }
    match dist_scale_factor(current, ref_0.pic_order_cnt, ref_1.pic_order_cnt) >> 2 {
        w1 @ -64..=128 => w1 as i16,
        _ => 32,
    }
}

fn explicit(table: &PredWeightTable, ref_idx: [Option<usize>; 2], bit_depth: u32) -> BlockWeights {
    let component = |i: usize| {
        let of_list = |list: usize| ref_idx[list].map(|ref_idx| &table.weights[list][ref_idx & 31]);
        // Scaled to the depth before they are averaged (8.4.2.3.2): halves survive in more than 8 bits.
        let scaled = |w: &Weight| (w.weight[i], i32::from(w.offset[i]) << (bit_depth - 8));
        let of = [of_list(0), of_list(1)].map(|weight| weight.map(scaled));
        match of {
            [Some(of_0), Some(of_1)] => ([of_0.0, of_1.0], ((of_0.1 + of_1.1 + 1) >> 1) as i16),
            [Some(one), None] | [None, Some(one)] => ([one.0, 0], one.1 as i16),
            [None, None] => ([0, 0], 0),
        }
    };
    let pair = |log_wd: u8, a: usize, b: usize| {
        let [(a, offset_a), (b, offset_b)] = [component(a), component(b)];
        Weighting {
            log_wd: log_wd.min(7),
            weight: [[a[0], b[0]], [a[1], b[1]]],
            offset: [offset_a, offset_b],
        }
    };
    BlockWeights {
        luma: pair(table.luma_log2_weight_denom, 0, 0),
        chroma: pair(table.chroma_log2_weight_denom, 1, 2),
    }
}

/// Whether weights change nothing against default prediction.
fn is_default(weighting: &Weighting, ref_idx: [i8; 2]) -> bool {
    let one = 1i16 << weighting.log_wd;
    let both = ref_idx.iter().all(|&ref_idx| ref_idx >= 0);
    let weight = if both { [[one; 2]; 2] } else { [[one; 2], [0; 2]] };
    weighting.offset == [0; 2] && weighting.weight == weight
}

#[cfg(test)]
mod tests;
