//! Headers written bit by bit, and what hardware would make of them.

use super::*;
use crate::entropy::testing::{self, BitWriter};
use crate::slice::RefPic;

/// NAL header of a reference slice, then `first_mb_in_slice`, `slice_type`, `pic_parameter_set_id`.
fn start(first_mb: u32, slice_type: u32) -> BitWriter {
    BitWriter::default().u(8, 0x21).ue(first_mb).ue(slice_type).ue(0)
}

/// Reads one header; gives it with the position of `slice_data()`.
fn read_header(controls: &Controls, header: BitWriter) -> Result<(SliceHeader, usize), Error> {
    let data = header.u(1, 1).padded();
    let params = PictureParams::from_controls(controls)?;
    let mut bits = BitReader::new(&data);
    let header = read(controls, &params, &mut bits)?;
    Ok((header, bits.position()))
}

/// What was wrong, as `element: reason`.
fn fault(controls: &Controls, header: BitWriter) -> String {
    match read_header(controls, header) {
        Err(Error::Slice { element, reason, .. }) => format!("{element}: {reason}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn an_i_slice_is_read_to_its_data() {
    let controls = testing::controls(4, 4);
    let header = start(5, 7).u(4, 3).u(1, 0).se(-3);
    let length = header.len();
    let (header, position) = read_header(&controls, header).unwrap();
    assert_eq!(position, length);
    assert_eq!(
        (header.slice.slice_type, header.slice.first_mb, header.slice_qp),
        (SliceType::I, 5, 23)
    );
    assert_eq!((header.slice.num_ref_idx_active, header.cabac_init_idc), ([0, 0], None));
}

#[test]
fn order_count_and_marking_are_skipped_by_the_bit_sizes_of_the_controls() {
    let mut controls = testing::controls(4, 4);
    controls.decode_params.pic_order_cnt_bit_size = 9;
    controls.decode_params.dec_ref_pic_marking_bit_size = 7;
    let header = start(0, 2).u(4, 3).u(9, 0x155).u(7, 0x7f).se(4);
    assert_eq!(read_header(&controls, header.clone()).unwrap().0.slice_qp, 30);
    controls.decode_params.pic_order_cnt_bit_size = 8;
    assert_ne!(
        read_header(&controls, header).map(|(header, _)| header.slice_qp),
        Ok(30),
        "a wrong size shows"
    );
}

#[test]
fn a_slice_that_contradicts_the_picture_is_a_fault() {
    let controls = testing::controls(4, 4);
    assert_eq!(
        fault(&controls, start(0, 2).u(4, 4).u(1, 0).se(0)),
        "frame_num: not that of DECODE_PARAMS"
    );
    assert_eq!(fault(&controls, start(16, 2)), "first_mb_in_slice: beyond the picture");
    assert_eq!(
        fault(&controls, start(0, 3)),
        "slice_type: SP and SI slices are not decoded"
    );
    let idr = BitWriter::default().u(8, 0x25).ue(0).ue(2).ue(0);
    assert_eq!(fault(&controls, idr), "nal_unit_type: not that of DECODE_PARAMS");
    let other_pps = BitWriter::default().u(8, 0x21).ue(0).ue(2).ue(1);
    assert_eq!(
        fault(&controls, other_pps),
        "pic_parameter_set_id: not that of the PPS control"
    );
    assert_eq!(
        fault(&controls, start(0, 2)),
        "frame_num: not that of DECODE_PARAMS",
        "cut off"
    );
}

#[test]
fn idr_pic_id_is_compared_with_the_control() {
    let mut controls = testing::controls(4, 4);
    controls.decode_params.flags = v4l2::V4L2_H264_DECODE_PARAM_FLAG_IDR_PIC;
    controls.decode_params.idr_pic_id = 6;
    let header = |idr_pic_id| {
        BitWriter::default()
            .u(8, 0x25)
            .ue(0)
            .ue(2)
            .ue(0)
            .u(4, 3)
            .ue(idr_pic_id)
            .u(1, 0)
            .se(0)
    };
    assert!(read_header(&controls, header(6)).is_ok());
    assert_eq!(fault(&controls, header(7)), "idr_pic_id: not that of DECODE_PARAMS");
}

#[test]
fn an_override_replaces_the_number_of_references_of_the_pps() {
    let mut controls = testing::controls(4, 4);
    controls.pps.num_ref_idx_l0_default_active_minus1 = 2;
    controls.decode_params.dpb[0] = testing::short_term(2, 0);
    let (header, _) = read_header(&controls, start(0, 0).u(4, 3).u(1, 0).u(1, 0).u(1, 0).se(0)).unwrap();
    assert_eq!(header.slice.num_ref_idx_active, [3, 0]);
    assert_eq!(
        header.slice.ref_pic_list[0][0],
        Some(RefPic {
            dpb_index: 0,
            parity: None
        })
    );
    let (header, _) = read_header(&controls, start(0, 0).u(4, 3).u(1, 1).ue(7).u(1, 0).u(1, 0).se(0)).unwrap();
    assert_eq!(header.slice.num_ref_idx_active, [8, 0]);
    assert_eq!(
        fault(&controls, start(0, 0).u(4, 3).u(1, 1).ue(32)),
        "num_ref_idx_active_minus1: out of range"
    );
}

#[test]
fn weights_that_are_not_coded_are_one() {
    let mut controls = testing::controls(4, 4);
    controls.pps.flags = v4l2::V4L2_H264_PPS_FLAG_WEIGHTED_PRED as u16;
    controls.pps.num_ref_idx_l0_default_active_minus1 = 1;
    let header = start(0, 0).u(4, 3).u(2, 0).ue(5).ue(2);
    // Index 0: luma only; index 1: chroma only.
    let header = header
        .u(1, 1)
        .se(-7)
        .se(3)
        .u(1, 0)
        .u(1, 0)
        .u(1, 1)
        .se(1)
        .se(2)
        .se(3)
        .se(4);
    let (header, _) = read_header(&controls, header.u(1, 0).se(0)).unwrap();
    let table = header.pred_weights.unwrap();
    assert_eq!((table.luma_log2_weight_denom, table.chroma_log2_weight_denom), (5, 2));
    assert_eq!(
        table.weights[0][0],
        Weight {
            weight: [-7, 4, 4],
            offset: [3, 0, 0]
        }
    );
    assert_eq!(
        table.weights[0][1],
        Weight {
            weight: [32, 1, 3],
            offset: [0, 2, 4]
        }
    );
}

#[test]
fn deblocking_offsets_are_doubled_and_absent_without_the_filter() {
    let mut controls = testing::controls(4, 4);
    controls.pps.flags = v4l2::V4L2_H264_PPS_FLAG_DEBLOCKING_FILTER_CONTROL_PRESENT as u16;
    let before = start(0, 2).u(4, 3).u(1, 0).se(0);
    let (header, _) = read_header(&controls, before.clone().ue(2).se(-6).se(5)).unwrap();
    let slice = header.slice;
    assert_eq!(
        (
            slice.disable_deblocking_filter_idc,
            slice.filter_offset_a,
            slice.filter_offset_b
        ),
        (2, -12, 10)
    );
    assert_eq!(
        read_header(&controls, before.clone().ue(1))
            .unwrap()
            .0
            .slice
            .disable_deblocking_filter_idc,
        1
    );
    assert!(fault(&controls, before.ue(0).se(7).se(0)).starts_with("slice_alpha_c0_offset_div2"));
}

#[test]
fn a_header_without_end_is_a_fault() {
    let mut controls = testing::controls(4, 4);
    controls.decode_params.dec_ref_pic_marking_bit_size = u32::MAX;
    assert_eq!(fault(&controls, start(0, 2).u(4, 3)), "slice_qp_delta: out of range");
    let commands = (0..40).fold(start(0, 0).u(4, 3).u(1, 0).u(1, 1), |header, _| header.ue(0).ue(0));
    assert_eq!(
        fault(&testing::controls(4, 4), commands),
        "ref_pic_list_modification: more commands than indices"
    );
}

#[test]
fn in_slice_mode_the_controls_say_all() {
    let mut controls = testing::controls(4, 4);
    controls.decode_mode = DecodeMode::SliceBased;
    controls.decode_params.dpb[3] = testing::short_term(2, 0);
    let slice = &mut controls.slice_params;
    slice.header_bit_size = 21;
    slice.first_mb_in_slice = 6;
    slice.slice_type = v4l2::V4L2_H264_SLICE_TYPE_P as u8;
    slice.slice_qp_delta = 5;
    slice.num_ref_idx_l0_active_minus1 = 1;
    slice.ref_pic_list0[0] = v4l2::v4l2_h264_reference {
        fields: v4l2::V4L2_H264_FRAME_REF as u8,
        index: 3,
    };
    slice.ref_pic_list0[1] = v4l2::v4l2_h264_reference {
        fields: v4l2::V4L2_H264_FRAME_REF as u8,
        index: 4,
    };
    let (header, position) = read_header(&controls, BitWriter::default().u(32, u32::MAX)).unwrap();
    assert_eq!(position, 21);
    assert_eq!(
        (header.slice.first_mb, header.slice_qp, header.slice.slice_type),
        (6, 31, SliceType::P)
    );
    assert_eq!(
        header.slice.ref_pic_list[0][0],
        Some(RefPic {
            dpb_index: 3,
            parity: None
        })
    );
    assert_eq!(
        header.slice.ref_pic_list[0][1], None,
        "entry 4 of the DPB is not active"
    );

    controls.slice_params.cabac_init_idc = 3;
    let error = read_header(&controls, BitWriter::default().u(32, u32::MAX)).unwrap_err();
    assert_eq!(error.to_string(), "SLICE_PARAMS.cabac_init_idc = 3 is not allowed");
}
