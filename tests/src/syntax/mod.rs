//! Writes H.264 syntax: parameter sets, slice headers, plain macroblocks, and whole streams anew after an edit.
//!
//! The structures are core's, field by field what the standard codes; the writing shares nothing with core's parsing.
//! * [`bits`]: syntax elements to the bytes of a NAL unit;
//! * [`sps`], [`pps`], [`slice_header`]: one function per syntax structure;
//! * [`slice_data`]: macroblocks whose samples a test can predict;
//! * [`rewrite`]: a stream read, edited and written again;
//! * [`sequence`]: a stream picture by picture;
//! * [`example`]: streams of what encoders do not make.

pub mod bits;
pub mod example;
pub mod pps;
pub mod rewrite;
mod scaling_list;
pub mod sequence;
pub mod slice_data;
pub mod slice_header;
pub mod sps;

/// A NAL unit with the start code before it.
pub fn with_start_code(nal: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 1], nal].concat()
}
