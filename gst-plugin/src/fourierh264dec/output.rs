//! The way out: frames of the queue to the source pad, in order.

use std::sync::atomic::Ordering;
use std::time::Duration;

use fourier_core::Error;
use fourier_core::decode::Outcome;
use fourier_core::decode::stream::{DropReason, FrameTag, OutputFrame};
use fourier_core::pool::{Export, Frame};
use gst::glib;
use gst::subclass::prelude::*;
use gst_video::prelude::*;

use super::imp::FourierH264Dec;
use super::queue::Item;
use super::{CAT, fields, lock, messages};

/// How long downstream has to let go of a frame before frames are copied for it.
const EXPORT_PATIENCE: Duration = Duration::from_millis(100);

type Flow = Result<gst::FlowSuccess, gst::FlowError>;

impl FourierH264Dec {
    /// Whether somebody looks at the clock: frames of a live source leave as soon as they are decoded and due. Those of
    /// a file leave with the input after them, which is there anyway; that saves waking a second thread for each.
    pub(super) fn pushes_at_once(&self) -> bool {
        let mut latency = gst::query::Latency::new();
        // Upstream that does not know may be anything.
        let is_live = !self.obj().sink_pad().peer_query(&mut latency) || latency.result().0;
        is_live || lock(&self.settings).low_latency
    }

    /// Starts the task that pushes a frame as soon as it is decoded, unless it runs.
    pub(super) fn start_task(&self) {
        let element = self.obj();
        let pad = element.src_pad();
        if pad.task_state() == gst::TaskState::Started {
            return;
        }
        let weak = element.downgrade();
        let started = pad.start_task(move || {
            if let Some(element) = weak.upgrade() {
                element.imp().run_task();
            }
        });
        if let Err(error) = started {
            gst::warning!(CAT, imp = self, "frames are pushed with the next input only: {error}");
        }
    }

    /// One round of the task: waits for the next frame without any lock, then pushes it under the stream lock.
    fn run_task(&self) {
        let element = self.obj();
        let Some(frame) = self.queue.next_frame() else {
            // Closed. Fails only if the pad has no task any more, which is just as well.
            let _ = element.src_pad().pause_task();
            return;
        };
        frame.wait();
        // Any pending frame of the base class holds the stream lock; without one, a flush has just dropped them all.
        let Some(_stream_lock) = element.frames().pop() else {
            self.queue.remove(&frame);
            return;
        };
        if let Err(flow) = self.push_decoded() {
            *lock(&self.task_flow) = Some(flow);
        }
    }

    /// Pushes what is decoded.
    fn push_decoded(&self) -> Flow {
        let mut flow = Ok(gst::FlowSuccess::Ok);
        while let Some(item) = self.queue.pop(false) {
            flow = flow.and(self.finish(item));
        }
        flow
    }

    /// Pushes what is decoded, and waits for frames until at most `keep` are left in the queue. Under the stream lock.
    pub(super) fn push_queued(&self, keep: usize) -> Flow {
        let mut flow = self.push_decoded();
        while self.queue.frames() > keep {
            let Some(item) = self.queue.pop(true) else { break };
            flow = flow.and(self.finish(item));
        }
        flow.and(self.push_decoded())
    }

    /// Does what `item` says.
    fn finish(&self, item: Item) -> Flow {
        match item {
            Item::Frame(frame) => return self.push_frame(&frame),
            Item::Dropped(tag, reason) => return self.drop_input(tag, reason),
            Item::Late(tag) => return self.count_and_drop(tag),
            Item::Warning(error) => messages::warn(&self.obj(), &self.told, &error),
        }
        Ok(gst::FlowSuccess::Ok)
    }

    /// Nothing comes of this input; the application hears of it unless there was no picture in it.
    fn drop_input(&self, tag: FrameTag, reason: DropReason) -> Flow {
        gst::debug!(CAT, imp = self, "{tag:?} comes to nothing: {reason:?}");
        if matches!(reason, DropReason::NoPicture | DropReason::SecondField) {
            let element = self.obj();
            codec_frame(&element, tag)
                .into_iter()
                .for_each(|frame| element.release_frame(frame));
            return Ok(gst::FlowSuccess::Ok);
        }
        self.count_and_drop(tag)
    }

