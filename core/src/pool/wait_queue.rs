//! A condition variable that costs nothing where nobody waits: std's makes a system call for every notification.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, MutexGuard, PoisonError};
use std::time::Duration;

/// Threads that wait until the data of a mutex changes. As with [`Condvar`], all of them use one mutex, and look again
/// after each wait.
#[derive(Debug, Default)]
pub struct WaitQueue {
    changed: Condvar,
    /// Raised under the mutex: who changes the data under it afterwards sees whoever waits for that.
    waiting: AtomicUsize,
}

impl WaitQueue {
    /// Lets go of the mutex until somebody wakes all.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let guard = self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        guard
    }

    /// The same, for at most `timeout`.
    pub fn wait_timeout<'a, T>(&self, guard: MutexGuard<'a, T>, timeout: Duration) -> MutexGuard<'a, T> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let waited = self.changed.wait_timeout(guard, timeout);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Wakes whoever waits. To be called after a change, with the mutex or after having had it.
    pub fn wake_all(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn no_change_is_missed_by_any_of_many_waiters() {
        const TURNS: usize = 2_000;
        let shared = Arc::new((Mutex::new(0), WaitQueue::default()));
        let waiters: Vec<_> = (0..4)
            .map(|_| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let mut seen = 0;
                    while seen < TURNS {
                        let mut value = shared.0.lock().unwrap();
                        while *value == seen {
                            value = shared.1.wait(value);
                        }
                        seen = *value;
                    }
                })
            })
            .collect();
        for _ in 0..TURNS {
            *shared.0.lock().unwrap() += 1;
            shared.1.wake_all();
        }
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    }

    #[test]
    fn a_wait_ends_when_its_time_is_over() {
        let (mutex, queue) = (Mutex::new(()), WaitQueue::default());
        drop(queue.wait_timeout(mutex.lock().unwrap(), Duration::from_millis(1)));
        assert_eq!(queue.waiting.load(Ordering::Relaxed), 0);
    }
}
