//! What a caller holds for a picture that it submitted.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::{Outcome, Shared};
use crate::h264::PictureId;
use crate::pool::lock;

/// How far one picture is; shared by the session and the tickets, recycled when both are done with it.
#[derive(Debug, Default)]
pub(super) struct Completion(AtomicU8);

impl Completion {
    const DAMAGED: u8 = 1;
    const FINISHED: u8 = 2;

    /// Something about the picture is wrong.
    pub fn damage(&self) {
        self.0.fetch_or(Self::DAMAGED, Ordering::Relaxed);
    }

    /// Nothing more is to come; the samples are in memory.
    pub fn finish(&self) {
        self.0.fetch_or(Self::FINISHED, Ordering::Release);
    }

    /// How it ended, once it has.
    pub fn outcome(&self) -> Option<Outcome> {
        let state = self.0.load(Ordering::Acquire);
        let outcome = if state & Self::DAMAGED == 0 {
            Outcome::Good
        } else {
            Outcome::Damaged
        };
        (state & Self::FINISHED != 0).then_some(outcome)
    }

    /// As new, for the next picture.
    pub fn reset(&mut self) {
        *self.0.get_mut() = 0;
    }
}

/// One submitted picture (or field): wait for it here, from any thread. It does not keep the session alive.
#[derive(Clone)]
pub struct Ticket {
    pub(super) session: Weak<Shared>,
    pub(super) completion: Arc<Completion>,
}

impl Ticket {
    /// Waits until the picture is decoded; at most some seconds, whatever the device does.
    pub fn wait(&self) -> Outcome {
        if let Some(outcome) = self.completion.outcome() {
            return outcome;
        }
        if let Some(session) = self.session.upgrade() {
            session.collect(&self.completion);
        }
        // A session that is gone finished its tickets first; one that is lost calls them damaged.
        self.completion.outcome().unwrap_or(Outcome::Damaged)
    }

    /// Waits until the picture is decoded, at most until `deadline`; one that has passed only looks.
    pub fn wait_until(&self, deadline: Instant) -> Option<Outcome> {
        if let (None, Some(session)) = (self.completion.outcome(), self.session.upgrade()) {
            session.collect_before(&self.completion, deadline);
        }
        // As in `wait`: without a session nothing more comes.
        let gone = self.session.strong_count() == 0;
        self.completion.outcome().or(gone.then_some(Outcome::Damaged))
    }

    /// How it ended, if it has; never blocks. Somebody must wait for pictures to end at all.
    pub fn outcome(&self) -> Option<Outcome> {
        self.completion.outcome()
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ticket").field(&self.completion.outcome()).finish()
    }
}

/// Keeps a picture known to the session, so that later jobs can refer to it; hold it as long as the DPB does.
pub struct PictureHandle {
    pub(super) session: Weak<Shared>,
    pub(super) picture: PictureId,
}

impl Drop for PictureHandle {
    fn drop(&mut self) {
        if let Some(session) = self.session.upgrade() {
            lock(&session.state).pictures.release(self.picture);
        }
    }
}

impl fmt::Debug for PictureHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PictureHandle").field(&self.picture).finish()
    }
}
