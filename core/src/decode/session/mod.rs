//! One stream on one open decoder: pictures in, tickets out.
//!
//! A picture goes S_EXT_CTRLS . QBUF OUTPUT . REQUEST_QUEUE . QBUF CAPTURE under the submit lock, because CAPTURE
//! buffers belong to no request: the driver takes the next one in line. Several pictures are in flight. Whoever waits
//! first becomes the collector and polls the oldest request without a lock; the others sleep until it wakes them.
//!
//! * `phase`: what may be asked of a session;
//! * `configure`: formats, buffers, and the way back;
//! * `submit`: one picture to its requests;
//! * `collect`: requests to outcomes;
//! * `recover`: what happens when the device answers wrongly or not at all;
//! * `pictures`: by which timestamp the driver finds a picture;
//! * `capture`: frame memories that belong to the CAPTURE queue, for devices that cannot import any;
//! * `scratch`: frame memories before there is a session;
//! * `ticket`: what callers hold.
//!
//! Lock order: `submitting`, a pool's, `state`, a frame's. Nobody waits for a request under `state`.

mod capture;
mod collect;
mod configure;
mod phase;
mod pictures;
mod recover;
mod scratch;
mod submit;
#[cfg(test)]
pub(in crate::decode) mod tests;
mod ticket;

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard};

use super::controls::JobControls;
use super::request::Request;
use super::{DecodeJob, Outcome};
use crate::Result;
use crate::device::allocator::{NodeAllocator, StreamAllocator};
use crate::device::{DecodeMode, DecoderDevice, DecoderNode, MemoryType};
use crate::h264::{PictureId, Sps};
use crate::memory::{Format, FrameLayout, FrameMemory};
use crate::pool::bitstream::SlotId;
use crate::pool::{Binding, BitstreamRing, Frame, FramePool, IndexSet, Interrupt, WaitQueue, lock};
use crate::units::{BufferIndex, Timestamp};

pub use phase::{Phase, PhaseError};
use pictures::Pictures;
pub use scratch::ScratchAllocator;
use ticket::Completion;
pub use ticket::{PictureHandle, Ticket};

/// Requests in flight at most. Each slot may outgrow its buffer five times, all of which fits into a queue of 32.
pub const RING_SLOTS: u32 = 5;

/// How many frames a stream needs at once, besides those in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameNeeds {
    /// Frames of the DPB: references and those that wait for output (`max_dec_frame_buffering`).
    pub dpb: usize,
    /// What downstream says that it holds.
    pub downstream: usize,
}

/// A picture that was handed to the driver.
#[derive(Debug)]
pub struct Submitted {
    /// To wait for it.
    pub ticket: Ticket,
    /// To refer to it.
    pub picture: PictureHandle,
}

/// What a session has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionStats {
    /// Frames or fields submitted.
    pub submitted: u64,
    /// Of these, how many came back damaged.
    pub damaged: u64,
    /// Times that the queues were restarted because the device answered wrongly or not in time.
    pub restarts: u64,
}

/// One stream on one open decoder. Every method may be called from any thread.
#[derive(Debug)]
pub struct Session {
    shared: Arc<Shared>,
}

impl Session {
    /// Opens a context of `device`; nothing is set up before the first SPS is known.
    ///
    /// # Errors
    /// [`crate::Error::Device`] with what open(2) says.
    pub fn open(device: Arc<dyn DecoderDevice>) -> Result<Self> {
        let node = device.open()?;
        Ok(Self {
            shared: Arc::new(Shared::new(device, node, None)),
        })
    }

    /// Opens a context of the same device, which takes frames from `scratch` instead of a scratch context of its own:
    /// this is the last time that it opens anything.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(scratch: &ScratchAllocator) -> Result<Self> {
        let device = Arc::clone(&scratch.device);
        let node = device.open()?;
        Ok(Self {
            shared: Arc::new(Shared::new(device, node, Some(Arc::clone(&scratch.node)))),
        })
    }

    /// Sets the queues up for streams of `sps` and gives the pool to take target frames from. What was outstanding is
    /// collected first; frames of earlier pools stay whole for as long as somebody holds them.
    ///
    /// `interrupt` ends waits for frames of this pool.
    ///
    /// # Errors
    /// [`crate::Error::Unsupported`] naming what the device cannot do, [`crate::Error::NeedFrames`] if the memory limit
    /// is too small, [`crate::Error::Device`] if a call failed, [`crate::Error::Lost`] if the device is gone.
    pub fn configure(&self, sps: &Sps, needs: FrameNeeds, interrupt: &Interrupt) -> Result<FramePool> {
        self.shared.configure(sps, needs, interrupt)
    }

    /// The queues stream, set up for pictures of this size, depth and chroma format: no [`Self::configure`] is needed.
    pub fn is_configured_for(&self, sps: &Sps) -> bool {
        let state = lock(&self.shared.state);
        let stream = state.stream.as_ref().filter(|_| state.phase.is_streaming());
        stream.is_some_and(|stream| stream.shape == configure::Shape::of(sps))
    }

    /// The format of the frames; `None` before the first [`Self::configure`].
    pub fn format(&self) -> Option<Format> {
        lock(&self.shared.state)
            .stream
            .as_ref()
            .map(|stream| stream.capture_format.clone())
    }

    /// Proves that the device can decode into memory that it did not allocate, and makes a frame of it.
    ///
    /// # Errors
    /// [`crate::Error::Unsupported`] if its layout is another, [`crate::Error::Device`] if the driver refuses it.
    pub fn adopt(&self, memory: Arc<FrameMemory>) -> Result<Frame> {
        self.shared.adopt(memory)
    }

    /// Hands a picture to the driver, to be decoded into `target`, which nobody may read until its ticket says so.
    /// Waits for the oldest picture if too many are in flight.
    ///
    /// # Errors
    /// The picture is lost, the session goes on: [`crate::Error::Device`], [`crate::Error::Unsupported`] for a picture
    /// of another format or one that no buffer can hold. [`crate::Error::Lost`]: the session does not go on.
    pub fn submit(&self, job: &DecodeJob<'_>, target: &Frame) -> Result<Submitted> {
        self.shared.submit(job, target)
    }

    /// Waits for everything that was submitted, and takes a held CAPTURE buffer back from the driver.
    ///
    /// # Errors
    /// [`crate::Error::Lost`] if the device does not answer any more; every ticket is finished nevertheless.
    pub fn drain(&self) -> Result<()> {
        let _turn = lock(&self.shared.submitting);
        self.shared.drain()
    }

    /// Says that the second field of `picture` does not come: if the driver keeps the CAPTURE buffer for it, the picture
    /// is waited for, and the buffer taken back.
    ///
    /// # Errors
    /// Those of [`Self::drain`].
    pub fn end_picture(&self, picture: PictureId) -> Result<()> {
        let _turn = lock(&self.shared.submitting);
        let is_held = {
            let state = lock(&self.shared.state);
            let timestamp = state.pictures.timestamp(picture);
            state
                .held
                .as_ref()
                .is_some_and(|held| Some(held.timestamp) == timestamp)
        };
        match is_held {
            true => self.shared.drain(),
            false => Ok(()),
        }
    }

    /// What may be asked of it.
    pub fn phase(&self) -> Phase {
        lock(&self.shared.state).phase
    }

    /// What it has done.
    pub fn stats(&self) -> SessionStats {
        lock(&self.shared.state).stats
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.close();
    }
}

