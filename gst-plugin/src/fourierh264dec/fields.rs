//! What caps and buffers say of fields.

use fourier_core::decode::stream::Interlacing;
use gst_video::{VideoBufferFlags, VideoFieldOrder, VideoInterlaceMode};

/// What the caps say of the frames so far; a frame that it does not hold for makes it `Mixed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fields {
    /// None is interlaced.
    Progressive,
    /// All are, in one order, and none repeats a field.
    Interleaved(VideoFieldOrder),
    /// Each buffer's flags say it.
    Mixed,
}

impl Fields {
    /// What holds for one frame.
    pub(super) fn of(frame: Interlacing) -> Self {
        match frame {
            Interlacing { interlaced: false, .. } => Self::Progressive,
            Interlacing { repeated: true, .. } => Self::Mixed,
            Interlacing { top_field_first, .. } => Self::Interleaved(match top_field_first {
                true => VideoFieldOrder::TopFieldFirst,
                false => VideoFieldOrder::BottomFieldFirst,
            }),
        }
    }

    /// What holds for the frames so far and this one.
    pub(super) fn with(self, frame: Interlacing) -> Self {
        match self == Self::of(frame) {
            true => self,
            false => Self::Mixed,
        }
    }

    /// The values of the caps fields `interlace-mode` and `field-order`.
    pub(super) fn caps(self) -> (VideoInterlaceMode, Option<VideoFieldOrder>) {
        match self {
            Self::Progressive => (VideoInterlaceMode::Progressive, None),
            Self::Interleaved(order) => (VideoInterlaceMode::Interleaved, Some(order)),
            Self::Mixed => (VideoInterlaceMode::Mixed, None),
        }
    }
}

/// What a buffer says of the fields in it; nothing of a progressive frame, as avdec_h264 does.
pub(super) fn buffer_flags(frame: Interlacing) -> VideoBufferFlags {
    let Interlacing {
        interlaced,
        top_field_first,
        repeated,
    } = frame;
    let mut flags = VideoBufferFlags::empty();
    flags.set(VideoBufferFlags::INTERLACED, interlaced);
    flags.set(VideoBufferFlags::TFF, interlaced && top_field_first);
    flags.set(VideoBufferFlags::RFF, interlaced && repeated);
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILM: Interlacing = Interlacing {
        interlaced: false,
        top_field_first: true,
        repeated: false,
    };
    const TOP_FIRST: Interlacing = Interlacing {
        interlaced: true,
        ..FILM
    };
    const BOTTOM_FIRST: Interlacing = Interlacing {
        top_field_first: false,
        ..TOP_FIRST
    };

    #[test]
    fn caps_say_what_all_frames_so_far_have_in_common() {
        let top_first = Fields::of(TOP_FIRST);
        assert_eq!(top_first, Fields::Interleaved(VideoFieldOrder::TopFieldFirst));
        assert_eq!(top_first.with(TOP_FIRST), top_first);
        for other in [FILM, BOTTOM_FIRST] {
            assert_eq!(top_first.with(other), Fields::Mixed);
            assert_eq!(top_first.with(other).with(TOP_FIRST), Fields::Mixed, "no way back");
        }
        assert_eq!(Fields::of(FILM).with(FILM), Fields::Progressive);
    }

    #[test]
    fn a_repeated_field_is_the_buffers_business() {
        let repeated = Interlacing {
            repeated: true,
            ..TOP_FIRST
        };
        assert_eq!(Fields::of(repeated), Fields::Mixed);
        assert!(buffer_flags(repeated).contains(VideoBufferFlags::RFF));
        assert!(buffer_flags(FILM).is_empty());
    }
}
