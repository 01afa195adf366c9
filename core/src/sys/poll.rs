//! poll(2) on one descriptor.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollTimeout, poll};

pub use nix::poll::PollFlags;

use crate::IoctlError;

/// Waits until one of `events` (or an error condition) is there; empty when time ran out. Signals do not end the wait.
///
/// # Errors
/// What poll(2) says.
pub fn poll_fd(fd: BorrowedFd<'_>, events: PollFlags, timeout: Duration) -> Result<PollFlags, IoctlError> {
    // Whoever only looks does not look at the clock.
    let start = (!timeout.is_zero()).then(Instant::now);
    let mut left = timeout;
    loop {
        // Rounded up: a wait of less than a millisecond must not become a busy loop.
        let millis = u16::try_from(left.as_micros().div_ceil(1_000)).unwrap_or(u16::MAX);
        let mut fds = [PollFd::new(fd, events)];
        match poll(&mut fds, PollTimeout::from(millis)) {
            Ok(0) if left.is_zero() => return Ok(PollFlags::empty()),
            Ok(0) | Err(Errno::EINTR) => left = start.map_or(left, |start| timeout.saturating_sub(start.elapsed())),
            Ok(_) => return Ok(fds[0].revents().unwrap_or(PollFlags::POLLERR)),
            Err(errno) => return Err(IoctlError::new("poll", "descriptor", errno)),
        }
    }
}
