//! Picture parameter sets (7.3.2.2). Values are stored as coded.
#![deny(clippy::indexing_slicing)]

use super::bit_reader::{BitReader, Structure};
use super::nal::NalUnit;
use super::sps::{ScalingLists, Sps, SpsId};
use crate::BitstreamError;

/// `pic_parameter_set_id`, 0 to 255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

const PPS: Structure = Structure {
    name: "pic_parameter_set_rbsp",
    clause: "7.4.2.2",
};

/// `PicSizeInMapUnits` is bounded like the frame size of an SPS.
const MAX_PIC_SIZE_IN_MAP_UNITS: u32 = 262_144;

impl From<u8> for PpsId {
    fn from(number: u8) -> Self {
        Self(number)
    }
}

impl PpsId {
    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Pps {
    /// Reads a picture parameter set NAL unit (type 8).
    ///
    /// `sps_of` gives the SPS of that id if it is known already. It matters for 4:4:4, which has more 8x8 scaling
    /// lists, and for the older profiles, whose encoders sometimes leave garbage where the High profiles have fields.
    ///
    /// # Errors
    /// If anything is cut off or out of range.
    pub fn parse<'a>(nal: &NalUnit<'_>, sps_of: impl FnOnce(SpsId) -> Option<&'a Sps>) -> Result<Self, BitstreamError> {
        let r = &mut BitReader::new(PPS, nal.payload());
        let pic_parameter_set_id = PpsId(r.ue_max(255, "pic_parameter_set_id")?);
        let seq_parameter_set_id = SpsId(r.ue_max(31, "seq_parameter_set_id")?);
        let sps = sps_of(seq_parameter_set_id);
        let entropy_coding_mode_flag = r.flag("entropy_coding_mode_flag")?;
        let bottom_field_pic_order_in_frame_present_flag = r.flag("bottom_field_pic_order_in_frame_present_flag")?;
        let num_slice_groups_minus1 = r.ue_max(7, "num_slice_groups_minus1")?;
        if num_slice_groups_minus1 > 0 {
            skip_slice_groups(r, num_slice_groups_minus1)?;
        }
        let mut pps = Self {
            pic_parameter_set_id,
            seq_parameter_set_id,
            entropy_coding_mode_flag,
            bottom_field_pic_order_in_frame_present_flag,
            num_slice_groups_minus1,
            num_ref_idx_l0_default_active_minus1: r.ue_max(31, "num_ref_idx_l0_default_active_minus1")?,
            num_ref_idx_l1_default_active_minus1: r.ue_max(31, "num_ref_idx_l1_default_active_minus1")?,
            weighted_pred_flag: r.flag("weighted_pred_flag")?,
            weighted_bipred_idc: weighted_bipred_idc(r)?,
            pic_init_qp_minus26: r.se_in(-62..=25, "pic_init_qp_minus26")?,
            pic_init_qs_minus26: r.se_in(-26..=25, "pic_init_qs_minus26")?,
            chroma_qp_index_offset: r.se_in(-12..=12, "chroma_qp_index_offset")?,
            deblocking_filter_control_present_flag: r.flag("deblocking_filter_control_present_flag")?,
            constrained_intra_pred_flag: r.flag("constrained_intra_pred_flag")?,
            redundant_pic_cnt_present_flag: r.flag("redundant_pic_cnt_present_flag")?,
            transform_8x8_mode_flag: false,
            scaling_matrix: None,
            second_chroma_qp_index_offset: 0,
        };
        pps.second_chroma_qp_index_offset = pps.chroma_qp_index_offset;
        if !sps.is_some_and(Sps::is_before_high_profiles) && r.more_rbsp_data() {
            pps.parse_high_profile_fields(r, sps.is_some_and(|sps| sps.chroma_format_idc == 3))?;
        }
        Ok(pps)
    }

    fn parse_high_profile_fields(&mut self, r: &mut BitReader<'_>, is_444: bool) -> Result<(), BitstreamError> {
        self.transform_8x8_mode_flag = r.flag("transform_8x8_mode_flag")?;
        if r.flag("pic_scaling_matrix_present_flag")? {
            let lists_8x8 = match (self.transform_8x8_mode_flag, is_444) {
                (false, _) => 0,
                (true, false) => 2,
                (true, true) => 6,
            };
            self.scaling_matrix = Some(Box::new(PicScalingMatrix::parse(r, lists_8x8)?));
        }
        self.second_chroma_qp_index_offset = r.se_in(-12..=12, "second_chroma_qp_index_offset")?;
        Ok(())
    }

    /// The scaling lists of pictures that use this PPS, by fall-back rules A and B (table 7-2); `None` is `Flat_4x4_16`
    /// and `Flat_8x8_16`.
    pub fn scaling_lists(&self, sps: &Sps) -> Option<ScalingLists> {
        let sps_lists = sps.scaling_lists.as_deref();
        match &self.scaling_matrix {
            Some(matrix) => Some(matrix.resolve(sps_lists)),
            None => sps_lists.cloned(),
        }
    }
}

fn weighted_bipred_idc(r: &mut BitReader<'_>) -> Result<u8, BitstreamError> {
    let idc = r.bits(2, "weighted_bipred_idc")?;
    if idc > 2 {
        Err(r.error("weighted_bipred_idc", "3 is reserved"))
    } else {
        Ok(idc)
    }
}

/// Passes over what describes slice groups: no stateless decoder can use it, but what follows is needed.
fn skip_slice_groups(r: &mut BitReader<'_>, num_slice_groups_minus1: u8) -> Result<(), BitstreamError> {
    match r.ue_max(6, "slice_group_map_type")? {
        0 => {
            for _ in 0..=num_slice_groups_minus1 {
                r.ue_max(MAX_PIC_SIZE_IN_MAP_UNITS - 1, "run_length_minus1")?;
            }
        }
        2 => {
            for _ in 0..num_slice_groups_minus1 {
                r.ue_max(MAX_PIC_SIZE_IN_MAP_UNITS - 1, "top_left")?;
                r.ue_max(MAX_PIC_SIZE_IN_MAP_UNITS - 1, "bottom_right")?;
            }
        }
        3..=5 => {
            r.flag("slice_group_change_direction_flag")?;
            r.ue_max(MAX_PIC_SIZE_IN_MAP_UNITS - 1, "slice_group_change_rate_minus1")?;
        }
        6 => {
            let map_units = r.ue_max(MAX_PIC_SIZE_IN_MAP_UNITS - 1, "pic_size_in_map_units_minus1")? + 1;
            // Ceil(Log2(num_slice_groups_minus1 + 1)) bits each.
            let bits = u8::BITS - num_slice_groups_minus1.leading_zeros();
            r.skip(u64::from(map_units) * u64::from(bits), "slice_group_id")?;
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
