//! What stands behind a file descriptor of shared memory: its kind, length and identity.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::stat::fstat;
use nix::sys::statfs::{FsType, fstatfs};
use nix::unistd::{Whence, lseek};

use crate::IoctlError;

/// `DMA_BUF_MAGIC` of `linux/magic.h`.
const DMA_BUF_MAGIC: FsType = FsType(0x444d_4142);

/// What kind of file descriptor a memory has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoryKind {
    /// A dma-buf: other devices can import it.
    DmaBuf,
    /// A memfd: any process can map it, no device can import it. Never announced as DMABuf.
    MemFd,
}

/// Names the memory behind a descriptor: equal for every duplicate, different for every other memory alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectId {
    device: u64,
    inode: u64,
}

/// Tells what `fd` is.
///
/// # Errors
/// EINVAL if it is neither a dma-buf nor a memfd sealed against shrinking.
pub fn kind(fd: BorrowedFd<'_>) -> Result<MemoryKind, IoctlError> {
    if let Ok(bits) = fcntl(fd.as_raw_fd(), FcntlArg::F_GET_SEALS) {
        return if SealFlag::from_bits_truncate(bits).contains(SealFlag::F_SEAL_SHRINK) {
            Ok(MemoryKind::MemFd)
        } else {
            Err(IoctlError::new(
                "fcntl(F_GET_SEALS)",
                "memfd that may shrink",
                Errno::EINVAL,
            ))
        };
    }
    let system = fstatfs(fd).map_err(|errno| IoctlError::new("fstatfs", "shared memory", errno))?;
    if system.filesystem_type() == DMA_BUF_MAGIC {
        Ok(MemoryKind::DmaBuf)
    } else {
        Err(IoctlError::new(
            "fstatfs",
            "descriptor that is no shared memory",
            Errno::EINVAL,
        ))
    }
}

/// Bytes of the object.
///
/// # Errors
/// What lseek(2) says: ESPIPE where the descriptor has no length.
pub fn length(fd: BorrowedFd<'_>) -> Result<usize, IoctlError> {
    let end = lseek(fd.as_raw_fd(), 0, Whence::SeekEnd).map_err(|errno| IoctlError::new("lseek", "memory", errno))?;
    usize::try_from(end).map_err(|_| IoctlError::new("lseek", "memory", Errno::EOVERFLOW))
}

/// Which memory it is.
///
/// # Errors
/// What fstat(2) says.
pub fn identity(fd: BorrowedFd<'_>) -> Result<ObjectId, IoctlError> {
    let stat = fstat(fd.as_raw_fd()).map_err(|errno| IoctlError::new("fstat", "memory", errno))?;
    Ok(ObjectId {
        device: stat.st_dev,
        inode: stat.st_ino,
    })
}
