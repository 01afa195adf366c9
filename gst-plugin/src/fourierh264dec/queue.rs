//! What the decoder gave, in display order, until it is pushed.
//!
//! The streaming thread takes from it and, where upstream is live, the task that pushes a frame as soon as it is decoded.
//! Whoever takes holds the stream lock until the frame is pushed: that keeps the order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use fourier_core::Error;
use fourier_core::decode::stream::{DropReason, FrameTag, OutputFrame};
use fourier_core::pool::WaitQueue;

use super::lock;

/// One step of what is to be done, in order.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// To be pushed once it is decoded.
    Frame(Arc<OutputFrame>),
    /// Nothing comes of this input.
    Dropped(FrameTag, DropReason),
    /// It came too late to be decoded, and nothing refers to it.
    Late(FrameTag),
    /// To be told on the bus.
    Warning(Error),
}

impl Item {
    fn frame(&self) -> Option<&Arc<OutputFrame>> {
        match self {
            Self::Frame(frame) => Some(frame),
            Self::Dropped(..) | Self::Late(_) | Self::Warning(_) => None,
        }
    }
}

/// Its own lock is never held across anything that waits, except for something to be put in.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: WaitQueue,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    frames: usize,
    closed: bool,
}

impl Queue {
    /// Adds `item` at the end.
    pub(super) fn push(&self, item: Item) {
        let mut state = lock(&self.state);
        if item.frame().is_some() {
            state.frames += 1;
            self.changed.wake_all();
        }
        state.items.push_back(item);
    }

    /// Takes the first item; a frame that is not decoded yet stays, unless `undecoded` ones are wanted too.
    pub(super) fn pop(&self, undecoded: bool) -> Option<Item> {
        let mut state = lock(&self.state);
        let front = state.items.front()?;
        if let Some(frame) = front.frame() {
            if !undecoded && !frame.is_decoded() {
                return None;
            }
            state.frames -= 1;
        }
        state.items.pop_front()
    }

    /// How many frames are in it.
    pub(super) fn frames(&self) -> usize {
        lock(&self.state).frames
    }

    /// Waits for a frame and leaves it in; `None` when the queue is closed.
    pub(super) fn next_frame(&self) -> Option<Arc<OutputFrame>> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            if let Some(frame) = state.items.iter().find_map(Item::frame) {
                return Some(Arc::clone(frame));
            }
            state = self.changed.wait(state);
        }
    }

    /// Takes `frame` out, if it is there.
    pub(super) fn remove(&self, frame: &Arc<OutputFrame>) {
        let mut state = lock(&self.state);
        let is_it = |item: &Item| item.frame().is_some_and(|queued| Arc::ptr_eq(queued, frame));
        if let Some(index) = state.items.iter().position(is_it) {
            state.items.remove(index);
            state.frames -= 1;
        }
    }

    /// Drops everything.
    pub(super) fn clear(&self) {
        let items = {
            let mut state = lock(&self.state);
            state.frames = 0;
            std::mem::take(&mut state.items)
        };
        // Outside the lock: frames go home here.
        drop(items);
    }

    /// Ends [`Self::next_frame`], now and from now on.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.wake_all();
    }

    /// Whether [`Self::close`] was the last word.
    pub(super) fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }

    /// Undoes [`Self::close`].
    pub(super) fn open(&self) {
        lock(&self.state).closed = false;
    }
}
