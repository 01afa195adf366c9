//! memfd_create(2), sealed so that nobody can pull the pages from under a mapping.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::MemFdCreateFlag;
use nix::unistd::ftruncate;

use crate::IoctlError;

/// A new, zeroed memfd of `length` bytes that can neither shrink nor grow.
///
/// # Errors
/// What memfd_create(2), ftruncate(2) and fcntl(2) say: EMFILE, ENOMEM, EINVAL for an absurd length.
pub fn memfd_create(length: usize) -> Result<OwnedFd, IoctlError> {
    let error = |call| move |errno| IoctlError::new(call, "memfd", errno);
    let flags = MemFdCreateFlag::MFD_CLOEXEC | MemFdCreateFlag::MFD_ALLOW_SEALING;
    let fd = nix::sys::memfd::memfd_create(c"fourier", flags).map_err(error("memfd_create"))?;
    let end = i64::try_from(length).map_err(|_| error("ftruncate")(Errno::EINVAL))?;
    ftruncate(&fd, end).map_err(error("ftruncate"))?;
    let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW;
    fcntl(fd.as_raw_fd(), FcntlArg::F_ADD_SEALS(seals)).map_err(error("fcntl(F_ADD_SEALS)"))?;
    Ok(fd)
}
