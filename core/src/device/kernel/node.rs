//! The verbs of the seam on a video node.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use v4l2r::bindings as v4l2;

use super::convert::{self, direction};
use super::requests::Requests;
use crate::device::{
    BufferMemory, BufferState, Control, CreatedBuffers, DecoderNode, Dequeued, MemoryType, Queue, QueueBuffer,
    RequestId, RequestState,
};
use crate::memory::{Format, PixelFormat};
use crate::sys::{
    Backing, BufferToQueue, Buffers, ControlValue, MAX_CONTROLS, Mapping, MediaDevice, RequestFd, RequestPoll,
    VideoNode,
};
use crate::units::BufferIndex;
use crate::{IoctlError, Result};

/// One open context of a decoder of the kernel.
#[derive(Debug)]
pub(super) struct KernelNode {
    video: VideoNode,
    media: Arc<MediaDevice>,
    requests: Requests,
    max_num_buffers: u32,
    /// Kernels have freed a request's buffers under its REINIT when REQBUFS ran beside it.
    reinit_or_reqbufs: Mutex<()>,
}

impl KernelNode {
    pub(super) fn new(media: Arc<MediaDevice>, video: VideoNode, max_num_buffers: u32) -> Self {
        Self {
            video,
            media,
            requests: Requests::default(),
            max_num_buffers,
            reinit_or_reqbufs: Mutex::default(),
        }
    }

    fn error(&self, call: &'static str, errno: Errno) -> IoctlError {
        IoctlError::new(call, self.video.path(), errno)
    }

    fn request(&self, call: &'static str, id: RequestId) -> Result<Arc<RequestFd>> {
        let found = self.requests.get(id);
        Ok(found.map_err(|errno| IoctlError::new(call, self.media.path(), errno))?)
    }

    /// The request of a QBUF or S_EXT_CTRLS; one that is no request is EINVAL, as in the kernel.
    fn argument(&self, call: &'static str, id: Option<RequestId>) -> Result<Option<Arc<RequestFd>>> {
        let found = id.map(|id| self.requests.get(id)).transpose();
        Ok(found.map_err(|_| self.error(call, Errno::EINVAL))?)
    }

    fn created(&self, buffers: Buffers) -> CreatedBuffers {
        CreatedBuffers {
            first: BufferIndex(buffers.index),
            count: buffers.count,
            capabilities: convert::queue_capabilities(&buffers, self.max_num_buffers),
        }
    }

    fn alone(&self) -> MutexGuard<'_, ()> {
        self.reinit_or_reqbufs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names the controls that the driver does not take: S_EXT_CTRLS itself does not tell.
    fn tell_culprits(&self, request: Option<BorrowedFd<'_>>, values: &[ControlValue]) {
        for value in values {
            if let Err(error) = self.video.try_control(request, *value) {
                tracing::debug!("{error}: {value:?}");
            }
        }
    }
}

fn backing<'a>(memory: BufferMemory<'a>) -> Backing<'a> {
    match memory {
        BufferMemory::Mmap => Backing::Mmap,
        BufferMemory::DmaBuf(planes) => Backing::DmaBuf(planes),
    }
}

impl DecoderNode for KernelNode {
    fn enum_formats(&self, queue: Queue) -> Result<Vec<PixelFormat>> {
        let formats = self.video.enum_formats(direction(queue))?;
        Ok(formats.into_iter().map(PixelFormat).collect())
    }

    fn format(&self, queue: Queue) -> Result<Format> {
        Ok(convert::format(&self.video.format(direction(queue))?))
    }

    fn set_format(&self, queue: Queue, format: &Format) -> Result<Format> {
        let wanted = convert::pix_format(format);
        Ok(convert::format(&self.video.set_format(direction(queue), &wanted)?))
    }

