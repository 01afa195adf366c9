//! The arithmetic decoding engine (9.3.3.2).
//!
//! `codIOffset` and `codIRange` stand at the top of 64-bit words, the offset with the bits that follow it below, so that
//! renormalisation is one shift of both and memory is read 32 bits at a time.

use super::super::bits::BitReader;

/// Lowest bit of a 9-bit register at the top of a word.
const UNIT: u32 = 55;

/// Bits that one call of [`Engine::refill`] brings.
const REFILL: i32 = 32;

/// The state of the engine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Engine<'a> {
    tables: &'static Tables,
    data: &'a [u8],
    /// Next byte to load.
    next: usize,
    /// `codIOffset`, then [`Self::ahead`] bits of what follows.
    offset: u64,
    /// `codIRange`.
    range: u64,
    /// Bits loaded but not yet in `codIOffset`.
    ahead: i32,
}

impl<'a> Engine<'a> {
    /// Starts (9.3.1.2) at the byte that `bits` is at.
    pub(super) fn new(bits: &BitReader<'a>) -> Self {
        let mut engine = Self {
            tables: &TABLES,
            data: bits.data(),
            next: bits.position() / 8,
            offset: 0,
            range: 510 << UNIT,
            ahead: -9,
        };
        engine.refill();
        engine
    }

    /// Loads more bits, if fewer than the longest renormalisation may need are there.
    #[inline(always)]
    fn refill(&mut self) {
        if self.ahead < 12 {
            let word = match self.data.get(self.next..).and_then(|rest| rest.first_chunk::<4>()) {
                Some(bytes) => u32::from_be_bytes(*bytes),
                None => 0,
            };
            self.offset |= u64::from(word) << (UNIT as i32 - REFILL - self.ahead);
            self.next += 4;
            self.ahead += REFILL;
        }
    }

    /// `DecodeDecision` with a context variable.
    #[inline(always)]
    pub(super) fn decision(&mut self, state: &mut u8) -> bool {
        let s = *state as usize & 127;
        let entry = self.tables.lps[(self.range >> 54) as usize & 0x180 | s];
        let lps = u64::from(entry >> 8) << UNIT;
        let mps = self.range - lps;
        let (bin, shift);
        if self.offset < mps {
            *state = self.tables.next_state[s];
            shift = (mps >> 63) as u32 ^ 1;
            self.range = mps << shift;
            bin = s & 1 != 0;
        } else {
            *state = self.tables.next_state[s | 0x80];
            self.offset -= mps;
            shift = u32::from(entry & 7);
            self.range = lps << shift;
            bin = s & 1 == 0;
        }
        self.offset <<= shift;
        self.ahead -= shift as i32;
        self.refill();
        bin
    }

    /// `DecodeBypass`.
    #[inline(always)]
    pub(super) fn bypass(&mut self) -> bool {
        // Twice the offset against the range is the offset against half of it, which fits into the word.
        let half = self.range >> 1;
        let bin = self.offset >= half;
        self.offset = (self.offset - if bin { half } else { 0 }) << 1;
        self.ahead -= 1;
        self.refill();
        bin
    }

    /// The suffix of UEGk binarisations (9.3.2.3); `None` beyond any legal value.
    #[inline(always)]
    pub(super) fn exp_golomb(&mut self, mut k: u32) -> Option<i32> {
        let mut value = 0;
        while self.bypass() {
            value += 1 << k;
            k += 1;
            if k > 20 {
                return None;
            }
        }
        let mut suffix = 0;
        for _ in 0..k {
            suffix = suffix << 1 | i32::from(self.bypass());
        }
        Some(value + suffix)
    }

    /// `DecodeTerminate`.
    #[inline(always)]
    pub(super) fn terminate(&mut self) -> bool {
        self.range -= 2 << UNIT;
        if self.offset >= self.range {
            return true;
        }
        let shift = self.range.leading_zeros();
        self.range <<= shift;
        self.offset <<= shift;
        self.ahead -= shift as i32;
        self.refill();
        false
    }

    /// Bits that went into `codIOffset`, from the start of the data; after a terminating bin all that belong to the code.
    #[inline(always)]
    pub(super) fn position(&self) -> usize {
        (self.next * 8).saturating_sub(self.ahead as usize)
    }
}

