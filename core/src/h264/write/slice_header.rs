//! `slice_header()` (7.3.3) and what it contains.

use fourier_core::h264::slice_header::{
    DecRefPicMarking, MemoryManagementControlOperation as Operation, PicOrderCnt, PredWeight, PredWeightTable,
    RefPicListModification, SliceHeader, SliceType,
};
use fourier_core::h264::sps::PicOrderCntType;
use fourier_core::h264::{Parity, PictureStructure, Pps, Sps};

use super::bits::BitWriter;

/// Writes a slice header, and into `header` the sizes that it comes to have.
pub fn write(w: &mut BitWriter, header: &mut SliceHeader, sps: &Sps, pps: &Pps) {
    let begin = w.bit_len();
    start_of_header(w, header, sps);
    let start = w.bit_len();
    pic_order_cnt(w, header, sps, pps);
    header.pic_order_cnt_bit_size = (w.bit_len() - start) as u32;
    if pps.redundant_pic_cnt_present_flag {
        w.ue(u32::from(header.redundant_pic_cnt));
    }
    if header.slice_type == SliceType::B {
        w.flag(header.direct_spatial_mv_pred_flag);
    }
    num_ref_idx_active(w, header);
    for (list, length) in header.ref_pic_list_modification.iter().zip(header.num_ref_idx_active) {
        if length != 0 {
            ref_pic_list_modification(w, list);
        }
    }
    if let Some(table) = &header.pred_weight_table {
        pred_weight_table(w, table, header.num_ref_idx_active, sps.chroma_array_type() != 0);
    }
    let start = w.bit_len();
    if let Some(marking) = &header.dec_ref_pic_marking {
        dec_ref_pic_marking(w, marking);
    }
    header.dec_ref_pic_marking_bit_size = (w.bit_len() - start) as u32;
    end_of_header(w, header, pps);
    // The header byte of the NAL unit counts too.
    header.header_bit_size = (w.bit_len() - begin + 8) as u32;
}

fn start_of_header(w: &mut BitWriter, header: &SliceHeader, sps: &Sps) {
    w.ue(header.first_mb_in_slice);
    w.ue(match header.slice_type {
        SliceType::P => 0,
        SliceType::B => 1,
        SliceType::I => 2,
        SliceType::Sp => 3,
        SliceType::Si => 4,
    });
    w.ue(u32::from(header.pic_parameter_set_id.get()));
    if sps.separate_colour_plane_flag {
        w.u(2, u32::from(header.colour_plane_id));
    }
    w.u(
        u32::from(sps.log2_max_frame_num_minus4) + 4,
        u32::from(header.frame_num),
    );
    if !sps.frame_mbs_only_flag {
        let parity = header.structure.parity();
        w.flag(parity.is_some());
        if let Some(parity) = parity {
            w.flag(parity == Parity::Bottom);
        }
    }
    if let Some(idr_pic_id) = header.idr_pic_id {
        w.ue(u32::from(idr_pic_id));
    }
}

fn pic_order_cnt(w: &mut BitWriter, header: &SliceHeader, sps: &Sps, pps: &Pps) {
    let has_bottom = pps.bottom_field_pic_order_in_frame_present_flag && header.structure == PictureStructure::Frame;
    match (&sps.pic_order_cnt_type, header.pic_order_cnt) {
        (
            PicOrderCntType::Type0 {
                log2_max_pic_order_cnt_lsb_minus4,
            },
            PicOrderCnt::Type0 {
                pic_order_cnt_lsb,
                delta_pic_order_cnt_bottom,
            },
        ) => {
            w.u(
                u32::from(*log2_max_pic_order_cnt_lsb_minus4) + 4,
                u32::from(pic_order_cnt_lsb),
            );
            if has_bottom {
                w.se(delta_pic_order_cnt_bottom);
            }
        }
        (
            PicOrderCntType::Type1 {
                delta_pic_order_always_zero_flag: false,
                ..
            },
            PicOrderCnt::Type1 {
                delta_pic_order_cnt: [first, second],
            },
        ) => {
            w.se(first);
            if has_bottom {
                w.se(second);
            }
        }
        _ => {}
    }
}

fn num_ref_idx_active(w: &mut BitWriter, header: &SliceHeader) {
    let used = header.num_ref_idx_active.into_iter().filter(|&length| length != 0);
    if used.clone().next().is_some() {
        w.flag(header.num_ref_idx_active_override_flag);
    }
    if header.num_ref_idx_active_override_flag {
        for length in used {
            w.ue(u32::from(length) - 1);
        }
    }
}

