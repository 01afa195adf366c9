//! Core's only unsafe ring: shared memory, dma-buf ioctls, poll. Every signature here is safe and sound for all inputs.
//!
//! One file per kernel object: [`Mapping`] (mmap), [`object`] (what a file descriptor is), `memfd`, `udmabuf`,
//! `dma_heap`, `dma_buf` (CPU access brackets, fences, users), `poll`.

mod dma_buf;
mod dma_heap;
mod mapping;
mod memfd;
pub mod object;
mod poll;
mod udmabuf;

#[cfg(test)]
mod tests;

pub use dma_buf::{CpuAccessKind, SyncPhase, dma_buf_readers_done, dma_buf_sync, dma_buf_users};
pub use dma_heap::dma_heap_alloc;
pub use mapping::Mapping;
pub use memfd::memfd_create;
pub use object::{MemoryKind, ObjectId};
pub use poll::{PollFlags, poll_fd};
pub use udmabuf::udmabuf_create;

/// Size of a page in bytes; what dma-buf exporters round lengths up to.
pub fn page_size() -> usize {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(4096)
}
