//! mmap(2) of shared memory.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fmt;
use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::object;
use crate::IoctlError;

/// A shared, writable mapping of a dma-buf, a memfd or a buffer of a video node, unmapped when dropped.
///
/// Only memory that cannot shrink is mapped, so no access faults. What it shows is shared: a device, another process or
/// another mapping in this one may change the bytes while they are borrowed here, which Rust's rules for references do
/// not foresee and nothing in user space can rule out. It is kept harmless as every user of mmap(2) has to: two
/// mappings never have an address in common, so no two *Rust* references overlap; a byte has no invalid values; and the
/// bytes are samples or bitstream, of which a reader gets old or new ones in any mixture, checks each value that it
/// reads, and never reads one twice to rely on both being equal. Who waits for a device before it reads (the session, by
/// its tickets) reads what the device wrote.
pub struct Mapping {
    start: NonNull<c_void>,
    length: usize,
}

impl Mapping {
    /// Maps the first `length` bytes of `fd`.
    ///
    /// # Errors
    /// EINVAL for a length of 0 or beyond the object, or for an object that could shrink under the mapping (neither a
    /// dma-buf nor a memfd sealed against shrinking); else what mmap(2) says (EACCES for a read-only descriptor).
    pub fn new(fd: BorrowedFd<'_>, length: usize) -> Result<Self, IoctlError> {
        let error = |errno| IoctlError::new("mmap", "shared memory", errno);
        object::kind(fd)?;
        let mapped = NonZeroUsize::new(length).ok_or(error(Errno::EINVAL))?;
        if length > object::length(fd)? || isize::try_from(length).is_err() {
            return Err(error(Errno::EINVAL));
        }
        Self::map(fd, mapped, 0).map_err(error)
    }

    /// Maps a memory plane of an MMAP buffer: videobuf2 keeps its memory for as long as it is mapped.
    ///
    /// # Errors
    /// EINVAL for a length of 0; else what mmap(2) says: EINVAL for an offset that QUERYBUF did not give.
    pub(super) fn of_video_buffer(node: BorrowedFd<'_>, length: usize, offset: i64) -> Result<Self, Errno> {
        let mapped = NonZeroUsize::new(length).filter(|&length| isize::try_from(length.get()).is_ok());
        Self::map(node, mapped.ok_or(Errno::EINVAL)?, offset)
    }

    fn map(fd: BorrowedFd<'_>, length: NonZeroUsize, offset: i64) -> Result<Self, Errno> {
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: no address is given, so no existing mapping is replaced; the result is owned by the new value alone.
        let start = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, fd, offset) }?;
        Ok(Self {
            start,
            length: length.get(),
        })
    }

    /// How many bytes are mapped, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a mapping is never empty")]
    pub fn len(&self) -> usize {
        self.length
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `start` is the start of a live mapping of `length` readable bytes, at most `isize::MAX`, that lives as
        // long as `self`; the memory behind it cannot shrink (checked in `new`, or kept by videobuf2). Of writes by others
        // see the type.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.length) }
    }

    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; the mapping is writable and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().cast(), self.length) }
    }
}

// SAFETY: a mapping belongs to the process, not to a thread; `munmap` may be called from any of them.
unsafe impl Send for Mapping {}
// SAFETY: through `&Mapping` the bytes can only be read.
unsafe impl Sync for Mapping {}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `start` and `length` are those of the mapping made in `new`, and no slice of it outlives `self`.
        if let Err(errno) = unsafe { munmap(self.start, self.length) } {
            tracing::error!("munmap of {} bytes: {errno}", self.length);
        }
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mapping({} bytes)", self.length)
    }
}
