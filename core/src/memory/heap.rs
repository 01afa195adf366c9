//! Where memory comes from when no decoder device allocates it: udmabuf, a dma-heap, or memfd.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;

use super::MemoryKind;
use crate::IoctlError;
use crate::sys::{self, DmaHeap, DmaHeapKind, Udmabuf};

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

    /// Opens it, so that memories can be made where its node is out of reach later.
    ///
    /// # Errors
    /// ENOENT or EACCES where the system does not offer it.
    pub fn open(self) -> Result<OpenHeap, IoctlError> {
        Ok(match self {
            Self::Udmabuf => OpenHeap::Udmabuf(Udmabuf::open()?),
            Self::DmaHeap => OpenHeap::DmaHeap(DmaHeap::open(DmaHeapKind::System)?),
            Self::Cma => OpenHeap::DmaHeap(DmaHeap::open(DmaHeapKind::Cma)?),
            Self::MemFd => OpenHeap::MemFd,
        })
    }

    /// A new, zeroed memory of at least `length` bytes, whole pages.
    ///
    /// # Errors
    /// Those of [`Self::open`] and [`OpenHeap::allocate`].
    pub fn allocate(self, length: usize) -> Result<OwnedFd, IoctlError> {
        self.open()?.allocate(length)
    }
}

/// A heap that needs nothing of the file system any more.
#[derive(Debug)]
pub enum OpenHeap {
    /// [`Heap::Udmabuf`].
    Udmabuf(Udmabuf),
    /// [`Heap::DmaHeap`] or [`Heap::Cma`].
    DmaHeap(DmaHeap),
    /// [`Heap::MemFd`].
    MemFd,
}

impl OpenHeap {
    /// A new, zeroed memory of at least `length` bytes, whole pages.
    ///
    /// # Errors
    /// The failure of the call that makes it.
    pub fn allocate(&self, length: usize) -> Result<OwnedFd, IoctlError> {
        let overflow = || IoctlError::new("allocate", "shared memory", nix::errno::Errno::ENOMEM);
        let length = length
            .max(1)
            .checked_next_multiple_of(sys::page_size())
            .ok_or_else(overflow)?;
        match self {
            Self::Udmabuf(device) => device.create(sys::memfd_create(length)?.as_fd(), length),
            Self::DmaHeap(heap) => heap.allocate(length),
            Self::MemFd => sys::memfd_create(length),
        }
    }

    /// What its memories are.
    pub fn kind(&self) -> MemoryKind {
        match self {
            Self::Udmabuf(_) | Self::DmaHeap(_) => MemoryKind::DmaBuf,
            Self::MemFd => MemoryKind::MemFd,
        }
    }
}
