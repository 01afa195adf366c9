//! Slice headers, read once more with what VA says of them.

use fourier_core::BitstreamError;
use fourier_core::h264::slice_header::{self, SliceType};
use fourier_core::h264::{NalUnit, Pps, SliceHeader, Sps};

use crate::render::RenderedSlice;
use crate::status::{Failure, Result, Status};

/// The most entries that a list may have.
const MAX_REF_IDX_ACTIVE_MINUS1: u8 = 31;

/// A slice header and whether VA agrees.
#[derive(Debug)]
pub struct ReadSlice {
    /// The header.
    pub header: SliceHeader,
    /// It is as long as the application says.
    pub agrees: bool,
}

/// Reads the header of `slice`. Where it does not say how many references it uses, VA does.
///
/// # Errors
/// If it cannot be read, or uses what no stateless decoder offers.
pub fn read(slice: &RenderedSlice<'_>, sps: &Sps, template: &Pps) -> Result<ReadSlice> {
    let lost = |error: BitstreamError| Failure::from(fourier_core::Error::from(error));
    let nal = NalUnit::parse(slice.nal).map_err(lost)?;
    let mut pps = template.clone();
    let limit = |minus1: u8| minus1.min(MAX_REF_IDX_ACTIVE_MINUS1);
    pps.num_ref_idx_l0_default_active_minus1 = limit(slice.parameters.num_ref_idx_l0_active_minus1);
    pps.num_ref_idx_l1_default_active_minus1 = limit(slice.parameters.num_ref_idx_l1_active_minus1);
    let header = SliceHeader::parse(&nal, sps, &pps).map_err(lost)?;
    if let Some(feature) = slice_header::unsupported_feature(nal.nal_unit_type, &pps, &header) {
        return Err(Status::DecodingError.because(feature));
    }
    // VA has 16 bits for it.
    let agrees = header.header_bit_size as u16 == slice.parameters.slice_data_bit_offset;
    Ok(ReadSlice { header, agrees })
}

/// `num_ref_idx_l0_default_active_minus1` and `num_ref_idx_l1_default_active_minus1` of a PPS, as far as known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    active: [Option<u8>; 2],
}

impl Defaults {
    /// A slice without `num_ref_idx_active_override_flag` uses the defaults.
    pub fn learn(&mut self, header: &SliceHeader) {
        if header.num_ref_idx_active_override_flag {
            return;
        }
        let lists = match header.slice_type {
            SliceType::I | SliceType::Si => 0,
            SliceType::P | SliceType::Sp => 1,
            SliceType::B => 2,
        };
        for (default, &active) in self.active.iter_mut().zip(&header.num_ref_idx_active).take(lists) {
            *default = Some(active);
        }
    }

    /// For the PPS; 0 where no slice gave it away, so that no slice depends on it.
    pub fn active_minus1(self) -> [u8; 2] {
        self.active
            .map(|active| active.map_or(0, |active| active.saturating_sub(1)))
    }
}
