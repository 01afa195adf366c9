//! Whether a picture is right, which is known only when it and all that it was predicted from are decoded.

use std::sync::{Arc, Mutex};

use super::random_access::{Epoch, Standing};
use crate::decode::{Outcome, Ticket};
use crate::pool::lock;

/// The health of one picture. Clones of the `Arc` may wait for it on any thread.
#[derive(Debug)]
pub(super) struct Health {
    standing: Standing,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Of the frame, or of each field, with the epoch that a damage is of; gone when they are finished.
    tickets: Vec<(Ticket, Epoch)>,
    /// What it was predicted from, as far as that was still being decoded; gone when known.
    references: Vec<Arc<Health>>,
    /// The latest epoch in which something went wrong that shows here.
    damage: Option<Epoch>,
}

impl Health {
    pub(super) fn new(standing: Standing) -> Self {
        // Not in its own epoch, which a recovery that is under way does not end: this is what it ends.
        let damage = standing.is_unproven.then_some(standing.trusts_since);
        Self {
            standing,
            state: Mutex::new(State {
                damage,
                ..State::default()
            }),
        }
    }

    /// Something is known to be wrong with the picture itself.
    pub(super) fn spoil(&self) {
        let mut state = lock(&self.state);
        state.damage = state.damage.max(Some(self.standing.epoch));
    }

    /// The picture refers to what is not there. On the way to a recovery that is as it has to be.
    pub(super) fn misses_references(&self) {
        if !self.standing.is_unproven {
            self.spoil();
        }
    }

    /// The picture, or a field of it, is predicted.
    pub(super) fn is_predicted(&self) {
        let mut state = lock(&self.state);
        state.damage = state.damage.max(self.standing.lost_references);
    }

    /// Another ticket must be good. If decoding began on the way to a recovery, pictures may lack references, and what the
    /// device says of those ends with the recovery.
    pub(super) fn depends_on_ticket(&self, ticket: Ticket, lacks_references: bool) {
        let epoch = if lacks_references && self.standing.is_unproven {
            self.standing.trusts_since
        } else {
            self.standing.epoch
        };
        lock(&self.state).tickets.push((ticket, epoch));
    }

    /// Another picture must be good.
    pub(super) fn depends_on(&self, reference: &Arc<Health>) {
        let known = reference.known();
        let mut state = lock(&self.state);
        match known {
            Some(damage) => state.inherit(damage, &self.standing),
            None => state.references.push(Arc::clone(reference)),
        }
    }

    /// Waits until everything is known.
    pub(super) fn wait(&self) -> Outcome {
        match self.settle(&mut lock(&self.state)) {
            None => Outcome::Good,
            Some(_) => Outcome::Damaged,
        }
    }

    /// Everything is known.
    pub(super) fn is_settled(&self) -> bool {
        self.known().is_some()
    }

    /// The damage, if it is known without waiting; for references that are older than all that is in flight it is.
    fn known(&self) -> Option<Option<Epoch>> {
        // Whoever has it locked is waiting.
        let mut state = self.state.try_lock().ok()?;
        let finished = state.tickets.iter().all(|(ticket, _)| ticket.outcome().is_some());
        let inherited = state.references.iter().all(|reference| reference.known().is_some());
        (finished && inherited).then(|| self.settle(&mut state))
    }

    fn settle(&self, state: &mut State) -> Option<Epoch> {
        for (ticket, epoch) in std::mem::take(&mut state.tickets) {
            match ticket.wait() {
                Outcome::Good => {}
                Outcome::Damaged => state.damage = state.damage.max(Some(epoch)),
            }
        }
        for reference in std::mem::take(&mut state.references) {
            let damage = reference.settle(&mut lock(&reference.state));
            state.inherit(damage, &self.standing);
        }
        state.damage
    }
}

impl State {
    fn inherit(&mut self, damage: Option<Epoch>, standing: &Standing) {
        self.damage = self.damage.max(damage.filter(|&epoch| epoch >= standing.trusts_since));
    }
}
