use std::num::NonZeroU64;

use super::*;
use crate::h264::pps::{PicScalingMatrix, PpsId, ScalingList};
use crate::h264::slice_header::{DecRefPicMarking, PredWeight};
use crate::h264::sps::SpsId;
use crate::h264::{PictureId, samples};

mod slices;

use slices::some_slice;

fn timestamp(n: u64) -> Timestamp {
    Timestamp::from_sequence(NonZeroU64::new(n).unwrap())
}

fn some_sps() -> Sps {
    Sps {
        profile_idc: 100,
        constraint_set_flags: 0b10_0101,
        level_idc: 41,
        seq_parameter_set_id: SpsId(3),
        bit_depth_luma_minus8: 1,
        bit_depth_chroma_minus8: 2,
        log2_max_frame_num_minus4: 5,
        pic_order_cnt_type: PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4: 6,
        },
        max_num_ref_frames: 7,
        pic_width_in_mbs_minus1: 119,
        pic_height_in_map_units_minus1: 67,
        ..samples::sps()
    }
}

fn some_pps() -> Pps {
    Pps {
        pic_parameter_set_id: PpsId(9),
        seq_parameter_set_id: SpsId(3),
        entropy_coding_mode_flag: true,
        bottom_field_pic_order_in_frame_present_flag: false,
        num_slice_groups_minus1: 0,
        num_ref_idx_l0_default_active_minus1: 4,
        num_ref_idx_l1_default_active_minus1: 2,
        weighted_pred_flag: true,
        weighted_bipred_idc: 1,
        pic_init_qp_minus26: -3,
        pic_init_qs_minus26: 4,
        chroma_qp_index_offset: -5,
        deblocking_filter_control_present_flag: true,
        constrained_intra_pred_flag: false,
        redundant_pic_cnt_present_flag: false,
        transform_8x8_mode_flag: true,
        scaling_matrix: None,
        second_chroma_qp_index_offset: 6,
    }
}

fn short_term(picture: u64, frame_num: u16, pic_num: i32) -> ReferencePicture {
    ReferencePicture {
        picture: PictureId(picture),
        reference: Reference::ShortTerm { frame_num, pic_num },
        fields: [true, true],
        coded_as_fields: false,
        field_order_cnt: [10, 11],
        non_existing: false,
        lost: false,
    }
}

