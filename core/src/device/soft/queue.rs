//! One buffer queue with the rules of videobuf2. Pure bookkeeping: no lock, no thread.

use std::collections::VecDeque;
use std::sync::{Arc, RwLock};

use fourier_soft::MotionField;
use nix::errno::Errno;

use super::memory::BufferMemory;
use crate::device;
use crate::device::{BufferState, Dequeued, DequeuedBuffer, MemoryType, RequestId};
use crate::units::{BufferIndex, Timestamp};

/// Who has a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The application.
    Dequeued,
    /// A request that is not queued yet.
    InRequest,
    /// The queue; waits for a job.
    Queued,
    /// A job.
    Active,
    /// The queue; waits for DQBUF.
    Done {
        /// `V4L2_BUF_FLAG_ERROR`.
        error: bool,
    },
}

/// One buffer.
#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) state: State,
    /// What it is bound to: from allocation on (MMAP), or from the first QBUF or PREPARE_BUF on (DMABUF).
    pub(super) memory: Option<Arc<BufferMemory>>,
    /// What its picture leaves for temporal direct prediction.
    pub(super) motion: Arc<RwLock<MotionField>>,
    /// On CAPTURE what makes it findable as a reference.
    pub(super) timestamp: Option<Timestamp>,
    pub(super) request: Option<RequestId>,
    pub(super) hold_capture: bool,
    pub(super) bytes_used: usize,
    /// Bytes that each plane must have.
    lengths: Arc<[usize]>,
    /// PREPARE_BUF was called since it was last queued.
    prepared: bool,
}

/// OUTPUT or CAPTURE.
#[derive(Debug)]
pub(super) struct BufferQueue {
    /// `None` where REMOVE_BUFS took one away.
    buffers: Vec<Option<Buffer>>,
    max_num_buffers: usize,
    memory: MemoryType,
    /// Buffers were allocated since the last REQBUFS(0); REMOVE_BUFS does not change it.
    busy: bool,
    pub(super) streaming: bool,
    /// Waiting for a job, first in first out.
    ready: VecDeque<BufferIndex>,
    /// Waiting for DQBUF, first in first out.
    done: VecDeque<BufferIndex>,
}

impl BufferQueue {
    pub(super) fn new(max_num_buffers: u32) -> Self {
        Self {
            buffers: Vec::new(),
            max_num_buffers: max_num_buffers as usize,
            memory: MemoryType::Mmap,
            busy: false,
            streaming: false,
            ready: VecDeque::new(),
            done: VecDeque::new(),
        }
    }

    /// Whether S_FMT is refused.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// REQBUFS: frees what is there, then allocates `count` buffers with planes of `lengths`.
    pub(super) fn request(&mut self, memory: MemoryType, count: u32, lengths: &[usize]) -> Result<u32, Errno> {
        if self.streaming {
            return Err(Errno::EBUSY);
        }
        self.cancel();
        self.buffers.clear();
        self.busy = false;
        self.memory = memory;
        if count == 0 {
            return Ok(0);
        }
        self.create(memory, count, lengths).map(|(_, count)| count)
    }

    /// CREATE_BUFS: the first index and the number of what could be made.
    pub(super) fn create(
        &mut self,
        memory: MemoryType,
        count: u32,
        lengths: &[usize],
    ) -> Result<(BufferIndex, u32), Errno> {
        if self.busy && self.memory != memory {
            return Err(Errno::EINVAL);
        }
        if count == 0 {
            return Ok((BufferIndex(self.buffers.len() as u32), 0));
        }
        let (first, room) = self.find_room(count as usize).ok_or(Errno::ENOBUFS)?;
        let lengths: Arc<[usize]> = lengths.into();
        let created = (0..room)
            .map(|_| Buffer::new(memory, &lengths))
            .collect::<Result<Vec<_>, _>>()?;
        if self.buffers.len() < first + room {
            self.buffers.resize_with(first + room, || None);
        }
        for (place, buffer) in self.buffers[first..].iter_mut().zip(created) {
            *place = Some(buffer);
        }
        self.ready.reserve(self.buffers.len());
        self.done.reserve(self.buffers.len());
        self.busy = true;
        self.memory = memory;
        Ok((BufferIndex(first as u32), room as u32))
    }

