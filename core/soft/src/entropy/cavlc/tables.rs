//! The variable length codes of CAVLC (9.2), as the standard lists them, and the lookup tables made of them.

/// Length and bits of a code; a length of 0 is no code.
type Code = (u8, u16);

/// `coeff_token`, 0 <= nC < 2 (table 9-5): by `TotalCoeff`, then `TrailingOnes`.
#[rustfmt::skip]
const COEFF_TOKEN_0: [[Code; 4]; 17] = [
    [(1, 0x1), (0, 0x0), (0, 0x0), (0, 0x0)],
    [(6, 0x5), (2, 0x1), (0, 0x0), (0, 0x0)],
    [(8, 0x7), (6, 0x4), (3, 0x1), (0, 0x0)],
    [(9, 0x7), (8, 0x6), (7, 0x5), (5, 0x3)],
    [(10, 0x7), (9, 0x6), (8, 0x5), (6, 0x3)],
    [(11, 0x7), (10, 0x6), (9, 0x5), (7, 0x4)],
    [(13, 0xf), (11, 0x6), (10, 0x5), (8, 0x4)],
    [(13, 0xb), (13, 0xe), (11, 0x5), (9, 0x4)],
    [(13, 0x8), (13, 0xa), (13, 0xd), (10, 0x4)],
    [(14, 0xf), (14, 0xe), (13, 0x9), (11, 0x4)],
    [(14, 0xb), (14, 0xa), (14, 0xd), (13, 0xc)],
    [(15, 0xf), (15, 0xe), (14, 0x9), (14, 0xc)],
    [(15, 0xb), (15, 0xa), (15, 0xd), (14, 0x8)],
    [(16, 0xf), (15, 0x1), (15, 0x9), (15, 0xc)],
    [(16, 0xb), (16, 0xe), (16, 0xd), (15, 0x8)],
    [(16, 0x7), (16, 0xa), (16, 0x9), (16, 0xc)],
    [(16, 0x4), (16, 0x6), (16, 0x5), (16, 0x8)],
];

/// `coeff_token`, 2 <= nC < 4.
#[rustfmt::skip]
const COEFF_TOKEN_2: [[Code; 4]; 17] = [
    [(2, 0x3), (0, 0x0), (0, 0x0), (0, 0x0)],
    [(6, 0xb), (2, 0x2), (0, 0x0), (0, 0x0)],
    [(6, 0x7), (5, 0x7), (3, 0x3), (0, 0x0)],
    [(7, 0x7), (6, 0xa), (6, 0x9), (4, 0x5)],
    [(8, 0x7), (6, 0x6), (6, 0x5), (4, 0x4)],
    [(8, 0x4), (7, 0x6), (7, 0x5), (5, 0x6)],
    [(9, 0x7), (8, 0x6), (8, 0x5), (6, 0x8)],
    [(11, 0xf), (9, 0x6), (9, 0x5), (6, 0x4)],
    [(11, 0xb), (11, 0xe), (11, 0xd), (7, 0x4)],
    [(12, 0xf), (11, 0xa), (11, 0x9), (9, 0x4)],
    [(12, 0xb), (12, 0xe), (12, 0xd), (11, 0xc)],
    [(12, 0x8), (12, 0xa), (12, 0x9), (11, 0x8)],
    [(13, 0xf), (13, 0xe), (13, 0xd), (12, 0xc)],
    [(13, 0xb), (13, 0xa), (13, 0x9), (13, 0xc)],
    [(13, 0x7), (14, 0xb), (13, 0x6), (13, 0x8)],
    [(14, 0x9), (14, 0x8), (14, 0xa), (13, 0x1)],
    [(14, 0x7), (14, 0x6), (14, 0x5), (14, 0x4)],
];

