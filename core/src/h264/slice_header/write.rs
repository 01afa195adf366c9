//! Writes slices for tests.

use super::*;
use crate::h264::Parity;
use crate::h264::sps::{PicOrderCntType, Sps};
use crate::h264::testing::BitWriter;
use MemoryManagementControlOperation as Operation;

/// Writes the NAL unit of a slice with `header`, and into it the sizes that it comes to have.
pub(super) fn write_slice(header: &mut SliceHeader, sps: &Sps, pps: &Pps) -> Vec<u8> {
    let mut w = BitWriter::default();
    w.ue(header.first_mb_in_slice)
        .ue(header.slice_type as u32)
        .ue(u32::from(header.pic_parameter_set_id.0));
    if sps.separate_colour_plane_flag {
        w.bits(2, u32::from(header.colour_plane_id));
    }
    w.bits(
        u32::from(sps.log2_max_frame_num_minus4) + 4,
        u32::from(header.frame_num),
    );
    if !sps.frame_mbs_only_flag {
        w.flag(header.structure != PictureStructure::Frame);
        if let PictureStructure::Field(parity) = header.structure {
            w.flag(parity == Parity::Bottom);
        }
    }
    if let Some(idr_pic_id) = header.idr_pic_id {
        w.ue(u32::from(idr_pic_id));
    }
    let start = w.len();
    write_pic_order_cnt(&mut w, header, sps, pps);
    header.pic_order_cnt_bit_size = (w.len() - start) as u32;
    if pps.redundant_pic_cnt_present_flag {
        w.ue(u32::from(header.redundant_pic_cnt));
    }
    if header.slice_type == SliceType::B {
        w.flag(header.direct_spatial_mv_pred_flag);
    }
    write_lists(&mut w, header);
    if let Some(table) = &header.pred_weight_table {
        write_pred_weight_table(&mut w, header, table, sps.chroma_array_type() != 0);
    }
    let start = w.len();
    write_marking(&mut w, header);
    header.dec_ref_pic_marking_bit_size = (w.len() - start) as u32;
    write_rest(&mut w, header, pps);
    header.header_bit_size = w.len() as u32 + 8;
    let nal_unit_type = if header.idr_pic_id.is_some() { 5 } else { 1 };
    w.bits(20, 0x5_5555).nal(header.nal_ref_idc << 5 | nal_unit_type)
}

fn write_pic_order_cnt(w: &mut BitWriter, header: &SliceHeader, sps: &Sps, pps: &Pps) {
    let has_bottom = pps.bottom_field_pic_order_in_frame_present_flag && header.structure == PictureStructure::Frame;
    match (header.pic_order_cnt, &sps.pic_order_cnt_type) {
        (
            PicOrderCnt::Type0 {
                pic_order_cnt_lsb,
                delta_pic_order_cnt_bottom,
            },
            PicOrderCntType::Type0 {
                log2_max_pic_order_cnt_lsb_minus4,
            },
        ) => {
            w.bits(
                u32::from(*log2_max_pic_order_cnt_lsb_minus4) + 4,
                u32::from(pic_order_cnt_lsb),
            );
            if has_bottom {
                w.se(delta_pic_order_cnt_bottom);
            }
        }
        (
            PicOrderCnt::Type1 {
                delta_pic_order_cnt: [first, second],
            },
            PicOrderCntType::Type1 {
                delta_pic_order_always_zero_flag: false,
                ..
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

fn write_lists(w: &mut BitWriter, header: &SliceHeader) {
    let active = header.num_ref_idx_active.iter().filter(|length| **length != 0);
    if header.num_ref_idx_active != [0; 2] {
        w.flag(header.num_ref_idx_active_override_flag);
    }
    if header.num_ref_idx_active_override_flag {
        active.for_each(|&length| {
            w.ue(u32::from(length) - 1);
        });
    }
    for (list, length) in header.ref_pic_list_modification.iter().zip(header.num_ref_idx_active) {
        if length == 0 {
            continue;
        }
        w.flag(!list.is_empty());
        for modification in list {
            match *modification {
                RefPicListModification::Subtract(difference) => w.ue(0).ue(difference),
                RefPicListModification::Add(difference) => w.ue(1).ue(difference),
                RefPicListModification::LongTerm(number) => w.ue(2).ue(number),
            };
        }
        if !list.is_empty() {
            w.ue(3);
        }
    }
}

fn write_pred_weight_table(w: &mut BitWriter, header: &SliceHeader, table: &PredWeightTable, has_chroma: bool) {
    w.ue(u32::from(table.luma_log2_weight_denom));
    if has_chroma {
        w.ue(u32::from(table.chroma_log2_weight_denom));
    }
    let (luma, chroma) = (1 << table.luma_log2_weight_denom, 1 << table.chroma_log2_weight_denom);
    for (list, length) in table.weights.iter().zip(header.num_ref_idx_active) {
        for PredWeight {
            weight: [y, cb, cr],
            offset: [y_offset, cb_offset, cr_offset],
        } in list.iter().take(usize::from(length))
        {
            let is_coded = (*y, *y_offset) != (luma, 0);
            w.flag(is_coded);
            if is_coded {
                w.se(i32::from(*y)).se(i32::from(*y_offset));
            }
            if has_chroma {
                let is_coded = (*cb, *cb_offset, *cr, *cr_offset) != (chroma, 0, chroma, 0);
                w.flag(is_coded);
                if is_coded {
                    w.se(i32::from(*cb))
                        .se(i32::from(*cb_offset))
                        .se(i32::from(*cr))
                        .se(i32::from(*cr_offset));
                }
            }
        }
    }
}

fn write_marking(w: &mut BitWriter, header: &SliceHeader) {
    match &header.dec_ref_pic_marking {
        None => {}
        Some(DecRefPicMarking::Idr {
            no_output_of_prior_pics_flag,
            long_term_reference_flag,
        }) => {
            w.flag(*no_output_of_prior_pics_flag).flag(*long_term_reference_flag);
        }
        Some(DecRefPicMarking::SlidingWindow) => {
            w.flag(false);
        }
        Some(DecRefPicMarking::Adaptive(operations)) => {
            w.flag(true);
            for operation in operations {
                match *operation {
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
            w.ue(0);
        }
    }
}

fn write_rest(w: &mut BitWriter, header: &SliceHeader, pps: &Pps) {
    if pps.entropy_coding_mode_flag && !matches!(header.slice_type, SliceType::I | SliceType::Si) {
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
            w.se(i32::from(header.slice_alpha_c0_offset_div2))
                .se(i32::from(header.slice_beta_offset_div2));
        }
    }
}
