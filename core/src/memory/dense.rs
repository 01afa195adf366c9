//! Samples of 10 bits without gaps (NV15, NV20): four in five bytes, the first in the lowest bits.

/// Bits of a sample.
const BITS: usize = 10;
const MASK: u16 = (1 << BITS) - 1;

/// Where sample `n` of a row lies: its first byte, and the bit in that. It ends in the byte after, at the latest.
fn place(n: usize) -> Option<(usize, usize)> {
    let bit = n.checked_mul(BITS)?;
    Some((bit / 8, bit % 8))
}

/// Sample `n` of a row; `None` beyond its end.
pub fn sample(row: &[u8], n: usize) -> Option<u16> {
    let (byte, bit) = place(n)?;
    let &[low, high] = row.get(byte..)?.first_chunk()?;
    Some(u16::from_le_bytes([low, high]) >> bit & MASK)
}

/// Writes sample `n` of a row, 0 to 1023; `None` beyond its end.
pub fn put_sample(row: &mut [u8], n: usize, value: u16) -> Option<()> {
    let (byte, bit) = place(n)?;
    let place: &mut [u8; 2] = row.get_mut(byte..)?.first_chunk_mut()?;
    let others = u16::from_le_bytes(*place) & !(MASK << bit);
    *place = (others | (value & MASK) << bit).to_le_bytes();
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_samples_take_five_bytes() {
        let mut row = [0; 5];
        for (n, value) in [(2, 0x155), (0, 0x3ff), (3, 0x201), (1, 0)] {
            put_sample(&mut row, n, value).unwrap();
        }
        // Written down as `DRM_FORMAT_NV15` has them: the last one first.
        assert_eq!(row, [0xff, 0x03, 0x50, 0x55, 0x80]);
        assert_eq!(
            [0, 1, 2, 3].map(|n| sample(&row, n)),
            [0x3ff, 0, 0x155, 0x201].map(Some)
        );
        assert_eq!((sample(&row, 4), put_sample(&mut row, 4, 1)), (None, None));
        assert_eq!(sample(&row, usize::MAX), None);
        put_sample(&mut row, 0, 5).unwrap();
        assert_eq!([0, 1].map(|n| sample(&row, n)), [Some(5), Some(0)], "the others stay");
    }
}
