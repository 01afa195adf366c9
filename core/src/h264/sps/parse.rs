//! `seq_parameter_set_data()` (7.3.2.1.1).

use super::vui::parse_vui;
use super::{FrameCropping, MAX_FRAME_SIZE_IN_MBS, MAX_SIDE_IN_MBS, PicOrderCntType, Sps, SpsId};
use crate::BitstreamError;
use crate::h264::bit_reader::{BitReader, Structure};
use crate::h264::nal::NalUnit;
use crate::h264::pps::PicScalingMatrix;

const SPS: Structure = Structure {
    name: "seq_parameter_set_data",
    clause: "7.4.2.1.1",
};

/// What only the High profiles and their descendants code.
struct HighProfileFields {
    chroma_format_idc: u8,
    separate_colour_plane_flag: bool,
    bit_depth_luma_minus8: u8,
    bit_depth_chroma_minus8: u8,
    qpprime_y_zero_transform_bypass_flag: bool,
    scaling_matrix: Option<PicScalingMatrix>,
}

impl Sps {
    /// Reads a sequence parameter set NAL unit (type 7).
    ///
    /// VUI that is cut off or out of range is kept as far as it makes sense.
    ///
    /// # Errors
    /// If anything but the VUI is cut off or out of range, or a frame exceeds 16,384 samples in a direction or
    /// 262,144 macroblocks.
    pub fn parse(nal: &NalUnit<'_>) -> Result<Self, BitstreamError> {
        let r = &mut BitReader::new(SPS, nal.payload());
        let profile_idc = r.bits(8, "profile_idc")?;
        let constraint_set_flags = r.bits::<u8>(8, "constraint_set_flags")?.reverse_bits() & 0x3f;
        let level_idc = r.bits(8, "level_idc")?;
        let seq_parameter_set_id = SpsId(r.ue_max(31, "seq_parameter_set_id")?);
        let high = high_profile_fields(r, profile_idc)?;
        let log2_max_frame_num_minus4 = r.ue_max(12, "log2_max_frame_num_minus4")?;
        let pic_order_cnt_type = pic_order_cnt_type(r)?;
        let max_num_ref_frames = r.ue_max(16, "max_num_ref_frames")?;
        let gaps_in_frame_num_value_allowed_flag = r.flag("gaps_in_frame_num_value_allowed_flag")?;
        let pic_width_in_mbs_minus1 = r.ue_max(MAX_SIDE_IN_MBS - 1, "pic_width_in_mbs_minus1")?;
        let pic_height_in_map_units_minus1 = r.ue_max(MAX_SIDE_IN_MBS - 1, "pic_height_in_map_units_minus1")?;
        let frame_mbs_only_flag = r.flag("frame_mbs_only_flag")?;
        let mb_adaptive_frame_field_flag = !frame_mbs_only_flag && r.flag("mb_adaptive_frame_field_flag")?;
        let direct_8x8_inference_flag = r.flag("direct_8x8_inference_flag")?;
        let frame_cropping = if r.flag("frame_cropping_flag")? {
            Some(frame_cropping(r)?)
        } else {
            None
        };
        let vui_present = r.flag("vui_parameters_present_flag")?;
        let sps = Self {
            profile_idc,
            constraint_set_flags,
            level_idc,
            seq_parameter_set_id,
            chroma_format_idc: high.chroma_format_idc,
            separate_colour_plane_flag: high.separate_colour_plane_flag,
            bit_depth_luma_minus8: high.bit_depth_luma_minus8,
            bit_depth_chroma_minus8: high.bit_depth_chroma_minus8,
            qpprime_y_zero_transform_bypass_flag: high.qpprime_y_zero_transform_bypass_flag,
            scaling_lists: high.scaling_matrix.map(|matrix| Box::new(matrix.resolve(None))),
            log2_max_frame_num_minus4,
            pic_order_cnt_type,
            max_num_ref_frames,
            gaps_in_frame_num_value_allowed_flag,
            pic_width_in_mbs_minus1,
            pic_height_in_map_units_minus1,
            frame_mbs_only_flag,
            mb_adaptive_frame_field_flag,
            direct_8x8_inference_flag,
            frame_cropping,
            vui: vui_present.then(|| parse_vui(r)),
        };
        sps.check_size()?;
        Ok(sps)
    }

