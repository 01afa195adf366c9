//! How many frames a sequence may keep and how late it may show them, in the form that the DPB counts in.

use crate::h264::sps::Sps;

/// What to assume where the stream does not say how far it reorders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputPolicy {
    /// What the standard infers: order is right for every conforming stream.
    #[default]
    Standard,
    /// In decoding order, as cameras and conferencing encoders send: right for every stream that does not reorder.
    LowLatency,
}

/// The limits of one coded video sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DpbLimits {
    /// Frames that the DPB holds, `max_dec_frame_buffering`; at least 1 and `max_num_ref_frames`.
    pub max_dec_frame_buffering: usize,
    /// Frames that may be decoded before and shown after another, `max_num_reorder_frames`.
    pub max_num_reorder_frames: usize,
    /// Frames that may be references at once, `Max(max_num_ref_frames, 1)`.
    pub max_num_ref_frames: usize,
}

impl DpbLimits {
    /// The tightest limits that the sequence's own signalling and `policy` permit.
    pub fn new(sps: &Sps, policy: OutputPolicy) -> Self {
        // None of these is above 16.
        let frames = |count: u32| usize::try_from(count).unwrap_or(usize::MAX).min(16);
        let says_nothing = sps.vui.as_ref().is_none_or(|vui| vui.bitstream_restriction.is_none());
        let reorder = if policy == OutputPolicy::LowLatency && says_nothing {
            0
        } else {
            sps.max_num_reorder_frames()
        };
        Self {
            max_dec_frame_buffering: frames(sps.max_dec_frame_buffering()).max(1),
            max_num_reorder_frames: frames(reorder),
            max_num_ref_frames: frames(sps.max_num_ref_frames.into()).max(1),
        }
    }
}
