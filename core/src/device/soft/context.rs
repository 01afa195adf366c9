//! The state of one open node and the rules of `v4l2-mem2mem`: which job is ready, what it is made of, how it ends.
//! Pure bookkeeping: no lock, no thread.

use std::sync::Arc;

use fourier_soft::Controls;
use nix::errno::Errno;
use v4l2r::bindings as v4l2;

use super::controls;
use super::formats::{self, Samples};
use super::job::{Arena, Job, Picture, PictureLayout, ReferencePicture, Step};
use super::personality::Personality;
use super::queue::{BufferQueue, State};
use super::request::Requests;
use crate::device::{Control, MemoryType, Queue, QueueBuffer, RequestId};
use crate::memory::{Format, PixelFormat};
use crate::units::{BufferIndex, Size, Timestamp};

/// A CAPTURE buffer that stays with the device for further requests of the same timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    index: BufferIndex,
    timestamp: Option<Timestamp>,
}

/// One decoder context.
#[derive(Debug)]
pub(super) struct Context {
    personality: Arc<Personality>,
    current: Controls,
    output_format: Format,
    capture_format: Format,
    output: BufferQueue,
    capture: BufferQueue,
    pub(super) requests: Requests,
    held: Option<Held>,
    /// A held CAPTURE buffer that the worker is to let go of, after the jobs that decode into it.
    releasing: Option<BufferIndex>,
    arenas: Vec<Box<Arena>>,
    /// The worker takes no more jobs.
    pub(super) stopping: bool,
}

impl Context {
    pub(super) fn new(personality: Arc<Personality>) -> Self {
        let nothing = Format {
            pixel_format: crate::device::format::H264_SLICE,
            size: Size::default(),
            planes: Vec::new(),
        };
        let output_format = formats::output(&personality, &nothing);
        Self {
            current: controls::initial(&personality),
            capture_format: formats::capture(&personality, output_format.size, Samples::default()),
            output_format,
            output: BufferQueue::new(personality.max_num_buffers),
            capture: BufferQueue::new(personality.max_num_buffers),
            requests: Requests::default(),
            held: None,
            releasing: None,
            arenas: Vec::new(),
            stopping: false,
            personality,
        }
    }

    pub(super) fn queue(&self, queue: Queue) -> &BufferQueue {
        match queue {
            Queue::Output => &self.output,
            Queue::Capture => &self.capture,
        }
    }

    pub(super) fn queue_mut(&mut self, queue: Queue) -> &mut BufferQueue {
        match queue {
            Queue::Output => &mut self.output,
            Queue::Capture => &mut self.capture,
        }
    }

    pub(super) fn format(&self, queue: Queue) -> &Format {
        match queue {
            Queue::Output => &self.output_format,
            Queue::Capture => &self.capture_format,
        }
    }

    /// S_FMT. The OUTPUT format decides the CAPTURE format, so CAPTURE buffers keep both from changing.
    pub(super) fn set_format(&mut self, queue: Queue, wanted: &Format) -> Result<Format, Errno> {
        if self.capture.is_busy() || (queue == Queue::Output && self.output.is_busy()) {
            return Err(Errno::EBUSY);
        }
        if queue == Queue::Output {
            self.output_format = formats::output(&self.personality, wanted);
        }
        self.reset_capture_format(self.samples());
        Ok(self.format(queue).clone())
    }

    /// What the pictures of the current SPS are made of.
    fn samples(&self) -> Samples {
        Samples::of(&self.current.sps)
    }

    fn reset_capture_format(&mut self, samples: Samples) {
        self.capture_format = formats::capture(&self.personality, self.output_format.size, samples);
    }

