//! NAL units as MP4, Matroska and FLV store them (ISO/IEC 14496-15): with lengths, parameter sets in `avcC`.
#![deny(clippy::indexing_slicing)]

use super::bit_reader::Structure;
use crate::BitstreamError;

const AVCC: Structure = Structure {
    name: "AVCDecoderConfigurationRecord",
    clause: "ISO/IEC 14496-15 5.3.3.1",
};
const SAMPLE: Structure = Structure {
    name: "AVCSample",
    clause: "ISO/IEC 14496-15 5.3.4.2",
};

/// Bytes before each NAL unit that hold its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LengthSize {
    /// One byte.
    One,
    /// Two bytes.
    Two,
    /// Three bytes: not allowed, but unambiguous.
    Three,
    /// Four bytes: nearly always.
    Four,
}

impl LengthSize {
    /// By the low two bits of `lengthSizeMinusOne`.
    fn from_minus_one(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::One,
            1 => Self::Two,
            2 => Self::Three,
            _ => Self::Four,
        }
    }

    /// How many bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
        }
    }
}

/// `AVCDecoderConfigurationRecord`: what containers and caps carry as `codec_data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvcDecoderConfiguration<'a> {
    /// Of every sample.
    pub length_size: LengthSize,
    /// SPS NAL units, then PPS NAL units; empty ones are left out.
    pub parameter_sets: Vec<&'a [u8]>,
}

impl<'a> AvcDecoderConfiguration<'a> {
    /// Reads `avcC`. Where it ends early, the parameter sets before the end are kept: the stream may bring the rest.
    ///
    /// # Errors
    /// If it is not version 1 or ends before the number of SPSs.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BitstreamError> {
        let Some((&[version, _, _, _, length_size_minus_one, sps_count], mut rest)) = bytes.split_first_chunk() else {
            return Err(AVCC.error("configurationVersion", format!("{} bytes are too few", bytes.len())));
        };
        if version != 1 {
            return Err(AVCC.error("configurationVersion", format!("{version} is not 1")));
        }
        let length_size = LengthSize::from_minus_one(length_size_minus_one);
        let mut parameter_sets = Vec::new();
        if let Err(error) = read_parameter_sets(&mut rest, sps_count & 31, &mut parameter_sets) {
            tracing::warn!("the rest of the codec data is ignored: {error}");
        }
        Ok(Self {
            length_size,
            parameter_sets,
        })
    }
}

fn read_parameter_sets<'a>(rest: &mut &'a [u8], sps_count: u8, sets: &mut Vec<&'a [u8]>) -> Result<(), BitstreamError> {
    read_sets(rest, sps_count, "sequenceParameterSetLength", sets)?;
    let ended = || AVCC.error("numOfPictureParameterSets", "the data ends before it");
    let (&pps_count, after) = rest.split_first().ok_or_else(ended)?;
    *rest = after;
    read_sets(rest, pps_count, "pictureParameterSetLength", sets)
}

fn read_sets<'a>(
    rest: &mut &'a [u8],
    count: u8,
    element: &'static str,
    sets: &mut Vec<&'a [u8]>,
) -> Result<(), BitstreamError> {
    for _ in 0..count {
        let Some(set) = take_with_length(rest, LengthSize::Two) else {
            return Err(AVCC.error(element, format!("exceeds the {} bytes that are left", rest.len())));
        };
        if !set.is_empty() {
            sets.push(set);
        }
    }
    Ok(())
}

/// The NAL units of a sample, in place; empty ones are passed over.
///
/// A length that exceeds the sample is an error and ends it: what follows cannot be told apart.
pub fn nal_units(sample: &[u8], length_size: LengthSize) -> NalUnits<'_> {
    NalUnits {
        rest: sample,
        length_size,
    }
}

/// What [`nal_units`] returns.
#[derive(Clone, Debug)]
pub struct NalUnits<'a> {
    rest: &'a [u8],
    length_size: LengthSize,
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = Result<&'a [u8], BitstreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            match take_with_length(&mut self.rest, self.length_size) {
                Some([]) => {}
                Some(nal) => return Some(Ok(nal)),
                None => {
                    let left = std::mem::take(&mut self.rest).len();
                    return Some(Err(
                        SAMPLE.error("NALUnitLength", format!("exceeds the {left} bytes that are left"))
                    ));
                }
            }
        }
        None
    }
}

/// Splits off as many bytes as the big-endian number before them says; `None` leaves `rest` as it is.
fn take_with_length<'a>(rest: &mut &'a [u8], length_size: LengthSize) -> Option<&'a [u8]> {
    let (length, after) = rest.split_at_checked(length_size.bytes())?;
    let length = length.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
    let (taken, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AVCC_BYTES: [u8; 18] = [1, 100, 0, 40, 0xff, 0xe1, 0, 3, 0x67, 1, 2, 2, 0, 2, 0x68, 9, 0, 0];

    #[test]
    fn codec_data_gives_length_size_and_parameter_sets() {
        let configuration = AvcDecoderConfiguration::parse(&AVCC_BYTES).unwrap();
        assert_eq!(configuration.length_size, LengthSize::Four);
        assert_eq!(configuration.parameter_sets, [&[0x67, 1, 2][..], &[0x68, 9]]);
    }

    #[test]
    fn codec_data_that_ends_early_keeps_the_parameter_sets_before_the_end() {
        for length in 0..AVCC_BYTES.len() {
            let sets = AvcDecoderConfiguration::parse(&AVCC_BYTES[..length]).map(|avcc| avcc.parameter_sets.len());
            match length {
                0..6 => assert!(sets.is_err(), "{length} bytes"),
                6..11 => assert_eq!(sets, Ok(0), "{length} bytes"),
                11..16 => assert_eq!(sets, Ok(1), "{length} bytes"),
                _ => assert_eq!(sets, Ok(2), "{length} bytes"),
            }
        }
    }

    #[test]
    fn annex_b_in_place_of_codec_data_is_refused() {
        let error = AvcDecoderConfiguration::parse(&[0, 0, 0, 1, 0x67, 100, 0]).unwrap_err();
        assert!(
            error.to_string().contains("configurationVersion: 0 is not 1"),
            "{error}"
        );
    }

    #[test]
    fn every_length_size_is_read() {
        for (minus_one, length_size) in [
            (0, LengthSize::One),
            (1, LengthSize::Two),
            (2, LengthSize::Three),
            (3, LengthSize::Four),
        ] {
            assert_eq!(LengthSize::from_minus_one(0xfc | minus_one), length_size);
            let mut sample = Vec::new();
            for nal in [&[0x65, 1, 2][..], &[], &[0x41]] {
                sample.resize(sample.len() + length_size.bytes() - 1, 0);
                sample.push(nal.len() as u8);
                sample.extend_from_slice(nal);
            }
            let nals: Vec<_> = nal_units(&sample, length_size).collect();
            assert_eq!(nals, [Ok(&[0x65, 1, 2][..]), Ok(&[0x41][..])]);
        }
    }

    #[test]
    fn a_length_that_exceeds_the_sample_is_an_error_after_the_nal_units_before_it() {
        let sample = [0, 0, 0, 1, 0x09, 0x40, 0, 0, 0, 0x65, 1];
        let mut nals = nal_units(&sample, LengthSize::Four);
        assert_eq!(nals.next(), Some(Ok(&[0x09][..])));
        let error = nals.next().unwrap().unwrap_err();
        assert_eq!(
            (error.element, error.reason.as_str()),
            ("NALUnitLength", "exceeds the 6 bytes that are left")
        );
        assert_eq!(nals.next(), None);
    }
}
