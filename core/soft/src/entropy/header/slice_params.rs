//! Slice mode: the header from `V4L2_CID_STATELESS_H264_SLICE_PARAMS` and `V4L2_CID_STATELESS_H264_PRED_WEIGHTS`.

use v4l2r::bindings as v4l2;

use super::{SliceHeader, has_pred_weights, lists_of, mb_addr_step, qp_min, slice_type};
use crate::entropy::bits::BitReader;
use crate::entropy::params::check_field;
use crate::entropy::ref_list::{MAX_LENGTH, RefPicList};
use crate::picture::{Parity, Structure};
use crate::slice::{PredWeightTable, RefPic, Slice, SliceType, Weight};
use crate::{Controls, Error, PictureParams};

const CONTROL: &str = "SLICE_PARAMS";

/// The slice of the control; leaves `bits` behind its header.
///
/// # Errors
/// [`Error::Control`] for a value out of its range.
pub(super) fn header(
    controls: &Controls,
    params: &PictureParams,
    bits: &mut BitReader<'_>,
) -> Result<SliceHeader, Error> {
    let control = &controls.slice_params;
    check_ranges(control, params, bits.end())?;
    let Some(slice_type) = slice_type(control.slice_type.into()) else {
        return Err(Error::Control {
            control: CONTROL,
            field: "slice_type",
            value: control.slice_type.into(),
        });
    };
    bits.seek(control.header_bit_size as usize);
    let mut num_ref_idx_active = [
        control.num_ref_idx_l0_active_minus1 + 1,
        control.num_ref_idx_l1_active_minus1 + 1,
    ];
    num_ref_idx_active[lists_of(slice_type)..].fill(0);
    let slice = Slice {
        slice_type,
        first_mb: control.first_mb_in_slice * mb_addr_step(params),
        macroblocks: 0..0,
        num_ref_idx_active,
        ref_pic_list: [
            ref_pic_list(params, &control.ref_pic_list0, num_ref_idx_active[0]),
            ref_pic_list(params, &control.ref_pic_list1, num_ref_idx_active[1]),
        ],
        direct_spatial_mv_pred_flag: control.flags & v4l2::V4L2_H264_SLICE_FLAG_DIRECT_SPATIAL_MV_PRED != 0,
        pred_weights: None,
        disable_deblocking_filter_idc: control.disable_deblocking_filter_idc,
        filter_offset_a: 2 * control.slice_alpha_c0_offset_div2,
        filter_offset_b: 2 * control.slice_beta_offset_div2,
    };
    let pred_weights = match has_pred_weights(params, slice_type) {
        true => Some(pred_weight_table(&controls.pred_weights)?),
        false => None,
    };
    let cabac_init_idc = (slice_type != SliceType::I).then_some(control.cabac_init_idc);
    Ok(SliceHeader {
        slice,
        pred_weights,
        slice_qp: i32::from(params.pic_init_qp) + i32::from(control.slice_qp_delta),
        cabac_init_idc,
    })
}

/// Whether every number is in its range.
fn check_ranges(control: &v4l2::v4l2_ctrl_h264_slice_params, params: &PictureParams, bits: usize) -> Result<(), Error> {
    let macroblocks = i64::from(params.width_in_mbs * params.height_in_mbs / mb_addr_step(params));
    let init_qp = i64::from(params.pic_init_qp);
    let (least_delta, greatest_delta) = (i64::from(qp_min(params)) - init_qp, 51 - init_qp);
    check_field!(CONTROL, control.first_mb_in_slice, 0..=macroblocks - 1)?;
    check_field!(CONTROL, control.header_bit_size, 0..=bits as i64)?;
    check_field!(CONTROL, control.cabac_init_idc, 0..=2)?;
    check_field!(CONTROL, control.disable_deblocking_filter_idc, 0..=2)?;
    check_field!(CONTROL, control.slice_alpha_c0_offset_div2, -6..=6)?;
    check_field!(CONTROL, control.slice_beta_offset_div2, -6..=6)?;
    check_field!(CONTROL, control.num_ref_idx_l0_active_minus1, 0..=31)?;
    check_field!(CONTROL, control.num_ref_idx_l1_active_minus1, 0..=31)?;
    check_field!(CONTROL, control.slice_qp_delta, least_delta..=greatest_delta)
}

/// A list of the slice parameters; places that name no active picture of the DPB stay empty.
fn ref_pic_list(params: &PictureParams, control: &[v4l2::v4l2_h264_reference; MAX_LENGTH], active: u8) -> RefPicList {
    let mut list = [None; MAX_LENGTH];
    for (entry, reference) in list.iter_mut().zip(control).take(active.into()) {
        let parity = match (params.structure, u32::from(reference.fields)) {
            (Structure::Frame { .. }, v4l2::V4L2_H264_FRAME_REF) => None,
            (Structure::Field(_), v4l2::V4L2_H264_TOP_FIELD_REF) => Some(Parity::Top),
            (Structure::Field(_), v4l2::V4L2_H264_BOTTOM_FIELD_REF) => Some(Parity::Bottom),
            _ => continue,
        };
        if let Some(Some(_)) = params.dpb.get(usize::from(reference.index)) {
            *entry = Some(RefPic {
                dpb_index: reference.index,
                parity,
            });
        }
    }
    list
}

/// `V4L2_CID_STATELESS_H264_PRED_WEIGHTS`.
fn pred_weight_table(control: &v4l2::v4l2_ctrl_h264_pred_weights) -> Result<PredWeightTable, Error> {
    check_field!("PRED_WEIGHTS", control.luma_log2_weight_denom, 0..=7)?;
    check_field!("PRED_WEIGHTS", control.chroma_log2_weight_denom, 0..=7)?;
    let list = |factors: &v4l2::v4l2_h264_weight_factors| {
        std::array::from_fn(|i| {
            let ([cb, cr], [cb_offset, cr_offset]) = (factors.chroma_weight[i], factors.chroma_offset[i]);
            Weight {
                weight: [factors.luma_weight[i], cb, cr],
                offset: [factors.luma_offset[i], cb_offset, cr_offset],
            }
        })
    };
    let [factors0, factors1] = &control.weight_factors;
    Ok(PredWeightTable {
        luma_log2_weight_denom: control.luma_log2_weight_denom as u8,
        chroma_log2_weight_denom: control.chroma_log2_weight_denom as u8,
        weights: [list(factors0), list(factors1)],
    })
}
