//! Fills `v4l2_ctrl_h264_*` from a [`DecodeJob`]: the only module that sees both H.264 types and control structures.
//!
//! One page of assignments per structure, in uAPI order. Whatever a driver might look at is set, in every request: a
//! control that is left out silently keeps the value of the picture before.

use std::array;

use v4l2r::bindings as v4l2;

use super::job::{DecodeJob, ListEntry, Reference, ReferencePicture, SliceJob};
use crate::device::{Control, DecodeMode};
use crate::h264::scan::{raster_4x4, raster_8x8};
use crate::h264::slice_header::{PicOrderCnt, PredWeightTable, SliceType};
use crate::h264::sps::{PicOrderCntType, ScalingLists};
use crate::h264::{Parity, PictureStructure, Pps, SliceHeader, Sps};
use crate::units::Timestamp;

/// Entries of `v4l2_ctrl_h264_decode_params.dpb`.
pub const DPB_ENTRIES: usize = v4l2::V4L2_H264_NUM_DPB_ENTRIES as usize;
/// Entries of a reference list.
const LIST_ENTRIES: usize = v4l2::V4L2_H264_REF_LIST_LEN as usize;
/// Names no picture: our timestamps start above it.
const NO_TIMESTAMP: u64 = 0;

/// By index into [`DecodeJob::references`]: the timestamp that the driver finds the samples by; `None` = it never had
/// any.
pub type ReferenceNames = [Option<Timestamp>; DPB_ENTRIES];

/// The control structures of one request. Made once per session and filled again for every picture.
#[derive(Debug, Default)]
pub struct JobControls {
    sps: v4l2::v4l2_ctrl_h264_sps,
    pps: v4l2::v4l2_ctrl_h264_pps,
    scaling_matrix: v4l2::v4l2_ctrl_h264_scaling_matrix,
    decode_params: v4l2::v4l2_ctrl_h264_decode_params,
    slice_params: v4l2::v4l2_ctrl_h264_slice_params,
    pred_weights: v4l2::v4l2_ctrl_h264_pred_weights,
    pred_weights_required: bool,
}

impl JobControls {
    /// Fills what holds for the whole picture.
    pub fn fill_picture(&mut self, job: &DecodeJob<'_>, names: &ReferenceNames) {
        self.sps = sps(job.sps);
        self.pps = pps(job.pps);
        self.scaling_matrix = scaling_matrix(job.pps.scaling_lists(job.sps).as_ref());
        self.decode_params = decode_params(job, names);
    }

    /// Fills what holds for one slice; slice mode only, after [`Self::fill_picture`].
    pub fn fill_slice(&mut self, job: &DecodeJob<'_>, slice: &SliceJob<'_>) {
        let own_pps = slice.pps.as_deref().unwrap_or(job.pps);
        self.pps = pps(own_pps);
        self.scaling_matrix = scaling_matrix(own_pps.scaling_lists(job.sps).as_ref());
        self.slice_params = slice_params(slice);
        self.pred_weights_required = pred_weights_required(own_pps, slice.header.slice_type);
        self.pred_weights = match &slice.header.pred_weight_table {
            Some(table) if self.pred_weights_required => pred_weights(table),
            Some(_) | None => v4l2::v4l2_ctrl_h264_pred_weights::default(),
        };
    }

