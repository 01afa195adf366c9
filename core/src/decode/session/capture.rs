//! Frame memories that belong to the CAPTURE queue, for devices that cannot import any: MMAP and EXPBUF.
//!
//! Such a memory stays at its index. We keep no file descriptor of it once it comes home from outside, so that
//! `V4L2_BUF_FLAG_MAPPED` tells exactly whether anybody still has it; if not, it is exported anew.

use std::sync::{Arc, Weak};

use super::configure::readers_done;
use super::{Shared, State, Stream};
use crate::device::{DecoderNode, MemoryType, Queue};
use crate::memory::{FrameMemory, MemoryKind};
use crate::pool::{FrameSource, IndexSet, lock};
use crate::units::BufferIndex;
use crate::{Error, Result};

/// The buffers of one CAPTURE queue, for as long as its session keeps that queue.
#[derive(Debug)]
pub(super) struct QueueFrames {
    session: Weak<Shared>,
    generation: u64,
}

impl QueueFrames {
    /// The buffers of the queue that the session is setting up.
    pub fn new(session: &Arc<Shared>, generation: u64) -> Self {
        Self {
            session: Arc::downgrade(session),
            generation,
        }
    }
}

impl FrameSource for QueueFrames {
    fn allocate(&self) -> Result<Arc<FrameMemory>> {
        let gone = || Error::Lost("the CAPTURE queue of this pool is gone".into());
        let session = self.session.upgrade().ok_or_else(gone)?;
        let mut state = lock(&session.state);
        if state.generation != self.generation {
            return Err(gone());
        }
        let kind = session.device.capabilities().export_kind;
        state.export_buffer(session.node.as_ref(), kind)
    }

    fn is_idle(&self, memory: &FrameMemory) -> bool {
        readers_done(memory)
    }

    fn recycles_exported(&self) -> bool {
        false
    }
}

impl State {
    /// A buffer that nobody has, or a new one, as a frame memory.
    fn export_buffer(&mut self, node: &dyn DecoderNode, kind: MemoryKind) -> Result<Arc<FrameMemory>> {
        let busy = self
            .in_flight
            .iter()
            .fold(IndexSet::default(), |all, job| all.union(job.indexes));
        let stream = self
            .stream
            .as_mut()
            .ok_or_else(|| Error::Bug("a session without buffers".into()))?;
        let index = match stream.abandoned_buffer(node, busy.union(stream.last_job))? {
            Some(index) => index,
            None => stream.new_buffer(node)?,
        };
        let fds = (0..stream.capture_format.planes.len() as u32)
            .map(|plane| node.export_buffer(Queue::Capture, index, plane))
            .collect::<Result<_>>()?;
        let memory = Arc::new(FrameMemory {
            fds,
            kind,
            layout: stream.capture_layout.clone(),
        });
        stream.binding.bind(index, &memory, None);
        Ok(memory)
    }
}

impl Stream {
    /// A buffer whose memory nobody holds, here or in another process, and that no job needs.
    fn abandoned_buffer(&self, node: &dyn DecoderNode, busy: IndexSet) -> Result<Option<BufferIndex>> {
        for index in self.binding.vacant(busy) {
            let state = node.query_buffer(Queue::Capture, index)?;
            if !state.mapped && !state.queued {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn new_buffer(&mut self, node: &dyn DecoderNode) -> Result<BufferIndex> {
        if self.binding.len() >= IndexSet::CAPACITY {
            return Err(Error::NeedFrames {
                needed: 1,
                limit: self.binding.len() as usize,
            });
        }
        let created = node.create_buffers(Queue::Capture, MemoryType::Mmap, 1, &self.capture_format);
        match created {
            Ok(created) => {
                self.binding
                    .extend((created.first.0 + 1).saturating_sub(self.binding.len()));
                Ok(created.first)
            }
            // The driver's limit: frames must come home first.
            Err(Error::Device(error)) if !self.binding.is_empty() => {
                tracing::debug!("{error}");
                Err(Error::NeedFrames {
                    needed: 1,
                    limit: self.binding.len() as usize,
                })
            }
            Err(error) => Err(error),
        }
    }
}
