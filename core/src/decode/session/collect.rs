//! From requests to outcomes: one collector at a time, the others follow.

use std::thread;
use std::time::{Duration, Instant};

use super::ticket::Completion;
use super::{Guard, InFlight, Outcome, Shared, State, Stream};
use crate::device::{DecoderNode, Dequeued, DequeuedBuffer, Queue, RequestState};
use crate::pool::lock;
use crate::units::{BufferIndex, REQUEST_TIMEOUT, Timestamp};
use crate::{Error, Result};

/// A driver completes the request a moment before it gives the CAPTURE buffer back.
const CAPTURE_LAG: Duration = Duration::from_millis(500);
/// How often to look for a buffer that lags.
const CAPTURE_LAG_STEP: Duration = Duration::from_micros(50);

/// The device answered for something else than what was asked; its queues must be restarted.
#[derive(Debug)]
pub(super) struct Desync(pub String);

impl Shared {
    /// Waits until the picture of `completion` has ended.
    pub(super) fn collect(&self, completion: &Completion) {
        let state = lock(&self.state);
        drop(self.collect_until(state, |_| completion.outcome().is_some()));
    }

    /// The same, at most until `deadline`.
    pub(super) fn collect_before(&self, completion: &Completion, deadline: Instant) {
        let mut state = lock(&self.state);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if completion.outcome().is_some() {
                return;
            } else if state.collecting {
                state = self.changed.wait_timeout(state, left);
            } else if state.in_flight.is_empty() {
                return;
            } else {
                // Also without time left: somebody who only ever looks must see requests end.
                state = self.collect_oldest(state, left.min(self.request_timeout()));
            }
            if left.is_zero() {
                return;
            }
        }
    }

    /// Collects requests, oldest first, until `done` or until nothing is outstanding.
    pub(super) fn collect_until<'a>(&'a self, mut state: Guard<'a>, done: impl Fn(&State) -> bool) -> Guard<'a> {
        loop {
            if done(&state) {
                return state;
            }
            if state.collecting {
                state = self.changed.wait(state);
            } else if state.in_flight.is_empty() {
                return state;
            } else {
                state = self.collect_oldest(state, self.request_timeout());
            }
        }
    }

    /// How long a request may take. Software shares its processor with everything else, so it is given more time.
    pub(super) fn request_timeout(&self) -> Duration {
        match self.device.capabilities().hardware {
            true => REQUEST_TIMEOUT,
            false => 10 * REQUEST_TIMEOUT,
        }
    }

    /// Polls the oldest request without the lock, then takes its buffers back. One that is not done in its time is given
    /// up; one that is not done in less `patience` stays outstanding.
    fn collect_oldest<'a>(&'a self, mut state: Guard<'a>, patience: Duration) -> Guard<'a> {
        let request = match state.oldest_request() {
            Ok(request) => request,
            Err(error) => return self.restart(state, Desync(error.to_string())),
        };
        state.collecting = true;
        drop(state);
        let polled = self.node.poll_request(request, patience);
        let mut state = lock(&self.state);
        let collected = match polled {
            Ok(RequestState::Complete) => state.finish_oldest(self.node.as_ref()),
            Ok(RequestState::Pending) if patience < self.request_timeout() => Ok(()),
            Ok(RequestState::Pending) => Err(Desync(format!(
                "a request is not done after {:?}",
                self.request_timeout()
            ))),
            Err(error) => Err(Desync(error.to_string())),
        };
        state.collecting = false;
        match collected {
            Ok(()) => {
                self.changed.wake_all();
                state
            }
            Err(desync) => self.restart(state, desync),
        }
    }

    /// Collects everything and takes a held CAPTURE buffer back. The caller has the submit lock.
    pub(super) fn drain(&self) -> Result<()> {
        let state = self.collect_until(lock(&self.state), |_| false);
        let mut state = self.release_held(state)?;
        if state.phase == super::Phase::Streaming {
            state.phase.drain().map_err(|error| Error::Bug(error.to_string()))?;
        }
        state.check_alive()
    }

    /// Makes the driver let go of a CAPTURE buffer that it holds for a request that will not come.
    pub(super) fn release_held<'a>(&'a self, state: Guard<'a>) -> Result<Guard<'a>> {
        if state.held.is_none() {
            return Ok(state);
        }
        let mut state = self.collect_until(state, |state| state.held.is_none());
        let Some(held) = state.held.take() else {
            return Ok(state);
        };
        let returned = self
            .node
            .flush()
            .map_err(|error| Desync(error.to_string()))
            .and_then(|()| {
                let buffer = dequeue(self.node.as_ref(), Queue::Capture, held.index, held.timestamp)?;
                held.frame
                    .dequeue(held.timestamp)
                    .map_err(|error| Desync(error.to_string()))?;
                Ok(buffer)
            });
        match returned {
            Ok(buffer) => {
                if buffer.error {
                    held.completion.damage();
                }
                Ok(state)
            }
            Err(desync) => {
                held.completion.damage();
                // It comes back with STREAMOFF.
                state.held = Some(held);
                Ok(self.restart(state, desync))
            }
        }
    }
}

