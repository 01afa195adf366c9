//! A media request: queue, reinit, wait.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::poll::{PollFlags, poll_fd};
use crate::IoctlError;

nix::ioctl_none!(media_request_ioc_queue, b'|', 0x80);
nix::ioctl_none!(media_request_ioc_reinit, b'|', 0x81);

/// A request of a media device.
#[derive(Debug)]
pub struct RequestFd {
    fd: OwnedFd,
    path: PathBuf,
}

/// What poll(2) on a request found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestPoll {
    /// POLLPRI: it is complete.
    Complete,
    /// POLLERR: it was never queued.
    NotQueued,
    /// Time ran out.
    Pending,
}

impl RequestFd {
    /// A request that the media device at `path` made.
    pub(super) fn new(fd: OwnedFd, path: &Path) -> Self {
        Self {
            fd,
            path: path.to_owned(),
        }
    }

    /// MEDIA_REQUEST_IOC_QUEUE.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn queue(&self) -> Result<(), IoctlError> {
        // SAFETY: the ioctl takes no argument; the request is open.
        let done = unsafe { media_request_ioc_queue(self.fd.as_raw_fd()) };
        done.map(drop)
            .map_err(|errno| IoctlError::new("MEDIA_REQUEST_IOC_QUEUE", &self.path, errno))
    }

    /// MEDIA_REQUEST_IOC_REINIT.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn reinit(&self) -> Result<(), IoctlError> {
        // SAFETY: the ioctl takes no argument; the request is open.
        let done = unsafe { media_request_ioc_reinit(self.fd.as_raw_fd()) };
        done.map(drop)
            .map_err(|errno| IoctlError::new("MEDIA_REQUEST_IOC_REINIT", &self.path, errno))
    }

    /// Waits until it is complete, at most `timeout`.
    ///
    /// # Errors
    /// What poll(2) says.
    pub fn poll(&self, timeout: Duration) -> Result<RequestPoll, IoctlError> {
        let found = poll_fd(self.fd.as_fd(), PollFlags::POLLPRI, timeout)?;
        Ok(if found.contains(PollFlags::POLLPRI) {
            RequestPoll::Complete
        } else if found.is_empty() {
            RequestPoll::Pending
        } else {
            RequestPoll::NotQueued
        })
    }
}

impl AsFd for RequestFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
