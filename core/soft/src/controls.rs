//! The control structures of one request, as a driver receives them.

use v4l2r::bindings as v4l2;

/// `V4L2_CID_STATELESS_H264_DECODE_MODE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecodeMode {
    /// One request holds one slice; [`Controls::slice_params`] describes it.
    SliceBased,
    /// One request holds all slices of a frame or field.
    #[default]
    FrameBased,
}

/// `V4L2_CID_STATELESS_H264_START_CODE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartCode {
    /// Slices follow one another without a prefix; only one slice fits into an OUTPUT buffer.
    None,
    /// Every slice has an Annex B start code.
    #[default]
    AnnexB,
}

/// Everything a driver knows about the picture or slice of one request.
#[derive(Clone, Debug, Default)]
pub struct Controls {
    /// How slices come in.
    pub decode_mode: DecodeMode,
    /// What stands before each slice.
    pub start_code: StartCode,
    /// `V4L2_CID_STATELESS_H264_SPS`.
    pub sps: v4l2::v4l2_ctrl_h264_sps,
    /// `V4L2_CID_STATELESS_H264_PPS`.
    pub pps: v4l2::v4l2_ctrl_h264_pps,
    /// `V4L2_CID_STATELESS_H264_SCALING_MATRIX`; used when the PPS has `SCALING_MATRIX_PRESENT`.
    pub scaling_matrix: v4l2::v4l2_ctrl_h264_scaling_matrix,
    /// `V4L2_CID_STATELESS_H264_DECODE_PARAMS`.
    pub decode_params: v4l2::v4l2_ctrl_h264_decode_params,
    /// `V4L2_CID_STATELESS_H264_SLICE_PARAMS`; read in slice mode only.
    pub slice_params: v4l2::v4l2_ctrl_h264_slice_params,
    /// `V4L2_CID_STATELESS_H264_PRED_WEIGHTS`; read in slice mode only.
    pub pred_weights: v4l2::v4l2_ctrl_h264_pred_weights,
}
