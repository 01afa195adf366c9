use super::*;
use crate::h264::{PictureId, samples};

const FRAME: CurrentPicture = CurrentPicture {
    structure: PictureStructure::Frame,
    frame_num: 6,
    max_frame_num: 16,
    pic_order_cnt: 8,
    pic_order_cnt_type_is_0: true,
};

fn field(parity: Parity) -> CurrentPicture {
    CurrentPicture {
        structure: PictureStructure::Field(parity),
        ..FRAME
    }
}

/// A short-term frame with `PicNum` (or `FrameNumWrap`) and count.
fn short(pic_num: i32, count: i32) -> ReferencePicture {
    let frame_num = u16::try_from(pic_num.rem_euclid(16)).unwrap();
    reference(Reference::ShortTerm { frame_num, pic_num }, count)
}

fn long(idx: u16) -> ReferencePicture {
    reference(
        Reference::LongTerm {
            long_term_frame_idx: idx,
            long_term_pic_num: idx,
        },
        0,
    )
}

fn reference(reference: Reference, count: i32) -> ReferencePicture {
    ReferencePicture {
        picture: PictureId(0),
        reference,
        fields: [true, true],
        coded_as_fields: false,
        field_order_cnt: [count, count + 1],
        non_existing: false,
        lost: false,
    }
}

fn p_slice(active: u8, modifications: &[RefPicListModification]) -> SliceHeader {
    SliceHeader {
        num_ref_idx_active: [active, 0],
        ref_pic_list_modification: [modifications.to_vec(), Vec::new()],
        ..samples::header(6, 8)
    }
}

fn b_slice(active: [u8; 2]) -> SliceHeader {
    SliceHeader {
        slice_type: SliceType::B,
        num_ref_idx_active: active,
        ..samples::header(6, 8)
    }
}

/// Entries as text: the index of the reference, `t` or `b` for fields, `-` for none.
fn text(list: &[Option<ListEntry>]) -> String {
    let entry = |entry: &Option<ListEntry>| match entry {
        None => "-".to_owned(),
        Some(ListEntry {
            reference,
            parity: None,
        }) => reference.to_string(),
        Some(ListEntry {
            reference,
            parity: Some(Parity::Top),
        }) => format!("{reference}t"),
        Some(ListEntry {
            reference,
            parity: Some(Parity::Bottom),
        }) => format!("{reference}b"),
    };
    list.iter().map(entry).collect::<Vec<_>>().join(" ")
}

#[test]
fn p_frames_are_sorted_by_descending_pic_num_then_ascending_long_term_pic_num() {
    let references = [long(3), short(-2, 0), short(5, 0), long(0), short(0, 0)];
    assert_eq!(text(&build(&FRAME, &references, &p_slice(5, &[]))[0]), "2 4 1 3 0");
}

#[test]
fn a_list_is_as_long_as_the_slice_says() {
    let references = [short(5, 0), short(4, 0)];
    assert_eq!(text(&build(&FRAME, &references, &p_slice(1, &[]))[0]), "0");
    assert_eq!(text(&build(&FRAME, &references, &p_slice(4, &[]))[0]), "0 1 - -");
    assert_eq!(build(&FRAME, &references, &p_slice(4, &[]))[1], []);
}

#[test]
fn intra_slices_have_no_lists() {
    let header = SliceHeader {
        slice_type: SliceType::I,
        num_ref_idx_active: [0, 0],
        ..samples::header(6, 8)
    };
    assert_eq!(build(&FRAME, &[short(5, 0)], &header), [vec![], vec![]]);
}

#[test]
fn a_frame_with_one_field_marked_is_no_reference_of_frames() {
    let references = [
        ReferencePicture {
            fields: [true, false],
            ..short(5, 0)
        },
        short(4, 0),
    ];
    assert_eq!(text(&build(&FRAME, &references, &p_slice(2, &[]))[0]), "1 -");
}