    /// The lowest run of free indexes, as long as `count` if there is one.
    fn find_room(&self, count: usize) -> Option<(usize, usize)> {
        let free = |index: &usize| self.buffers.get(*index).is_none_or(Option::is_none);
        let run = |first: usize| (first..self.max_num_buffers).take(count).take_while(free).count();
        let runs = (0..self.max_num_buffers).map(|first| (first, run(first)));
        runs.rev()
            .max_by_key(|&(_, length)| length)
            .filter(|&(_, length)| length > 0)
    }

    /// REMOVE_BUFS of one buffer.
    pub(super) fn remove(&mut self, index: BufferIndex) -> Result<(), Errno> {
        if self.get(index)?.state != State::Dequeued {
            return Err(Errno::EBUSY);
        }
        self.buffers[index.0 as usize] = None;
        Ok(())
    }

    /// The buffer of that index; EINVAL if there is none.
    pub(super) fn get(&self, index: BufferIndex) -> Result<&Buffer, Errno> {
        self.buffers
            .get(index.0 as usize)
            .and_then(Option::as_ref)
            .ok_or(Errno::EINVAL)
    }

    /// The buffer of that index; EINVAL if there is none.
    pub(super) fn get_mut(&mut self, index: BufferIndex) -> Result<&mut Buffer, Errno> {
        self.buffers
            .get_mut(index.0 as usize)
            .and_then(Option::as_mut)
            .ok_or(Errno::EINVAL)
    }

    /// QUERYBUF.
    pub(super) fn query(&self, index: BufferIndex) -> Result<BufferState, Errno> {
        let buffer = self.get(index)?;
        Ok(BufferState {
            mapped: self.memory == MemoryType::Mmap && buffer.memory.as_ref().is_some_and(|memory| memory.in_use()),
            queued: matches!(buffer.state, State::Queued | State::Active),
            done: matches!(buffer.state, State::Done { .. }),
            length: buffer.lengths.first().copied().unwrap_or_default(),
        })
    }

    /// The node's own memory of a buffer, for EXPBUF and mmap.
    pub(super) fn own_memory(&self, index: BufferIndex) -> Result<&BufferMemory, Errno> {
        let buffer = self.get(index)?;
        match self.memory {
            MemoryType::Mmap => buffer.memory.as_deref().ok_or(Errno::EINVAL),
            MemoryType::DmaBuf => Err(Errno::EINVAL),
        }
    }

    /// PREPARE_BUF.
    pub(super) fn prepare(&mut self, index: BufferIndex, memory: device::BufferMemory<'_>) -> Result<(), Errno> {
        let buffer = self.bind(index, memory)?;
        if buffer.prepared {
            return Err(Errno::EINVAL);
        }
        buffer.prepared = true;
        Ok(())
    }

    /// The first half of QBUF: a buffer that the application has, bound to `memory`.
    ///
    /// Other memory than it is bound to unbinds that and loses its timestamp, even if the new one is then refused.
    pub(super) fn bind(&mut self, index: BufferIndex, memory: device::BufferMemory<'_>) -> Result<&mut Buffer, Errno> {
        let own = self.memory;
        let buffer = self.get_mut(index)?;
        let planes = match (own, memory) {
            (MemoryType::Mmap, device::BufferMemory::Mmap) => None,
            (MemoryType::DmaBuf, device::BufferMemory::DmaBuf(planes)) => Some(planes),
            (MemoryType::Mmap, device::BufferMemory::DmaBuf(_)) | (MemoryType::DmaBuf, device::BufferMemory::Mmap) => {
                return Err(Errno::EINVAL);
            }
        };
        if buffer.state != State::Dequeued {
            return Err(Errno::EINVAL);
        }
        if let Some(planes) = planes
            && !buffer.memory.as_ref().is_some_and(|memory| memory.is(planes))
        {
            buffer.memory = None;
            buffer.timestamp = None;
            buffer.memory = Some(Arc::new(BufferMemory::import(planes, &buffer.lengths)?));
        }
        Ok(buffer)
    }

