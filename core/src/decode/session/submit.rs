//! One picture to its requests: a place for the target, names for the references, controls, bitstream, four calls.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::collect::Desync;
use super::pictures::Resolved;
use super::ticket::{Completion, PictureHandle, Ticket};
use super::{DecodeJob, Guard, Held, InFlight, Shared, State, Stream, Submitted};
use crate::decode::SliceJob;
use crate::decode::controls::DPB_ENTRIES;
use crate::decode::request::Request;
use crate::device::{BufferMemory, DecodeMode, DecoderNode, MemoryType, Queue, QueueBuffer};
use crate::h264::PictureStructure;
use crate::memory::{FrameAllocator, FrameLayout, FrameMemory};
use crate::pool::bitstream::{SlotId, Submission};
use crate::pool::{Frame, IndexSet, Place, SlotState, lock};
use crate::units::{BufferIndex, Timestamp};
use crate::{Error, Result};

/// Memory planes that V4L2 knows at most.
const MAX_PLANES: usize = 8;

/// Where and under which name a picture is decoded.
#[derive(Debug)]
struct Plan {
    index: BufferIndex,
    timestamp: Timestamp,
    references: Resolved,
    completion: Arc<Completion>,
    /// The second field of a picture whose CAPTURE buffer the driver still has.
    continues: bool,
    /// The driver keeps the CAPTURE buffer at the end: the second field comes next.
    holds: bool,
    /// [`super::SessionStats::restarts`] when it began; a restart in between ends it.
    restarts: u64,
}

/// One request of a picture.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    slices: &'a [SliceJob<'a>],
    /// It brings the CAPTURE buffer.
    brings_capture: bool,
    /// The driver keeps the CAPTURE buffer after it.
    holds_capture: bool,
    last: bool,
}

impl Shared {
    pub(super) fn submit(self: &Arc<Self>, job: &DecodeJob<'_>, target: &Frame) -> Result<Submitted> {
        let _turn = lock(&self.submitting);
        let mut state = lock(&self.state);
        while state.restarting {
            state = self.changed.wait(state);
        }
        state.check_alive()?;
        state.phase.start().map_err(|error| Error::Bug(error.to_string()))?;
        state.check_job(job, target)?;
        if !state.continues_held(job) {
            state = self.release_held(state)?;
        }
        let (mut state, plan) = self.plan(state, job, target)?;
        state.stats.submitted += 1;
        state.controls.fill_picture(job, &plan.references.names);
        // A driver that reads the headers itself has one PPS for all of them.
        let has_one_pps = state.mode() == DecodeMode::FrameBased;
        let is_damaged = |slice: &SliceJob<'_>| plan.references.damages(slice) || has_one_pps && slice.pps.is_some();
        if job.slices.iter().any(is_damaged) {
            plan.completion.damage();
        }
        let mut state = match self.send_all(state, job, target, &plan) {
            Ok(state) => state,
            Err(Error::Device(error)) if error.errno == Errno::ENODEV => return Err(self.lose(&error)),
            Err(error) => return Err(error),
        };
        state.pictures.insert(job.picture, plan.index, plan.timestamp);
        drop(state);
        let session = Arc::downgrade(self);
        Ok(Submitted {
            ticket: Ticket {
                session: session.clone(),
                completion: plan.completion,
            },
            picture: PictureHandle {
                session,
                picture: job.picture,
            },
        })
    }

