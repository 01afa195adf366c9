//! The reconstruction stage: syntax elements into samples (clause 8).

use crate::picture::DPB_SIZE;
use crate::planes::{FrameMut, FrameRef, Sample};
use crate::{MotionField, ParsedPicture};

/// Which part of a picture a request holds; in frame mode always all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PicturePart {
    /// Nothing of this picture came before.
    pub first: bool,
    /// Nothing of this picture follows: conceal what is missing and finish deblocking.
    pub last: bool,
}

/// One reference picture of the DPB.
#[derive(Clone, Copy, Debug)]
pub enum Reference<'a, S> {
    /// Another frame, with the motion it was decoded with (for temporal direct).
    Frame {
        /// Its planes.
        frame: FrameRef<'a, S>,
        /// Its motion.
        motion: &'a MotionField,
    },
    /// The first field of the frame that is being decoded.
    Target,
}

/// The reference pictures by index of `v4l2_ctrl_h264_decode_params.dpb`; `None` = its timestamp names no buffer.
#[derive(Clone, Copy, Debug)]
pub struct References<'a, S>(pub [Option<Reference<'a, S>>; DPB_SIZE]);

/// How a reconstruction went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Macroblocks that no slice delivered and that were concealed.
    pub concealed_macroblocks: u32,
    /// A block was predicted from a reference that is not there.
    pub missing_reference: bool,
}

/// Reconstructs pictures; keeps the state of the picture in progress and scratch memory.
#[derive(Debug, Default)]
pub struct Reconstructor<S> {
    _scratch: Vec<S>,
}

impl<S: Sample> Reconstructor<S> {
    /// Reconstructs the slices of `parsed` into `target` and leaves the motion of the picture in `motion`.
    pub fn reconstruct(
        &mut self,
        parsed: &ParsedPicture,
        part: PicturePart,
        target: &mut FrameMut<'_, S>,
        motion: &mut MotionField,
        references: &References<'_, S>,
    ) -> Outcome {
        let _ = (parsed, part, target, motion, references);
        Outcome::default()
    }
}
