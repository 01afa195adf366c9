//! `slice_header()` (7.3.3) and what it contains.

use super::{
    DecRefPicMarking, MemoryManagementControlOperation, PicOrderCnt, PredWeight, PredWeightTable,
    RefPicListModification, SliceHeader, SliceType,
};
use crate::BitstreamError;
use crate::h264::bit_reader::{BitReader, Structure};
use crate::h264::nal::{NalUnit, NalUnitType};
use crate::h264::pps::{Pps, PpsId};
use crate::h264::sps::{PicOrderCntType, Sps};
use crate::h264::{Parity, PictureStructure};

const SLICE_HEADER: Structure = Structure {
    name: "slice_header",
    clause: "7.4.3",
};
const REF_PIC_LIST_MODIFICATION: Structure = Structure {
    name: "ref_pic_list_modification",
    clause: "7.4.3.1",
};
const PRED_WEIGHT_TABLE: Structure = Structure {
    name: "pred_weight_table",
    clause: "7.4.3.2",
};
const DEC_REF_PIC_MARKING: Structure = Structure {
    name: "dec_ref_pic_marking",
    clause: "7.4.3.3",
};

/// Entries of a list of weights: `num_ref_idx_active` is never more.
const MAX_REF_IDX_ACTIVE: usize = 32;
/// `long_term_frame_idx` is below the largest `max_num_ref_frames`.
const MAX_LONG_TERM_FRAME_IDX: u32 = 15;
/// The largest `LongTermPicNum`: that of a field (8-30, 8-31).
const MAX_LONG_TERM_PIC_NUM: u32 = 2 * MAX_LONG_TERM_FRAME_IDX + 1;
/// Operations in one `dec_ref_pic_marking()`: each of 32 fields is unmarked or moved once, besides 4 and 6.
const MAX_OPERATIONS: usize = 66;

/// The parameter sets and fields of the NAL unit header on which the syntax depends.
struct Context<'a> {
    sps: &'a Sps,
    pps: &'a Pps,
    nal_ref_idc: u8,
    is_idr: bool,
}

impl SliceHeader {
    /// `pic_parameter_set_id` of a slice, without reading more than that.
    ///
    /// # Errors
    /// If the header is cut off or out of range before it.
    pub fn parse_pic_parameter_set_id(nal: &NalUnit<'_>) -> Result<PpsId, BitstreamError> {
        let r = &mut BitReader::new(SLICE_HEADER, nal.payload());
        r.ue("first_mb_in_slice")?;
        slice_type(r)?;
        r.ue_max(255, "pic_parameter_set_id").map(PpsId)
    }

    /// Reads the header of a slice (NAL types 1 and 5) or of data partition A (2) with its parameter sets.
    ///
    /// With FMO of the types 3 to 5 the header ends in `slice_group_change_cycle`, which is not read: see
    /// [`unsupported_feature`](super::unsupported_feature).
    ///
    /// # Errors
    /// If it is no such NAL unit, or anything is cut off or out of range.
    pub fn parse(nal: &NalUnit<'_>, sps: &Sps, pps: &Pps) -> Result<Self, BitstreamError> {
        let is_idr = match nal.nal_unit_type {
            NalUnitType::IdrSlice => true,
            NalUnitType::NonIdrSlice | NalUnitType::DataPartitionA => false,
            other => return Err(SLICE_HEADER.error("nal_unit_type", format!("{other:?} has no slice header"))),
        };
        let r = &mut BitReader::new(SLICE_HEADER, nal.payload());
        let context = &Context {
            sps,
            pps,
            nal_ref_idc: nal.nal_ref_idc,
            is_idr,
        };
        parse_slice_header(r, context)
    }
}

fn parse_slice_header(r: &mut BitReader<'_>, context: &Context<'_>) -> Result<SliceHeader, BitstreamError> {
    let mut header = start_of_header(r, context)?;
    if context.pps.redundant_pic_cnt_present_flag {
        header.redundant_pic_cnt = r.ue_max(127, "redundant_pic_cnt")?;
    }
    inter_prediction(r, context, &mut header)?;
    let marking_start = r.position();
    if header.nal_ref_idc != 0 {
        header.dec_ref_pic_marking = Some(dec_ref_pic_marking(r, context, header.structure)?);
    }
    header.dec_ref_pic_marking_bit_size = (r.position() - marking_start) as u32;
    quantisation_and_deblocking(r, context, &mut header)?;
    header.header_bit_size = (r.position() + 8) as u32;
    Ok(header)
}

