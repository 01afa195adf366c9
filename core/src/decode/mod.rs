//! From pictures to requests: controls, one picture's session, and the byte stream decoder on top.

pub mod job;

pub use job::{DecodeJob, ReferencePicture, SliceJob};