/// What a session and its tickets share.
#[derive(Debug)]
struct Shared {
    device: Arc<dyn DecoderDevice>,
    node: Arc<dyn DecoderNode>,
    /// Allocates and proves memory for `node`. Never locked for longer than opening it takes.
    scratch: Mutex<Option<Arc<NodeAllocator>>>,
    /// Held over a whole picture, so that its requests and its CAPTURE buffer go in together.
    submitting: Mutex<()>,
    state: Mutex<State>,
    /// A collector is done, or a restart is.
    changed: WaitQueue,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Why it is [`Phase::Lost`].
    lost: Option<String>,
    /// Somebody polls a request or restarts the queues, without the lock.
    collecting: bool,
    /// The queues are being restarted: nothing may be queued.
    restarting: bool,
    stream: Option<Stream>,
    in_flight: VecDeque<InFlight>,
    held: Option<Held>,
    pictures: Pictures,
    controls: Box<JobControls>,
    completions: Vec<Arc<Completion>>,
    next_timestamp: NonZeroU64,
    /// Counts the calls of `configure`, so that a pool knows whether its queue is still there.
    generation: u64,
    stats: SessionStats,
}

/// Buffers and formats of the stream being decoded.
#[derive(Debug)]
struct Stream {
    shape: configure::Shape,
    mode: DecodeMode,
    /// What stands before each slice in the OUTPUT buffer.
    start_code: &'static [u8],
    /// The device can keep a CAPTURE buffer for the next request.
    hold_capture: bool,
    /// The device takes single buffers off a queue.
    remove_bufs: bool,
    capture_format: Format,
    capture_layout: FrameLayout,
    capture_memory: MemoryType,
    ring: BitstreamRing,
    /// By slot of the ring.
    requests: Vec<Request>,
    binding: Binding,
    /// Indexes that the last submitted job used: the next one may refer to them.
    last_job: IndexSet,
    /// Makes the memories of the pool; `None` where they belong to the queue.
    allocator: Option<StreamAllocator>,
}

/// A request that the driver has.
#[derive(Debug)]
struct InFlight {
    slot: SlotId,
    timestamp: Timestamp,
    /// Indexes of the target and the references.
    indexes: IndexSet,
    completion: Arc<Completion>,
    frame: Frame,
    /// Where the CAPTURE buffer is that comes back with this request; `None` = it is held for the next one.
    returns: Option<BufferIndex>,
    /// The last request of the picture.
    last: bool,
    /// It has no CAPTURE buffer and will not get one: the driver cannot begin it.
    starved: bool,
}

/// A CAPTURE buffer that the driver keeps for further requests of the same timestamp.
#[derive(Debug)]
struct Held {
    index: BufferIndex,
    timestamp: Timestamp,
    frame: Frame,
    completion: Arc<Completion>,
}

impl Shared {
    fn new(device: Arc<dyn DecoderDevice>, node: Arc<dyn DecoderNode>, scratch: Option<Arc<NodeAllocator>>) -> Self {
        let state = State {
            phase: Phase::default(),
            lost: None,
            collecting: false,
            restarting: false,
            stream: None,
            in_flight: VecDeque::with_capacity(RING_SLOTS as usize),
            held: None,
            pictures: Pictures::default(),
            controls: Box::default(),
            completions: Vec::new(),
            next_timestamp: NonZeroU64::MIN,
            generation: 0,
            stats: SessionStats::default(),
        };
        Self {
            device,
            node,
            scratch: Mutex::new(scratch),
            submitting: Mutex::default(),
            state: Mutex::new(state),
            changed: WaitQueue::default(),
        }
    }
}

/// The session's state, locked.
type Guard<'a> = MutexGuard<'a, State>;
