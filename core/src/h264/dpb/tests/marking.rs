//! Sliding window, memory management control operations, gaps.

use super::*;

#[test]
fn the_sliding_window_keeps_the_newest_and_numbers_wrap() {
    let mut stream = Stream::without_reordering(3);
    stream.decode_frames(0..16);
    stream.decode(&frame(0, 32));
    // FrameNum 0, 15, 14 seen from frame_num 1.
    assert_eq!(stream.references(&frame(1, 34)), "s-2 s-1 s0");
}

#[test]
fn a_stream_that_claims_no_references_still_keeps_one() {
    let mut stream = Stream::without_reordering(0);
    stream.decode_frames([0, 1]);
    assert_eq!(stream.references(&frame(2, 4)), "s1");
}

#[test]
fn a_picture_that_is_no_reference_marks_nothing() {
    let mut stream = Stream::without_reordering(1);
    stream.decode_frames([0]);
    stream.decode(&b_frame(1, 2));
    assert_eq!(stream.references(&frame(1, 4)), "s0");
}

#[test]
fn each_operation_does_what_its_clause_says() {
    let unmark = |difference_of_pic_nums_minus1| Mmco::UnmarkShortTerm {
        difference_of_pic_nums_minus1,
    };
    let unmark_long = |long_term_pic_num| Mmco::UnmarkLongTerm { long_term_pic_num };
    let assign = |difference_of_pic_nums_minus1, long_term_frame_idx| Mmco::AssignLongTerm {
        difference_of_pic_nums_minus1,
        long_term_frame_idx,
    };
    let max_idx = |max_long_term_frame_idx_plus1| Mmco::SetMaxLongTermFrameIdx {
        max_long_term_frame_idx_plus1,
    };
    let current = |long_term_frame_idx| Mmco::MarkCurrentLongTerm { long_term_frame_idx };
    // References 0 to 3 are there when picture 4 comes with these operations; then picture 5 sees:
    let table: [(&[Mmco], &str); 11] = [
        (&[unmark(0)], "s0 s1 s2 s4"),
        (&[unmark(3), unmark(1)], "s1 s3 s4"),
        (&[max_idx(2), assign(0, 1), unmark(1), unmark(2)], "s0 L1 s4"),
        (&[max_idx(2), assign(0, 1), assign(3, 0)], "L0 s1 s2 L1 s4"),
        (&[max_idx(2), assign(0, 1), assign(1, 1)], "s0 s1 L1 s4"),
        (&[max_idx(2), assign(0, 1), unmark_long(1)], "s0 s1 s2 s4"),
        (&[max_idx(2), assign(0, 0), assign(1, 1), max_idx(1)], "s0 s1 L0 s4"),
        (&[max_idx(2), assign(0, 0), assign(1, 1), max_idx(0)], "s0 s1 s4"),
        (&[unmark(3), max_idx(1), current(0)], "s1 s2 s3 L0"),
        (&[max_idx(2), assign(0, 0), current(0)], "s0 s1 s2 L0"),
        (&[Mmco::UnmarkAll, max_idx(1), current(0)], "L0"),
    ];
    for (operations, expected) in table {
        let mut stream = Stream::without_reordering(5);
        stream.decode_frames(0..4);
        stream.decode(&with_mmco(operations, frame(4, 8)));
        let after_reset = operations.contains(&Mmco::UnmarkAll);
        let next = if after_reset { frame(1, 2) } else { frame(5, 10) };
        assert_eq!(stream.references(&next), expected, "{operations:?}");
        assert!(!stream.events().contains('!'), "{operations:?}");
    }
}

