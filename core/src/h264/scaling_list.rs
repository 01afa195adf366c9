//! Scaling lists: their syntax (7.3.2.1.1.1), default tables and fall-back rules (table 7-2).
#![deny(clippy::indexing_slicing)]

use super::bit_reader::BitReader;
use super::pps::{PicScalingMatrix, ScalingList};
use super::scan;
use super::sps::ScalingLists;
use crate::BitstreamError;

/// `Default_4x4_Intra` (table 7-3).
const DEFAULT_4X4_INTRA: [u8; 16] = [6, 13, 13, 20, 20, 20, 28, 28, 28, 28, 32, 32, 32, 37, 37, 42];
/// `Default_4x4_Inter` (table 7-3).
const DEFAULT_4X4_INTER: [u8; 16] = [10, 14, 14, 20, 20, 20, 24, 24, 24, 24, 27, 27, 27, 30, 30, 34];
/// `Default_8x8_Intra` (table 7-4).
#[rustfmt::skip]
const DEFAULT_8X8_INTRA: [u8; 64] = [
    6, 10, 10, 13, 11, 13, 16, 16, 16, 16, 18, 18, 18, 18, 18, 23,
    23, 23, 23, 23, 23, 25, 25, 25, 25, 25, 25, 25, 27, 27, 27, 27,
    27, 27, 27, 27, 29, 29, 29, 29, 29, 29, 29, 31, 31, 31, 31, 31,
    31, 33, 33, 33, 33, 33, 36, 36, 36, 36, 38, 38, 38, 40, 40, 42,
];
/// `Default_8x8_Inter` (table 7-4).
#[rustfmt::skip]
const DEFAULT_8X8_INTER: [u8; 64] = [
    9, 13, 13, 15, 13, 15, 17, 17, 17, 17, 19, 19, 19, 19, 19, 21,
    21, 21, 21, 21, 21, 22, 22, 22, 22, 22, 22, 22, 24, 24, 24, 24,
    24, 24, 24, 24, 25, 25, 25, 25, 25, 25, 25, 27, 27, 27, 27, 27,
    27, 28, 28, 28, 28, 28, 30, 30, 30, 30, 32, 32, 32, 33, 33, 35,
];

impl PicScalingMatrix {
    /// The lists of a picture as they are used, in raster order: 4x4 as the standard numbers them, 8x8 of intra and
    /// inter luma, which serve chroma too.
    pub fn from_raster(lists_4x4: &[[u8; 16]; 6], lists_8x8: &[[u8; 64]; 2]) -> Self {
        let [intra, inter] = lists_8x8.map(|list| ScalingList::Coded(scan::zig_zag_8x8(&list)));
        Self {
            lists_4x4: lists_4x4.map(|list| ScalingList::Coded(scan::zig_zag_4x4(&list))),
            lists_8x8: [intra.clone(), inter.clone(), intra.clone(), inter.clone(), intra, inter],
        }
    }

    /// Reads six 4x4 lists and the first `lists_8x8` 8x8 lists.
    pub(crate) fn parse(reader: &mut BitReader<'_>, lists_8x8: usize) -> Result<Self, BitstreamError> {
        let mut matrix = Self {
            lists_4x4: [const { ScalingList::NotPresent }; 6],
            lists_8x8: [const { ScalingList::NotPresent }; 6],
        };
        for list in &mut matrix.lists_4x4 {
            *list = scaling_list(reader)?;
        }
        for list in matrix.lists_8x8.iter_mut().take(lists_8x8) {
            *list = scaling_list(reader)?;
        }
        Ok(matrix)
    }

    /// Completes the lists by fall-back rule B from those of the SPS, by rule A where it has none.
    pub(crate) fn resolve(&self, sps_lists: Option<&ScalingLists>) -> ScalingLists {
        let [y_intra, cb_intra, cr_intra, y_inter, cb_inter, cr_inter] = &self.lists_4x4;
        let fall_back = |inter: bool| match sps_lists.map(|lists| &lists.lists_4x4) {
            Some([.., inter_y, _, _]) if inter => *inter_y,
            Some([intra_y, ..]) => *intra_y,
            None if inter => DEFAULT_4X4_INTER,
            None => DEFAULT_4X4_INTRA,
        };
        let [a, b, c] = fill([y_intra, cb_intra, cr_intra], fall_back(false), &DEFAULT_4X4_INTRA);
        let [d, e, f] = fill([y_inter, cb_inter, cr_inter], fall_back(true), &DEFAULT_4X4_INTER);
        let lists_4x4 = [a, b, c, d, e, f];

        let [y_intra, y_inter, cb_intra, cb_inter, cr_intra, cr_inter] = &self.lists_8x8;
        let [fall_back_intra, fall_back_inter, ..] = match sps_lists {
            Some(lists) => [&lists.lists_8x8[0], &lists.lists_8x8[1]],
            None => [&DEFAULT_8X8_INTRA, &DEFAULT_8X8_INTER],
        };
        let [a, c, e] = fill([y_intra, cb_intra, cr_intra], *fall_back_intra, &DEFAULT_8X8_INTRA);
        let [b, d, f] = fill([y_inter, cb_inter, cr_inter], *fall_back_inter, &DEFAULT_8X8_INTER);
        ScalingLists {
            lists_4x4,
            lists_8x8: [a, b, c, d, e, f],
        }
    }
}