/// `coeff_token`, 4 <= nC < 8.
#[rustfmt::skip]
const COEFF_TOKEN_4: [[Code; 4]; 17] = [
    [(4, 0xf), (0, 0x0), (0, 0x0), (0, 0x0)],
    [(6, 0xf), (4, 0xe), (0, 0x0), (0, 0x0)],
    [(6, 0xb), (5, 0xf), (4, 0xd), (0, 0x0)],
    [(6, 0x8), (5, 0xc), (5, 0xe), (4, 0xc)],
    [(7, 0xf), (5, 0xa), (5, 0xb), (4, 0xb)],
    [(7, 0xb), (5, 0x8), (5, 0x9), (4, 0xa)],
    [(7, 0x9), (6, 0xe), (6, 0xd), (4, 0x9)],
    [(7, 0x8), (6, 0xa), (6, 0x9), (4, 0x8)],
    [(8, 0xf), (7, 0xe), (7, 0xd), (5, 0xd)],
    [(8, 0xb), (8, 0xe), (7, 0xa), (6, 0xc)],
    [(9, 0xf), (8, 0xa), (8, 0xd), (7, 0xc)],
    [(9, 0xb), (9, 0xe), (8, 0x9), (8, 0xc)],
    [(9, 0x8), (9, 0xa), (9, 0xd), (8, 0x8)],
    [(10, 0xd), (9, 0x7), (9, 0x9), (9, 0xc)],
    [(10, 0x9), (10, 0xc), (10, 0xb), (10, 0xa)],
    [(10, 0x5), (10, 0x8), (10, 0x7), (10, 0x6)],
    [(10, 0x1), (10, 0x4), (10, 0x3), (10, 0x2)],
];

/// `coeff_token`, nC = -1 (chroma DC of 4:2:0).
#[rustfmt::skip]
const COEFF_TOKEN_CHROMA_DC: [[Code; 4]; 5] = [
    [(2, 0x1), (0, 0x0), (0, 0x0), (0, 0x0)],
    [(6, 0x7), (1, 0x1), (0, 0x0), (0, 0x0)],
    [(6, 0x4), (6, 0x6), (3, 0x1), (0, 0x0)],
    [(6, 0x3), (7, 0x3), (7, 0x2), (6, 0x5)],
    [(6, 0x2), (8, 0x3), (8, 0x2), (7, 0x0)],
];

/// `coeff_token`, nC = -2 (chroma DC of 4:2:2).
#[rustfmt::skip]
const COEFF_TOKEN_CHROMA_DC_422: [[Code; 4]; 9] = [
    [(1, 0x1), (0, 0x0), (0, 0x0), (0, 0x0)],
    [(7, 0xf), (2, 0x1), (0, 0x0), (0, 0x0)],
    [(7, 0xe), (7, 0xd), (3, 0x1), (0, 0x0)],
    [(9, 0x7), (7, 0xc), (7, 0xb), (5, 0x1)],
    [(9, 0x6), (9, 0x5), (7, 0xa), (6, 0x1)],
    [(10, 0x7), (10, 0x6), (9, 0x4), (7, 0x9)],
    [(11, 0x7), (11, 0x6), (10, 0x5), (7, 0x8)],
    [(12, 0x7), (12, 0x6), (11, 0x5), (10, 0x4)],
    [(13, 0x7), (12, 0x5), (12, 0x4), (11, 0x4)],
];

