//! Slice data in CABAC (9.3): binarisations and context selection of the elements; `residual` has those of the levels.

mod contexts;
mod engine;
mod residual;

use self::contexts::States;
use self::engine::Engine;
use super::bits::BitReader;
use super::elements::{Edges, Elements, Levels, cat};
use super::fault::Fault;
use crate::macroblock::{Coefficient, Mv};
use crate::slice::SliceType;

/// First contexts of the elements (table 9-34).
mod ctx {
    pub(super) const MB_TYPE_I: usize = 3;
    pub(super) const MB_SKIP_FLAG_P: usize = 11;
    pub(super) const MB_TYPE_P: usize = 14;
    pub(super) const MB_TYPE_P_SUFFIX: usize = 17;
    pub(super) const SUB_MB_TYPE_P: usize = 21;
    pub(super) const MB_SKIP_FLAG_B: usize = 24;
    pub(super) const MB_TYPE_B: usize = 27;
    pub(super) const MB_TYPE_B_SUFFIX: usize = 32;
    pub(super) const SUB_MB_TYPE_B: usize = 36;
    pub(super) const MVD_X: usize = 40;
    pub(super) const MVD_Y: usize = 47;
    pub(super) const REF_IDX: usize = 54;
    pub(super) const MB_QP_DELTA: usize = 60;
    pub(super) const INTRA_CHROMA_PRED_MODE: usize = 64;
    pub(super) const PREV_INTRA_PRED_MODE_FLAG: usize = 68;
    pub(super) const REM_INTRA_PRED_MODE: usize = 69;
    pub(super) const MB_FIELD_DECODING_FLAG: usize = 70;
    pub(super) const CODED_BLOCK_PATTERN_LUMA: usize = 73;
    pub(super) const CODED_BLOCK_PATTERN_CHROMA: usize = 77;
    pub(super) const TRANSFORM_SIZE_8X8_FLAG: usize = 399;
}

/// `mb_type` of the first intra type in P and in B slices.
const FIRST_INTRA_TYPE: [u32; 2] = [5, 23];

/// Reads the syntax elements of slice data in CABAC.
#[derive(Debug)]
pub(super) struct Cabac<'a> {
    engine: Engine<'a>,
    bits: BitReader<'a>,
    states: States,
    format: Format,
}

/// What coding depends on besides the slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    /// Significance has other contexts in fields and field macroblocks than in frames.
    pub(super) is_field: bool,
    /// There is no chroma.
    pub(super) monochrome: bool,
}

impl<'a> Cabac<'a> {
    /// Reads from the byte where `slice_data()` has its first arithmetic code.
    pub(super) fn new(bits: BitReader<'a>, cabac_init_idc: Option<u8>, slice_qp: i32, format: Format) -> Self {
        Self {
            engine: Engine::new(&bits),
            bits,
            states: States::new(cabac_init_idc, slice_qp),
            format,
        }
    }

    /// A bin with the context `index`; a call, as there are too many places of it for the instruction cache.
    #[inline(never)]
    fn bin(&mut self, index: usize) -> bool {
        self.engine.decision(self.states.get(index))
    }

    /// [`Self::bin`] as a number.
    #[inline(always)]
    fn bit(&mut self, index: usize) -> u32 {
        u32::from(self.bin(index))
    }

    /// `mb_type` of intra macroblocks, after the first bin; `steps`: contexts of the bins after it.
    #[inline(always)]
    fn intra_mb_type(&mut self, steps: [usize; 5]) -> u32 {
        if self.engine.terminate() {
            return 25;
        }
        let mut number = 1 + 12 * self.bit(steps[0]);
        if self.bin(steps[1]) {
            number += 4 + 4 * self.bit(steps[2]);
        }
        number += 2 * self.bit(steps[3]);
        number + self.bit(steps[4])
    }

    /// The suffix of an intra `mb_type` in P and B slices.
    #[inline(always)]
    fn mb_type_suffix(&mut self, offset: usize) -> u32 {
        if !self.bin(offset) {
            return 0;
        }
        self.intra_mb_type([offset + 1, offset + 2, offset + 2, offset + 3, offset + 3])
    }

    /// `mb_type` of B slices.
    #[inline(always)]
    fn mb_type_b(&mut self, edges: &Edges) -> u32 {
        let increment = usize::from(edges.left.not_direct) + usize::from(edges.top.not_direct);
        if !self.bin(ctx::MB_TYPE_B + increment) {
            return 0;
        }
        if !self.bin(ctx::MB_TYPE_B + 3) {
            return 1 + self.bit(ctx::MB_TYPE_B + 5);
        }
        let mut bits = self.bit(ctx::MB_TYPE_B + 4);
        for _ in 0..3 {
            bits = bits << 1 | self.bit(ctx::MB_TYPE_B + 5);
        }
        match bits {
            0..8 => bits + 3,
            13 => FIRST_INTRA_TYPE[1] + self.mb_type_suffix(ctx::MB_TYPE_B_SUFFIX),
            14 => 11,
            15 => 22,
            _ => (bits << 1 | self.bit(ctx::MB_TYPE_B + 5)) - 4,
        }
    }