/// Up to the picture order count; the rest has the values that are inferred where nothing is coded.
fn start_of_header(r: &mut BitReader<'_>, context: &Context<'_>) -> Result<SliceHeader, BitstreamError> {
    let sps = context.sps;
    let first_mb_in_slice = r.ue("first_mb_in_slice")?;
    let slice_type = slice_type(r)?;
    let pic_parameter_set_id = PpsId(r.ue_max(255, "pic_parameter_set_id")?);
    let colour_plane_id = if sps.separate_colour_plane_flag {
        colour_plane_id(r)?
    } else {
        0
    };
    let frame_num = r.bits(u32::from(sps.log2_max_frame_num_minus4) + 4, "frame_num")?;
    let structure = structure(r, sps)?;
    check_first_mb(r, sps, structure, first_mb_in_slice)?;
    let idr_pic_id = if context.is_idr {
        Some(r.ue_max(u16::MAX, "idr_pic_id")?)
    } else {
        None
    };
    let pic_order_cnt_start = r.position();
    let pic_order_cnt = pic_order_cnt(r, context, structure)?;
    Ok(SliceHeader {
        nal_ref_idc: context.nal_ref_idc,
        idr_pic_id,
        first_mb_in_slice,
        slice_type,
        pic_parameter_set_id,
        colour_plane_id,
        frame_num,
        structure,
        pic_order_cnt,
        redundant_pic_cnt: 0,
        direct_spatial_mv_pred_flag: false,
        num_ref_idx_active: [0; 2],
        num_ref_idx_active_override_flag: false,
        ref_pic_list_modification: [Vec::new(), Vec::new()],
        pred_weight_table: None,
        dec_ref_pic_marking: None,
        cabac_init_idc: 0,
        slice_qp_delta: 0,
        sp_for_switch_flag: false,
        slice_qs_delta: 0,
        disable_deblocking_filter_idc: 0,
        slice_alpha_c0_offset_div2: 0,
        slice_beta_offset_div2: 0,
        slice_group_change_cycle: 0,
        header_bit_size: 0,
        dec_ref_pic_marking_bit_size: 0,
        pic_order_cnt_bit_size: (r.position() - pic_order_cnt_start) as u32,
    })
}

/// The reference lists and their weights.
fn inter_prediction(
    r: &mut BitReader<'_>,
    context: &Context<'_>,
    header: &mut SliceHeader,
) -> Result<(), BitstreamError> {
    let Context { sps, pps, .. } = *context;
    header.direct_spatial_mv_pred_flag = header.slice_type == SliceType::B && r.flag("direct_spatial_mv_pred_flag")?;
    (header.num_ref_idx_active_override_flag, header.num_ref_idx_active) =
        num_ref_idx_active(r, pps, header.slice_type, header.structure)?;
    header.ref_pic_list_modification = ref_pic_list_modification(r, sps, header)?;
    let is_weighted = match header.slice_type {
        SliceType::P | SliceType::Sp => pps.weighted_pred_flag,
        SliceType::B => pps.weighted_bipred_idc == 1,
        SliceType::I | SliceType::Si => false,
    };
    if is_weighted {
        header.pred_weight_table = Some(Box::new(pred_weight_table(r, sps, header.num_ref_idx_active)?));
    }
    Ok(())
}

