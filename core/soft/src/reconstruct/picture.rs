//! The order of work within a picture: slices, macroblocks, rows.

use super::inter::InterScratch;
use super::references::{Lists, Pool, current_order_cnt};
use super::residual::Levels;
use super::scaling::{LevelScale, Scan, chroma_qp};
use super::state::{MbState, Neighbours, SliceState, State};
use super::weights::Weights;
use super::{Outcome, conceal, deblock};
use crate::macroblock::{Macroblock, MbType};
use crate::picture::{ChromaFormat, Parity};
use crate::planes::{FrameMut, PlaneMut, PlaneRef, Sample};
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

/// A slice at work, as its frame macroblocks see it, or in MBAFF frames its field macroblocks of one parity.
pub(super) struct SliceContext<'a> {
    pub header: &'a Slice,
    /// Its number in the picture, in [`State::slices`] and in the [`MotionField`].
    pub number: u32,
    pub lists: Lists,
    pub weights: Weights<'a>,
    /// `PicOrderCnt` of the current picture, or of the field that a field macroblock is of.
    pub pic_order_cnt: i32,
}

/// Where a macroblock lies in the picture, or a field macroblock in its field.
#[derive(Clone, Copy, Debug)]
pub(super) struct MbPlace {
    /// Its first luma sample, as motion vectors count.
    pub x: usize,
    pub y: usize,
    /// Where its first luma sample is in the plane, and where the next row of it.
    pub luma_at: usize,
    pub luma_pitch: usize,
    /// The same of its chroma.
    pub chroma_at: usize,
    pub chroma_pitch: usize,
    /// `MbHeightC`.
    pub mb_height_c: usize,
    /// Height of the picture or field, in macroblocks.
    pub height_in_mbs: usize,
    /// The parity of a macroblock of a field picture and of a field macroblock.
    pub parity: Option<Parity>,
}

