//! What was decoded into a surface: how to wait for it, and what later pictures know it by.

use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use fourier_core::decode::{Outcome, PictureHandle, Session, Submitted, Ticket};
use fourier_core::h264::{PictureId, PictureStructure};
use fourier_core::memory::FrameMemory;
use fourier_core::pool::Frame;

use crate::ids::lock;
use crate::samples;

/// Names a context for as long as the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextId(pub u32);

/// A frame, or one or both fields of one, decoded into a surface.
#[derive(Debug)]
pub struct Picture {
    /// Who decoded it: only there it can be referred to.
    pub context: ContextId,
    /// Its name there.
    pub id: PictureId,
    /// Frame, or the parity of the first field.
    pub structure: PictureStructure,
    /// `frame_num`.
    pub frame_num: u16,
    /// `TopFieldOrderCnt`, `BottomFieldOrderCnt`; of a first field, its own one twice.
    pub field_order_cnt: [i32; 2],
    /// Where its samples must go from there.
    copy_to: Option<Arc<FrameMemory>>,
    session: Weak<Session>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What the device writes, until its samples have gone where they must.
    frame: Option<Frame>,
    /// Of its fields, or of the frame.
    tickets: Vec<Ticket>,
    /// Keep it known to the session.
    handles: Vec<PictureHandle>,
    /// A part of it never reached the device.
    failed: bool,
    copied: bool,
    /// It is a lone field, and the device does not keep its buffer for the other one any more.
    is_let_go: bool,
    /// The application was told that it is damaged.
    reported: bool,
}

/// How far a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The device has it.
    Decoding,
    /// Its samples can be read.
    Done(Outcome),
}

/// Where a picture is decoded.
#[derive(Clone, Debug)]
pub struct Target {
    /// What the device writes.
    pub frame: Frame,
    /// The surface's own memory, where that is another.
    pub copy_to: Option<Arc<FrameMemory>>,
}

impl Picture {
    /// A picture that the session was just given, or that could not be given to it.
    pub fn new(
        (context, id): (ContextId, PictureId),
        (structure, frame_num, field_order_cnt): (PictureStructure, u16, [i32; 2]),
        target: Target,
        session: &Arc<Session>,
    ) -> Self {
        Self {
            context,
            id,
            structure,
            frame_num,
            field_order_cnt,
            copy_to: target.copy_to,
            session: Arc::downgrade(session),
            state: Mutex::new(State {
                frame: Some(target.frame),
                tickets: Vec::with_capacity(2),
                handles: Vec::with_capacity(2),
                failed: false,
                copied: false,
                is_let_go: false,
                reported: false,
            }),
        }
    }

    /// The memory that it is decoded into; `None` after [`Picture::leave_frame`].
    pub fn frame(&self) -> Option<Frame> {
        lock(&self.state).frame.clone()
    }

    /// It is decoded into memory that is not its surface's, and still there.
    pub fn is_a_guest(&self) -> bool {
        self.copy_to.is_some() && lock(&self.state).frame.is_some()
    }

    /// Waits for it, brings its samples to its surface, and gives the frame back: it is no reference any more.
    pub fn leave_frame(&self) {
        self.wait();
        let mut state = lock(&self.state);
        let left = (state.frame.take(), std::mem::take(&mut state.handles));
        drop(state);
        // Dropped without the lock: they tell their session.
        drop(left);
    }

    /// A frame or a field of it is under way.
    pub fn submitted(&self, submitted: Submitted) {
        let mut state = lock(&self.state);
        state.tickets.push(submitted.ticket);
        state.handles.push(submitted.picture);
        (state.copied, state.reported) = (false, false);
    }

    /// A frame or a field of it will never be.
    pub fn failed(&self) {
        lock(&self.state).failed = true;
    }

    /// `structure` completes it: its second field, of the other parity and the same `frame_num`.
    pub fn is_completed_by(&self, structure: PictureStructure, frame_num: u16) -> bool {
        let fields = (self.structure.parity(), structure.parity());
        let pair = matches!(fields, (Some(first), Some(second)) if first != second);
        pair && self.frame_num == frame_num && lock(&self.state).tickets.len() == 1
    }

    /// Waits until its samples can be read.
    pub fn wait(&self) -> Outcome {
        let tickets = self.wait_for_tickets();
        self.let_go(&tickets);
        self.finish(&tickets)
    }

    /// Waits at most until `deadline` for its samples to be read.
    pub fn wait_until(&self, deadline: Instant) -> Progress {
        let tickets = self.tickets();
        match self.progress_by(&tickets, deadline) {
            Progress::Decoding => Progress::Decoding,
            Progress::Done(_) => {
                self.let_go(&tickets);
                Progress::Done(self.finish(&tickets))
            }
        }
    }

    /// Waits until the device has done what it was given. It may keep a first field's buffer: the second field is likely
    /// to follow.
    pub fn wait_for_device(&self) {
        let tickets = self.wait_for_tickets();
        self.finish(&tickets);
    }

    /// How far it is, without waiting.
    pub fn progress(&self) -> Progress {
        self.progress_by(&self.tickets(), Instant::now())
    }

    /// Whether to tell the application that it is damaged: once.
    pub fn must_report_damage(&self, outcome: Outcome) -> bool {
        let first_time = !std::mem::replace(&mut lock(&self.state).reported, true);
        outcome == Outcome::Damaged && first_time
    }

    fn tickets(&self) -> Vec<Ticket> {
        lock(&self.state).tickets.clone()
    }

    fn wait_for_tickets(&self) -> Vec<Ticket> {
        let tickets = self.tickets();
        for ticket in &tickets {
            ticket.wait();
        }
        tickets
    }

    fn progress_by(&self, tickets: &[Ticket], deadline: Instant) -> Progress {
        match tickets.iter().all(|ticket| ticket.wait_until(deadline).is_some()) {
            true => Progress::Done(self.finish(tickets)),
            false => Progress::Decoding,
        }
    }

    /// The device may keep a lone field's buffer for a second field; somebody wants to see it now.
    fn let_go(&self, tickets: &[Ticket]) {
        let is_lone = self.structure.parity().is_some() && tickets.len() == 1;
        if !is_lone || lock(&self.state).is_let_go {
            return;
        }
        if let Some(session) = self.session.upgrade()
            && let Err(error) = session.end_picture(self.id)
        {
            tracing::warn!("{error}");
        }
        let mut state = lock(&self.state);
        // What the device makes of the other field's rows is there only now.
        state.copied &= std::mem::replace(&mut state.is_let_go, true);
    }

    fn finish(&self, tickets: &[Ticket]) -> Outcome {
        let mut state = lock(&self.state);
        let is_good = |ticket: &Ticket| ticket.outcome() == Some(Outcome::Good);
        let mut good = !state.failed && tickets.iter().all(is_good);
        if let (Some(memory), Some(frame), false) = (&self.copy_to, state.frame.clone(), state.copied) {
            state.copied = true;
            if let Err(failure) = samples::copy(frame.memory(), memory) {
                tracing::warn!("{}", failure.reason);
                state.failed = true;
                good = false;
            }
        }
        if good { Outcome::Good } else { Outcome::Damaged }
    }
}
