//! SPS and PPS from VA's picture parameters.

use fourier_core::h264::pps::{PicScalingMatrix, PpsId};
use fourier_core::h264::sps::{PicOrderCntType, SpsId};
use fourier_core::h264::{Pps, Sps};
use fourier_core::units::Size;

use crate::config::Profile;
use crate::ffi::{parameters, va};
use crate::format::SampleFormat;
use crate::status::{Failure, Result, Status};

/// `level_idc` 5.1, or 6.2 for what exceeds it: VA has none, and limits nothing by it.
fn level_idc(frame_size_in_mbs: u32) -> u8 {
    if frame_size_in_mbs <= 36_864 { 51 } else { 62 }
}

fn invalid(element: &'static str) -> Failure {
    Status::InvalidParameter.because(format!("{element} is out of its range (H.264 7.4.2)"))
}

/// The SPS of a picture. What VA does not carry has no part in decoding: counts of types 1 and 2 are given.
///
/// # Errors
/// [`Status::InvalidParameter`] for numbers that no SPS has.
pub fn sps(picture: &va::VAPictureParameterBufferH264, profile: Profile) -> Result<Sps> {
    let fields = parameters::seq_fields(picture);
    let at_most = |value: u32, max: u32, element: &'static str| match u8::try_from(value) {
        Ok(value) if u32::from(value) <= max => Ok(value),
        Ok(_) | Err(_) => Err(invalid(element)),
    };
    let (bit_depth_minus8, max) = (
        picture.bit_depth_luma_minus8.max(picture.bit_depth_chroma_minus8),
        profile.max_bit_depth_minus8(),
    );
    if fields.chroma_format_idc() > 1 || bit_depth_minus8 > max {
        let what = format!("more than {} bits per sample, 4:2:2 or 4:4:4 as {profile:?}", 8 + max);
        return Err(Status::UnsupportedProfile.because(what).for_user());
    }
    let frame_mbs_only_flag = fields.frame_mbs_only_flag() != 0;
    let (width, height) = (
        u32::from(picture.picture_width_in_mbs_minus1) + 1,
        u32::from(picture.picture_height_in_mbs_minus1) + 1,
    );
    if width > 1024 || height > 1024 || (!frame_mbs_only_flag && height % 2 != 0) {
        return Err(invalid("picture_height_in_mbs_minus1"));
    }
    // VA has the height of the frame, the SPS that of a field where there may be fields.
    let map_units = if frame_mbs_only_flag { height } else { height / 2 };
    Ok(Sps {
        profile_idc: profile.profile_idc(),
        constraint_set_flags: profile.constraint_set_flags(),
        level_idc: level_idc(width * height),
        seq_parameter_set_id: SpsId::default(),
        chroma_format_idc: fields.chroma_format_idc() as u8,
        separate_colour_plane_flag: fields.residual_colour_transform_flag() != 0,
        bit_depth_luma_minus8: at_most(picture.bit_depth_luma_minus8.into(), 6, "bit_depth_luma_minus8")?,
        bit_depth_chroma_minus8: at_most(picture.bit_depth_chroma_minus8.into(), 6, "bit_depth_chroma_minus8")?,
        qpprime_y_zero_transform_bypass_flag: false,
        scaling_lists: None,
        log2_max_frame_num_minus4: at_most(fields.log2_max_frame_num_minus4(), 12, "log2_max_frame_num_minus4")?,
        pic_order_cnt_type: pic_order_cnt_type(&fields)?,
        max_num_ref_frames: at_most(picture.num_ref_frames.into(), 16, "num_ref_frames")?,
        gaps_in_frame_num_value_allowed_flag: fields.gaps_in_frame_num_value_allowed_flag() != 0,
        pic_width_in_mbs_minus1: (width - 1) as u16,
        pic_height_in_map_units_minus1: (map_units - 1) as u16,
        frame_mbs_only_flag,
        mb_adaptive_frame_field_flag: fields.mb_adaptive_frame_field_flag() != 0 && !frame_mbs_only_flag,
        direct_8x8_inference_flag: fields.direct_8x8_inference_flag() != 0,
        frame_cropping: None,
        vui: None,
    })
}

fn pic_order_cnt_type(fields: &parameters::SeqFields) -> Result<PicOrderCntType> {
    let log2_max_pic_order_cnt_lsb_minus4 = fields.log2_max_pic_order_cnt_lsb_minus4();
    match fields.pic_order_cnt_type() {
        0 if log2_max_pic_order_cnt_lsb_minus4 > 12 => Err(invalid("log2_max_pic_order_cnt_lsb_minus4")),
        0 => Ok(PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4: log2_max_pic_order_cnt_lsb_minus4 as u8,
        }),
        1 => Ok(PicOrderCntType::Type1 {
            delta_pic_order_always_zero_flag: fields.delta_pic_order_always_zero_flag() != 0,
            offset_for_non_ref_pic: 0,
            offset_for_top_to_bottom_field: 0,
            offset_for_ref_frame: Vec::new(),
        }),
        2 => Ok(PicOrderCntType::Type2),
        _ => Err(invalid("pic_order_cnt_type")),
    }
}

