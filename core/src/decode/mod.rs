//! From pictures to requests: controls, one picture's session, and the byte stream decoder on top.

pub mod controls;
pub mod job;
pub mod request;
pub mod session;
pub mod stream;

pub use job::{DecodeJob, ReferencePicture, SliceJob};
pub use session::{FrameNeeds, PictureHandle, ScratchAllocator, Session, SessionStats, Submitted, Ticket};

/// How the decoding of a picture ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As the stream says.
    Good,
    /// The driver flagged an error, or a reference was missing and another picture stood in for it.
    Damaged,
}
