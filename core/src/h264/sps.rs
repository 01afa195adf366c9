//! Sequence parameter sets (7.3.2.1.1) with their VUI (E.1.1). Values are stored as coded; methods derive the rest.
#![deny(clippy::indexing_slicing)]

use crate::units::{Rect, Size};

mod parse;
#[cfg(test)]
pub(crate) mod tests;
mod vui;

/// The largest frame in one direction: 16,384 samples.
const MAX_SIDE_IN_MBS: u16 = 1024;
/// The largest frame: 8192x8192 samples, nearly twice what level 6.2 allows (139,264 macroblocks).
const MAX_FRAME_SIZE_IN_MBS: u32 = 262_144;
/// `MaxDpbFrames` is never more (A.3.1 h).
const MAX_DPB_FRAMES: u32 = 16;
/// `MaxDpbMbs` by `level_idc` (table A-1); 9 is level 1b of the High profiles.
const MAX_DPB_MBS: [(u8, u32); 20] = [
    (9, 396),
    (10, 396),
    (11, 900),
    (12, 2_376),
    (13, 2_376),
    (20, 2_376),
    (21, 4_752),
    (22, 8_100),
    (30, 8_100),
    (31, 18_000),
    (32, 20_480),
    (40, 32_768),
    (41, 32_768),
    (42, 34_816),
    (50, 110_400),
    (51, 184_320),
    (52, 184_320),
    (60, 696_320),
    (61, 696_320),
    (62, 696_320),
];

/// `seq_parameter_set_id`, 0 to 31.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpsId(pub(crate) u8);

impl SpsId {
    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// Scaling lists of a parameter set in zig-zag order, after fall-back rules A or B: always complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalingLists {
    /// Y, Cb, Cr intra; Y, Cb, Cr inter.
    pub lists_4x4: [[u8; 16]; 6],
    /// Intra Y, inter Y, intra Cb, inter Cb, intra Cr, inter Cr.
    pub lists_8x8: [[u8; 64]; 6],
}

/// `pic_order_cnt_type` with what comes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PicOrderCntType {
    /// Type 0.
    Type0 {
        /// `log2_max_pic_order_cnt_lsb_minus4`, 0 to 12.
        log2_max_pic_order_cnt_lsb_minus4: u8,
    },
    /// Type 1.
    Type1 {
        /// `delta_pic_order_always_zero_flag`.
        delta_pic_order_always_zero_flag: bool,
        /// `offset_for_non_ref_pic`.
        offset_for_non_ref_pic: i32,
        /// `offset_for_top_to_bottom_field`.
        offset_for_top_to_bottom_field: i32,
        /// `offset_for_ref_frame`, at most 255.
        offset_for_ref_frame: Vec<i32>,
    },
    /// Type 2: output order is decoding order.
    Type2,
}

/// `frame_cropping_flag` with its offsets, in crop units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCropping {
    /// `frame_crop_left_offset`.
    pub left: u32,
    /// `frame_crop_right_offset`.
    pub right: u32,
    /// `frame_crop_top_offset`.
    pub top: u32,
    /// `frame_crop_bottom_offset`.
    pub bottom: u32,
}

/// `bitstream_restriction_flag` with what comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitstreamRestriction {
    /// `max_num_reorder_frames`.
    pub max_num_reorder_frames: u32,
    /// `max_dec_frame_buffering`.
    pub max_dec_frame_buffering: u32,
}

/// `colour_description_present_flag` with what comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColourDescription {
    /// `colour_primaries`.
    pub colour_primaries: u8,
    /// `transfer_characteristics`.
    pub transfer_characteristics: u8,
    /// `matrix_coefficients`.
    pub matrix_coefficients: u8,
}

/// `timing_info_present_flag` with what comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimingInfo {
    /// `num_units_in_tick`.
    pub num_units_in_tick: u32,
    /// `time_scale`.
    pub time_scale: u32,
    /// `fixed_frame_rate_flag`.
    pub fixed_frame_rate_flag: bool,
}

/// `hrd_parameters()` as far as SEI parsing needs it (E.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HrdParameters {
    /// `initial_cpb_removal_delay_length_minus1`.
    pub initial_cpb_removal_delay_length_minus1: u8,
    /// `cpb_removal_delay_length_minus1`.
    pub cpb_removal_delay_length_minus1: u8,
    /// `dpb_output_delay_length_minus1`.
    pub dpb_output_delay_length_minus1: u8,
    /// `time_offset_length`.
    pub time_offset_length: u8,
}

