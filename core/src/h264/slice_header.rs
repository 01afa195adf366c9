//! Slice headers (7.3.3), complete, with the bit sizes that drivers want.
#![deny(clippy::indexing_slicing)]

use super::PictureStructure;
use super::nal::NalUnitType;
use super::pps::{Pps, PpsId};

mod parse;
#[cfg(test)]
mod tests;

/// `slice_type % 5`, SP and SI recognised so that they can be refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SliceType {
    /// P.
    P,
    /// B.
    B,
    /// I.
    I,
    /// SP: Extended profile.
    Sp,
    /// SI: Extended profile.
    Si,
}

/// What the header codes for picture order count, by `pic_order_cnt_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PicOrderCnt {
    /// Type 0.
    Type0 {
        /// `pic_order_cnt_lsb`.
        pic_order_cnt_lsb: u16,
        /// `delta_pic_order_cnt_bottom`, 0 where absent.
        delta_pic_order_cnt_bottom: i32,
    },
    /// Type 1.
    Type1 {
        /// `delta_pic_order_cnt[2]`, 0 where absent.
        delta_pic_order_cnt: [i32; 2],
    },
    /// Type 2.
    Type2,
}

/// One `modification_of_pic_nums_idc` (7.4.3.1); the end marker is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefPicListModification {
    /// 0: `abs_diff_pic_num_minus1` to subtract.
    Subtract(u32),
    /// 1: `abs_diff_pic_num_minus1` to add.
    Add(u32),
    /// 2: `long_term_pic_num`.
    LongTerm(u32),
}

/// Weights of one reference index, as coded or defaulted (7.4.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PredWeight {
    /// Y, Cb, Cr.
    pub weight: [i16; 3],
    /// Y, Cb, Cr.
    pub offset: [i16; 3],
}

/// `pred_weight_table()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredWeightTable {
    /// `luma_log2_weight_denom`.
    pub luma_log2_weight_denom: u8,
    /// `chroma_log2_weight_denom`.
    pub chroma_log2_weight_denom: u8,
    /// By list and index; 32 entries where the list is active, defaults where nothing is coded.
    pub weights: [Vec<PredWeight>; 2],
}

/// A `memory_management_control_operation` (7.4.3.3) other than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryManagementControlOperation {
    /// 1: a short-term picture is no reference any more.
    UnmarkShortTerm {
        /// `difference_of_pic_nums_minus1`.
        difference_of_pic_nums_minus1: u32,
    },
    /// 2: a long-term picture is no reference any more.
    UnmarkLongTerm {
        /// `long_term_pic_num`.
        long_term_pic_num: u32,
    },
    /// 3: a short-term picture becomes long-term.
    AssignLongTerm {
        /// `difference_of_pic_nums_minus1`.
        difference_of_pic_nums_minus1: u32,
        /// `long_term_frame_idx`.
        long_term_frame_idx: u32,
    },
    /// 4: `max_long_term_frame_idx_plus1`.
    SetMaxLongTermFrameIdx {
        /// `max_long_term_frame_idx_plus1`.
        max_long_term_frame_idx_plus1: u32,
    },
    /// 5: all reference pictures go, frame_num and POC restart.
    UnmarkAll,
    /// 6: the current picture becomes long-term.
    MarkCurrentLongTerm {
        /// `long_term_frame_idx`.
        long_term_frame_idx: u32,
    },
}

/// `dec_ref_pic_marking()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecRefPicMarking {
    /// IDR picture.
    Idr {
        /// `no_output_of_prior_pics_flag`.
        no_output_of_prior_pics_flag: bool,
        /// `long_term_reference_flag`.
        long_term_reference_flag: bool,
    },
    /// `adaptive_ref_pic_marking_mode_flag` 0.
    SlidingWindow,
    /// `adaptive_ref_pic_marking_mode_flag` 1.
    Adaptive(Vec<MemoryManagementControlOperation>),
}

/// A slice header with the NAL header fields that it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceHeader {
    /// `nal_ref_idc`.
    pub nal_ref_idc: u8,
    /// `idr_pic_id`; `Some` exactly if `IdrPicFlag`.
    pub idr_pic_id: Option<u16>,
    /// `first_mb_in_slice`.
    pub first_mb_in_slice: u32,
    /// `slice_type`.
    pub slice_type: SliceType,
    /// `pic_parameter_set_id`.
    pub pic_parameter_set_id: PpsId,
    /// `colour_plane_id`.
    pub colour_plane_id: u8,
    /// `frame_num`.
    pub frame_num: u16,
    /// `field_pic_flag`, `bottom_field_flag`.
    pub structure: PictureStructure,
    /// Picture order count.
    pub pic_order_cnt: PicOrderCnt,
    /// `redundant_pic_cnt`.
    pub redundant_pic_cnt: u8,
    /// `direct_spatial_mv_pred_flag`.
    pub direct_spatial_mv_pred_flag: bool,
    /// `num_ref_idx_l0_active_minus1 + 1`, `num_ref_idx_l1_active_minus1 + 1`; 0 where the list is not used.
    pub num_ref_idx_active: [u8; 2],
    /// `num_ref_idx_active_override_flag`.
    pub num_ref_idx_active_override_flag: bool,
    /// `ref_pic_list_modification()` of both lists; empty where the flag is 0.
    pub ref_pic_list_modification: [Vec<RefPicListModification>; 2],
    /// `pred_weight_table()`.
    pub pred_weight_table: Option<Box<PredWeightTable>>,
    /// `dec_ref_pic_marking()`; `None` if `nal_ref_idc` is 0.
    pub dec_ref_pic_marking: Option<DecRefPicMarking>,
    /// `cabac_init_idc`.
    pub cabac_init_idc: u8,
    /// `slice_qp_delta`.
    pub slice_qp_delta: i8,
    /// `sp_for_switch_flag`.
    pub sp_for_switch_flag: bool,
    /// `slice_qs_delta`.
    pub slice_qs_delta: i8,
    /// `disable_deblocking_filter_idc`.
    pub disable_deblocking_filter_idc: u8,
    /// `slice_alpha_c0_offset_div2`.
    pub slice_alpha_c0_offset_div2: i8,
    /// `slice_beta_offset_div2`.
    pub slice_beta_offset_div2: i8,
    /// `slice_group_change_cycle`.
    pub slice_group_change_cycle: u32,
    /// Bits from the start of the NAL unit (its header byte included) to `slice_data()`, without emulation prevention.
    pub header_bit_size: u32,
    /// Bits of `dec_ref_pic_marking()`, without emulation prevention.
    pub dec_ref_pic_marking_bit_size: u32,
    /// Bits of the `pic_order_cnt` syntax, without emulation prevention.
    pub pic_order_cnt_bit_size: u32,
}

/// The feature of a slice that no stateless decoder offers, as an error message names it.
///
/// A redundant slice is none of them: it is dropped where `redundant_pic_cnt` is not 0.
pub fn unsupported_feature(nal_unit_type: NalUnitType, pps: &Pps, header: &SliceHeader) -> Option<&'static str> {
    match (nal_unit_type, header.slice_type) {
        (NalUnitType::DataPartitionA | NalUnitType::DataPartitionB | NalUnitType::DataPartitionC, _) => {
            Some("slice data partitioning (Extended profile)")
        }
        (_, SliceType::Sp) => Some("SP slices (Extended profile)"),
        (_, SliceType::Si) => Some("SI slices (Extended profile)"),
        _ if pps.num_slice_groups_minus1 > 0 => Some("flexible macroblock ordering (more than one slice group)"),
        _ => None,
    }
}
