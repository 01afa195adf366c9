//! `seq_parameter_set_data()` (7.3.2.1.1), `vui_parameters()` and `hrd_parameters()` (E.1).

use fourier_core::h264::Sps;
use fourier_core::h264::pps::ScalingList;
use fourier_core::h264::sps::{HrdParameters, PicOrderCntType, ScalingLists, Vui};

use super::bits::BitWriter;

/// The profiles whose SPS has `chroma_format_idc` and what follows.
const WITH_CHROMA_FORMAT: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];
/// `Extended_SAR` (table E-1).
const EXTENDED_SAR: u32 = 255;

/// The NAL unit of an SPS.
pub fn nal(sps: &Sps) -> Vec<u8> {
    let mut w = BitWriter::default();
    w.u(8, u32::from(sps.profile_idc));
    // constraint_set0_flag comes first.
    w.u(8, u32::from(sps.constraint_set_flags.reverse_bits()));
    w.u(8, u32::from(sps.level_idc));
    w.ue(u32::from(sps.seq_parameter_set_id.get()));
    if WITH_CHROMA_FORMAT.contains(&sps.profile_idc) {
        high_profile_fields(&mut w, sps);
    }
    w.ue(u32::from(sps.log2_max_frame_num_minus4));
    pic_order_cnt_type(&mut w, &sps.pic_order_cnt_type);
    w.ue(u32::from(sps.max_num_ref_frames));
    w.flag(sps.gaps_in_frame_num_value_allowed_flag);
    w.ue(u32::from(sps.pic_width_in_mbs_minus1));
    w.ue(u32::from(sps.pic_height_in_map_units_minus1));
    w.flag(sps.frame_mbs_only_flag);
    if !sps.frame_mbs_only_flag {
        w.flag(sps.mb_adaptive_frame_field_flag);
    }
    w.flag(sps.direct_8x8_inference_flag);
    w.flag(sps.frame_cropping.is_some());
    if let Some(crop) = sps.frame_cropping {
        w.ue(crop.left).ue(crop.right).ue(crop.top).ue(crop.bottom);
    }
    w.flag(sps.vui.is_some());
    if let Some(vui) = &sps.vui {
        vui_parameters(&mut w, vui);
    }
    w.trailing_bits().nal(3, 7)
}

fn high_profile_fields(w: &mut BitWriter, sps: &Sps) {
    w.ue(u32::from(sps.chroma_format_idc));
    if sps.chroma_format_idc == 3 {
        w.flag(sps.separate_colour_plane_flag);
    }
    w.ue(u32::from(sps.bit_depth_luma_minus8));
    w.ue(u32::from(sps.bit_depth_chroma_minus8));
    w.flag(sps.qpprime_y_zero_transform_bypass_flag);
    w.flag(sps.scaling_lists.is_some());
    if let Some(lists) = &sps.scaling_lists {
        scaling_lists(w, lists, if sps.chroma_format_idc == 3 { 6 } else { 2 });
    }
}

fn scaling_lists(w: &mut BitWriter, lists: &ScalingLists, lists_8x8: usize) {
    for list in lists.lists_4x4 {
        super::scaling_list::write(w, &ScalingList::Coded(list));
    }
    for list in lists.lists_8x8.into_iter().take(lists_8x8) {
        super::scaling_list::write(w, &ScalingList::Coded(list));
    }
}

fn pic_order_cnt_type(w: &mut BitWriter, pic_order_cnt_type: &PicOrderCntType) {
    match pic_order_cnt_type {
        PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4,
        } => {
            w.ue(0).ue(u32::from(*log2_max_pic_order_cnt_lsb_minus4));
        }
        PicOrderCntType::Type1 {
            delta_pic_order_always_zero_flag,
            offset_for_non_ref_pic,
            offset_for_top_to_bottom_field,
            offset_for_ref_frame,
        } => {
            w.ue(1).flag(*delta_pic_order_always_zero_flag);
            w.se(*offset_for_non_ref_pic).se(*offset_for_top_to_bottom_field);
            w.ue(offset_for_ref_frame.len() as u32);
            for &offset in offset_for_ref_frame {
                w.se(offset);
            }
        }
        PicOrderCntType::Type2 => {
            w.ue(2);
        }
    }
}