    /// The second half of QBUF: the buffer waits for a job.
    pub(super) fn enqueue(&mut self, index: BufferIndex) -> Result<(), Errno> {
        let buffer = self.get_mut(index)?;
        buffer.state = State::Queued;
        buffer.prepared = false;
        self.ready.push_back(index);
        Ok(())
    }

    /// The buffer that the next job takes.
    pub(super) fn next(&self) -> Option<(BufferIndex, &Buffer)> {
        let &index = self.ready.front()?;
        Some((index, self.get(index).ok()?))
    }

    /// The buffer that was queued last, as long as it waits.
    pub(super) fn last_mut(&mut self) -> Option<&mut Buffer> {
        let &index = self.ready.back()?;
        self.get_mut(index).ok()
    }

    /// Gives the next buffer to a job.
    pub(super) fn activate(&mut self) -> Option<(BufferIndex, &mut Buffer)> {
        let index = self.ready.pop_front()?;
        let buffer = self.get_mut(index).ok()?;
        buffer.state = State::Active;
        Some((index, buffer))
    }

    /// Takes a buffer back from a job.
    pub(super) fn finish(&mut self, index: BufferIndex, error: bool) {
        if let Ok(buffer) = self.get_mut(index)
            && buffer.state == State::Active
        {
            buffer.state = State::Done { error };
            self.done.push_back(index);
        }
    }

    /// DQBUF.
    pub(super) fn dequeue(&mut self) -> Result<Dequeued, Errno> {
        if !self.streaming {
            return Err(Errno::EINVAL);
        }
        let Some(index) = self.done.pop_front() else {
            return Ok(Dequeued::NotReady);
        };
        let buffer = self.get_mut(index)?;
        let error = buffer.state == State::Done { error: true };
        buffer.state = State::Dequeued;
        Ok(Dequeued::Buffer(DequeuedBuffer {
            index,
            timestamp: buffer.timestamp,
            error,
            bytes_used: buffer.bytes_used,
        }))
    }

    /// The first buffer whose timestamp matches, as `vb2_find_buffer()`.
    pub(super) fn find(&self, reference_ts: u64) -> Option<(BufferIndex, &Buffer)> {
        let named = |buffer: &Buffer| {
            buffer
                .timestamp
                .is_some_and(|timestamp| timestamp.as_nanos() == reference_ts)
        };
        let position = self
            .buffers
            .iter()
            .position(|buffer| buffer.as_ref().is_some_and(named))?;
        Some((BufferIndex(position as u32), self.buffers[position].as_ref()?))
    }

    /// STREAMOFF: everything goes back to the application and is forgotten as a reference; bindings stay.
    pub(super) fn cancel(&mut self) {
        self.streaming = false;
        self.ready.clear();
        self.done.clear();
        for buffer in self.buffers.iter_mut().flatten() {
            buffer.state = State::Dequeued;
            buffer.timestamp = None;
            buffer.request = None;
            buffer.prepared = false;
        }
    }

    /// STREAMON; EINVAL without buffers.
    pub(super) fn start(&mut self) -> Result<(), Errno> {
        if self.buffers.iter().flatten().next().is_none() {
            return Err(Errno::EINVAL);
        }
        self.streaming = true;
        Ok(())
    }
}

impl Buffer {
    fn new(memory: MemoryType, lengths: &Arc<[usize]>) -> Result<Self, Errno> {
        let memory = match memory {
            MemoryType::Mmap => Some(Arc::new(BufferMemory::allocate(lengths)?)),
            MemoryType::DmaBuf => None,
        };
        Ok(Self {
            state: State::Dequeued,
            memory,
            motion: Arc::default(),
            timestamp: None,
            request: None,
            hold_capture: false,
            bytes_used: 0,
            lengths: Arc::clone(lengths),
            prepared: false,
        })
    }

    /// Bytes of its first plane.
    pub(super) fn length(&self) -> usize {
        self.lengths.first().copied().unwrap_or_default()
    }
}
