//! The numbers of `mb_type` and `sub_mb_type` (tables 7-11, 7-13, 7-14, 7-17, 7-18) as types.

use super::fault::Fault;
use crate::macroblock::{MbType, PredMode, SubMbShape, SubMbType};
use crate::slice::SliceType;

/// An `mb_type` and what it implies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MbTypeInfo {
    /// The type.
    pub(super) mb_type: MbType,
    /// `CodedBlockPattern` of `I_16x16_*`.
    pub(super) coded_block_pattern: u8,
    /// `P_8x8ref0`: no `ref_idx` is coded.
    pub(super) ref0: bool,
}

/// `mb_type` of a slice: its own types, then the intra types.
#[inline(always)]
pub(super) fn mb_type(slice_type: SliceType, number: u32) -> Result<MbTypeInfo, Fault> {
    let own: &[MbType] = match slice_type {
        SliceType::I => &[],
        SliceType::P => &P_TYPES,
        SliceType::B => &B_TYPES,
    };
    match own.get(number as usize) {
        Some(&mb_type) => {
            let ref0 = slice_type == SliceType::P && number == 4;
            Ok(MbTypeInfo {
                mb_type,
                coded_block_pattern: 0,
                ref0,
            })
        }
        None => intra_type(number - own.len() as u32),
    }
}

/// Table 7-11.
#[inline(always)]
fn intra_type(number: u32) -> Result<MbTypeInfo, Fault> {
    let (mb_type, coded_block_pattern) = match number {
        0 => (MbType::INxN, 0),
        1..=24 => {
            let number = number as u8 - 1;
            let luma = if number >= 12 { 0x0f } else { 0 };
            (MbType::I16x16 { pred_mode: number & 3 }, luma | (number / 4 % 3) << 4)
        }
        25 => (MbType::IPcm, 0),
        _ => return Err(Fault::MbType),
    };
    Ok(MbTypeInfo {
        mb_type,
        coded_block_pattern,
        ref0: false,
    })
}

/// `sub_mb_type`.
#[inline(always)]
pub(super) fn sub_mb_type(slice_type: SliceType, number: u32) -> Result<SubMbType, Fault> {
    let types: &[SubMbType] = if slice_type == SliceType::P {
        &P_SUB_TYPES
    } else {
        &B_SUB_TYPES
    };
    types.get(number as usize).copied().ok_or(Fault::SubMbType)
}

use PredMode::{Bi, L0, L1};
use SubMbShape::{S4x4, S4x8, S8x4, S8x8};

/// Table 7-13.
const P_TYPES: [MbType; 5] = [
    MbType::Inter16x16(L0),
    MbType::Inter16x8([L0, L0]),
    MbType::Inter8x16([L0, L0]),
    MbType::Inter8x8,
    MbType::Inter8x8,
];

/// Table 7-14.
const B_TYPES: [MbType; 23] = [
    MbType::Direct16x16,
    MbType::Inter16x16(L0),
    MbType::Inter16x16(L1),
    MbType::Inter16x16(Bi),
    MbType::Inter16x8([L0, L0]),
    MbType::Inter8x16([L0, L0]),
    MbType::Inter16x8([L1, L1]),
    MbType::Inter8x16([L1, L1]),
    MbType::Inter16x8([L0, L1]),
    MbType::Inter8x16([L0, L1]),
    MbType::Inter16x8([L1, L0]),
    MbType::Inter8x16([L1, L0]),
    MbType::Inter16x8([L0, Bi]),
    MbType::Inter8x16([L0, Bi]),
    MbType::Inter16x8([L1, Bi]),
    MbType::Inter8x16([L1, Bi]),
    MbType::Inter16x8([Bi, L0]),
    MbType::Inter8x16([Bi, L0]),
    MbType::Inter16x8([Bi, L1]),
    MbType::Inter8x16([Bi, L1]),
    MbType::Inter16x8([Bi, Bi]),
    MbType::Inter8x16([Bi, Bi]),
    MbType::Inter8x8,
];

/// Table 7-17.
const P_SUB_TYPES: [SubMbType; 4] = [
    SubMbType::Inter(S8x8, L0),
    SubMbType::Inter(S8x4, L0),
    SubMbType::Inter(S4x8, L0),
    SubMbType::Inter(S4x4, L0),
];

/// Table 7-18.
const B_SUB_TYPES: [SubMbType; 13] = [
    SubMbType::Direct,
    SubMbType::Inter(S8x8, L0),
    SubMbType::Inter(S8x8, L1),
    SubMbType::Inter(S8x8, Bi),
    SubMbType::Inter(S8x4, L0),
    SubMbType::Inter(S4x8, L0),
    SubMbType::Inter(S8x4, L1),
    SubMbType::Inter(S4x8, L1),
    SubMbType::Inter(S8x4, Bi),
    SubMbType::Inter(S4x8, Bi),
    SubMbType::Inter(S4x4, L0),
    SubMbType::Inter(S4x4, L1),
    SubMbType::Inter(S4x4, Bi),
];

impl PredMode {
    /// Whether list `list` (0 or 1) is used.
    #[inline(always)]
    pub(super) fn uses(self, list: usize) -> bool {
        match self {
            Self::L0 => list == 0,
            Self::L1 => list == 1,
            Self::Bi => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intra_16x16_types_spell_prediction_mode_and_pattern() {
        let info = |number| mb_type(SliceType::I, number).unwrap();
        assert_eq!(
            info(1),
            MbTypeInfo {
                mb_type: MbType::I16x16 { pred_mode: 0 },
                coded_block_pattern: 0,
                ref0: false
            }
        );
        assert_eq!(info(8).coded_block_pattern, 0x10);
        assert_eq!(info(12).coded_block_pattern, 0x20);
        assert_eq!(info(13).coded_block_pattern, 0x0f);
        assert_eq!(
            info(24),
            MbTypeInfo {
                mb_type: MbType::I16x16 { pred_mode: 3 },
                coded_block_pattern: 0x2f,
                ref0: false
            }
        );
    }

    #[test]
    fn intra_types_follow_the_types_of_the_slice() {
        assert_eq!(mb_type(SliceType::P, 5).unwrap().mb_type, MbType::INxN);
        assert_eq!(mb_type(SliceType::B, 23).unwrap().mb_type, MbType::INxN);
        assert_eq!(mb_type(SliceType::B, 48).unwrap().mb_type, MbType::IPcm);
        assert!(mb_type(SliceType::P, 4).unwrap().ref0);
        for (slice_type, number) in [
            (SliceType::I, 26),
            (SliceType::P, 31),
            (SliceType::B, 49),
            (SliceType::I, u32::MAX),
        ] {
            assert_eq!(mb_type(slice_type, number), Err(Fault::MbType));
        }
        assert_eq!(sub_mb_type(SliceType::P, 4), Err(Fault::SubMbType));
        assert_eq!(sub_mb_type(SliceType::B, 13), Err(Fault::SubMbType));
    }
}
