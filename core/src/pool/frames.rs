//! The frame pool: hands memories out, least recently used first, and takes each back when its last holder drops it.

use std::fmt::{self, Debug};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use super::slot::{SlotError, SlotState};
use super::{Interrupt, lock};
use crate::memory::FrameMemory;
use crate::units::Timestamp;
use crate::{Error, Result};

/// How long [`FramePool::acquire`] waits for a frame to come home.
const PATIENCE: Duration = Duration::from_millis(100);
/// Nobody tells when a read fence signals or another process lets go: look again this often.
const FENCE_PERIOD: Duration = Duration::from_millis(4);
/// Frames beyond what decoding and downstream ask for, so that a consumer may fall behind a little.
const SLACK: usize = 16;
/// No pool is larger than this.
const MAX_FRAMES: usize = 64;
/// Without `FOURIER_MAX_MEMORY`.
const DEFAULT_MAX_MEMORY: u64 = 512 << 20;

/// Where the memories of a pool come from.
pub trait FrameSource: Debug + Send + Sync {
    /// A new memory.
    ///
    /// # Errors
    /// [`Error::Device`] naming the call that failed; [`Error::NeedFrames`] if frames must come home first.
    fn allocate(&self) -> Result<Arc<FrameMemory>>;

    /// Nobody outside reads `memory` any more, although it left the process (a GPU's read fence, for instance).
    fn is_idle(&self, memory: &FrameMemory) -> bool;

    /// A memory that left the process may be written again once [`Self::is_idle`]; otherwise it is let go of.
    fn recycles_exported(&self) -> bool {
        true
    }
}

/// How many frames a pool may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// All frames together.
    pub total: usize,
    /// Of these, how many are never given to downstream for good, so that decoding can go on.
    pub reserve: usize,
    /// What `total` may grow to for a consumer that asks for more.
    pub most: usize,
}

impl PoolLimits {
    /// Limits for a DPB of `dpb_frames`, `in_flight` pictures and a consumer that asks for `downstream_frames`, each
    /// frame of `frame_bytes`.
    ///
    /// # Errors
    /// [`Error::NeedFrames`] if `FOURIER_MAX_MEMORY` (bytes; K, M and G are understood) is too small to decode at all.
    pub fn new(dpb_frames: usize, in_flight: usize, downstream_frames: usize, frame_bytes: u64) -> Result<Self> {
        let max_memory = std::env::var("FOURIER_MAX_MEMORY")
            .ok()
            .and_then(|text| parse_bytes(&text));
        Self::within(
            max_memory.unwrap_or(DEFAULT_MAX_MEMORY),
            dpb_frames,
            in_flight,
            downstream_frames,
            frame_bytes,
        )
    }

    fn within(
        max_memory: u64,
        dpb_frames: usize,
        in_flight: usize,
        downstream_frames: usize,
        frame_bytes: u64,
    ) -> Result<Self> {
        let affordable = usize::try_from(max_memory / frame_bytes.max(1)).unwrap_or(usize::MAX);
        let wanted = dpb_frames
            .saturating_add(in_flight)
            .saturating_add(downstream_frames)
            .saturating_add(SLACK);
        let limits = Self {
            total: wanted.min(MAX_FRAMES),
            reserve: dpb_frames + in_flight + 1,
            most: MAX_FRAMES,
        };
        limits.at_most(affordable, dpb_frames)
    }

    /// The same with at most `frames`, all that a queue can have or memory has room for.
    ///
    /// # Errors
    /// [`Error::NeedFrames`] if those are too few to decode at all with a DPB of `dpb_frames`: it would wait for ever.
    pub fn at_most(self, frames: usize, dpb_frames: usize) -> Result<Self> {
        let total = self.total.min(frames);
        // The DPB, the target, and one frame on its way out.
        let needed = dpb_frames + 2;
        if total < needed {
            return Err(Error::NeedFrames {
                needed: needed - total,
                limit: total,
            });
        }
        Ok(Self {
            total,
            reserve: self.reserve.min(total),
            most: self.most.min(frames),
        })
    }

    /// The same for a consumer that asks for `downstream_frames`.
    fn with_downstream(self, downstream_frames: usize) -> Self {
        let wanted = self.reserve.saturating_add(downstream_frames).saturating_add(SLACK);
        Self {
            total: self.total.max(wanted.min(self.most)),
            ..self
        }
    }
}

