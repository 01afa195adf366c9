//! `slice_data()` (7.3.4) and `macroblock_layer()` (7.3.5), for either entropy coding.

use super::elements::{Edge, Edges, Elements, Levels};
use super::fault::Fault;
use super::inter;
use super::mb_types::{MbTypeInfo, mb_type};
use super::mbaff::PairEdge;
use super::residual;
use crate::macroblock::{Coefficient, Macroblock, MbType, Mv, SubMbShape, SubMbType, block};
use crate::picture::ChromaFormat;
use crate::slice::SliceType;
use crate::{ParsedPicture, PictureParams};

/// What holds for every macroblock of a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct SliceContext {
    /// `slice_type`.
    pub(super) slice_type: SliceType,
    /// First macroblock.
    pub(super) first_mb: u32,
    /// `num_ref_idx_lX_active`.
    pub(super) num_ref_idx_active: [u8; 2],
    /// `SliceQP_Y`.
    pub(super) slice_qp: i32,
    /// `PicWidthInMbs`.
    pub(super) width_in_mbs: u32,
    /// `PicSizeInMbs`.
    pub(super) size_in_mbs: u32,
    /// Chroma sampling.
    pub(super) chroma_format: ChromaFormat,
    /// `QpBdOffset_Y`.
    pub(super) qp_bd_offset: i32,
    /// `transform_8x8_mode_flag`.
    pub(super) transform_8x8_mode_flag: bool,
    /// `direct_8x8_inference_flag`.
    pub(super) direct_8x8_inference_flag: bool,
    /// `MbaffFrameFlag`.
    pub(super) mbaff: bool,
}

impl SliceContext {
    /// The part that comes from the picture.
    pub(super) fn new(params: &PictureParams, slice_type: SliceType) -> Self {
        Self {
            slice_type,
            first_mb: 0,
            num_ref_idx_active: [0; 2],
            slice_qp: 0,
            width_in_mbs: params.width_in_mbs,
            size_in_mbs: params.width_in_mbs * params.height_in_mbs,
            chroma_format: params.chroma_format,
            qp_bd_offset: 6 * (i32::from(params.bit_depth_luma) - 8),
            transform_8x8_mode_flag: params.transform_8x8_mode_flag,
            direct_8x8_inference_flag: params.direct_8x8_inference_flag,
            mbaff: params.structure.is_mbaff(),
        }
    }
}

/// Scratch memory of the slice loop.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Lower edge of the macroblock last read in each column.
    row: Vec<Edge>,
    /// The same of pairs, in MBAFF frames.
    pub(super) pairs: Vec<PairEdge>,
    /// Levels of the current macroblock.
    pub(super) levels: Levels,
}

/// Reads the macroblocks of one slice.
pub(super) struct SliceReader<'a, E> {
    pub(super) context: SliceContext,
    pub(super) elements: E,
    pub(super) edges: Edges,
    levels: &'a mut Levels,
    mvds: &'a mut Vec<Mv>,
    coefficients: &'a mut Vec<Coefficient>,
    /// `QP_Y,PRED`.
    qp: i32,
    /// `mb_qp_delta` of the macroblock before was not 0.
    nonzero_qp_delta: bool,
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
    if context.mbaff {
        return super::mbaff::parse(context, elements, scratch, parsed);
    }
    scratch.row.clear();
    scratch.row.resize(context.width_in_mbs as usize, Edge::UNAVAILABLE);
    let Scratch { row, levels, .. } = scratch;
    let ParsedPicture {
        macroblocks,
        mvds,
        coefficients,
        ..
    } = parsed;
    let mut reader = SliceReader::new(context, elements, levels, mvds, coefficients);
    let mut mb_addr = context.first_mb;
    let mut column = (context.first_mb % context.width_in_mbs) as usize;
    loop {
        if mb_addr >= context.size_in_mbs {
            return Err((Fault::TooManyMacroblocks, mb_addr));
        }
        let Some(edge) = row.get_mut(column) else {
            column = 0;
            reader.edges.left = Edge::UNAVAILABLE;
            continue;
        };
        reader.edges.top = *edge;
        let macroblock = reader.macroblock(mb_addr).map_err(|fault| (fault, mb_addr))?;
        *edge = reader.edges.top;
        if reader.elements.overrun() {
            return Err((Fault::EndOfData, mb_addr));
        }
        macroblocks.push(macroblock);
        mb_addr += 1;
        column += 1;
        if !reader.elements.more_data() {
            return Ok(mb_addr);
        }
    }
}

