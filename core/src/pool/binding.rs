//! Which memory sits at which index of the CAPTURE queue. Pure: no ioctl, no lock.
//!
//! One memory has at most one index and one index at most one memory. The binding sticks: the driver keeps its
//! mapping, and it is what makes the memory findable as a reference, because vb2 looks timestamps up in the CAPTURE
//! queue. Queueing another memory at an index forgets the timestamp of the old one at once, so an index that a job
//! still needs is *pinned* and never rebound.

use std::sync::{Arc, Weak};

use crate::memory::FrameMemory;
use crate::units::{BufferIndex, Timestamp};

/// A set of CAPTURE indexes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexSet(u64);

impl IndexSet {
    /// Indexes that a set can hold; no queue is asked for more buffers.
    pub const CAPACITY: u32 = u64::BITS;

    /// Adds `index`.
    pub fn insert(&mut self, index: BufferIndex) {
        self.0 |= Self::bit(index);
    }

    /// `index` is in it.
    pub fn contains(self, index: BufferIndex) -> bool {
        self.0 & Self::bit(index) != 0
    }

    /// All that is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn bit(index: BufferIndex) -> u64 {
        1_u64.checked_shl(index.0).unwrap_or(0)
    }
}

/// Where a memory is to be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It sits there already.
    Bound(BufferIndex),
    /// Nothing that is needed sits there: queueing it there binds it.
    Rebind(BufferIndex),
    /// Every index is pinned: collect the oldest request, then ask again.
    AllPinned,
}

/// One index.
#[derive(Debug, Default)]
struct Entry {
    memory: Option<Weak<FrameMemory>>,
    /// Of the picture that was queued there last; cleared when the driver forgets it.
    timestamp: Option<Timestamp>,
    last_used: u64,
    /// REMOVE_BUFS took the buffer away.
    removed: bool,
}

impl Entry {
    fn holds(&self, memory: &Arc<FrameMemory>) -> bool {
        self.memory
            .as_ref()
            .is_some_and(|bound| std::ptr::eq(bound.as_ptr(), Arc::as_ptr(memory)))
    }

    /// What to rebind first: dead memories, then indexes never used, then the one used longest ago.
    fn rebind_order(&self) -> (u8, u64) {
        match &self.memory {
            Some(memory) if memory.strong_count() == 0 => (0, self.last_used),
            None => (1, self.last_used),
            Some(_) => (2, self.last_used),
        }
    }
}

/// The indexes of one CAPTURE queue.
#[derive(Debug, Default)]
pub struct Binding {
    entries: Vec<Entry>,
    clock: u64,
}

impl Binding {
    /// `count` unbound indexes, at most [`IndexSet::CAPACITY`].
    pub fn new(count: u32) -> Self {
        let mut binding = Self::default();
        binding.extend(count);
        binding
    }

    /// `count` more indexes at the end.
    pub fn extend(&mut self, count: u32) {
        let total = self.entries.len() + count as usize;
        self.entries
            .resize_with(total.min(IndexSet::CAPACITY as usize), Entry::default);
    }

    /// How many indexes there are.
    pub fn len(&self) -> u32 {
        self.entries.len() as u32
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The index that `memory` is bound to.
    pub fn index_of(&self, memory: &Arc<FrameMemory>) -> Option<BufferIndex> {
        self.indexes()
            .find(|&(_, entry)| entry.holds(memory))
            .map(|(index, _)| index)
    }

    /// Where to queue `memory` without disturbing what is in `pinned`.
    pub fn place(&self, memory: &Arc<FrameMemory>, pinned: IndexSet) -> Place {
        if let Some(index) = self.index_of(memory) {
            return Place::Bound(index);
        }
        self.indexes()
            .filter(|&(index, entry)| !pinned.contains(index) && !entry.removed)
            .min_by_key(|(_, entry)| entry.rebind_order())
            .map_or(Place::AllPinned, |(index, _)| Place::Rebind(index))
    }

    /// `memory` sits at `index` now, and the driver was given `timestamp` for it.
    pub fn bind(&mut self, index: BufferIndex, memory: &Arc<FrameMemory>, timestamp: Option<Timestamp>) {
        self.clock += 1;
        let last_used = self.clock;
        if let Some(entry) = self.entry(index) {
            // A rebind to the same memory is the steady state: no new weak pointer for it.
            if !entry.holds(memory) {
                entry.memory = Some(Arc::downgrade(memory));
            }
            entry.timestamp = timestamp;
            entry.last_used = last_used;
        }
    }

    /// A QBUF failed there: whatever sat there is gone, and so is its timestamp.
    pub fn unbind(&mut self, index: BufferIndex) {
        if let Some(entry) = self.entry(index) {
            entry.memory = None;
            entry.timestamp = None;
        }
    }

    /// `VIDIOC_STREAMOFF`: memories stay where they are, timestamps are forgotten.
    pub fn forget_timestamps(&mut self) {
        for entry in &mut self.entries {
            entry.timestamp = None;
        }
    }

    /// The driver still finds the picture `timestamp` at `index`.
    pub fn holds_picture(&self, index: BufferIndex, timestamp: Timestamp) -> bool {
        self.entries
            .get(index.0 as usize)
            .is_some_and(|entry| entry.timestamp == Some(timestamp))
    }

    /// The first index whose memory nobody holds any more and that is not in `pinned`.
    pub fn dead(&self, pinned: IndexSet) -> Option<BufferIndex> {
        let dead = |entry: &Entry| entry.memory.as_ref().is_some_and(|memory| memory.strong_count() == 0);
        self.indexes()
            .find(|&(index, entry)| !pinned.contains(index) && dead(entry))
            .map(|(index, _)| index)
    }

    /// There is no buffer at `index` any more.
    pub fn remove(&mut self, index: BufferIndex) {
        self.unbind(index);
        if let Some(entry) = self.entry(index) {
            entry.removed = true;
        }
    }

    /// There is a new, unbound buffer at `index`.
    pub fn restore(&mut self, index: BufferIndex) {
        self.extend((index.0 + 1).saturating_sub(self.len()));
        if let Some(entry) = self.entry(index) {
            *entry = Entry::default();
        }
    }

    /// Indexes without a memory, or whose memory nobody holds any more, that are not in `pinned`.
    pub fn vacant(&self, pinned: IndexSet) -> impl Iterator<Item = BufferIndex> + '_ {
        self.indexes().filter_map(move |(index, entry)| {
            let vacant = entry.memory.as_ref().is_none_or(|memory| memory.strong_count() == 0);
            (vacant && !pinned.contains(index)).then_some(index)
        })
    }

    fn entry(&mut self, index: BufferIndex) -> Option<&mut Entry> {
        self.entries.get_mut(index.0 as usize)
    }

    fn indexes(&self) -> impl Iterator<Item = (BufferIndex, &Entry)> {
        (0..).map(BufferIndex).zip(&self.entries)
    }
}

#[cfg(test)]
mod tests;
