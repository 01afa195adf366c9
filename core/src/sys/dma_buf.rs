//! dma-bufs: brackets around CPU access, fences of readers, how many hold one.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;

use super::poll::{PollFlags, poll_fd};
use crate::IoctlError;

/// What the CPU does with the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuAccessKind {
    /// `DMA_BUF_SYNC_READ`.
    Read,
    /// `DMA_BUF_SYNC_RW`.
    ReadWrite,
}

/// Which end of a bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPhase {
    /// `DMA_BUF_SYNC_START`.
    Start,
    /// `DMA_BUF_SYNC_END`.
    End,
}

/// `struct dma_buf_sync` of `linux/dma-buf.h`.
#[repr(C)]
struct DmaBufSync {
    flags: u64,
}

nix::ioctl_write_ptr!(ioctl_dma_buf_sync, b'b', 0, DmaBufSync);

/// DMA_BUF_IOCTL_SYNC: opens or closes a bracket of CPU access.
///
/// # Errors
/// ENOTTY if `fd` is no dma-buf; what the exporter says.
pub fn dma_buf_sync(fd: BorrowedFd<'_>, access: CpuAccessKind, phase: SyncPhase) -> Result<(), IoctlError> {
    let access = match access {
        CpuAccessKind::Read => 1,
        CpuAccessKind::ReadWrite => 3,
    };
    let phase = match phase {
        SyncPhase::Start => 0,
        SyncPhase::End => 1 << 2,
    };
    let sync = DmaBufSync { flags: access | phase };
    loop {
        // SAFETY: `sync` is a live `dma_buf_sync`, which the ioctl only reads; on anything but a dma-buf it is ENOTTY.
        match unsafe { ioctl_dma_buf_sync(fd.as_raw_fd(), &sync) } {
            Ok(_) => return Ok(()),
            // The documented reaction: try again.
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(errno) => return Err(IoctlError::new("DMA_BUF_IOCTL_SYNC", "dma-buf", errno)),
        }
    }
}

/// Whether no device has an unfinished job that reads (or writes) the dma-buf: it may be written again. Never blocks.
///
/// # Errors
/// What poll(2) says.
pub fn dma_buf_readers_done(fd: BorrowedFd<'_>) -> Result<bool, IoctlError> {
    Ok(poll_fd(fd, PollFlags::POLLOUT, Duration::ZERO)?.contains(PollFlags::POLLOUT))
}

/// How many hold the dma-buf (descriptors, mappings, importers, in any process); `None` where procfs does not tell.
pub fn dma_buf_users(fd: BorrowedFd<'_>) -> Option<u64> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).ok()?;
    info.lines()
        .find_map(|line| line.strip_prefix("count:"))?
        .trim()
        .parse()
        .ok()
}
