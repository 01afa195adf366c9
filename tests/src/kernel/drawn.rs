//! What visl wrote into a picture: the number of the job, and what that job was told, in the console's font.
//!
//! Line after line of 16 rows, 16 samples from the left, `visl_tpg_fill()` of Linux writes
//! ```text
//! sequence:7 timestamp:8000 field:none
//!
//! H264: 14
//!
//! Reference frames:
//! dpb[0]:1000
//! ```
//! and so on, over colour bars: a job's place in decoding order, `pic_order_cnt_lsb`, and 16 `reference_ts`. What follows
//! are the sizes of buffers. A line that would reach the last row is left out, and a line ends where the picture does.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Size of a character.
const WIDTH: usize = 8;
const HEIGHT: usize = 16;
/// Where lines begin.
const LEFT: usize = 16;

/// The rows of the lines, counted in characters.
const SEQUENCE: usize = 1;
const CODEC: usize = 3;
const FIRST_REFERENCE: usize = 6;
/// Entries of `v4l2_ctrl_h264_decode_params.dpb`.
const DPB: usize = 16;

/// The digits of the font (VGA, 8x16): their rows without the two above and the four below, which are empty.
const DIGITS: [[u8; 10]; 10] = [
    [0x38, 0x6c, 0xc6, 0xc6, 0xd6, 0xd6, 0xc6, 0xc6, 0x6c, 0x38],
    [0x18, 0x38, 0x78, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x7e],
    [0x7c, 0xc6, 0x06, 0x0c, 0x18, 0x30, 0x60, 0xc0, 0xc6, 0xfe],
    [0x7c, 0xc6, 0x06, 0x06, 0x3c, 0x06, 0x06, 0x06, 0xc6, 0x7c],
    [0x0c, 0x1c, 0x3c, 0x6c, 0xcc, 0xfe, 0x0c, 0x0c, 0x0c, 0x1e],
    [0xfe, 0xc0, 0xc0, 0xc0, 0xfc, 0x06, 0x06, 0x06, 0xc6, 0x7c],
    [0x38, 0x60, 0xc0, 0xc0, 0xfc, 0xc6, 0xc6, 0xc6, 0xc6, 0x7c],
    [0xfe, 0xc6, 0x06, 0x06, 0x0c, 0x18, 0x30, 0x30, 0x30, 0x30],
    [0x7c, 0xc6, 0xc6, 0xc6, 0x7c, 0xc6, 0xc6, 0xc6, 0xc6, 0x7c],
    [0x7c, 0xc6, 0xc6, 0xc6, 0x7e, 0x06, 0x06, 0x06, 0x0c, 0x78],
];

/// The luma of a picture, packed.
#[derive(Clone, Copy)]
pub struct Luma<'a> {
    /// Row after row.
    pub samples: &'a [u8],
    /// Samples of a row.
    pub width: usize,
}

impl fmt::Debug for Luma<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Luma")
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

/// Which job drew a picture: the last of them, if there were several (two fields, or slices).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Its number since the queues began to stream.
    pub sequence: u64,
    /// `pic_order_cnt_lsb`.
    pub order_count_lsb: u64,
    /// `reference_ts` of the DPB's entries, by size, those that are 0 left out: in which order entries stand is a
    /// client's own choice. `None` where the picture is too low for all of them.
    pub references: Option<Vec<u64>>,
    /// A hash of all rows but those of the references.
    pub elsewhere: u64,
}

impl Drawn {
    /// What is written in a picture; `None` if visl did not write it.
    pub fn read(luma: Luma<'_>) -> Option<Self> {
        let references: Option<Vec<u64>> = (0..DPB).map(|entry| luma.reference(entry)).collect();
        Some(Self {
            sequence: luma.number(SEQUENCE, "sequence:")?,
            order_count_lsb: luma.number(CODEC, "H264: ")?,
            references: references.map(|mut references| {
                references.retain(|&timestamp| timestamp != 0);
                references.sort_unstable();
                references
            }),
            elsewhere: luma.hash_without_references(),
        })
    }
}

