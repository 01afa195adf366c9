//! `residual()` (7.3.5.3) over the blocks of a macroblock.

use super::elements::{Edges, Elements, Levels, cat};
use super::fault::Fault;
use crate::macroblock::{Macroblock, MbType, block};
use crate::picture::ChromaFormat;

/// Column and row of a 4x4 luma block by `luma4x4BlkIdx` (6.4.3).
#[rustfmt::skip]
const LUMA_BLOCKS: [(usize, usize); 16] = [
    (0, 0), (1, 0), (0, 1), (1, 1),
    (2, 0), (3, 0), (2, 1), (3, 1),
    (0, 2), (1, 2), (0, 3), (1, 3),
    (2, 2), (3, 2), (2, 3), (3, 3),
];

/// `residual_luma()`.
#[inline(always)]
pub(super) fn luma<E: Elements>(
    elements: &mut E,
    edges: &mut Edges,
    levels: &mut Levels,
    mb: &mut Macroblock,
) -> Result<(), Fault> {
    if matches!(mb.mb_type, MbType::I16x16 { .. }) {
        mb.total_coeff[block::LUMA_DC] = elements.luma_dc(edges, levels)?;
        return blocks_4x4::<E, { cat::LUMA_AC }>(elements, edges, levels, mb);
    }
    edges.left.dc[0] = 0;
    edges.top.dc[0] = 0;
    if !mb.transform_size_8x8_flag {
        return blocks_4x4::<E, { cat::LUMA_4X4 }>(elements, edges, levels, mb);
    }
    for quarter in 0..4 {
        if mb.coded_block_pattern >> quarter & 1 != 0 {
            mb.total_coeff[4 * quarter] = elements.luma_8x8(quarter, edges, levels)?;
        } else {
            leave_quarter(edges, quarter);
        }
    }
    Ok(())
}

/// The sixteen 4x4 blocks.
#[inline(always)]
fn blocks_4x4<E: Elements, const CAT: usize>(
    elements: &mut E,
    edges: &mut Edges,
    levels: &mut Levels,
    mb: &mut Macroblock,
) -> Result<(), Fault> {
    for quarter in 0..4 {
        if mb.coded_block_pattern >> quarter & 1 == 0 {
            leave_quarter(edges, quarter);
            continue;
        }
        for (i, &(x, y)) in LUMA_BLOCKS.iter().enumerate().skip(4 * quarter).take(4) {
            let count = elements.block::<CAT>(edges.left.luma[y], edges.top.luma[x], levels)?;
            edges.left.luma[y] = count;
            edges.top.luma[x] = count;
            mb.total_coeff[block::LUMA + i] = count;
        }
    }
    Ok(())
}

/// Leaves a quarter without levels in the edges.
#[inline(always)]
fn leave_quarter(edges: &mut Edges, quarter: usize) {
    let (x, y) = LUMA_BLOCKS[4 * quarter];
    for i in 0..2 {
        edges.left.luma[y + i] = 0;
        edges.top.luma[x + i] = 0;
    }
}

/// The chroma part of `residual()`.
#[inline(always)]
pub(super) fn chroma<E: Elements>(
    format: ChromaFormat,
    elements: &mut E,
    edges: &mut Edges,
    levels: &mut Levels,
    mb: &mut Macroblock,
) -> Result<(), Fault> {
    let pattern = if format == ChromaFormat::Monochrome {
        0
    } else {
        mb.coded_block_pattern >> 4
    };
    for component in 0..2 {
        let (left, top) = (edges.left.dc[1 + component], edges.top.dc[1 + component]);
        let count = match format {
            _ if pattern == 0 => 0,
            ChromaFormat::Yuv422 => elements.block::<{ cat::CHROMA_DC_422 }>(left, top, levels)?,
            _ => elements.block::<{ cat::CHROMA_DC }>(left, top, levels)?,
        };
        mb.total_coeff[block::CB_DC + component] = count;
        edges.left.dc[1 + component] = u8::from(count > 0);
        edges.top.dc[1 + component] = u8::from(count > 0);
    }
    if pattern != 2 {
        edges.left.chroma = [[0; 4]; 2];
        edges.top.chroma = [[0; 4]; 2];
        return Ok(());
    }
    let blocks = if format == ChromaFormat::Yuv422 { 8 } else { 4 };
    for component in 0..2 {
        for i in 0..blocks {
            let (x, y) = (i & 1, i >> 1);
            let (left, top) = (edges.left.chroma[component][y], edges.top.chroma[component][x]);
            let count = elements.block::<{ cat::CHROMA_AC }>(left, top, levels)?;
            edges.left.chroma[component][y] = count;
            edges.top.chroma[component][x] = count;
            mb.total_coeff[block::CB_AC + (block::CR_AC - block::CB_AC) * component + i] = count;
        }
    }
    Ok(())
}
