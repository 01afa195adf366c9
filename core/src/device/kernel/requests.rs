//! The requests of one context: numbers for us, descriptors for the kernel.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;

use crate::device::RequestId;
use crate::sys::RequestFd;

/// The requests that are open.
#[derive(Debug, Default)]
pub(super) struct Requests(Mutex<Vec<Option<Arc<RequestFd>>>>);

impl Requests {
    /// Takes a new request.
    pub(super) fn insert(&self, request: RequestFd) -> RequestId {
        let mut table = self.lock();
        let request = Some(Arc::new(request));
        let free = table.iter().position(Option::is_none);
        match free {
            Some(at) => table[at] = request,
            None => table.push(request),
        }
        RequestId(free.unwrap_or(table.len() - 1) as u32)
    }

    /// The request of that number; it stays open as long as somebody uses it.
    ///
    /// # Errors
    /// EBADF if it was never allocated or is closed.
    pub(super) fn get(&self, id: RequestId) -> Result<Arc<RequestFd>, Errno> {
        self.lock().get(id.0 as usize).cloned().flatten().ok_or(Errno::EBADF)
    }

    /// close(2), once nobody uses it any more.
    pub(super) fn close(&self, id: RequestId) {
        if let Some(place) = self.lock().get_mut(id.0 as usize) {
            *place = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Arc<RequestFd>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
