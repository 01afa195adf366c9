//! The verbs of the seam, with faults between the caller and the node inside.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno;

use super::plan::{Fault, Plan, Verb};
use crate::device::{
    BufferMemory, BufferState, Control, CreatedBuffers, DecoderNode, Dequeued, DequeuedBuffer, MemoryType, Queue,
    QueueBuffer, RequestId, RequestState,
};
use crate::memory::{Format, PixelFormat};
use crate::sys::{Mapping, object};
use crate::units::BufferIndex;
use crate::{IoctlError, Result};

/// A request that the node inside never sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Swallowed {
    /// It was queued and nothing happens.
    Stuck,
    /// STREAMOFF ended it.
    Cancelled,
}

/// One open of a [`super::FaultyDevice`].
#[derive(Debug)]
pub(super) struct FaultyNode {
    inner: Arc<dyn DecoderNode>,
    path: String,
    plan: Arc<Mutex<Plan>>,
    swallowed: Mutex<HashMap<RequestId, Swallowed>>,
    cancelled: Condvar,
    /// What queued CAPTURE buffers held before they were queued, plane by plane; kept while frames are to be changed.
    frames: Mutex<HashMap<BufferIndex, Vec<QueuedPlane>>>,
}

/// One memory plane of a queued CAPTURE buffer.
#[derive(Debug)]
struct QueuedPlane {
    mapping: Mapping,
    before: Vec<u8>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultyNode {
    pub(super) fn new(inner: Arc<dyn DecoderNode>, path: String, plan: Arc<Mutex<Plan>>) -> Self {
        Self {
            inner,
            path,
            plan,
            swallowed: Mutex::default(),
            cancelled: Condvar::new(),
            frames: Mutex::default(),
        }
    }

    /// Fails if the plan says so.
    fn call(&self, verb: Verb) -> Result<()> {
        match lock(&self.plan).call(verb) {
            None => Ok(()),
            Some(errno) => Err(self.error(verb, errno)),
        }
    }

    fn error(&self, verb: Verb, errno: Errno) -> crate::Error {
        IoctlError::new(verb.name(), &self.path, errno).into()
    }

    /// A request that is swallowed takes nothing more.
    fn takes_more(&self, request: Option<RequestId>, verb: Verb) -> Result<()> {
        match request.and_then(|request| lock(&self.swallowed).get(&request).copied()) {
            None => Ok(()),
            Some(Swallowed::Stuck | Swallowed::Cancelled) => Err(self.error(verb, Errno::EBUSY)),
        }
    }

    /// The bytes of a CAPTURE buffer that is about to be queued.
    fn keep(&self, buffer: &QueueBuffer<'_>) -> Result<Vec<QueuedPlane>> {
        let keep = |mapping: Mapping| QueuedPlane {
            before: mapping.bytes().to_vec(),
            mapping,
        };
        match buffer.memory {
            BufferMemory::Mmap => {
                let planes = 0..self.inner.format(Queue::Capture)?.planes.len() as u32;
                planes
                    .map(|plane| self.inner.map_buffer(Queue::Capture, buffer.index, plane).map(keep))
                    .collect()
            }
            BufferMemory::DmaBuf(planes) => {
                let map = |&(fd, length)| {
                    let length = if length == 0 { object::length(fd)? } else { length };
                    Ok(keep(Mapping::new(fd.as_fd(), length)?))
                };
                planes.iter().map(map).collect()
            }
        }
    }

    /// Does to a finished frame what the plan says.
    fn change(&self, mut buffer: DequeuedBuffer) -> DequeuedBuffer {
        let mut planes = lock(&self.frames).remove(&buffer.index).unwrap_or_default();
        let mut plan = lock(&self.plan);
        buffer.error |= plan.meets(Fault::ErrorFlag);
        if plan.meets(Fault::ForeignTimestamp) {
            buffer.timestamp = None;
        }
        if plan.meets(Fault::Untouched) {
            planes
                .iter_mut()
                .for_each(|plane| plane.mapping.bytes_mut().copy_from_slice(&plane.before));
        }
        if plan.meets(Fault::Grey) {
            planes.iter_mut().for_each(|plane| plane.mapping.bytes_mut().fill(128));
        }
        buffer
    }
}

impl DecoderNode for FaultyNode {
    fn enum_formats(&self, queue: Queue) -> Result<Vec<PixelFormat>> {
        self.inner.enum_formats(queue)
    }

    fn format(&self, queue: Queue) -> Result<Format> {
        self.inner.format(queue)
    }

    fn set_format(&self, queue: Queue, format: &Format) -> Result<Format> {
        self.call(Verb::SetFormat)?;
        self.inner.set_format(queue, format)
    }