/// What a [`Vui`] does not keep is written as absent, or as what the standard infers.
fn vui_parameters(w: &mut BitWriter, vui: &Vui) {
    w.flag(vui.sample_aspect_ratio.is_some());
    if let Some((width, height)) = vui.sample_aspect_ratio {
        w.u(8, EXTENDED_SAR).u(16, u32::from(width)).u(16, u32::from(height));
    }
    let overscan_info_present_flag = false;
    w.flag(overscan_info_present_flag);
    w.flag(vui.video_full_range_flag.is_some());
    if let Some(video_full_range_flag) = vui.video_full_range_flag {
        let video_format = 5;
        w.u(3, video_format).flag(video_full_range_flag);
        w.flag(vui.colour_description.is_some());
        if let Some(colour) = vui.colour_description {
            w.u(8, u32::from(colour.colour_primaries));
            w.u(8, u32::from(colour.transfer_characteristics));
            w.u(8, u32::from(colour.matrix_coefficients));
        }
    }
    w.flag(vui.chroma_sample_loc_type.is_some());
    if let Some((top, bottom)) = vui.chroma_sample_loc_type {
        w.ue(u32::from(top)).ue(u32::from(bottom));
    }
    w.flag(vui.timing_info.is_some());
    if let Some(timing) = vui.timing_info {
        w.u(32, timing.num_units_in_tick).u(32, timing.time_scale);
        w.flag(timing.fixed_frame_rate_flag);
    }
    for hrd in [vui.nal_hrd_parameters, vui.vcl_hrd_parameters] {
        w.flag(hrd.is_some());
        if let Some(hrd) = hrd {
            hrd_parameters(w, hrd);
        }
    }
    if vui.nal_hrd_parameters.or(vui.vcl_hrd_parameters).is_some() {
        let low_delay_hrd_flag = false;
        w.flag(low_delay_hrd_flag);
    }
    w.flag(vui.pic_struct_present_flag);
    w.flag(vui.bitstream_restriction.is_some());
    if let Some(restriction) = vui.bitstream_restriction {
        let motion_vectors_over_pic_boundaries_flag = true;
        w.flag(motion_vectors_over_pic_boundaries_flag);
        let (max_bytes_per_pic_denom, max_bits_per_mb_denom) = (2, 1);
        w.ue(max_bytes_per_pic_denom).ue(max_bits_per_mb_denom);
        let log2_max_mv_length = 15;
        w.ue(log2_max_mv_length).ue(log2_max_mv_length);
        w.ue(restriction.max_num_reorder_frames);
        w.ue(restriction.max_dec_frame_buffering);
    }
}

fn hrd_parameters(w: &mut BitWriter, hrd: HrdParameters) {
    let cpb_cnt_minus1 = 0;
    w.ue(cpb_cnt_minus1);
    let (bit_rate_scale, cpb_size_scale) = (4, 4);
    w.u(4, bit_rate_scale).u(4, cpb_size_scale);
    let (bit_rate_value_minus1, cpb_size_value_minus1, cbr_flag) = (9_999, 9_999, false);
    w.ue(bit_rate_value_minus1).ue(cpb_size_value_minus1).flag(cbr_flag);
    w.u(5, u32::from(hrd.initial_cpb_removal_delay_length_minus1));
    w.u(5, u32::from(hrd.cpb_removal_delay_length_minus1));
    w.u(5, u32::from(hrd.dpb_output_delay_length_minus1));
    w.u(5, u32::from(hrd.time_offset_length));
}
