//! Inter prediction (8.4.2): the parts of a macroblock from one or two lists, their weights, and the residual.

use super::interpolate::{Block, FilterScratch, RefBlock};
use super::partition::Area;
use super::picture::{MbContext, MbPlace, Picture, SliceContext};
use super::residual::{Scaling4x4, Scaling8x8, add_luma_4x4, add_luma_8x8};
use crate::macroblock::{Mv, block};
use crate::motion::MbMotion;
use crate::picture::{ChromaFormat, Parity};
use crate::planes::{PlaneMut, PlaneRef, Sample};
use crate::simd::{Size, Weighting};

/// Memory for blocks on their way; what is in it between two blocks means nothing.
#[derive(Debug)]
pub(super) struct InterScratch<S> {
    /// Prediction from the second list.
    luma: [S; 256],
    chroma: [S; 256],
    filters: FilterScratch<S>,
}

impl<S: Sample> Default for InterScratch<S> {
    fn default() -> Self {
        Self {
            luma: [S::default(); 256],
            chroma: [S::default(); 256],
            filters: FilterScratch::default(),
        }
    }
}

/// A part of a macroblock with one motion.
struct Part {
    block: Block,
    /// Where its samples go in the luma and in the chroma plane.
    luma_at: usize,
    chroma_at: usize,
    /// `refIdxL0` and `refIdxL1`, negative where the list is not used.
    ref_idx: [i8; 2],
    /// `mvL0` and `mvL1`.
    mv: [Mv; 2],
}

impl Part {
    fn new(place: &MbPlace, motion: &MbMotion, area: Area) -> Self {
        let (quarter, first) = (area.y / 2 * 2 + area.x / 2, area.y * 4 + area.x);
        let size = Size {
            width: area.width * 4,
            height: area.height * 4,
        };
        Self {
            block: Block {
                x: place.x + area.x * 4,
                y: place.y + area.y * 4,
                size,
            },
            luma_at: place.luma_at + area.y * 4 * place.luma_pitch + area.x * 4,
            chroma_at: place.chroma_at + area.y * (place.mb_height_c / 4) * place.chroma_pitch + area.x * 4,
            ref_idx: [motion.ref_idx[0][quarter], motion.ref_idx[1][quarter]],
            mv: [motion.mv[0][first], motion.mv[1][first]],
        }
    }

    /// Size of its chroma, in samples: Cb and Cr alternate.
    fn chroma_size(&self, place: &MbPlace) -> Size {
        Size {
            width: self.block.size.width,
            height: self.block.size.height / 4 * (place.mb_height_c / 4),
        }
    }
}

impl<'a, S: Sample> Picture<'a, S> {
    /// Reconstructs an inter macroblock.
    pub(super) fn inter(&mut self, at: &mut MbContext<'a>, slice: &SliceContext<'_>) {
        let (partitioning, motion) = self.derive_motion(at, slice);
        partitioning.for_each_area(|area| self.predict(&at.place, &Part::new(&at.place, &motion, area), slice));
        self.inter_residual(at);
    }

    /// Predicts one part from one or both lists.
    fn predict(&mut self, place: &MbPlace, part: &Part, slice: &SliceContext<'_>) {
        let both = part.ref_idx[0] >= 0 && part.ref_idx[1] >= 0;
        if part.ref_idx[0] >= 0 {
            self.predict_from(place, part, slice, 0);
        }
        if part.ref_idx[1] >= 0 {
            self.predict_from(place, part, slice, 1);
        }
        let weights = slice.weights.of(part.ref_idx, S::BIT_DEPTH);
        if weights.is_none() && !both {
            return;
        }
        let InterScratch { luma, chroma, .. } = &*self.scratch;
        let other = both.then_some(PlaneRef::new(luma, 16));
        let weighting = weights.as_ref().map(|weights| &weights.luma);
        let dst = PlaneMut::new(&mut self.target.luma.data[part.luma_at..], place.luma_pitch);
        combine(dst, other, part.block.size, weighting);
        if self.params.chroma_format != ChromaFormat::Monochrome {
            let other = both.then_some(PlaneRef::new(chroma, 16));
            let weighting = weights.as_ref().map(|weights| &weights.chroma);
            let dst = PlaneMut::new(&mut self.target.chroma.data[part.chroma_at..], place.chroma_pitch);
            combine(dst, other, part.chroma_size(place), weighting);
        }
    }