#[test]
fn p_slices_list_frames_that_fill_gaps() {
    let references = [
        ReferencePicture {
            non_existing: true,
            ..short(5, 0)
        },
        short(4, 0),
    ];
    assert_eq!(text(&build(&FRAME, &references, &p_slice(2, &[]))[0]), "0 1");
}

#[test]
fn b_frames_look_back_in_list_0_and_ahead_in_list_1() {
    let references = [short(5, 0), short(4, 12), short(3, 4), short(2, 16), long(1)];
    let [list0, list1] = build(&FRAME, &references, &b_slice([5, 5]));
    assert_eq!(
        (text(&list0), text(&list1)),
        ("2 0 1 3 4".to_owned(), "1 3 2 0 4".to_owned())
    );
}

#[test]
fn equal_b_lists_differ_in_their_first_two_entries() {
    let references = [short(5, 0), short(4, 4), long(1)];
    let [list0, list1] = build(&FRAME, &references, &b_slice([3, 3]));
    assert_eq!((text(&list0), text(&list1)), ("1 0 2".to_owned(), "0 1 2".to_owned()));
    // The lists are compared before they are cut.
    assert_eq!(text(&build(&FRAME, &references, &b_slice([1, 1]))[1]), "0");
    // A single entry stays.
    assert_eq!(text(&build(&FRAME, &references[..1], &b_slice([1, 1]))[1]), "0");
}

#[test]
fn b_slices_order_frames_that_fill_gaps_only_if_they_have_a_count() {
    let references = [
        ReferencePicture {
            non_existing: true,
            ..short(5, 4)
        },
        short(4, 0),
    ];
    assert_eq!(text(&build(&FRAME, &references, &b_slice([2, 2]))[0]), "1 -");
    let counted = CurrentPicture {
        pic_order_cnt_type_is_0: false,
        ..FRAME
    };
    assert_eq!(text(&build(&counted, &references, &b_slice([2, 2]))[0]), "0 1");
}

#[test]
fn fields_alternate_parity_and_the_rest_follows_in_order() {
    let only = |fields, reference: ReferencePicture| ReferencePicture { fields, ..reference };
    let references = [
        short(5, 0),
        only([true, false], short(4, 0)),
        only([true, false], short(3, 0)),
        short(2, 0),
    ];
    assert_eq!(
        text(&build(&field(Parity::Top), &references, &p_slice(6, &[]))[0]),
        "0t 0b 1t 3b 2t 3t"
    );
    assert_eq!(
        text(&build(&field(Parity::Bottom), &references, &p_slice(6, &[]))[0]),
        "0b 0t 3b 1t 2t 3t"
    );
}

#[test]
fn long_term_fields_alternate_after_the_short_term_ones() {
    let references = [long(2), short(5, 0), long(1)];
    assert_eq!(
        text(&build(&field(Parity::Bottom), &references, &p_slice(6, &[]))[0]),
        "1b 1t 2b 2t 0b 0t"
    );
}

#[test]
fn the_first_field_of_the_frame_is_the_second_fields_nearest_reference() {
    // The first field has FrameNumWrap = frame_num and, for a B field, a count that may equal the current one.
    let first = ReferencePicture {
        fields: [true, false],
        field_order_cnt: [8, 8],
        ..short(6, 8)
    };
    let references = [short(5, 0), first, short(4, 12)];
    assert_eq!(
        text(&build(&field(Parity::Bottom), &references, &p_slice(5, &[]))[0]),
        "0b 1t 2b 0t 2t"
    );
    let [list0, list1] = build(&field(Parity::Bottom), &references, &b_slice([5, 5]));
    assert_eq!(
        (text(&list0), text(&list1)),
        ("0b 1t 2b 0t 2t".to_owned(), "2b 2t 0b 1t 0t".to_owned())
    );
}

