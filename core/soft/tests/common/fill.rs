//! Control structures from parsed syntax, field by field as the uAPI documents them; shares nothing with the fill that
//! core decodes with.

use fourier_core::h264::reference::{Reference, ReferencePicture};
use fourier_core::h264::slice_header::{PicOrderCnt, SliceHeader, SliceType};
use fourier_core::h264::sps::PicOrderCntType;
use fourier_core::h264::{Pps, Sps};
use fourier_soft::Controls;
use v4l2r::bindings as v4l2;

/// `reference_ts` of a picture, in nanoseconds.
pub fn timestamp(picture: fourier_core::h264::PictureId) -> u64 {
    (picture.0 + 1) * 1000
}

/// `bit`, if `is_set`.
fn flag(bit: u32, is_set: bool) -> u32 {
    if is_set { bit } else { 0 }
}

/// Everything that holds for all slices of a picture.
pub fn picture(
    sps: &Sps,
    pps: &Pps,
    header: &SliceHeader,
    field_order_cnt: [i32; 2],
    references: &[ReferencePicture],
) -> Controls {
    Controls {
        sps: sequence(sps),
        pps: picture_parameters(sps, pps),
        scaling_matrix: scaling_matrix(sps, pps),
        decode_params: decode_params(header, field_order_cnt, references),
        ..Controls::default()
    }
}

fn sequence(sps: &Sps) -> v4l2::v4l2_ctrl_h264_sps {
    let mut control = v4l2::v4l2_ctrl_h264_sps {
        profile_idc: sps.profile_idc,
        level_idc: sps.level_idc,
        chroma_format_idc: sps.chroma_format_idc,
        bit_depth_luma_minus8: sps.bit_depth_luma_minus8,
        bit_depth_chroma_minus8: sps.bit_depth_chroma_minus8,
        log2_max_frame_num_minus4: sps.log2_max_frame_num_minus4,
        max_num_ref_frames: sps.max_num_ref_frames,
        pic_width_in_mbs_minus1: sps.pic_width_in_mbs_minus1,
        pic_height_in_map_units_minus1: sps.pic_height_in_map_units_minus1,
        flags: flag(
            v4l2::V4L2_H264_SPS_FLAG_SEPARATE_COLOUR_PLANE,
            sps.separate_colour_plane_flag,
        ) | flag(
            v4l2::V4L2_H264_SPS_FLAG_QPPRIME_Y_ZERO_TRANSFORM_BYPASS,
            sps.qpprime_y_zero_transform_bypass_flag,
        ) | flag(v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY, sps.frame_mbs_only_flag)
            | flag(
                v4l2::V4L2_H264_SPS_FLAG_MB_ADAPTIVE_FRAME_FIELD,
                sps.mb_adaptive_frame_field_flag,
            )
            | flag(
                v4l2::V4L2_H264_SPS_FLAG_DIRECT_8X8_INFERENCE,
                sps.direct_8x8_inference_flag,
            ),
        ..Default::default()
    };
    control.pic_order_cnt_type = match &sps.pic_order_cnt_type {
        PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4,
        } => {
            control.log2_max_pic_order_cnt_lsb_minus4 = *log2_max_pic_order_cnt_lsb_minus4;
            0
        }
        PicOrderCntType::Type1 { .. } => 1,
        PicOrderCntType::Type2 => 2,
    };
    control
}