/// `total_zeros` of 4x4 blocks by `tzVlcIndex` - 1 (tables 9-7, 9-8).
#[rustfmt::skip]
const TOTAL_ZEROS: [&[Code]; 15] = [
    &[(1, 0x1), (3, 0x3), (3, 0x2), (4, 0x3), (4, 0x2), (5, 0x3), (5, 0x2), (6, 0x3),
      (6, 0x2), (7, 0x3), (7, 0x2), (8, 0x3), (8, 0x2), (9, 0x3), (9, 0x2), (9, 0x1)],
    &[(3, 0x7), (3, 0x6), (3, 0x5), (3, 0x4), (3, 0x3), (4, 0x5), (4, 0x4),
      (4, 0x3), (4, 0x2), (5, 0x3), (5, 0x2), (6, 0x3), (6, 0x2), (6, 0x1), (6, 0x0)],
    &[(4, 0x5), (3, 0x7), (3, 0x6), (3, 0x5), (4, 0x4), (4, 0x3), (3, 0x4),
      (3, 0x3), (4, 0x2), (5, 0x3), (5, 0x2), (6, 0x1), (5, 0x1), (6, 0x0)],
    &[(5, 0x3), (3, 0x7), (4, 0x5), (4, 0x4), (3, 0x6), (3, 0x5),
      (3, 0x4), (4, 0x3), (3, 0x3), (4, 0x2), (5, 0x2), (5, 0x1), (5, 0x0)],
    &[(4, 0x5), (4, 0x4), (4, 0x3), (3, 0x7), (3, 0x6), (3, 0x5),
      (3, 0x4), (3, 0x3), (4, 0x2), (5, 0x1), (4, 0x1), (5, 0x0)],
    &[(6, 0x1), (5, 0x1), (3, 0x7), (3, 0x6), (3, 0x5), (3, 0x4), (3, 0x3), (3, 0x2), (4, 0x1), (3, 0x1), (6, 0x0)],
    &[(6, 0x1), (5, 0x1), (3, 0x5), (3, 0x4), (3, 0x3), (2, 0x3), (3, 0x2), (4, 0x1), (3, 0x1), (6, 0x0)],
    &[(6, 0x1), (4, 0x1), (5, 0x1), (3, 0x3), (2, 0x3), (2, 0x2), (3, 0x2), (3, 0x1), (6, 0x0)],
    &[(6, 0x1), (6, 0x0), (4, 0x1), (2, 0x3), (2, 0x2), (3, 0x1), (2, 0x1), (5, 0x1)],
    &[(5, 0x1), (5, 0x0), (3, 0x1), (2, 0x3), (2, 0x2), (2, 0x1), (4, 0x1)],
    &[(4, 0x0), (4, 0x1), (3, 0x1), (3, 0x2), (1, 0x1), (3, 0x3)],
    &[(4, 0x0), (4, 0x1), (2, 0x1), (1, 0x1), (3, 0x1)],
    &[(3, 0x0), (3, 0x1), (1, 0x1), (2, 0x1)],
    &[(2, 0x0), (2, 0x1), (1, 0x1)],
    &[(1, 0x0), (1, 0x1)],
];

/// `total_zeros` of chroma DC, 4:2:0 (table 9-9 a).
#[rustfmt::skip]
const TOTAL_ZEROS_CHROMA_DC: [&[Code]; 3] = [
    &[(1, 0x1), (2, 0x1), (3, 0x1), (3, 0x0)],
    &[(1, 0x1), (2, 0x1), (2, 0x0)],
    &[(1, 0x1), (1, 0x0)],
];

/// `total_zeros` of chroma DC, 4:2:2 (table 9-9 b).
#[rustfmt::skip]
const TOTAL_ZEROS_CHROMA_DC_422: [&[Code]; 7] = [
    &[(1, 0x1), (3, 0x2), (3, 0x3), (4, 0x2), (4, 0x3), (4, 0x1), (5, 0x1), (5, 0x0)],
    &[(3, 0x0), (2, 0x1), (3, 0x1), (3, 0x4), (3, 0x5), (3, 0x6), (3, 0x7)],
    &[(3, 0x0), (3, 0x1), (2, 0x1), (2, 0x2), (3, 0x6), (3, 0x7)],
    &[(3, 0x6), (2, 0x0), (2, 0x1), (2, 0x2), (3, 0x7)],
    &[(2, 0x0), (2, 0x1), (2, 0x2), (2, 0x3)],
    &[(2, 0x0), (2, 0x1), (1, 0x1)],
    &[(1, 0x0), (1, 0x1)],
];