#[test]
fn an_operation_that_names_nothing_is_ignored_and_reported() {
    let table = [
        (
            Mmco::UnmarkShortTerm {
                difference_of_pic_nums_minus1: 9,
            },
            "!difference_of_pic_nums_minus1",
        ),
        (
            Mmco::UnmarkShortTerm {
                difference_of_pic_nums_minus1: u32::MAX,
            },
            "!difference_of_pic_nums_minus1",
        ),
        (Mmco::UnmarkLongTerm { long_term_pic_num: 0 }, "!long_term_pic_num"),
        (
            Mmco::UnmarkLongTerm {
                long_term_pic_num: u32::MAX,
            },
            "!long_term_pic_num",
        ),
        (
            Mmco::AssignLongTerm {
                difference_of_pic_nums_minus1: 7,
                long_term_frame_idx: 0,
            },
            "!difference_of_pic_nums_minus1",
        ),
        (
            Mmco::AssignLongTerm {
                difference_of_pic_nums_minus1: 0,
                long_term_frame_idx: 16,
            },
            "!long_term_frame_idx",
        ),
        (
            Mmco::MarkCurrentLongTerm {
                long_term_frame_idx: u32::MAX,
            },
            "!long_term_frame_idx",
        ),
    ];
    for (operation, expected) in table {
        let mut stream = Stream::without_reordering(4);
        stream.decode_frames([0, 1]);
        stream.events();
        stream.decode(&with_mmco(&[operation], frame(2, 4)));
        assert!(stream.events().contains(expected), "{operation:?}");
        assert_eq!(stream.references(&frame(3, 6)), "s0 s1 s2", "{operation:?}");
    }
}

#[test]
fn too_many_references_slide_out_and_are_reported() {
    let mut stream = Stream::without_reordering(2);
    stream.decode_frames([0, 1]);
    // Adaptive marking that frees nothing.
    stream.decode(&with_mmco(&[], frame(2, 4)));
    assert!(stream.events().contains("!dec_ref_pic_marking"));
    assert_eq!(stream.references(&frame(3, 6)), "s1 s2");
}

#[test]
fn when_only_long_term_references_are_left_one_of_them_makes_room() {
    let mut stream = Stream::without_reordering(2);
    stream.decode_frames([0]);
    let long = |long_term_frame_idx| {
        [
            Mmco::SetMaxLongTermFrameIdx {
                max_long_term_frame_idx_plus1: 4,
            },
            Mmco::MarkCurrentLongTerm { long_term_frame_idx },
        ]
    };
    stream.decode(&with_mmco(&long(1), frame(1, 2)));
    stream.decode(&with_mmco(&long(2), frame(2, 4)));
    assert_eq!(stream.references(&frame(3, 6)), "L1 L2");
    stream.decode(&frame(3, 6));
    assert!(stream.events().contains("!dec_ref_pic_marking"));
    assert_eq!(stream.references(&frame(4, 8)), "L2 s3");
}

#[test]
fn an_idr_picture_may_be_long_term_and_takes_all_other_marks() {
    let mut stream = Stream::without_reordering(4);
    stream.decode_frames(0..3);
    let marking = DecRefPicMarking::Idr {
        no_output_of_prior_pics_flag: false,
        long_term_reference_flag: true,
    };
    stream.decode(&SliceHeader {
        dec_ref_pic_marking: Some(marking),
        ..samples::idr(1)
    });
    assert_eq!(stream.references(&frame(1, 2)), "L0");
}

#[test]
fn after_operation_5_frame_num_counts_from_0() {
    let mut stream = Stream::without_reordering(4);
    stream.decode_frames(0..3);
    stream.decode(&with_mmco(&[Mmco::UnmarkAll], frame(3, 6)));
    assert_eq!(stream.references(&frame(1, 2)), "s0");
    assert_eq!(stream.decode(&frame(1, 2)).lost_frames, 0);
}

#[test]
fn an_announced_gap_is_filled_with_frames_that_never_existed() {
    let mut stream = Stream::new(Sps {
        gaps_in_frame_num_value_allowed_flag: true,
        ..sps_with_reorder(0, 4)
    });
    stream.decode_frames([0, 1]);
    assert_eq!(stream.references(&frame(4, 8)), "s0 s1 s2! s3!");
    assert_eq!(stream.decode(&frame(4, 8)).lost_frames, 0);
    assert_eq!(stream.references(&frame(5, 10)), "s1 s2! s3! s4");
    assert!(!stream.events().contains('!'));
}

