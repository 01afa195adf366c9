//! `/dev/dma_heap/*`: dma-bufs of ordinary, cached pages, or of contiguous ones.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;

use crate::IoctlError;

/// The kinds of heaps that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmaHeapKind {
    /// Scattered pages.
    System,
    /// Contiguous memory, for devices without an IOMMU.
    Cma,
}

impl DmaHeapKind {
    /// Where it may be; the contiguous one has had several names.
    fn paths(self) -> &'static [&'static str] {
        match self {
            Self::System => &["/dev/dma_heap/system"],
            Self::Cma => &[
                "/dev/dma_heap/default_cma_region",
                "/dev/dma_heap/linux,cma",
                "/dev/dma_heap/reserved",
            ],
        }
    }
}

/// An open heap of the kernel.
#[derive(Debug)]
pub struct DmaHeap {
    file: File,
    path: &'static str,
}

/// `struct dma_heap_allocation_data` of `linux/dma-heap.h`.
#[repr(C)]
struct DmaHeapAllocationData {
    len: u64,
    fd: u32,
    fd_flags: u32,
    heap_flags: u64,
}

nix::ioctl_readwrite!(ioctl_dma_heap_alloc, b'H', 0, DmaHeapAllocationData);

impl DmaHeap {
    /// Opens the first of the kind's paths that can be opened.
    ///
    /// # Errors
    /// ENOENT or EACCES where the system does not offer it.
    pub fn open(kind: DmaHeapKind) -> Result<Self, IoctlError> {
        let mut failure = IoctlError::new("open", "/dev/dma_heap", Errno::ENOENT);
        for path in kind.paths() {
            match OpenOptions::new().read(true).open(path) {
                Ok(file) => return Ok(Self { file, path }),
                Err(e) => {
                    failure = IoctlError::new("open", path, Errno::from_raw(e.raw_os_error().unwrap_or_default()))
                }
            }
        }
        Err(failure)
    }

    /// A new, zeroed dma-buf of at least `length` bytes.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn allocate(&self, length: usize) -> Result<OwnedFd, IoctlError> {
        let error = |errno| IoctlError::new("DMA_HEAP_IOCTL_ALLOC", self.path, errno);
        let mut data = DmaHeapAllocationData {
            len: length as u64,
            fd: 0,
            fd_flags: (OFlag::O_RDWR | OFlag::O_CLOEXEC).bits().unsigned_abs(),
            heap_flags: 0,
        };
        // SAFETY: `data` is a live `dma_heap_allocation_data`, which the ioctl reads and writes; the heap is open.
        unsafe { ioctl_dma_heap_alloc(self.file.as_raw_fd(), &mut data) }.map_err(error)?;
        let fd = RawFd::try_from(data.fd).map_err(|_| error(Errno::EBADF))?;
        // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}
