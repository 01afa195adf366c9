//! `slice_data()` (7.3.4) of MBAFF frames: macroblock pairs, and what their macroblocks take for neighbours (6.4.12.2).

use super::elements::{Edge, Elements, MVD_LIMIT};
use super::fault::Fault;
use super::slice_data::{Scratch, SliceContext, SliceReader};
use crate::ParsedPicture;
use crate::macroblock::Macroblock;
use crate::pairs::BesideMixedPair;
use crate::picture::ChromaFormat;
use crate::slice::SliceType;

/// The right or the lower edges of the two macroblocks of a pair.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairEdge {
    macroblocks: [Edge; 2],
    /// `mb_field_decoding_flag`.
    is_field: bool,
}

impl PairEdge {
    /// Of a pair that is not in the slice.
    const UNAVAILABLE: Self = Self {
        macroblocks: [Edge::UNAVAILABLE; 2],
        is_field: false,
    };

    fn is_available(&self) -> bool {
        self.macroblocks[0].available
    }
}

/// The pairs that a pair lies at, and the one of itself that was read.
struct Around {
    left: PairEdge,
    above: PairEdge,
    /// The lower edge of the upper macroblock.
    upper: Edge,
    chroma_format: ChromaFormat,
}

/// A macroblock of a pair.
#[derive(Clone, Copy)]
struct Place {
    is_bottom: bool,
    is_field: bool,
}

/// Reads a slice to its end and appends its macroblocks to `parsed`; returns the address after the last one.
///
/// # Errors
/// The fault and where it happened; the macroblocks before it are kept.
pub(super) fn parse<E: Elements>(
    context: &SliceContext,
    elements: E,
    scratch: &mut Scratch,
    parsed: &mut ParsedPicture,
) -> Result<u32, (Fault, u32)> {
    let Scratch { pairs, levels, .. } = scratch;
    pairs.clear();
    pairs.resize(context.width_in_mbs as usize, PairEdge::UNAVAILABLE);
    let ParsedPicture {
        macroblocks,
        mvds,
        coefficients,
        ..
    } = parsed;
    let mut reader = SliceReader::new(context, elements, levels, mvds, coefficients);
    let mut left = PairEdge::UNAVAILABLE;
    let mut mb_addr = context.first_mb;
    let mut column = (context.first_mb / 2 % context.width_in_mbs) as usize;
    loop {
        if mb_addr >= context.size_in_mbs {
            return Err((Fault::TooManyMacroblocks, mb_addr));
        }
        let Some(above) = pairs.get_mut(column) else {
            column = 0;
            left = PairEdge::UNAVAILABLE;
            continue;
        };
        let around = Around {
            left,
            above: *above,
            upper: Edge::UNAVAILABLE,
            chroma_format: context.chroma_format,
        };
        [left, *above] = reader.pair(mb_addr, around, context.num_ref_idx_active, macroblocks)?;
        mb_addr += 2;
        column += 1;
        if !reader.elements.more_data() {
            return Ok(mb_addr);
        }
    }
}

impl<E: Elements> SliceReader<'_, E> {
    /// Reads a pair; returns its right and its lower edge.
    fn pair(
        &mut self,
        mb_addr: u32,
        mut around: Around,
        num_ref_idx_active: [u8; 2],
        macroblocks: &mut Vec<Macroblock>,
    ) -> Result<[PairEdge; 2], (Fault, u32)> {
        let at_top = |fault| (fault, mb_addr);
        // Where the flag is in neither macroblock, and for the contexts of what comes before it (7.4.4).
        let mut is_field = around.inferred_field_flag();
        let mut is_skipped = [false; 2];
        is_skipped[0] = self.skip_flag(&around, false, is_field).map_err(at_top)?;
        if is_skipped[0] {
            around.upper = Edge::SKIPPED;
            is_skipped[1] = self.skip_flag(&around, true, is_field).map_err(at_top)?;
        }
        if is_skipped != [true; 2] {
            is_field = self.field_flag(&around);
        }
        self.elements.set_field_macroblock(is_field);
        self.context.num_ref_idx_active = num_ref_idx_active.map(|active| active << u8::from(is_field));
        let mut edges = [PairEdge {
            macroblocks: [Edge::UNAVAILABLE; 2],
            is_field,
        }; 2];
        for i in 0..2 {
            let mb_addr = mb_addr + i as u32;
            let is_bottom = i == 1;
            let at = |fault| (fault, mb_addr);
            if is_bottom && !is_skipped[0] {
                is_skipped[1] = self.skip_flag(&around, true, is_field).map_err(at)?;
            }
            let mut macroblock = if is_skipped[i] {
                self.skipped(mb_addr)
            } else {
                self.enter(&around, Place { is_bottom, is_field });
                self.layer(mb_addr).map_err(at)?
            };
            if self.elements.overrun() {
                return Err(at(Fault::EndOfData));
            }
            macroblock.mb_field_decoding_flag = is_field;
            macroblocks.push(macroblock);
            around.upper = self.edges.top;
            edges[0].macroblocks[i] = self.edges.left;
            edges[1].macroblocks[i] = self.edges.top;
        }
        Ok(edges)
    }

    /// `mb_skip_flag` of a macroblock.
    fn skip_flag(&mut self, around: &Around, is_bottom: bool, is_field: bool) -> Result<bool, Fault> {
        let slice_type = self.context.slice_type;
        if slice_type == SliceType::I {
            return Ok(false);
        }
        self.enter(around, Place { is_bottom, is_field });
        self.elements.mb_skip_flag(slice_type, &self.edges)
    }

    /// `mb_field_decoding_flag`.
    fn field_flag(&mut self, around: &Around) -> bool {
        let [left, above] = [&around.left, &around.above].map(|pair| pair.is_available() && pair.is_field);
        self.elements.mb_field_decoding_flag(left, above)
    }

    /// Goes to a macroblock.
    fn enter(&mut self, around: &Around, place: Place) {
        self.edges.left = around.left_of(place);
        self.edges.top = around.above(place);
    }
}