/// The PPS of a picture, but for its id and the default lengths of its reference lists.
///
/// # Errors
/// [`Status::InvalidParameter`] for numbers that no PPS has.
pub fn pps(
    picture: &va::VAPictureParameterBufferH264,
    matrices: Option<&va::VAIQMatrixBufferH264>,
    sps: &Sps,
) -> Result<Pps> {
    let fields = parameters::pic_fields(picture);
    let weighted_bipred_idc = fields.weighted_bipred_idc() as u8;
    if weighted_bipred_idc > 2 {
        return Err(invalid("weighted_bipred_idc"));
    }
    let within = |value: i8, min: i32, max: i32, element: &'static str| match (min..=max).contains(&value.into()) {
        true => Ok(value),
        false => Err(invalid(element)),
    };
    let lowest_qp = -26 - 6 * i32::from(sps.bit_depth_luma_minus8);
    let scaling_matrix = matrices
        .map(|matrices| PicScalingMatrix::from_raster(&matrices.ScalingList4x4, &matrices.ScalingList8x8))
        .map(Box::new);
    Ok(Pps {
        pic_parameter_set_id: PpsId::default(),
        seq_parameter_set_id: sps.seq_parameter_set_id,
        entropy_coding_mode_flag: fields.entropy_coding_mode_flag() != 0,
        bottom_field_pic_order_in_frame_present_flag: fields.pic_order_present_flag() != 0,
        num_slice_groups_minus1: picture.num_slice_groups_minus1,
        num_ref_idx_l0_default_active_minus1: 0,
        num_ref_idx_l1_default_active_minus1: 0,
        weighted_pred_flag: fields.weighted_pred_flag() != 0,
        weighted_bipred_idc,
        pic_init_qp_minus26: within(picture.pic_init_qp_minus26, lowest_qp, 25, "pic_init_qp_minus26")?,
        pic_init_qs_minus26: within(picture.pic_init_qs_minus26, -26, 25, "pic_init_qs_minus26")?,
        chroma_qp_index_offset: within(picture.chroma_qp_index_offset, -12, 12, "chroma_qp_index_offset")?,
        deblocking_filter_control_present_flag: fields.deblocking_filter_control_present_flag() != 0,
        constrained_intra_pred_flag: fields.constrained_intra_pred_flag() != 0,
        redundant_pic_cnt_present_flag: fields.redundant_pic_cnt_present_flag() != 0,
        transform_8x8_mode_flag: fields.transform_8x8_mode_flag() != 0,
        scaling_matrix,
        second_chroma_qp_index_offset: within(
            picture.second_chroma_qp_index_offset,
            -12,
            12,
            "second_chroma_qp_index_offset",
        )?,
    })
}

/// The SPS of most streams of `size`: for a surface of which nothing else is known yet.
pub fn placeholder_sps(size: Size, format: SampleFormat) -> Sps {
    let profile = match format {
        SampleFormat::Nv12 => Profile::High,
        SampleFormat::P010 => Profile::High10,
    };
    let in_mbs = |side: u32| side.div_ceil(16).max(1);
    let (width, height) = (in_mbs(size.width), in_mbs(size.height));
    Sps {
        profile_idc: profile.profile_idc(),
        constraint_set_flags: 0,
        level_idc: level_idc(width * height),
        seq_parameter_set_id: SpsId::default(),
        chroma_format_idc: 1,
        separate_colour_plane_flag: false,
        bit_depth_luma_minus8: format.bit_depth_minus8(),
        bit_depth_chroma_minus8: format.bit_depth_minus8(),
        qpprime_y_zero_transform_bypass_flag: false,
        scaling_lists: None,
        log2_max_frame_num_minus4: 0,
        pic_order_cnt_type: PicOrderCntType::Type2,
        max_num_ref_frames: 1,
        gaps_in_frame_num_value_allowed_flag: false,
        pic_width_in_mbs_minus1: (width - 1) as u16,
        pic_height_in_map_units_minus1: (height - 1) as u16,
        frame_mbs_only_flag: true,
        mb_adaptive_frame_field_flag: false,
        direct_8x8_inference_flag: true,
        frame_cropping: None,
        vui: None,
    }
}