fn ref_pic_list_modification(w: &mut BitWriter, list: &[RefPicListModification]) {
    w.flag(!list.is_empty());
    for modification in list {
        match *modification {
            RefPicListModification::Subtract(abs_diff_pic_num_minus1) => w.ue(0).ue(abs_diff_pic_num_minus1),
            RefPicListModification::Add(abs_diff_pic_num_minus1) => w.ue(1).ue(abs_diff_pic_num_minus1),
            RefPicListModification::LongTerm(long_term_pic_num) => w.ue(2).ue(long_term_pic_num),
        };
    }
    if !list.is_empty() {
        w.ue(3);
    }
}

fn pred_weight_table(w: &mut BitWriter, table: &PredWeightTable, lengths: [u8; 2], has_chroma: bool) {
    w.ue(u32::from(table.luma_log2_weight_denom));
    if has_chroma {
        w.ue(u32::from(table.chroma_log2_weight_denom));
    }
    let luma = 1 << table.luma_log2_weight_denom;
    let chroma = 1 << table.chroma_log2_weight_denom;
    for (list, length) in table.weights.iter().zip(lengths) {
        for PredWeight { weight, offset } in list.iter().take(usize::from(length)) {
            let ([y, cb, cr], [y_offset, cb_offset, cr_offset]) = (*weight, *offset);
            let luma_weight_flag = (y, y_offset) != (luma, 0);
            w.flag(luma_weight_flag);
            if luma_weight_flag {
                w.se(i32::from(y)).se(i32::from(y_offset));
            }
            if !has_chroma {
                continue;
            }
            let chroma_weight_flag = (cb, cb_offset, cr, cr_offset) != (chroma, 0, chroma, 0);
            w.flag(chroma_weight_flag);
            if chroma_weight_flag {
                w.se(i32::from(cb)).se(i32::from(cb_offset));
                w.se(i32::from(cr)).se(i32::from(cr_offset));
            }
        }
    }
}

fn dec_ref_pic_marking(w: &mut BitWriter, marking: &DecRefPicMarking) {
    match marking {
        DecRefPicMarking::Idr {
            no_output_of_prior_pics_flag,
            long_term_reference_flag,
        } => {
            w.flag(*no_output_of_prior_pics_flag).flag(*long_term_reference_flag);
        }
        DecRefPicMarking::SlidingWindow => {
            w.flag(false);
        }
        DecRefPicMarking::Adaptive(operations) => {
            w.flag(true);
            for operation in operations {
                memory_management_control_operation(w, *operation);
            }
            w.ue(0);
        }
    }
}

fn memory_management_control_operation(w: &mut BitWriter, operation: Operation) {
    match operation {
        Operation::UnmarkShortTerm {
            difference_of_pic_nums_minus1,
        } => w.ue(1).ue(difference_of_pic_nums_minus1),
        Operation::UnmarkLongTerm { long_term_pic_num } => w.ue(2).ue(long_term_pic_num),
        Operation::AssignLongTerm {
            difference_of_pic_nums_minus1,
            long_term_frame_idx,
        } => w.ue(3).ue(difference_of_pic_nums_minus1).ue(long_term_frame_idx),
        Operation::SetMaxLongTermFrameIdx {
            max_long_term_frame_idx_plus1,
        } => w.ue(4).ue(max_long_term_frame_idx_plus1),
        Operation::UnmarkAll => w.ue(5),
        Operation::MarkCurrentLongTerm { long_term_frame_idx } => w.ue(6).ue(long_term_frame_idx),
    };
}

fn end_of_header(w: &mut BitWriter, header: &SliceHeader, pps: &Pps) {
    let is_intra = matches!(header.slice_type, SliceType::I | SliceType::Si);
    if pps.entropy_coding_mode_flag && !is_intra {
        w.ue(u32::from(header.cabac_init_idc));
    }
    w.se(i32::from(header.slice_qp_delta));
    if header.slice_type == SliceType::Sp {
        w.flag(header.sp_for_switch_flag);
    }
    if matches!(header.slice_type, SliceType::Sp | SliceType::Si) {
        w.se(i32::from(header.slice_qs_delta));
    }
    if pps.deblocking_filter_control_present_flag {
        w.ue(u32::from(header.disable_deblocking_filter_idc));
        if header.disable_deblocking_filter_idc != 1 {
            w.se(i32::from(header.slice_alpha_c0_offset_div2));
            w.se(i32::from(header.slice_beta_offset_div2));
        }
    }
}
