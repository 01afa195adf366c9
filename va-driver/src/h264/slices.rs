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

#[cfg(test)]
mod tests {
    use fourier_core::units::Size;

    use super::*;
    use crate::ffi::va;
    use crate::format::SampleFormat;
    use crate::h264::parameter_sets;

    /// P slices of a reference picture, `frame_num` 1: with the default length of the list, and with one of 3 of its own.
    const WITH_DEFAULT: &[u8] = &[0x41, 0x9a, 0x23];
    const WITH_OVERRIDE: &[u8] = &[0x41, 0x9a, 0x36, 0x60];

    fn read_slice(nal: &[u8], active_minus1: u8, bit_offset: u16) -> Result<ReadSlice> {
        let sps = parameter_sets::placeholder_sps(Size { width: 16, height: 16 }, SampleFormat::Nv12);
        let pps = parameter_sets::pps(&va::VAPictureParameterBufferH264::default(), None, &sps).unwrap();
        let parameters = va::VASliceParameterBufferH264 {
            num_ref_idx_l0_active_minus1: active_minus1,
            slice_data_bit_offset: bit_offset,
            ..Default::default()
        };
        let slice = RenderedSlice {
            parameters: &parameters,
            nal,
        };
        read(&slice, &sps, &pps)
    }

    #[test]
    fn a_list_is_as_long_as_va_says_unless_its_slice_says_it() {
        let of_default = read_slice(WITH_DEFAULT, 3, 23).unwrap();
        assert_eq!((of_default.header.num_ref_idx_active[0], of_default.agrees), (4, true));
        let of_its_own = read_slice(WITH_OVERRIDE, 7, 26).unwrap();
        assert_eq!((of_its_own.header.num_ref_idx_active[0], of_its_own.agrees), (3, true));
        assert!(!read_slice(WITH_DEFAULT, 3, 24).unwrap().agrees);
        // More than a frame can have.
        let too_many = read_slice(WITH_DEFAULT, 255, 23).unwrap_err();
        assert_eq!(too_many.status, Status::DecodingError);
    }

    #[test]
    fn defaults_are_learned_from_the_slices_that_use_them() {
        let mut defaults = Defaults::default();
        defaults.learn(&read_slice(WITH_OVERRIDE, 2, 26).unwrap().header);
        assert_eq!(defaults, Defaults::default(), "it depends on no default");
        defaults.learn(&read_slice(WITH_DEFAULT, 3, 23).unwrap().header);
        assert_eq!(defaults.active_minus1(), [3, 0]);
        // The slices of a picture may differ, and so may pictures.
        defaults.learn(&read_slice(WITH_OVERRIDE, 2, 26).unwrap().header);
        assert_eq!(defaults.active_minus1(), [3, 0]);
    }
}