/// A number of bytes with an optional K, M or G (powers of 1,024).
fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, shift) = match text.chars().last()? {
        'k' | 'K' => (&text[..text.len() - 1], 10),
        'm' | 'M' => (&text[..text.len() - 1], 20),
        'g' | 'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// What a pool has done and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Frames that it has now.
    pub frames: usize,
    /// Of these, frames that somebody holds.
    pub held: usize,
    /// Frames that were held at once, at most.
    pub high_water: usize,
    /// Frames that downstream holds.
    pub exported: usize,
    /// Times that [`FramePool::acquire`] or [`Frame::export_within`] had to wait.
    pub waits: u64,
    /// Frames that it may have.
    pub limit: usize,
}

/// What to do with a frame that is due downstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// Its memory may go out as it is.
    Share,
    /// Downstream holds all that it may: copy the samples out and drop the frame, so that decoding can go on.
    Copy,
}

/// Frames of one format. Clones are the same pool; frames live on when it is gone.
#[derive(Clone, Debug)]
pub struct FramePool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    source: Box<dyn FrameSource>,
    interrupt: Interrupt,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limits: PoolLimits,
    slots: Vec<Arc<Slot>>,
    clock: u64,
    high_water: usize,
    waits: u64,
}

#[derive(Debug)]
struct Slot {
    memory: Arc<FrameMemory>,
    life: Mutex<Life>,
    /// The pool that waits for it; none for an adopted memory.
    home: Weak<Shared>,
}

#[derive(Debug, Default)]
struct Life {
    state: SlotState,
    holders: usize,
    /// Holders outside, of all holders.
    exports: usize,
    /// Readers outside may have it mapped for ever after.
    left_process: bool,
    last_used: u64,
}

/// What one look for a free frame found.
enum Attempt {
    Taken(Frame),
    /// All are held; `unannounced` = of some nobody will tell when they come home.
    Busy {
        unannounced: bool,
    },
}

impl FramePool {
    /// An empty pool; memories are made when they are needed.
    pub fn new(source: Box<dyn FrameSource>, limits: PoolLimits, interrupt: Interrupt) -> Self {
        Self {
            shared: Arc::new(Shared {
                source,
                interrupt,
                state: Mutex::new(State {
                    limits,
                    slots: Vec::new(),
                    clock: 0,
                    high_water: 0,
                    waits: 0,
                }),
            }),
        }
    }

    /// Grows, if it may, for a consumer that wants to hold `downstream_frames` at once.
    pub fn allow_downstream(&self, downstream_frames: usize) {
        let limits = &mut lock(&self.shared.state).limits;
        *limits = limits.with_downstream(downstream_frames);
    }

    /// A frame that nobody reads: the least recently used one, or a new one.
    ///
    /// Waits up to 100 ms for one to come home if the pool is at its limit.
    ///
    /// # Errors
    /// [`Error::NeedFrames`] if none came home, [`Error::Flushing`] if the wait was interrupted, or what the allocator
    /// says.
    pub fn acquire(&self) -> Result<Frame> {
        let mut deadline = None;
        loop {
            let seen = self.shared.interrupt.seen();
            let unannounced = match self.shared.try_acquire()? {
                Attempt::Taken(frame) => return Ok(frame),
                Attempt::Busy { unannounced } => unannounced,
            };
            let now = Instant::now();
            let deadline = *deadline.get_or_insert_with(|| {
                lock(&self.shared.state).waits += 1;
                now + PATIENCE
            });
            if now >= deadline {
                return Err(Error::NeedFrames {
                    needed: 1,
                    limit: lock(&self.shared.state).limits.total,
                });
            }
            let until = if unannounced {
                deadline.min(now + FENCE_PERIOD)
            } else {
                deadline
            };
            self.shared.interrupt.wait_past(seen, until)?;
        }
    }

    /// What it has done and holds.
    pub fn stats(&self) -> PoolStats {
        let state = lock(&self.shared.state);
        PoolStats {
            frames: state.slots.len(),
            held: state.held(),
            high_water: state.high_water,
            exported: state.exported(),
            waits: state.waits,
            limit: state.limits.total,
        }
    }
}

