//! Which faults happen when.

use std::collections::HashMap;

use nix::errno::Errno;

/// A call that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// VIDIOC_S_FMT.
    SetFormat,
    /// VIDIOC_S_EXT_CTRLS.
    SetControls,
    /// MEDIA_IOC_REQUEST_ALLOC.
    AllocRequest,
    /// MEDIA_REQUEST_IOC_QUEUE.
    QueueRequest,
    /// MEDIA_REQUEST_IOC_REINIT.
    ReinitRequest,
    /// poll(2).
    PollRequest,
    /// VIDIOC_REQBUFS.
    RequestBuffers,
    /// VIDIOC_CREATE_BUFS.
    CreateBuffers,
    /// VIDIOC_REMOVE_BUFS.
    RemoveBuffer,
    /// VIDIOC_PREPARE_BUF.
    PrepareBuffer,
    /// VIDIOC_QBUF of OUTPUT.
    QueueOutput,
    /// VIDIOC_QBUF of CAPTURE.
    QueueCapture,
    /// VIDIOC_DQBUF of OUTPUT.
    DequeueOutput,
    /// VIDIOC_DQBUF of CAPTURE.
    DequeueCapture,
    /// VIDIOC_EXPBUF.
    ExportBuffer,
    /// mmap(2).
    MapBuffer,
    /// VIDIOC_STREAMON.
    StreamOn,
    /// VIDIOC_STREAMOFF.
    StreamOff,
    /// VIDIOC_DECODER_CMD.
    Flush,
}

impl Verb {
    /// Every call that can fail.
    pub const ALL: [Self; 19] = [
        Self::SetFormat,
        Self::SetControls,
        Self::AllocRequest,
        Self::QueueRequest,
        Self::ReinitRequest,
        Self::PollRequest,
        Self::RequestBuffers,
        Self::CreateBuffers,
        Self::RemoveBuffer,
        Self::PrepareBuffer,
        Self::QueueOutput,
        Self::QueueCapture,
        Self::DequeueOutput,
        Self::DequeueCapture,
        Self::ExportBuffer,
        Self::MapBuffer,
        Self::StreamOn,
        Self::StreamOff,
        Self::Flush,
    ];

    /// The call's name in the manual.
    pub fn name(self) -> &'static str {
        match self {
            Self::SetFormat => "VIDIOC_S_FMT",
            Self::SetControls => "VIDIOC_S_EXT_CTRLS",
            Self::AllocRequest => "MEDIA_IOC_REQUEST_ALLOC",
            Self::QueueRequest => "MEDIA_REQUEST_IOC_QUEUE",
            Self::ReinitRequest => "MEDIA_REQUEST_IOC_REINIT",
            Self::PollRequest => "poll",
            Self::RequestBuffers => "VIDIOC_REQBUFS",
            Self::CreateBuffers => "VIDIOC_CREATE_BUFS",
            Self::RemoveBuffer => "VIDIOC_REMOVE_BUFS",
            Self::PrepareBuffer => "VIDIOC_PREPARE_BUF",
            Self::QueueOutput | Self::QueueCapture => "VIDIOC_QBUF",
            Self::DequeueOutput | Self::DequeueCapture => "VIDIOC_DQBUF",
            Self::ExportBuffer => "VIDIOC_EXPBUF",
            Self::MapBuffer => "mmap",
            Self::StreamOn => "VIDIOC_STREAMON",
            Self::StreamOff => "VIDIOC_STREAMOFF",
            Self::Flush => "VIDIOC_DECODER_CMD",
        }
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A call fails and does nothing.
    Errno(Verb, Errno),
    /// A frame comes back with `V4L2_BUF_FLAG_ERROR`.
    ErrorFlag,
    /// A queued request, and every later one, is never done until STREAMOFF.
    Stuck,
    /// A CAPTURE buffer never reaches the device although its QBUF succeeds: the device has nothing to decode into, and
    /// the request that was meant for it waits until STREAMOFF. Unlike [`Self::Stuck`] the device itself has the request.
    WithheldCapture,
    /// A frame comes back with another timestamp than its own.
    ForeignTimestamp,
    /// A frame comes back without ERROR flag but as it was before (drivers have done it). It is undone at DQBUF: a
    /// later picture that was in flight by then may have read the right samples.
    Untouched,
    /// A frame comes back with every byte 128, without ERROR flag.
    Grey,
}

/// Which calls or frames a fault meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The n-th from now on, counted from 1.
    Nth(u32),
    /// All from now on.
    Every,
}

/// The faults to come.
#[derive(Debug, Default)]
pub(super) struct Plan {
    faults: Vec<(Fault, Occasion)>,
    happened: u32,
    /// How often each call was made, failed ones too.
    calls: HashMap<Verb, u32>,
}

impl Plan {
    pub(super) fn add(&mut self, fault: Fault, occasion: Occasion) {
        self.faults.push((fault, occasion));
    }

    pub(super) fn happened(&self) -> u32 {
        self.happened
    }

    /// Whether a fault is to come that needs the bytes of frames.
    pub(super) fn changes_frames(&self) -> bool {
        self.faults
            .iter()
            .any(|(fault, _)| matches!(fault, Fault::Untouched | Fault::Grey))
    }

    pub(super) fn calls(&self, verb: Verb) -> u32 {
        self.calls.get(&verb).copied().unwrap_or_default()
    }

    /// Counts a call; the errno that it fails with.
    pub(super) fn call(&mut self, verb: Verb) -> Option<Errno> {
        *self.calls.entry(verb).or_default() += 1;
        self.count(|fault| match fault {
            Fault::Errno(met, errno) if met == verb => Some(errno),
            Fault::Errno(..)
            | Fault::ErrorFlag
            | Fault::Stuck
            | Fault::WithheldCapture
            | Fault::ForeignTimestamp
            | Fault::Untouched
            | Fault::Grey => None,
        })
    }

    /// Counts an event of exactly that fault; whether it happens.
    pub(super) fn meets(&mut self, wanted: Fault) -> bool {
        self.count(|fault| (fault == wanted).then_some(())).is_some()
    }

    /// Counts down every fault that `matches`; gives what the first one says whose time has come.
    fn count<T>(&mut self, matches: impl Fn(Fault) -> Option<T>) -> Option<T> {
        let mut met = None;
        self.faults.retain_mut(|(fault, occasion)| {
            let Some(found) = matches(*fault) else { return true };
            let (now, stays) = match occasion {
                Occasion::Every => (true, true),
                Occasion::Nth(0 | 1) => (true, false),
                Occasion::Nth(left) => {
                    *left -= 1;
                    (false, true)
                }
            };
            if now {
                met.get_or_insert(found);
            }
            stays
        });
        self.happened += u32::from(met.is_some());
        met
    }
}