/// What follows `dec_ref_pic_marking()`.
fn quantisation_and_deblocking(
    r: &mut BitReader<'_>,
    context: &Context<'_>,
    header: &mut SliceHeader,
) -> Result<(), BitstreamError> {
    let Context { sps, pps, .. } = *context;
    let is_intra = matches!(header.slice_type, SliceType::I | SliceType::Si);
    if pps.entropy_coding_mode_flag && !is_intra {
        header.cabac_init_idc = r.ue_max(2, "cabac_init_idc")?;
    }
    // SliceQPY (7-32) is in -QpBdOffsetY to 51.
    let (lowest_qp, init_qp) = (
        -6 * i32::from(sps.bit_depth_luma_minus8),
        26 + i32::from(pps.pic_init_qp_minus26),
    );
    header.slice_qp_delta = r.se_in(lowest_qp - init_qp..=51 - init_qp, "slice_qp_delta")? as i8;
    if matches!(header.slice_type, SliceType::Sp | SliceType::Si) {
        header.sp_for_switch_flag = header.slice_type == SliceType::Sp && r.flag("sp_for_switch_flag")?;
        // QSY (7-33) is in 0 to 51.
        let init_qs = 26 + i32::from(pps.pic_init_qs_minus26);
        header.slice_qs_delta = r.se_in(-init_qs..=51 - init_qs, "slice_qs_delta")? as i8;
    }
    if pps.deblocking_filter_control_present_flag {
        header.disable_deblocking_filter_idc = r.ue_max(2, "disable_deblocking_filter_idc")?;
        if header.disable_deblocking_filter_idc != 1 {
            header.slice_alpha_c0_offset_div2 = r.se_in(-6..=6, "slice_alpha_c0_offset_div2")?;
            header.slice_beta_offset_div2 = r.se_in(-6..=6, "slice_beta_offset_div2")?;
        }
    }
    Ok(())
}

fn slice_type(r: &mut BitReader<'_>) -> Result<SliceType, BitstreamError> {
    Ok(match r.ue_max(9_u8, "slice_type")? % 5 {
        0 => SliceType::P,
        1 => SliceType::B,
        2 => SliceType::I,
        3 => SliceType::Sp,
        _ => SliceType::Si,
    })
}

fn colour_plane_id(r: &mut BitReader<'_>) -> Result<u8, BitstreamError> {
    let id = r.bits(2, "colour_plane_id")?;
    if id > 2 {
        Err(r.error("colour_plane_id", "3 is reserved"))
    } else {
        Ok(id)
    }
}

fn structure(r: &mut BitReader<'_>, sps: &Sps) -> Result<PictureStructure, BitstreamError> {
    if sps.frame_mbs_only_flag || !r.flag("field_pic_flag")? {
        return Ok(PictureStructure::Frame);
    }
    let parity = if r.flag("bottom_field_flag")? {
        Parity::Bottom
    } else {
        Parity::Top
    };
    Ok(PictureStructure::Field(parity))
}

/// `first_mb_in_slice` is an address of a macroblock, or of a pair of them with MBAFF.
fn check_first_mb(
    r: &BitReader<'_>,
    sps: &Sps,
    structure: PictureStructure,
    first_mb: u32,
) -> Result<(), BitstreamError> {
    let frame_size = sps.pic_width_in_mbs() * sps.frame_height_in_mbs();
    let is_halved = structure != PictureStructure::Frame || sps.mb_adaptive_frame_field_flag;
    let addresses = if is_halved { frame_size / 2 } else { frame_size };
    if first_mb < addresses {
        return Ok(());
    }
    Err(r.error(
        "first_mb_in_slice",
        format!("{first_mb} is beyond the {addresses} addresses of the picture"),
    ))
}

fn pic_order_cnt(
    r: &mut BitReader<'_>,
    context: &Context<'_>,
    structure: PictureStructure,
) -> Result<PicOrderCnt, BitstreamError> {
    let has_bottom = context.pps.bottom_field_pic_order_in_frame_present_flag && structure == PictureStructure::Frame;
    match &context.sps.pic_order_cnt_type {
        PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4,
        } => Ok(PicOrderCnt::Type0 {
            pic_order_cnt_lsb: r.bits(u32::from(*log2_max_pic_order_cnt_lsb_minus4) + 4, "pic_order_cnt_lsb")?,
            delta_pic_order_cnt_bottom: if has_bottom {
                r.se("delta_pic_order_cnt_bottom")?
            } else {
                0
            },
        }),
        PicOrderCntType::Type1 {
            delta_pic_order_always_zero_flag: true,
            ..
        } => Ok(PicOrderCnt::Type1 {
            delta_pic_order_cnt: [0; 2],
        }),
        PicOrderCntType::Type1 { .. } => {
            let first = r.se("delta_pic_order_cnt[0]")?;
            let second = if has_bottom { r.se("delta_pic_order_cnt[1]")? } else { 0 };
            Ok(PicOrderCnt::Type1 {
                delta_pic_order_cnt: [first, second],
            })
        }
        PicOrderCntType::Type2 => Ok(PicOrderCnt::Type2),
    }
}

