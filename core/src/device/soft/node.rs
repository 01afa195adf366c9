//! The verbs of the seam on the software node: locking, errors with their names, the worker's life.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;

use super::context::Context;
use super::personality::Personality;
use super::request;
use super::worker::{Shared, Worker};
use crate::device::format::H264_SLICE;
use crate::device::{
    BufferMemory, BufferState, Control, CreatedBuffers, DecoderNode, Dequeued, MemoryType, Queue, QueueBuffer,
    QueueCapabilities, RequestId, RequestState,
};
use crate::memory::{Format, PixelFormat};
use crate::sys::Mapping;
use crate::units::BufferIndex;
use crate::{IoctlError, Result};

/// One open context of the software decoder.
#[derive(Debug)]
pub(super) struct SoftNode {
    path: String,
    personality: Arc<Personality>,
    shared: Arc<Shared>,
    /// The threads while both queues stream. Locked before the context, never the other way round.
    worker: Mutex<Option<Worker>>,
}

impl SoftNode {
    pub(super) fn new(path: &str, personality: &Arc<Personality>) -> Self {
        Self {
            path: path.to_owned(),
            personality: Arc::clone(personality),
            shared: Arc::new(Shared::new(Context::new(Arc::clone(personality)))),
            worker: Mutex::new(None),
        }
    }

    /// Does one call under the context's lock; an errno gets the name of the call.
    fn call<T>(&self, call: &'static str, verb: impl FnOnce(&mut Context) -> Result<T, Errno>) -> Result<T> {
        verb(&mut self.shared.lock()).map_err(|errno| self.error(call, errno))
    }

    fn error(&self, call: &'static str, errno: Errno) -> crate::Error {
        IoctlError::new(call, &self.path, errno).into()
    }

    fn capabilities(&self, queue: Queue) -> QueueCapabilities {
        QueueCapabilities {
            dmabuf: queue == Queue::Capture && self.personality.import,
            hold_capture: queue == Queue::Output && self.personality.hold_capture,
            remove_bufs: self.personality.remove_bufs,
            max_num_buffers: self.personality.max_num_buffers,
        }
    }

    /// Ends the threads after the jobs they have begun.
    fn stop_worker(&self, worker: &mut Option<Worker>) {
        if let Some(worker) = worker.take() {
            worker.stop(&self.shared);
        }
    }
}

impl Drop for SoftNode {
    fn drop(&mut self) {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.stop_worker(&mut worker);
    }
}

impl DecoderNode for SoftNode {
    fn enum_formats(&self, queue: Queue) -> Result<Vec<PixelFormat>> {
        self.call("VIDIOC_ENUM_FMT", |context| {
            Ok(match queue {
                Queue::Output => vec![H264_SLICE],
                Queue::Capture => context.capture_formats(),
            })
        })
    }

    fn format(&self, queue: Queue) -> Result<Format> {
        self.call("VIDIOC_G_FMT", |context| Ok(context.format(queue).clone()))
    }

    fn set_format(&self, queue: Queue, format: &Format) -> Result<Format> {
        self.call("VIDIOC_S_FMT", |context| context.set_format(queue, format))
    }

