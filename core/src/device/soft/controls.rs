//! Control values: what is accepted, what a request carries, what holds.

use fourier_soft::{Controls, DecodeMode};
use nix::errno::Errno;
use v4l2r::bindings as v4l2;

use crate::memory::Format;

use super::personality::Personality;
use crate::device::Control;

/// Values that a request sets; what it does not set keeps the value it has when the request is decoded.
#[derive(Debug, Default)]
pub(super) struct RequestControls {
    values: Controls,
    given: Given,
}

/// Which values of [`RequestControls`] are set.
#[derive(Clone, Copy, Debug, Default)]
struct Given {
    decode_mode: bool,
    start_code: bool,
    sps: bool,
    pps: bool,
    scaling_matrix: bool,
    decode_params: bool,
    slice_params: bool,
    pred_weights: bool,
}

impl RequestControls {
    /// Takes a value over; a later one replaces an earlier one.
    pub(super) fn set(&mut self, control: &Control<'_>) {
        store(&mut self.values, control);
        let given = &mut self.given;
        *match control {
            Control::DecodeMode(_) => &mut given.decode_mode,
            Control::StartCode(_) => &mut given.start_code,
            Control::Sps(_) => &mut given.sps,
            Control::Pps(_) => &mut given.pps,
            Control::ScalingMatrix(_) => &mut given.scaling_matrix,
            Control::DecodeParams(_) => &mut given.decode_params,
            Control::SliceParams(_) => &mut given.slice_params,
            Control::PredWeights(_) => &mut given.pred_weights,
        } = true;
    }

    /// Forgets everything (REINIT).
    pub(super) fn clear(&mut self) {
        self.given = Given::default();
    }

    /// Makes its values the current ones, where they stay.
    pub(super) fn apply(&self, current: &mut Controls) {
        let (values, given) = (&self.values, self.given);
        let set = |given: bool, control: Control<'_>, current: &mut Controls| {
            if given {
                store(current, &control);
            }
        };
        set(given.decode_mode, Control::DecodeMode(values.decode_mode), current);
        set(given.start_code, Control::StartCode(values.start_code), current);
        set(given.sps, Control::Sps(&values.sps), current);
        set(given.pps, Control::Pps(&values.pps), current);
        set(
            given.scaling_matrix,
            Control::ScalingMatrix(&values.scaling_matrix),
            current,
        );
        set(
            given.decode_params,
            Control::DecodeParams(&values.decode_params),
            current,
        );
        set(given.slice_params, Control::SliceParams(&values.slice_params), current);
        set(given.pred_weights, Control::PredWeights(&values.pred_weights), current);
    }
}

/// The values that a node has when it is opened.
pub(super) fn initial(personality: &Personality) -> Controls {
    Controls {
        decode_mode: personality.decode_modes.first().copied().unwrap_or_default(),
        start_code: personality.start_codes.first().copied().unwrap_or_default(),
        ..Controls::default()
    }
}

/// Writes one value.
pub(super) fn store(values: &mut Controls, control: &Control<'_>) {
    match *control {
        Control::DecodeMode(mode) => values.decode_mode = mode,
        Control::StartCode(code) => values.start_code = code,
        Control::Sps(sps) => values.sps = *sps,
        Control::Pps(pps) => values.pps = *pps,
        Control::ScalingMatrix(matrix) => values.scaling_matrix = *matrix,
        Control::DecodeParams(params) => values.decode_params = *params,
        Control::SliceParams(params) => values.slice_params = *params,
        Control::PredWeights(weights) => values.pred_weights = *weights,
    }
}

/// Whether a device of `personality` whose OUTPUT queue has the format `output` accepts a value: what
/// `v4l2_ctrl_ops.try_ctrl` of a driver and `std_validate_compound()` of the kernel check.
pub(super) fn validate(personality: &Personality, output: &Format, control: &Control<'_>) -> Result<(), Errno> {
    let accepted = match *control {
        Control::DecodeMode(mode) => personality.decode_modes.contains(&mode),
        Control::StartCode(code) => personality.start_codes.contains(&code),
        Control::Sps(sps) => accepts_sps(personality, output, sps),
        Control::Pps(pps) => accepts_pps(pps),
        Control::ScalingMatrix(_) => true,
        Control::DecodeParams(params) => params.nal_ref_idc <= 3,
        Control::SliceParams(params) => has_slice_controls(personality) && accepts_slice_params(params),
        Control::PredWeights(weights) => {
            has_slice_controls(personality)
                && weights.luma_log2_weight_denom <= 7
                && weights.chroma_log2_weight_denom <= 7
        }
    };
    accepted.then_some(()).ok_or(Errno::EINVAL)
}

/// Frame-based devices do not have the controls of a slice.
fn has_slice_controls(personality: &Personality) -> bool {
    personality.decode_modes.contains(&DecodeMode::SliceBased)
}

fn accepts_sps(personality: &Personality, output: &Format, sps: &v4l2::v4l2_ctrl_h264_sps) -> bool {
    let has = |flag: u32| sps.flags & flag != 0;
    let progressive = has(v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY);
    let map_units = u32::from(sps.pic_height_in_map_units_minus1) + 1;
    let width = (u32::from(sps.pic_width_in_mbs_minus1) + 1) * 16;
    let height = map_units * 16 * if progressive { 1 } else { 2 };
    let most_chroma = if personality.chroma_422 { 2 } else { 1 };
    let sampling = sps.chroma_format_idc <= most_chroma && !has(v4l2::V4L2_H264_SPS_FLAG_SEPARATE_COLOUR_PLANE);
    let depth = sps.bit_depth_luma_minus8 == sps.bit_depth_chroma_minus8
        && [0, 2].contains(&sps.bit_depth_luma_minus8)
        && sps.bit_depth_luma_minus8 + 8 <= personality.max_bit_depth;
    let mbaff = has(v4l2::V4L2_H264_SPS_FLAG_MB_ADAPTIVE_FRAME_FIELD);
    sampling
        && depth
        && (!mbaff || personality.interlaced)
        && !has(v4l2::V4L2_H264_SPS_FLAG_QPPRIME_Y_ZERO_TRANSFORM_BYPASS)
        && sps.max_num_ref_frames <= 16
        && width <= output.size.width
        && height <= output.size.height
}

fn accepts_pps(pps: &v4l2::v4l2_ctrl_h264_pps) -> bool {
    pps.num_slice_groups_minus1 == 0
        && pps.weighted_bipred_idc <= 2
        && (-26 - 6 * 2..=25).contains(&pps.pic_init_qp_minus26)
        && (-12..=12).contains(&pps.chroma_qp_index_offset)
        && (-12..=12).contains(&pps.second_chroma_qp_index_offset)
        && pps.num_ref_idx_l0_default_active_minus1 < 32
        && pps.num_ref_idx_l1_default_active_minus1 < 32
}

fn accepts_slice_params(params: &v4l2::v4l2_ctrl_h264_slice_params) -> bool {
    u32::from(params.slice_type) <= v4l2::V4L2_H264_SLICE_TYPE_I
        && params.disable_deblocking_filter_idc <= 2
        && (-6..=6).contains(&params.slice_alpha_c0_offset_div2)
        && (-6..=6).contains(&params.slice_beta_offset_div2)
        && params.num_ref_idx_l0_active_minus1 < 32
        && params.num_ref_idx_l1_active_minus1 < 32
}
