//! The order of work within a picture: slices, macroblocks, rows.

use super::inter::InterScratch;
use super::references::{Lists, Pool};
use super::residual::Levels;
use super::scaling::{LevelScale, chroma_qp};
use super::state::{MbState, Neighbours, SliceState, State};
use super::weights::Weights;
use super::{Outcome, conceal, deblock};
use crate::macroblock::{Macroblock, MbType};
use crate::picture::ChromaFormat;
use crate::planes::{FrameMut, PlaneRef, Sample};
use crate::slice::{Slice, SliceType};
use crate::{MotionField, ParsedPicture, PictureParams};

/// A picture at work: everything that one request brings, and what is kept between requests.
pub(super) struct Picture<'a, S> {
    pub params: &'a PictureParams,
    pub parsed: &'a ParsedPicture,
    pub target: FrameMut<'a, S>,
    pub motion: &'a mut MotionField,
    pub pool: Pool<'a, S>,
    pub state: &'a mut State<S>,
    pub scale: &'a LevelScale,
    pub scratch: &'a mut InterScratch<S>,
    pub outcome: Outcome,
}

/// A slice at work.
pub(super) struct SliceContext<'a> {
    pub header: &'a Slice,
    /// Its number in the picture, in [`State::slices`] and in the [`MotionField`].
    pub number: u32,
    pub lists: Lists,
    pub weights: Weights<'a>,
}

/// A macroblock at work.
#[derive(Clone, Copy)]
pub(super) struct MbContext<'a> {
    pub mb: &'a Macroblock,
    pub mb_addr: usize,
    /// Place of its first sample in the luma plane, in samples.
    pub x: usize,
    pub y: usize,
    pub neighbours: Neighbours,
    /// `QP'_Y`, and `QP'_C` of Cb and Cr.
    pub qp: [u8; 3],
    pub levels: Levels<'a>,
}

impl<'a, S: Sample> Picture<'a, S> {
    /// Reconstructs the slices of the request, and after the `last` one what is missing.
    pub(super) fn reconstruct(&mut self, last: bool) {
        for slice in &self.parsed.slices {
            self.slice(slice);
        }
        if last {
            let end = self.state.macroblocks.len();
            let source = conceal::source(self, None);
            self.conceal_until(end, source);
        }
    }

    fn slice(&mut self, header: &'a Slice) {
        let lists = Lists::new(header, self.params, &self.pool);
        let number = self.motion.start_slice(lists.timestamps());
        self.state.slices.push(SliceState {
            disable_deblocking_filter_idc: header.disable_deblocking_filter_idc,
            filter_offset_a: header.filter_offset_a,
            filter_offset_b: header.filter_offset_b,
        });
        let weights = Weights::new(header, self.params, &lists);
        let slice = SliceContext {
            header,
            number,
            lists,
            weights,
        };
        let macroblocks = self
            .parsed
            .macroblocks
            .get(header.macroblocks.clone())
            .unwrap_or_default();
        for mb in macroblocks {
            let mb_addr = mb.mb_addr as usize;
            if mb_addr < self.state.next_mb || mb_addr >= self.state.macroblocks.len() {
                continue;
            }
            if mb_addr > self.state.next_mb {
                let source = conceal::source(self, Some(&slice));
                self.conceal_until(mb_addr, source);
            }
            self.macroblock(mb, &slice);
            self.finish_macroblock();
        }
    }

    fn macroblock(&mut self, mb: &'a Macroblock, slice: &SliceContext<'a>) {
        let mb_addr = self.state.next_mb;
        let width = self.state.width_in_mbs;
        let qp_y = mb.qp_y.clamp(0, 51);
        let [cb_offset, cr_offset] = self.params.chroma_qp_index_offset;
        let qp = [qp_y as u8, chroma_qp(qp_y, cb_offset), chroma_qp(qp_y, cr_offset)];
        let at = MbContext {
            mb,
            mb_addr,
            x: mb_addr % width * 16,
            y: mb_addr / width * 16,
            neighbours: self.state.neighbours(mb_addr, slice.number),
            qp,
            levels: Levels::of(mb, &self.parsed.coefficients),
        };
        self.state.macroblocks[mb_addr] = MbState {
            slice: slice.number,
            transform_size_8x8_flag: mb.transform_size_8x8_flag,
            qp,
            coded_blocks: coded_blocks(mb),
            ..MbState::ABSENT
        };
        match mb.mb_type {
            MbType::INxN | MbType::I16x16 { .. } | MbType::IPcm => self.intra(at),
            MbType::PSkip
            | MbType::BSkip
            | MbType::Direct16x16
            | MbType::Inter16x16(_)
            | MbType::Inter16x8(_)
            | MbType::Inter8x16(_)
            | MbType::Inter8x8 => self.inter(at, slice),
        }
        if self.params.chroma_format == ChromaFormat::Monochrome {
            self.grey_chroma(&at);
        }
    }

    /// What a picture without chroma shows in its chroma plane.
    fn grey_chroma(&mut self, at: &MbContext<'_>) {
        let chroma = self.target.chroma.from(at.y / 2 * self.target.chroma.pitch + at.x);
        for row in chroma.data.chunks_mut(chroma.pitch).take(8) {
            row[..16].fill(S::from_value(S::GREY));
        }
    }

    /// Goes to the next macroblock; at the end of a row finishes the row.
    pub(super) fn finish_macroblock(&mut self) {
        self.state.next_mb += 1;
        if !self.state.next_mb.is_multiple_of(self.state.width_in_mbs) {
            return;
        }
        let mb_y = self.state.next_mb / self.state.width_in_mbs - 1;
        let luma = PlaneRef {
            data: &*self.target.luma.data,
            pitch: self.target.luma.pitch,
        };
        let chroma = PlaneRef {
            data: &*self.target.chroma.data,
            pitch: self.target.chroma.pitch,
        };
        self.state.keep_lines(luma, chroma, mb_y);
        deblock::row(self, mb_y);
    }
}

impl SliceContext<'_> {
    /// The lists that its macroblocks may use.
    pub(super) fn list_count(&self) -> usize {
        match self.header.slice_type {
            SliceType::I => 0,
            SliceType::P => 1,
            SliceType::B => 2,
        }
    }
}

/// Which 4x4 blocks the deblocking filter sees as coded, by raster position.
fn coded_blocks(mb: &Macroblock) -> u16 {
    /// Raster bit of each `luma4x4BlkIdx`.
    const RASTER: [u16; 16] = [
        1 << 0,
        1 << 1,
        1 << 4,
        1 << 5,
        1 << 2,
        1 << 3,
        1 << 6,
        1 << 7,
        1 << 8,
        1 << 9,
        1 << 12,
        1 << 13,
        1 << 10,
        1 << 11,
        1 << 14,
        1 << 15,
    ];
    if mb.coded_block_pattern & 15 == 0 {
        return 0;
    }
    let mut coded = 0;
    for (i, quarter) in RASTER.chunks(4).enumerate() {
        if mb.transform_size_8x8_flag {
            let any = mb.total_coeff[i * 4..i * 4 + 4].iter().any(|&count| count > 0);
            coded |= if any { quarter.iter().sum() } else { 0 };
        } else {
            let counts = quarter.iter().zip(&mb.total_coeff[i * 4..]);
            coded |= counts.filter(|&(_, &count)| count > 0).map(|(bit, _)| bit).sum::<u16>();
        }
    }
    coded
}
