//! Ends waits for frames from another thread: a flush or a shutdown must never wait for what downstream holds.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{WaitQueue, lock};
use crate::{Error, Result};

/// A switch that ends every wait of the pools made with it. Clones are the same switch.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    changed: WaitQueue,
}

#[derive(Debug, Default)]
struct State {
    interrupted: bool,
    /// Counts what could end a wait, so that nothing that happens before the wait begins is missed.
    events: u64,
}

/// How much had happened when it was taken, for [`Interrupt::wait_past`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u64);

impl Interrupt {
    /// A switch that is off.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits fail with [`Error::Flushing`], those under way and those to come, until [`Self::clear`].
    pub fn set(&self) {
        self.change(|state| state.interrupted = true);
    }

    /// Waits wait again.
    pub fn clear(&self) {
        self.change(|state| state.interrupted = false);
    }

    /// It is on.
    pub fn is_set(&self) -> bool {
        lock(&self.inner.state).interrupted
    }

    /// Something came home: whoever waits looks again.
    pub(crate) fn wake(&self) {
        self.change(|_| {});
    }

    /// What has happened so far; look for a frame after taking it.
    pub(crate) fn seen(&self) -> Seen {
        Seen(lock(&self.inner.state).events)
    }

    /// Waits until something happens that is not in `seen`, or until `deadline`.
    ///
    /// # Errors
    /// [`Error::Flushing`] while the switch is on.
    pub(crate) fn wait_past(&self, seen: Seen, deadline: Instant) -> Result<()> {
        let mut state = lock(&self.inner.state);
        loop {
            if state.interrupted {
                return Err(Error::Flushing);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.events != seen.0 || left == Duration::ZERO {
                return Ok(());
            }
            state = self.inner.changed.wait_timeout(state, left);
        }
    }

    fn change(&self, what: impl FnOnce(&mut State)) {
        let mut state = lock(&self.inner.state);
        what(&mut state);
        state.events += 1;
        drop(state);
        self.inner.changed.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn far_away() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn what_happens_between_looking_and_waiting_is_not_missed() {
        let interrupt = Interrupt::new();
        let seen = interrupt.seen();
        interrupt.wake();
        assert!(interrupt.wait_past(seen, far_away()).is_ok());
    }

    #[test]
    fn setting_it_ends_a_wait_of_another_thread() {
        let interrupt = Interrupt::new();
        let seen = interrupt.seen();
        let waiter = std::thread::spawn({
            let interrupt = interrupt.clone();
            move || interrupt.wait_past(seen, far_away())
        });
        interrupt.set();
        assert!(matches!(waiter.join().unwrap(), Err(Error::Flushing)));
    }

    #[test]
    fn it_stays_set_until_it_is_cleared() {
        let interrupt = Interrupt::new();
        interrupt.set();
        assert!(interrupt.is_set());
        assert!(matches!(
            interrupt.wait_past(interrupt.seen(), far_away()),
            Err(Error::Flushing)
        ));
        interrupt.clear();
        assert!(interrupt.wait_past(interrupt.seen(), Instant::now()).is_ok());
    }
}