#[test]
fn a_loss_shows_before_the_picture_that_follows_it_is_started() {
    let mut stream = Stream::without_reordering(4);
    stream.decode_frames([0, 1]);
    assert!(!stream.dpb.loses_frames(&stream.sps, &frame(2, 4)));
    assert!(stream.dpb.loses_frames(&stream.sps, &frame(4, 8)));
    assert!(!stream.dpb.loses_frames(&stream.sps, &samples::idr(1)));
    stream.sps.gaps_in_frame_num_value_allowed_flag = true;
    assert!(!stream.dpb.loses_frames(&stream.sps, &frame(4, 8)));
}

#[test]
fn numbers_and_counts_that_come_twice_tell_of_a_lost_idr_picture() {
    let repeats = |header: &SliceHeader| {
        let mut stream = Stream::without_reordering(4);
        stream.decode_frames(0..3);
        stream.decode(header).repeats
    };
    assert!(repeats(&frame(2, 8)), "the number of the reference before it");
    assert!(repeats(&frame(3, 4)), "the count of the reference before it");
    assert!(repeats(&b_frame(3, 2)), "the count of an older one");
    assert!(!repeats(&frame(3, 6)));
    assert!(!repeats(&b_frame(3, 5)));
    assert!(!repeats(&samples::idr(1)), "everything begins anew");
}

#[test]
fn a_gap_that_is_not_allowed_is_a_loss_and_the_last_picture_stands_in() {
    let mut stream = Stream::without_reordering(4);
    stream.decode_frames([0, 1]);
    stream.events();
    let header = frame(4, 8);
    assert_eq!(stream.dpb.start_picture(&stream.sps, &header).lost_frames, 2);
    let pictures: Vec<_> = stream
        .dpb
        .references()
        .iter()
        .map(|reference| reference.picture.0)
        .collect();
    assert_eq!(pictures, [0, 1, 1, 1]);
    let counts: Vec<_> = stream
        .dpb
        .references()
        .iter()
        .map(|reference| reference.field_order_cnt[0])
        .collect();
    assert_eq!(counts, [0, 2, 2, 2]);
    assert_eq!(stream.references(&header), "s0 s1 s2? s3?");
    assert_eq!(stream.events(), "!frame_num");
}

#[test]
fn the_picture_that_stands_in_is_held_as_long_as_it_does() {
    let mut stream = Stream::without_reordering(1);
    stream.decode_frames([0]);
    // Picture 0 slides out at once, but the frame that fills the gap (1) shows it.
    stream.decode(&frame(2, 4));
    assert_eq!(stream.events(), "o0 !frame_num r0 o4");
    let mut stream = Stream::without_reordering(1);
    stream.decode_frames([0]);
    stream.events();
    stream.references(&frame(2, 4));
    assert_eq!(stream.events(), "!frame_num");
}

#[test]
fn a_gap_with_nothing_before_it_never_existed() {
    let mut stream = Stream::without_reordering(2);
    stream.decode(&b_frame(3, 0));
    assert_eq!(stream.references(&frame(6, 8)), "s4!? s5!?");
}

#[test]
fn a_huge_gap_costs_no_more_than_the_buffer_is_large() {
    let mut stream = Stream::new(Sps {
        log2_max_frame_num_minus4: 12,
        ..sps_with_reorder(0, 4)
    });
    stream.decode_frames([0]);
    assert_eq!(stream.decode(&frame(65_535, 8)).lost_frames, 65_534);
    // Four frames were inserted, not 65,534.
    assert_eq!(stream.decode(&frame(0, 10)).picture, PictureId(6));
    assert_eq!(stream.references(&frame(1, 12)), "s-3? s-2? s-1 s0");
}

#[test]
fn the_first_picture_after_a_flush_has_no_gap_before_it() {
    let mut stream = Stream::without_reordering(4);
    stream.decode_frames([0, 1]);
    stream.dpb.flush();
    assert_eq!(stream.decode(&frame(9, 8)).lost_frames, 0);
    assert_eq!(stream.references(&frame(10, 10)), "s9");
}
