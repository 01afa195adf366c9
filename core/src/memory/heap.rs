//! Where memory comes from when no decoder device allocates it: udmabuf, a dma-heap, or memfd.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;

use super::MemoryKind;
use crate::IoctlError;
use crate::sys::{self, DmaHeap};

/// A source of shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heap {
    /// `/dev/udmabuf` over a memfd: a dma-buf of ordinary, cached pages.
    Udmabuf,
    /// `/dev/dma_heap/system`: the same, where the system has it.
    DmaHeap,
    /// The dma-heap of contiguous memory, for devices that cannot gather pages.
    Cma,
    /// memfd: everywhere, but no device can import it.
    MemFd,
}

impl Heap {
    /// The best that this system lets us use, found out once per process.
    pub fn best() -> Self {
        static BEST: OnceLock<Heap> = OnceLock::new();
        *BEST.get_or_init(|| {
            let works = |heap: &Self| heap.allocate(sys::page_size()).is_ok();
            let best = [Self::Udmabuf, Self::DmaHeap]
                .into_iter()
                .find(works)
                .unwrap_or(Self::MemFd);
            tracing::debug!("shared memory comes from {best:?}");
            best
        })
    }

    /// What its memories are.
    pub fn kind(self) -> MemoryKind {
        match self {
            Self::Udmabuf | Self::DmaHeap | Self::Cma => MemoryKind::DmaBuf,
            Self::MemFd => MemoryKind::MemFd,
        }
    }

    /// A new, zeroed memory of at least `length` bytes, whole pages.
    ///
    /// # Errors
    /// The failure of the call that makes it.
    pub fn allocate(self, length: usize) -> Result<OwnedFd, IoctlError> {
        let overflow = || IoctlError::new("allocate", "shared memory", nix::errno::Errno::ENOMEM);
        let length = length
            .max(1)
            .checked_next_multiple_of(sys::page_size())
            .ok_or_else(overflow)?;
        match self {
            Self::Udmabuf => sys::udmabuf_create(sys::memfd_create(length)?.as_fd(), length),
            Self::DmaHeap => sys::dma_heap_alloc(DmaHeap::System, length),
            Self::Cma => sys::dma_heap_alloc(DmaHeap::Cma, length),
            Self::MemFd => sys::memfd_create(length),
        }
    }
}