/// `rangeTabLPS` (table 9-44).
#[rustfmt::skip]
const RANGE_TAB_LPS: [[u8; 4]; 64] = [
    [128, 176, 208, 240], [128, 167, 197, 227], [128, 158, 187, 216], [123, 150, 178, 205],
    [116, 142, 169, 195], [111, 135, 160, 185], [105, 128, 152, 175], [100, 122, 144, 166],
    [95, 116, 137, 158], [90, 110, 130, 150], [85, 104, 123, 142], [81, 99, 117, 135],
    [77, 94, 111, 128], [73, 89, 105, 122], [69, 85, 100, 116], [66, 80, 95, 110],
    [62, 76, 90, 104], [59, 72, 86, 99], [56, 69, 81, 94], [53, 65, 77, 89],
    [51, 62, 73, 85], [48, 59, 69, 80], [46, 56, 66, 76], [43, 53, 63, 72],
    [41, 50, 59, 69], [39, 48, 56, 65], [37, 45, 54, 62], [35, 43, 51, 59],
    [33, 41, 48, 56], [32, 39, 46, 53], [30, 37, 43, 50], [29, 35, 41, 48],
    [27, 33, 39, 45], [26, 31, 37, 43], [24, 30, 35, 41], [23, 28, 33, 39],
    [22, 27, 32, 37], [21, 26, 30, 35], [20, 24, 29, 33], [19, 23, 27, 31],
    [18, 22, 26, 30], [17, 21, 25, 28], [16, 20, 23, 27], [15, 19, 22, 25],
    [14, 18, 21, 24], [14, 17, 20, 23], [13, 16, 19, 22], [12, 15, 18, 21],
    [12, 14, 17, 20], [11, 14, 16, 19], [11, 13, 15, 18], [10, 12, 15, 17],
    [10, 12, 14, 16], [9, 11, 13, 15], [9, 11, 12, 14], [8, 10, 12, 14],
    [8, 9, 11, 13], [7, 9, 11, 12], [7, 9, 10, 12], [7, 8, 10, 11],
    [6, 8, 9, 11], [6, 7, 9, 10], [6, 7, 8, 9], [2, 2, 2, 2],
];

/// `transIdxLps` (table 9-45).
#[rustfmt::skip]
const TRANS_IDX_LPS: [u8; 64] = [
    0, 0, 1, 2, 2, 4, 4, 5, 6, 7, 8, 9, 9, 11, 11, 12,
    13, 13, 15, 15, 16, 16, 18, 18, 19, 19, 21, 21, 22, 22, 23, 24,
    24, 25, 26, 26, 27, 27, 28, 29, 29, 30, 30, 30, 31, 32, 32, 33,
    33, 33, 34, 34, 35, 35, 35, 36, 36, 36, 37, 37, 37, 38, 38, 63,
];

/// What a decision looks up.
#[derive(Debug)]
struct Tables {
    /// `rangeTabLPS << 8 | shift` by `qCodIRangeIdx << 7 | pStateIdx << 1 | valMPS`; `shift` renormalises it.
    lps: [u16; 512],
    /// The state after a bin, by `isLPS << 7 | pStateIdx << 1 | valMPS`.
    next_state: [u8; 256],
}

/// The one instance.
static TABLES: Tables = Tables {
    lps: lps_table(),
    next_state: next_state_table(),
};

const fn lps_table() -> [u16; 512] {
    let mut table = [0; 512];
    let mut i = 0;
    while i < 512 {
        let range = RANGE_TAB_LPS[i >> 1 & 63][i >> 7];
        table[i] = (range as u16) << 8 | (range.leading_zeros() + 1) as u16;
        i += 1;
    }
    table
}