    /// Names the references and finds a place for the target that disturbs none of them.
    fn plan<'a>(&'a self, mut state: Guard<'a>, job: &DecodeJob<'_>, target: &Frame) -> Result<(Guard<'a>, Plan)> {
        let continues = state.continues_held(job);
        // The first field of the same picture, without hold-capture.
        while !continues && matches!(target.state(), SlotState::InDecode { .. }) && !state.in_flight.is_empty() {
            state = self.collect_one(state)?;
        }
        check_target(target, continues)?;
        let (index, references) = loop {
            match state.place(self.node.as_ref(), job, target)? {
                Some(found) => break found,
                None => state = self.collect_one(state)?,
            }
        };
        let hold_capture = state.stream.as_ref().is_some_and(|stream| stream.hold_capture);
        let plan = Plan {
            index,
            timestamp: state.timestamp_for(job),
            references,
            completion: state.completion(),
            continues,
            holds: hold_capture && !job.second_field && is_field(job),
            restarts: state.stats.restarts,
        };
        Ok((state, plan))
    }

    /// Waits until one request fewer is under way.
    fn collect_one<'a>(&'a self, state: Guard<'a>) -> Result<Guard<'a>> {
        let outstanding = state.in_flight.len();
        let state = self.collect_until(state, |state| state.in_flight.len() < outstanding);
        state.check_alive()?;
        Ok(state)
    }

    /// Sends every request of a picture. If one fails, what was sent is ended and the picture is lost.
    fn send_all<'a>(
        &'a self,
        mut state: Guard<'a>,
        job: &DecodeJob<'_>,
        target: &Frame,
        plan: &Plan,
    ) -> Result<Guard<'a>> {
        let mode = state.mode();
        let hold_capture = state.stream.as_ref().is_some_and(|stream| stream.hold_capture);
        let slices_per_part = match mode {
            DecodeMode::FrameBased => job.slices.len(),
            DecodeMode::SliceBased => 1,
        };
        let parts = job.slices.chunks(slices_per_part.max(1));
        let count = parts.len();
        for (n, slices) in parts.enumerate() {
            let last = n + 1 == count;
            let part = Part {
                slices,
                brings_capture: !hold_capture || (n == 0 && !plan.continues),
                holds_capture: hold_capture && (!last || plan.holds),
                last,
            };
            if mode == DecodeMode::SliceBased {
                state.controls.fill_slice(job, &slices[0]);
            }
            let (next, sent) = self.send(state, part, target, plan);
            state = next;
            if !hold_capture && !last {
                // One CAPTURE buffer for all slices without hold-capture: it must be back before it can go in again.
                state = self.collect_until(state, |state| state.in_flight.is_empty());
            }
            if state.stats.restarts != plan.restarts {
                // What was sent of it is gone with all that was under way.
                target.cancel(plan.timestamp);
                state.end_damaged(&plan.completion);
                state.check_alive()?;
                return sent.map(|()| state);
            }
            if let Err(error) = sent {
                if hold_capture && n > 0 {
                    state.hold(target, plan);
                }
                state.end_damaged(&plan.completion);
                return Err(error);
            }
        }
        if plan.holds {
            state.hold(target, plan);
        }
        Ok(state)
    }

    /// One request: S_EXT_CTRLS . QBUF OUTPUT . REQUEST_QUEUE . QBUF CAPTURE.
    fn send<'a>(&'a self, state: Guard<'a>, part: Part<'_>, target: &Frame, plan: &Plan) -> (Guard<'a>, Result<()>) {
        let mut state = self.collect_until(state, |state| state.free_slot().is_some());
        if state.stats.restarts != plan.restarts {
            return (state, Ok(()));
        }
        let queued = state.queue_output(self.node.as_ref(), part, target, plan);
        if queued.is_err() || !part.brings_capture {
            return (state, queued);
        }
        match state.queue_capture(self.node.as_ref(), target, plan) {
            Ok(()) => (state, Ok(())),
            Err(error) => (self.repair_capture(state, plan), Err(error)),
        }
    }

    /// The driver has a request but refused its CAPTURE buffer: another memory takes its place, to be thrown away.
    fn repair_capture<'a>(&'a self, mut state: Guard<'a>, plan: &Plan) -> Guard<'a> {
        match state.queue_spare(self.node.as_ref(), plan) {
            Ok(()) => state,
            Err(error) => {
                if let Some(job) = state.in_flight.back_mut() {
                    job.starved = true;
                }
                self.restart(state, Desync(format!("no spare CAPTURE buffer: {error}")))
            }
        }
    }
}

impl State {
    fn mode(&self) -> DecodeMode {
        let stream = self.stream.as_ref();
        stream.map_or(DecodeMode::FrameBased, |stream| stream.mode)
    }

