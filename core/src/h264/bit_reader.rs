//! Reads the syntax elements of a NAL unit (clauses 7.2 and 9.1), skipping emulation prevention bytes on the way.
#![deny(clippy::indexing_slicing)]

use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::BitstreamError;

/// Longest prefix of zeros of an Exp-Golomb code whose value fits `ue(v)` (9.1).
const MAX_LEADING_ZEROS: u32 = 31;

/// The syntax structure that is read and the clause that defines it: what every error names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Structure {
    /// As the standard writes it (`seq_parameter_set_data`).
    pub(crate) name: &'static str,
    /// Where its syntax or semantics are.
    pub(crate) clause: &'static str,
}

impl Structure {
    /// Makes the error for one of its elements.
    pub(crate) fn error(self, element: &'static str, reason: impl Into<String>) -> BitstreamError {
        BitstreamError {
            structure: self.name,
            element,
            reason: reason.into(),
            clause: self.clause,
        }
    }
}

/// A position in the RBSP of one NAL unit. The NAL unit's bytes are used as they are: nothing is copied.
///
/// All positions count bits without emulation prevention.
#[derive(Clone, Debug)]
pub(crate) struct BitReader<'a> {
    structure: Structure,
    /// What is not in the cache yet.
    rest: &'a [u8],
    /// Zero bytes just before `rest`, at most 2: a 3 after two of them is `emulation_prevention_three_byte`.
    zeros: u8,
    /// The next bits, the first one on top; 0 below `cached`.
    cache: u64,
    cached: u32,
    position: u64,
    /// The position that no element may pass.
    limit: u64,
}

impl<'a> BitReader<'a> {
    /// Starts at the first bit of `bytes`, which may carry trailing zeros and `cabac_zero_words`.
    pub(crate) fn new(structure: Structure, bytes: &'a [u8]) -> Self {
        let rest = without_trailing_zeros(bytes);
        Self {
            structure,
            rest,
            zeros: 0,
            cache: 0,
            cached: 0,
            position: 0,
            limit: u64::MAX,
        }
    }

    /// Bits read so far.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// From here on, errors name `structure`.
    pub(crate) fn enter(&mut self, structure: Structure) {
        self.structure = structure;
    }

    /// The same position in `structure`, of which only `bits` belong to it: reading on is an error.
    pub(crate) fn limited(&self, structure: Structure, bits: u64) -> Self {
        let limit = self.limit.min(self.position.saturating_add(bits));
        Self {
            structure,
            limit,
            ..self.clone()
        }
    }

    /// An error about `element` of the structure that is read.
    pub(crate) fn error(&self, element: &'static str, reason: impl Into<String>) -> BitstreamError {
        self.structure.error(element, reason)
    }

    /// `more_rbsp_data()` (7.2): something is left before `rbsp_trailing_bits()`.
    pub(crate) fn more_rbsp_data(&mut self) -> bool {
        self.refill();
        // Trailing zeros are gone, so the last 1 is the stop bit: the data goes on if that is not the next bit.
        !self.rest.is_empty() || self.cache << 1 != 0
    }

    /// `u(1)`.
    pub(crate) fn flag(&mut self, element: &'static str) -> Result<bool, BitstreamError> {
        Ok(self.take(1, element)? != 0)
    }

    /// `u(n)`, n at most 32.
    pub(crate) fn bits<T: TryFrom<u32>>(&mut self, bits: u32, element: &'static str) -> Result<T, BitstreamError> {
        let value = self.take(bits, element)?;
        T::try_from(value).map_err(|_| self.error(element, format!("{value} does not fit")))
    }

    /// `ue(v)` without a bound but its own: 2^32 - 2.
    pub(crate) fn ue(&mut self, element: &'static str) -> Result<u32, BitstreamError> {
        self.refill();
        let zeros = self.cache.leading_zeros();
        if zeros > MAX_LEADING_ZEROS && self.cached > MAX_LEADING_ZEROS {
            return Err(self.error(element, "Exp-Golomb code is longer than 32 bits"));
        }
        if zeros >= self.cached {
            return Err(self.truncated(element));
        }
        self.take(zeros + 1, element)?;
        let suffix = self.take(zeros, element)?;
        Ok((1_u32 << zeros) - 1 + suffix)
    }

