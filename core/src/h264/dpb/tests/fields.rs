//! Field pairs, single fields, and their marks.

use super::*;

const TOP: Parity = Parity::Top;
const BOTTOM: Parity = Parity::Bottom;

fn interlaced(max_num_ref_frames: u8) -> Stream {
    Stream::new(Sps {
        frame_mbs_only_flag: false,
        max_num_ref_frames,
        ..sps_with_reorder(0, 2)
    })
}

impl Stream {
    /// Decodes a pair of reference fields, top first.
    fn decode_pair(&mut self, frame_num: u16) {
        let first = if frame_num == 0 {
            samples::idr(0)
        } else {
            frame(frame_num, 2 * frame_num)
        };
        self.decode(&field(TOP, first));
        self.decode(&field(BOTTOM, frame(frame_num, 2 * frame_num + 1)));
    }
}

#[test]
fn two_fields_of_opposite_parity_are_one_picture() {
    let mut stream = interlaced(2);
    let first = stream.decode(&field(TOP, samples::idr(0)));
    assert_eq!(stream.events(), "", "a first field waits for its second");
    let second = stream.decode(&field(BOTTOM, frame(0, 1)));
    assert_eq!((first.picture, first.second_field), (second.picture, false));
    assert!(second.second_field);
    assert_eq!(stream.events(), "o0");
}

#[test]
fn a_second_field_comes_with_the_order_count_of_the_first() {
    let mut stream = interlaced(2);
    stream.decode(&field(TOP, samples::idr(0)));
    assert_eq!(stream.decode(&field(BOTTOM, frame(0, 1))).field_order_cnt, [0, 1]);
    // Bottom first.
    assert_eq!(stream.decode(&field(BOTTOM, frame(1, 4))).field_order_cnt, [4, 4]);
    assert_eq!(stream.decode(&field(TOP, frame(1, 5))).field_order_cnt, [5, 4]);
}

#[test]
fn fields_that_do_not_belong_together_are_pictures_of_their_own() {
    let first = || field(TOP, frame(1, 2));
    let unpaired = [
        ("same parity", field(TOP, frame(1, 3))),
        ("another frame_num", field(BOTTOM, frame(2, 3))),
        ("a frame", frame(2, 3)),
        ("an IDR picture", field(BOTTOM, samples::idr(1))),
        ("operation 5", with_mmco(&[Mmco::UnmarkAll], field(BOTTOM, frame(1, 3)))),
    ];
    for (case, second) in unpaired {
        let mut stream = interlaced(2);
        stream.decode_pair(0);
        stream.decode(&first());
        assert!(!stream.decode(&second).second_field, "{case}");
        stream.dpb.end_sequence();
        assert_eq!(stream.output().len(), 3, "{case}");
    }
}

#[test]
fn reference_and_other_fields_pair_only_in_that_order() {
    let mut stream = interlaced(2);
    stream.decode_pair(0);
    stream.decode(&field(TOP, frame(1, 2)));
    assert!(stream.decode(&field(BOTTOM, b_frame(1, 3))).second_field);
    stream.decode(&field(TOP, b_frame(2, 4)));
    assert!(stream.decode(&field(BOTTOM, b_frame(2, 5))).second_field);
    stream.decode(&field(TOP, b_frame(2, 6)));
    assert!(!stream.decode(&field(BOTTOM, frame(2, 7))).second_field);
}

#[test]
fn both_fields_of_an_idr_picture_may_be_coded_as_such() {
    let mut stream = interlaced(2);
    stream.decode(&field(TOP, samples::idr(3)));
    assert!(stream.decode(&field(BOTTOM, samples::idr(3))).second_field);
    stream.decode(&field(TOP, samples::idr(4)));
    assert!(!stream.decode(&field(BOTTOM, samples::idr(5))).second_field);
}

#[test]
fn the_second_field_sees_the_first_among_its_references() {
    let mut stream = interlaced(2);
    stream.decode_pair(0);
    stream.decode(&field(TOP, frame(1, 2)));
    assert_eq!(stream.references(&field(BOTTOM, frame(1, 3))), "s0 s1t");
    let first = stream.dpb.references()[1];
    assert_eq!((first.field_order_cnt, first.coded_as_fields), ([2, 2], true));
}

#[test]
fn a_pair_counts_as_one_frame_in_the_sliding_window() {
    let mut stream = interlaced(2);
    stream.decode_pair(0);
    stream.decode_pair(1);
    stream.decode(&field(TOP, frame(2, 4)));
    assert_eq!(stream.references(&field(BOTTOM, frame(2, 5))), "s1 s2t");
    stream.decode(&field(BOTTOM, frame(2, 5)));
    assert_eq!(stream.references(&frame(3, 6)), "s1 s2");
}

#[test]
fn operations_name_single_fields_by_parity() {
    let unmark = |difference_of_pic_nums_minus1| Mmco::UnmarkShortTerm {
        difference_of_pic_nums_minus1,
    };
    // The current top field has frame_num 2: CurrPicNum 5. Frame 1: top 3, bottom 2; frame 0: top 1, bottom 0.
    let table: [(&[Mmco], &str); 4] = [
        (&[unmark(1)], "s0 s1b s2t"),
        (&[unmark(2)], "s0 s1t s2t"),
        (&[unmark(4), unmark(3)], "s1 s2t"),
        (&[unmark(3), unmark(2)], "s0b s1t s2t"),
    ];
    for (operations, expected) in table {
        let mut stream = interlaced(4);
        stream.decode_pair(0);
        stream.decode_pair(1);
        stream.decode(&with_mmco(operations, field(TOP, frame(2, 4))));
        assert_eq!(
            stream.references(&field(BOTTOM, frame(2, 5))),
            expected,
            "{operations:?}"
        );
    }
}