    /// One component of `mvd_lX` (9.3.2.3, UEG3 with `uCoff` 9).
    #[inline(always)]
    fn mvd_component(&mut self, first: usize, sum: u8) -> Result<i16, Fault> {
        let increment = usize::from(sum > 2) + usize::from(sum > 32);
        if !self.bin(first + increment) {
            return Ok(0);
        }
        let mut magnitude = 1;
        let mut index = 3;
        while magnitude < 9 && self.bin(first + index) {
            magnitude += 1;
            index = (index + 1).min(6);
        }
        if magnitude == 9 {
            magnitude += self.engine.exp_golomb(3).ok_or(Fault::Mvd)?;
        }
        let value = if self.engine.bypass() { -magnitude } else { magnitude };
        i16::try_from(value).map_err(|_| Fault::Mvd)
    }
}

impl Elements for Cabac<'_> {
    #[inline(always)]
    fn unavailable_total_coeff(intra: bool) -> u8 {
        // coded_block_flag is inferred to be 1 for intra macroblocks (9.3.3.1.1.9).
        u8::from(intra)
    }

    #[inline(always)]
    fn more_data(&mut self) -> bool {
        !self.engine.terminate()
    }

    #[inline(always)]
    fn overrun(&self) -> bool {
        self.engine.position() > self.bits.end() + 1
    }

    #[inline(always)]
    fn mb_skip_flag(&mut self, slice_type: SliceType, edges: &Edges) -> Result<bool, Fault> {
        let first = if slice_type == SliceType::P {
            ctx::MB_SKIP_FLAG_P
        } else {
            ctx::MB_SKIP_FLAG_B
        };
        Ok(self.bin(first + usize::from(edges.left.not_skipped) + usize::from(edges.top.not_skipped)))
    }

    fn mb_field_decoding_flag(&mut self, left: bool, top: bool) -> bool {
        self.bin(ctx::MB_FIELD_DECODING_FLAG + usize::from(left) + usize::from(top))
    }

    fn set_field_macroblock(&mut self, is_field: bool) {
        self.format.is_field = is_field;
    }

    #[inline(always)]
    fn mb_type(&mut self, slice_type: SliceType, edges: &Edges) -> Result<u32, Fault> {
        Ok(match slice_type {
            SliceType::I => {
                let increment = usize::from(edges.left.not_i_nxn) + usize::from(edges.top.not_i_nxn);
                if !self.bin(ctx::MB_TYPE_I + increment) {
                    return Ok(0);
                }
                self.intra_mb_type([3, 4, 5, 6, 7].map(|step| ctx::MB_TYPE_I + step))
            }
            SliceType::P => {
                if self.bin(ctx::MB_TYPE_P) {
                    FIRST_INTRA_TYPE[0] + self.mb_type_suffix(ctx::MB_TYPE_P_SUFFIX)
                } else if self.bin(ctx::MB_TYPE_P + 1) {
                    2 - self.bit(ctx::MB_TYPE_P + 3)
                } else {
                    3 * self.bit(ctx::MB_TYPE_P + 2)
                }
            }
            SliceType::B => self.mb_type_b(edges),
        })
    }

    fn pcm_samples(&mut self, count: usize, bit_depth: usize, samples: &mut Vec<Coefficient>) -> Result<(), Fault> {
        self.bits.seek(self.engine.position());
        self.bits.align();
        self.bits
            .pcm_samples(count, bit_depth, samples)
            .ok_or(Fault::EndOfData)?;
        self.engine = Engine::new(&self.bits);
        Ok(())
    }

    #[inline(always)]
    fn transform_size_8x8_flag(&mut self, edges: &Edges) -> bool {
        let increment = usize::from(edges.left.transform_8x8) + usize::from(edges.top.transform_8x8);
        self.bin(ctx::TRANSFORM_SIZE_8X8_FLAG + increment)
    }

    #[inline(always)]
    fn coded_block_pattern(&mut self, _intra: bool, edges: &Edges) -> Result<u8, Fault> {
        let (left, top) = (
            u32::from(edges.left.coded_block_pattern),
            u32::from(edges.top.coded_block_pattern),
        );
        let mut pattern = 0;
        // Bits of the neighbouring quarters: to the left 1, 0, 3, 2, above 2, 3, 0, 1.
        for quarter in 0..4 {
            let a = if quarter & 1 == 0 {
                left >> (quarter + 1)
            } else {
                pattern >> (quarter - 1)
            };
            let b = if quarter < 2 {
                top >> (quarter + 2)
            } else {
                pattern >> (quarter - 2)
            };
            let increment = (!a & 1) + 2 * (!b & 1);
            pattern |= self.bit(ctx::CODED_BLOCK_PATTERN_LUMA + increment as usize) << quarter;
        }
        let (left, top) = (left >> 4, top >> 4);
        let increment = usize::from(left != 0) + 2 * usize::from(top != 0);
        if !self.format.monochrome && self.bin(ctx::CODED_BLOCK_PATTERN_CHROMA + increment) {
            let increment = 4 + usize::from(left == 2) + 2 * usize::from(top == 2);
            pattern |= 0x10 << self.bit(ctx::CODED_BLOCK_PATTERN_CHROMA + increment);
        }
        Ok(pattern as u8)
    }

    #[inline(always)]
    fn mb_qp_delta(&mut self, after_nonzero: bool) -> Result<i32, Fault> {
        let mut index = usize::from(after_nonzero);
        let mut value = 0;
        while self.bin(ctx::MB_QP_DELTA + index) {
            index = 2 + (index >> 1);
            value += 1;
            if value > 200 {
                return Err(Fault::MbQpDelta);
            }
        }
        Ok(if value & 1 == 1 {
            (value + 1) >> 1
        } else {
            -(value >> 1)
        })
    }

    #[inline(always)]
    fn intra_pred_mode(&mut self) -> u8 {
        if self.bin(ctx::PREV_INTRA_PRED_MODE_FLAG) {
            return 0;
        }
        let mode = self.bit(ctx::REM_INTRA_PRED_MODE)
            | self.bit(ctx::REM_INTRA_PRED_MODE) << 1
            | self.bit(ctx::REM_INTRA_PRED_MODE) << 2;
        mode as u8 + 1
    }

    #[inline(always)]
    fn intra_chroma_pred_mode(&mut self, edges: &Edges) -> Result<u8, Fault> {
        let increment = usize::from(edges.left.chroma_mode) + usize::from(edges.top.chroma_mode);
        let mut mode = 0;
        let mut index = increment;
        while mode < 3 && self.bin(ctx::INTRA_CHROMA_PRED_MODE + index) {
            mode += 1;
            index = 3;
        }
        Ok(mode)
    }

    #[inline(always)]
    fn sub_mb_type(&mut self, slice_type: SliceType) -> Result<u32, Fault> {
        if slice_type == SliceType::P {
            return Ok(if self.bin(ctx::SUB_MB_TYPE_P) {
                0
            } else if !self.bin(ctx::SUB_MB_TYPE_P + 1) {
                1
            } else {
                3 - self.bit(ctx::SUB_MB_TYPE_P + 2)
            });
        }
        let first = ctx::SUB_MB_TYPE_B;
        if !self.bin(first) {
            return Ok(0);
        }
        if !self.bin(first + 1) {
            return Ok(1 + self.bit(first + 3));
        }
        let mut number = 3;
        if self.bin(first + 2) {
            if self.bin(first + 3) {
                return Ok(11 + self.bit(first + 3));
            }
            number += 4;
        }
        number += 2 * self.bit(first + 3);
        Ok(number + self.bit(first + 3))
    }

    #[inline(always)]
    fn ref_idx(&mut self, max: u8, left: bool, top: bool) -> Result<u8, Fault> {
        let mut index = usize::from(left) + 2 * usize::from(top);
        let mut ref_idx = 0;
        while self.bin(ctx::REF_IDX + index) {
            index = 4 + (index >> 2);
            ref_idx += 1;
            if ref_idx > max {
                return Err(Fault::RefIdx);
            }
        }
        Ok(ref_idx)
    }

    #[inline(always)]
    fn mvd(&mut self, sum: [u8; 2]) -> Result<Mv, Fault> {
        let x = self.mvd_component(ctx::MVD_X, sum[0])?;
        let y = self.mvd_component(ctx::MVD_Y, sum[1])?;
        Ok(Mv { x, y })
    }

    #[inline(always)]
    fn luma_dc(&mut self, edges: &mut Edges, levels: &mut Levels) -> Result<u8, Fault> {
        let count = self.block::<{ cat::LUMA_DC }>(edges.left.dc[0], edges.top.dc[0], levels)?;
        edges.left.dc[0] = u8::from(count > 0);
        edges.top.dc[0] = u8::from(count > 0);
        Ok(count)
    }

    #[inline(always)]
    fn luma_8x8(&mut self, quarter: usize, edges: &mut Edges, levels: &mut Levels) -> Result<u8, Fault> {
        // coded_block_flag is not coded: it is inferred to be 1.
        let count = self.levels::<{ cat::LUMA_8X8 }>(levels)?;
        let (x, y) = ((quarter & 1) * 2, (quarter >> 1) * 2);
        for i in 0..2 {
            edges.left.luma[y + i] = count;
            edges.top.luma[x + i] = count;
        }
        Ok(count)
    }

    #[inline(always)]
    fn block<const CAT: usize>(&mut self, left: u8, top: u8, levels: &mut Levels) -> Result<u8, Fault> {
        if self.coded_block_flag::<CAT>(left, top) {
            self.levels::<CAT>(levels)
        } else {
            Ok(0)
        }
    }
}