/// Completes Y, Cb, Cr of one kind: an absent first list becomes `fall_back`, an absent later one the one before it.
fn fill<const N: usize>(coded: [&ScalingList<N>; 3], fall_back: [u8; N], default: &[u8; N]) -> [[u8; N]; 3] {
    let mut current = fall_back;
    coded.map(|list| {
        match list {
            ScalingList::NotPresent => {}
            ScalingList::UseDefault => current = *default,
            ScalingList::Coded(list) => current = *list,
        }
        current
    })
}

/// `scaling_list_present_flag` and `scaling_list()`.
fn scaling_list<const N: usize>(reader: &mut BitReader<'_>) -> Result<ScalingList<N>, BitstreamError> {
    if !reader.flag("scaling_list_present_flag")? {
        return Ok(ScalingList::NotPresent);
    }
    let mut list = [0; N];
    let mut last_scale = 8_u8;
    let mut ended = false;
    for (index, scale) in list.iter_mut().enumerate() {
        if !ended {
            let delta_scale: i8 = reader.se_in(i8::MIN..=i8::MAX, "delta_scale")?;
            let next_scale = last_scale.wrapping_add_signed(delta_scale);
            ended = next_scale == 0;
            if ended && index == 0 {
                return Ok(ScalingList::UseDefault);
            }
            if !ended {
                last_scale = next_scale;
            }
        }
        *scale = last_scale;
    }
    Ok(ScalingList::Coded(list))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::h264::bit_reader::Structure;
    use crate::h264::write::bits::BitWriter;

    const TEST: Structure = Structure {
        name: "scaling_list",
        clause: "7.3.2.1.1.1",
    };

    fn absent() -> PicScalingMatrix {
        PicScalingMatrix {
            lists_4x4: [const { ScalingList::NotPresent }; 6],
            lists_8x8: [const { ScalingList::NotPresent }; 6],
        }
    }

    #[test]
    fn a_list_that_ends_early_repeats_its_last_value() {
        let bytes = BitWriter::default()
            .flag(true)
            .se(2)
            .se(4)
            .se(-14)
            .trailing_bits()
            .bytes()
            .to_vec();
        let list = scaling_list::<16>(&mut BitReader::new(TEST, &bytes)).unwrap();
        let mut expected = [14; 16];
        expected[0] = 10;
        assert_eq!(list, ScalingList::Coded(expected));
    }

    #[test]
    fn a_list_whose_first_value_is_0_is_the_default_list() {
        let bytes = BitWriter::default().flag(true).se(-8).trailing_bits().bytes().to_vec();
        let list = scaling_list::<64>(&mut BitReader::new(TEST, &bytes)).unwrap();
        assert_eq!(list, ScalingList::UseDefault);
    }

    #[test]
    fn scales_wrap_at_256() {
        let mut writer = BitWriter::default();
        writer.flag(true).se(127).se(127);
        for _ in 2..16 {
            writer.se(0);
        }
        let bytes = writer.trailing_bits().bytes();
        let list = scaling_list::<16>(&mut BitReader::new(TEST, bytes)).unwrap();
        // 8 + 127 + 127 = 262, and 262 - 256 = 6.
        let mut expected = [6; 16];
        expected[0] = 135;
        assert_eq!(list, ScalingList::Coded(expected));
    }

    #[test]
    fn lists_in_raster_order_become_the_same_lists_as_coded_ones() {
        let lists_4x4: [[u8; 16]; 6] = std::array::from_fn(|n| std::array::from_fn(|i| (16 * n + i) as u8));
        let lists_8x8: [[u8; 64]; 2] = std::array::from_fn(|n| std::array::from_fn(|i| (64 * n + i) as u8));
        let lists = PicScalingMatrix::from_raster(&lists_4x4, &lists_8x8).resolve(None);
        assert_eq!(lists.lists_4x4.map(|list| scan::raster_4x4(&list)), lists_4x4);
        let [intra, inter] = lists_8x8;
        let expected = [intra, inter, intra, inter, intra, inter];
        assert_eq!(lists.lists_8x8.map(|list| scan::raster_8x8(&list)), expected);
    }

    #[test]
    fn rule_a_starts_from_the_default_lists() {
        let mut matrix = absent();
        matrix.lists_4x4[4] = ScalingList::Coded([7; 16]);
        matrix.lists_8x8[2] = ScalingList::Coded([9; 64]);
        let lists = matrix.resolve(None);
        let (intra, inter) = (DEFAULT_4X4_INTRA, DEFAULT_4X4_INTER);
        assert_eq!(lists.lists_4x4, [intra, intra, intra, inter, [7; 16], [7; 16]]);
        let (intra, inter) = (DEFAULT_8X8_INTRA, DEFAULT_8X8_INTER);
        assert_eq!(lists.lists_8x8, [intra, inter, [9; 64], inter, [9; 64], inter]);
    }

    #[test]
    fn rule_b_starts_from_the_lists_of_the_sps() {
        let sps = ScalingLists {
            lists_4x4: [[1; 16], [2; 16], [3; 16], [4; 16], [5; 16], [6; 16]],
            lists_8x8: [[1; 64], [2; 64], [3; 64], [4; 64], [5; 64], [6; 64]],
        };
        let mut matrix = absent();
        matrix.lists_4x4[2] = ScalingList::UseDefault;
        matrix.lists_8x8[1] = ScalingList::UseDefault;
        let lists = matrix.resolve(Some(&sps));
        assert_eq!(
            lists.lists_4x4,
            [[1; 16], [1; 16], DEFAULT_4X4_INTRA, [4; 16], [4; 16], [4; 16]]
        );
        let inter = DEFAULT_8X8_INTER;
        assert_eq!(lists.lists_8x8, [[1; 64], inter, [1; 64], inter, [1; 64], inter]);
    }
}
