//! Which frame of the base class a piece of input belongs to.
//!
//! With `alignment=au` a frame is one piece; with `alignment=nal` every NAL unit is one, and all but the piece that
//! starts the picture come to nothing. Nothing comes of the frame only if that is so of every piece.

use std::collections::HashMap;

use fourier_core::decode::stream::{DropReason, FrameTag};

/// `system_frame_number` of a GstVideoCodecFrame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FrameNumber(pub(super) u32);

/// Frames that the decoder has pieces of.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    frames: HashMap<FrameNumber, Open>,
}

#[derive(Debug)]
struct Open {
    given: u32,
    dropped: u32,
    is_complete: bool,
    reason: DropReason,
}

impl Pieces {
    /// The tag for the next piece of `number`; `is_last` if no other follows.
    pub(super) fn tag(&mut self, number: FrameNumber, is_last: bool) -> FrameTag {
        let new = Open {
            given: 0,
            dropped: 0,
            is_complete: false,
            reason: DropReason::NoPicture,
        };
        let open = self.frames.entry(number).or_insert(new);
        open.given += 1;
        open.is_complete |= is_last;
        FrameTag(u64::from(number.0) << 32 | u64::from(open.given))
    }

    /// A picture came of a piece: the frame it is for, unless that had one already.
    pub(super) fn output(&mut self, tag: FrameTag) -> Option<FrameNumber> {
        let number = number_of(tag);
        self.frames.remove(&number).map(|_| number)
    }

    /// No picture will come of a piece: the frame, if none can come of it any more, and why.
    pub(super) fn dropped(&mut self, tag: FrameTag, reason: DropReason) -> Option<(FrameNumber, DropReason)> {
        let number = number_of(tag);
        let open = self.frames.get_mut(&number)?;
        open.dropped += 1;
        if reason != DropReason::NoPicture {
            open.reason = reason;
        }
        if !open.is_complete || open.dropped < open.given {
            return None;
        }
        self.frames.remove(&number).map(|open| (number, open.reason))
    }

    /// After a flush of the decoder.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
    }
}

fn number_of(tag: FrameTag) -> FrameNumber {
    FrameNumber((tag.0 >> 32) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: FrameNumber = FrameNumber(u32::MAX);

    #[test]
    fn a_frame_in_one_piece_goes_out_or_is_dropped_with_it() {
        let mut pieces = Pieces::default();
        let tag = pieces.tag(FRAME, true);
        assert_eq!(pieces.output(tag), Some(FRAME));
        let tag = pieces.tag(FRAME, true);
        assert_eq!(
            pieces.dropped(tag, DropReason::Leading),
            Some((FRAME, DropReason::Leading))
        );
        assert!(pieces.frames.is_empty());
    }

    #[test]
    fn parameter_sets_and_further_slices_do_not_drop_the_frame_of_their_picture() {
        let mut pieces = Pieces::default();
        let [sps, first_slice, second_slice] = [false, false, true].map(|is_last| pieces.tag(FRAME, is_last));
        assert_eq!(pieces.dropped(sps, DropReason::NoPicture), None);
        assert_eq!(pieces.dropped(second_slice, DropReason::NoPicture), None);
        assert_eq!(pieces.output(first_slice), Some(FRAME));
        assert!(pieces.frames.is_empty());
    }

    #[test]
    fn a_frame_is_dropped_with_its_last_piece_and_the_reason_of_its_picture() {
        let mut pieces = Pieces::default();
        let first = pieces.tag(FRAME, false);
        assert_eq!(pieces.dropped(first, DropReason::Undecodable), None);
        let last = pieces.tag(FRAME, true);
        assert_eq!(
            pieces.dropped(last, DropReason::NoPicture),
            Some((FRAME, DropReason::Undecodable))
        );
    }

    #[test]
    fn a_second_picture_of_the_same_frame_has_none() {
        let mut pieces = Pieces::default();
        let [first, second] = [false, true].map(|is_last| pieces.tag(FRAME, is_last));
        assert_eq!(pieces.output(first), Some(FRAME));
        assert_eq!(pieces.output(second), None);
        assert_eq!(pieces.dropped(second, DropReason::NotOutput), None);
    }
}
