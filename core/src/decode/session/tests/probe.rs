//! A device that passes every call on, counts them, and fails those that a test asks it to.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::errno::Errno;

use crate::device::{
    BufferMemory, BufferState, Capabilities, Control, CreatedBuffers, DecoderDevice, DecoderNode, Dequeued, MemoryType,
    Queue, QueueBuffer, RequestId, RequestState,
};
use crate::memory::{Format, PixelFormat};
use crate::pool::lock;
use crate::sys::Mapping;
use crate::units::{BufferIndex, Timestamp};
use crate::{IoctlError, Result};

/// A call that a test counts or makes fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Call {
    SetControls,
    QueueRequest,
    Reinit,
    Poll,
    QueueOutput,
    QueueCapture,
    DequeueOutput,
    DequeueCapture,
    StreamOn,
    StreamOff,
    CreateBuffers,
    RemoveBuffer,
    Flush,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It fails with this.
    Error(Errno),
    /// DQBUF: the buffer has the error flag.
    Flag,
    /// DQBUF: the timestamp is another one.
    WrongTimestamp,
    /// Poll: the request is not done, however long one waits.
    Pending,
    /// The call does not come back.
    Hang,
}

/// What all nodes of a probed device share.
#[derive(Debug, Default)]
pub(super) struct Probe {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    calls: HashMap<Call, u64>,
    order: Vec<Call>,
    /// By call: how many of them to let through, then how to fail one.
    faults: Vec<(Call, u64, Fault)>,
}

impl Probe {
    /// The call after `skip` more goes wrong.
    pub fn fail(&self, call: Call, skip: u64, fault: Fault) {
        lock(&self.state).faults.push((call, skip, fault));
    }

    /// How often a call was made since the last [`Self::reset`].
    pub fn count(&self, call: Call) -> u64 {
        lock(&self.state).calls.get(&call).copied().unwrap_or(0)
    }

    /// Every call of those that are counted since the last [`Self::reset`].
    pub fn order(&self) -> Vec<Call> {
        lock(&self.state).order.clone()
    }

    /// Counts from zero.
    pub fn reset(&self) {
        let mut state = lock(&self.state);
        state.calls.clear();
        state.order.clear();
    }

    fn note(&self, call: Call) -> Option<Fault> {
        let mut state = lock(&self.state);
        *state.calls.entry(call).or_default() += 1;
        state.order.push(call);
        let due = state.faults.iter_mut().position(|(which, skip, _)| {
            *which == call && {
                let due = *skip == 0;
                *skip = skip.saturating_sub(1);
                due
            }
        });
        due.map(|at| state.faults.remove(at).2)
    }

    fn check(&self, call: Call, name: &'static str) -> Result<()> {
        match self.note(call) {
            Some(Fault::Error(errno)) => Err(IoctlError::new(name, "probe", errno).into()),
            Some(Fault::Hang) => loop {
                std::thread::park();
            },
            Some(Fault::Flag | Fault::WrongTimestamp | Fault::Pending) | None => Ok(()),
        }
    }
}

/// A device whose decoding contexts are probed; the first context of a session is its own, later ones are scratch.
#[derive(Debug)]
pub(super) struct ProbedDevice {
    pub inner: Arc<dyn DecoderDevice>,
    pub probe: Arc<Probe>,
    /// How often it was opened.
    pub opened: Mutex<u32>,
}

impl DecoderDevice for ProbedDevice {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    fn open(&self) -> Result<Arc<dyn DecoderNode>> {
        let node = self.inner.open()?;
        let mut opened = lock(&self.opened);
        *opened += 1;
        if *opened > 1 {
            return Ok(node);
        }
        Ok(Arc::new(ProbedNode {
            inner: node,
            probe: Arc::clone(&self.probe),
        }))
    }
}

#[derive(Debug)]
struct ProbedNode {
    inner: Arc<dyn DecoderNode>,
    probe: Arc<Probe>,
}

