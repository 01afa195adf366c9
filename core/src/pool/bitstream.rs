//! The ring of OUTPUT buffers: bitstream goes in here, each slot with one request for life.
//!
//! A slot that is too small for a picture is replaced by one at a new index with twice the bytes, and again: a legal
//! stream never fails for its size, and nothing is ever cut off.

use std::sync::Arc;

use crate::device::{BufferMemory, DecoderNode, Format, MemoryType, Queue, QueueBuffer, RequestId};
use crate::sys::Mapping;
use crate::units::{BufferIndex, Timestamp};
use crate::{Error, Result};

/// Each slot may double this often: from 256 KiB to 8 MiB, from 4 MiB to 128 MiB.
const MAX_DOUBLINGS: u32 = 5;

/// A slot of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub(crate) usize);

/// What a buffer of the ring is queued with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Copied to the CAPTURE buffer.
    pub timestamp: Timestamp,
    /// The CAPTURE buffer stays with the driver for the next request.
    pub hold_capture: bool,
}

#[derive(Debug)]
struct Slot {
    index: BufferIndex,
    request: RequestId,
    mapping: Mapping,
    filled: usize,
}

/// The OUTPUT buffers of one session, all mapped, with their requests.
#[derive(Debug)]
pub struct BitstreamRing {
    node: Arc<dyn DecoderNode>,
    /// The OUTPUT format; its `size_image` is the size of new slots.
    format: Format,
    initial_size: u32,
    slots: Vec<Slot>,
    /// A buffer that was made and could not be used: the next slot that grows tries it again.
    unused: Option<Unused>,
    remove_bufs: bool,
}

/// An OUTPUT buffer without a slot.
#[derive(Clone, Copy, Debug)]
struct Unused {
    index: BufferIndex,
    size_image: u32,
}

