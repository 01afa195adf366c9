use super::*;
use crate::h264::samples;

/// Derives and finishes a picture; gives its counts.
fn decode(state: &mut PocState, sps: &Sps, header: &SliceHeader) -> [i32; 2] {
    let count = state.derive(sps, header);
    state.finish(header, &count);
    count.field_order_cnt
}

fn type0(lsb: u16, delta_bottom: i32) -> SliceHeader {
    SliceHeader {
        pic_order_cnt: PicOrderCnt::Type0 {
            pic_order_cnt_lsb: lsb,
            delta_pic_order_cnt_bottom: delta_bottom,
        },
        ..samples::header(1, 0)
    }
}

fn of_type(pic_order_cnt: PicOrderCnt, frame_num: u16, nal_ref_idc: u8) -> SliceHeader {
    SliceHeader {
        pic_order_cnt,
        nal_ref_idc,
        ..samples::header(frame_num, 0)
    }
}

fn sps_type1() -> Sps {
    Sps {
        pic_order_cnt_type: PicOrderCntType::Type1 {
            delta_pic_order_always_zero_flag: false,
            offset_for_non_ref_pic: -1,
            offset_for_top_to_bottom_field: 1,
            offset_for_ref_frame: vec![2, 4],
        },
        ..samples::sps()
    }
}

fn sps_type2() -> Sps {
    Sps {
        pic_order_cnt_type: PicOrderCntType::Type2,
        ..samples::sps()
    }
}

#[test]
fn type_0_counts_wraps_of_the_least_significant_bits_in_both_directions() {
    let (sps, mut state) = (samples::sps(), PocState::default());
    // MaxPicOrderCntLsb is 16. Half of it ahead is still ahead, half of it back is a wrap.
    let expected = [(0, 0), (6, 6), (12, 12), (2, 18), (14, 14), (6, 22), (14, 30), (6, 38)];
    assert_eq!(decode(&mut state, &sps, &samples::idr(0)), [0, 0]);
    for (lsb, count) in expected {
        assert_eq!(
            decode(&mut state, &sps, &type0(lsb, 0)),
            [count, count],
            "pic_order_cnt_lsb {lsb}"
        );
    }
}

#[test]
fn pictures_before_the_idr_picture_in_output_order_have_negative_counts() {
    let (sps, mut state) = (samples::sps(), PocState::default());
    decode(&mut state, &sps, &samples::idr(0));
    assert_eq!(decode(&mut state, &sps, &type0(14, -1)), [-2, -3]);
}

#[test]
fn an_idr_picture_restarts_the_count() {
    let (sps, mut state) = (samples::sps(), PocState::default());
    decode(&mut state, &sps, &type0(7, 0));
    decode(&mut state, &sps, &type0(14, 0));
    assert_eq!(decode(&mut state, &sps, &samples::idr(1)), [0, 0]);
}

#[test]
fn a_picture_that_is_no_reference_does_not_move_the_count() {
    let (sps, mut state) = (samples::sps(), PocState::default());
    decode(&mut state, &sps, &samples::idr(0));
    decode(
        &mut state,
        &sps,
        &SliceHeader {
            nal_ref_idc: 0,
            ..type0(8, 0)
        },
    );
    // Counted from 8 this would be 16.
    assert_eq!(decode(&mut state, &sps, &type0(0, 0)), [0, 0]);
}

#[test]
fn a_bottom_field_counts_from_its_own_bits() {
    let (sps, state) = (samples::sps(), PocState::default());
    let header = SliceHeader {
        structure: PictureStructure::Field(Parity::Bottom),
        ..type0(3, 0)
    };
    assert_eq!(state.derive(&sps, &header).field_order_cnt, [3, 3]);
}

#[test]
fn operation_5_makes_counts_relative_to_the_picture_itself() {
    let table = [
        (PictureStructure::Frame, [10, 11], [0, 1], 0),
        (PictureStructure::Frame, [12, 10], [2, 0], 2),
        (PictureStructure::Field(Parity::Top), [12, 12], [0, 0], 0),
        (PictureStructure::Field(Parity::Bottom), [12, 12], [0, 0], 0),
    ];
    for (structure, before, after, prev_pic_order_cnt_lsb) in table {
        let mut state = PocState {
            prev_frame_num: 7,
            prev_frame_num_offset: 16,
            ..PocState::default()
        };
        assert_eq!(state.finish_with_reset(structure, before), after);
        assert_eq!(
            state,
            PocState {
                prev_pic_order_cnt_lsb,
                ..PocState::default()
            }
        );
    }
}