    fn check_size(&self) -> Result<(), BitstreamError> {
        let (width, height) = (self.pic_width_in_mbs(), self.frame_height_in_mbs());
        if height > u32::from(MAX_SIDE_IN_MBS) || width * height > MAX_FRAME_SIZE_IN_MBS {
            let reason = format!("frames of {width}x{height} macroblocks are too large");
            return Err(SPS.error("pic_height_in_map_units_minus1", reason));
        }
        Ok(())
    }
}

fn high_profile_fields(r: &mut BitReader<'_>, profile_idc: u8) -> Result<HighProfileFields, BitstreamError> {
    let mut fields = HighProfileFields {
        chroma_format_idc: 1,
        separate_colour_plane_flag: false,
        bit_depth_luma_minus8: 0,
        bit_depth_chroma_minus8: 0,
        qpprime_y_zero_transform_bypass_flag: false,
        scaling_matrix: None,
    };
    if !matches!(
        profile_idc,
        100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
    ) {
        return Ok(fields);
    }
    fields.chroma_format_idc = r.ue_max(3, "chroma_format_idc")?;
    fields.separate_colour_plane_flag = fields.chroma_format_idc == 3 && r.flag("separate_colour_plane_flag")?;
    fields.bit_depth_luma_minus8 = r.ue_max(6, "bit_depth_luma_minus8")?;
    fields.bit_depth_chroma_minus8 = r.ue_max(6, "bit_depth_chroma_minus8")?;
    fields.qpprime_y_zero_transform_bypass_flag = r.flag("qpprime_y_zero_transform_bypass_flag")?;
    if r.flag("seq_scaling_matrix_present_flag")? {
        let lists_8x8 = if fields.chroma_format_idc == 3 { 6 } else { 2 };
        fields.scaling_matrix = Some(PicScalingMatrix::parse(r, lists_8x8)?);
    }
    Ok(fields)
}

fn pic_order_cnt_type(r: &mut BitReader<'_>) -> Result<PicOrderCntType, BitstreamError> {
    match r.ue_max(2, "pic_order_cnt_type")? {
        0 => {
            let log2_max_pic_order_cnt_lsb_minus4 = r.ue_max(12, "log2_max_pic_order_cnt_lsb_minus4")?;
            Ok(PicOrderCntType::Type0 {
                log2_max_pic_order_cnt_lsb_minus4,
            })
        }
        1 => {
            let delta_pic_order_always_zero_flag = r.flag("delta_pic_order_always_zero_flag")?;
            let offset_for_non_ref_pic = r.se("offset_for_non_ref_pic")?;
            let offset_for_top_to_bottom_field = r.se("offset_for_top_to_bottom_field")?;
            let count = r.ue_max(255, "num_ref_frames_in_pic_order_cnt_cycle")?;
            let offset_for_ref_frame = (0..count)
                .map(|_| r.se("offset_for_ref_frame"))
                .collect::<Result<_, _>>()?;
            Ok(PicOrderCntType::Type1 {
                delta_pic_order_always_zero_flag,
                offset_for_non_ref_pic,
                offset_for_top_to_bottom_field,
                offset_for_ref_frame,
            })
        }
        _ => Ok(PicOrderCntType::Type2),
    }
}

fn frame_cropping(r: &mut BitReader<'_>) -> Result<FrameCropping, BitstreamError> {
    Ok(FrameCropping {
        left: r.ue("frame_crop_left_offset")?,
        right: r.ue("frame_crop_right_offset")?,
        top: r.ue("frame_crop_top_offset")?,
        bottom: r.ue("frame_crop_bottom_offset")?,
    })
}