impl BitstreamRing {
    /// Allocates up to `count` OUTPUT buffers of `format` (what S_FMT answered) and a request for each.
    ///
    /// # Errors
    /// [`Error::Device`] naming the call; the caller frees the queue with REQBUFS(0).
    pub fn allocate(node: &Arc<dyn DecoderNode>, format: Format, count: u32) -> Result<Self> {
        let created = node.request_buffers(Queue::Output, MemoryType::Mmap, count)?;
        let initial_size = size_image(&format);
        let mut ring = Self {
            node: Arc::clone(node),
            format,
            initial_size,
            slots: Vec::with_capacity(created.count as usize),
            unused: None,
            remove_bufs: created.capabilities.remove_bufs,
        };
        for n in 0..created.count {
            let index = BufferIndex(created.first.0 + n);
            let mapping = node.map_buffer(Queue::Output, index, 0)?;
            let request = node.alloc_request()?;
            ring.slots.push(Slot {
                index,
                request,
                mapping,
                filled: 0,
            });
        }
        if ring.slots.is_empty() {
            return Err(Error::Bug("REQBUFS on OUTPUT succeeded without a buffer".into()));
        }
        Ok(ring)
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// There are none; never after [`Self::allocate`].
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The slots.
    pub fn ids(&self) -> impl Iterator<Item = SlotId> + use<> {
        (0..self.slots.len()).map(SlotId)
    }

    /// The request of a slot.
    ///
    /// # Errors
    /// [`Error::Bug`] if there is no such slot.
    pub fn request(&self, slot: SlotId) -> Result<RequestId> {
        self.slot(slot).map(|slot| slot.request)
    }

    /// The OUTPUT buffer of a slot.
    ///
    /// # Errors
    /// [`Error::Bug`] if there is no such slot.
    pub fn index(&self, slot: SlotId) -> Result<BufferIndex> {
        self.slot(slot).map(|slot| slot.index)
    }

    /// Puts the NAL units into an idle slot, `start_code` before each; this is the one copy of the bitstream.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the picture is larger than a slot may grow, [`Error::Device`] if growing failed.
    pub fn fill<'a>(
        &mut self,
        slot: SlotId,
        start_code: &[u8],
        nals: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Result<()> {
        let needed = nals.clone().map(|nal| start_code.len() + nal.len()).sum::<usize>();
        if needed > self.slot(slot)?.mapping.len() {
            self.grow(slot, needed)?;
        }
        let slot = self.slot_mut(slot)?;
        slot.filled = 0;
        for piece in nals.flat_map(|nal| [start_code, nal]) {
            let end = slot.filled + piece.len();
            let room = slot.mapping.bytes_mut().get_mut(slot.filled..end);
            room.ok_or_else(|| Error::Bug(format!("{needed} bytes do not fit into a grown OUTPUT buffer")))?
                .copy_from_slice(piece);
            slot.filled = end;
        }
        Ok(())
    }

    /// QBUF of a filled slot with its request.
    ///
    /// # Errors
    /// [`Error::Device`] with what the driver says; the buffer is dequeued again.
    pub fn queue(&self, slot: SlotId, submission: Submission) -> Result<()> {
        let slot = self.slot(slot)?;
        self.node.queue_buffer(
            Queue::Output,
            &QueueBuffer {
                index: slot.index,
                memory: BufferMemory::Mmap,
                bytes_used: slot.filled,
                timestamp: Some(submission.timestamp),
                request: Some(slot.request),
                hold_capture: submission.hold_capture,
            },
        )
    }

    /// Gives an idle slot a buffer of at least `needed` bytes at a new index.
    fn grow(&mut self, slot: SlotId, needed: usize) -> Result<()> {
        let size = (0..=MAX_DOUBLINGS)
            .filter_map(|doublings| self.initial_size.checked_shl(doublings))
            .find(|&size| size as usize >= needed && size >= size_image(&self.format))
            .ok_or_else(|| {
                Error::Unsupported(format!(
                    "a coded picture of {needed} bytes: OUTPUT buffers grow from {} bytes at most {MAX_DOUBLINGS} times",
                    self.initial_size
                ))
            })?;
        let mut format = self.format.clone();
        if let Some(plane) = format.planes.first_mut() {
            plane.size_image = size;
        }
        let index = self.new_buffer(&format)?;
        let mapping = match self.map_new(index, needed) {
            Ok(mapping) => mapping,
            Err(error) => {
                self.give_up(index, size);
                return Err(error);
            }
        };
        tracing::debug!("OUTPUT buffer {index} of {size} bytes for a picture of {needed}");
        self.format = format;
        let remove_bufs = self.remove_bufs;
        let slot = self.slot_mut(slot)?;
        let old = std::mem::replace(&mut slot.index, index);
        slot.mapping = mapping;
        // Without REMOVE_BUFS it stays until REQBUFS(0), unused; there is room for all of them among 32.
        if remove_bufs && let Err(error) = self.node.remove_buffer(Queue::Output, old) {
            tracing::debug!("an outgrown OUTPUT buffer stays: {error}");
        }
        Ok(())
    }

    /// A buffer of `format`: one that is left over, or a new one.
    fn new_buffer(&mut self, format: &Format) -> Result<BufferIndex> {
        let size = size_image(format);
        match self.unused.take_if(|unused| unused.size_image >= size) {
            Some(unused) => Ok(unused.index),
            None => Ok(self
                .node
                .create_buffers(Queue::Output, MemoryType::Mmap, 1, format)?
                .first),
        }
    }

    fn map_new(&self, index: BufferIndex, needed: usize) -> Result<Mapping> {
        let mapping = self.node.map_buffer(Queue::Output, index, 0)?;
        if mapping.len() >= needed {
            return Ok(mapping);
        }
        Err(Error::Unsupported(format!(
            "a coded picture of {needed} bytes: the driver made an OUTPUT buffer of {} bytes",
            mapping.len()
        )))
    }

    /// A buffer that is of no use goes, where the device can remove it; else it is tried again.
    fn give_up(&mut self, index: BufferIndex, size_image: u32) {
        if !self.remove_bufs || self.node.remove_buffer(Queue::Output, index).is_err() {
            self.unused = Some(Unused { index, size_image });
        }
    }

    fn slot(&self, id: SlotId) -> Result<&Slot> {
        self.slots.get(id.0).ok_or_else(|| no_such_slot(id))
    }

    fn slot_mut(&mut self, id: SlotId) -> Result<&mut Slot> {
        self.slots.get_mut(id.0).ok_or_else(|| no_such_slot(id))
    }
}

impl Drop for BitstreamRing {
    fn drop(&mut self) {
        for slot in &self.slots {
            self.node.close_request(slot.request);
        }
    }
}

fn no_such_slot(id: SlotId) -> Error {
    Error::Bug(format!("no OUTPUT slot {}", id.0))
}

fn size_image(format: &Format) -> u32 {
    format.planes.first().map_or(0, |plane| plane.size_image)
}

#[cfg(test)]
mod tests;