/// `run_before` by min(`zerosLeft`, 7) - 1, up to 3 bits long (table 9-10); the longer ones are unary.
#[rustfmt::skip]
const RUN_BEFORE: [&[Code]; 7] = [
    &[(1, 0x1), (1, 0x0)],
    &[(1, 0x1), (2, 0x1), (2, 0x0)],
    &[(2, 0x3), (2, 0x2), (2, 0x1), (2, 0x0)],
    &[(2, 0x3), (2, 0x2), (2, 0x1), (3, 0x1), (3, 0x0)],
    &[(2, 0x3), (2, 0x2), (3, 0x3), (3, 0x2), (3, 0x1), (3, 0x0)],
    &[(2, 0x3), (3, 0x0), (3, 0x1), (3, 0x3), (3, 0x2), (3, 0x5), (3, 0x4)],
    &[(3, 0x7), (3, 0x6), (3, 0x5), (3, 0x4), (3, 0x3), (3, 0x2), (3, 0x1)],
];

/// `coded_block_pattern` of intra macroblocks by `codeNum`, `ChromaArrayType` 1 or 2 (table 9-4 a).
#[rustfmt::skip]
pub(super) const CBP_INTRA: [u8; 48] = [
    47, 31, 15, 0, 23, 27, 29, 30, 7, 11, 13, 14, 39, 43, 45, 46,
    16, 3, 5, 10, 12, 19, 21, 26, 28, 35, 37, 42, 44, 1, 2, 4,
    8, 17, 18, 20, 24, 6, 9, 22, 25, 32, 33, 34, 36, 40, 38, 41,
];

/// `coded_block_pattern` of inter macroblocks, `ChromaArrayType` 1 or 2.
#[rustfmt::skip]
pub(super) const CBP_INTER: [u8; 48] = [
    0, 16, 1, 2, 4, 8, 32, 3, 5, 10, 12, 15, 47, 7, 11, 13,
    14, 6, 9, 31, 35, 37, 42, 44, 33, 34, 36, 40, 39, 43, 45, 46,
    17, 18, 20, 24, 19, 21, 26, 28, 23, 27, 29, 30, 22, 25, 38, 41,
];

/// `coded_block_pattern` of intra macroblocks, `ChromaArrayType` 0 (table 9-4 b).
pub(super) const CBP_INTRA_MONOCHROME: [u8; 16] = [15, 0, 7, 11, 13, 14, 3, 5, 10, 12, 1, 2, 4, 8, 6, 9];

/// `coded_block_pattern` of inter macroblocks, `ChromaArrayType` 0.
pub(super) const CBP_INTER_MONOCHROME: [u8; 16] = [0, 1, 2, 4, 8, 3, 5, 10, 12, 15, 7, 11, 13, 14, 6, 9];

/// What a lookup gives: the value and the length of its code, 0 where there is no such code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Length in bits.
    pub(super) length: u8,
    /// The value.
    pub(super) value: u8,
}

/// Where no code is.
const NONE: Entry = Entry { length: 0, value: 0 };

/// `coeff_token` by its leading zeros (up to 15) and the three bits after the first one.
pub(super) struct CoeffToken([Entry; 128]);

impl CoeffToken {
    /// Puts codes of at most three bits after the leading one into their places; `value` is `TotalCoeff << 2 | TrailingOnes`.
    const fn new(codes: &[[Code; 4]]) -> Self {
        let mut table = [NONE; 128];
        let mut i = 0;
        while i < 4 * codes.len() {
            let (length, bits) = codes[i / 4][i % 4];
            if length > 0 {
                let significant = 16 - bits.leading_zeros() as usize;
                let (first, last) = if bits == 0 {
                    (8 * length as usize, 128)
                } else {
                    let free = 4 - significant;
                    let first = 8 * (length as usize - significant) + (((bits as usize) << free) & 7);
                    (first, first + (1 << free))
                };
                let mut at = first;
                while at < last {
                    table[at] = Entry { length, value: i as u8 };
                    at += 1;
                }
            }
            i += 1;
        }
        Self(table)
    }

    /// The code at the head of `word`.
    #[inline(always)]
    pub(super) fn get(&self, word: u64) -> Entry {
        let zeros = word.leading_zeros().min(15);
        self.0[(zeros as usize) << 3 | (word << zeros << 1 >> 61) as usize]
    }
}

