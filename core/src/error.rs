//! One error type, sorted by what the caller does about it.

use std::path::PathBuf;

use nix::errno::Errno;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong; each variant asks for another reaction.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The stream or the request is legal but cannot be decoded here: try another decoder.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// The stream is damaged: skip to the next usable picture.
    #[error(transparent)]
    Bitstream(#[from] BitstreamError),
    /// The device refused or failed a call.
    #[error(transparent)]
    Device(#[from] IoctlError),
    /// No frame memory to be had within the limits; `needed` frames must come home first.
    #[error("no free frame memory: {needed} more needed, the limit is {limit}")]
    NeedFrames {
        /// How many are missing.
        needed: usize,
        /// How many the session may have.
        limit: usize,
    },
    /// The wait was ended by a flush or a shutdown: give up quietly.
    #[error("interrupted by a flush")]
    Flushing,
    /// The decoder instance does not answer any more: open a new one.
    #[error("the decoder is lost: {0}")]
    Lost(String),
    /// A mistake in fourier or its caller.
    #[error("bug: {0}")]
    Bug(String),
}

/// A system call that failed: which, on what, why.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{call} on {path}: {errno}", path = path.display())]
pub struct IoctlError {
    /// The ioctl or system call, as in the manual (`VIDIOC_QBUF`).
    pub call: &'static str,
    /// The node, or a name for what has none.
    pub path: PathBuf,
    /// The reason.
    pub errno: Errno,
}

impl IoctlError {
    /// The failure of `call` on `path`.
    pub fn new(call: &'static str, path: impl Into<PathBuf>, errno: Errno) -> Self {
        Self {
            call,
            path: path.into(),
            errno,
        }
    }
}

/// Where a stream breaks the syntax of H.264.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{structure}: {element}: {reason} (H.264 {clause})")]
pub struct BitstreamError {
    /// The syntax structure (`slice_header`).
    pub structure: &'static str,
    /// The syntax element.
    pub element: &'static str,
    /// What is wrong with it.
    pub reason: String,
    /// The clause that it breaks.
    pub clause: &'static str,
}
