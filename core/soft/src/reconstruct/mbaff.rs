//! The neighbours of macroblocks in MBAFF frames (6.4.12.2), where pairs of frame and of field macroblocks meet.

use super::state::{Neighbours, State};
use crate::planes::Sample;

/// The left pair of a macroblock, if one of both is a frame and the other a field macroblock pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MixedLeft {
    /// The upper macroblock of the left pair.
    pub top: usize,
    /// The current macroblock is the lower one of its pair.
    pub current_is_bottom: bool,
    /// The current macroblock is a field macroblock.
    pub current_is_field: bool,
}

impl MixedLeft {
    /// The macroblock to the left of luma row `y`, and its row of 4x4 blocks there (table 6-4).
    pub(super) fn at(&self, y: usize) -> (usize, usize) {
        let bottom = usize::from(self.current_is_bottom);
        if self.current_is_field {
            let row = 2 * y + bottom;
            (self.top + row / 16 % 2, row % 16 / 4)
        } else {
            let row = y + 16 * bottom;
            (self.top + row % 2, row / 8 % 4)
        }
    }

    /// The same for the row above 4x4 block row `y`; `None` where that is in the pair above.
    pub(super) fn diagonal(&self, y: usize) -> Option<(usize, usize)> {
        match (y * 4).checked_sub(1) {
            Some(row) => Some(self.at(row)),
            None if self.current_is_bottom && !self.current_is_field => Some((self.top + 1, 1)),
            None => None,
        }
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
                current_is_bottom: is_bottom,
                current_is_field: is_field,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(current_is_field: bool, current_is_bottom: bool) -> MixedLeft {
        MixedLeft {
            top: 10,
            current_is_bottom,
            current_is_field,
        }
    }

    #[test]
    fn the_rows_of_a_frame_macroblock_lie_beside_both_field_macroblocks_in_turns() {
        assert_eq!(
            [0, 1, 14, 15].map(|y| mixed(false, false).at(y)),
            [(10, 0), (11, 0), (10, 1), (11, 1)]
        );
        assert_eq!(
            [0, 1, 14, 15].map(|y| mixed(false, true).at(y)),
            [(10, 2), (11, 2), (10, 3), (11, 3)]
        );
    }

    #[test]
    fn the_halves_of_a_field_macroblock_lie_beside_the_two_frame_macroblocks() {
        for bottom in [false, true] {
            assert_eq!(
                [0, 4, 7, 8, 15].map(|y| mixed(true, bottom).at(y)),
                [(10, 0), (10, 2), (10, 3), (11, 0), (11, 3)]
            );
        }
    }

    #[test]
    fn above_the_lower_frame_macroblock_the_left_pair_goes_on() {
        assert_eq!(mixed(false, true).diagonal(0), Some((11, 1)));
        assert_eq!(mixed(false, false).diagonal(0), None);
        assert_eq!(mixed(true, true).diagonal(0), None);
        assert_eq!(mixed(false, false).diagonal(2), Some((11, 0)));
        assert_eq!(mixed(true, false).diagonal(2), Some((10, 3)));
    }
}