fn picture_parameters(sps: &Sps, pps: &Pps) -> v4l2::v4l2_ctrl_h264_pps {
    let flags = flag(
        v4l2::V4L2_H264_PPS_FLAG_ENTROPY_CODING_MODE,
        pps.entropy_coding_mode_flag,
    ) | flag(v4l2::V4L2_H264_PPS_FLAG_WEIGHTED_PRED, pps.weighted_pred_flag)
        | flag(
            v4l2::V4L2_H264_PPS_FLAG_DEBLOCKING_FILTER_CONTROL_PRESENT,
            pps.deblocking_filter_control_present_flag,
        )
        | flag(
            v4l2::V4L2_H264_PPS_FLAG_CONSTRAINED_INTRA_PRED,
            pps.constrained_intra_pred_flag,
        )
        | flag(
            v4l2::V4L2_H264_PPS_FLAG_REDUNDANT_PIC_CNT_PRESENT,
            pps.redundant_pic_cnt_present_flag,
        )
        | flag(v4l2::V4L2_H264_PPS_FLAG_TRANSFORM_8X8_MODE, pps.transform_8x8_mode_flag)
        | flag(
            v4l2::V4L2_H264_PPS_FLAG_SCALING_MATRIX_PRESENT,
            pps.scaling_lists(sps).is_some(),
        );
    v4l2::v4l2_ctrl_h264_pps {
        pic_parameter_set_id: pps.pic_parameter_set_id.get(),
        seq_parameter_set_id: pps.seq_parameter_set_id.get(),
        num_slice_groups_minus1: pps.num_slice_groups_minus1,
        num_ref_idx_l0_default_active_minus1: pps.num_ref_idx_l0_default_active_minus1,
        num_ref_idx_l1_default_active_minus1: pps.num_ref_idx_l1_default_active_minus1,
        weighted_bipred_idc: pps.weighted_bipred_idc,
        pic_init_qp_minus26: pps.pic_init_qp_minus26,
        pic_init_qs_minus26: pps.pic_init_qs_minus26,
        chroma_qp_index_offset: pps.chroma_qp_index_offset,
        second_chroma_qp_index_offset: pps.second_chroma_qp_index_offset,
        flags: flags as u16,
    }
}

/// Raster order from zig-zag order.
fn scaling_matrix(sps: &Sps, pps: &Pps) -> v4l2::v4l2_ctrl_h264_scaling_matrix {
    let mut control = v4l2::v4l2_ctrl_h264_scaling_matrix::default();
    if let Some(lists) = pps.scaling_lists(sps) {
        for (raster, list) in control.scaling_list_4x4.iter_mut().zip(&lists.lists_4x4) {
            zig_zag(4).zip(list).for_each(|(at, &value)| raster[at] = value);
        }
        for (raster, list) in control.scaling_list_8x8.iter_mut().zip(&lists.lists_8x8) {
            zig_zag(8).zip(list).for_each(|(at, &value)| raster[at] = value);
        }
    }
    control
}

/// The places of a `size` x `size` block in zig-zag order (figure 8-8).
fn zig_zag(size: usize) -> impl Iterator<Item = usize> {
    (0..2 * size - 1).flat_map(move |diagonal| {
        let on_it = (0..=diagonal).filter(move |&y| y < size && diagonal - y < size);
        let mut places: Vec<usize> = on_it.map(|y| y * size + diagonal - y).collect();
        if diagonal % 2 == 0 {
            places.reverse();
        }
        places
    })
}

fn decode_params(
    header: &SliceHeader,
    field_order_cnt: [i32; 2],
    references: &[ReferencePicture],
) -> v4l2::v4l2_ctrl_h264_decode_params {
    let parity = header.structure.parity();
    let mut control = v4l2::v4l2_ctrl_h264_decode_params {
        nal_ref_idc: header.nal_ref_idc.into(),
        frame_num: header.frame_num,
        top_field_order_cnt: field_order_cnt[0],
        bottom_field_order_cnt: field_order_cnt[1],
        idr_pic_id: header.idr_pic_id.unwrap_or(0),
        dec_ref_pic_marking_bit_size: header.dec_ref_pic_marking_bit_size,
        pic_order_cnt_bit_size: header.pic_order_cnt_bit_size,
        flags: flag(v4l2::V4L2_H264_DECODE_PARAM_FLAG_IDR_PIC, header.idr_pic_id.is_some())
            | flag(v4l2::V4L2_H264_DECODE_PARAM_FLAG_FIELD_PIC, parity.is_some())
            | flag(
                v4l2::V4L2_H264_DECODE_PARAM_FLAG_BOTTOM_FIELD,
                parity == Some(fourier_core::h264::Parity::Bottom),
            ),
        ..Default::default()
    };
    if let PicOrderCnt::Type0 { pic_order_cnt_lsb, .. } = header.pic_order_cnt {
        control.pic_order_cnt_lsb = pic_order_cnt_lsb;
    }
    for (entry, reference) in control.dpb.iter_mut().zip(references) {
        *entry = dpb_entry(reference);
    }
    control
}