impl Around {
    /// `mb_field_decoding_flag` where it is not coded (7.4.4).
    fn inferred_field_flag(&self) -> bool {
        let pairs = [&self.left, &self.above];
        pairs
            .into_iter()
            .find(|pair| pair.is_available())
            .is_some_and(|pair| pair.is_field)
    }

    /// What is to the left of a macroblock.
    fn left_of(&self, place: Place) -> Edge {
        let Place { is_bottom, is_field } = place;
        if !self.left.is_available() || self.left.is_field == is_field {
            return self.left.macroblocks[usize::from(is_bottom)];
        }
        let mixed = mixed_left(
            &self.left.macroblocks,
            BesideMixedPair { is_bottom, is_field },
            self.chroma_format,
        );
        converted(mixed, is_field)
    }

    /// What is above a macroblock.
    fn above(&self, place: Place) -> Edge {
        let Place { is_bottom, is_field } = place;
        if is_bottom && !is_field {
            return self.upper;
        }
        let is_upper = is_field && !is_bottom && self.above.is_field;
        let edge = self.above.macroblocks[usize::from(!is_upper)];
        if self.above.is_field == is_field {
            edge
        } else {
            converted(edge, is_field)
        }
    }
}

/// The column beside a macroblock of the other mode, gathered from the right edges of both macroblocks of a pair.
fn mixed_left(pair: &[Edge; 2], current: BesideMixedPair, chroma_format: ChromaFormat) -> Edge {
    let [upper_half, lower_half] = [current.at(0), current.at(8)];
    let mut edge = pair[upper_half.0];
    let luma_pattern = |(i, row): (usize, usize), bit: u8| {
        let coded = pair[i].coded_block_pattern >> (1 + row / 2 * 2) & 1;
        coded << bit
    };
    edge.coded_block_pattern &= !0x0f;
    edge.coded_block_pattern |= luma_pattern(upper_half, 1) | luma_pattern(lower_half, 3);
    for (half, (i, row)) in [upper_half, lower_half].into_iter().enumerate() {
        for list in 0..2 {
            edge.ref_idx[list][half] = pair[i].ref_idx[list][row / 2];
        }
        for component in 0..2 {
            edge.chroma[component][half] = pair[i].chroma[component][row / 2];
        }
    }
    for y in 0..4 {
        let (i, row) = current.at(y * 4);
        edge.luma[y] = pair[i].luma[row];
        for list in 0..2 {
            edge.mvd[list][y] = pair[i].mvd[list][row];
        }
        if chroma_format == ChromaFormat::Yuv422 {
            for component in 0..2 {
                edge.chroma[component][y] = pair[i].chroma[component][row];
            }
        }
    }
    edge
}

/// An edge as a macroblock of the other mode sees it: indexes count fields or frames, heights are those of fields or
/// frames (9.3.3.1.1.6, 9.3.3.1.1.7).
fn converted(mut edge: Edge, to_field: bool) -> Edge {
    for [_, y] in edge.mvd.as_flattened_mut() {
        *y = if to_field {
            *y / 2
        } else {
            (*y * 2).min(MVD_LIMIT as u8)
        };
    }
    if !to_field {
        for ref_idx in edge.ref_idx.as_flattened_mut() {
            *ref_idx /= 2;
        }
    }
    edge
}
