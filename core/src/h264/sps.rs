//! Sequence parameter sets (7.3.2.1.1) with their VUI (E.1.1). Values are stored as coded.

/// `seq_parameter_set_id`, 0 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpsId(pub(crate) u8);

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
