//! Parameter sets and slice headers that tests start from.

use super::PictureStructure;
use super::pps::PpsId;
use super::slice_header::{DecRefPicMarking, PicOrderCnt, SliceHeader, SliceType};
use super::sps::{PicOrderCntType, Sps, SpsId};

/// 176x144, level 1.2 (24 frames fit, so 16), four references, `MaxFrameNum` 16, type 0 with 4 bits.
pub(crate) fn sps() -> Sps {
    Sps {
        profile_idc: 77,
        constraint_set_flags: 0,
        level_idc: 12,
        seq_parameter_set_id: SpsId(0),
        chroma_format_idc: 1,
        separate_colour_plane_flag: false,
        bit_depth_luma_minus8: 0,
        bit_depth_chroma_minus8: 0,
        qpprime_y_zero_transform_bypass_flag: false,
        scaling_lists: None,
        log2_max_frame_num_minus4: 0,
        pic_order_cnt_type: PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4: 0,
        },
        max_num_ref_frames: 4,
        gaps_in_frame_num_value_allowed_flag: false,
        pic_width_in_mbs_minus1: 10,
        pic_height_in_map_units_minus1: 8,
        frame_mbs_only_flag: true,
        mb_adaptive_frame_field_flag: false,
        direct_8x8_inference_flag: true,
        frame_cropping: None,
        vui: None,
    }
}

/// A P slice of a reference frame at macroblock 0.
pub(crate) fn header(frame_num: u16, pic_order_cnt_lsb: u16) -> SliceHeader {
    SliceHeader {
        nal_ref_idc: 1,
        idr_pic_id: None,
        first_mb_in_slice: 0,
        slice_type: SliceType::P,
        pic_parameter_set_id: PpsId(0),
        colour_plane_id: 0,
        frame_num,
        structure: PictureStructure::Frame,
        pic_order_cnt: PicOrderCnt::Type0 {
            pic_order_cnt_lsb,
            delta_pic_order_cnt_bottom: 0,
        },
        redundant_pic_cnt: 0,
        direct_spatial_mv_pred_flag: false,
        num_ref_idx_active: [4, 0],
        num_ref_idx_active_override_flag: false,
        ref_pic_list_modification: [Vec::new(), Vec::new()],
        pred_weight_table: None,
        dec_ref_pic_marking: Some(DecRefPicMarking::SlidingWindow),
        cabac_init_idc: 0,
        slice_qp_delta: 0,
        sp_for_switch_flag: false,
        slice_qs_delta: 0,
        disable_deblocking_filter_idc: 0,
        slice_alpha_c0_offset_div2: 0,
        slice_beta_offset_div2: 0,
        slice_group_change_cycle: 0,
        header_bit_size: 0,
        dec_ref_pic_marking_bit_size: 0,
        pic_order_cnt_bit_size: 0,
    }
}

/// A slice of an IDR frame.
pub(crate) fn idr(idr_pic_id: u16) -> SliceHeader {
    SliceHeader {
        idr_pic_id: Some(idr_pic_id),
        slice_type: SliceType::I,
        num_ref_idx_active: [0, 0],
        dec_ref_pic_marking: Some(DecRefPicMarking::Idr {
            no_output_of_prior_pics_flag: false,
            long_term_reference_flag: false,
        }),
        ..header(0, 0)
    }
}
