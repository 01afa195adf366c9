//! Controls of single slices.

use super::*;

pub(super) fn some_slice() -> SliceHeader {
    SliceHeader {
        slice_type: SliceType::B,
        first_mb_in_slice: 33,
        colour_plane_id: 2,
        redundant_pic_cnt: 1,
        direct_spatial_mv_pred_flag: true,
        num_ref_idx_active: [3, 1],
        cabac_init_idc: 2,
        slice_qp_delta: -7,
        sp_for_switch_flag: true,
        slice_qs_delta: 8,
        disable_deblocking_filter_idc: 2,
        slice_alpha_c0_offset_div2: -6,
        slice_beta_offset_div2: 5,
        header_bit_size: 61,
        ..samples::header(1, 0)
    }
}

#[test]
fn slice_params_arrive_field_by_field() {
    let entry = |reference, parity| Some(ListEntry { reference, parity });
    let ref_pic_lists = [
        vec![
            entry(1, None),
            entry(0, Some(Parity::Top)),
            entry(2, Some(Parity::Bottom)),
        ],
        vec![entry(3, None)],
    ];
    let slice = SliceJob {
        pps: None,
        header: some_slice(),
        nal: &[0x01],
        ref_pic_lists,
    };
    let reference = |index, fields: u32| v4l2::v4l2_h264_reference {
        index,
        fields: fields as u8,
    };
    let mut expected = v4l2::v4l2_ctrl_h264_slice_params {
        header_bit_size: 61,
        first_mb_in_slice: 33,
        slice_type: v4l2::V4L2_H264_SLICE_TYPE_B as u8,
        colour_plane_id: 2,
        redundant_pic_cnt: 1,
        cabac_init_idc: 2,
        slice_qp_delta: -7,
        slice_qs_delta: 8,
        disable_deblocking_filter_idc: 2,
        slice_alpha_c0_offset_div2: -6,
        slice_beta_offset_div2: 5,
        num_ref_idx_l0_active_minus1: 2,
        num_ref_idx_l1_active_minus1: 0,
        flags: v4l2::V4L2_H264_SLICE_FLAG_DIRECT_SPATIAL_MV_PRED | v4l2::V4L2_H264_SLICE_FLAG_SP_FOR_SWITCH,
        ..Default::default()
    };
    expected.ref_pic_list0[0] = reference(1, v4l2::V4L2_H264_FRAME_REF);
    expected.ref_pic_list0[1] = reference(0, v4l2::V4L2_H264_TOP_FIELD_REF);
    expected.ref_pic_list0[2] = reference(2, v4l2::V4L2_H264_BOTTOM_FIELD_REF);
    expected.ref_pic_list1[0] = reference(3, v4l2::V4L2_H264_FRAME_REF);
    assert_eq!(slice_params(&slice), expected);
}

#[test]
fn a_lost_list_entry_repeats_the_nearest_one() {
    let entry = |reference: Option<u8>| {
        reference.map(|reference| ListEntry {
            reference,
            parity: None,
        })
    };
    let list = |entries: &[Option<u8>]| {
        let entries: Vec<_> = entries.iter().copied().map(entry).collect();
        let list = ref_pic_list(&entries);
        list.iter()
            .take(entries.len())
            .map(|entry| entry.index)
            .collect::<Vec<_>>()
    };
    assert_eq!(list(&[Some(4), None, None, Some(9)]), [4, 4, 9, 9]);
    assert_eq!(list(&[None, None, Some(5)]), [5, 5, 5]);
    assert_eq!(
        list(&[Some(1), None, Some(2)]),
        [1, 1, 2],
        "of two as near the one before"
    );
    assert_eq!(list(&[None, None]), [0, 0], "nothing to repeat");
    assert_eq!(
        ref_pic_list(&[entry(Some(3)); 40])[31].index,
        3,
        "a list that is too long is cut"
    );
}

#[test]
fn weights_are_sent_exactly_when_the_uapi_requires_them() {
    let required = |weighted_pred_flag, weighted_bipred_idc, slice_type| {
        let pps = Pps {
            weighted_pred_flag,
            weighted_bipred_idc,
            ..some_pps()
        };
        pred_weights_required(&pps, slice_type)
    };
    for slice_type in [SliceType::P, SliceType::Sp] {
        assert!(required(true, 0, slice_type));
        assert!(!required(false, 1, slice_type));
    }
    for (weighted_bipred_idc, expected) in [(0, false), (1, true), (2, false)] {
        assert_eq!(required(true, weighted_bipred_idc, SliceType::B), expected);
    }
    assert!(!required(true, 1, SliceType::I) && !required(true, 1, SliceType::Si));
}

#[test]
fn weights_arrive_by_list_and_index() {
    let weight = |n: i16| PredWeight {
        weight: [n, n + 1, n + 2],
        offset: [-n, -n - 1, -n - 2],
    };
    let table = PredWeightTable {
        luma_log2_weight_denom: 5,
        chroma_log2_weight_denom: 6,
        weights: [vec![weight(10), weight(20)], vec![weight(30)]],
    };
    let control = pred_weights(&table);
    assert_eq!(
        (control.luma_log2_weight_denom, control.chroma_log2_weight_denom),
        (5, 6)
    );
    let [list_0, list_1] = &control.weight_factors;
    assert_eq!(
        (list_0.luma_weight[..3].to_vec(), list_0.luma_offset[1]),
        (vec![10, 20, 0], -20)
    );
    assert_eq!(
        (list_0.chroma_weight[1], list_0.chroma_offset[1]),
        ([21, 22], [-21, -22])
    );
    assert_eq!((list_1.luma_weight[0], list_1.chroma_offset[0]), (30, [-31, -32]));
}
