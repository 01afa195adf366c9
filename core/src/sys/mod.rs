//! Core's only unsafe ring: shared memory, dma-buf ioctls, poll. Every signature here is safe and sound for all inputs.
//!
//! One file per kernel object: [`Mapping`] (mmap), [`object`] (what a file descriptor is), `memfd`, `udmabuf`,
//! `dma_heap`, `dma_buf` (CPU access brackets, fences, users), `poll`, `media` (topology) and its `request`s, `video`
//! with `buffers` and `controls`. v4l2r makes the ioctls that it has.

mod buffers;
mod controls;
mod dma_buf;
mod dma_heap;
mod mapping;
mod media;
mod memfd;
pub mod object;
mod poll;
mod request;
mod udmabuf;
mod video;

#[cfg(test)]
mod tests;

pub use buffers::{Backing, BufferInfo, BufferToQueue, Buffers};
pub use controls::{ControlInfo, ControlValue, MAX_CONTROLS};
pub use dma_buf::{CpuAccessKind, SyncPhase, dma_buf_readers_done, dma_buf_sync, dma_buf_users};
pub use dma_heap::{DmaHeap, DmaHeapKind};
pub use mapping::Mapping;
pub use media::{Entity, Interface, Link, MediaDevice, MediaInfo, Pad, Topology};
pub use memfd::memfd_create;
pub use object::{MemoryKind, ObjectId};
pub use poll::{PollFlags, poll_fd};
pub use request::{RequestFd, RequestPoll};
pub use udmabuf::Udmabuf;
pub use v4l2r::QueueDirection;
pub use v4l2r::memory::MemoryType as V4l2MemoryType;
pub use video::{FrameSizeRange, PixFormat, PlanePixFormat, VideoCapability, VideoNode};

/// Size of a page in bytes; what dma-buf exporters round lengths up to.
pub fn page_size() -> usize {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(4096)
}