    /// Predicts a part from one list: into the picture, or into the scratch memory if it is the second one.
    fn predict_from(&mut self, place: &MbPlace, part: &Part, slice: &SliceContext<'_>, list: usize) {
        let entry = slice.lists.get(list, part.ref_idx[list]);
        self.outcome.missing_reference |= entry.missing;
        let reference = RefBlock {
            picture: entry.picture.and_then(|picture| self.pool.get(picture)),
            width_in_mbs: self.state.width_in_mbs,
            height_in_mbs: place.height_in_mbs,
            mb_height_c: place.mb_height_c,
        };
        let InterScratch { luma, chroma, filters } = &mut *self.scratch;
        let (luma_dst, chroma_dst) = match list == 1 && part.ref_idx[0] >= 0 {
            true => (PlaneMut::new(luma, 16), PlaneMut::new(chroma, 16)),
            false => (
                PlaneMut::new(&mut self.target.luma.data[part.luma_at..], place.luma_pitch),
                PlaneMut::new(&mut self.target.chroma.data[part.chroma_at..], place.chroma_pitch),
            ),
        };
        let mv = part.mv[list];
        reference.luma(&part.block, mv, luma_dst, filters);
        match self.params.chroma_format {
            ChromaFormat::Monochrome => {}
            ChromaFormat::Yuv420 => {
                let mv = chroma_vector(mv, place.parity, entry.picture.and_then(|picture| picture.parity));
                reference.chroma(&part.block, mv, chroma_dst, filters);
            }
            ChromaFormat::Yuv422 => reference.chroma(&part.block, mv, chroma_dst, filters),
        }
    }

    fn inter_residual(&mut self, at: &mut MbContext<'_>) {
        if at.mb.coded_block_pattern & 15 != 0 {
            let (pitch, origin) = (at.place.luma_pitch, at.place.luma_at);
            let by_4x4 = Scaling4x4::new(self.scale, at.scan, true, 0, at.qp[0]);
            let by_8x8 = Scaling8x8::new(self.scale, at.scan, true, at.qp[0]);
            for quarter in 0..4 {
                let Area { x, y, .. } = Area::quarter(quarter);
                let counts = &at.mb.total_coeff[block::LUMA + quarter * 4..][..4];
                if at.mb.transform_size_8x8_flag {
                    let levels = at.levels.take(counts.iter().map(|&count| usize::from(count)).sum());
                    let dst = self.luma_from(&at.place, origin + y * 4 * pitch + x * 4);
                    add_luma_8x8(dst, levels, by_8x8);
                    continue;
                }
                for (i, &count) in counts.iter().enumerate() {
                    let levels = at.levels.take(usize::from(count));
                    let place = origin + (y + i / 2) * 4 * pitch + (x + i % 2) * 4;
                    add_luma_4x4(self.luma_from(&at.place, place), levels, by_4x4);
                }
            }
        }
        if self.params.chroma_format != ChromaFormat::Monochrome {
            self.add_chroma_residual(at, true);
        }
    }
}

/// The chroma vector of a luma vector in a 4:2:0 field: chroma of the two parities lies a quarter sample off (table 8-9).
#[inline(always)]
fn chroma_vector(mv: Mv, current: Option<Parity>, reference: Option<Parity>) -> Mv {
    let offset = match (current, reference) {
        (Some(Parity::Top), Some(Parity::Bottom)) => -2,
        (Some(Parity::Bottom), Some(Parity::Top)) => 2,
        _ => 0,
    };
    Mv {
        y: mv.y.wrapping_add(offset),
        ..mv
    }
}

/// Weighted sample prediction (8.4.2.3) of one plane; `other` is the prediction from list 1 if both lists are used.
fn combine<S: Sample>(dst: PlaneMut<'_, S>, other: Option<PlaneRef<'_, S>>, size: Size, weighting: Option<&Weighting>) {
    match (other, weighting) {
        (None, None) => {}
        (Some(other), None) => S::average(dst, other, size),
        (Some(other), Some(weighting)) => S::weight_both(dst, other, size, weighting),
        (None, Some(weighting)) => S::weight(dst, size, weighting),
    }
}
