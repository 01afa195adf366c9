//! Output order by bumping (C.4.5.3), as early as the limits of the sequence permit.
//!
//! A frame is due when more frames wait than the stream may reorder: no later picture can come before it. And, as the
//! standard has it, when the buffer is full.

use super::frame::{Display, Frame, Origin};
use super::{Dpb, DpbEvent};
use crate::h264::PictureId;

impl Dpb {
    /// Lets a frame that has all its fields take part in bumping.
    pub(super) fn frame_is_complete(&mut self, picture: PictureId) {
        let count = self
            .frames
            .iter()
            .find(|frame| frame.picture == picture)
            .map(Frame::pic_order_cnt);
        if let (Some(count), Some(last)) = (count, self.last_output)
            && count < last
        {
            // Shown late is better than lost; from here on the stream is trusted less.
            self.excess_reorder += 1;
            let reason = format!("{count} comes after {last} was output");
            self.report("pic_order_cnt", reason, "C.4.5.2");
        }
        self.sweep();
        self.bump();
    }

    /// Outputs frames until no more wait than may, and the buffer is not over-full.
    pub(super) fn bump(&mut self) {
        let Some(limits) = self.limits else {
            return;
        };
        let reorder = (limits.max_num_reorder_frames + self.excess_reorder).min(limits.max_dec_frame_buffering);
        while self.waiting() > reorder || self.frames.len() > limits.max_dec_frame_buffering {
            if !self.output_next() {
                return;
            }
            self.sweep();
        }
    }

    /// Outputs every complete frame.
    pub(super) fn output_all(&mut self) {
        while self.output_next() {}
        self.sweep();
    }

    /// Marks every frame as not to be shown.
    pub(super) fn discard_all(&mut self) {
        for frame in self.frames.iter_mut().filter(|frame| frame.display == Display::Waiting) {
            frame.display = Display::Done;
            self.events.push_back(DpbEvent::Discarded { picture: frame.picture });
        }
    }

    /// Outputs the frame with the smallest count; false if none waits.
    fn output_next(&mut self) -> bool {
        let open = self.open.map(|open| open.picture);
        let waiting = self.frames.iter_mut().filter(|frame| is_due(frame, open));
        let Some(first) = waiting.min_by_key(|frame| frame.pic_order_cnt()) else {
            return false;
        };
        first.display = Display::Done;
        let (picture, pic_order_cnt) = (first.picture, first.pic_order_cnt());
        self.last_output = Some(self.last_output.map_or(pic_order_cnt, |last| last.max(pic_order_cnt)));
        self.events.push_back(DpbEvent::Output { picture, pic_order_cnt });
        true
    }

    fn waiting(&self) -> usize {
        let open = self.open.map(|open| open.picture);
        self.frames.iter().filter(|frame| is_due(frame, open)).count()
    }

    /// Empties the frame stores that are neither references nor waiting, and names what nobody needs any more.
    pub(super) fn sweep(&mut self) {
        let open = self.open.map(|open| open.picture);
        let before = self.frames.len();
        self.frames
            .retain(|frame| frame.is_reference() || frame.display == Display::Waiting || Some(frame.picture) == open);
        if self.frames.len() == before {
            return;
        }
        let (frames, events) = (&self.frames, &mut self.events);
        self.alive.retain(|&picture| {
            let needed = frames.iter().any(|frame| needs(frame, picture));
            if !needed {
                events.push_back(DpbEvent::Released { picture });
            }
            needed
        });
    }
}

/// Whether a frame waits for output and has all the fields that it will get.
fn is_due(frame: &Frame, open: Option<PictureId>) -> bool {
    frame.display == Display::Waiting && Some(frame.picture) != open
}

fn needs(frame: &Frame, picture: PictureId) -> bool {
    let stands_in = matches!(frame.origin, Origin::Lost { stand_in: Some(other) } if other.picture == picture);
    frame.picture == picture || stands_in
}