impl Shared {
    fn try_acquire(self: &Arc<Self>) -> Result<Attempt> {
        let mut state = lock(&self.state);
        if !self.source.recycles_exported() {
            state.slots.retain(|slot| !lock(&slot.life).is_free_after_export());
        }
        let (slot, fenced) = state.least_recently_used(self.source.as_ref());
        let slot = match slot {
            Some(slot) => slot,
            None if state.slots.len() < state.limits.total => match self.grow(&mut state)? {
                Some(slot) => slot,
                // What the source let go of may still be mapped somewhere.
                None => {
                    let unannounced = fenced || !self.source.recycles_exported();
                    return Ok(Attempt::Busy { unannounced });
                }
            },
            None => return Ok(Attempt::Busy { unannounced: fenced }),
        };
        state.clock += 1;
        {
            let mut life = lock(&slot.life);
            life.holders = 1;
            life.last_used = state.clock;
        }
        state.high_water = state.high_water.max(state.held());
        Ok(Attempt::Taken(Frame::holding(slot)))
    }

    /// One more memory; `None` if the source has no more but there is enough to go on with.
    fn grow(self: &Arc<Self>, state: &mut State) -> Result<Option<Arc<Slot>>> {
        let memory = match self.source.allocate() {
            Ok(memory) => memory,
            Err(Error::NeedFrames { .. }) => return Ok(None),
            Err(error) if state.slots.len() >= state.limits.reserve => {
                let frames = state.slots.len();
                tracing::warn!("no more frame memory after {frames} frames: {error}");
                // Downstream must not get what decoding needs of these.
                state.limits.total = frames;
                state.limits.most = frames;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let slot = Arc::new(Slot {
            memory,
            life: Mutex::default(),
            home: Arc::downgrade(self),
        });
        state.slots.push(Arc::clone(&slot));
        tracing::debug!("frame pool: {} of {} frames", state.slots.len(), state.limits.total);
        Ok(Some(slot))
    }

    /// Marks `slot` as exported if downstream may have one more.
    fn export(&self, frame: &Frame) -> Result<Export, SlotError> {
        // Held over both steps: two exports at once must not both take the last one.
        let state = lock(&self.state);
        let exported = state.exported();
        let mut life = lock(&frame.slot.life);
        if life.exports == 0 && exported + state.limits.reserve >= state.limits.total {
            return Ok(Export::Copy);
        }
        life.export(&frame.exported)
    }
}

impl State {
    fn held(&self) -> usize {
        self.slots.iter().filter(|slot| lock(&slot.life).holders > 0).count()
    }

    fn exported(&self) -> usize {
        self.slots.iter().filter(|slot| lock(&slot.life).exports > 0).count()
    }

    /// The free slot that was used longest ago and has no reader outside, and whether a fence hid one.
    fn least_recently_used(&self, source: &dyn FrameSource) -> (Option<Arc<Slot>>, bool) {
        let mut fenced_until = None;
        loop {
            let oldest = self
                .slots
                .iter()
                .filter_map(|slot| {
                    let life = lock(&slot.life);
                    let candidate = life.is_free() && fenced_until.is_none_or(|fenced| life.last_used > fenced);
                    candidate.then_some((life.last_used, life.left_process, slot))
                })
                .min_by_key(|&(last_used, ..)| last_used);
            match oldest {
                None => return (None, fenced_until.is_some()),
                // A system call, so only for memory that left the process.
                Some((last_used, true, slot)) if !source.is_idle(&slot.memory) => fenced_until = Some(last_used),
                Some((_, _, slot)) => return (Some(Arc::clone(slot)), fenced_until.is_some()),
            }
        }
    }
}

impl Life {
    fn is_free(&self) -> bool {
        self.holders == 0 && self.state == SlotState::Free
    }

    fn is_free_after_export(&self) -> bool {
        self.left_process && self.is_free()
    }

    /// `holder` marks the one that goes out; it goes only once.
    fn export(&mut self, holder: &AtomicBool) -> Result<Export, SlotError> {
        self.state.export()?;
        self.left_process = true;
        if !holder.swap(true, Ordering::Relaxed) {
            self.exports += 1;
        }
        Ok(Export::Share)
    }

    fn take_home(&mut self) -> Result<(), SlotError> {
        self.exports -= 1;
        match self.exports {
            0 => self.state.come_home(),
            _ => Ok(()),
        }
    }
}

/// A hold on one frame memory: nobody writes it until the last clone is dropped. It outlives pool, session and device.
pub struct Frame {
    slot: Arc<Slot>,
    /// This holder and its clones are outside; changed under the lock of `life` only.
    exported: AtomicBool,
}

impl Frame {
    /// A frame over memory that belongs to no pool: whoever holds `memory` decides when it is decoded into again.
    pub fn adopt(memory: Arc<FrameMemory>) -> Self {
        let life = Life {
            holders: 1,
            ..Life::default()
        };
        Self::holding(Arc::new(Slot {
            memory,
            life: Mutex::new(life),
            home: Weak::new(),
        }))
    }

    fn holding(slot: Arc<Slot>) -> Self {
        Self {
            slot,
            exported: AtomicBool::new(false),
        }
    }

    /// The memory itself. To keep it from being written again hold the frame, not the memory.
    pub fn memory(&self) -> &Arc<FrameMemory> {
        &self.slot.memory
    }

    /// Who may touch it now.
    pub fn state(&self) -> SlotState {
        lock(&self.slot.life).state
    }

    /// Asks whether the memory of a decoded frame may leave the process. On [`Export::Share`] it counts as exported
    /// until this holder and its later clones are dropped; holders from before (the DPB) do not count.
    ///
    /// # Errors
    /// [`Error::Bug`] if nothing has been decoded into it.
    pub fn export(&self) -> Result<Export> {
        let export = match self.slot.home.upgrade() {
            Some(pool) => pool.export(self),
            None => lock(&self.slot.life).export(&self.exported),
        };
        export.map_err(|error| Error::Bug(error.to_string()))
    }

    /// Like [`Self::export`], but first gives downstream `patience` to let go of a frame.
    ///
    /// # Errors
    /// Those of [`Self::export`], and [`Error::Flushing`] if the wait was interrupted.
    pub fn export_within(&self, patience: Duration) -> Result<Export> {
        let Some(pool) = self.slot.home.upgrade() else {
            return self.export();
        };
        let mut deadline = None;
        loop {
            let seen = pool.interrupt.seen();
            let export = self.export()?;
            if export == Export::Share || patience.is_zero() {
                return Ok(export);
            }
            let now = Instant::now();
            let deadline = *deadline.get_or_insert_with(|| {
                lock(&pool.state).waits += 1;
                now + patience
            });
            if now >= deadline {
                return Ok(export);
            }
            pool.interrupt.wait_past(seen, deadline)?;
        }
    }

    /// The driver gets it.
    pub(crate) fn queue(&self, expected: Timestamp) -> Result<(), SlotError> {
        lock(&self.slot.life).state.queue(expected)
    }

    /// The driver gave it back.
    pub(crate) fn dequeue(&self, actual: Timestamp) -> Result<(), SlotError> {
        lock(&self.slot.life).state.dequeue(actual)
    }

    /// The driver will not write it any more, or never did.
    pub(crate) fn cancel(&self, timestamp: Timestamp) {
        lock(&self.slot.life).state.cancel(timestamp);
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({}, {:?})", self.slot.memory.layout.size, self.state())
    }
}

impl Clone for Frame {
    fn clone(&self) -> Self {
        let mut life = lock(&self.slot.life);
        let exported = self.exported.load(Ordering::Relaxed);
        life.holders += 1;
        life.exports += usize::from(exported);
        Self {
            slot: Arc::clone(&self.slot),
            exported: AtomicBool::new(exported),
        }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let came_home = {
            let mut life = lock(&self.slot.life);
            life.holders -= 1;
            let mut result = Ok(());
            if *self.exported.get_mut() {
                result = life.take_home();
            }
            if life.holders == 0 {
                result = result.and(life.state.give_back());
            }
            if let Err(error) = result {
                // Whoever queues a frame holds it; never to be handed out again is the safe way out.
                tracing::error!("a frame was dropped: {error}");
            }
            life.holders == 0 || *self.exported.get_mut()
        };
        if came_home && let Some(pool) = self.slot.home.upgrade() {
            pool.interrupt.wake();
        }
    }
}

#[cfg(test)]
mod tests;