const fn next_state_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 128 {
        let (state, mps) = (i >> 1, i & 1);
        let next = if state < 62 { state + 1 } else { state };
        table[i] = (next << 1 | mps) as u8;
        let flipped = if state == 0 { mps ^ 1 } else { mps };
        table[128 | i] = TRANS_IDX_LPS[state] << 1 | flipped as u8;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::super::bits::PADDING;
    use super::*;

    /// The encoder of 9.3.4.2, bit by bit as the standard writes it.
    struct Encoder {
        low: u32,
        range: u32,
        outstanding: u32,
        first: bool,
        bits: Vec<bool>,
    }

    impl Encoder {
        fn new() -> Self {
            Self {
                low: 0,
                range: 510,
                outstanding: 0,
                first: true,
                bits: Vec::new(),
            }
        }

        fn put(&mut self, bit: bool) {
            if !std::mem::take(&mut self.first) {
                self.bits.push(bit);
            }
            let outstanding = std::mem::take(&mut self.outstanding);
            self.bits.extend((0..outstanding).map(|_| !bit));
        }

        fn renorm(&mut self) {
            while self.range < 256 {
                if self.low < 256 {
                    self.put(false);
                } else if self.low >= 512 {
                    self.low -= 512;
                    self.put(true);
                } else {
                    self.low -= 256;
                    self.outstanding += 1;
                }
                self.range <<= 1;
                self.low <<= 1;
            }
        }

        fn decision(&mut self, state: &mut u8, bin: bool) {
            let (index, mps) = (usize::from(*state >> 1), *state & 1 != 0);
            let lps = u32::from(RANGE_TAB_LPS[index][(self.range >> 6 & 3) as usize]);
            self.range -= lps;
            if bin == mps {
                *state = (if index < 62 { index + 1 } else { index } as u8) << 1 | u8::from(mps);
            } else {
                self.low += self.range;
                self.range = lps;
                *state = TRANS_IDX_LPS[index] << 1 | u8::from(mps != (index == 0));
            }
            self.renorm();
        }

        fn bypass(&mut self, bin: bool) {
            self.low <<= 1;
            if bin {
                self.low += self.range;
            }
            if self.low >= 1024 {
                self.put(true);
                self.low -= 1024;
            } else if self.low < 512 {
                self.put(false);
            } else {
                self.low -= 512;
                self.outstanding += 1;
            }
        }

        fn terminate(&mut self, bin: bool) {
            self.range -= 2;
            if bin {
                self.low += self.range;
                self.range = 2;
                self.renorm();
                self.put(self.low >> 9 & 1 != 0);
                self.bits.extend([self.low >> 8 & 1 != 0, true]);
            } else {
                self.renorm();
            }
        }

        /// The bytes, the last bit being `rbsp_stop_one_bit`, padded.
        fn finish(self) -> Vec<u8> {
            let mut bytes = vec![0; self.bits.len().div_ceil(8) + PADDING];
            for (i, &bit) in self.bits.iter().enumerate() {
                bytes[i / 8] |= u8::from(bit) << (7 - i % 8);
            }
            bytes
        }
    }

    /// Numbers without a pattern.
    fn noise(seed: &mut u32) -> u32 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *seed >> 16
    }

    #[test]
    fn what_the_encoder_of_the_standard_writes_is_read_back() {
        for bias in [1, 8, 100, 500, 990] {
            let (mut seed, mut encoder) = (bias, Encoder::new());
            let bins: Vec<(u32, bool)> = (0..20_000)
                .map(|_| (noise(&mut seed) % 12, noise(&mut seed) % 1000 < bias))
                .collect();
            let mut states = [20; 10];
            for &(kind, bin) in &bins {
                match kind {
                    10 => encoder.bypass(bin),
                    11 => encoder.terminate(false),
                    context => encoder.decision(&mut states[context as usize], bin),
                }
            }
            encoder.terminate(true);
            let data = encoder.finish();
            let bits = BitReader::new(&data);
            let mut engine = Engine::new(&bits);
            let mut states = [20; 10];
            for (i, &(kind, bin)) in bins.iter().enumerate() {
                let read = match kind {
                    10 => engine.bypass(),
                    11 => engine.terminate() != bin || bin,
                    context => engine.decision(&mut states[context as usize]),
                };
                assert!(kind == 11 || read == bin, "bin {i}");
            }
            assert!(engine.terminate());
            assert_eq!(
                engine.position(),
                bits.end() + 1,
                "the last bit read is rbsp_stop_one_bit"
            );
        }
    }

    #[test]
    fn an_engine_without_data_reads_on_without_end() {
        let data = [0; PADDING];
        let bits = BitReader::new(&data);
        let mut engine = Engine::new(&bits);
        let mut state = 0;
        for _ in 0..1000 {
            engine.decision(&mut state);
            engine.bypass();
        }
        assert!(engine.position() > bits.end());
    }
}