#[test]
fn modifications_move_pictures_to_the_front_one_after_the_other() {
    use RefPicListModification::{Add, LongTerm, Subtract};
    let references = [short(5, 0), short(4, 0), short(3, 0), short(2, 0), long(1)];
    let table: [(&[RefPicListModification], &str); 6] = [
        (&[], "0 1 2 3 4"),
        (&[Subtract(2)], "2 0 1 3 4"),
        (&[Subtract(2), Add(1)], "2 0 1 3 4"),
        (&[LongTerm(1), Subtract(3)], "4 3 0 1 2"),
        (&[Subtract(0), Subtract(0), Subtract(0)], "0 1 2 3 4"),
        // PicNum 6 - 1 - 16 (a whole turn) is 5 again: the same picture may be listed twice.
        (&[Subtract(0), Subtract(15)], "0 0 1 2 3"),
    ];
    for (modifications, expected) in table {
        let list = &build(&FRAME, &references, &p_slice(5, modifications))[0];
        assert_eq!(text(list), expected, "{modifications:?}");
    }
}

#[test]
fn a_modification_may_reach_beyond_the_end_of_the_cut_list() {
    let references = [short(5, 0), short(4, 0), short(3, 0)];
    let list = &build(&FRAME, &references, &p_slice(2, &[RefPicListModification::Subtract(2)]))[0];
    assert_eq!(text(list), "2 0");
}

#[test]
fn modifications_wrap_around_max_pic_num() {
    use RefPicListModification::{Add, Subtract};
    let current = CurrentPicture { frame_num: 1, ..FRAME };
    let references = [short(0, 0), short(-1, 0), short(-2, 0)];
    // picNumLXNoWrap 1 - 3 + 16 = 14 > CurrPicNum: PicNum -2. From there 14 + 3 - 16 = 1 - 1..
    let list = |modifications: &[_]| text(&build(&current, &references, &p_slice(3, modifications))[0]);
    assert_eq!(list(&[Subtract(2)]), "2 0 1");
    assert_eq!(list(&[Subtract(2), Add(1)]), "2 0 1");
    assert_eq!(list(&[Subtract(2), Add(0)]), "2 1 0");
}

#[test]
fn field_modifications_name_parity_by_the_lowest_bit() {
    use RefPicListModification::{LongTerm, Subtract};
    let references = [short(5, 0), short(-3, 0), long(1)];
    // CurrPicNum is 13. FrameNumWrap 5: 11 same parity, 10 opposite; -3: -5 and -6; long-term 1: 3 and 2.
    let list = |modifications: &[_]| text(&build(&field(Parity::Bottom), &references, &p_slice(6, modifications))[0]);
    assert_eq!(list(&[]), "0b 0t 1b 1t 2b 2t");
    assert_eq!(list(&[Subtract(2)]), "0t 0b 1b 1t 2b 2t");
    assert_eq!(list(&[Subtract(18)]), "1t 0b 0t 1b 2b 2t");
    assert_eq!(list(&[LongTerm(2), LongTerm(3)]), "2t 2b 0b 0t 1b 1t");
}

#[test]
fn a_modification_that_names_nothing_leaves_a_hole() {
    use RefPicListModification::{LongTerm, Subtract};
    let references = [short(5, 0), short(4, 0)];
    let list = |modifications: &[_]| text(&build(&FRAME, &references, &p_slice(3, modifications))[0]);
    assert_eq!(list(&[Subtract(4)]), "- 0 1");
    assert_eq!(list(&[LongTerm(0), Subtract(0)]), "- 0 1");
    assert_eq!(list(&[LongTerm(u32::MAX), Subtract(u32::MAX)]), "- - 0");
}

#[test]
fn more_modifications_than_entries_are_ignored() {
    let modifications = [RefPicListModification::Subtract(0); 40];
    assert_eq!(build(&FRAME, &[short(5, 0)], &p_slice(2, &modifications))[0].len(), 2);
}
