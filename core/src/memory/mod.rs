//! Frame memory: dma-bufs (or memfds) with a layout and a reference count, independent of any queue.

use std::fmt::Debug;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::Result;
use crate::device::Format;
use crate::units::Size;

/// What kind of file descriptor a frame memory has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoryKind {
    /// A dma-buf: other devices can import it.
    DmaBuf,
    /// A memfd: any process can map it, no device can import it. Never announced as DMABuf.
    MemFd,
}

/// One colour plane inside a frame memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlaneLayout {
    /// Index into [`FrameMemory::fds`].
    pub object: usize,
    /// Bytes from the start of the object.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub pitch: usize,
}

/// Where the samples lie in a frame memory, in DRM's terms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FrameLayout {
    /// DRM fourcc, `NV12` for instance.
    pub fourcc: u32,
    /// DRM format modifier; `None` where DRM has no name for the tiling (never exported).
    pub modifier: Option<u64>,
    /// Coded size.
    pub size: Size,
    /// Colour planes, luma first.
    pub planes: Vec<PlaneLayout>,
    /// Length of each object in bytes, the driver's tail space included.
    pub object_lengths: Vec<usize>,
}

/// The memory of one frame. It lives as long as somebody holds it: decoder, DPB, or a program downstream.
#[derive(Debug)]
pub struct FrameMemory {
    /// One file descriptor per memory plane.
    pub fds: Vec<OwnedFd>,
    /// What they are.
    pub kind: MemoryKind,
    /// Where the samples lie.
    pub layout: FrameLayout,
}

/// Makes frame memories that a decoder can write.
pub trait FrameAllocator: Debug + Send + Sync {
    /// A new, zeroed memory for pictures of `format`.
    ///
    /// # Errors
    /// [`crate::Error::Device`] naming the call that failed.
    fn allocate(&self, format: &Format) -> Result<Arc<FrameMemory>>;
}
