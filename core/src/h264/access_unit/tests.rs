use super::*;
use crate::h264::pps::PpsId;
use crate::h264::{Parity, PictureStructure, samples};

fn at(first_mb_in_slice: u32) -> SliceHeader {
    SliceHeader {
        first_mb_in_slice,
        ..samples::header(3, 6)
    }
}

fn lsb(pic_order_cnt_lsb: u16, delta_pic_order_cnt_bottom: i32) -> PicOrderCnt {
    PicOrderCnt::Type0 {
        pic_order_cnt_lsb,
        delta_pic_order_cnt_bottom,
    }
}

#[test]
fn slices_with_equal_numbers_in_order_are_one_picture() {
    assert_eq!(place_slice(&at(0), &at(0), &at(11)), SlicePlace::SamePicture);
    assert_eq!(place_slice(&at(0), &at(11), &at(22)), SlicePlace::SamePicture);
}

#[test]
fn each_difference_that_the_standard_names_starts_a_picture() {
    let differences = [
        SliceHeader { frame_num: 4, ..at(11) },
        SliceHeader {
            structure: PictureStructure::Field(Parity::Top),
            ..at(11)
        },
        SliceHeader {
            nal_ref_idc: 0,
            ..at(11)
        },
        SliceHeader {
            pic_order_cnt: lsb(7, 0),
            ..at(11)
        },
        SliceHeader {
            pic_order_cnt: lsb(6, 1),
            ..at(11)
        },
        SliceHeader {
            idr_pic_id: Some(0),
            ..at(11)
        },
    ];
    for current in differences {
        assert_eq!(
            place_slice(&at(0), &at(0), &current),
            SlicePlace::NewPicture,
            "{current:?}"
        );
    }
}

#[test]
fn the_second_field_is_a_picture_of_its_own() {
    let field = |parity, first_mb_in_slice| SliceHeader {
        structure: PictureStructure::Field(parity),
        ..at(first_mb_in_slice)
    };
    let top = field(Parity::Top, 0);
    assert_eq!(
        place_slice(&top, &top, &field(Parity::Bottom, 0)),
        SlicePlace::NewPicture
    );
    assert_eq!(
        place_slice(&top, &top, &field(Parity::Top, 11)),
        SlicePlace::SamePicture
    );
}

#[test]
fn two_idr_pictures_in_a_row_differ_in_idr_pic_id() {
    let idr = |id, first_mb_in_slice| SliceHeader {
        first_mb_in_slice,
        ..samples::idr(id)
    };
    assert_eq!(place_slice(&idr(0, 0), &idr(0, 0), &idr(1, 0)), SlicePlace::NewPicture);
    assert_eq!(place_slice(&idr(0, 0), &idr(0, 0), &idr(0, 9)), SlicePlace::SamePicture);
}

#[test]
fn another_nal_ref_idc_above_0_is_the_same_picture() {
    assert_eq!(
        place_slice(
            &at(0),
            &at(0),
            &SliceHeader {
                nal_ref_idc: 3,
                ..at(11)
            }
        ),
        SlicePlace::SamePicture
    );
}

#[test]
fn type_1_deltas_are_compared() {
    let delta = |a, b| SliceHeader {
        pic_order_cnt: PicOrderCnt::Type1 {
            delta_pic_order_cnt: [a, b],
        },
        ..at(11)
    };
    let first = SliceHeader {
        first_mb_in_slice: 0,
        ..delta(0, 0)
    };
    assert_eq!(place_slice(&first, &first, &delta(0, 0)), SlicePlace::SamePicture);
    assert_eq!(place_slice(&first, &first, &delta(1, 0)), SlicePlace::NewPicture);
    assert_eq!(place_slice(&first, &first, &delta(0, 1)), SlicePlace::NewPicture);
}

#[test]
fn a_picture_parameter_set_of_its_own_does_not_split_a_picture() {
    let other = SliceHeader {
        pic_parameter_set_id: PpsId(1),
        ..at(11)
    };
    assert_eq!(place_slice(&at(0), &at(0), &other), SlicePlace::SamePicture);
}

#[test]
fn macroblock_0_again_is_a_new_picture_even_with_equal_numbers() {
    assert_eq!(place_slice(&at(0), &at(11), &at(0)), SlicePlace::NewPicture);
    assert_eq!(place_slice(&at(0), &at(0), &at(0)), SlicePlace::NewPicture);
}

#[test]
fn arbitrary_slice_order_is_recognised() {
    assert_eq!(place_slice(&at(0), &at(22), &at(11)), SlicePlace::OutOfOrder);
    assert_eq!(
        place_slice(&at(22), &at(22), &at(0)),
        SlicePlace::OutOfOrder,
        "the first macroblock comes late"
    );
}