    /// Refuses what would make the driver write where it must not.
    fn check_job(&self, job: &DecodeJob<'_>, target: &Frame) -> Result<()> {
        if job.slices.is_empty() || job.references.len() > DPB_ENTRIES {
            let (slices, references) = (job.slices.len(), job.references.len());
            return Err(Error::Bug(format!(
                "a picture of {slices} slices with {references} references"
            )));
        }
        let layout = self.stream.as_ref().map(|stream| &stream.capture_layout);
        let layout = layout.ok_or_else(|| Error::Bug("a session without buffers".into()))?;
        check_layout(target.memory(), layout)
    }

    /// `job` is the second field of the picture whose CAPTURE buffer is held.
    fn continues_held(&self, job: &DecodeJob<'_>) -> bool {
        let timestamp = self.pictures.timestamp(job.picture);
        job.second_field && self.held.as_ref().is_some_and(|held| timestamp == Some(held.timestamp))
    }

    /// The index for the target and the names of the references; `None` = the oldest request must be collected first.
    fn place(
        &mut self,
        node: &dyn DecoderNode,
        job: &DecodeJob<'_>,
        target: &Frame,
    ) -> Result<Option<(BufferIndex, Resolved)>> {
        let Self {
            stream,
            pictures,
            in_flight,
            ..
        } = self;
        let stream = stream
            .as_mut()
            .ok_or_else(|| Error::Bug("a session without buffers".into()))?;
        let references = pictures.resolve(job.references, &stream.binding);
        let needed = in_flight
            .iter()
            .fold(references.indexes, |all, job| all.union(job.indexes));
        stream.release_dead_memory(node, needed.union(stream.last_job));
        match stream.binding.place(target.memory(), needed.union(stream.last_job)) {
            Place::Bound(index) => Ok(Some((index, references))),
            Place::Rebind(index) if stream.capture_memory == MemoryType::DmaBuf => Ok(Some((index, references))),
            Place::Rebind(_) => Err(Error::Bug("a frame of another CAPTURE queue".into())),
            Place::AllPinned if !in_flight.is_empty() => Ok(None),
            // Nothing is under way, so the last job needs its references no more.
            Place::AllPinned => match stream.binding.place(target.memory(), needed) {
                Place::Bound(index) | Place::Rebind(index) => Ok(Some((index, references))),
                Place::AllPinned => {
                    let (have, need) = (stream.binding.len(), job.references.len() + 1);
                    let why = format!("{need} frames at once: the device has {have} buffers");
                    Err(Error::Unsupported(why))
                }
            },
        }
    }

    /// Both fields of a picture have one timestamp; every other picture a new one.
    fn timestamp_for(&mut self, job: &DecodeJob<'_>) -> Timestamp {
        let first_field = self.pictures.timestamp(job.picture).filter(|_| job.second_field);
        first_field.unwrap_or_else(|| {
            let timestamp = Timestamp::from_sequence(self.next_timestamp);
            self.next_timestamp = self.next_timestamp.saturating_add(1);
            timestamp
        })
    }

    /// A completion that nobody holds any more, or a new one.
    fn completion(&mut self) -> Arc<Completion> {
        for completion in &mut self.completions {
            if let Some(unused) = Arc::get_mut(completion) {
                unused.reset();
                return Arc::clone(completion);
            }
        }
        let completion = Arc::<Completion>::default();
        self.completions.push(Arc::clone(&completion));
        completion
    }

    fn free_slot(&self) -> Option<SlotId> {
        let stream = self.stream.as_ref()?;
        stream.ring.ids().find(|slot| {
            stream
                .requests
                .get(slot.0)
                .is_some_and(|request| request.is_available())
        })
    }

