//! Errors of the core, on the bus: fatal ones as errors, damage as warnings, the first of each kind.

use std::collections::HashSet;
use std::sync::Mutex;

use fourier_core::Error;
use gst_video::VideoCodecFrame;

use super::lock;

/// Kinds of damage that were told already.
#[derive(Debug, Default)]
pub(super) struct Told(HashSet<String>);

impl Told {
    /// Whether `error` is the first of its kind: same sort, and for damage same syntax element.
    fn is_new(&mut self, error: &Error) -> bool {
        let kind = match error {
            Error::Bitstream(error) => format!("{} {}", error.structure, error.element),
            Error::Device(error) => format!("{} {}", error.call, error.errno),
            other => format!("{:?}", std::mem::discriminant(other)),
        };
        self.0.insert(kind)
    }
}

/// Damage: decoding goes on.
pub(super) fn warn(element: &super::FourierH264Dec, told: &Mutex<Told>, error: &Error) {
    let is_new = lock(told).is_new(error);
    if is_new {
        gst::element_warning!(
            element,
            gst::StreamError::Decode,
            ("The stream is damaged; decoding goes on: {error}"),
            ["further ones of this kind are only counted: see stats"]
        );
    } else {
        gst::warning!(super::CAT, obj = element, "{error}");
    }
}

/// A frame that is damaged, or predicted from one that is: it goes out marked.
pub(super) fn warn_of_damage(element: &super::FourierH264Dec, told: &Mutex<Told>, frame: &VideoCodecFrame<'_>) {
    let which = match frame.pts() {
        Some(pts) => format!("at {pts}"),
        None => format!("of input buffer {}", frame.system_frame_number()),
    };
    let is_new = lock(told).0.insert("damaged frame".into());
    if is_new {
        gst::element_warning!(
            element,
            gst::StreamError::Decode,
            ("The frame {which} is damaged; decoding goes on"),
            ["further ones are marked with GST_BUFFER_FLAG_CORRUPTED and counted: see stats"]
        );
    } else {
        gst::warning!(super::CAT, obj = element, "the frame {which} is damaged");
    }
}

/// The end: posts what happened, and says what to return upstream.
pub(super) fn fail(element: &super::FourierH264Dec, error: &Error) -> gst::FlowError {
    match error {
        Error::Flushing => return gst::FlowError::Flushing,
        Error::Unsupported(what) => {
            gst::element_error!(
                element,
                gst::StreamError::Format,
                ("This stream cannot be decoded here: {what}")
            );
        }
        Error::Bitstream(_) => gst::element_error!(element, gst::StreamError::Decode, ("{error}")),
        Error::NeedFrames { .. } => gst::element_error!(element, gst::ResourceError::NoSpaceLeft, ("{error}")),
        Error::Device(_) | Error::Lost(_) => gst::element_error!(element, gst::ResourceError::Failed, ("{error}")),
        other => gst::element_error!(element, gst::LibraryError::Failed, ("{other}")),
    }
    gst::FlowError::Error
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourier_core::BitstreamError;

    fn damage(element: &'static str, reason: &str) -> Error {
        BitstreamError {
            structure: "slice_header",
            element,
            reason: reason.into(),
            clause: "7.4.3",
        }
        .into()
    }

    #[test]
    fn damage_is_told_once_for_each_syntax_element() {
        let mut told = Told::default();
        assert!(told.is_new(&damage("frame_num", "9")));
        assert!(!told.is_new(&damage("frame_num", "10")));
        assert!(told.is_new(&damage("slice_type", "11")));
        assert!(told.is_new(&Error::Lost("x".into())));
        assert!(!told.is_new(&Error::Lost("y".into())));
    }
}
