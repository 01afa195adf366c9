//! NAL unit headers (7.3.1) and what the types mean for a decoder of the base view.
#![deny(clippy::indexing_slicing)]

use super::bit_reader::Structure;
use crate::BitstreamError;

/// `nal_unit_type` (table 7-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NalUnitType {
    /// 1: a slice of a picture that is not IDR.
    NonIdrSlice,
    /// 2: data partition A: Extended profile.
    DataPartitionA,
    /// 3: data partition B.
    DataPartitionB,
    /// 4: data partition C.
    DataPartitionC,
    /// 5: a slice of an IDR picture.
    IdrSlice,
    /// 6: supplemental enhancement information.
    Sei,
    /// 7: sequence parameter set.
    Sps,
    /// 8: picture parameter set.
    Pps,
    /// 9: access unit delimiter.
    AccessUnitDelimiter,
    /// 10: end of sequence.
    EndOfSequence,
    /// 11: end of stream.
    EndOfStream,
    /// 12: filler data.
    FillerData,
    /// 13: sequence parameter set extension: alpha of auxiliary pictures.
    SpsExtension,
    /// 14: prefix of a base view's slice for SVC and MVC decoders.
    Prefix,
    /// 15: subset sequence parameter set: other layers and views.
    SubsetSps,
    /// 16: depth parameter set.
    DepthParameterSet,
    /// 19: a slice of an auxiliary picture.
    AuxiliarySlice,
    /// 20: a slice of another layer or view.
    SliceExtension,
    /// 21: a slice of a depth view or a texture view with 3D tools.
    SliceExtension3d,
    /// 17, 18, 22, 23.
    Reserved(u8),
    /// 0, 24 to 31.
    Unspecified(u8),
}

impl NalUnitType {
    /// By its low five bits.
    pub fn from_header(byte: u8) -> Self {
        match byte & 31 {
            1 => Self::NonIdrSlice,
            2 => Self::DataPartitionA,
            3 => Self::DataPartitionB,
            4 => Self::DataPartitionC,
            5 => Self::IdrSlice,
            6 => Self::Sei,
            7 => Self::Sps,
            8 => Self::Pps,
            9 => Self::AccessUnitDelimiter,
            10 => Self::EndOfSequence,
            11 => Self::EndOfStream,
            12 => Self::FillerData,
            13 => Self::SpsExtension,
            14 => Self::Prefix,
            15 => Self::SubsetSps,
            16 => Self::DepthParameterSet,
            19 => Self::AuxiliarySlice,
            20 => Self::SliceExtension,
            21 => Self::SliceExtension3d,
            reserved @ (17 | 18 | 22 | 23) => Self::Reserved(reserved),
            unspecified => Self::Unspecified(unspecified),
        }
    }

    /// A slice of a primary or redundant coded picture of the base view, data partitions included.
    pub fn is_slice(self) -> bool {
        use NalUnitType::{DataPartitionA, DataPartitionB, DataPartitionC, IdrSlice, NonIdrSlice};
        matches!(
            self,
            NonIdrSlice | DataPartitionA | DataPartitionB | DataPartitionC | IdrSlice
        )
    }

    /// Nothing for a decoder of the base view: other views and layers, auxiliary pictures, filler, what is not
    /// specified (7.4.1: decoders shall ignore these).
    pub fn is_ignored(self) -> bool {
        match self {
            Self::NonIdrSlice
            | Self::DataPartitionA
            | Self::DataPartitionB
            | Self::DataPartitionC
            | Self::IdrSlice
            | Self::Sei
            | Self::Sps
            | Self::Pps
            | Self::AccessUnitDelimiter
            | Self::EndOfSequence
            | Self::EndOfStream => false,
            Self::FillerData
            | Self::SpsExtension
            | Self::Prefix
            | Self::SubsetSps
            | Self::DepthParameterSet
            | Self::AuxiliarySlice
            | Self::SliceExtension
            | Self::SliceExtension3d
            | Self::Reserved(_)
            | Self::Unspecified(_) => true,
        }
    }
}

/// A NAL unit: its bytes from the header on, without start code or length, emulation prevention in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NalUnit<'a> {
    /// `nal_unit_type`.
    pub nal_unit_type: NalUnitType,
    /// `nal_ref_idc`, 0 to 3.
    pub nal_ref_idc: u8,
    /// All of it, the header byte first.
    pub bytes: &'a [u8],
}

impl<'a> NalUnit<'a> {
    /// Reads the header byte of `bytes`.
    ///
    /// # Errors
    /// If there is none, or `forbidden_zero_bit` is set: such a NAL unit is damaged and to be ignored.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BitstreamError> {
        const NAL_UNIT: Structure = Structure {
            name: "nal_unit",
            clause: "7.4.1",
        };
        let Some(&header) = bytes.first() else {
            return Err(NAL_UNIT.error("nal_unit_type", "the NAL unit is empty"));
        };
        if header & 0x80 != 0 {
            return Err(NAL_UNIT.error("forbidden_zero_bit", format!("set in header byte {header:#04x}")));
        }
        let nal_unit_type = NalUnitType::from_header(header);
        Ok(Self {
            nal_unit_type,
            nal_ref_idc: header >> 5,
            bytes,
        })
    }

    /// What follows the header byte.
    pub(crate) fn payload(&self) -> &'a [u8] {
        self.bytes.get(1..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_byte_gives_type_and_importance() {
        let nal = NalUnit::parse(&[0x65, 0x88]).unwrap();
        assert_eq!((nal.nal_unit_type, nal.nal_ref_idc), (NalUnitType::IdrSlice, 3));
        assert_eq!(nal.payload(), [0x88]);
    }

    #[test]
    fn a_nal_unit_that_is_empty_or_has_the_forbidden_bit_is_refused() {
        assert_eq!(NalUnit::parse(&[]).unwrap_err().element, "nal_unit_type");
        assert_eq!(NalUnit::parse(&[0xe5]).unwrap_err().element, "forbidden_zero_bit");
    }

    #[test]
    fn other_views_layers_and_auxiliary_pictures_are_no_slices_of_ours() {
        for header in [12_u8, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0, 24, 31] {
            let nal_unit_type = NalUnitType::from_header(header | 0x60);
            assert!(
                nal_unit_type.is_ignored() && !nal_unit_type.is_slice(),
                "{nal_unit_type:?}"
            );
        }
        for header in 1..=11 {
            let nal_unit_type = NalUnitType::from_header(header);
            assert!(!nal_unit_type.is_ignored(), "{nal_unit_type:?}");
            assert_eq!(nal_unit_type.is_slice(), header <= 5, "{nal_unit_type:?}");
        }
    }
}
