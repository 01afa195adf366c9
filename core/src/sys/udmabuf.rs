//! `/dev/udmabuf`: a dma-buf over the pages of a memfd.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;

use super::page_size;
use crate::IoctlError;

const PATH: &str = "/dev/udmabuf";
const UDMABUF_FLAGS_CLOEXEC: u32 = 1;

/// `struct udmabuf_create` of `linux/udmabuf.h`.
#[repr(C)]
struct UdmabufCreate {
    memfd: u32,
    flags: u32,
    offset: u64,
    size: u64,
}

nix::ioctl_write_ptr!(ioctl_udmabuf_create, b'u', 0x42, UdmabufCreate);

/// The open device.
#[derive(Debug)]
pub struct Udmabuf(File);

impl Udmabuf {
    /// Opens it.
    ///
    /// # Errors
    /// ENOENT or EACCES where the system does not offer it.
    pub fn open() -> Result<Self, IoctlError> {
        let opened = OpenOptions::new().read(true).write(true).open(Path::new(PATH));
        opened
            .map(Self)
            .map_err(|e| IoctlError::new("open", PATH, Errno::from_raw(e.raw_os_error().unwrap_or_default())))
    }

    /// A dma-buf over the first `length` bytes of `memfd`, which must be sealed against shrinking.
    ///
    /// # Errors
    /// EINVAL unless `length` is whole pages.
    pub fn create(&self, memfd: BorrowedFd<'_>, length: usize) -> Result<OwnedFd, IoctlError> {
        let error = |errno| IoctlError::new("UDMABUF_CREATE", PATH, errno);
        if length == 0 || !length.is_multiple_of(page_size()) {
            return Err(error(Errno::EINVAL));
        }
        let create = UdmabufCreate {
            memfd: u32::try_from(memfd.as_raw_fd()).map_err(|_| error(Errno::EBADF))?,
            flags: UDMABUF_FLAGS_CLOEXEC,
            offset: 0,
            size: length as u64,
        };
        // SAFETY: `create` is a live `udmabuf_create`, which the ioctl only reads; both descriptors are open.
        let fd = unsafe { ioctl_udmabuf_create(self.0.as_raw_fd(), &create) }.map_err(error)?;
        // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}
