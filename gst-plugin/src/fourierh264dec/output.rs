//! The way out: frames of the queue to the source pad, in order.

use fourier_core::Error;
use gst::glib;
use gst::subclass::prelude::*;
use gst_video::prelude::*;

use super::imp::FourierH264Dec;
use super::pieces::FrameNumber;
use super::presentation::Presentation;
use super::queue::{DueFrame, Item};
use super::{CAT, lock, messages};
use fourier_core::decode::Outcome;
use fourier_core::decode::stream::{DropReason, OutputFrame};
use fourier_core::pool::Export;

type Flow = Result<gst::FlowSuccess, gst::FlowError>;

impl FourierH264Dec {
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
        frame.frame.wait();
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
            Item::Dropped(number, reason) => return self.drop_frame(number, reason),
            Item::Warning(error) => messages::warn(&self.obj(), &mut lock(&self.told), &error),
        }
        Ok(gst::FlowSuccess::Ok)
    }

    /// Nothing comes of this frame; the application hears of it unless there was no picture in it.
    fn drop_frame(&self, number: FrameNumber, reason: DropReason) -> Flow {
        gst::debug!(CAT, imp = self, "{number:?} comes to nothing: {reason:?}");
        let element = self.obj();
        let codec_frame = codec_frame(&element, number);
        if matches!(reason, DropReason::NoPicture | DropReason::SecondField) {
            codec_frame.into_iter().for_each(|frame| element.release_frame(frame));
            return Ok(gst::FlowSuccess::Ok);
        }
        self.stats.dropped.count();
        codec_frame.map_or(Ok(gst::FlowSuccess::Ok), |frame| element.drop_frame(frame))
    }

    fn push_frame(&self, due: &DueFrame) -> Flow {
        let DueFrame { number, frame } = due;
        let damaged = frame.wait() == Outcome::Damaged;
        let element = self.obj();
        let Some(mut codec_frame) = number.and_then(|number| codec_frame(&element, number)) else {
            gst::debug!(
                CAT,
                imp = self,
                "{number:?}: a frame that the base class has no place for"
            );
            self.stats.dropped.count();
            return Ok(gst::FlowSuccess::Ok);
        };
        if damaged && lock(&self.settings).discard_corrupted {
            self.stats.dropped.count();
            return element.drop_frame(codec_frame);
        }
        let presentation = self.presentation(frame.format())?;
        let mut buffer = self.buffer(frame, &presentation)?;
        if damaged && let Some(buffer) = buffer.get_mut() {
            buffer.set_flags(gst::BufferFlags::CORRUPTED);
            self.stats.damaged.count();
        }
        gst::log!(CAT, imp = self, "{number:?} out, pts {:?}", codec_frame.pts());
        codec_frame.set_output_buffer(buffer);
        self.stats.frames.count();
        element.finish_frame(codec_frame)
    }

    /// The frame's own memory where downstream can read it and does not hold all that it may; else a copy.
    fn buffer(&self, frame: &OutputFrame, presentation: &Presentation) -> Result<gst::Buffer, gst::FlowError> {
        let fail = |error| messages::fail(&self.obj(), &error);
        let refused = |error: glib::BoolError| fail(Error::Bug(error.to_string()));
        let (memory, frame) = (frame.frame().memory(), frame.frame());
        if presentation.can_share(&memory.layout) && frame.export().map_err(fail)? == Export::Share {
            return presentation.share(memory, frame).map_err(refused);
        }
        gst::log!(gst::CAT_PERFORMANCE, imp = self, "a frame is copied");
        self.stats.copies.count();
        let mut buffer = self.obj().allocate_output_buffer().map_err(refused)?;
        let writable = buffer.get_mut().ok_or(gst::FlowError::Error)?;
        presentation.copy(memory, writable).map_err(refused)?;
        Ok(buffer)
    }
}

/// The base class's frame of that number; gone after a flush.
fn codec_frame(element: &super::FourierH264Dec, number: FrameNumber) -> Option<gst_video::VideoCodecFrame<'_>> {
    element.frame(number.0.cast_signed())
}