/// `coeff_token` for nC from 0 to 7, in three classes.
pub(super) static COEFF_TOKEN: [CoeffToken; 3] = [
    CoeffToken::new(&COEFF_TOKEN_0),
    CoeffToken::new(&COEFF_TOKEN_2),
    CoeffToken::new(&COEFF_TOKEN_4),
];

/// `coeff_token` of chroma DC: 4:2:0, 4:2:2.
pub(super) static CHROMA_DC_COEFF_TOKEN: [CoeffToken; 2] = [
    CoeffToken::new(&COEFF_TOKEN_CHROMA_DC),
    CoeffToken::new(&COEFF_TOKEN_CHROMA_DC_422),
];

/// `coeff_token` for nC of 8 and more: six bits, `TotalCoeff - 1` and `TrailingOnes`, but for no coefficient at all.
#[inline(always)]
pub(super) fn long_coeff_token(word: u64) -> Entry {
    let code = (word >> 58) as u8;
    let value = if code == 3 { 0 } else { code + 4 };
    let exists = value & 3 <= value >> 2;
    Entry {
        length: if exists { 6 } else { 0 },
        value,
    }
}

/// Puts codes of at most `log2(SIZE)` bits into a table indexed by that many bits.
const fn flat<const SIZE: usize>(codes: &[Code]) -> [Entry; SIZE] {
    let width = SIZE.trailing_zeros() as usize;
    let mut table = [NONE; SIZE];
    let mut i = 0;
    while i < codes.len() {
        let (length, bits) = codes[i];
        let free = width - length as usize;
        let first = (bits as usize) << free;
        let mut at = first;
        while at < first + (1 << free) {
            table[at] = Entry { length, value: i as u8 };
            at += 1;
        }
        i += 1;
    }
    table
}

/// [`flat`] of every row.
const fn flat_all<const ROWS: usize, const SIZE: usize>(codes: &[&[Code]; ROWS]) -> [[Entry; SIZE]; ROWS] {
    let mut tables = [[NONE; SIZE]; ROWS];
    let mut row = 0;
    while row < ROWS {
        tables[row] = flat(codes[row]);
        row += 1;
    }
    tables
}

/// `total_zeros` by `tzVlcIndex` - 1 and nine bits.
pub(super) static TOTAL_ZEROS_TABLE: [[Entry; 512]; 15] = flat_all(&TOTAL_ZEROS);

/// `total_zeros` of chroma DC, 4:2:0, by `tzVlcIndex` - 1 and three bits.
pub(super) static TOTAL_ZEROS_CHROMA_DC_TABLE: [[Entry; 8]; 3] = flat_all(&TOTAL_ZEROS_CHROMA_DC);

/// `total_zeros` of chroma DC, 4:2:2, by `tzVlcIndex` - 1 and five bits.
pub(super) static TOTAL_ZEROS_CHROMA_DC_422_TABLE: [[Entry; 32]; 7] = flat_all(&TOTAL_ZEROS_CHROMA_DC_422);