#[test]
fn type_1_follows_the_cycle_of_reference_frames() {
    let (sps, mut state) = (sps_type1(), PocState::default());
    let delta = |a, b| PicOrderCnt::Type1 {
        delta_pic_order_cnt: [a, b],
    };
    let idr = SliceHeader {
        pic_order_cnt: delta(0, 0),
        ..samples::idr(0)
    };
    assert_eq!(decode(&mut state, &sps, &idr), [0, 1]);
    assert_eq!(decode(&mut state, &sps, &of_type(delta(0, 0), 1, 1)), [2, 3]);
    assert_eq!(decode(&mut state, &sps, &of_type(delta(0, 0), 2, 1)), [6, 7]);
    assert_eq!(
        decode(&mut state, &sps, &of_type(delta(0, 0), 3, 0)),
        [5, 6],
        "not a reference"
    );
    assert_eq!(
        decode(&mut state, &sps, &of_type(delta(1, 5), 3, 1)),
        [9, 15],
        "with both deltas"
    );
    // frame_num 15 then 0: FrameNumOffset becomes 16, which is the 8th cycle's last frame.
    assert_eq!(decode(&mut state, &sps, &of_type(delta(0, 0), 15, 1)), [44, 45]);
    assert_eq!(decode(&mut state, &sps, &of_type(delta(0, 0), 0, 1)), [48, 49]);
}

#[test]
fn type_1_fields_of_a_frame_differ_by_the_offset_between_them() {
    let (sps, mut state) = (sps_type1(), PocState::default());
    let field = |parity, delta| SliceHeader {
        structure: PictureStructure::Field(parity),
        ..of_type(
            PicOrderCnt::Type1 {
                delta_pic_order_cnt: [delta, 0],
            },
            1,
            1,
        )
    };
    assert_eq!(decode(&mut state, &sps, &field(Parity::Top, 0)), [2, 2]);
    assert_eq!(decode(&mut state, &sps, &field(Parity::Bottom, 3)), [6, 6]);
}

#[test]
fn type_1_without_a_cycle_takes_the_coded_deltas_alone() {
    let mut sps = sps_type1();
    if let PicOrderCntType::Type1 {
        offset_for_ref_frame, ..
    } = &mut sps.pic_order_cnt_type
    {
        offset_for_ref_frame.clear();
    }
    let header = of_type(
        PicOrderCnt::Type1 {
            delta_pic_order_cnt: [20, 0],
        },
        9,
        1,
    );
    assert_eq!(PocState::default().derive(&sps, &header).field_order_cnt, [20, 21]);
}

#[test]
fn type_2_follows_decoding_order_across_the_wrap_of_frame_num() {
    let (sps, mut state) = (sps_type2(), PocState::default());
    let idr = SliceHeader {
        pic_order_cnt: PicOrderCnt::Type2,
        ..samples::idr(0)
    };
    assert_eq!(decode(&mut state, &sps, &idr), [0, 0]);
    let expected = [
        (1, 0, 1),
        (1, 1, 2),
        (2, 0, 3),
        (15, 1, 30),
        (0, 0, 31),
        (0, 1, 32),
        (1, 1, 34),
    ];
    for (frame_num, nal_ref_idc, count) in expected {
        let header = of_type(PicOrderCnt::Type2, frame_num, nal_ref_idc);
        assert_eq!(
            decode(&mut state, &sps, &header),
            [count, count],
            "frame_num {frame_num}"
        );
    }
}

#[test]
fn frames_that_fill_a_gap_are_counted_by_their_frame_num() {
    let (sps, mut state) = (sps_type2(), PocState::default());
    decode(&mut state, &sps, &of_type(PicOrderCnt::Type2, 14, 1));
    assert_eq!(state.fill_gap(&sps, 15), Some([30, 30]));
    assert_eq!(
        state.fill_gap(&sps, 0),
        Some([32, 32]),
        "frame_num wraps inside the gap"
    );
    assert_eq!(decode(&mut state, &sps, &of_type(PicOrderCnt::Type2, 1, 1)), [34, 34]);
    assert_eq!(
        state.fill_gap(&samples::sps(), 3),
        None,
        "type 0 has no count without bits"
    );
}

#[test]
fn counts_beyond_32_bits_wrap_instead_of_stopping_the_decoder() {
    let mut sps = sps_type1();
    if let PicOrderCntType::Type1 {
        offset_for_ref_frame, ..
    } = &mut sps.pic_order_cnt_type
    {
        *offset_for_ref_frame = vec![i32::MAX; 3];
    }
    let mut state = PocState {
        prev_frame_num: 9,
        prev_frame_num_offset: i32::MAX,
        ..PocState::default()
    };
    decode(
        &mut state,
        &sps,
        &of_type(
            PicOrderCnt::Type1 {
                delta_pic_order_cnt: [i32::MAX, i32::MIN],
            },
            3,
            1,
        ),
    );
    let mut state = PocState {
        prev_pic_order_cnt_msb: i32::MIN,
        ..PocState::default()
    };
    decode(&mut state, &samples::sps(), &type0(15, i32::MIN));
}
