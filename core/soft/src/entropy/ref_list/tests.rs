//! Lists worked out by hand from 8.2.4.

use super::*;
use crate::Controls;
use crate::entropy::testing;

/// The list as indices into the DPB; -1 where it names nothing.
fn indices(list: &RefPicList, active: usize) -> Vec<i32> {
    list[..active]
        .iter()
        .map(|entry| entry.map_or(-1, |reference| i32::from(reference.dpb_index)))
        .collect()
}

/// Current frame: `frame_num` 3 of 16, `PicOrderCnt` 20.
fn frame(entries: &[v4l2r::bindings::v4l2_h264_dpb_entry]) -> PictureParams {
    let mut controls: Controls = testing::controls(1, 1);
    controls.decode_params.top_field_order_cnt = 20;
    controls.decode_params.bottom_field_order_cnt = 21;
    controls.decode_params.dpb[..entries.len()].copy_from_slice(entries);
    PictureParams::from_controls(&controls).unwrap()
}

/// The same references for a field; the parity of the fields that are one is in `fields`.
fn field(parity: Parity, entries: &[v4l2r::bindings::v4l2_h264_dpb_entry]) -> PictureParams {
    PictureParams {
        structure: Structure::Field(parity),
        ..frame(entries)
    }
}

fn build(params: &PictureParams, slice_type: SliceType, list: usize, modifications: &[Modification]) -> Vec<i32> {
    let built = RefListBuilder::new(params, 16).build(slice_type, list, 6, modifications);
    indices(&built, 6)
}

#[test]
fn p_frames_are_ordered_by_wrapped_frame_num_and_long_term_ones_follow() {
    // frame_num 14 and 5 are above the current 3: they wrap to -2 and -11.
    let params = frame(&[
        testing::long_term(2),
        testing::short_term(14, 8),
        testing::short_term(2, 4),
        testing::long_term(0),
        testing::short_term(5, 2),
    ]);
    assert_eq!(build(&params, SliceType::P, 0, &[]), [2, 1, 4, 3, 0, -1]);
}

#[test]
fn b_frames_look_back_in_list_0_and_ahead_in_list_1() {
    let params = frame(&[
        testing::short_term(0, 12),
        testing::short_term(1, 28),
        testing::short_term(2, 16),
        testing::short_term(15, 24),
        testing::long_term(0),
    ]);
    assert_eq!(build(&params, SliceType::B, 0, &[]), [2, 0, 3, 1, 4, -1]);
    assert_eq!(build(&params, SliceType::B, 1, &[]), [3, 1, 2, 0, 4, -1]);
}

#[test]
fn equal_lists_of_a_b_frame_have_the_first_two_of_list_1_exchanged() {
    let params = frame(&[testing::short_term(0, 12), testing::short_term(1, 14)]);
    assert_eq!(build(&params, SliceType::B, 0, &[])[..2], [1, 0]);
    assert_eq!(build(&params, SliceType::B, 1, &[])[..2], [0, 1]);
}

#[test]
fn modification_moves_a_picture_to_the_front_and_closes_the_gap() {
    let params = frame(&[
        testing::short_term(0, 0),
        testing::short_term(1, 2),
        testing::short_term(2, 4),
    ]);
    // 3 - 3 = 0, then 0 + 1 = 1.
    let modifications = [Modification::Subtract(3), Modification::Add(1)];
    assert_eq!(build(&params, SliceType::P, 0, &modifications), [0, 1, 2, -1, -1, -1]);
    assert_eq!(
        build(&params, SliceType::P, 0, &modifications[..1]),
        [0, 2, 1, -1, -1, -1]
    );
}

#[test]
fn modification_wraps_around_max_frame_num() {
    let params = frame(&[testing::short_term(2, 4), testing::short_term(14, 2)]);
    // 3 - 5 = -2, which is frame_num 14.
    assert_eq!(
        build(&params, SliceType::P, 0, &[Modification::Subtract(5)])[..2],
        [1, 0]
    );
}

#[test]
fn modification_finds_long_term_pictures_by_their_own_number() {
    let params = frame(&[testing::short_term(2, 4), testing::long_term(1), testing::long_term(4)]);
    assert_eq!(
        build(&params, SliceType::P, 0, &[Modification::LongTerm(4)])[..3],
        [2, 0, 1]
    );
}

#[test]
fn a_picture_may_stand_in_a_list_twice() {
    let params = frame(&[testing::short_term(1, 2), testing::short_term(2, 4)]);
    let builder = RefListBuilder::new(&params, 16);
    let there_and_back = [
        Modification::Subtract(1),
        Modification::Subtract(1),
        Modification::Add(1),
    ];
    assert_eq!(
        indices(&builder.build(SliceType::P, 0, 4, &there_and_back), 4),
        [1, 0, 1, -1]
    );
    let once_around = [Modification::Subtract(1), Modification::Add(16)];
    assert_eq!(indices(&builder.build(SliceType::P, 0, 2, &once_around), 2), [1, 1]);
}

#[test]
fn a_lost_picture_leaves_its_place_empty() {
    let params = frame(&[testing::short_term(2, 4)]);
    assert_eq!(
        build(&params, SliceType::P, 0, &[Modification::Subtract(2)])[..2],
        [-1, 0]
    );
    assert_eq!(
        build(&params, SliceType::P, 0, &[Modification::LongTerm(u32::MAX)])[..2],
        [-1, 0]
    );
}

#[test]
fn a_frame_with_one_field_left_is_no_reference_of_a_frame() {
    let mut single = testing::short_term(2, 4);
    single.fields = v4l2r::bindings::V4L2_H264_TOP_FIELD_REF as u8;
    let params = frame(&[single, testing::short_term(1, 2)]);
    assert_eq!(build(&params, SliceType::P, 0, &[])[..2], [1, -1]);
}

#[test]
fn fields_alternate_in_parity_as_long_as_both_last() {
    let mut top_only = testing::short_term(1, 4);
    top_only.fields = v4l2r::bindings::V4L2_H264_TOP_FIELD_REF as u8;
    let params = field(
        Parity::Bottom,
        &[testing::short_term(0, 0), top_only, testing::short_term(2, 8)],
    );
    let list = RefListBuilder::new(&params, 16).build(SliceType::P, 0, 5, &[]);
    let named: Vec<_> = list[..5]
        .iter()
        .flatten()
        .map(|entry| (entry.dpb_index, entry.parity))
        .collect();
    let (top, bottom) = (Some(Parity::Top), Some(Parity::Bottom));
    assert_eq!(named, [(2, bottom), (2, top), (0, bottom), (1, top), (0, top)]);
}

#[test]
fn field_numbers_count_parity() {
    let params = field(Parity::Top, &[testing::short_term(2, 4)]);
    let builder = RefListBuilder::new(&params, 16);
    // CurrPicNum is 7; 5 is the top field of frame_num 2, 4 the bottom field.
    assert_eq!(
        builder.find_short_term(5).map(|entry| entry.parity),
        Some(Some(Parity::Top))
    );
    assert_eq!(
        builder.find_short_term(4).map(|entry| entry.parity),
        Some(Some(Parity::Bottom))
    );
    assert_eq!(builder.find_short_term(6), None);
}