    /// Gives `send` every control that a request of `mode` takes.
    pub fn with<T>(&self, mode: DecodeMode, send: impl FnOnce(&[Control<'_>]) -> T) -> T {
        let all = [
            Control::Sps(&self.sps),
            Control::Pps(&self.pps),
            Control::ScalingMatrix(&self.scaling_matrix),
            Control::DecodeParams(&self.decode_params),
            Control::SliceParams(&self.slice_params),
            Control::PredWeights(&self.pred_weights),
        ];
        let count = match (mode, self.pred_weights_required) {
            (DecodeMode::FrameBased, _) => 4,
            (DecodeMode::SliceBased, false) => 5,
            (DecodeMode::SliceBased, true) => 6,
        };
        send(&all[..count])
    }
}

/// `bit` if `set`.
fn flag(bit: u32, set: bool) -> u32 {
    if set { bit } else { 0 }
}

/// `V4L2_CID_STATELESS_H264_SPS`.
pub fn sps(sps: &Sps) -> v4l2::v4l2_ctrl_h264_sps {
    let mut control = v4l2::v4l2_ctrl_h264_sps {
        profile_idc: sps.profile_idc,
        constraint_set_flags: sps.constraint_set_flags,
        level_idc: sps.level_idc,
        seq_parameter_set_id: sps.seq_parameter_set_id.0,
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
        ) | flag(
            v4l2::V4L2_H264_SPS_FLAG_GAPS_IN_FRAME_NUM_VALUE_ALLOWED,
            sps.gaps_in_frame_num_value_allowed_flag,
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
    match &sps.pic_order_cnt_type {
        PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4,
        } => {
            control.pic_order_cnt_type = 0;
            control.log2_max_pic_order_cnt_lsb_minus4 = *log2_max_pic_order_cnt_lsb_minus4;
        }
        PicOrderCntType::Type1 {
            delta_pic_order_always_zero_flag,
            offset_for_non_ref_pic,
            offset_for_top_to_bottom_field,
            offset_for_ref_frame,
        } => {
            control.pic_order_cnt_type = 1;
            let cycle = offset_for_ref_frame.len().min(control.offset_for_ref_frame.len());
            control.num_ref_frames_in_pic_order_cnt_cycle = cycle as u8;
            control.offset_for_ref_frame[..cycle].copy_from_slice(&offset_for_ref_frame[..cycle]);
            control.offset_for_non_ref_pic = *offset_for_non_ref_pic;
            control.offset_for_top_to_bottom_field = *offset_for_top_to_bottom_field;
            control.flags |= flag(
                v4l2::V4L2_H264_SPS_FLAG_DELTA_PIC_ORDER_ALWAYS_ZERO,
                *delta_pic_order_always_zero_flag,
            );
        }
        PicOrderCntType::Type2 => control.pic_order_cnt_type = 2,
    }
    control
}

/// `V4L2_CID_STATELESS_H264_PPS`.
fn pps(pps: &Pps) -> v4l2::v4l2_ctrl_h264_pps {
    let flags = flag(v4l2::V4L2_H264_PPS_FLAG_ENTROPY_CODING_MODE, pps.entropy_coding_mode_flag)
        | flag(
            v4l2::V4L2_H264_PPS_FLAG_BOTTOM_FIELD_PIC_ORDER_IN_FRAME_PRESENT,
            pps.bottom_field_pic_order_in_frame_present_flag,
        )
        | flag(v4l2::V4L2_H264_PPS_FLAG_WEIGHTED_PRED, pps.weighted_pred_flag)
        | flag(
            v4l2::V4L2_H264_PPS_FLAG_DEBLOCKING_FILTER_CONTROL_PRESENT,
            pps.deblocking_filter_control_present_flag,
        )
        | flag(v4l2::V4L2_H264_PPS_FLAG_CONSTRAINED_INTRA_PRED, pps.constrained_intra_pred_flag)
        | flag(v4l2::V4L2_H264_PPS_FLAG_REDUNDANT_PIC_CNT_PRESENT, pps.redundant_pic_cnt_present_flag)
        | flag(v4l2::V4L2_H264_PPS_FLAG_TRANSFORM_8X8_MODE, pps.transform_8x8_mode_flag)
        // Always: hantro reads the matrix whatever the flag says, and a flat one changes nothing elsewhere.
        | v4l2::V4L2_H264_PPS_FLAG_SCALING_MATRIX_PRESENT;
    v4l2::v4l2_ctrl_h264_pps {
        pic_parameter_set_id: pps.pic_parameter_set_id.0,
        seq_parameter_set_id: pps.seq_parameter_set_id.0,
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

/// `V4L2_CID_STATELESS_H264_SCALING_MATRIX`: flat 16 without lists. The uAPI wants raster order, the standard codes
/// zig-zag (frame scan, for fields too, 8.5.6); the order of the lists is the same.
fn scaling_matrix(lists: Option<&ScalingLists>) -> v4l2::v4l2_ctrl_h264_scaling_matrix {
    let Some(lists) = lists else {
        return v4l2::v4l2_ctrl_h264_scaling_matrix {
            scaling_list_4x4: [[16; 16]; 6],
            scaling_list_8x8: [[16; 64]; 6],
        };
    };
    v4l2::v4l2_ctrl_h264_scaling_matrix {
        scaling_list_4x4: lists.lists_4x4.map(|list| raster_4x4(&list)),
        scaling_list_8x8: lists.lists_8x8.map(|list| raster_8x8(&list)),
    }
}

/// `V4L2_CID_STATELESS_H264_DECODE_PARAMS`.
fn decode_params(job: &DecodeJob<'_>, names: &ReferenceNames) -> v4l2::v4l2_ctrl_h264_decode_params {
    let Some(header) = job.slices.first().map(|slice| &slice.header) else {
        return v4l2::v4l2_ctrl_h264_decode_params::default();
    };
    let mut dpb = [v4l2::v4l2_h264_dpb_entry::default(); DPB_ENTRIES];
    for ((entry, reference), name) in dpb.iter_mut().zip(job.references).zip(names) {
        *entry = dpb_entry(reference, *name, header.structure);
    }
    let (pic_order_cnt_lsb, delta_pic_order_cnt_bottom, delta_pic_order_cnt) = match header.pic_order_cnt {
        PicOrderCnt::Type0 {
            pic_order_cnt_lsb,
            delta_pic_order_cnt_bottom,
        } => (pic_order_cnt_lsb, delta_pic_order_cnt_bottom, [0, 0]),
        PicOrderCnt::Type1 { delta_pic_order_cnt } => (0, 0, delta_pic_order_cnt),
        PicOrderCnt::Type2 => (0, 0, [0, 0]),
    };
    v4l2::v4l2_ctrl_h264_decode_params {
        dpb,
        nal_ref_idc: header.nal_ref_idc.into(),
        frame_num: header.frame_num,
        top_field_order_cnt: job.field_order_cnt[Parity::Top.index()],
        bottom_field_order_cnt: job.field_order_cnt[Parity::Bottom.index()],
        idr_pic_id: header.idr_pic_id.unwrap_or(0),
        pic_order_cnt_lsb,
        delta_pic_order_cnt_bottom,
        delta_pic_order_cnt0: delta_pic_order_cnt[0],
        delta_pic_order_cnt1: delta_pic_order_cnt[1],
        dec_ref_pic_marking_bit_size: header.dec_ref_pic_marking_bit_size,
        pic_order_cnt_bit_size: header.pic_order_cnt_bit_size,
        slice_group_change_cycle: header.slice_group_change_cycle,
        reserved: 0,
        flags: decode_flags(job, header),
    }
}

fn decode_flags(job: &DecodeJob<'_>, header: &SliceHeader) -> u32 {
    let has = |wanted: SliceType| job.slices.iter().any(|slice| slice.header.slice_type == wanted);
    let (b, p) = (has(SliceType::B), has(SliceType::P) || has(SliceType::Sp));
    flag(v4l2::V4L2_H264_DECODE_PARAM_FLAG_IDR_PIC, header.idr_pic_id.is_some())
        | flag(
            v4l2::V4L2_H264_DECODE_PARAM_FLAG_FIELD_PIC,
            header.structure != PictureStructure::Frame,
        )
        | flag(
            v4l2::V4L2_H264_DECODE_PARAM_FLAG_BOTTOM_FIELD,
            header.structure == PictureStructure::Field(Parity::Bottom),
        )
        | flag(v4l2::V4L2_H264_DECODE_PARAM_FLAG_PFRAME, p && !b)
        | flag(v4l2::V4L2_H264_DECODE_PARAM_FLAG_BFRAME, b)
}

fn dpb_entry(
    reference: &ReferencePicture,
    name: Option<Timestamp>,
    structure: PictureStructure,
) -> v4l2::v4l2_h264_dpb_entry {
    // The uAPI has one pair of fields for both kinds of reference: of a long-term one `frame_num` is LongTermFrameIdx
    // and `pic_num` LongTermPicNum.
    let (frame_num, number_of_frame, long_term) = match reference.reference {
        Reference::ShortTerm { frame_num, pic_num } => (frame_num, pic_num, false),
        Reference::LongTerm {
            long_term_frame_idx,
            long_term_pic_num,
        } => (long_term_frame_idx, long_term_pic_num.into(), true),
    };
    // A field counts by fields (8-30 to 8-33). An entry has one number: that of its field of the same parity, if any.
    let pic_num = match structure.parity() {
        None => number_of_frame,
        Some(same) => 2 * number_of_frame + i32::from(reference.fields[same.index()]),
    };
    let [top, bottom] = reference.fields;
    v4l2::v4l2_h264_dpb_entry {
        // A frame inserted for a gap names no picture, least of all somebody else's.
        reference_ts: name
            .filter(|_| !reference.non_existing)
            .map_or(NO_TIMESTAMP, Timestamp::as_nanos),
        pic_num: pic_num.cast_unsigned(),
        frame_num,
        fields: (flag(v4l2::V4L2_H264_TOP_FIELD_REF, top) | flag(v4l2::V4L2_H264_BOTTOM_FIELD_REF, bottom)) as u8,
        reserved: [0; 5],
        top_field_order_cnt: reference.field_order_cnt[Parity::Top.index()],
        bottom_field_order_cnt: reference.field_order_cnt[Parity::Bottom.index()],
        flags: v4l2::V4L2_H264_DPB_ENTRY_FLAG_VALID
            | v4l2::V4L2_H264_DPB_ENTRY_FLAG_ACTIVE
            | flag(v4l2::V4L2_H264_DPB_ENTRY_FLAG_LONG_TERM, long_term)
            | flag(v4l2::V4L2_H264_DPB_ENTRY_FLAG_FIELD, reference.coded_as_fields),
    }
}

/// `V4L2_CID_STATELESS_H264_SLICE_PARAMS`.
fn slice_params(slice: &SliceJob<'_>) -> v4l2::v4l2_ctrl_h264_slice_params {
    let header = &slice.header;
    let [active_l0, active_l1] = header.num_ref_idx_active;
    v4l2::v4l2_ctrl_h264_slice_params {
        // From the NAL unit's header byte on, emulation prevention bytes not counted: what cedrus skips.
        header_bit_size: header.header_bit_size,
        first_mb_in_slice: header.first_mb_in_slice,
        slice_type: slice_type(header.slice_type) as u8,
        colour_plane_id: header.colour_plane_id,
        redundant_pic_cnt: header.redundant_pic_cnt,
        cabac_init_idc: header.cabac_init_idc,
        slice_qp_delta: header.slice_qp_delta,
        slice_qs_delta: header.slice_qs_delta,
        disable_deblocking_filter_idc: header.disable_deblocking_filter_idc,
        slice_alpha_c0_offset_div2: header.slice_alpha_c0_offset_div2,
        slice_beta_offset_div2: header.slice_beta_offset_div2,
        num_ref_idx_l0_active_minus1: active_l0.saturating_sub(1),
        num_ref_idx_l1_active_minus1: active_l1.saturating_sub(1),
        reserved: 0,
        ref_pic_list0: ref_pic_list(&slice.ref_pic_lists[0]),
        ref_pic_list1: ref_pic_list(&slice.ref_pic_lists[1]),
        flags: flag(
            v4l2::V4L2_H264_SLICE_FLAG_DIRECT_SPATIAL_MV_PRED,
            header.direct_spatial_mv_pred_flag,
        ) | flag(v4l2::V4L2_H264_SLICE_FLAG_SP_FOR_SWITCH, header.sp_for_switch_flag),
    }
}

fn slice_type(slice_type: SliceType) -> u32 {
    match slice_type {
        SliceType::P => v4l2::V4L2_H264_SLICE_TYPE_P,
        SliceType::B => v4l2::V4L2_H264_SLICE_TYPE_B,
        SliceType::I => v4l2::V4L2_H264_SLICE_TYPE_I,
        SliceType::Sp => v4l2::V4L2_H264_SLICE_TYPE_SP,
        SliceType::Si => v4l2::V4L2_H264_SLICE_TYPE_SI,
    }
}

/// A reference list; a lost entry repeats the nearest one that is there, because drivers do not check what they read.
fn ref_pic_list(list: &[Option<ListEntry>]) -> [v4l2::v4l2_h264_reference; LIST_ENTRIES] {
    array::from_fn(|index| {
        let entry = list
            .get(index)
            .and_then(|entry| entry.or_else(|| nearest_entry(list, index)));
        entry.map_or_else(v4l2::v4l2_h264_reference::default, |entry| v4l2::v4l2_h264_reference {
            fields: match entry.parity {
                None => v4l2::V4L2_H264_FRAME_REF,
                Some(Parity::Top) => v4l2::V4L2_H264_TOP_FIELD_REF,
                Some(Parity::Bottom) => v4l2::V4L2_H264_BOTTOM_FIELD_REF,
            } as u8,
            index: entry.reference,
        })
    })
}

/// The entry that is there and nearest to `index`; of two, the one before.
fn nearest_entry(list: &[Option<ListEntry>], index: usize) -> Option<ListEntry> {
    let present = list
        .iter()
        .enumerate()
        .filter_map(|(i, entry)| Some((i.abs_diff(index), (*entry)?)));
    present.min_by_key(|&(distance, _)| distance).map(|(_, entry)| entry)
}

/// `V4L2_H264_CTRL_PRED_WEIGHTS_REQUIRED`.
fn pred_weights_required(pps: &Pps, slice_type: SliceType) -> bool {
    match slice_type {
        SliceType::P | SliceType::Sp => pps.weighted_pred_flag,
        SliceType::B => pps.weighted_bipred_idc == 1,
        SliceType::I | SliceType::Si => false,
    }
}

/// `V4L2_CID_STATELESS_H264_PRED_WEIGHTS`.
fn pred_weights(table: &PredWeightTable) -> v4l2::v4l2_ctrl_h264_pred_weights {
    let mut control = v4l2::v4l2_ctrl_h264_pred_weights {
        luma_log2_weight_denom: table.luma_log2_weight_denom.into(),
        chroma_log2_weight_denom: table.chroma_log2_weight_denom.into(),
        ..Default::default()
    };
    for (factors, weights) in control.weight_factors.iter_mut().zip(&table.weights) {
        for (i, entry) in weights.iter().take(LIST_ENTRIES).enumerate() {
            let [luma_weight, cb_weight, cr_weight] = entry.weight;
            let [luma_offset, cb_offset, cr_offset] = entry.offset;
            factors.luma_weight[i] = luma_weight;
            factors.luma_offset[i] = luma_offset;
            factors.chroma_weight[i] = [cb_weight, cr_weight];
            factors.chroma_offset[i] = [cb_offset, cr_offset];
        }
    }
    control
}

#[cfg(test)]
mod tests;