#[test]
fn two_fields_of_a_frame_become_long_term_one_by_one() {
    let mut stream = interlaced(4);
    stream.decode_pair(0);
    stream.decode_pair(1);
    let assign = |difference_of_pic_nums_minus1| Mmco::AssignLongTerm {
        difference_of_pic_nums_minus1,
        long_term_frame_idx: 0,
    };
    // Top of frame 0 is 1 of 5; then, seen from the bottom field, it is 0 and the bottom of frame 0 is 1.
    let max_idx = Mmco::SetMaxLongTermFrameIdx {
        max_long_term_frame_idx_plus1: 1,
    };
    stream.decode(&with_mmco(&[max_idx, assign(3)], field(TOP, frame(2, 4))));
    stream.decode(&with_mmco(&[assign(3)], field(BOTTOM, frame(2, 5))));
    assert_eq!(stream.references(&frame(3, 6)), "L0 s1 s2");
    assert!(!stream.events().contains('!'));
}

#[test]
fn a_long_term_index_moves_to_another_frame_field_by_field() {
    let mut stream = interlaced(4);
    stream.decode_pair(0);
    stream.decode_pair(1);
    let max_idx = Mmco::SetMaxLongTermFrameIdx {
        max_long_term_frame_idx_plus1: 1,
    };
    let current = Mmco::MarkCurrentLongTerm { long_term_frame_idx: 0 };
    stream.decode(&with_mmco(&[max_idx, current], field(TOP, frame(2, 4))));
    stream.decode(&with_mmco(&[current], field(BOTTOM, frame(2, 5))));
    assert_eq!(stream.references(&frame(3, 6)), "s0 s1 L0");
    stream.decode(&with_mmco(&[current], frame(3, 6)));
    assert_eq!(stream.references(&frame(4, 8)), "s0 s1 L0");
    assert_eq!(stream.dpb.references()[2].field_order_cnt, [6, 6]);
}

#[test]
fn an_unpaired_field_is_shown_and_is_no_reference_of_frames() {
    let mut stream = interlaced(4);
    stream.decode_pair(0);
    stream.decode(&field(BOTTOM, frame(1, 2)));
    let header = frame(2, 4);
    assert_eq!(stream.references(&header), "s0 s1b");
    let [list0, _] = stream.dpb.ref_pic_lists(&header);
    assert_eq!(list0.iter().flatten().count(), 1);
    assert_eq!(stream.output(), [0, 2]);
}

#[test]
fn a_frame_after_a_first_field_does_not_wait_for_the_second() {
    let mut stream = interlaced(4);
    stream.decode(&field(TOP, samples::idr(0)));
    stream.dpb.start_picture(&stream.sps, &frame(1, 2));
    assert_eq!(stream.output(), [0]);
}

#[test]
fn operation_5_in_a_first_field_lets_the_second_follow_with_frame_num_0() {
    let mut stream = interlaced(4);
    stream.decode_pair(0);
    let first = stream.decode(&with_mmco(&[Mmco::UnmarkAll], field(TOP, frame(1, 20))));
    let second = stream.decode(&field(BOTTOM, frame(0, 1)));
    assert_eq!((second.picture, second.second_field), (first.picture, true));
    assert_eq!(second.field_order_cnt, [0, 1]);
    assert_eq!(stream.references(&frame(1, 4)), "s0");
}

#[test]
fn a_field_that_stays_alone_is_reported_before_it_is_output() {
    let mut stream = interlaced(4);
    stream.decode_pair(0);
    assert_eq!(stream.events(), "o0");
    stream.decode(&field(TOP, frame(1, 2)));
    stream.decode_pair(2);
    assert_eq!(stream.events(), "u1 o2 o4");
}

#[test]
fn halves_of_two_frames_are_known_by_their_order() {
    let mut stream = interlaced(4);
    stream.decode_pair(0);
    stream.decode_pair(1);
    stream.events();
    // The top field with count 6 is lost; the next frame's completes its bottom field.
    stream.decode(&field(BOTTOM, b_frame(2, 7)));
    assert!(stream.decode(&field(TOP, b_frame(2, 8))).second_field);
    assert!(stream.events().contains('u'));
    stream.decode(&field(BOTTOM, b_frame(2, 9)));
    stream.decode_pair(2);
    assert!(stream.events().contains('u'), "its top field was taken for the other");
    stream.decode(&field(TOP, b_frame(3, 10)));
    stream.decode(&field(BOTTOM, b_frame(3, 11)));
    assert!(!stream.events().contains('u'));
}

#[test]
fn a_first_field_with_a_number_or_count_that_was_there_tells_of_a_loss() {
    let repeats = |header: SliceHeader| {
        let mut stream = interlaced(4);
        stream.decode_pair(0);
        stream.decode_pair(1);
        stream.decode(&field(TOP, header)).repeats
    };
    assert!(repeats(frame(1, 8)));
    assert!(repeats(frame(2, 2)));
    assert!(!repeats(frame(2, 4)));
}
