//! Splits an OUTPUT buffer into NAL units and takes their emulation prevention bytes out.

use memchr::memmem;

use super::bits::PADDING;
use crate::StartCode;

/// The NAL units of an OUTPUT buffer, without start codes, still with emulation prevention bytes.
pub(super) fn nal_units(bitstream: &[u8], start_code: StartCode) -> impl Iterator<Item = &[u8]> {
    let mut rest = match start_code {
        StartCode::None => Some(bitstream),
        StartCode::AnnexB => memmem::find(bitstream, &[0, 0, 1]).map(|at| &bitstream[at + 3..]),
    };
    std::iter::from_fn(move || {
        let current = rest.take()?;
        if start_code == StartCode::None {
            return Some(current);
        }
        match memmem::find(current, &[0, 0, 1]) {
            Some(at) => {
                rest = Some(&current[at + 3..]);
                Some(&current[..at])
            }
            None => Some(current),
        }
    })
}

/// Writes the RBSP of `nal`, NAL header byte included, and [`PADDING`] zero bytes into `rbsp`.
pub(super) fn unescape(nal: &[u8], rbsp: &mut Vec<u8>) {
    rbsp.clear();
    rbsp.reserve(nal.len() + PADDING);
    let mut rest = nal;
    while let Some(at) = memmem::find(rest, &[0, 0, 3]) {
        rbsp.extend_from_slice(&rest[..at + 2]);
        rest = &rest[at + 3..];
    }
    rbsp.extend_from_slice(rest);
    rbsp.resize(rbsp.len() + PADDING, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annex_b_splits_at_start_codes_of_three_and_four_bytes() {
        let stream = [9, 0, 0, 1, 0x65, 7, 0, 0, 0, 1, 0x41, 0, 0, 1, 0x41, 8];
        let units: Vec<_> = nal_units(&stream, StartCode::AnnexB).collect();
        assert_eq!(units, [&[0x65, 7, 0][..], &[0x41], &[0x41, 8]]);
    }

    #[test]
    fn without_a_start_code_annex_b_has_no_unit() {
        assert_eq!(nal_units(&[0x65, 1, 2], StartCode::AnnexB).count(), 0);
    }

    #[test]
    fn without_start_codes_the_buffer_is_one_unit() {
        let units: Vec<_> = nal_units(&[0x65, 0, 0, 1], StartCode::None).collect();
        assert_eq!(units, [&[0x65, 0, 0, 1][..]]);
    }

    #[test]
    fn every_emulation_prevention_byte_goes_and_nothing_else() {
        let mut rbsp = Vec::new();
        unescape(&[1, 0, 0, 3, 0, 0, 3, 1, 0, 3, 0, 0, 3], &mut rbsp);
        assert_eq!(&rbsp[..rbsp.len() - PADDING], [1, 0, 0, 0, 0, 1, 0, 3, 0, 0]);
        assert_eq!(&rbsp[rbsp.len() - PADDING..], [0; PADDING]);
    }
}