/// `run_before` by min(`zerosLeft`, 7) - 1 and three bits; no entry = a longer, unary code.
pub(super) static RUN_BEFORE_TABLE: [[Entry; 8]; 7] = flat_all(&RUN_BEFORE);

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits of a code at the head of a word, followed by `rest`.
    fn word((length, bits): Code, rest: u64) -> u64 {
        let head = u64::from(bits) << (64 - u32::from(length));
        head | rest >> length
    }

    /// Fills the rest of 16 bits in every way that matters.
    const RESTS: [u64; 3] = [0, u64::MAX, 0x5a5a_5a5a_5a5a_5a5a];

    /// Sum of 2^-length over the codes in units of 2^-16.
    fn kraft<'a>(codes: impl Iterator<Item = &'a Code>) -> u32 {
        codes
            .filter(|(length, _)| *length > 0)
            .map(|(length, _)| 1 << (16 - length))
            .sum()
    }

    #[test]
    fn every_coeff_token_reads_as_itself() {
        let all: [(&CoeffToken, &[[Code; 4]]); 5] = [
            (&COEFF_TOKEN[0], &COEFF_TOKEN_0),
            (&COEFF_TOKEN[1], &COEFF_TOKEN_2),
            (&COEFF_TOKEN[2], &COEFF_TOKEN_4),
            (&CHROMA_DC_COEFF_TOKEN[0], &COEFF_TOKEN_CHROMA_DC),
            (&CHROMA_DC_COEFF_TOKEN[1], &COEFF_TOKEN_CHROMA_DC_422),
        ];
        for (table, codes) in all {
            for (i, &code) in codes.as_flattened().iter().enumerate().filter(|(_, code)| code.0 > 0) {
                for rest in RESTS {
                    assert_eq!(
                        table.get(word(code, rest)),
                        Entry {
                            length: code.0,
                            value: i as u8
                        }
                    );
                }
            }
        }
    }

    #[test]
    fn a_long_coeff_token_has_as_many_coefficients_as_trailing_ones_at_least() {
        assert_eq!(long_coeff_token(0b000011 << 58), Entry { length: 6, value: 0 });
        assert_eq!(
            long_coeff_token(0b000001 << 58),
            Entry {
                length: 6,
                value: 1 << 2 | 1
            }
        );
        assert_eq!(
            long_coeff_token(0b111111 << 58),
            Entry {
                length: 6,
                value: 16 << 2 | 3
            }
        );
        assert_eq!(long_coeff_token(0b000010 << 58).length, 0);
        assert_eq!(long_coeff_token(0b000111 << 58).length, 0);
    }

    #[test]
    fn every_run_of_zeros_reads_as_itself() {
        fn check<const ROWS: usize, const SIZE: usize>(tables: &[[Entry; SIZE]; ROWS], codes: &[&[Code]; ROWS]) {
            for (table, codes) in tables.iter().zip(codes) {
                for (i, &code) in codes.iter().enumerate() {
                    for rest in RESTS {
                        let head = word(code, rest) >> (64 - SIZE.trailing_zeros());
                        assert_eq!(
                            table[head as usize],
                            Entry {
                                length: code.0,
                                value: i as u8
                            }
                        );
                    }
                }
            }
        }
        check(&TOTAL_ZEROS_TABLE, &TOTAL_ZEROS);
        check(&TOTAL_ZEROS_CHROMA_DC_TABLE, &TOTAL_ZEROS_CHROMA_DC);
        check(&TOTAL_ZEROS_CHROMA_DC_422_TABLE, &TOTAL_ZEROS_CHROMA_DC_422);
        check(&RUN_BEFORE_TABLE, &RUN_BEFORE);
    }

    #[test]
    fn codes_of_total_zeros_and_run_before_leave_no_gap_but_the_known_ones() {
        for (row, codes) in TOTAL_ZEROS.iter().enumerate() {
            let gap = if row == 0 { 1 << 7 } else { 0 };
            assert_eq!(kraft(codes.iter()), (1 << 16) - gap, "tzVlcIndex {}", row + 1);
        }
        for codes in TOTAL_ZEROS_CHROMA_DC
            .iter()
            .chain(&TOTAL_ZEROS_CHROMA_DC_422)
            .chain(&RUN_BEFORE[..6])
        {
            assert_eq!(kraft(codes.iter()), 1 << 16);
        }
        // 000 begins the unary codes.
        assert_eq!(kraft(RUN_BEFORE[6].iter()), (1 << 16) - (1 << 13));
    }

    #[test]
    fn coded_block_patterns_are_permutations() {
        for table in [CBP_INTRA, CBP_INTER] {
            let mut sorted = table;
            sorted.sort_unstable();
            assert!(sorted.iter().copied().eq(0..48));
        }
        for table in [CBP_INTRA_MONOCHROME, CBP_INTER_MONOCHROME] {
            let mut sorted = table;
            sorted.sort_unstable();
            assert!(sorted.iter().copied().eq(0..16));
        }
    }
}