fn dpb_entry(reference: &ReferencePicture) -> v4l2::v4l2_h264_dpb_entry {
    let (frame_num, pic_num, long_term) = match reference.reference {
        Reference::ShortTerm { frame_num, pic_num } => (frame_num, pic_num as u32, false),
        Reference::LongTerm {
            long_term_frame_idx,
            long_term_pic_num,
        } => (long_term_frame_idx, long_term_pic_num.into(), true),
    };
    v4l2::v4l2_h264_dpb_entry {
        reference_ts: timestamp(reference.picture),
        pic_num,
        frame_num,
        fields: (flag(v4l2::V4L2_H264_TOP_FIELD_REF, reference.fields[0])
            | flag(v4l2::V4L2_H264_BOTTOM_FIELD_REF, reference.fields[1])) as u8,
        top_field_order_cnt: reference.field_order_cnt[0],
        bottom_field_order_cnt: reference.field_order_cnt[1],
        flags: v4l2::V4L2_H264_DPB_ENTRY_FLAG_VALID
            | v4l2::V4L2_H264_DPB_ENTRY_FLAG_ACTIVE
            | flag(v4l2::V4L2_H264_DPB_ENTRY_FLAG_LONG_TERM, long_term)
            | flag(v4l2::V4L2_H264_DPB_ENTRY_FLAG_FIELD, reference.coded_as_fields),
        ..Default::default()
    }
}

/// What slice mode has besides.
pub fn slice(
    controls: &mut Controls,
    header: &SliceHeader,
    lists: &[Vec<Option<fourier_core::h264::reference::ListEntry>>; 2],
) {
    let control = &mut controls.slice_params;
    *control = v4l2::v4l2_ctrl_h264_slice_params {
        header_bit_size: header.header_bit_size,
        first_mb_in_slice: header.first_mb_in_slice,
        slice_type: match header.slice_type {
            SliceType::P => 0,
            SliceType::B => 1,
            SliceType::I => 2,
            SliceType::Sp => 3,
            SliceType::Si => 4,
        },
        cabac_init_idc: header.cabac_init_idc,
        slice_qp_delta: header.slice_qp_delta,
        disable_deblocking_filter_idc: header.disable_deblocking_filter_idc,
        slice_alpha_c0_offset_div2: header.slice_alpha_c0_offset_div2,
        slice_beta_offset_div2: header.slice_beta_offset_div2,
        num_ref_idx_l0_active_minus1: header.num_ref_idx_active[0].saturating_sub(1),
        num_ref_idx_l1_active_minus1: header.num_ref_idx_active[1].saturating_sub(1),
        flags: flag(
            v4l2::V4L2_H264_SLICE_FLAG_DIRECT_SPATIAL_MV_PRED,
            header.direct_spatial_mv_pred_flag,
        ),
        ..Default::default()
    };
    for (entries, list) in [&mut control.ref_pic_list0, &mut control.ref_pic_list1]
        .into_iter()
        .zip(lists)
    {
        for (entry, reference) in entries.iter_mut().zip(list) {
            let Some(reference) = reference else { continue };
            entry.index = reference.reference;
            entry.fields = match reference.parity {
                None => v4l2::V4L2_H264_FRAME_REF,
                Some(fourier_core::h264::Parity::Top) => v4l2::V4L2_H264_TOP_FIELD_REF,
                Some(fourier_core::h264::Parity::Bottom) => v4l2::V4L2_H264_BOTTOM_FIELD_REF,
            } as u8;
        }
    }
    let Some(table) = &header.pred_weight_table else { return };
    let control = &mut controls.pred_weights;
    *control = Default::default();
    control.luma_log2_weight_denom = table.luma_log2_weight_denom.into();
    control.chroma_log2_weight_denom = table.chroma_log2_weight_denom.into();
    for (factors, weights) in control.weight_factors.iter_mut().zip(&table.weights) {
        for (i, weight) in weights.iter().enumerate() {
            (factors.luma_weight[i], factors.luma_offset[i]) = (weight.weight[0], weight.offset[0]);
            for component in 0..2 {
                factors.chroma_weight[i][component] = weight.weight[1 + component];
                factors.chroma_offset[i][component] = weight.offset[1 + component];
            }
        }
    }
}
