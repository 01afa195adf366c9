//! NAL units of an Annex B stream, so that tests can lose and damage them. Not the decoder's own scanner: a test must
//! not share the faults of what it tests.

use std::ops::Range;

/// One NAL unit inside a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nal {
    /// Start code and NAL unit up to the next start code.
    pub range: Range<usize>,
    /// Where the NAL unit's header byte is.
    pub header: usize,
    /// `nal_unit_type`.
    pub nal_unit_type: u8,
    /// `nal_ref_idc`.
    pub nal_ref_idc: u8,
}

impl Nal {
    /// A slice of a picture (types 1 to 5).
    pub fn is_slice(&self) -> bool {
        (1..=5).contains(&self.nal_unit_type)
    }
}

/// Every NAL unit of `stream` in order.
pub fn nals(stream: &[u8]) -> Vec<Nal> {
    let starts: Vec<_> = memchr::memmem::find_iter(stream, &[0, 0, 1])
        .map(|code| {
            (
                if code > 0 && stream[code - 1] == 0 {
                    code - 1
                } else {
                    code
                },
                code + 3,
            )
        })
        .collect();
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([stream.len()]);
    starts
        .iter()
        .zip(ends)
        .filter_map(|(&(start, header), end)| {
            let byte = *stream.get(header)?;
            Some(Nal {
                range: start..end,
                header,
                nal_unit_type: byte & 31,
                nal_ref_idc: byte >> 5 & 3,
            })
        })
        .collect()
}

/// The stream without the NAL units for which `lost` says so.
pub fn without(stream: &[u8], mut lost: impl FnMut(usize, &Nal) -> bool) -> Vec<u8> {
    let kept = nals(stream)
        .into_iter()
        .enumerate()
        .filter(|(number, nal)| !lost(*number, nal));
    kept.flat_map(|(_, nal)| stream[nal.range].to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: [u8; 14] = [0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x65, 8, 0, 0, 1];

    #[test]
    fn both_start_codes_are_found_and_an_empty_nal_is_none() {
        let found = nals(&STREAM);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].range.clone(), found[0].nal_unit_type, found[0].nal_ref_idc),
            (0..6, 7, 3)
        );
        assert_eq!(
            (found[1].range.clone(), found[1].header, found[1].nal_unit_type),
            (6..11, 9, 5)
        );
    }

    #[test]
    fn a_lost_nal_leaves_the_others() {
        assert_eq!(without(&STREAM, |_, nal| nal.nal_unit_type == 7), [0, 0, 1, 0x65, 8]);
    }
}