    /// An SPS that asks for another pixel format resets the CAPTURE format, and is refused while buffers have the old one.
    fn follow_sps(&mut self, values: &[Control<'_>]) -> Result<(), Errno> {
        let samples = values.iter().rev().find_map(|control| match control {
            Control::Sps(sps) => Some(Samples::of(sps)),
            _ => None,
        });
        match samples.filter(|&samples| samples != self.samples()) {
            Some(_) if self.capture.is_busy() => Err(Errno::EBUSY),
            Some(samples) => {
                self.reset_capture_format(samples);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// S_EXT_CTRLS: all values or none. Of another SPS in a request nothing comes but an error of its job.
    pub(super) fn set_controls(&mut self, request: Option<RequestId>, values: &[Control<'_>]) -> Result<(), Errno> {
        for control in values {
            controls::validate(&self.personality, &self.output_format, control)?;
        }
        match request {
            None => {
                self.follow_sps(values)?;
                values
                    .iter()
                    .for_each(|control| controls::store(&mut self.current, control));
            }
            Some(id) => {
                let request = self.requests.idle(id)?;
                values.iter().for_each(|control| request.controls.set(control));
            }
        }
        Ok(())
    }

    /// The CAPTURE pixel formats of the current SPS: one.
    pub(super) fn capture_formats(&self) -> Vec<PixelFormat> {
        vec![self.samples().pixel_format(&self.personality)]
    }

    /// Whether a queue may have that kind of memory.
    pub(super) fn accepts_memory(&self, queue: Queue, memory: MemoryType) -> Result<(), Errno> {
        match (queue, memory) {
            (_, MemoryType::Mmap) => Ok(()),
            (Queue::Capture, MemoryType::DmaBuf) if self.personality.import => Ok(()),
            (Queue::Capture | Queue::Output, MemoryType::DmaBuf) => Err(Errno::EINVAL),
        }
    }

    /// CREATE_BUFS: buffers of another size than the current format's, never smaller.
    pub(super) fn plane_lengths(&self, queue: Queue, format: &Format) -> Result<Vec<usize>, Errno> {
        let current = &self.format(queue).planes;
        let large_enough = format
            .planes
            .iter()
            .zip(current)
            .all(|(new, now)| new.size_image >= now.size_image);
        if format.planes.len() != current.len() || !large_enough {
            return Err(Errno::EINVAL);
        }
        Ok(format.planes.iter().map(|plane| plane.size_image as usize).collect())
    }

    /// REQBUFS: what it frees leaves its requests first, as with STREAMOFF.
    pub(super) fn request_buffers(&mut self, queue: Queue, memory: MemoryType, count: u32) -> Result<u32, Errno> {
        self.accepts_memory(queue, memory)?;
        let lengths = self.plane_lengths(queue, self.format(queue))?;
        if queue == Queue::Output && !self.output.streaming {
            self.requests.cancel();
        }
        self.queue_mut(queue).request(memory, count, &lengths)
    }

    /// QBUF on OUTPUT: the buffer waits in its request until that is queued.
    pub(super) fn queue_output(&mut self, buffer: &QueueBuffer<'_>) -> Result<(), Errno> {
        let length = self.output.get(buffer.index)?.length();
        // The queue requires requests.
        let id = buffer.request.ok_or(Errno::EBADR)?;
        let request = self.requests.idle(id)?;
        if buffer.bytes_used > length {
            return Err(Errno::EINVAL);
        }
        let bound = self.output.bind(buffer.index, buffer.memory)?;
        request.add(buffer.index);
        bound.state = State::InRequest;
        bound.request = Some(id);
        bound.timestamp = buffer.timestamp;
        bound.hold_capture = buffer.hold_capture && self.personality.hold_capture;
        bound.bytes_used = if buffer.bytes_used == 0 {
            length
        } else {
            buffer.bytes_used
        };
        Ok(())
    }

    /// QBUF on CAPTURE.
    pub(super) fn queue_capture(&mut self, buffer: &QueueBuffer<'_>) -> Result<(), Errno> {
        if buffer.request.is_some() {
            return Err(Errno::EPERM);
        }
        let bound = self.capture.bind(buffer.index, buffer.memory)?;
        bound.bytes_used = 0;
        self.capture.enqueue(buffer.index)
    }

    /// MEDIA_REQUEST_IOC_QUEUE.
    pub(super) fn queue_request(&mut self, id: RequestId) -> Result<(), Errno> {
        let output = self.requests.queue(id)?;
        self.output.enqueue(output)
    }

    /// MEDIA_REQUEST_IOC_REINIT.
    pub(super) fn reinit_request(&mut self, id: RequestId) -> Result<(), Errno> {
        let buffers = self.requests.reinit(id)?;
        self.let_go(&buffers);
        Ok(())
    }

    /// close(2) of a request.
    pub(super) fn close_request(&mut self, id: RequestId) {
        let buffers = self.requests.close(id);
        self.let_go(&buffers);
    }

    /// OUTPUT buffers of a request that was emptied before it was queued go back to the application.
    fn let_go(&mut self, buffers: &[BufferIndex]) {
        for &index in buffers {
            if let Ok(buffer) = self.output.get_mut(index) {
                buffer.state = State::Dequeued;
                buffer.request = None;
            }
        }
    }

    /// STREAMOFF; the worker has stopped before.
    pub(super) fn stop(&mut self, queue: Queue) {
        match queue {
            Queue::Output => {
                self.requests.cancel();
                self.output.cancel();
            }
            Queue::Capture => {
                self.held = None;
                self.releasing = None;
                self.capture.cancel();
            }
        }
    }

    pub(super) fn is_streaming(&self) -> bool {
        self.output.streaming && self.capture.streaming
    }

    /// The next thing to do, if there is one: a request with an OUTPUT buffer and a CAPTURE buffer to decode into, or
    /// letting go of a CAPTURE buffer that is held for another picture.
    pub(super) fn take(&mut self) -> Option<Step> {
        if !self.is_streaming() {
            return None;
        }
        if let Some(index) = self.releasing.take() {
            return Some(Step::Release(index));
        }
        let (_, source) = self.output.next()?;
        let timestamp = source.timestamp;
        if let Some(held) = self.held.take_if(|held| held.timestamp != timestamp) {
            return Some(Step::Release(held.index));
        }
        // `v4l2_m2m_ctx.new_frame`: the buffer is held, or was queued again with the timestamp of this very picture.
        let (capture, continues) = match self.held.take() {
            Some(held) => (held.index, true),
            None => {
                let (index, buffer) = self.capture.activate()?;
                (index, timestamp.is_some() && buffer.timestamp == timestamp)
            }
        };
        self.start_job(capture, continues).map(Step::Decode)
    }

    /// `device_run`: values are applied, the timestamp is copied, references are looked up.
    fn start_job(&mut self, capture: BufferIndex, continues: bool) -> Option<Job> {
        let layout = PictureLayout::new(&self.capture_format);
        let (output, source) = self.output.activate()?;
        let (request, timestamp) = (source.request?, source.timestamp);
        let (bitstream, bytes_used) = (Arc::clone(source.memory.as_ref()?), source.bytes_used);
        let hold_capture = source.hold_capture;
        let target = self.capture.get_mut(capture).ok()?;
        target.timestamp = timestamp;
        target.bytes_used = target.length();
        let target = Picture {
            memory: Arc::clone(target.memory.as_ref()?),
            motion: Arc::clone(&target.motion),
            layout,
        };
        if hold_capture {
            self.held = Some(Held {
                index: capture,
                timestamp,
            });
        }
        self.requests.controls(request)?.apply(&mut self.current);
        let mut arena = self.arenas.pop().unwrap_or_default();
        arena.controls.clone_from(&self.current);
        self.find_references(&mut arena, capture, layout);
        Some(Job {
            request,
            output,
            bitstream,
            bytes_used,
            capture,
            target,
            continues,
            hold_capture,
            may_be_continued: !self.personality.hold_capture,
            arena,
        })
    }

    fn find_references(&self, arena: &mut Arena, capture: BufferIndex, layout: PictureLayout) {
        let used = v4l2::V4L2_H264_DPB_ENTRY_FLAG_VALID | v4l2::V4L2_H264_DPB_ENTRY_FLAG_ACTIVE;
        let entries = &self.current.decode_params.dpb;
        for (reference, entry) in arena.references.iter_mut().zip(entries) {
            let found = (entry.flags & used == used)
                .then(|| self.capture.find(entry.reference_ts))
                .flatten();
            *reference = match found {
                None => None,
                Some((index, _)) if index == capture => Some(ReferencePicture::Target),
                Some((_, buffer)) => buffer.memory.as_ref().map(|memory| {
                    let (memory, motion) = (Arc::clone(memory), Arc::clone(&buffer.motion));
                    ReferencePicture::Other(Picture { memory, motion, layout })
                }),
            };
        }
    }

    /// The end of a job: its OUTPUT buffer and, unless held, its CAPTURE buffer are done, its request is complete.
    pub(super) fn finish(&mut self, job: FinishedJob) {
        self.output.finish(job.output, job.error);
        if !job.hold_capture {
            self.capture.finish(job.capture, job.error);
        }
        self.requests.complete(job.request);
    }

    /// A held CAPTURE buffer is done.
    pub(super) fn release(&mut self, capture: BufferIndex, error: bool) {
        self.capture.finish(capture, error);
    }

    /// Takes an arena back for later jobs.
    pub(super) fn recycle(&mut self, mut arena: Box<Arena>) {
        arena.references = Default::default();
        self.arenas.push(arena);
    }

    /// V4L2_DEC_CMD_FLUSH: the last request does not hold its CAPTURE buffer, or does no longer. As in the kernel, which
    /// looks at the last CAPTURE buffer that is queued, nothing happens if others follow the one that is held.
    pub(super) fn flush(&mut self) {
        match self.output.last_mut() {
            Some(last) => last.hold_capture = false,
            None if self.capture.next().is_some() => {}
            None => self.releasing = self.held.take().map(|held| held.index).or(self.releasing),
        }
    }
}

/// What is left of a job when it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct FinishedJob {
    pub(super) request: RequestId,
    pub(super) output: BufferIndex,
    pub(super) capture: BufferIndex,
    pub(super) hold_capture: bool,
    pub(super) error: bool,
}