    /// `ue(v)`, 0 to `max`.
    pub(crate) fn ue_max<T>(&mut self, max: T, element: &'static str) -> Result<T, BitstreamError>
    where
        T: TryFrom<u32> + PartialOrd + Copy + Display,
    {
        let value = self.ue(element)?;
        let in_range = T::try_from(value).ok().filter(|value| *value <= max);
        in_range.ok_or_else(|| self.error(element, format!("{value} is above {max}")))
    }

    /// `se(v)`: -2^31 + 1 to 2^31 - 1.
    pub(crate) fn se(&mut self, element: &'static str) -> Result<i32, BitstreamError> {
        let code = self.ue(element)?;
        let magnitude = (code.div_ceil(2)).cast_signed();
        Ok(if code % 2 == 1 { magnitude } else { -magnitude })
    }

    /// `se(v)` within `range`.
    pub(crate) fn se_in<T>(&mut self, range: RangeInclusive<T>, element: &'static str) -> Result<T, BitstreamError>
    where
        T: TryFrom<i32> + PartialOrd + Copy + Display,
    {
        let value = self.se(element)?;
        let in_range = T::try_from(value).ok().filter(|value| range.contains(value));
        in_range.ok_or_else(|| {
            self.error(
                element,
                format!("{value} is not in {} to {}", range.start(), range.end()),
            )
        })
    }

    /// Passes over `bits` bits.
    pub(crate) fn skip(&mut self, bits: u64, element: &'static str) -> Result<(), BitstreamError> {
        for _ in 0..bits / 32 {
            self.take(32, element)?;
        }
        self.take((bits % 32) as u32, element).map(drop)
    }

    fn take(&mut self, bits: u32, element: &'static str) -> Result<u32, BitstreamError> {
        debug_assert!(bits <= 32);
        if self.cached < bits {
            self.refill();
        }
        if self.cached < bits || self.position + u64::from(bits) > self.limit {
            return Err(self.truncated(element));
        }
        // Two shifts, because one by 64 (of 0 bits) would overflow.
        let value = (self.cache >> 1 >> (63 - bits)) as u32;
        self.cache <<= bits;
        self.cached -= bits;
        self.position += u64::from(bits);
        Ok(value)
    }

    /// Afterwards at least 57 bits are cached, or all there are.
    fn refill(&mut self) {
        while self.cached <= 56 {
            let Some((&byte, rest)) = self.rest.split_first() else {
                return;
            };
            self.rest = rest;
            if self.zeros == 2 && byte == 3 {
                self.zeros = 0;
                continue;
            }
            self.zeros = if byte == 0 { (self.zeros + 1).min(2) } else { 0 };
            self.cache |= u64::from(byte) << (56 - self.cached);
            self.cached += 8;
        }
    }

    fn truncated(&self, element: &'static str) -> BitstreamError {
        self.error(element, format!("the data ends at bit {}", self.position))
    }
}

/// Takes `trailing_zero_8bits` and `cabac_zero_words` (0x0000 03) off the end of a NAL unit.
pub(crate) fn without_trailing_zeros(mut bytes: &[u8]) -> &[u8] {
    loop {
        let used = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        bytes = bytes.get(..used).unwrap_or_default();
        match bytes.strip_suffix(&[0, 0, 3]) {
            Some(before) => bytes = before,
            None => return bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::h264::write::bits::BitWriter;

    const TEST: Structure = Structure {
        name: "test",
        clause: "9.1",
    };

    #[test]
    fn every_code_is_read_as_it_was_written() {
        let unsigned = [0, 1, 2, 3, 7, 8, 254, 255, 65_535, (1 << 28) - 1, 1 << 29, u32::MAX - 1];
        let signed = [0, 1, -1, 2, -2, 127, -128, 1 << 20, i32::MAX, i32::MIN + 1];
        let mut writer = BitWriter::default();
        for value in unsigned {
            writer.ue(value).u(32, value).flag(true);
        }
        for value in signed {
            writer.se(value);
        }
        let mut reader = BitReader::new(TEST, writer.trailing_bits().bytes());
        for value in unsigned {
            assert_eq!(reader.ue("ue"), Ok(value));
            assert_eq!(reader.bits(32, "u"), Ok(value));
            assert_eq!(reader.flag("flag"), Ok(true));
        }
        for value in signed {
            assert!(reader.more_rbsp_data());
            assert_eq!(reader.se("se"), Ok(value));
        }
        assert!(!reader.more_rbsp_data());
    }

    #[test]
    fn emulation_prevention_is_skipped_and_not_counted() {
        let bytes = [0, 0, 3, 0, 0, 3, 1, 0, 0, 3, 3, 0x80];
        let mut reader = BitReader::new(TEST, &bytes);
        for expected in [0_u32, 0, 0, 0, 1, 0, 0, 3] {
            assert_eq!(reader.bits(8, "byte"), Ok(expected));
        }
        assert_eq!(reader.position(), 64);
        assert!(!reader.more_rbsp_data());
    }

    #[test]
    fn cabac_zero_words_are_no_data() {
        let bytes = [0x55, 0x80, 0, 0, 3, 0, 0, 3, 0, 0];
        let mut reader = BitReader::new(TEST, &bytes);
        assert_eq!(reader.bits::<u8>(8, "byte"), Ok(0x55));
        assert!(!reader.more_rbsp_data());
    }

    #[test]
    fn the_end_of_the_data_is_an_error_that_names_element_and_bit() {
        let mut reader = BitReader::new(TEST, &[0x10]);
        assert_eq!(reader.bits::<u8>(3, "first"), Ok(0));
        let error = reader.bits::<u8>(6, "second").unwrap_err();
        assert_eq!(error.to_string(), "test: second: the data ends at bit 3 (H.264 9.1)");
        assert!(BitReader::new(TEST, &[0, 0, 0]).ue("ue").is_err());
    }

    #[test]
    fn an_endless_exp_golomb_code_is_an_error() {
        let bytes = [0x80, 0, 0, 3, 0, 0, 3, 0, 0, 3, 1];
        let mut reader = BitReader::new(TEST, &bytes);
        assert_eq!(reader.ue("short"), Ok(0));
        assert!(reader.ue("long").unwrap_err().reason.contains("longer"));
    }

    #[test]
    fn a_value_out_of_range_is_an_error_that_names_the_range() {
        let bytes = BitWriter::default().ue(300).se(-13).trailing_bits().bytes().to_vec();
        let mut reader = BitReader::new(TEST, &bytes);
        assert_eq!(reader.ue_max(255_u8, "id").unwrap_err().reason, "300 is above 255");
        assert_eq!(
            reader.se_in(-12_i8..=12, "offset").unwrap_err().reason,
            "-13 is not in -12 to 12"
        );
    }

    #[test]
    fn a_limited_reader_stops_at_its_limit() {
        let reader = BitReader::new(TEST, &[0xff; 8]);
        let mut limited = reader.limited(TEST, 12);
        assert!(limited.skip(12, "payload").is_ok());
        assert!(limited.flag("beyond").is_err());
    }
}