impl Luma<'_> {
    /// Whether a picture of that size has room for the number of a job and the order count.
    pub fn is_legible(width: usize, height: usize) -> bool {
        const MOST_DIGITS: usize = 6;
        width >= LEFT + ("sequence:".len() + MOST_DIGITS) * WIDTH && height > (CODEC + 1) * HEIGHT
    }

    fn reference(&self, entry: usize) -> Option<u64> {
        self.number(FIRST_REFERENCE + entry, &format!("dpb[{entry}]:"))
    }

    fn hash_without_references(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let references = FIRST_REFERENCE * HEIGHT..(FIRST_REFERENCE + DPB) * HEIGHT;
        let rows = self.samples.chunks(self.width.max(1)).enumerate();
        rows.filter(|(y, _)| !references.contains(y))
            .for_each(|(_, row)| row.hash(&mut hasher));
        hasher.finish()
    }

    /// The number that follows some words in a line; there the number ends, or the picture.
    fn number(&self, line: usize, after: &str) -> Option<u64> {
        let digits = (after.len()..).map_while(|column| self.digit(line, column));
        let number = digits.fold(String::new(), |number, digit| number + &digit.to_string());
        number.parse().ok()
    }

    /// The digit in a column of a line.
    fn digit(&self, line: usize, column: usize) -> Option<usize> {
        let left = LEFT + column * WIDTH;
        if left + WIDTH > self.width {
            return None;
        }
        let mut glyph = [0; HEIGHT];
        for (y, bits) in glyph.iter_mut().enumerate() {
            let start = (line * HEIGHT + y) * self.width + left;
            let samples = self.samples.get(start..start + WIDTH)?;
            *bits = samples
                .iter()
                .fold(0, |bits, &sample| bits << 1 | u8::from(sample > 125));
        }
        DIGITS
            .iter()
            .position(|digit| glyph[2..12] == *digit && [&glyph[..2], &glyph[12..]].concat() == [0; 6])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (192, 384);

    /// Draws as visl does: digits as they are, what else is written as blanks.
    fn drawn(lines: &[(usize, &str)]) -> Vec<u8> {
        let mut samples = vec![180; SIZE.0 * SIZE.1];
        for (line, text) in lines {
            for (column, character) in text.chars().enumerate().take((SIZE.0 - LEFT) / WIDTH) {
                let glyph = character.to_digit(10).map(|digit| DIGITS[digit as usize]);
                for y in 0..HEIGHT {
                    let bits = match (glyph, y) {
                        (Some(glyph), 2..12) => glyph[y - 2],
                        _ => 0,
                    };
                    for x in 0..WIDTH {
                        let place = (line * HEIGHT + y) * SIZE.0 + LEFT + column * WIDTH + x;
                        samples[place] = if bits & 0x80 >> x == 0 { 16 } else { 235 };
                    }
                }
            }
        }
        samples
    }

    fn read(samples: &[u8]) -> Option<Drawn> {
        Drawn::read(Luma { samples, width: SIZE.0 })
    }

    #[test]
    fn what_was_written_is_read_and_the_order_of_references_does_not_matter() {
        let entries: Vec<String> = (0..DPB)
            .map(|entry| match entry {
                0 => "dpb[0]:9000".to_owned(),
                12 => "dpb[12]:1234567000".to_owned(),
                _ => format!("dpb[{entry}]:0"),
            })
            .collect();
        let mut lines = vec![
            (SEQUENCE, "sequence:1024 timestamp:3680000 field:none"),
            (CODEC, "H264: 58"),
        ];
        lines.extend(
            entries
                .iter()
                .enumerate()
                .map(|(entry, line)| (FIRST_REFERENCE + entry, line.as_str())),
        );
        let picture = read(&drawn(&lines)).unwrap();
        assert_eq!((picture.sequence, picture.order_count_lsb), (1024, 58));
        assert_eq!(picture.references, Some(vec![9000, 1_234_567_000]));
        lines[2].1 = "dpb[0]:1234567000";
        lines[14].1 = "dpb[12]:9000";
        assert_eq!(read(&drawn(&lines)), Some(picture.clone()));
        lines[14].1 = "dpb[12]:8000";
        assert_ne!(read(&drawn(&lines)), Some(picture.clone()));
        lines[14].1 = "dpb[12]:9000";
        lines.push((FIRST_REFERENCE + DPB, "1"));
        assert_ne!(read(&drawn(&lines)).unwrap().elsewhere, picture.elsewhere);
    }

    #[test]
    fn a_low_picture_has_no_references() {
        let found = read(&drawn(&[
            (SEQUENCE, "sequence:0 "),
            (CODEC, "H264: 0"),
            (FIRST_REFERENCE, "dpb[0]:7"),
        ]));
        assert_eq!(found.unwrap().references, None);
    }

    #[test]
    fn a_picture_that_visl_did_not_draw_has_no_number() {
        assert_eq!(read(&drawn(&[])), None);
        assert_eq!(read(&vec![16; SIZE.0 * SIZE.1]), None);
        assert_eq!(read(&[]), None);
    }
}