    fn set_controls(&self, request: Option<RequestId>, controls: &[Control<'_>]) -> Result<()> {
        const CALL: &str = "VIDIOC_S_EXT_CTRLS";
        let request = self.argument(CALL, request)?;
        let request = request.as_ref().map(|request| request.as_fd());
        let mut values = [ControlValue::Menu(0, 0); MAX_CONTROLS];
        let values = values
            .get_mut(..controls.len())
            .ok_or_else(|| self.error(CALL, Errno::E2BIG))?;
        for (value, control) in values.iter_mut().zip(controls) {
            *value = convert::control(control);
        }
        let set = self.video.set_controls(request, values);
        if set.is_err() && tracing::enabled!(tracing::Level::DEBUG) {
            self.tell_culprits(request, values);
        }
        Ok(set?)
    }

    fn alloc_request(&self) -> Result<RequestId> {
        Ok(self.requests.insert(self.media.alloc_request()?))
    }

    fn queue_request(&self, request: RequestId) -> Result<()> {
        Ok(self.request("MEDIA_REQUEST_IOC_QUEUE", request)?.queue()?)
    }

    fn reinit_request(&self, request: RequestId) -> Result<()> {
        let request = self.request("MEDIA_REQUEST_IOC_REINIT", request)?;
        let _alone = self.alone();
        Ok(request.reinit()?)
    }

    fn poll_request(&self, request: RequestId, timeout: Duration) -> Result<RequestState> {
        match self.request("poll", request)?.poll(timeout)? {
            RequestPoll::Complete => Ok(RequestState::Complete),
            RequestPoll::Pending => Ok(RequestState::Pending),
            // It will never be complete.
            RequestPoll::NotQueued => Err(self.error("poll", Errno::EINVAL).into()),
        }
    }

    fn close_request(&self, request: RequestId) {
        self.requests.close(request);
    }

    fn request_buffers(&self, queue: Queue, memory: MemoryType, count: u32) -> Result<CreatedBuffers> {
        let _alone = self.alone();
        let buffers = self
            .video
            .request_buffers(direction(queue), convert::memory(memory), count)?;
        Ok(self.created(buffers))
    }

    fn create_buffers(&self, queue: Queue, memory: MemoryType, count: u32, format: &Format) -> Result<CreatedBuffers> {
        let format = convert::pix_format(format);
        let buffers = self
            .video
            .create_buffers(direction(queue), convert::memory(memory), count, &format)?;
        Ok(self.created(buffers))
    }

    fn remove_buffer(&self, queue: Queue, index: BufferIndex) -> Result<()> {
        Ok(self.video.remove_buffer(direction(queue), index.0)?)
    }

    fn query_buffer(&self, queue: Queue, index: BufferIndex) -> Result<BufferState> {
        let info = self.video.query_buffer(direction(queue), index.0)?;
        let has = |flag: u32| info.flags & flag != 0;
        Ok(BufferState {
            mapped: has(v4l2::V4L2_BUF_FLAG_MAPPED),
            queued: has(v4l2::V4L2_BUF_FLAG_QUEUED),
            done: has(v4l2::V4L2_BUF_FLAG_DONE),
            length: info.length as usize,
        })
    }

    fn prepare_buffer(&self, queue: Queue, index: BufferIndex, memory: BufferMemory<'_>) -> Result<()> {
        let buffer = BufferToQueue {
            index: index.0,
            backing: backing(memory),
            bytes_used: 0,
            timestamp: (0, 0),
            flags: 0,
            request: None,
        };
        Ok(self.video.prepare_buffer(direction(queue), &buffer)?)
    }

    fn queue_buffer(&self, queue: Queue, buffer: &QueueBuffer<'_>) -> Result<()> {
        const CALL: &str = "VIDIOC_QBUF";
        let request = self.argument(CALL, buffer.request)?;
        let bytes_used = u32::try_from(buffer.bytes_used).map_err(|_| self.error(CALL, Errno::EINVAL))?;
        let hold = match buffer.hold_capture {
            true => v4l2::V4L2_BUF_FLAG_M2M_HOLD_CAPTURE_BUF,
            false => 0,
        };
        let buffer = BufferToQueue {
            index: buffer.index.0,
            backing: backing(buffer.memory),
            bytes_used,
            timestamp: buffer.timestamp.map_or((0, 0), |timestamp| timestamp.to_timeval()),
            flags: hold,
            request: request.as_ref().map(|request| request.as_fd()),
        };
        Ok(self.video.queue_buffer(direction(queue), &buffer)?)
    }

    fn dequeue_buffer(&self, queue: Queue) -> Result<Dequeued> {
        let info = self.video.dequeue_buffer(direction(queue))?;
        Ok(info.map_or(Dequeued::NotReady, |info| Dequeued::Buffer(convert::dequeued(&info))))
    }

    fn export_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<OwnedFd> {
        Ok(self.video.export_buffer(direction(queue), index.0, plane)?)
    }

    fn map_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<Mapping> {
        Ok(self.video.map_buffer(direction(queue), index.0, plane)?)
    }

    fn stream_on(&self, queue: Queue) -> Result<()> {
        Ok(self.video.stream_on(direction(queue))?)
    }

    fn stream_off(&self, queue: Queue) -> Result<()> {
        Ok(self.video.stream_off(direction(queue))?)
    }

    fn flush(&self) -> Result<()> {
        Ok(self.video.flush()?)
    }
}
