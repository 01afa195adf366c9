//! H.264 syntax and decoded picture buffer: pure, no fd, no clock.
#![forbid(unsafe_code)]

pub mod access_unit;
pub mod annexb;
pub mod avcc;
mod bit_reader;
pub mod dpb;
pub mod nal;
pub mod parameter_sets;
pub mod poc;
pub mod pps;
pub mod ref_lists;
pub mod reference;
#[cfg(test)]
pub(crate) mod samples;
mod scaling_list;
pub(crate) mod scan;
pub mod sei;
pub mod slice_header;
pub mod sps;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod write;

pub use nal::{NalUnit, NalUnitType};
pub use parameter_sets::ParameterSets;
pub use pps::Pps;
pub use slice_header::SliceHeader;
pub use sps::Sps;

/// Names a picture (a frame or a complementary field pair) for as long as somebody refers to it; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PictureId(pub u64);

/// A field's parity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parity {
    /// Top field.
    Top,
    /// Bottom field.
    Bottom,
}

impl Parity {
    /// Its place in pairs such as `field_order_cnt`: top 0, bottom 1.
    pub const fn index(self) -> usize {
        match self {
            Self::Top => 0,
            Self::Bottom => 1,
        }
    }

    /// The other one.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Top => Self::Bottom,
            Self::Bottom => Self::Top,
        }
    }
}

/// `field_pic_flag` and `bottom_field_flag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PictureStructure {
    /// A coded frame, MBAFF or not.
    Frame,
    /// A coded field.
    Field(Parity),
}

impl PictureStructure {
    /// The parity of a field; `None` for a frame.
    pub const fn parity(self) -> Option<Parity> {
        match self {
            Self::Frame => None,
            Self::Field(parity) => Some(parity),
        }
    }
}
