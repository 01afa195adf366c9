//! Bits of an RBSP (7.2, 9.1), and the NAL unit around it (7.3.1).

/// Writes syntax elements, most significant bit first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitWriter {
    bytes: Vec<u8>,
    bits: usize,
}

impl BitWriter {
    /// `u(n)`, n at most 32.
    pub fn u(&mut self, n: u32, value: u32) -> &mut Self {
        for bit in (0..n).rev() {
            self.flag(value >> bit & 1 == 1);
        }
        self
    }

    /// `u(1)`.
    pub fn flag(&mut self, value: bool) -> &mut Self {
        if self.bits.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(value) << (7 - self.bits % 8);
        }
        self.bits += 1;
        self
    }

    /// `ue(v)`, 0 to 2^32 - 2.
    pub fn ue(&mut self, value: u32) -> &mut Self {
        // 2^32 - 1 has no code: it is written as the largest that has.
        let code = value.saturating_add(1);
        let zeros = code.ilog2();
        self.u(zeros, 0).u(zeros + 1, code)
    }

    /// `se(v)`, -2^31 + 1 to 2^31 - 1.
    pub fn se(&mut self, value: i32) -> &mut Self {
        let twice = value.unsigned_abs().saturating_mul(2);
        self.ue(if value > 0 { twice - 1 } else { twice })
    }

    /// Bits written so far.
    pub fn bit_len(&self) -> usize {
        self.bits
    }

    /// Fills up the byte with `bit`: `cabac_alignment_one_bit`, `pcm_alignment_zero_bit`.
    pub fn align(&mut self, bit: bool) -> &mut Self {
        while !self.bits.is_multiple_of(8) {
            self.flag(bit);
        }
        self
    }

    /// What `rbsp` holds from bit `from` on.
    pub fn copy(&mut self, rbsp: &[u8], from: usize) -> &mut Self {
        for bit in from..rbsp.len() * 8 {
            self.flag(rbsp[bit / 8] >> (7 - bit % 8) & 1 == 1);
        }
        self
    }

    /// `rbsp_trailing_bits()`.
    pub fn trailing_bits(&mut self) -> &mut Self {
        self.flag(true).align(false)
    }

    /// The bytes so far; the last one is filled up with zeros.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The NAL unit with this header and these bits in it, which end a byte.
    pub fn nal(&self, nal_ref_idc: u8, nal_unit_type: u8) -> Vec<u8> {
        let mut nal = vec![nal_ref_idc << 5 | nal_unit_type];
        let mut zeros = 0;
        for &byte in &self.bytes {
            if zeros == 2 && byte <= 3 {
                nal.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            nal.push(byte);
        }
        // No NAL unit ends in a zero byte (7.4.1).
        if nal.last() == Some(&0) {
            nal.push(3);
        }
        nal
    }
}

/// The RBSP of a NAL unit: without header byte and emulation prevention.
pub fn rbsp(nal: &[u8]) -> Vec<u8> {
    let mut rbsp = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for &byte in nal.iter().skip(1) {
        if zeros == 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { (zeros + 1).min(2) } else { 0 };
        rbsp.push(byte);
    }
    rbsp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_table_9_1_and_9_3() {
        let mut w = BitWriter::default();
        w.ue(0).ue(1).ue(2).ue(3).ue(7).se(1).se(-1).se(2);
        // 1 010 011 00100 0001000 010 011 00100
        assert_eq!(
            (w.bit_len(), w.align(false).bytes.clone()),
            (30, vec![0xa6, 0x41, 0x09, 0x90])
        );
        let mut largest = BitWriter::default();
        assert_eq!(largest.ue(u32::MAX - 1).bit_len(), 63);
    }

    #[test]
    fn emulation_prevention_comes_and_goes() {
        let mut w = BitWriter::default();
        w.copy(&[0, 0, 0, 0, 0, 1, 0, 0, 3, 0, 0], 0);
        let nal = w.nal(3, 7);
        assert_eq!(nal, [0x67, 0, 0, 3, 0, 0, 3, 0, 1, 0, 0, 3, 3, 0, 0, 3]);
        assert_eq!(rbsp(&nal), w.bytes);
    }
}