    /// S_EXT_CTRLS . QBUF OUTPUT . REQUEST_QUEUE. On failure nothing is queued and the slot is free again.
    fn queue_output(&mut self, node: &dyn DecoderNode, part: Part<'_>, target: &Frame, plan: &Plan) -> Result<()> {
        let slot = self
            .free_slot()
            .ok_or_else(|| Error::Bug("no free OUTPUT slot".into()))?;
        let Self {
            stream,
            controls,
            in_flight,
            held,
            ..
        } = self;
        let stream = stream
            .as_mut()
            .ok_or_else(|| Error::Bug("a session without buffers".into()))?;
        stream.reinit(node, slot)?;
        stream
            .ring
            .fill(slot, stream.start_code, part.slices.iter().map(|slice| slice.nal))?;
        let request = stream.ring.request(slot)?;
        controls.with(stream.mode, |controls| node.set_controls(Some(request), controls))?;
        stream
            .request(slot)?
            .prepare()
            .map_err(|error| Error::Bug(error.to_string()))?;
        let submission = Submission {
            timestamp: plan.timestamp,
            hold_capture: part.holds_capture,
        };
        if let Err(error) = stream
            .ring
            .queue(slot, submission)
            .and_then(|()| node.queue_request(request))
        {
            stream.reinit(node, slot)?;
            return Err(error);
        }
        stream
            .request(slot)?
            .queue()
            .map_err(|error| Error::Bug(error.to_string()))?;
        let mut indexes = plan.references.indexes;
        indexes.insert(plan.index);
        stream.last_job = indexes;
        // A held CAPTURE buffer is that of this picture, and goes where this request says.
        *held = None;
        in_flight.push_back(InFlight {
            slot,
            timestamp: plan.timestamp,
            indexes,
            completion: Arc::clone(&plan.completion),
            frame: target.clone(),
            returns: (!part.holds_capture).then_some(plan.index),
            last: part.last,
            starved: false,
        });
        Ok(())
    }

    /// QBUF of the target. On failure its index is unbound, in the kernel as here.
    fn queue_capture(&mut self, node: &dyn DecoderNode, target: &Frame, plan: &Plan) -> Result<()> {
        let stream = self
            .stream
            .as_mut()
            .ok_or_else(|| Error::Bug("a session without buffers".into()))?;
        target
            .queue(plan.timestamp)
            .map_err(|error| Error::Bug(error.to_string()))?;
        let queued = queue_memory(node, plan.index, target.memory(), stream.capture_memory);
        match &queued {
            Ok(()) => stream.binding.bind(plan.index, target.memory(), Some(plan.timestamp)),
            Err(_) => {
                target.cancel(plan.timestamp);
                stream.binding.unbind(plan.index);
            }
        }
        queued
    }

    /// QBUF of a new memory in place of a refused target; no picture will ever refer to it.
    fn queue_spare(&mut self, node: &dyn DecoderNode, plan: &Plan) -> Result<()> {
        let stream = self
            .stream
            .as_mut()
            .ok_or_else(|| Error::Bug("a session without buffers".into()))?;
        let allocator = stream
            .allocator
            .as_ref()
            .ok_or_else(|| Error::Bug("no allocator".into()))?;
        let spare = Frame::adopt(allocator.allocate(&stream.capture_format)?);
        queue_memory(node, plan.index, spare.memory(), stream.capture_memory)?;
        spare
            .queue(plan.timestamp)
            .map_err(|error| Error::Bug(error.to_string()))?;
        stream.binding.bind(plan.index, spare.memory(), None);
        if let Some(job) = self.in_flight.back_mut() {
            job.frame = spare.clone();
            if job.returns.is_none() {
                self.hold(&spare, plan);
            }
        }
        Ok(())
    }

    /// Keeps in mind that the driver keeps the CAPTURE buffer of `target`.
    fn hold(&mut self, target: &Frame, plan: &Plan) {
        self.held = Some(Held {
            index: plan.index,
            timestamp: plan.timestamp,
            frame: target.clone(),
            completion: Arc::clone(&plan.completion),
        });
    }
}

impl Stream {
    fn request(&mut self, slot: SlotId) -> Result<&mut Request> {
        self.requests
            .get_mut(slot.0)
            .ok_or_else(|| Error::Bug("no such request".into()))
    }

