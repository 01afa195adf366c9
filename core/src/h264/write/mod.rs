//! Writes H.264 syntax, for tests: core's own, and those of the package `fourier-tests`, which takes these files in.
//!
//! The structures are core's, field by field what the standard codes; the writing shares nothing with the parsing.
//! * [`bits`]: syntax elements to the bytes of a NAL unit;
//! * [`sps`], [`pps`], [`slice_header`]: one function per syntax structure.

pub mod bits;
pub mod pps;
mod scaling_list;
pub mod slice_header;
pub mod sps;
