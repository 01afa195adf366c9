//! Macroblock pairs of MBAFF frames: what lies to the left of a macroblock whose left pair has the other mode (6.4.12.2).

/// A macroblock beside a pair of field macroblocks, itself a frame macroblock, or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BesideMixedPair {
    /// It is the lower one of its pair.
    pub is_bottom: bool,
    /// It is a field macroblock, the pair on its left has frame macroblocks.
    pub is_field: bool,
}

impl BesideMixedPair {
    /// What is to the left of luma row `y` (table 6-4): which macroblock of the pair, 0 or 1, and its row of 4x4 blocks.
    #[inline(always)]
    pub(crate) fn at(self, y: usize) -> (usize, usize) {
        let bottom = usize::from(self.is_bottom);
        if self.is_field {
            let row = 2 * y + bottom;
            (row / 16 % 2, row % 16 / 4)
        } else {
            let row = y + 16 * bottom;
            (row % 2, row / 8 % 4)
        }
    }

    /// The same for the row above row `y` of 4x4 blocks; `None` where that is in the pair above.
    pub(crate) fn diagonal(self, y: usize) -> Option<(usize, usize)> {
        match (y * 4).checked_sub(1) {
            Some(row) => Some(self.at(row)),
            None if self.is_bottom && !self.is_field => Some((1, 1)),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(is_field: bool, is_bottom: bool) -> BesideMixedPair {
        BesideMixedPair { is_bottom, is_field }
    }

    #[test]
    fn the_rows_of_a_frame_macroblock_lie_beside_both_field_macroblocks_in_turns() {
        assert_eq!(
            [0, 1, 14, 15].map(|y| beside(false, false).at(y)),
            [(0, 0), (1, 0), (0, 1), (1, 1)]
        );
        assert_eq!(
            [0, 1, 14, 15].map(|y| beside(false, true).at(y)),
            [(0, 2), (1, 2), (0, 3), (1, 3)]
        );
    }

    #[test]
    fn the_halves_of_a_field_macroblock_lie_beside_the_two_frame_macroblocks() {
        for bottom in [false, true] {
            let left = [0, 4, 7, 8, 15].map(|y| beside(true, bottom).at(y));
            assert_eq!(left, [(0, 0), (0, 2), (0, 3), (1, 0), (1, 3)]);
        }
    }

    #[test]
    fn above_the_lower_frame_macroblock_the_left_pair_goes_on() {
        assert_eq!(beside(false, true).diagonal(0), Some((1, 1)));
        assert_eq!(beside(false, false).diagonal(0), None);
        assert_eq!(beside(true, true).diagonal(0), None);
        assert_eq!(beside(false, false).diagonal(2), Some((1, 0)));
        assert_eq!(beside(true, false).diagonal(2), Some((0, 3)));
    }
}