/// `num_ref_idx_active_override_flag` and the lengths of both lists, 0 for a list that is not used.
fn num_ref_idx_active(
    r: &mut BitReader<'_>,
    pps: &Pps,
    slice_type: SliceType,
    structure: PictureStructure,
) -> Result<(bool, [u8; 2]), BitstreamError> {
    let lists = match slice_type {
        SliceType::I | SliceType::Si => return Ok((false, [0; 2])),
        SliceType::P | SliceType::Sp => 1,
        SliceType::B => 2,
    };
    let coded = r.flag("num_ref_idx_active_override_flag")?;
    let max = if structure == PictureStructure::Frame { 15 } else { 31 };
    let defaults = [
        ("num_ref_idx_l0_active_minus1", pps.num_ref_idx_l0_default_active_minus1),
        ("num_ref_idx_l1_active_minus1", pps.num_ref_idx_l1_default_active_minus1),
    ];
    let mut active = [0; 2];
    for (length, (element, default)) in active.iter_mut().zip(defaults).take(lists) {
        let minus1 = if coded { r.ue_max(max, element)? } else { default };
        if minus1 > max {
            return Err(r.error(element, format!("the default of the PPS, {minus1}, is above {max}")));
        }
        *length = minus1 + 1;
    }
    Ok((coded, active))
}

/// `MaxPicNum` (7.4.3).
fn max_pic_num(sps: &Sps, structure: PictureStructure) -> u32 {
    sps.max_frame_num() * if structure == PictureStructure::Frame { 1 } else { 2 }
}

fn ref_pic_list_modification(
    r: &mut BitReader<'_>,
    sps: &Sps,
    header: &SliceHeader,
) -> Result<[Vec<RefPicListModification>; 2], BitstreamError> {
    let mut modifications = [Vec::new(), Vec::new()];
    r.enter(REF_PIC_LIST_MODIFICATION);
    let flags = ["ref_pic_list_modification_flag_l0", "ref_pic_list_modification_flag_l1"];
    for ((list, &length), flag) in modifications.iter_mut().zip(&header.num_ref_idx_active).zip(flags) {
        if length != 0 && r.flag(flag)? {
            *list = modifications_of_list(r, usize::from(length), max_pic_num(sps, header.structure))?;
        }
    }
    r.enter(SLICE_HEADER);
    Ok(modifications)
}

fn modifications_of_list(
    r: &mut BitReader<'_>,
    max_count: usize,
    max_pic_num: u32,
) -> Result<Vec<RefPicListModification>, BitstreamError> {
    let mut modifications = Vec::with_capacity(max_count);
    loop {
        let idc = r.ue_max(3, "modification_of_pic_nums_idc")?;
        if idc == 3 {
            return Ok(modifications);
        }
        if modifications.len() == max_count {
            let reason = format!("more than {max_count} modifications, as many as the list has entries");
            return Err(r.error("modification_of_pic_nums_idc", reason));
        }
        modifications.push(match idc {
            0 => RefPicListModification::Subtract(r.ue_max(max_pic_num - 1, "abs_diff_pic_num_minus1")?),
            1 => RefPicListModification::Add(r.ue_max(max_pic_num - 1, "abs_diff_pic_num_minus1")?),
            _ => RefPicListModification::LongTerm(r.ue_max(MAX_LONG_TERM_PIC_NUM, "long_term_pic_num")?),
        });
    }
}