fn with_job<T>(
    slices: &[SliceJob<'_>],
    references: &[ReferencePicture],
    mut use_job: impl FnMut(&DecodeJob<'_>) -> T,
) -> T {
    use_job(&DecodeJob {
        picture: PictureId(1),
        second_field: false,
        sps: &some_sps(),
        pps: &some_pps(),
        field_order_cnt: [-20, -19],
        references,
        slices,
    })
}

fn slice_of(header: SliceHeader) -> SliceJob<'static> {
    SliceJob {
        pps: None,
        header,
        nal: &[0x41],
        ref_pic_lists: [Vec::new(), Vec::new()],
    }
}

#[test]
fn an_sps_arrives_field_by_field() {
    let expected = v4l2::v4l2_ctrl_h264_sps {
        profile_idc: 100,
        constraint_set_flags: (v4l2::V4L2_H264_SPS_CONSTRAINT_SET0_FLAG
            | v4l2::V4L2_H264_SPS_CONSTRAINT_SET2_FLAG
            | v4l2::V4L2_H264_SPS_CONSTRAINT_SET5_FLAG) as u8,
        level_idc: 41,
        seq_parameter_set_id: 3,
        chroma_format_idc: 1,
        bit_depth_luma_minus8: 1,
        bit_depth_chroma_minus8: 2,
        log2_max_frame_num_minus4: 5,
        pic_order_cnt_type: 0,
        log2_max_pic_order_cnt_lsb_minus4: 6,
        max_num_ref_frames: 7,
        pic_width_in_mbs_minus1: 119,
        pic_height_in_map_units_minus1: 67,
        flags: v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY | v4l2::V4L2_H264_SPS_FLAG_DIRECT_8X8_INFERENCE,
        ..Default::default()
    };
    assert_eq!(sps(&some_sps()), expected);
}

#[test]
fn picture_order_count_types_1_and_2_arrive() {
    let mut type_1 = some_sps();
    type_1.pic_order_cnt_type = PicOrderCntType::Type1 {
        delta_pic_order_always_zero_flag: true,
        offset_for_non_ref_pic: -2,
        offset_for_top_to_bottom_field: 3,
        offset_for_ref_frame: vec![4, -5, 6],
    };
    let control = sps(&type_1);
    assert_eq!(
        (
            control.pic_order_cnt_type,
            control.num_ref_frames_in_pic_order_cnt_cycle
        ),
        (1, 3)
    );
    assert_eq!(control.offset_for_ref_frame[..4], [4, -5, 6, 0]);
    assert_eq!(
        (control.offset_for_non_ref_pic, control.offset_for_top_to_bottom_field),
        (-2, 3)
    );
    assert_ne!(control.flags & v4l2::V4L2_H264_SPS_FLAG_DELTA_PIC_ORDER_ALWAYS_ZERO, 0);
    let type_2 = Sps {
        pic_order_cnt_type: PicOrderCntType::Type2,
        ..some_sps()
    };
    assert_eq!(sps(&type_2).pic_order_cnt_type, 2);
}

#[test]
fn every_flag_of_an_sps_has_its_bit() {
    type Set = fn(&mut Sps);
    let base = Sps {
        frame_mbs_only_flag: false,
        direct_8x8_inference_flag: false,
        ..some_sps()
    };
    assert_eq!(sps(&base).flags, 0);
    let flags: [(Set, u32); 6] = [
        (
            |sps| sps.separate_colour_plane_flag = true,
            v4l2::V4L2_H264_SPS_FLAG_SEPARATE_COLOUR_PLANE,
        ),
        (
            |sps| sps.qpprime_y_zero_transform_bypass_flag = true,
            v4l2::V4L2_H264_SPS_FLAG_QPPRIME_Y_ZERO_TRANSFORM_BYPASS,
        ),
        (
            |sps| sps.gaps_in_frame_num_value_allowed_flag = true,
            v4l2::V4L2_H264_SPS_FLAG_GAPS_IN_FRAME_NUM_VALUE_ALLOWED,
        ),
        (
            |sps| sps.frame_mbs_only_flag = true,
            v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY,
        ),
        (
            |sps| sps.mb_adaptive_frame_field_flag = true,
            v4l2::V4L2_H264_SPS_FLAG_MB_ADAPTIVE_FRAME_FIELD,
        ),
        (
            |sps| sps.direct_8x8_inference_flag = true,
            v4l2::V4L2_H264_SPS_FLAG_DIRECT_8X8_INFERENCE,
        ),
    ];
    for (set, bit) in flags {
        let mut one = base.clone();
        set(&mut one);
        assert_eq!(sps(&one).flags, bit);
    }
}

#[test]
fn a_pps_arrives_field_by_field() {
    let expected = v4l2::v4l2_ctrl_h264_pps {
        pic_parameter_set_id: 9,
        seq_parameter_set_id: 3,
        num_slice_groups_minus1: 0,
        num_ref_idx_l0_default_active_minus1: 4,
        num_ref_idx_l1_default_active_minus1: 2,
        weighted_bipred_idc: 1,
        pic_init_qp_minus26: -3,
        pic_init_qs_minus26: 4,
        chroma_qp_index_offset: -5,
        second_chroma_qp_index_offset: 6,
        flags: (v4l2::V4L2_H264_PPS_FLAG_ENTROPY_CODING_MODE
            | v4l2::V4L2_H264_PPS_FLAG_WEIGHTED_PRED
            | v4l2::V4L2_H264_PPS_FLAG_DEBLOCKING_FILTER_CONTROL_PRESENT
            | v4l2::V4L2_H264_PPS_FLAG_TRANSFORM_8X8_MODE
            | v4l2::V4L2_H264_PPS_FLAG_SCALING_MATRIX_PRESENT) as u16,
    };
    assert_eq!(pps(&some_pps()), expected);
}

#[test]
fn every_flag_of_a_pps_has_its_bit() {
    type Set = fn(&mut Pps);
    let base = Pps {
        entropy_coding_mode_flag: false,
        weighted_pred_flag: false,
        deblocking_filter_control_present_flag: false,
        transform_8x8_mode_flag: false,
        ..some_pps()
    };
    let always = v4l2::V4L2_H264_PPS_FLAG_SCALING_MATRIX_PRESENT as u16;
    assert_eq!(
        pps(&base).flags,
        always,
        "hantro wants a matrix whatever the stream says"
    );
    let flags: [(Set, u32); 7] = [
        (
            |pps| pps.entropy_coding_mode_flag = true,
            v4l2::V4L2_H264_PPS_FLAG_ENTROPY_CODING_MODE,
        ),
        (
            |pps| pps.bottom_field_pic_order_in_frame_present_flag = true,
            v4l2::V4L2_H264_PPS_FLAG_BOTTOM_FIELD_PIC_ORDER_IN_FRAME_PRESENT,
        ),
        (
            |pps| pps.weighted_pred_flag = true,
            v4l2::V4L2_H264_PPS_FLAG_WEIGHTED_PRED,
        ),
        (
            |pps| pps.deblocking_filter_control_present_flag = true,
            v4l2::V4L2_H264_PPS_FLAG_DEBLOCKING_FILTER_CONTROL_PRESENT,
        ),
        (
            |pps| pps.constrained_intra_pred_flag = true,
            v4l2::V4L2_H264_PPS_FLAG_CONSTRAINED_INTRA_PRED,
        ),
        (
            |pps| pps.redundant_pic_cnt_present_flag = true,
            v4l2::V4L2_H264_PPS_FLAG_REDUNDANT_PIC_CNT_PRESENT,
        ),
        (
            |pps| pps.transform_8x8_mode_flag = true,
            v4l2::V4L2_H264_PPS_FLAG_TRANSFORM_8X8_MODE,
        ),
    ];
    for (set, bit) in flags {
        let mut one = base.clone();
        set(&mut one);
        assert_eq!(pps(&one).flags, always | bit as u16);
    }
}

#[test]
fn without_scaling_lists_the_matrix_is_flat() {
    let matrix = scaling_matrix(None);
    assert_eq!(matrix.scaling_list_4x4, [[16; 16]; 6]);
    assert_eq!(matrix.scaling_list_8x8, [[16; 64]; 6]);
}

#[test]
fn scaling_lists_arrive_in_raster_order() {
    let count_4x4: [u8; 16] = array::from_fn(|i| i as u8 + 1);
    let count_8x8: [u8; 64] = array::from_fn(|i| i as u8 + 1);
    let mut lists = ScalingLists {
        lists_4x4: [count_4x4; 6],
        lists_8x8: [count_8x8; 6],
    };
    lists.lists_4x4[1] = [20; 16];
    lists.lists_8x8[1] = [30; 64];
    let matrix = scaling_matrix(Some(&lists));
    // Figure 6-8: zig-zag scan.
    assert_eq!(
        matrix.scaling_list_4x4[0],
        [1, 2, 6, 7, 3, 5, 8, 13, 4, 9, 12, 14, 10, 11, 15, 16]
    );
    assert_eq!(matrix.scaling_list_8x8[0][..8], [1, 2, 6, 7, 15, 16, 28, 29]);
    assert_eq!(matrix.scaling_list_8x8[0][8..16], [3, 5, 8, 14, 17, 27, 30, 43]);
    assert_eq!(matrix.scaling_list_8x8[0][56..], [36, 37, 49, 50, 58, 59, 63, 64]);
    assert_eq!(matrix.scaling_list_4x4[1], [20; 16], "Cb intra");
    assert_eq!(
        matrix.scaling_list_8x8[1], [30; 64],
        "inter Y: the second 8x8 list of the uAPI too"
    );
}

#[test]
fn scaling_lists_of_the_pps_are_sent_after_their_fall_back() {
    let mut controls = JobControls::default();
    let mut lists_4x4 = [const { ScalingList::NotPresent }; 6];
    lists_4x4[0] = ScalingList::Coded([40; 16]);
    let scaling_matrix = Some(Box::new(PicScalingMatrix {
        lists_4x4,
        lists_8x8: [const { ScalingList::NotPresent }; 6],
    }));
    let (sps, pps) = (
        some_sps(),
        Pps {
            scaling_matrix,
            ..some_pps()
        },
    );
    let slices = [slice_of(samples::idr(0))];
    let job = DecodeJob {
        picture: PictureId(1),
        second_field: false,
        sps: &sps,
        pps: &pps,
        field_order_cnt: [0, 0],
        references: &[],
        slices: &slices,
    };
    controls.fill_picture(&job, &[None; DPB_ENTRIES]);
    let lists = controls.scaling_matrix.scaling_list_4x4;
    assert_eq!(lists[..3], [[40; 16]; 3], "Cb and Cr fall back to Y");
    assert_eq!(lists[3][0], 10, "inter falls back to Default_4x4_Inter");
}

#[test]
fn decode_params_of_an_idr_picture_arrive_field_by_field() {
    let header = SliceHeader {
        nal_ref_idc: 3,
        frame_num: 0,
        idr_pic_id: Some(77),
        pic_order_cnt: PicOrderCnt::Type0 {
            pic_order_cnt_lsb: 12,
            delta_pic_order_cnt_bottom: -1,
        },
        dec_ref_pic_marking_bit_size: 2,
        pic_order_cnt_bit_size: 13,
        slice_group_change_cycle: 5,
        ..samples::idr(77)
    };
    let params = with_job(&[slice_of(header)], &[], |job| decode_params(job, &[None; DPB_ENTRIES]));
    let expected = v4l2::v4l2_ctrl_h264_decode_params {
        nal_ref_idc: 3,
        frame_num: 0,
        top_field_order_cnt: -20,
        bottom_field_order_cnt: -19,
        idr_pic_id: 77,
        pic_order_cnt_lsb: 12,
        delta_pic_order_cnt_bottom: -1,
        dec_ref_pic_marking_bit_size: 2,
        pic_order_cnt_bit_size: 13,
        slice_group_change_cycle: 5,
        flags: v4l2::V4L2_H264_DECODE_PARAM_FLAG_IDR_PIC,
        ..Default::default()
    };
    assert_eq!(params, expected);
}

#[test]
fn deltas_of_picture_order_count_type_1_arrive() {
    let header = SliceHeader {
        pic_order_cnt: PicOrderCnt::Type1 {
            delta_pic_order_cnt: [8, -9],
        },
        ..samples::header(4, 0)
    };
    let params = with_job(&[slice_of(header)], &[], |job| decode_params(job, &[None; DPB_ENTRIES]));
    assert_eq!(
        (
            params.frame_num,
            params.delta_pic_order_cnt0,
            params.delta_pic_order_cnt1
        ),
        (4, 8, -9)
    );
    assert_eq!(
        (
            params.pic_order_cnt_lsb,
            params.delta_pic_order_cnt_bottom,
            params.idr_pic_id
        ),
        (0, 0, 0)
    );
}

#[test]
fn flags_tell_fields_and_slice_types() {
    let of_type = |slice_type| {
        slice_of(SliceHeader {
            slice_type,
            ..samples::header(1, 0)
        })
    };
    let flags = |slices: &[SliceJob<'_>]| with_job(slices, &[], |job| decode_params(job, &[None; DPB_ENTRIES]).flags);
    let p = v4l2::V4L2_H264_DECODE_PARAM_FLAG_PFRAME;
    let b = v4l2::V4L2_H264_DECODE_PARAM_FLAG_BFRAME;
    assert_eq!(flags(&[of_type(SliceType::I)]), 0);
    assert_eq!(flags(&[of_type(SliceType::I), of_type(SliceType::P)]), p);
    assert_eq!(flags(&[of_type(SliceType::P), of_type(SliceType::B)]), b);
    let field = |parity| {
        let structure = PictureStructure::Field(parity);
        [slice_of(SliceHeader {
            structure,
            ..samples::idr(0)
        })]
    };
    let (idr, field_pic) = (
        v4l2::V4L2_H264_DECODE_PARAM_FLAG_IDR_PIC,
        v4l2::V4L2_H264_DECODE_PARAM_FLAG_FIELD_PIC,
    );
    assert_eq!(flags(&field(Parity::Top)), idr | field_pic);
    assert_eq!(
        flags(&field(Parity::Bottom)),
        idr | field_pic | v4l2::V4L2_H264_DECODE_PARAM_FLAG_BOTTOM_FIELD
    );
}

#[test]
fn dpb_entries_name_references_as_the_uapi_says() {
    let long_term = ReferencePicture {
        reference: Reference::LongTerm {
            long_term_frame_idx: 2,
            long_term_pic_num: 5,
        },
        fields: [true, false],
        coded_as_fields: true,
        ..short_term(8, 0, 0)
    };
    let gap = ReferencePicture {
        non_existing: true,
        ..short_term(9, 6, 6)
    };
    let references = [short_term(7, 14, -2), long_term, gap];
    let mut names = [None; DPB_ENTRIES];
    names[0] = Some(timestamp(1_000_001));
    names[1] = Some(timestamp(2));
    // Even if somebody gave it a name.
    names[2] = Some(timestamp(3));
    let slices = [slice_of(samples::header(1, 0))];
    let dpb = with_job(&slices, &references, |job| decode_params(job, &names).dpb);
    let valid = v4l2::V4L2_H264_DPB_ENTRY_FLAG_VALID | v4l2::V4L2_H264_DPB_ENTRY_FLAG_ACTIVE;
    let short = v4l2::v4l2_h264_dpb_entry {
        reference_ts: 1_000_001_000,
        pic_num: -2_i32 as u32,
        frame_num: 14,
        fields: v4l2::V4L2_H264_FRAME_REF as u8,
        reserved: [0; 5],
        top_field_order_cnt: 10,
        bottom_field_order_cnt: 11,
        flags: valid,
    };
    assert_eq!(dpb[0], short);
    let long = v4l2::v4l2_h264_dpb_entry {
        reference_ts: 2_000,
        pic_num: 5,
        frame_num: 2,
        fields: v4l2::V4L2_H264_TOP_FIELD_REF as u8,
        flags: valid | v4l2::V4L2_H264_DPB_ENTRY_FLAG_LONG_TERM | v4l2::V4L2_H264_DPB_ENTRY_FLAG_FIELD,
        ..short
    };
    assert_eq!(dpb[1], long);
    let nothing = v4l2::v4l2_h264_dpb_entry {
        reference_ts: 0,
        pic_num: 6,
        frame_num: 6,
        ..short
    };
    assert_eq!(
        dpb[2], nothing,
        "a gap's frame is in the DPB for its numbers and names nobody's samples"
    );
    assert!(
        dpb[3..]
            .iter()
            .all(|entry| *entry == v4l2::v4l2_h264_dpb_entry::default())
    );
}

#[test]
fn pic_num_of_a_field_counts_fields_and_is_that_of_the_same_parity_if_there_is_one() {
    let top_only = ReferencePicture {
        fields: [true, false],
        coded_as_fields: true,
        ..short_term(8, 3, 3)
    };
    let long_term = ReferencePicture {
        reference: Reference::LongTerm {
            long_term_frame_idx: 2,
            long_term_pic_num: 2,
        },
        ..short_term(9, 0, 0)
    };
    let references = [short_term(7, 14, -2), top_only, long_term];
    let pic_nums = |parity| {
        let header = SliceHeader {
            structure: PictureStructure::Field(parity),
            ..samples::header(1, 0)
        };
        let slices = [slice_of(header)];
        with_job(&slices, &references, |job| {
            let dpb = decode_params(job, &[None; DPB_ENTRIES]).dpb;
            [0, 1, 2].map(|index| dpb[index].pic_num.cast_signed())
        })
    };
    assert_eq!(pic_nums(Parity::Top), [-3, 7, 5]);
    assert_eq!(pic_nums(Parity::Bottom), [-3, 6, 5]);
}

#[test]
fn a_request_has_the_controls_of_its_mode_and_no_others() {
    let mut controls = JobControls::default();
    let names = |controls: &JobControls, mode| {
        controls.with(mode, |sent| {
            sent.iter()
                .map(|control| match control {
                    Control::Sps(_) => "sps",
                    Control::Pps(_) => "pps",
                    Control::ScalingMatrix(_) => "scaling",
                    Control::DecodeParams(_) => "decode",
                    Control::SliceParams(_) => "slice",
                    Control::PredWeights(_) => "weights",
                    Control::DecodeMode(_) | Control::StartCode(_) => "mode",
                })
                .collect::<Vec<_>>()
        })
    };
    let weighted = SliceHeader {
        slice_type: SliceType::P,
        pred_weight_table: Some(Box::new(PredWeightTable {
            luma_log2_weight_denom: 1,
            chroma_log2_weight_denom: 1,
            weights: [vec![PredWeight::default()], Vec::new()],
        })),
        dec_ref_pic_marking: Some(DecRefPicMarking::SlidingWindow),
        ..some_slice()
    };
    with_job(&[slice_of(weighted)], &[], |job| {
        let mut controls = JobControls::default();
        controls.fill_picture(job, &[None; DPB_ENTRIES]);
        controls.fill_slice(job, &job.slices[0]);
        let slice_mode = names(&controls, DecodeMode::SliceBased);
        assert_eq!(slice_mode, ["sps", "pps", "scaling", "decode", "slice", "weights"]);
        let frame_mode = names(&controls, DecodeMode::FrameBased);
        assert_eq!(frame_mode, ["sps", "pps", "scaling", "decode"]);
        assert_eq!(controls.pred_weights.luma_log2_weight_denom, 1);
    });
    controls.pred_weights.luma_log2_weight_denom = 7;
    with_job(&[slice_of(samples::idr(0))], &[], |job| {
        controls.fill_slice(job, &job.slices[0]);
        assert_eq!(
            controls.pred_weights,
            Default::default(),
            "no weights of an earlier slice stay"
        );
    });
    assert_eq!(
        names(&controls, DecodeMode::SliceBased).len(),
        5,
        "an intra slice has no weights"
    );
}
