//! H.264 decoding with the Linux V4L2 stateless uAPI (Request API).

/// The writer that the tests share knows this crate by its name.
#[cfg(test)]
extern crate self as fourier_core;

pub mod decode;
pub mod device;
mod error;
pub mod h264;
pub mod memory;
pub mod pool;
pub mod sys;
pub mod units;

pub use error::{BitstreamError, Error, IoctlError, Result};