impl State {
    fn oldest_request(&self) -> Result<crate::device::RequestId> {
        match (&self.stream, self.in_flight.front()) {
            (Some(stream), Some(oldest)) => stream.ring.request(oldest.slot),
            (None, _) | (_, None) => Err(Error::Bug("nothing is outstanding".into())),
        }
    }

    /// Takes the buffers of the oldest request back and finishes its picture, if that was the last one.
    fn finish_oldest(&mut self, node: &dyn DecoderNode) -> Result<(), Desync> {
        let (Some(stream), Some(oldest)) = (&mut self.stream, self.in_flight.front()) else {
            return Err(Desync("a request completed that is not outstanding".into()));
        };
        let outcome = stream.take_back(node, oldest)?;
        if outcome == Outcome::Damaged {
            oldest.completion.damage();
        }
        if let Some(oldest) = self.in_flight.pop_front()
            && oldest.last
        {
            self.end(&oldest.completion);
        }
        Ok(())
    }

    /// The picture has ended, if it had not before.
    pub(super) fn end(&mut self, completion: &Completion) {
        if completion.outcome().is_none() {
            completion.finish();
            if completion.outcome() == Some(Outcome::Damaged) {
                self.stats.damaged += 1;
            }
        }
    }

    /// The picture has ended without all of its samples.
    pub(super) fn end_damaged(&mut self, completion: &Completion) {
        completion.damage();
        self.end(completion);
    }

    /// The device still answers.
    pub(super) fn check_alive(&self) -> Result<()> {
        match self.phase {
            super::Phase::Lost => Err(Error::Lost(self.lost.clone().unwrap_or_default())),
            super::Phase::Unconfigured | super::Phase::Configured | super::Phase::Streaming | super::Phase::Drained => {
                Ok(())
            }
        }
    }
}

impl Stream {
    /// DQBUF of what a completed request used. An error flag on either buffer means a damaged picture.
    fn take_back(&mut self, node: &dyn DecoderNode, job: &InFlight) -> Result<Outcome, Desync> {
        let bug = |error: Error| Desync(error.to_string());
        let output = dequeue(
            node,
            Queue::Output,
            self.ring.index(job.slot).map_err(bug)?,
            job.timestamp,
        )?;
        let mut damaged = output.error;
        if let Some(index) = job.returns {
            let capture = dequeue(node, Queue::Capture, index, job.timestamp)?;
            job.frame
                .dequeue(job.timestamp)
                .map_err(|error| Desync(error.to_string()))?;
            damaged |= capture.error;
        }
        let outcome = if damaged { Outcome::Damaged } else { Outcome::Good };
        let request = self
            .requests
            .get_mut(job.slot.0)
            .ok_or_else(|| Desync("no such request".into()))?;
        request.complete(outcome).map_err(|error| Desync(error.to_string()))?;
        Ok(outcome)
    }
}

/// DQBUF of the one buffer that must be there.
fn dequeue(
    node: &dyn DecoderNode,
    queue: Queue,
    index: BufferIndex,
    timestamp: Timestamp,
) -> Result<DequeuedBuffer, Desync> {
    // Most buffers are there at once: then nobody looks at the clock.
    let mut begun = None;
    let buffer = loop {
        match node.dequeue_buffer(queue) {
            Ok(Dequeued::Buffer(buffer)) => break buffer,
            Ok(Dequeued::NotReady) if begun.get_or_insert_with(Instant::now).elapsed() < CAPTURE_LAG => {
                thread::sleep(CAPTURE_LAG_STEP);
            }
            Ok(Dequeued::NotReady) => return Err(Desync(format!("{queue:?} buffer {index} did not come back"))),
            Err(error) => return Err(Desync(error.to_string())),
        }
    };
    if buffer.index != index || buffer.timestamp != Some(timestamp) {
        return Err(Desync(format!(
            "{queue:?} buffer {} with timestamp {:?} came back instead of {index} with {timestamp}",
            buffer.index, buffer.timestamp
        )));
    }
    Ok(buffer)
}
