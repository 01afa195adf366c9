//! The neighbours of macroblocks in MBAFF frames (6.4.12.2), where pairs of frame and of field macroblocks meet.

use super::state::{Neighbours, State};
use crate::pairs::BesideMixedPair;
use crate::planes::Sample;

/// The left pair of a macroblock, if one of both is a frame and the other a field macroblock pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MixedLeft {
    /// The upper macroblock of the left pair.
    pub top: usize,
    /// The current macroblock.
    pub current: BesideMixedPair,
}

impl MixedLeft {
    /// The macroblock to the left of luma row `y`, and its row of 4x4 blocks there.
    pub(super) fn at(&self, y: usize) -> (usize, usize) {
        let (i, row) = self.current.at(y);
        (self.top + i, row)
    }

    /// The same for the row above row `y` of 4x4 blocks; `None` where that is in the pair above.
    pub(super) fn diagonal(&self, y: usize) -> Option<(usize, usize)> {
        let (i, row) = self.current.diagonal(y)?;
        Some((self.top + i, row))
    }
}

impl<S: Sample> State<S> {
    /// The neighbours of a macroblock of an MBAFF frame that are in its slice.
    pub(super) fn pair_neighbours(&self, mb_addr: usize, slice: u32) -> Neighbours {
        let width = self.width_in_mbs;
        let (pair, is_bottom) = (mb_addr / 2, mb_addr % 2 == 1);
        let x = pair % width;
        let is_field = self.macroblocks[mb_addr].field;
        let in_slice = |pair: Option<usize>| {
            let top = pair.map(|pair| 2 * pair);
            top.filter(|&top| self.macroblocks[top].slice == slice)
        };
        let above = pair.checked_sub(width);
        let left = in_slice((x > 0).then(|| pair - 1));
        let [above_left, above, above_right] = [
            in_slice(above.filter(|_| x > 0).map(|pair| pair - 1)),
            in_slice(above),
            in_slice(above.filter(|_| x + 1 < width).map(|pair| pair + 1)),
        ];
        // Of a pair above: the macroblock that the row above the current one, in its own mode, is in.
        let last_row = |top: usize| match is_field && !is_bottom && self.macroblocks[top].field {
            true => top,
            false => top + 1,
        };
        let mixed_left = left
            .filter(|&top| self.macroblocks[top].field != is_field)
            .map(|top| MixedLeft {
                top,
                current: BesideMixedPair { is_bottom, is_field },
            });
        let a = match mixed_left {
            Some(mixed) => Some(mixed.at(0).0),
            None => left.map(|top| top + usize::from(is_bottom)),
        };
        if is_bottom && !is_field {
            return Neighbours {
                a,
                b: Some(mb_addr - 1),
                c: None,
                d: left.map(|top| top + usize::from(mixed_left.is_some())),
                mixed_left,
            };
        }
        Neighbours {
            a,
            b: above.map(last_row),
            c: above_right.map(last_row),
            d: above_left.map(last_row),
            mixed_left,
        }
    }
}
