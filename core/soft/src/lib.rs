//! Reconstructs one H.264 picture from what a stateless kernel driver is given: the control structures of
//! `V4L2_CID_STATELESS_H264_*`, the slice data of one OUTPUT buffer and the planes of the reference pictures.
//!
//! There is no file descriptor, no queue and no clock in here, and no memory of earlier pictures: references come in
//! through [`References`], in the order of `v4l2_ctrl_h264_decode_params.dpb`. A wrong control gives a wrong picture,
//! as it would on silicon.
//!
//! Two stages that can run on different cores:
//! * [`entropy`] reads slice data (clauses 7.3.3 to 7.3.5 and 9) into a [`ParsedPicture`]: syntax elements, nothing
//!   derived from other pictures;
//! * [`reconstruct`] does the rest of clause 8 (prediction, transform, deblocking) into a [`FrameMut`].
//!
//! No input makes either panic, read out of bounds or loop without end: damage ends a slice and is reported.

pub mod controls;
pub mod entropy;
mod error;
pub mod macroblock;
pub mod motion;
mod pairs;
pub mod parsed;
pub mod picture;
pub mod planes;
pub mod reconstruct;
mod simd;
pub mod slice;

pub use controls::{Controls, DecodeMode, StartCode};
pub use entropy::EntropyDecoder;
pub use error::Error;
pub use motion::MotionField;
pub use parsed::ParsedPicture;
pub use picture::PictureParams;
pub use planes::{FrameMut, FrameRef, PlaneMut, PlaneRef, Sample, Sample10};
pub use reconstruct::{Outcome, PicturePart, Reconstructor, Reference, References};
