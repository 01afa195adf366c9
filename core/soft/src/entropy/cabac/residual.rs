//! `residual_block_cabac()` (7.3.5.3.3, 9.3.3.1.3).

use super::super::elements::{Levels, cat};
use super::super::fault::Fault;
use super::Cabac;
use super::engine::Engine;

/// `ctxBlockCatOffset` (table 9-40), by `ctxBlockCat`.
const CODED_BLOCK_FLAG: [usize; 5] = [85, 89, 93, 97, 101];

/// First context of `significant_coeff_flag` in frames and in fields, by `ctxBlockCat`.
const SIGNIFICANT: [[usize; 6]; 2] = [[105, 120, 134, 149, 152, 402], [277, 292, 306, 321, 324, 436]];

/// First context of `last_significant_coeff_flag`.
const LAST: [[usize; 6]; 2] = [[166, 181, 195, 210, 213, 417], [338, 353, 367, 382, 385, 451]];

/// First context of `coeff_abs_level_minus1`.
const ABS_LEVEL: [usize; 6] = [227, 237, 247, 257, 266, 426];

/// `ctxIdxInc` of `significant_coeff_flag` in 8x8 blocks of frames and of fields (table 9-43).
#[rustfmt::skip]
static SIGNIFICANT_8X8: [[u8; 63]; 2] = [
    [
        0, 1, 2, 3, 4, 5, 5, 4, 4, 3, 3, 4, 4, 4, 5, 5, 4, 4, 4, 4, 3, 3, 6, 7,
        7, 7, 8, 9, 10, 9, 8, 7, 7, 6, 11, 12, 13, 11, 6, 7, 8, 9, 14, 10, 9, 8, 6, 11,
        12, 13, 11, 6, 9, 14, 10, 9, 11, 12, 13, 11, 14, 10, 12,
    ],
    [
        0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 7, 7, 8, 4, 5, 6, 9, 10, 10, 8, 11, 12, 11,
        9, 9, 10, 10, 8, 11, 12, 11, 9, 9, 10, 10, 8, 11, 12, 11, 9, 9, 10, 10, 8, 13, 13, 9,
        9, 10, 10, 8, 13, 13, 9, 9, 10, 10, 14, 14, 14, 14, 14,
    ],
];

/// `ctxIdxInc` of `last_significant_coeff_flag` in 8x8 blocks.
#[rustfmt::skip]
static LAST_8X8: [u8; 63] = [
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2,
    2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4,
    5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8,
];

/// `coeff_abs_level_minus1` has at most this many bins with contexts.
const PREFIX_MAX: i32 = 14;

/// Where the contexts of levels stand: one node per history of the levels before (9.3.3.1.3). Nodes 0 to 3: none above
/// one yet, 0 to 3 ones before; nodes 4 to 7: 1 to 4 or more above one.
const FIRST_BIN: [usize; 8] = [1, 2, 3, 4, 0, 0, 0, 0];

/// Context of the bins after the first, by node.
const OTHER_BINS: [usize; 8] = [5, 5, 5, 5, 6, 7, 8, 9];

/// The node after a level of one, by node.
const AFTER_ONE: [u8; 8] = [1, 2, 3, 3, 4, 5, 6, 7];

/// The node after a larger level, by node.
const AFTER_LARGER: [u8; 8] = [4, 4, 4, 4, 5, 6, 7, 7];

impl Cabac<'_> {
    /// `coded_block_flag`.
    #[inline(always)]
    pub(super) fn coded_block_flag<const CAT: usize>(&mut self, left: u8, top: u8) -> bool {
        let increment = usize::from(left != 0) + 2 * usize::from(top != 0);
        self.bin(CODED_BLOCK_FLAG[const { cat::ctx_block_cat(CAT) }] + increment)
    }

    /// A block whose `coded_block_flag` is 1: how many levels it has, at least one.
    #[inline(never)]
    pub(super) fn levels<const CAT: usize>(&mut self, levels: &mut Levels) -> Result<u8, Fault> {
        // A copy that stays in registers.
        let mut engine = self.engine;
        let mut places = [0; 64];
        let total = self.significance::<CAT>(&mut engine, &mut places);
        let first = const { ABS_LEVEL[cat::ctx_block_cat(CAT)] };
        let mut node = 0;
        for &place in places[..total].iter().rev() {
            let mut magnitude = 1;
            if engine.decision(self.states.get(first + FIRST_BIN[node])) {
                magnitude = 2;
                let state = self.states.get(first + other_bins::<CAT>(node));
                while magnitude <= PREFIX_MAX && engine.decision(state) {
                    magnitude += 1;
                }
                if magnitude > PREFIX_MAX {
                    magnitude += engine.exp_golomb(0).ok_or(Fault::Level)?;
                }
                node = usize::from(AFTER_LARGER[node] & 7);
            } else {
                node = usize::from(AFTER_ONE[node] & 7);
            }
            let level = if engine.bypass() { -magnitude } else { magnitude };
            levels.push(usize::from(place), level);
        }
        self.engine = engine;
        Ok(total as u8)
    }

    /// The places of the levels along the scan, rising; returns how many.
    #[inline(always)]
    fn significance<const CAT: usize>(&mut self, engine: &mut Engine<'_>, places: &mut [u8; 64]) -> usize {
        let field = usize::from(self.format.is_field);
        let block_cat = const { cat::ctx_block_cat(CAT) };
        let (significant, last) = (SIGNIFICANT[field][block_cat], LAST[field][block_cat]);
        let max = const { cat::MAX_COEFFS[CAT] };
        let mut total = 0;
        for i in 0..max - 1 {
            let (significant_increment, last_increment) = match CAT {
                cat::LUMA_8X8 => (usize::from(SIGNIFICANT_8X8[field][i]), usize::from(LAST_8X8[i])),
                cat::CHROMA_DC_422 => ((i / 2).min(2), (i / 2).min(2)),
                _ => (i, i),
            };
            if engine.decision(self.states.get(significant + significant_increment)) {
                places[total & 63] = (i + cat::first_index(CAT)) as u8;
                total += 1;
                if engine.decision(self.states.get(last + last_increment)) {
                    return total;
                }
            }
        }
        places[total & 63] = (max - 1 + cat::first_index(CAT)) as u8;
        total + 1
    }
}

/// `ctxIdxInc` of the bins after the first of a level.
#[inline(always)]
fn other_bins<const CAT: usize>(node: usize) -> usize {
    let increment = OTHER_BINS[node];
    // Chroma DC has one context less.
    if const { cat::ctx_block_cat(CAT) == cat::CHROMA_DC } {
        increment.min(8)
    } else {
        increment
    }
}