    /// MEDIA_REQUEST_IOC_REINIT, unless the request is idle.
    fn reinit(&mut self, node: &dyn DecoderNode, slot: SlotId) -> Result<()> {
        let id = self.ring.request(slot)?;
        let request = self.request(slot)?;
        if *request == Request::Idle {
            return Ok(());
        }
        node.reinit_request(id)?;
        request.reinit().map_err(|error| Error::Bug(error.to_string()))
    }

    /// Takes one memory that nobody holds any more off the queue, where the device can: it is freed now and not when its
    /// index is needed. No picture is lost where that fails, and it is not tried again.
    fn release_dead_memory(&mut self, node: &dyn DecoderNode, needed: IndexSet) {
        let dead = self.binding.dead(needed).filter(|_| self.remove_bufs);
        let Some(index) = dead.filter(|_| self.capture_memory == MemoryType::DmaBuf) else {
            return;
        };
        if let Err(error) = node.remove_buffer(Queue::Capture, index) {
            tracing::debug!("a dead memory stays until its index is needed: {error}");
            self.remove_bufs = false;
            return;
        }
        self.binding.remove(index);
        match node.create_buffers(Queue::Capture, self.capture_memory, 1, &self.capture_format) {
            Ok(created) => self.binding.restore(created.first),
            Err(error) => {
                tracing::warn!("one CAPTURE buffer fewer: {error}");
                self.remove_bufs = false;
            }
        }
    }
}

fn is_field(job: &DecodeJob<'_>) -> bool {
    job.slices
        .iter()
        .any(|slice| slice.header.structure != PictureStructure::Frame)
}

/// Nobody may read a frame while the driver writes it.
fn check_target(target: &Frame, continues: bool) -> Result<()> {
    match target.state() {
        SlotState::Free | SlotState::Decoded { .. } => Ok(()),
        SlotState::InDecode { .. } if continues => Ok(()),
        state @ (SlotState::InDecode { .. } | SlotState::Exported { .. }) => {
            Err(Error::Bug(format!("a frame that is {state:?} cannot be decoded into")))
        }
    }
}

/// A driver that is given memory of another layout than that of its queue writes beyond its end, or where nobody looks.
pub(super) fn check_layout(memory: &FrameMemory, queue: &FrameLayout) -> Result<()> {
    let layout = &memory.layout;
    let (lengths, needed) = (&layout.object_lengths, &queue.object_lengths);
    let long_enough = lengths.len() == needed.len()
        && memory.fds.len() == needed.len()
        && lengths.iter().zip(needed).all(|(length, needed)| length >= needed);
    let same_samples = (layout.fourcc, layout.modifier, layout.size) == (queue.fourcc, queue.modifier, queue.size);
    if long_enough && same_samples && layout.planes == queue.planes {
        return Ok(());
    }
    Err(Error::Unsupported(format!(
        "a frame of {layout:?}: the queue takes {queue:?}"
    )))
}

/// QBUF on CAPTURE.
fn queue_memory(node: &dyn DecoderNode, index: BufferIndex, memory: &FrameMemory, kind: MemoryType) -> Result<()> {
    let lengths = &memory.layout.object_lengths;
    let mut planes: [(BorrowedFd<'_>, usize); MAX_PLANES] = match memory.fds.first() {
        Some(fd) => [(fd.as_fd(), 0); MAX_PLANES],
        None => return Err(Error::Bug("a frame memory without a file descriptor".into())),
    };
    for (plane, (fd, &length)) in planes.iter_mut().zip(memory.fds.iter().zip(lengths)) {
        *plane = (fd.as_fd(), length);
    }
    let memory = match kind {
        MemoryType::DmaBuf => BufferMemory::DmaBuf(&planes[..memory.fds.len().min(MAX_PLANES)]),
        MemoryType::Mmap => BufferMemory::Mmap,
    };
    let buffer = QueueBuffer {
        index,
        memory,
        bytes_used: 0,
        timestamp: None,
        request: None,
        hold_capture: false,
    };
    node.queue_buffer(Queue::Capture, &buffer)
}