impl<'a, E: Elements> SliceReader<'a, E> {
    /// At the start of a slice.
    pub(super) fn new(
        context: &SliceContext,
        elements: E,
        levels: &'a mut Levels,
        mvds: &'a mut Vec<Mv>,
        coefficients: &'a mut Vec<Coefficient>,
    ) -> Self {
        Self {
            context: *context,
            elements,
            edges: Edges {
                left: Edge::UNAVAILABLE,
                top: Edge::UNAVAILABLE,
            },
            levels,
            mvds,
            coefficients,
            qp: context.slice_qp,
            nonzero_qp_delta: false,
        }
    }

    /// A macroblock with nothing in it.
    #[inline(always)]
    fn empty(&self, mb_addr: u32, mb_type: MbType) -> Macroblock {
        Macroblock {
            mb_addr,
            mb_type,
            mb_field_decoding_flag: false,
            transform_size_8x8_flag: false,
            qp_y: self.qp as i8,
            coded_block_pattern: 0,
            intra_chroma_pred_mode: 0,
            intra_pred_mode: [0; 16],
            sub_mb_type: [SubMbType::Direct; 4],
            ref_idx: [[-1; 4]; 2],
            mvds: self.mvds.len() as u32,
            coefficients: self.coefficients.len() as u32,
            total_coeff: [0; block::COUNT],
        }
    }

    /// One round of `slice_data()`: a skipped macroblock or a `macroblock_layer()`.
    #[inline(always)]
    fn macroblock(&mut self, mb_addr: u32) -> Result<Macroblock, Fault> {
        let slice_type = self.context.slice_type;
        if slice_type != SliceType::I && self.elements.mb_skip_flag(slice_type, &self.edges)? {
            return Ok(self.skipped(mb_addr));
        }
        self.layer(mb_addr)
    }

    /// `P_Skip` or `B_Skip`.
    #[inline(always)]
    pub(super) fn skipped(&mut self, mb_addr: u32) -> Macroblock {
        let is_p = self.context.slice_type == SliceType::P;
        let edge = Edge {
            not_direct: is_p,
            ..Edge::SKIPPED
        };
        self.edges = Edges { left: edge, top: edge };
        self.nonzero_qp_delta = false;
        self.empty(mb_addr, if is_p { MbType::PSkip } else { MbType::BSkip })
    }

    /// `macroblock_layer()`.
    #[inline(always)]
    pub(super) fn layer(&mut self, mb_addr: u32) -> Result<Macroblock, Fault> {
        let slice_type = self.context.slice_type;
        let number = self.elements.mb_type(slice_type, &self.edges)?;
        let info = mb_type(slice_type, number)?;
        self.levels.clear();
        let mut mb = self.empty(mb_addr, info.mb_type);
        match info.mb_type {
            MbType::IPcm => self.pcm(&mut mb)?,
            MbType::INxN | MbType::I16x16 { .. } => self.intra(&mut mb, info)?,
            _ => self.inter(&mut mb, info)?,
        }
        self.coefficients.extend_from_slice(self.levels.as_slice());
        Ok(mb)
    }

    /// `I_PCM`.
    #[cold]
    fn pcm(&mut self, mb: &mut Macroblock) -> Result<(), Fault> {
        let chroma = match self.context.chroma_format {
            ChromaFormat::Monochrome => 0,
            ChromaFormat::Yuv420 => 128,
            ChromaFormat::Yuv422 => 256,
        };
        let bit_depth = 8 + self.context.qp_bd_offset as usize / 6;
        self.elements.pcm_samples(256 + chroma, bit_depth, self.coefficients)?;
        mb.qp_y = 0;
        let edge = Edge {
            coded_block_pattern: 0x2f,
            luma: [16; 4],
            chroma: [[16; 4]; 2],
            dc: [1; 3],
            ..Edge::EMPTY
        };
        self.edges = Edges { left: edge, top: edge };
        self.nonzero_qp_delta = false;
        Ok(())
    }