/// `vui_parameters()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vui {
    /// Sample aspect ratio by table E-1 or `Extended_SAR`: width, height; `None` if absent or unspecified.
    pub sample_aspect_ratio: Option<(u16, u16)>,
    /// `video_full_range_flag`; `None` without `video_signal_type_present_flag`.
    pub video_full_range_flag: Option<bool>,
    /// Colour description.
    pub colour_description: Option<ColourDescription>,
    /// `chroma_sample_loc_type_top_field` and `_bottom_field`.
    pub chroma_sample_loc_type: Option<(u8, u8)>,
    /// Timing.
    pub timing_info: Option<TimingInfo>,
    /// NAL HRD.
    pub nal_hrd_parameters: Option<HrdParameters>,
    /// VCL HRD.
    pub vcl_hrd_parameters: Option<HrdParameters>,
    /// `pic_struct_present_flag`.
    pub pic_struct_present_flag: bool,
    /// Bitstream restriction.
    pub bitstream_restriction: Option<BitstreamRestriction>,
}

/// A sequence parameter set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sps {
    /// `profile_idc`.
    pub profile_idc: u8,
    /// `constraint_set0_flag` in bit 0 .. `constraint_set5_flag` in bit 5, as V4L2 numbers them.
    pub constraint_set_flags: u8,
    /// `level_idc`.
    pub level_idc: u8,
    /// `seq_parameter_set_id`.
    pub seq_parameter_set_id: SpsId,
    /// `chroma_format_idc`, 0 to 3; 1 where the profile has none.
    pub chroma_format_idc: u8,
    /// `separate_colour_plane_flag`.
    pub separate_colour_plane_flag: bool,
    /// `bit_depth_luma_minus8`.
    pub bit_depth_luma_minus8: u8,
    /// `bit_depth_chroma_minus8`.
    pub bit_depth_chroma_minus8: u8,
    /// `qpprime_y_zero_transform_bypass_flag`.
    pub qpprime_y_zero_transform_bypass_flag: bool,
    /// Scaling lists if `seq_scaling_matrix_present_flag`, after fall-back rule A.
    pub scaling_lists: Option<Box<ScalingLists>>,
    /// `log2_max_frame_num_minus4`, 0 to 12.
    pub log2_max_frame_num_minus4: u8,
    /// `pic_order_cnt_type`.
    pub pic_order_cnt_type: PicOrderCntType,
    /// `max_num_ref_frames`, 0 to 16.
    pub max_num_ref_frames: u8,
    /// `gaps_in_frame_num_value_allowed_flag`.
    pub gaps_in_frame_num_value_allowed_flag: bool,
    /// `pic_width_in_mbs_minus1`.
    pub pic_width_in_mbs_minus1: u16,
    /// `pic_height_in_map_units_minus1`.
    pub pic_height_in_map_units_minus1: u16,
    /// `frame_mbs_only_flag`.
    pub frame_mbs_only_flag: bool,
    /// `mb_adaptive_frame_field_flag`.
    pub mb_adaptive_frame_field_flag: bool,
    /// `direct_8x8_inference_flag`.
    pub direct_8x8_inference_flag: bool,
    /// `frame_cropping_flag` and the offsets.
    pub frame_cropping: Option<FrameCropping>,
    /// `vui_parameters()`.
    pub vui: Option<Vui>,
}

impl Sps {
    /// `constraint_set3_flag`.
    pub fn constraint_set3_flag(&self) -> bool {
        self.constraint_set_flags & 1 << 3 != 0
    }

    /// `ChromaArrayType` (7.4.2.1.1): 0 if the colour planes are coded separately.
    pub fn chroma_array_type(&self) -> u8 {
        if self.separate_colour_plane_flag {
            0
        } else {
            self.chroma_format_idc
        }
    }

    /// `BitDepthY` (7-3).
    pub fn bit_depth_luma(&self) -> u8 {
        self.bit_depth_luma_minus8 + 8
    }

    /// `BitDepthC` (7-5).
    pub fn bit_depth_chroma(&self) -> u8 {
        self.bit_depth_chroma_minus8 + 8
    }

    /// `MaxFrameNum` (7-10).
    pub fn max_frame_num(&self) -> u32 {
        1 << (self.log2_max_frame_num_minus4 + 4)
    }

    /// `PicWidthInMbs` (7-13).
    pub fn pic_width_in_mbs(&self) -> u32 {
        u32::from(self.pic_width_in_mbs_minus1) + 1
    }

    /// `PicHeightInMapUnits` (7-16).
    pub fn pic_height_in_map_units(&self) -> u32 {
        u32::from(self.pic_height_in_map_units_minus1) + 1
    }

