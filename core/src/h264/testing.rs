//! What the tests of this module write streams with.

/// Writes syntax elements, most significant bit first.
#[derive(Clone, Debug, Default)]
pub(crate) struct BitWriter {
    bits: Vec<bool>,
}

impl BitWriter {
    /// `u(n)`.
    pub(crate) fn bits(&mut self, bits: u32, value: u32) -> &mut Self {
        self.bits.extend((0..bits).rev().map(|bit| value >> bit & 1 != 0));
        self
    }

    /// `u(1)`.
    pub(crate) fn flag(&mut self, value: bool) -> &mut Self {
        self.bits.push(value);
        self
    }

    /// `ue(v)`.
    pub(crate) fn ue(&mut self, value: u32) -> &mut Self {
        let code = value + 1;
        let length = code.ilog2();
        self.bits(length, 0).flag(true).bits(length, code - (1 << length))
    }

    /// `se(v)`.
    pub(crate) fn se(&mut self, value: i32) -> &mut Self {
        let code = value.unsigned_abs() * 2;
        self.ue(if value > 0 { code - 1 } else { code })
    }

    /// How many bits have been written.
    pub(crate) fn len(&self) -> u64 {
        self.bits.len() as u64
    }

    /// The bytes after `rbsp_trailing_bits()`, without emulation prevention.
    pub(crate) fn trailing_bits(&mut self) -> Vec<u8> {
        let mut bits = self.bits.clone();
        bits.push(true);
        bits.resize(bits.len().next_multiple_of(8), false);
        bits.chunks(8)
            .map(|byte| byte.iter().fold(0, |value, &bit| value << 1 | u8::from(bit)))
            .collect()
    }

    /// The NAL unit with the header byte `header`, with emulation prevention.
    pub(crate) fn nal(&mut self, header: u8) -> Vec<u8> {
        let mut nal = vec![header];
        let mut zeros = 0;
        for byte in self.trailing_bits() {
            if zeros == 2 && byte <= 3 {
                nal.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            nal.push(byte);
        }
        nal
    }
}

/// Numbers that look random and are the same in every run (xorshift).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// Another `seed`, another sequence.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// 0 to `bound` - 1.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) % u64::from(bound)) as u32
    }

    /// Heads or tails.
    pub(crate) fn flag(&mut self) -> bool {
        self.below(2) == 1
    }
}
