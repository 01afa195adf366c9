//! Buffers without pictures: frame memories and who holds them, bitstream slots, CAPTURE indexes.
//!
//! * [`slot`]: the life of one frame memory;
//! * [`frames`]: the pool that hands frames out and takes them back when their last holder lets go;
//! * [`wait_queue`]: waiting for a change;
//! * [`interrupt`]: ends a wait for frames from another thread;
//! * [`binding`]: which memory sits at which index of the CAPTURE queue;
//! * [`bitstream`]: the ring of OUTPUT buffers with their permanent requests.

pub mod binding;
pub mod bitstream;
pub mod frames;
pub mod interrupt;
pub mod slot;
pub mod wait_queue;

pub use binding::{Binding, IndexSet, Place};
pub use bitstream::BitstreamRing;
pub use frames::{Export, Frame, FramePool, FrameSource, PoolLimits, PoolStats};
pub use interrupt::Interrupt;
pub use slot::{SlotError, SlotState};
pub use wait_queue::WaitQueue;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex whose data stays whole even if a holder panicked: every critical section here leaves it consistent
/// before anything that could panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
