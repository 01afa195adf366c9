//! `pic_parameter_set_rbsp()` (7.3.2.2).

use fourier_core::h264::Pps;
use fourier_core::h264::pps::PicScalingMatrix;

use super::bits::BitWriter;

/// The NAL unit of a PPS whose SPS is of that `chroma_format_idc`.
///
/// A [`Pps`] does not keep what its slice groups are: they are written as type 0, one map unit each.
pub fn nal(pps: &Pps, chroma_format_idc: u8) -> Vec<u8> {
    let mut w = BitWriter::default();
    w.ue(u32::from(pps.pic_parameter_set_id.get()));
    w.ue(u32::from(pps.seq_parameter_set_id.get()));
    w.flag(pps.entropy_coding_mode_flag);
    w.flag(pps.bottom_field_pic_order_in_frame_present_flag);
    w.ue(u32::from(pps.num_slice_groups_minus1));
    if pps.num_slice_groups_minus1 > 0 {
        let slice_group_map_type = 0;
        w.ue(slice_group_map_type);
        for _ in 0..=pps.num_slice_groups_minus1 {
            let run_length_minus1 = 0;
            w.ue(run_length_minus1);
        }
    }
    after_slice_groups(&mut w, pps, chroma_format_idc);
    w.trailing_bits().nal(3, 8)
}

/// What follows the description of the slice groups.
pub fn after_slice_groups(w: &mut BitWriter, pps: &Pps, chroma_format_idc: u8) {
    w.ue(u32::from(pps.num_ref_idx_l0_default_active_minus1));
    w.ue(u32::from(pps.num_ref_idx_l1_default_active_minus1));
    w.flag(pps.weighted_pred_flag);
    w.u(2, u32::from(pps.weighted_bipred_idc));
    w.se(i32::from(pps.pic_init_qp_minus26));
    w.se(i32::from(pps.pic_init_qs_minus26));
    w.se(i32::from(pps.chroma_qp_index_offset));
    w.flag(pps.deblocking_filter_control_present_flag);
    w.flag(pps.constrained_intra_pred_flag);
    w.flag(pps.redundant_pic_cnt_present_flag);
    if has_high_profile_fields(pps) {
        w.flag(pps.transform_8x8_mode_flag);
        w.flag(pps.scaling_matrix.is_some());
        if let Some(matrix) = &pps.scaling_matrix {
            let lists_8x8 = match (pps.transform_8x8_mode_flag, chroma_format_idc) {
                (false, _) => 0,
                (true, 3) => 6,
                (true, _) => 2,
            };
            pic_scaling_matrix(w, matrix, lists_8x8);
        }
        w.se(i32::from(pps.second_chroma_qp_index_offset));
    }
}

fn has_high_profile_fields(pps: &Pps) -> bool {
    pps.transform_8x8_mode_flag
        || pps.scaling_matrix.is_some()
        || pps.second_chroma_qp_index_offset != pps.chroma_qp_index_offset
}

fn pic_scaling_matrix(w: &mut BitWriter, matrix: &PicScalingMatrix, lists_8x8: usize) {
    for list in &matrix.lists_4x4 {
        super::scaling_list::write(w, list);
    }
    for list in matrix.lists_8x8.iter().take(lists_8x8) {
        super::scaling_list::write(w, list);
    }
}
