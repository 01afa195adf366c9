//! A small client on libva, to test drivers with: it calls what applications call, in the orders in which they do.
//!
//! * `ffi`: its only unsafe ring: [`Display`], every call of libva as a method with safe arguments;
//! * [`Status`]: what a call that failed gives;
//! * [`Decoder`]: an Annex B stream to surfaces in display order, with the [`Habits`] of one application or another;
//! * [`ClientMemory`]: dma-bufs of its own, to be made surfaces of;
//! * `parameters`: a picture in VA's terms;
//! * [`Picture`]: samples of a surface; [`Export`]: its dma-bufs;
//! * [`Vgem`]: a DRM device whose jobs read a dma-buf for as long as a test wants.

mod decoder;
mod ffi;
mod habits;
mod memory;
mod parameters;
mod picture;
mod status;

pub use decoder::{Decoder, PROFILE_H264_HIGH10, Shown};
pub use ffi::{Display, Exported, External, Parameters, Reading, Vgem, va};
pub use habits::{BufferHabit, Habits, MemoryHabit, SliceHabit};
pub use memory::ClientMemory;
pub use picture::{Export, Picture};
pub use status::Status;

/// What decoding gives back: a failure is a sentence.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