    /// `FrameHeightInMbs` (7-18).
    pub fn frame_height_in_mbs(&self) -> u32 {
        self.pic_height_in_map_units() * if self.frame_mbs_only_flag { 1 } else { 2 }
    }

    /// The coded frame in luma samples.
    pub fn coded_size(&self) -> Size {
        Size {
            width: self.pic_width_in_mbs() * 16,
            height: self.frame_height_in_mbs() * 16,
        }
    }

    /// The visible part of the frame in luma samples (7-19 to 7-22); all of it if cropping would leave nothing.
    pub fn crop_rect(&self) -> Rect {
        let coded = self.coded_size();
        let cropped = || {
            let crop = self.frame_cropping?;
            let (unit_x, unit_y) = self.crop_unit();
            let (x, y) = (crop.left.checked_mul(unit_x)?, crop.top.checked_mul(unit_y)?);
            let width = coded
                .width
                .checked_sub(x)?
                .checked_sub(crop.right.checked_mul(unit_x)?)?;
            let height = coded
                .height
                .checked_sub(y)?
                .checked_sub(crop.bottom.checked_mul(unit_y)?)?;
            (width != 0 && height != 0).then_some(Rect {
                x,
                y,
                size: Size { width, height },
            })
        };
        cropped().unwrap_or(Rect {
            x: 0,
            y: 0,
            size: coded,
        })
    }

    /// `CropUnitX`, `CropUnitY` (7-19 to 7-22).
    fn crop_unit(&self) -> (u32, u32) {
        let lines = if self.frame_mbs_only_flag { 1 } else { 2 };
        match self.chroma_array_type() {
            1 => (2, 2 * lines),
            2 => (2, lines),
            _ => (1, lines),
        }
    }

    /// `MaxDpbFrames` (A.3.1 h), at least 1: a frame that exceeds its level is still decoded.
    ///
    /// A level that table A-1 does not know counts as the next higher one.
    pub fn max_dpb_frames(&self) -> u32 {
        let is_level_1b =
            self.level_idc == 11 && matches!(self.profile_idc, 66 | 77 | 88) && self.constraint_set3_flag();
        let level_idc = if is_level_1b { 9 } else { self.level_idc };
        let level = MAX_DPB_MBS.iter().find(|(level, _)| *level >= level_idc);
        let max_dpb_mbs = level.map_or(696_320, |&(_, mbs)| mbs);
        (max_dpb_mbs / (self.pic_width_in_mbs() * self.frame_height_in_mbs())).clamp(1, MAX_DPB_FRAMES)
    }

    /// Frames that the DPB holds: `max_dec_frame_buffering` (E.2.1), inferred where it is absent or impossible.
    ///
    /// Never less than `max_num_ref_frames`: references come first, whatever level or VUI say.
    pub fn max_dec_frame_buffering(&self) -> u32 {
        let references = u32::from(self.max_num_ref_frames);
        let level_limit = self.max_dpb_frames().max(references);
        let coded = self
            .bitstream_restriction()
            .map(|restriction| restriction.max_dec_frame_buffering);
        match coded.filter(|frames| (references..=level_limit).contains(frames)) {
            Some(frames) => frames,
            None if self.is_intra_only() => references,
            None => level_limit,
        }
    }

    /// Frames that may precede another one in decoding order and follow it in output order: `max_num_reorder_frames`
    /// (E.2.1), inferred where it is absent or impossible.
    pub fn max_num_reorder_frames(&self) -> u32 {
        let limit = self.max_dec_frame_buffering();
        if self.pic_order_cnt_type == PicOrderCntType::Type2 {
            return 0;
        }
        let coded = self
            .bitstream_restriction()
            .map(|restriction| restriction.max_num_reorder_frames);
        match coded.filter(|&frames| frames <= limit) {
            Some(frames) => frames,
            None if self.is_intra_only() => 0,
            None => limit,
        }
    }

    fn bitstream_restriction(&self) -> Option<BitstreamRestriction> {
        self.vui.as_ref()?.bitstream_restriction
    }

    /// It claims Baseline, Main or Extended, and conformance to one of them: its PPSs end before the fields of the High
    /// profiles.
    pub(crate) fn is_before_high_profiles(&self) -> bool {
        matches!(self.profile_idc, 66 | 77 | 88) && self.constraint_set_flags & 7 != 0
    }

    /// The profile has no inter prediction: one of those for which E.2.1 infers that nothing is reordered.
    fn is_intra_only(&self) -> bool {
        matches!(self.profile_idc, 44 | 86 | 100 | 110 | 122 | 244) && self.constraint_set3_flag()
    }
}
