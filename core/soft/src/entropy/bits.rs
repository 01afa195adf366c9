//! Reads bits of an RBSP: fixed lengths, Exp-Golomb codes, and the peeks that table lookups need.

use crate::macroblock::Coefficient;

/// Zero bytes that [`BitReader::new`] expects after the payload, so that a peek never needs a short read.
pub(super) const PADDING: usize = 16;

/// A position in an RBSP; reading past its end gives zeros and is noticed by [`BitReader::overrun`].
#[derive(Clone, Copy, Debug)]
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    position: usize,
    /// Position of `rbsp_stop_one_bit`.
    end: usize,
}

impl<'a> BitReader<'a> {
    /// Reads `padded` but for its last [`PADDING`] bytes.
    pub(super) fn new(padded: &'a [u8]) -> Self {
        let payload = &padded[..padded.len().saturating_sub(PADDING)];
        let end = payload.iter().rposition(|&byte| byte != 0).map_or(0, |last| {
            let stop_bit = payload[last].trailing_zeros() as usize;
            last * 8 + 7 - stop_bit
        });
        Self {
            data: padded,
            position: 0,
            end,
        }
    }

    /// The next bits, left-aligned; at least 57 of the 64 are valid.
    #[inline(always)]
    pub(super) fn peek(&self) -> u64 {
        let byte = self.position >> 3;
        let word = match self.data.get(byte..).and_then(|rest| rest.first_chunk::<8>()) {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => 0,
        };
        word << (self.position & 7)
    }

    /// Goes on by `count` bits.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: usize) {
        self.position += count;
    }

    /// `u(count)`, 1 to 32 bits.
    #[inline(always)]
    pub(super) fn bits(&mut self, count: usize) -> u32 {
        let value = self.peek() >> (64 - count);
        self.skip(count);
        value as u32
    }

    /// `u(1)`.
    #[inline(always)]
    pub(super) fn flag(&mut self) -> bool {
        self.bits(1) != 0
    }

    /// `ue(v)`; a prefix longer than any legal one gives `u32::MAX`.
    #[inline(always)]
    pub(super) fn ue(&mut self) -> u32 {
        let word = self.peek();
        let zeros = word.leading_zeros() as usize;
        if zeros > 28 {
            return self.long_ue();
        }
        self.skip(2 * zeros + 1);
        ((word >> (63 - 2 * zeros)) - 1) as u32
    }

    /// `ue(v)` of more bits than one peek has.
    #[cold]
    fn long_ue(&mut self) -> u32 {
        let zeros = self.peek().leading_zeros() as usize;
        self.skip(zeros.min(32) + 1);
        if zeros >= 32 {
            return u32::MAX;
        }
        ((1 << zeros) - 1) + self.bits(zeros)
    }

    /// `se(v)`.
    #[inline(always)]
    pub(super) fn se(&mut self) -> i32 {
        let code = i64::from(self.ue());
        let magnitude = (code + 1) >> 1;
        (if code & 1 == 1 { magnitude } else { -magnitude }) as i32
    }

    /// `te(v)` of a range 0 to `max`; `max` is not 0.
    #[inline(always)]
    pub(super) fn te(&mut self, max: u32) -> u32 {
        if max == 1 { u32::from(!self.flag()) } else { self.ue() }
    }

    /// Bits read so far.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Goes to the next byte boundary, if not at one.
    pub(super) fn align(&mut self) {
        self.position = self.position.next_multiple_of(8);
    }

    /// Takes `count` whole bytes from a byte boundary; `None` where there are fewer.
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let start = self.position / 8;
        let bytes = self
            .data
            .get(start..start + count)
            .filter(|_| start + count <= self.data.len() - PADDING)?;
        self.position += count * 8;
        Some(bytes)
    }

    /// Adds `count` samples of `bit_depth` bits from a byte boundary on; `None` where there are fewer.
    pub(super) fn pcm_samples(&mut self, count: usize, bit_depth: usize, samples: &mut Vec<Coefficient>) -> Option<()> {
        if bit_depth == 8 {
            let bytes = self.bytes(count)?;
            samples.extend(bytes.iter().map(|&sample| Coefficient(i32::from(sample))));
            return Some(());
        }
        if self.position + count * bit_depth > self.end {
            return None;
        }
        samples.extend((0..count).map(|_| Coefficient(self.bits(bit_depth) as i32)));
        // Whole macroblocks of samples of any depth end at a byte boundary.
        Some(())
    }

    /// `more_rbsp_data()`.
    #[inline(always)]
    pub(super) fn more_rbsp_data(&self) -> bool {
        self.position < self.end
    }

    /// Something was read from `rbsp_stop_one_bit` on.
    #[inline(always)]
    pub(super) fn overrun(&self) -> bool {
        self.position > self.end
    }

    /// The padded data, for an engine that reads it in its own way.
    pub(super) fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Position of `rbsp_stop_one_bit`.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Goes to a bit position.
    pub(super) fn seek(&mut self, position: usize) {
        self.position = position;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits as text into padded bytes.
    fn padded(bits: &str) -> Vec<u8> {
        let bits: Vec<u8> = bits.bytes().filter(|c| *c != b' ').map(|c| c - b'0').collect();
        let mut bytes: Vec<u8> = bits
            .chunks(8)
            .map(|byte| byte.iter().enumerate().fold(0, |sum, (i, bit)| sum | bit << (7 - i)))
            .collect();
        bytes.resize(bytes.len() + PADDING, 0);
        bytes
    }

    #[test]
    fn exp_golomb_codes_read_as_in_table_9_2() {
        let data = padded("1 010 011 00100 00111 1 010 011 00100 0001000 1");
        let mut reader = BitReader::new(&data);
        assert_eq!([(); 5].map(|()| reader.ue()), [0, 1, 2, 3, 6]);
        assert_eq!([(); 5].map(|()| reader.se()), [0, 1, -1, 2, 4]);
        assert!(!reader.more_rbsp_data() && !reader.overrun());
    }

    #[test]
    fn the_longest_ue_is_read_and_a_longer_prefix_is_none() {
        let zeros = "0".repeat(31);
        let data = padded(&format!("{zeros}1{}1", "1".repeat(31)));
        assert_eq!(BitReader::new(&data).ue(), u32::MAX - 1);
        let data = padded(&format!("{zeros}0001{zeros}{zeros}1"));
        assert_eq!(BitReader::new(&data).ue(), u32::MAX);
    }

    #[test]
    fn a_read_past_the_end_is_zero_and_noticed() {
        let data = padded("1011 1");
        let mut reader = BitReader::new(&data);
        assert_eq!(reader.bits(4), 0b1011);
        assert!(!reader.overrun());
        reader.skip(1000);
        assert_eq!(reader.bits(32), 0);
        assert!(reader.overrun());
    }

    #[test]
    fn te_of_two_values_is_one_inverted_bit() {
        let data = padded("0 1 011 1");
        let mut reader = BitReader::new(&data);
        assert_eq!((reader.te(1), reader.te(1), reader.te(2)), (1, 0, 2));
    }

    #[test]
    fn bytes_stop_at_the_end_of_the_payload() {
        let data = padded("00000001 00000010 10000000");
        let mut reader = BitReader::new(&data);
        assert_eq!(reader.bytes(2), Some(&[1, 2][..]));
        assert_eq!(reader.bytes(2), None);
    }
}
