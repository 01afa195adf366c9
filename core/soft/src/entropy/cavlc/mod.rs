//! Slice data in CAVLC (7.3.5 with Exp-Golomb codes, 9.1 and 9.2).

mod residual;
mod tables;

use super::bits::BitReader;
use super::elements::{Edges, Elements, Levels, cat};
use super::fault::Fault;
use crate::macroblock::{Coefficient, Mv};
use crate::slice::SliceType;

/// Reads the syntax elements of slice data in CAVLC.
#[derive(Debug)]
pub(super) struct Cavlc<'a> {
    bits: BitReader<'a>,
    /// What is left of `mb_skip_run`; `None` = not read yet.
    skip_run: Option<u32>,
    monochrome: bool,
}

impl<'a> Cavlc<'a> {
    /// Reads from the start of `slice_data()`.
    pub(super) fn new(bits: BitReader<'a>, monochrome: bool) -> Self {
        Self {
            bits,
            skip_run: None,
            monochrome,
        }
    }
}

/// Marks a macroblock that is not available in [`super::elements::Edge::luma`]: larger than any sum of two counts.
const UNAVAILABLE: u8 = 64;

/// nC from the counts of both neighbours (9.2.1): the mean of two, else the one that is available, else 0.
#[inline(always)]
fn n_c(left: u8, top: u8) -> u8 {
    let sum = left + top;
    if sum < UNAVAILABLE {
        (sum + 1) >> 1
    } else {
        sum % UNAVAILABLE
    }
}

impl Elements for Cavlc<'_> {
    #[inline(always)]
    fn unavailable_total_coeff(_intra: bool) -> u8 {
        UNAVAILABLE
    }

    #[inline(always)]
    fn more_data(&mut self) -> bool {
        self.skip_run.is_some_and(|run| run > 0) || self.bits.more_rbsp_data()
    }

    #[inline(always)]
    fn overrun(&self) -> bool {
        self.bits.overrun()
    }

    #[inline(always)]
    fn mb_skip_flag(&mut self, _slice_type: SliceType, _edges: &Edges) -> Result<bool, Fault> {
        let run = match self.skip_run.take() {
            Some(0) => return Ok(false),
            Some(run) => run,
            None => match self.bits.ue() {
                0 => return Ok(false),
                u32::MAX => return Err(Fault::MbSkipRun),
                run => run,
            },
        };
        self.skip_run = Some(run - 1);
        Ok(true)
    }

    fn mb_field_decoding_flag(&mut self, _left: bool, _top: bool) -> bool {
        self.bits.flag()
    }

    fn set_field_macroblock(&mut self, _is_field: bool) {}

    #[inline(always)]
    fn mb_type(&mut self, _slice_type: SliceType, _edges: &Edges) -> Result<u32, Fault> {
        Ok(self.bits.ue())
    }

    fn pcm_samples(&mut self, count: usize, bit_depth: usize, samples: &mut Vec<Coefficient>) -> Result<(), Fault> {
        self.bits.align();
        self.bits.pcm_samples(count, bit_depth, samples).ok_or(Fault::EndOfData)
    }

    #[inline(always)]
    fn transform_size_8x8_flag(&mut self, _edges: &Edges) -> bool {
        self.bits.flag()
    }

    #[inline(always)]
    fn coded_block_pattern(&mut self, intra: bool, _edges: &Edges) -> Result<u8, Fault> {
        let code = self.bits.ue() as usize;
        let table: &[u8] = match (self.monochrome, intra) {
            (false, true) => &tables::CBP_INTRA,
            (false, false) => &tables::CBP_INTER,
            (true, true) => &tables::CBP_INTRA_MONOCHROME,
            (true, false) => &tables::CBP_INTER_MONOCHROME,
        };
        table.get(code).copied().ok_or(Fault::CodedBlockPattern)
    }

    #[inline(always)]
    fn mb_qp_delta(&mut self, _after_nonzero: bool) -> Result<i32, Fault> {
        Ok(self.bits.se())
    }

    #[inline(always)]
    fn intra_pred_mode(&mut self) -> u8 {
        let head = self.bits.peek() >> 60;
        if head & 8 != 0 {
            self.bits.skip(1);
            0
        } else {
            self.bits.skip(4);
            head as u8 + 1
        }
    }

    #[inline(always)]
    fn intra_chroma_pred_mode(&mut self, _edges: &Edges) -> Result<u8, Fault> {
        match self.bits.ue() {
            mode @ 0..=3 => Ok(mode as u8),
            _ => Err(Fault::IntraChromaPredMode),
        }
    }

    #[inline(always)]
    fn sub_mb_type(&mut self, _slice_type: SliceType) -> Result<u32, Fault> {
        Ok(self.bits.ue())
    }

    #[inline(always)]
    fn ref_idx(&mut self, max: u8, _left: bool, _top: bool) -> Result<u8, Fault> {
        let ref_idx = self.bits.te(u32::from(max));
        if ref_idx > u32::from(max) {
            Err(Fault::RefIdx)
        } else {
            Ok(ref_idx as u8)
        }
    }

    #[inline(always)]
    fn mvd(&mut self, _sum: [u8; 2]) -> Result<Mv, Fault> {
        let (x, y) = (self.bits.se(), self.bits.se());
        match (i16::try_from(x), i16::try_from(y)) {
            (Ok(x), Ok(y)) => Ok(Mv { x, y }),
            _ => Err(Fault::Mvd),
        }
    }

    #[inline(always)]
    fn luma_dc(&mut self, edges: &mut Edges, levels: &mut Levels) -> Result<u8, Fault> {
        self.block::<{ cat::LUMA_DC }>(edges.left.luma[0], edges.top.luma[0], levels)
    }

    fn luma_8x8(&mut self, quarter: usize, edges: &mut Edges, levels: &mut Levels) -> Result<u8, Fault> {
        let (x, y) = ((quarter & 1) * 2, (quarter >> 1) * 2);
        let mut total = 0;
        for i in 0..4 {
            let (left, top) = (&mut edges.left.luma[y + (i >> 1)], &mut edges.top.luma[x + (i & 1)]);
            let count = self.residual_block::<{ cat::LUMA_4X4 }>(n_c(*left, *top), |k| 4 * k + i, levels)?;
            (*left, *top) = (count, count);
            total += count;
        }
        Ok(total)
    }

    #[inline(always)]
    fn block<const CAT: usize>(&mut self, left: u8, top: u8, levels: &mut Levels) -> Result<u8, Fault> {
        self.residual_block::<CAT>(n_c(left, top), |k| cat::first_index(CAT) + k, levels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_c_is_the_mean_of_what_is_available() {
        assert_eq!(n_c(3, 4), 4);
        assert_eq!(n_c(16, 16), 16);
        assert_eq!(n_c(UNAVAILABLE, 7), 7);
        assert_eq!(n_c(9, UNAVAILABLE), 9);
        assert_eq!(n_c(UNAVAILABLE, UNAVAILABLE), 0);
    }
}