    /// `I_NxN` and `I_16x16_*`.
    #[inline(always)]
    fn intra(&mut self, mb: &mut Macroblock, info: MbTypeInfo) -> Result<(), Fault> {
        let i_nxn = info.mb_type == MbType::INxN;
        if i_nxn {
            if self.context.transform_8x8_mode_flag {
                mb.transform_size_8x8_flag = self.elements.transform_size_8x8_flag(&self.edges);
            }
            let step = if mb.transform_size_8x8_flag { 4 } else { 1 };
            for mode in mb.intra_pred_mode.iter_mut().step_by(step) {
                *mode = self.elements.intra_pred_mode();
            }
        }
        if self.context.chroma_format != ChromaFormat::Monochrome {
            mb.intra_chroma_pred_mode = self.elements.intra_chroma_pred_mode(&self.edges)?;
        }
        mb.coded_block_pattern = if i_nxn {
            self.elements.coded_block_pattern(true, &self.edges)?
        } else {
            info.coded_block_pattern
        };
        self.prepare_residual(true);
        let edge = |old: Edge| Edge {
            not_i_nxn: !i_nxn,
            chroma_mode: mb.intra_chroma_pred_mode != 0,
            luma: old.luma,
            chroma: old.chroma,
            dc: old.dc,
            ..Edge::EMPTY
        };
        self.edges = Edges {
            left: edge(self.edges.left),
            top: edge(self.edges.top),
        };
        self.residual(mb)
    }

    /// Every other type.
    #[inline(always)]
    fn inter(&mut self, mb: &mut Macroblock, info: MbTypeInfo) -> Result<(), Fault> {
        let may_be_8x8 = inter::prediction(
            self.context,
            &mut self.elements,
            &mut self.edges,
            self.mvds,
            mb,
            info.ref0,
        )?;
        mb.coded_block_pattern = self.elements.coded_block_pattern(false, &self.edges)?;
        let inferred = mb.mb_type == MbType::Direct16x16 && !self.context.direct_8x8_inference_flag;
        if self.context.transform_8x8_mode_flag && mb.coded_block_pattern & 0x0f != 0 && may_be_8x8 && !inferred {
            mb.transform_size_8x8_flag = self.elements.transform_size_8x8_flag(&self.edges);
        }
        self.prepare_residual(false);
        let not_direct = mb.mb_type != MbType::Direct16x16;
        let edge = |old: Edge| Edge {
            not_direct,
            luma: old.luma,
            chroma: old.chroma,
            dc: old.dc,
            ref_idx: old.ref_idx,
            mvd: old.mvd,
            ..Edge::EMPTY
        };
        self.edges = Edges {
            left: edge(self.edges.left),
            top: edge(self.edges.top),
        };
        self.residual(mb)
    }

    /// Puts into the edges what the residual of this macroblock takes for neighbours that are not available.
    #[inline(always)]
    fn prepare_residual(&mut self, intra: bool) {
        for edge in [&mut self.edges.left, &mut self.edges.top] {
            if !edge.available {
                let count = E::unavailable_total_coeff(intra);
                edge.luma = [count; 4];
                edge.chroma = [[count; 4]; 2];
                edge.dc = [u8::from(intra); 3];
            }
        }
    }

    /// `mb_qp_delta` and `residual()`, if there is one.
    #[inline(always)]
    fn residual(&mut self, mb: &mut Macroblock) -> Result<(), Fault> {
        for edge in [&mut self.edges.left, &mut self.edges.top] {
            edge.coded_block_pattern = mb.coded_block_pattern;
            edge.transform_8x8 = mb.transform_size_8x8_flag;
        }
        let intra_16x16 = matches!(mb.mb_type, MbType::I16x16 { .. });
        if mb.coded_block_pattern == 0 && !intra_16x16 {
            for edge in [&mut self.edges.left, &mut self.edges.top] {
                edge.luma = [0; 4];
                edge.chroma = [[0; 4]; 2];
                edge.dc = [0; 3];
            }
            self.nonzero_qp_delta = false;
            return Ok(());
        }
        let delta = self.elements.mb_qp_delta(self.nonzero_qp_delta)?;
        let offset = self.context.qp_bd_offset;
        if !(-(26 + offset / 2)..=25 + offset / 2).contains(&delta) {
            return Err(Fault::MbQpDelta);
        }
        self.nonzero_qp_delta = delta != 0;
        self.qp = (self.qp + delta + 52 + 2 * offset) % (52 + offset) - offset;
        mb.qp_y = self.qp as i8;
        residual::luma(&mut self.elements, &mut self.edges, self.levels, mb)?;
        residual::chroma(
            self.context.chroma_format,
            &mut self.elements,
            &mut self.edges,
            self.levels,
            mb,
        )
    }
}

/// The partitions of a sub-macroblock in 4x4 blocks: width, height.
#[inline(always)]
pub(super) fn sub_mb_part_size(shape: SubMbShape) -> (usize, usize) {
    match shape {
        SubMbShape::S8x8 => (2, 2),
        SubMbShape::S8x4 => (2, 1),
        SubMbShape::S4x8 => (1, 2),
        SubMbShape::S4x4 => (1, 1),
    }
}