    fn set_controls(&self, request: Option<RequestId>, controls: &[Control<'_>]) -> Result<()> {
        self.call(Verb::SetControls)?;
        self.takes_more(request, Verb::SetControls)?;
        self.inner.set_controls(request, controls)
    }

    fn alloc_request(&self) -> Result<RequestId> {
        self.call(Verb::AllocRequest)?;
        self.inner.alloc_request()
    }

    fn queue_request(&self, request: RequestId) -> Result<()> {
        self.call(Verb::QueueRequest)?;
        self.takes_more(Some(request), Verb::QueueRequest)?;
        let mut swallowed = lock(&self.swallowed);
        let hangs = swallowed.values().any(|&state| state == Swallowed::Stuck);
        if hangs || lock(&self.plan).meets(Fault::Stuck) {
            swallowed.insert(request, Swallowed::Stuck);
            return Ok(());
        }
        drop(swallowed);
        self.inner.queue_request(request)
    }

    fn reinit_request(&self, request: RequestId) -> Result<()> {
        self.call(Verb::ReinitRequest)?;
        let mut swallowed = lock(&self.swallowed);
        if swallowed.get(&request) == Some(&Swallowed::Stuck) {
            return Err(self.error(Verb::ReinitRequest, Errno::EBUSY));
        }
        swallowed.remove(&request);
        self.inner.reinit_request(request)
    }

    fn poll_request(&self, request: RequestId, timeout: Duration) -> Result<RequestState> {
        self.call(Verb::PollRequest)?;
        let stuck = |swallowed: &mut HashMap<_, _>| swallowed.get(&request) == Some(&Swallowed::Stuck);
        let waited = self.cancelled.wait_timeout_while(lock(&self.swallowed), timeout, stuck);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0.get(&request).copied();
        match state {
            None => self.inner.poll_request(request, timeout),
            Some(Swallowed::Stuck) => Ok(RequestState::Pending),
            Some(Swallowed::Cancelled) => Ok(RequestState::Complete),
        }
    }

    fn close_request(&self, request: RequestId) {
        lock(&self.swallowed).remove(&request);
        self.inner.close_request(request);
    }

    fn request_buffers(&self, queue: Queue, memory: MemoryType, count: u32) -> Result<CreatedBuffers> {
        self.call(Verb::RequestBuffers)?;
        self.inner.request_buffers(queue, memory, count)
    }

    fn create_buffers(&self, queue: Queue, memory: MemoryType, count: u32, format: &Format) -> Result<CreatedBuffers> {
        self.call(Verb::CreateBuffers)?;
        self.inner.create_buffers(queue, memory, count, format)
    }

    fn remove_buffer(&self, queue: Queue, index: BufferIndex) -> Result<()> {
        self.call(Verb::RemoveBuffer)?;
        self.inner.remove_buffer(queue, index)
    }

    fn query_buffer(&self, queue: Queue, index: BufferIndex) -> Result<BufferState> {
        self.inner.query_buffer(queue, index)
    }

    fn prepare_buffer(&self, queue: Queue, index: BufferIndex, memory: BufferMemory<'_>) -> Result<()> {
        self.call(Verb::PrepareBuffer)?;
        self.inner.prepare_buffer(queue, index, memory)
    }

    fn queue_buffer(&self, queue: Queue, buffer: &QueueBuffer<'_>) -> Result<()> {
        match queue {
            Queue::Output => {
                self.call(Verb::QueueOutput)?;
                self.takes_more(buffer.request, Verb::QueueOutput)?;
            }
            Queue::Capture => self.call(Verb::QueueCapture)?,
        }
        if queue == Queue::Capture && lock(&self.plan).meets(Fault::WithheldCapture) {
            return Ok(());
        }
        if queue == Queue::Capture && lock(&self.plan).changes_frames() {
            let planes = self.keep(buffer)?;
            lock(&self.frames).insert(buffer.index, planes);
        }
        self.inner.queue_buffer(queue, buffer)
    }

    fn dequeue_buffer(&self, queue: Queue) -> Result<Dequeued> {
        self.call(match queue {
            Queue::Output => Verb::DequeueOutput,
            Queue::Capture => Verb::DequeueCapture,
        })?;
        Ok(match (queue, self.inner.dequeue_buffer(queue)?) {
            (Queue::Capture, Dequeued::Buffer(buffer)) => Dequeued::Buffer(self.change(buffer)),
            (Queue::Output, output @ Dequeued::Buffer(_)) => output,
            (Queue::Output | Queue::Capture, Dequeued::NotReady) => Dequeued::NotReady,
        })
    }

    fn export_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<OwnedFd> {
        self.call(Verb::ExportBuffer)?;
        self.inner.export_buffer(queue, index, plane)
    }

    fn map_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<Mapping> {
        self.call(Verb::MapBuffer)?;
        self.inner.map_buffer(queue, index, plane)
    }

    fn stream_on(&self, queue: Queue) -> Result<()> {
        self.call(Verb::StreamOn)?;
        self.inner.stream_on(queue)
    }

    fn stream_off(&self, queue: Queue) -> Result<()> {
        self.call(Verb::StreamOff)?;
        match queue {
            Queue::Output => {
                lock(&self.swallowed)
                    .values_mut()
                    .for_each(|state| *state = Swallowed::Cancelled);
                self.cancelled.notify_all();
            }
            Queue::Capture => lock(&self.frames).clear(),
        }
        self.inner.stream_off(queue)
    }

    fn flush(&self) -> Result<()> {
        self.call(Verb::Flush)?;
        self.inner.flush()
    }
}