    /// Drops a frame, and tells the application so (QoS).
    fn count_and_drop(&self, tag: FrameTag) -> Flow {
        self.stats.dropped.count();
        let element = self.obj();
        codec_frame(&element, tag).map_or(Ok(gst::FlowSuccess::Ok), |frame| element.drop_frame(frame))
    }

    fn push_frame(&self, frame: &OutputFrame) -> Flow {
        let damaged = frame.wait() == Outcome::Damaged;
        let element = self.obj();
        let tag = frame.tag();
        let Some(mut codec_frame) = tag.and_then(|tag| codec_frame(&element, tag)) else {
            gst::debug!(
                CAT,
                imp = self,
                "{tag:?} gives a frame that the base class has no place for"
            );
            self.stats.dropped.count();
            return Ok(gst::FlowSuccess::Ok);
        };
        if damaged {
            messages::warn_of_damage(&element, &self.told, &codec_frame);
        }
        if damaged && lock(&self.settings).discard_corrupted {
            self.stats.dropped.count();
            return element.drop_frame(codec_frame);
        }
        let mut buffer = self.buffer(frame)?;
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_video_flags(fields::buffer_flags(frame.interlacing()));
        }
        if damaged && let Some(buffer) = buffer.get_mut() {
            buffer.set_flags(gst::BufferFlags::CORRUPTED);
            self.stats.damaged.count();
        }
        gst::log!(CAT, imp = self, "{tag:?} out, pts {:?}", codec_frame.pts());
        codec_frame.set_output_buffer(buffer);
        self.stats.frames.count();
        element.finish_frame(codec_frame)
    }

    /// The frame's own memory where downstream can read it and does not hold all that it may; else a copy.
    fn buffer(&self, frame: &OutputFrame) -> Result<gst::Buffer, gst::FlowError> {
        let refused = |error: glib::BoolError| messages::fail(&self.obj(), &Error::Bug(error.to_string()));
        let mut presentation = self.presentation(frame)?;
        let memory = frame.frame().memory();
        if presentation.can_share(&memory.layout) {
            let mut may_export = self.may_export(frame.frame(), self.patience())?;
            while !may_export && presentation.is_dmabuf {
                match self.leave_dmabuf(frame, &presentation)? {
                    Some(system) => presentation = system,
                    None if self.plays_backwards() => return Err(self.refuse_backwards()),
                    // Nothing but waiting is left; a flush ends it.
                    None => may_export = self.may_export(frame.frame(), EXPORT_PATIENCE)?,
                }
            }
            if may_export {
                return presentation.share(memory, frame.frame()).map_err(refused);
            }
        }
        gst::log!(gst::CAT_PERFORMANCE, imp = self, "a frame is copied");
        self.stats.copies.count();
        let mut buffer = self.obj().allocate_output_buffer().map_err(refused)?;
        let writable = buffer.get_mut().ok_or(gst::FlowError::Error)?;
        presentation.copy(memory, writable).map_err(refused)?;
        Ok(buffer)
    }

    /// Whether the base class keeps frames until it has a whole group of pictures.
    fn plays_backwards(&self) -> bool {
        self.obj().input_segment().rate() < 0.0
    }

    /// Waiting would never end.
    fn refuse_backwards(&self) -> gst::FlowError {
        let why = "playing backwards takes more dma-bufs than there are, and downstream takes nothing else";
        messages::fail(&self.obj(), &Error::Unsupported(why.into()))
    }

    /// Whether downstream may have one more frame; it has `patience` to let go of one.
    fn may_export(&self, frame: &Frame, patience: Duration) -> Result<bool, gst::FlowError> {
        let export = frame
            .export_within(patience)
            .map_err(|error| messages::fail(&self.obj(), &error))?;
        self.downstream_keeps.store(export == Export::Copy, Ordering::Relaxed);
        Ok(export == Export::Share)
    }

    /// A consumer that was waited for in vain is not waited for again before it lets go of something.
    fn patience(&self) -> Duration {
        match self.downstream_keeps.load(Ordering::Relaxed) {
            true => Duration::ZERO,
            false => EXPORT_PATIENCE,
        }
    }
}

/// The base class's frame of that tag; gone after a flush.
fn codec_frame(element: &super::FourierH264Dec, tag: FrameTag) -> Option<gst_video::VideoCodecFrame<'_>> {
    element.frame(u32::try_from(tag.0).ok()?.cast_signed())
}
