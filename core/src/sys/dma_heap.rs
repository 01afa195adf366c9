//! `/dev/dma_heap/system`: dma-bufs of ordinary, cached pages.
#![allow(unsafe_code)]

use std::fs::OpenOptions;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;

use crate::IoctlError;

const PATH: &str = "/dev/dma_heap/system";

/// `struct dma_heap_allocation_data` of `linux/dma-heap.h`.
#[repr(C)]
struct DmaHeapAllocationData {
    len: u64,
    fd: u32,
    fd_flags: u32,
    heap_flags: u64,
}

nix::ioctl_readwrite!(ioctl_dma_heap_alloc, b'H', 0, DmaHeapAllocationData);

/// A new, zeroed dma-buf of at least `length` bytes from the system heap.
///
/// # Errors
/// ENOENT or EACCES where the system does not offer it; ENOMEM.
pub fn dma_heap_alloc(length: usize) -> Result<OwnedFd, IoctlError> {
    let error = |errno| IoctlError::new("DMA_HEAP_IOCTL_ALLOC", PATH, errno);
    let heap = OpenOptions::new()
        .read(true)
        .open(PATH)
        .map_err(|e| IoctlError::new("open", PATH, Errno::from_raw(e.raw_os_error().unwrap_or_default())))?;
    let mut data = DmaHeapAllocationData {
        len: length as u64,
        fd: 0,
        fd_flags: (OFlag::O_RDWR | OFlag::O_CLOEXEC).bits().unsigned_abs(),
        heap_flags: 0,
    };
    // SAFETY: `data` is a live `dma_heap_allocation_data`, which the ioctl reads and writes; the heap is open.
    unsafe { ioctl_dma_heap_alloc(heap.as_raw_fd(), &mut data) }.map_err(error)?;
    let fd = RawFd::try_from(data.fd).map_err(|_| error(Errno::EBADF))?;
    // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
