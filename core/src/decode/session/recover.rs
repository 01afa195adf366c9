//! When the device answers wrongly or not at all: restart its queues, or give it up; the process lives.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::collect::Desync;
use super::{Guard, InFlight, Outcome, Shared, State};
use crate::device::{DecoderNode, Queue, RequestState};
use crate::pool::lock;
use crate::{Error, IoctlError, Result};

/// How long STREAMOFF may take before the device counts as lost.
const STREAM_OFF_TIMEOUT: Duration = Duration::from_secs(3);

impl Shared {
    /// STREAMOFF and STREAMON of both queues: every outstanding picture ends damaged, every timestamp is forgotten, so
    /// that decoding goes on at the next picture that refers to nothing.
    pub(super) fn restart<'a>(&'a self, mut state: Guard<'a>, why: Desync) -> Guard<'a> {
        while state.collecting {
            state = self.changed.wait(state);
        }
        tracing::warn!("the decoder is restarted: {}", why.0);
        state.stats.restarts += 1;
        state.collecting = true;
        state.restarting = true;
        let begun = state.in_flight.iter().take_while(|job| !job.starved);
        let request = |job: &InFlight| state.stream.as_ref()?.ring.request(job.slot).ok();
        let outstanding: Vec<_> = begun.filter_map(request).collect();
        drop(state);
        // Kernels have crashed on STREAMOFF with requests under way; one that hangs will not end, so ask it only once.
        for request in outstanding {
            match self.node.poll_request(request, self.request_timeout()) {
                Ok(RequestState::Complete) => {}
                Ok(RequestState::Pending) | Err(_) => break,
            }
        }
        let stopped = stop_streaming(&self.node);
        let mut state = lock(&self.state);
        match stopped.and_then(|()| state.stream_on_again(self.node.as_ref())) {
            Ok(()) => state.abandon_outstanding(true),
            Err(error) => {
                tracing::error!("the decoder is lost: {error}");
                state.lose(&error);
                state.abandon_outstanding(false);
            }
        }
        state.collecting = false;
        state.restarting = false;
        self.changed.wake_all();
        state
    }

    /// The device was unplugged, or its driver unbound: nothing that is under way will end, and nothing more can begin.
    pub(super) fn lose(&self, error: &IoctlError) -> Error {
        tracing::error!("the decoder is gone: {error}");
        let mut state = lock(&self.state);
        while state.collecting {
            state = self.changed.wait(state);
        }
        let error = Error::Lost(error.to_string());
        state.lose(&error);
        state.abandon_outstanding(false);
        self.changed.wake_all();
        error
    }

    /// The end of a session: everything is collected, or at least finished.
    pub(super) fn close(&self) {
        let _turn = lock(&self.submitting);
        if let Err(error) = self.drain().and_then(|()| self.release_stream()) {
            tracing::warn!("closing a session: {error}");
        }
    }
}

impl State {
    /// Nothing more can be asked of the device.
    pub(super) fn lose(&mut self, why: &Error) {
        self.phase.lose();
        self.lost = Some(match why {
            Error::Lost(why) => why.clone(),
            other => other.to_string(),
        });
    }

    fn stream_on_again(&mut self, node: &dyn DecoderNode) -> Result<()> {
        if self.stream.is_none() {
            return Ok(());
        }
        node.stream_on(Queue::Output)?;
        node.stream_on(Queue::Capture)
    }

    /// Ends every picture under way as damaged. `stopped` = the driver gave their buffers back, else it may write them
    /// for ever: they are never used again.
    fn abandon_outstanding(&mut self, stopped: bool) {
        while let Some(job) = self.in_flight.pop_front() {
            if stopped {
                job.frame.cancel(job.timestamp);
            }
            if let Some(request) = self
                .stream
                .as_mut()
                .and_then(|stream| stream.requests.get_mut(job.slot.0))
                && let Err(error) = request.complete(Outcome::Damaged)
            {
                tracing::debug!("a request of an abandoned picture: {error}");
            }
            job.completion.damage();
            if job.last {
                self.end(&job.completion);
            }
        }
        if let Some(held) = self.held.take() {
            if stopped {
                held.frame.cancel(held.timestamp);
            }
            held.completion.damage();
        }
        if let Some(stream) = &mut self.stream {
            stream.binding.forget_timestamps();
        }
    }
}

/// STREAMOFF of both queues on a thread of its own: a driver whose hardware hangs may never come back from it.
pub(super) fn stop_streaming(node: &Arc<dyn DecoderNode>) -> Result<()> {
    let (sender, receiver) = mpsc::channel();
    let helper = Arc::clone(node);
    let lost = |why: &str| Error::Lost(format!("VIDIOC_STREAMOFF: {why}"));
    thread::Builder::new()
        .name("fourier-streamoff".into())
        .spawn(move || {
            let stopped = helper
                .stream_off(Queue::Output)
                .and_then(|()| helper.stream_off(Queue::Capture));
            // Nobody listens any more if it took too long.
            let _ = sender.send(stopped);
        })
        .map_err(|error| lost(&error.to_string()))?;
    match receiver.recv_timeout(STREAM_OFF_TIMEOUT) {
        Ok(stopped) => stopped,
        Err(_) => Err(lost("it does not come back")),
    }
}