impl DecoderNode for ProbedNode {
    fn enum_formats(&self, queue: Queue) -> Result<Vec<PixelFormat>> {
        self.inner.enum_formats(queue)
    }
    fn format(&self, queue: Queue) -> Result<Format> {
        self.inner.format(queue)
    }
    fn set_format(&self, queue: Queue, format: &Format) -> Result<Format> {
        self.inner.set_format(queue, format)
    }
    fn set_controls(&self, request: Option<RequestId>, controls: &[Control<'_>]) -> Result<()> {
        if request.is_some() {
            self.probe.check(Call::SetControls, "VIDIOC_S_EXT_CTRLS")?;
        }
        self.inner.set_controls(request, controls)
    }
    fn alloc_request(&self) -> Result<RequestId> {
        self.inner.alloc_request()
    }
    fn queue_request(&self, request: RequestId) -> Result<()> {
        self.probe.check(Call::QueueRequest, "MEDIA_REQUEST_IOC_QUEUE")?;
        self.inner.queue_request(request)
    }
    fn reinit_request(&self, request: RequestId) -> Result<()> {
        self.probe.check(Call::Reinit, "MEDIA_REQUEST_IOC_REINIT")?;
        self.inner.reinit_request(request)
    }
    fn poll_request(&self, request: RequestId, timeout: Duration) -> Result<RequestState> {
        match self.probe.note(Call::Poll) {
            Some(Fault::Pending) => Ok(RequestState::Pending),
            Some(_) | None => self.inner.poll_request(request, timeout),
        }
    }
    fn close_request(&self, request: RequestId) {
        self.inner.close_request(request);
    }
    fn request_buffers(&self, queue: Queue, memory: MemoryType, count: u32) -> Result<CreatedBuffers> {
        self.inner.request_buffers(queue, memory, count)
    }
    fn create_buffers(&self, queue: Queue, memory: MemoryType, count: u32, format: &Format) -> Result<CreatedBuffers> {
        self.probe.check(Call::CreateBuffers, "VIDIOC_CREATE_BUFS")?;
        self.inner.create_buffers(queue, memory, count, format)
    }
    fn remove_buffer(&self, queue: Queue, index: BufferIndex) -> Result<()> {
        self.probe.check(Call::RemoveBuffer, "VIDIOC_REMOVE_BUFS")?;
        self.inner.remove_buffer(queue, index)
    }
    fn query_buffer(&self, queue: Queue, index: BufferIndex) -> Result<BufferState> {
        self.inner.query_buffer(queue, index)
    }
    fn prepare_buffer(&self, queue: Queue, index: BufferIndex, memory: BufferMemory<'_>) -> Result<()> {
        self.inner.prepare_buffer(queue, index, memory)
    }
    fn queue_buffer(&self, queue: Queue, buffer: &QueueBuffer<'_>) -> Result<()> {
        let call = match queue {
            Queue::Output => Call::QueueOutput,
            Queue::Capture => Call::QueueCapture,
        };
        self.probe.check(call, "VIDIOC_QBUF")?;
        self.inner.queue_buffer(queue, buffer)
    }
    fn dequeue_buffer(&self, queue: Queue) -> Result<Dequeued> {
        let dequeued = self.inner.dequeue_buffer(queue)?;
        // Looking for a buffer that lags a moment is the same call, made again.
        let Dequeued::Buffer(mut buffer) = dequeued else {
            return Ok(dequeued);
        };
        let fault = self.probe.note(match queue {
            Queue::Output => Call::DequeueOutput,
            Queue::Capture => Call::DequeueCapture,
        });
        match fault {
            Some(Fault::Flag) => buffer.error = true,
            Some(Fault::WrongTimestamp) => buffer.timestamp = Timestamp::from_timeval(4711, 0),
            Some(Fault::Error(_) | Fault::Pending | Fault::Hang) | None => {}
        }
        Ok(Dequeued::Buffer(buffer))
    }
    fn export_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<OwnedFd> {
        self.inner.export_buffer(queue, index, plane)
    }
    fn map_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<Mapping> {
        self.inner.map_buffer(queue, index, plane)
    }
    fn stream_on(&self, queue: Queue) -> Result<()> {
        self.probe.check(Call::StreamOn, "VIDIOC_STREAMON")?;
        self.inner.stream_on(queue)
    }
    fn stream_off(&self, queue: Queue) -> Result<()> {
        self.probe.check(Call::StreamOff, "VIDIOC_STREAMOFF")?;
        self.inner.stream_off(queue)
    }
    fn flush(&self) -> Result<()> {
        self.probe.check(Call::Flush, "VIDIOC_DECODER_CMD")?;
        self.inner.flush()
    }
}
