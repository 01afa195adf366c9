//! `residual_block_cavlc()` (7.3.5.3.2, 9.2).

use super::super::elements::{Levels, cat};
use super::super::fault::Fault;
use super::Cavlc;
use super::tables::{
    CHROMA_DC_COEFF_TOKEN, COEFF_TOKEN, Entry, RUN_BEFORE_TABLE, TOTAL_ZEROS_CHROMA_DC_422_TABLE,
    TOTAL_ZEROS_CHROMA_DC_TABLE, TOTAL_ZEROS_TABLE, long_coeff_token,
};

/// A `level_prefix` above this gives levels beyond 14 bits of samples.
const MAX_LEVEL_PREFIX: u32 = 20;

impl Cavlc<'_> {
    /// Reads one block with `n_c` (chroma DC needs none); `place` maps its indices to those of the macroblock's block.
    #[inline(always)]
    pub(super) fn residual_block<const CAT: usize>(
        &mut self,
        n_c: u8,
        place: impl Fn(usize) -> usize,
        levels: &mut Levels,
    ) -> Result<u8, Fault> {
        let token = self.coeff_token::<CAT>(n_c);
        if token.length == 0 {
            return Err(Fault::CoeffToken);
        }
        self.bits.skip(usize::from(token.length));
        let total = usize::from(token.value >> 2);
        if total == 0 {
            return Ok(0);
        }
        if total > cat::MAX_COEFFS[CAT] {
            return Err(Fault::CoeffToken);
        }
        let mut values = [0; 16];
        self.levels(&mut values[..total], usize::from(token.value & 3))?;
        let mut zeros_left = self.total_zeros::<CAT>(total)?;

        // At most 15 codes that say 15 zeros: they fit into one peek.
        let mut word = self.bits.peek();
        let mut used = 0;
        let mut index = zeros_left + total - 1;
        for (i, &level) in values[..total].iter().enumerate() {
            levels.push(place(index), level);
            if i + 1 < total {
                let run = run_before(word, zeros_left);
                let (run, length) = (usize::from(run.value), u32::from(run.length));
                if run > zeros_left {
                    return Err(Fault::RunBefore);
                }
                word <<= length;
                used += length as usize;
                zeros_left -= run;
                index = index.wrapping_sub(1 + run);
            }
        }
        self.bits.skip(used);
        Ok(total as u8)
    }

    /// `coeff_token`, not yet skipped.
    #[inline(always)]
    fn coeff_token<const CAT: usize>(&self, n_c: u8) -> Entry {
        let word = self.bits.peek();
        match CAT {
            cat::CHROMA_DC => CHROMA_DC_COEFF_TOKEN[0].get(word),
            cat::CHROMA_DC_422 => CHROMA_DC_COEFF_TOKEN[1].get(word),
            _ => match n_c {
                0..2 => COEFF_TOKEN[0].get(word),
                2..4 => COEFF_TOKEN[1].get(word),
                4..8 => COEFF_TOKEN[2].get(word),
                _ => long_coeff_token(word),
            },
        }
    }

    /// The levels, the one of the highest frequency first (9.2.2).
    #[inline(always)]
    fn levels(&mut self, values: &mut [i32], trailing_ones: usize) -> Result<(), Fault> {
        let signs = self.bits.peek();
        let (ones, others) = values.split_at_mut_checked(trailing_ones).ok_or(Fault::CoeffToken)?;
        for (i, level) in ones.iter_mut().enumerate() {
            *level = 1 - 2 * ((signs << i >> 63) as i32);
        }
        self.bits.skip(trailing_ones);

        let mut suffix_length = u32::from(values_total(ones, others) > 10 && trailing_ones < 3);
        for (i, level) in others.iter_mut().enumerate() {
            let level_code = self.level_code(suffix_length)?;
            // The first level after fewer than three trailing ones is not a one.
            let level_code = level_code + if i == 0 && trailing_ones < 3 { 2 } else { 0 };
            let magnitude = (level_code + 2) >> 1;
            *level = if level_code & 1 == 0 { magnitude } else { -magnitude };
            suffix_length = suffix_length.max(1);
            if magnitude > 3 << (suffix_length - 1) && suffix_length < 6 {
                suffix_length += 1;
            }
        }
        Ok(())
    }

    /// `level_prefix` and `level_suffix` as `levelCode`, before the correction for the first level.
    #[inline(always)]
    fn level_code(&mut self, suffix_length: u32) -> Result<i32, Fault> {
        let word = self.bits.peek();
        let prefix = word.leading_zeros();
        if prefix > MAX_LEVEL_PREFIX {
            return Err(Fault::Level);
        }
        let rest = word << prefix << 1;
        let (size, base) = match prefix {
            0..14 => (suffix_length, prefix << suffix_length),
            14 if suffix_length == 0 => (4, 14),
            14 => (suffix_length, 14 << suffix_length),
            _ => {
                let base = (15 << suffix_length) + if suffix_length == 0 { 15 } else { 0 };
                (prefix - 3, base + (1 << (prefix - 3)) - 4096)
            }
        };
        self.bits.skip((prefix + 1 + size) as usize);
        Ok((base + (rest >> 1 >> (63 - size)) as u32) as i32)
    }

    /// `total_zeros`; 0 where the block is full.
    #[inline(always)]
    fn total_zeros<const CAT: usize>(&mut self, total: usize) -> Result<usize, Fault> {
        let max = cat::MAX_COEFFS[CAT];
        if total >= max {
            return Ok(0);
        }
        let word = self.bits.peek();
        let entry = match CAT {
            cat::CHROMA_DC => TOTAL_ZEROS_CHROMA_DC_TABLE[total - 1][(word >> 61) as usize],
            cat::CHROMA_DC_422 => TOTAL_ZEROS_CHROMA_DC_422_TABLE[total - 1][(word >> 59) as usize],
            _ => TOTAL_ZEROS_TABLE[total - 1][(word >> 55) as usize],
        };
        let zeros = usize::from(entry.value);
        if entry.length == 0 || zeros + total > max {
            return Err(Fault::TotalZeros);
        }
        self.bits.skip(usize::from(entry.length));
        Ok(zeros)
    }
}

/// `TotalCoeff` from both parts of the levels.
#[inline(always)]
fn values_total(ones: &[i32], others: &[i32]) -> usize {
    ones.len() + others.len()
}

/// `run_before` at the head of `word`; a code of no bits where no zeros are left.
#[inline(always)]
fn run_before(word: u64, zeros_left: usize) -> Entry {
    match zeros_left {
        0 => Entry { length: 0, value: 0 },
        _ => {
            let entry = RUN_BEFORE_TABLE[zeros_left.min(7) - 1][(word >> 61) as usize];
            if entry.length > 0 {
                return entry;
            }
            let zeros = word.leading_zeros() as u8;
            Entry {
                length: zeros + 1,
                value: zeros + 4,
            }
        }
    }
}
