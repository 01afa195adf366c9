//! Writes H.264 syntax: parameter sets, slice headers, plain macroblocks, and whole streams anew after an edit.
//!
//! * [`mod@write`]: syntax elements, parameter sets and slice headers;
//! * [`slice_data`]: macroblocks whose samples a test can predict;
//! * [`rewrite`]: a stream read, edited and written again;
//! * [`sequence`]: a stream picture by picture;
//! * [`example`]: streams of what encoders do not make.

pub mod example;
pub mod rewrite;
pub mod sequence;
pub mod slice_data;
/// One writer for these tests and for those within core, which a package of its own could not serve: it would bring
/// another core's structures.
#[path = "../../../core/src/h264/write/mod.rs"]
pub mod write;

pub use write::{bits, pps, slice_header, sps};

/// A NAL unit with the start code before it.
pub fn with_start_code(nal: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 1], nal].concat()
}
