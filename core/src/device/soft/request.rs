//! Requests with the rules of the media request API. Pure bookkeeping: no lock, no thread.

use nix::errno::Errno;

use super::controls::RequestControls;
use crate::device::RequestId;
use crate::units::BufferIndex;

/// `enum media_request_state`, as far as it can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Takes controls and a buffer.
    Idle,
    /// Waits for its job, or is in it.
    Queued,
    /// Its job is done, or was cancelled.
    Complete,
}

/// One request.
#[derive(Debug)]
pub(super) struct Request {
    state: State,
    pub(super) controls: Box<RequestControls>,
    /// The OUTPUT buffers that were queued with it; one, if it is to be queued.
    buffers: Vec<BufferIndex>,
    /// Its descriptor is closed; it goes when it is complete.
    closed: bool,
}

/// All requests of a context.
#[derive(Debug, Default)]
pub(super) struct Requests(Vec<Option<Request>>);

impl Requests {
    /// MEDIA_IOC_REQUEST_ALLOC.
    pub(super) fn alloc(&mut self) -> RequestId {
        let request = Request {
            state: State::Idle,
            controls: Box::default(),
            buffers: Vec::with_capacity(1),
            closed: false,
        };
        let index = self.0.iter().position(Option::is_none).unwrap_or(self.0.len());
        match self.0.get_mut(index) {
            Some(place) => *place = Some(request),
            None => self.0.push(Some(request)),
        }
        RequestId(index as u32)
    }

    /// The request of that descriptor; `None` if it was never allocated or is closed.
    fn get(&mut self, id: RequestId) -> Option<&mut Request> {
        self.0
            .get_mut(id.0 as usize)?
            .as_mut()
            .filter(|request| !request.closed)
    }

    /// What poll(2) sees; EBADF for no request.
    pub(super) fn state(&mut self, id: RequestId) -> Result<State, Errno> {
        self.get(id).map(|request| request.state).ok_or(Errno::EBADF)
    }

    /// A request that takes controls and buffers: EINVAL for no request, EBUSY unless idle.
    pub(super) fn idle(&mut self, id: RequestId) -> Result<&mut Request, Errno> {
        let request = self.get(id).ok_or(Errno::EINVAL)?;
        if request.state == State::Idle {
            Ok(request)
        } else {
            Err(Errno::EBUSY)
        }
    }

    /// MEDIA_REQUEST_IOC_QUEUE: Idle -> Queued; gives the OUTPUT buffer.
    pub(super) fn queue(&mut self, id: RequestId) -> Result<BufferIndex, Errno> {
        let request = self.get(id).ok_or(Errno::EBADF)?;
        match (request.state, request.buffers.as_slice()) {
            (State::Idle, []) => Err(Errno::ENOENT),
            (State::Idle, &[buffer]) => {
                request.state = State::Queued;
                Ok(buffer)
            }
            (State::Idle, _) => Err(Errno::EINVAL),
            (State::Queued | State::Complete, _) => Err(Errno::EBUSY),
        }
    }

    /// The values of a request whose job starts.
    pub(super) fn controls(&self, id: RequestId) -> Option<&RequestControls> {
        self.0.get(id.0 as usize)?.as_ref().map(|request| &*request.controls)
    }

    /// The job of a request ended, or was cancelled: Queued -> Complete.
    pub(super) fn complete(&mut self, id: RequestId) {
        if let Some(place) = self.0.get_mut(id.0 as usize)
            && let Some(request) = place
            && request.state == State::Queued
        {
            request.state = State::Complete;
            request.buffers.clear();
            if request.closed {
                *place = None;
            }
        }
    }

    /// STREAMOFF of OUTPUT: queued requests are complete, idle ones lose their buffers.
    pub(super) fn cancel(&mut self) {
        for index in 0..self.0.len() {
            self.complete(RequestId(index as u32));
        }
        for request in self.0.iter_mut().flatten() {
            request.buffers.clear();
        }
    }

    /// MEDIA_REQUEST_IOC_REINIT: Idle or Complete -> Idle, empty; gives the buffers that it lets go of.
    pub(super) fn reinit(&mut self, id: RequestId) -> Result<Vec<BufferIndex>, Errno> {
        let request = self.get(id).ok_or(Errno::EBADF)?;
        match request.state {
            State::Queued => Err(Errno::EBUSY),
            State::Idle | State::Complete => {
                request.state = State::Idle;
                request.controls.clear();
                Ok(request.release())
            }
        }
    }

    /// close(2): gives the buffers that it lets go of.
    pub(super) fn close(&mut self, id: RequestId) -> Vec<BufferIndex> {
        let Some(request) = self.get(id) else { return Vec::new() };
        match request.state {
            State::Queued => {
                request.closed = true;
                Vec::new()
            }
            State::Idle | State::Complete => {
                let buffers = request.release();
                self.0[id.0 as usize] = None;
                buffers
            }
        }
    }
}

impl Request {
    /// QBUF of OUTPUT with this request.
    pub(super) fn add(&mut self, buffer: BufferIndex) {
        self.buffers.push(buffer);
    }

    /// The buffers that it has; the usual case, none, keeps the allocation for the next one.
    fn release(&mut self) -> Vec<BufferIndex> {
        if self.buffers.is_empty() {
            Vec::new()
        } else {
            std::mem::take(&mut self.buffers)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request in each state, with one buffer where it can have one.
    fn in_state(state: State) -> (Requests, RequestId) {
        let mut requests = Requests::default();
        let id = requests.alloc();
        requests.idle(id).unwrap().add(BufferIndex(3));
        if state != State::Idle {
            requests.queue(id).unwrap();
        }
        if state == State::Complete {
            requests.complete(id);
        }
        (requests, id)
    }

    #[test]
    fn every_verb_in_every_state() {
        use State::{Complete, Idle, Queued};
        for (state, queue, reinit, idle) in [
            (Idle, Ok(BufferIndex(3)), Ok(vec![BufferIndex(3)]), true),
            (Queued, Err(Errno::EBUSY), Err(Errno::EBUSY), false),
            (Complete, Err(Errno::EBUSY), Ok(vec![]), false),
        ] {
            let (mut requests, id) = in_state(state);
            assert_eq!(requests.state(id), Ok(state));
            assert_eq!(requests.idle(id).is_ok(), idle, "{state:?}");
            assert_eq!(requests.queue(id), queue, "{state:?}");
            let (mut requests, id) = in_state(state);
            assert_eq!(requests.reinit(id), reinit, "{state:?}");
        }
    }

    #[test]
    fn a_closed_request_stays_until_its_job_ends() {
        let (mut requests, id) = in_state(State::Queued);
        assert_eq!(requests.close(id), []);
        assert_eq!(requests.state(id), Err(Errno::EBADF));
        assert!(requests.controls(id).is_some(), "its job still needs the values");
        assert_ne!(requests.alloc(), id);
        requests.complete(id);
        assert_eq!(requests.alloc(), id);
    }

    #[test]
    fn a_request_with_two_buffers_is_refused() {
        let (mut requests, id) = in_state(State::Idle);
        requests.idle(id).unwrap().add(BufferIndex(4));
        assert_eq!(requests.queue(id), Err(Errno::EINVAL));
    }
}