fn pred_weight_table(r: &mut BitReader<'_>, sps: &Sps, lengths: [u8; 2]) -> Result<PredWeightTable, BitstreamError> {
    r.enter(PRED_WEIGHT_TABLE);
    let has_chroma = sps.chroma_array_type() != 0;
    let luma_log2_weight_denom = r.ue_max(7, "luma_log2_weight_denom")?;
    let chroma_log2_weight_denom = if has_chroma {
        r.ue_max(7, "chroma_log2_weight_denom")?
    } else {
        0
    };
    let (luma, chroma) = (1_i16 << luma_log2_weight_denom, 1_i16 << chroma_log2_weight_denom);
    let default = PredWeight {
        weight: [luma, chroma, chroma],
        offset: [0; 3],
    };
    let mut weights = [Vec::new(), Vec::new()];
    for (list, &length) in weights.iter_mut().zip(&lengths).filter(|(_, length)| **length != 0) {
        *list = vec![default; MAX_REF_IDX_ACTIVE];
        for entry in list.iter_mut().take(usize::from(length)) {
            read_pred_weight(r, has_chroma, entry)?;
        }
    }
    r.enter(SLICE_HEADER);
    Ok(PredWeightTable {
        luma_log2_weight_denom,
        chroma_log2_weight_denom,
        weights,
    })
}

fn read_pred_weight(r: &mut BitReader<'_>, has_chroma: bool, entry: &mut PredWeight) -> Result<(), BitstreamError> {
    let [luma_weight, chroma_weights @ ..] = &mut entry.weight;
    let [luma_offset, chroma_offsets @ ..] = &mut entry.offset;
    if r.flag("luma_weight_flag")? {
        *luma_weight = r.se_in(-128..=127, "luma_weight")?;
        *luma_offset = r.se_in(-128..=127, "luma_offset")?;
    }
    if has_chroma && r.flag("chroma_weight_flag")? {
        for (weight, offset) in chroma_weights.iter_mut().zip(chroma_offsets) {
            *weight = r.se_in(-128..=127, "chroma_weight")?;
            *offset = r.se_in(-128..=127, "chroma_offset")?;
        }
    }
    Ok(())
}

fn dec_ref_pic_marking(
    r: &mut BitReader<'_>,
    context: &Context<'_>,
    structure: PictureStructure,
) -> Result<DecRefPicMarking, BitstreamError> {
    r.enter(DEC_REF_PIC_MARKING);
    let marking = if context.is_idr {
        DecRefPicMarking::Idr {
            no_output_of_prior_pics_flag: r.flag("no_output_of_prior_pics_flag")?,
            long_term_reference_flag: r.flag("long_term_reference_flag")?,
        }
    } else if r.flag("adaptive_ref_pic_marking_mode_flag")? {
        DecRefPicMarking::Adaptive(operations(r, max_pic_num(context.sps, structure))?)
    } else {
        DecRefPicMarking::SlidingWindow
    };
    r.enter(SLICE_HEADER);
    Ok(marking)
}

fn operations(
    r: &mut BitReader<'_>,
    max_pic_num: u32,
) -> Result<Vec<MemoryManagementControlOperation>, BitstreamError> {
    use MemoryManagementControlOperation as Operation;
    let mut operations = Vec::new();
    loop {
        let code = r.ue_max(6, "memory_management_control_operation")?;
        if code == 0 {
            return Ok(operations);
        }
        if operations.len() == MAX_OPERATIONS {
            let reason = format!("more than {MAX_OPERATIONS} operations");
            return Err(r.error("memory_management_control_operation", reason));
        }
        operations.push(match code {
            1 => Operation::UnmarkShortTerm {
                difference_of_pic_nums_minus1: r.ue_max(max_pic_num - 1, "difference_of_pic_nums_minus1")?,
            },
            2 => Operation::UnmarkLongTerm {
                long_term_pic_num: r.ue_max(MAX_LONG_TERM_PIC_NUM, "long_term_pic_num")?,
            },
            3 => Operation::AssignLongTerm {
                difference_of_pic_nums_minus1: r.ue_max(max_pic_num - 1, "difference_of_pic_nums_minus1")?,
                long_term_frame_idx: r.ue_max(MAX_LONG_TERM_FRAME_IDX, "long_term_frame_idx")?,
            },
            4 => Operation::SetMaxLongTermFrameIdx {
                max_long_term_frame_idx_plus1: r.ue_max(16, "max_long_term_frame_idx_plus1")?,
            },
            5 => Operation::UnmarkAll,
            _ => Operation::MarkCurrentLongTerm {
                long_term_frame_idx: r.ue_max(MAX_LONG_TERM_FRAME_IDX, "long_term_frame_idx")?,
            },
        });
    }
}
