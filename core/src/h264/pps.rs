//! Picture parameter sets (7.3.2.2). Values are stored as coded.

use super::sps::SpsId;

/// `pic_parameter_set_id`, 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PpsId(pub(crate) u8);

/// One list of `pic_scaling_matrix()` as coded; what is missing falls back when the SPS is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScalingList<const N: usize> {
    /// `scaling_list_present_flag` is 0: fall-back rule A or B.
    NotPresent,
    /// `useDefaultScalingMatrixFlag`: tables 7-3, 7-4.
    UseDefault,
    /// Coded values in zig-zag order.
    Coded([u8; N]),
}

/// `pic_scaling_matrix_present_flag` with its lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PicScalingMatrix {
    /// Six 4x4 lists.
    pub lists_4x4: [ScalingList<16>; 6],
    /// The 8x8 lists; absent ones are `NotPresent`.
    pub lists_8x8: [ScalingList<64>; 6],
}

/// A picture parameter set. FMO is recognised at parsing (`num_slice_groups_minus1` > 0) and refused at use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pps {
    /// `pic_parameter_set_id`.
    pub pic_parameter_set_id: PpsId,
    /// `seq_parameter_set_id`; the SPS may come later or be sent again.
    pub seq_parameter_set_id: SpsId,
    /// `entropy_coding_mode_flag`.
    pub entropy_coding_mode_flag: bool,
    /// `bottom_field_pic_order_in_frame_present_flag`.
    pub bottom_field_pic_order_in_frame_present_flag: bool,
    /// `num_slice_groups_minus1`.
    pub num_slice_groups_minus1: u8,
    /// `num_ref_idx_l0_default_active_minus1`, 0 to 31.
    pub num_ref_idx_l0_default_active_minus1: u8,
    /// `num_ref_idx_l1_default_active_minus1`, 0 to 31.
    pub num_ref_idx_l1_default_active_minus1: u8,
    /// `weighted_pred_flag`.
    pub weighted_pred_flag: bool,
    /// `weighted_bipred_idc`, 0 to 2.
    pub weighted_bipred_idc: u8,
    /// `pic_init_qp_minus26`.
    pub pic_init_qp_minus26: i8,
    /// `pic_init_qs_minus26`.
    pub pic_init_qs_minus26: i8,
    /// `chroma_qp_index_offset`.
    pub chroma_qp_index_offset: i8,
    /// `deblocking_filter_control_present_flag`.
    pub deblocking_filter_control_present_flag: bool,
    /// `constrained_intra_pred_flag`.
    pub constrained_intra_pred_flag: bool,
    /// `redundant_pic_cnt_present_flag`.
    pub redundant_pic_cnt_present_flag: bool,
    /// `transform_8x8_mode_flag`.
    pub transform_8x8_mode_flag: bool,
    /// `pic_scaling_matrix_present_flag` and its lists.
    pub scaling_matrix: Option<Box<PicScalingMatrix>>,
    /// `second_chroma_qp_index_offset`; equals the first where absent.
    pub second_chroma_qp_index_offset: i8,
}