    fn set_controls(&self, request: Option<RequestId>, controls: &[Control<'_>]) -> Result<()> {
        self.call("VIDIOC_S_EXT_CTRLS", |context| context.set_controls(request, controls))
    }

    fn alloc_request(&self) -> Result<RequestId> {
        self.call("MEDIA_IOC_REQUEST_ALLOC", |context| Ok(context.requests.alloc()))
    }

    fn queue_request(&self, request: RequestId) -> Result<()> {
        self.call("MEDIA_REQUEST_IOC_QUEUE", |context| context.queue_request(request))?;
        self.shared.wake();
        Ok(())
    }

    fn reinit_request(&self, request: RequestId) -> Result<()> {
        self.call("MEDIA_REQUEST_IOC_REINIT", |context| context.reinit_request(request))
    }

    fn poll_request(&self, request: RequestId, timeout: Duration) -> Result<RequestState> {
        let waiting = |context: &mut Context| context.requests.state(request) == Ok(request::State::Queued);
        let context = self.shared.lock();
        let waited = self.shared.done.wait_timeout_while(context, timeout, waiting);
        let (mut context, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match context.requests.state(request) {
            Ok(request::State::Complete) => Ok(RequestState::Complete),
            Ok(request::State::Queued) => Ok(RequestState::Pending),
            // POLLERR: it will never be complete.
            Ok(request::State::Idle) => Err(self.error("poll", Errno::EINVAL)),
            Err(errno) => Err(self.error("poll", errno)),
        }
    }

    fn close_request(&self, request: RequestId) {
        self.shared.lock().close_request(request);
    }

    fn request_buffers(&self, queue: Queue, memory: MemoryType, count: u32) -> Result<CreatedBuffers> {
        let capabilities = self.capabilities(queue);
        let count = self.call("VIDIOC_REQBUFS", |context| {
            context.request_buffers(queue, memory, count)
        })?;
        self.shared.done.notify_all();
        Ok(CreatedBuffers {
            first: BufferIndex(0),
            count,
            capabilities,
        })
    }

    fn create_buffers(&self, queue: Queue, memory: MemoryType, count: u32, format: &Format) -> Result<CreatedBuffers> {
        let capabilities = self.capabilities(queue);
        self.call("VIDIOC_CREATE_BUFS", |context| {
            context.accepts_memory(queue, memory)?;
            let lengths = context.plane_lengths(queue, format)?;
            let (first, count) = context.queue_mut(queue).create(memory, count, &lengths)?;
            Ok(CreatedBuffers {
                first,
                count,
                capabilities,
            })
        })
    }

    fn remove_buffer(&self, queue: Queue, index: BufferIndex) -> Result<()> {
        let known = if self.personality.remove_bufs {
            Ok(())
        } else {
            Err(Errno::ENOTTY)
        };
        self.call("VIDIOC_REMOVE_BUFS", |context| {
            known.and_then(|()| context.queue_mut(queue).remove(index))
        })
    }

    fn query_buffer(&self, queue: Queue, index: BufferIndex) -> Result<BufferState> {
        self.call("VIDIOC_QUERYBUF", |context| context.queue(queue).query(index))
    }

    fn prepare_buffer(&self, queue: Queue, index: BufferIndex, memory: BufferMemory<'_>) -> Result<()> {
        self.call("VIDIOC_PREPARE_BUF", |context| {
            context.queue_mut(queue).prepare(index, memory)
        })
    }

    fn queue_buffer(&self, queue: Queue, buffer: &QueueBuffer<'_>) -> Result<()> {
        self.call("VIDIOC_QBUF", |context| match queue {
            Queue::Output => context.queue_output(buffer),
            Queue::Capture => context.queue_capture(buffer),
        })?;
        self.shared.wake();
        Ok(())
    }

    fn dequeue_buffer(&self, queue: Queue) -> Result<Dequeued> {
        self.call("VIDIOC_DQBUF", |context| context.queue_mut(queue).dequeue())
    }

    fn export_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<OwnedFd> {
        self.call("VIDIOC_EXPBUF", |context| {
            context.queue(queue).own_memory(index)?.export(plane)
        })
    }

    fn map_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<Mapping> {
        self.call("mmap", |context| context.queue(queue).own_memory(index)?.map(plane))
    }

    fn stream_on(&self, queue: Queue) -> Result<()> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let both = self.call("VIDIOC_STREAMON", |context| {
            context.queue_mut(queue).start()?;
            Ok(context.is_streaming())
        })?;
        if both && worker.is_none() {
            let started = Worker::start(&self.shared, self.personality.threads);
            *worker = Some(started.map_err(|error| {
                self.shared.lock().stop(queue);
                self.error(
                    "VIDIOC_STREAMON",
                    error.raw_os_error().map_or(Errno::EAGAIN, Errno::from_raw),
                )
            })?);
        }
        Ok(())
    }

    fn stream_off(&self, queue: Queue) -> Result<()> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        self.stop_worker(&mut worker);
        self.shared.lock().stop(queue);
        self.shared.done.notify_all();
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        self.call("VIDIOC_DECODER_CMD", |context| {
            context.flush();
            Ok(())
        })?;
        self.shared.wake();
        Ok(())
    }
}
