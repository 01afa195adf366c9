//! Every kernel in plain Rust, written after the equations of the standard.

mod deblock;
mod interpolate;
mod transform;

pub(crate) use deblock::{deblock_chroma, deblock_chroma_half, deblock_luma, deblock_luma_half};
pub(crate) use interpolate::{average, chroma, luma, weight, weight_both};
pub(crate) use transform::{add_4x4, add_8x8, add_chroma_4x4, add_dc};