/// A macroblock at work.
pub(super) struct MbContext<'a> {
    pub mb: &'a Macroblock,
    pub mb_addr: usize,
    pub place: MbPlace,
    pub neighbours: Neighbours,
    /// `QP'_Y`, and `QP'_C` of Cb and Cr.
    pub qp: [u8; 3],
    pub levels: Levels<'a>,
    /// The order that its levels come in.
    pub scan: &'static Scan,
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
        let number = self.motion.start_slice(lists.names());
        self.state.slices.push(SliceState {
            disable_deblocking_filter_idc: header.disable_deblocking_filter_idc,
            filter_offset_a: header.filter_offset_a,
            filter_offset_b: header.filter_offset_b,
        });
        let slice = self.slice_context(header, number, lists);
        let of_fields = self.params.structure.is_mbaff().then(|| {
            [Parity::Top, Parity::Bottom].map(|parity| {
                let lists = Lists::of_field_macroblocks(header, self.params, &self.pool, parity);
                Box::new(self.slice_context(header, number, lists))
            })
        });
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
            match &of_fields {
                Some(fields) if mb.mb_field_decoding_flag => self.macroblock(mb, &fields[mb_addr % 2]),
                _ => self.macroblock(mb, &slice),
            }
            self.finish_macroblock();
        }
    }

    fn slice_context(&self, header: &'a Slice, number: u32, lists: Lists) -> SliceContext<'a> {
        let pic_order_cnt = current_order_cnt(self.params, lists.parity);
        SliceContext {
            header,
            number,
            weights: Weights::new(header, self.params, &lists, pic_order_cnt),
            lists,
            pic_order_cnt,
        }
    }

    /// Where a macroblock lies; `field` = it is a field macroblock of an MBAFF frame.
    pub(super) fn place(&self, mb_addr: usize, field: bool) -> MbPlace {
        let (width, height_in_mbs) = (self.state.width_in_mbs, self.state.height_in_mbs);
        let mb_height_c = self.params.chroma_format.mb_height_c();
        let [luma_pitch, chroma_pitch] = [self.target.luma.pitch, self.target.chroma.pitch];
        let is_mbaff = self.params.structure.is_mbaff();
        let (x, mb_y) = match is_mbaff {
            true => (mb_addr / 2 % width * 16, mb_addr / 2 / width * 2 + mb_addr % 2),
            false => (mb_addr % width * 16, mb_addr / width),
        };
        if !(is_mbaff && field) {
            return MbPlace {
                x,
                y: mb_y * 16,
                luma_at: mb_y * 16 * luma_pitch + x,
                luma_pitch,
                chroma_at: mb_y * mb_height_c * chroma_pitch + x,
                chroma_pitch,
                mb_height_c,
                height_in_mbs,
                parity: self.params.structure.parity(),
            };
        }
        let (pair_y, bottom) = (mb_y / 2, mb_y % 2);
        MbPlace {
            x,
            y: pair_y * 16,
            luma_at: (pair_y * 32 + bottom) * luma_pitch + x,
            luma_pitch: luma_pitch * 2,
            chroma_at: (pair_y * 2 * mb_height_c + bottom) * chroma_pitch + x,
            chroma_pitch: chroma_pitch * 2,
            mb_height_c,
            height_in_mbs: height_in_mbs / 2,
            parity: Some(if bottom == 0 { Parity::Top } else { Parity::Bottom }),
        }
    }

    fn macroblock(&mut self, mb: &'a Macroblock, slice: &SliceContext<'a>) {
        let mb_addr = self.state.next_mb;
        let is_mbaff = self.params.structure.is_mbaff();
        let qp_bd_offset = const { (6 * (S::BIT_DEPTH - 8)) as i8 };
        let qp_y = mb.qp_y.clamp(-qp_bd_offset, 51);
        let [qp_cb, qp_cr] = self
            .params
            .chroma_qp_index_offset
            .map(|offset| chroma_qp(qp_y, offset, qp_bd_offset));
        let qp = [qp_y, qp_cb, qp_cr];
        let place = self.place(mb_addr, mb.mb_field_decoding_flag);
        self.state.macroblocks[mb_addr] = MbState {
            slice: slice.number,
            field: mb.mb_field_decoding_flag,
            transform_size_8x8_flag: mb.transform_size_8x8_flag,
            qp,
            coded_blocks: coded_blocks(mb),
            ..MbState::ABSENT
        };
        let mut at = MbContext {
            mb,
            mb_addr,
            place,
            neighbours: match is_mbaff {
                true => self.state.pair_neighbours(mb_addr, slice.number),
                false => self.state.neighbours(mb_addr, slice.number),
            },
            qp: qp.map(|qp| (qp + qp_bd_offset) as u8),
            levels: Levels::of(mb, &self.parsed.coefficients),
            scan: Scan::of(place.parity.is_some()),
        };
        match mb.mb_type {
            MbType::INxN | MbType::I16x16 { .. } | MbType::IPcm => self.intra(&mut at),
            MbType::PSkip
            | MbType::BSkip
            | MbType::Direct16x16
            | MbType::Inter16x16(_)
            | MbType::Inter16x8(_)
            | MbType::Inter8x16(_)
            | MbType::Inter8x8 => self.inter(&mut at, slice),
        }
        if self.params.chroma_format == ChromaFormat::Monochrome {
            self.grey_chroma(&at.place);
        }
    }

    /// What a picture without chroma shows in its chroma plane.
    fn grey_chroma(&mut self, place: &MbPlace) {
        let chroma = self.chroma_from(place, place.chroma_at);
        for row in chroma.data.chunks_mut(chroma.pitch).take(8) {
            row[..16].fill(S::from_value(S::GREY));
        }
    }

    /// The luma plane from a sample on, with the pitch of a macroblock.
    #[inline(always)]
    pub(super) fn luma_from(&mut self, place: &MbPlace, at: usize) -> PlaneMut<'_, S> {
        PlaneMut::new(&mut self.target.luma.data[at..], place.luma_pitch)
    }

    /// The chroma plane from a sample on, with the pitch of a macroblock.
    #[inline(always)]
    pub(super) fn chroma_from(&mut self, place: &MbPlace, at: usize) -> PlaneMut<'_, S> {
        PlaneMut::new(&mut self.target.chroma.data[at..], place.chroma_pitch)
    }

    /// Goes to the next macroblock; at the end of a row finishes the row, in an MBAFF frame at the end the picture.
    pub(super) fn finish_macroblock(&mut self) {
        self.state.next_mb += 1;
        if self.params.structure.is_mbaff() {
            if self.state.next_mb == self.state.macroblocks.len() {
                deblock::mbaff_frame(self);
            }
            return;
        }
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
        self.state
            .keep_lines(luma, chroma, mb_y, self.params.chroma_format.mb_height_c());
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
