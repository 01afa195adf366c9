//! Order and delay of output.

use super::*;

/// An IDR picture, then P at 8 with B at 4 as a reference between, then plain B, in decoding order.
const PYRAMID: [(u16, bool, u16); 9] = [
    (0, true, 0),
    (1, true, 8),
    (2, true, 4),
    (3, false, 2),
    (3, false, 6),
    (3, true, 16),
    (4, true, 12),
    (5, false, 10),
    (5, false, 14),
];

fn decode_pyramid(stream: &mut Stream) -> Vec<Vec<i32>> {
    let decode = |(frame_num, is_reference, count): (u16, bool, u16)| {
        stream.decode(&match (count, is_reference) {
            (0, _) => samples::idr(0),
            (_, true) => frame(frame_num, count),
            (_, false) => b_frame(frame_num, count),
        });
        stream.output()
    };
    PYRAMID.into_iter().map(decode).collect()
}

#[test]
fn a_picture_is_shown_as_soon_as_the_signalled_reordering_permits() {
    let mut stream = Stream::new(sps_with_reorder(2, 5));
    let shown = decode_pyramid(&mut stream);
    let expected: [&[i32]; 9] = [&[], &[], &[0], &[2], &[4], &[6], &[8], &[10], &[12]];
    assert_eq!(shown, expected);
    stream.dpb.end_sequence();
    assert_eq!(stream.output(), [14, 16]);
}

#[test]
fn without_signalling_the_level_decides() {
    // Level 1 at 176x144 has 4 frames.
    let mut stream = Stream::new(Sps {
        level_idc: 10,
        vui: None,
        ..sps_with_reorder(0, 0)
    });
    let shown = decode_pyramid(&mut stream);
    assert_eq!(stream.dpb.limits().unwrap().max_dec_frame_buffering, 4);
    // The fifth picture finds the buffer full: 0 is shown but stays as a reference, 2 makes room.
    let expected: [&[i32]; 9] = [&[], &[], &[], &[], &[0, 2], &[4, 6], &[], &[8, 10], &[12, 14]];
    assert_eq!(shown, expected);
    stream.dpb.end_sequence();
    assert_eq!(stream.output(), [16]);
}

#[test]
fn limits_come_from_what_the_stream_says_if_it_makes_sense() {
    let level_1 = || Sps {
        level_idc: 10,
        max_num_ref_frames: 2,
        ..sps_with_reorder(0, 0)
    };
    let limits = |sps: &Sps| {
        let limits = DpbLimits::new(sps, OutputPolicy::Standard);
        (limits.max_num_reorder_frames, limits.max_dec_frame_buffering)
    };
    let says = |reorder, buffering| Sps {
        vui: sps_with_reorder(reorder, buffering).vui,
        ..level_1()
    };
    let silent = || Sps { vui: None, ..level_1() };
    let table = [
        ("as signalled", says(1, 3), (1, 3)),
        ("fewer frames than references", says(0, 1), (0, 4)),
        ("more reordering than frames", says(3, 2), (2, 2)),
        ("more frames than the level has", says(1, 5), (1, 4)),
        ("nothing signalled", silent(), (4, 4)),
        (
            "type 2 reorders nothing",
            Sps {
                pic_order_cnt_type: PicOrderCntType::Type2,
                ..silent()
            },
            (0, 4),
        ),
        (
            "High Intra",
            Sps {
                profile_idc: 110,
                constraint_set_flags: 0b1000,
                ..silent()
            },
            (0, 2),
        ),
        (
            "High 10",
            Sps {
                profile_idc: 110,
                ..silent()
            },
            (4, 4),
        ),
        (
            "Constrained Baseline may reorder",
            Sps {
                profile_idc: 66,
                constraint_set_flags: 0b11,
                ..silent()
            },
            (4, 4),
        ),
        (
            "level 1b",
            Sps {
                profile_idc: 66,
                level_idc: 11,
                constraint_set_flags: 0b1000,
                ..silent()
            },
            (4, 4),
        ),
        (
            "level 1.1",
            Sps {
                level_idc: 11,
                ..silent()
            },
            (9, 9),
        ),
        (
            "fields double the height",
            Sps {
                frame_mbs_only_flag: false,
                ..silent()
            },
            (2, 2),
        ),
        (
            "more references than the level has",
            Sps {
                max_num_ref_frames: 9,
                ..silent()
            },
            (9, 9),
        ),
        (
            "unknown level",
            Sps {
                level_idc: 255,
                ..silent()
            },
            (16, 16),
        ),
        (
            "a large level has at most 16",
            Sps {
                level_idc: 62,
                ..silent()
            },
            (16, 16),
        ),
    ];
    for (case, sps, expected) in table {
        assert_eq!(limits(&sps), expected, "{case}");
    }
}

#[test]
fn low_latency_trusts_streams_that_do_not_say_how_far_they_reorder() {
    let reorder = |sps: &Sps| DpbLimits::new(sps, OutputPolicy::LowLatency).max_num_reorder_frames;
    let silent = Sps {
        level_idc: 10,
        ..samples::sps()
    };
    assert_eq!(
        DpbLimits::new(&silent, OutputPolicy::Standard).max_num_reorder_frames,
        4
    );
    assert_eq!(reorder(&silent), 0);
    assert_eq!(reorder(&sps_with_reorder(2, 5)), 2, "the stream says it");
}

#[test]
fn an_idr_picture_shows_everything_before_it() {
    let mut stream = Stream::new(sps_with_reorder(2, 5));
    decode_pyramid(&mut stream);
    stream.dpb.start_picture(&stream.sps, &samples::idr(1));
    assert_eq!(stream.output(), [14, 16]);
}

#[test]
fn no_output_of_prior_pics_flag_discards_what_still_waits() {
    let mut stream = Stream::new(sps_with_reorder(2, 4));
    stream.decode(&samples::idr(0));
    stream.decode(&frame(1, 4));
    let marking = DecRefPicMarking::Idr {
        no_output_of_prior_pics_flag: true,
        long_term_reference_flag: false,
    };
    stream.decode(&SliceHeader {
        dec_ref_pic_marking: Some(marking),
        ..samples::idr(1)
    });
    stream.dpb.end_sequence();
    assert_eq!(stream.events(), "d0 d1 r0 r1 o0 r2");
}

#[test]
fn operation_5_shows_everything_before_and_restarts_the_order() {
    let mut stream = Stream::new(sps_with_reorder(2, 4));
    stream.decode(&samples::idr(0));
    stream.decode(&frame(1, 8));
    stream.decode(&with_mmco(&[Mmco::UnmarkAll], frame(2, 20)));
    assert_eq!(stream.output(), [0, 8]);
    stream.decode(&frame(1, 4));
    stream.decode(&b_frame(2, 2));
    stream.dpb.end_sequence();
    assert_eq!(stream.events(), "o0 o2 o4 r2 r3 r4");
}

#[test]
fn a_picture_is_released_when_it_is_neither_reference_nor_waiting() {
    let mut stream = Stream::new(Sps {
        max_num_ref_frames: 1,
        ..sps_with_reorder(1, 2)
    });
    stream.decode(&samples::idr(0));
    stream.decode(&frame(1, 4));
    assert_eq!(stream.events(), "o0 r0");
    stream.decode(&b_frame(2, 2));
    assert_eq!(stream.events(), "o2 r2");
    stream.decode(&frame(2, 6));
    assert_eq!(stream.events(), "o4 r1");
}

#[test]
fn a_full_buffer_shows_a_picture_that_is_no_reference_at_once() {
    // Two references fill the buffer; reordering is said to be as deep as the buffer.
    let mut stream = Stream::new(Sps {
        max_num_ref_frames: 2,
        ..sps_with_reorder(2, 2)
    });
    stream.decode(&samples::idr(0));
    stream.decode(&frame(1, 8));
    stream.output();
    stream.decode(&b_frame(2, 4));
    assert_eq!(stream.output(), [0, 4]);
}

#[test]
fn a_buffer_full_of_references_never_blocks() {
    let mut stream = Stream::new(Sps {
        max_num_ref_frames: 16,
        ..sps_with_reorder(0, 4)
    });
    stream.decode_frames(0..16);
    for count in 0..40 {
        stream.decode(&b_frame(0, 40 + count));
    }
    stream.dpb.end_sequence();
    assert_eq!(stream.output().len(), 56);
}

#[test]
fn a_stream_that_reorders_more_than_it_says_is_given_more_room() {
    let mut stream = Stream::new(sps_with_reorder(0, 4));
    stream.decode(&samples::idr(0));
    stream.decode(&frame(1, 4));
    stream.decode(&b_frame(2, 2));
    assert_eq!(stream.events(), "o0 o4 !pic_order_cnt");
    stream.decode(&frame(2, 8));
    stream.decode(&b_frame(3, 6));
    stream.dpb.end_sequence();
    assert_eq!(stream.output(), [2, 6, 8]);
}

#[test]
fn type_2_shows_pictures_in_decoding_order_at_once() {
    let mut stream = Stream::new(Sps {
        pic_order_cnt_type: PicOrderCntType::Type2,
        vui: None,
        ..samples::sps()
    });
    for header in [samples::idr(0), frame(1, 0), b_frame(2, 0), frame(2, 0)] {
        stream.decode(&SliceHeader {
            pic_order_cnt: PicOrderCnt::Type2,
            ..header
        });
        assert_eq!(stream.output().len(), 1);
    }
}

#[test]
fn a_drain_shows_what_waits_and_keeps_the_references() {
    let mut stream = Stream::new(sps_with_reorder(2, 4));
    stream.decode(&samples::idr(0));
    stream.decode(&frame(1, 8));
    stream.dpb.drain();
    assert_eq!(stream.events(), "o0 o8");
    assert_eq!(stream.references(&b_frame(2, 4)), "s0 s1");
    stream.decode(&b_frame(2, 4));
    stream.dpb.drain();
    assert_eq!(
        stream.events(),
        "o4 r3",
        "what comes late after a drain is no violation"
    );
}

#[test]
fn a_flush_discards_and_releases_every_picture_once() {
    let mut stream = Stream::new(sps_with_reorder(2, 5));
    decode_pyramid(&mut stream);
    stream.dpb.flush();
    let events = stream.events();
    assert_eq!(events.matches('d').count(), 2, "{events}");
    assert!(!events.contains('o'), "{events}");
    let mut all = Stream::new(sps_with_reorder(2, 4));
    for header in [samples::idr(0), frame(1, 8), b_frame(2, 4)] {
        all.decode(&header);
    }
    all.dpb.flush();
    all.dpb.flush();
    assert_eq!(all.events(), "o0 d1 d2 r0 r1 r2");
}

#[test]
fn every_picture_is_shown_once_and_released_once_whatever_comes() {
    // A stream of noise: the buffer may order it as it likes, but loses and doubles nothing.
    let mut noise = 12_345u32;
    let mut random = move |below: u32| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 8) % below
    };
    let mut stream = Stream::new(sps_with_reorder(2, 4));
    let mut pictures = std::collections::BTreeSet::new();
    for step in 0..5_000 {
        let (number, count) = (random(16) as u16, random(256) as u16);
        let mut header = match random(5) {
            0 => samples::idr(step as u16),
            1 => b_frame(number, count),
            2 => with_mmco(
                &[Mmco::UnmarkShortTerm {
                    difference_of_pic_nums_minus1: random(8),
                }],
                frame(number, count),
            ),
            3 => with_mmco(
                &[Mmco::AssignLongTerm {
                    difference_of_pic_nums_minus1: random(8),
                    long_term_frame_idx: random(4),
                }],
                frame(number, count),
            ),
            _ => frame(number, count),
        };
        if random(3) == 0 {
            header = field(if random(2) == 0 { Parity::Top } else { Parity::Bottom }, header);
        }
        if random(40) == 0 {
            header = with_mmco(&[Mmco::UnmarkAll], frame(number, count));
        }
        pictures.insert(stream.decode(&header).picture);
        assert!(stream.dpb.references().len() <= 4);
    }
    stream.dpb.end_sequence();
    let (mut shown, mut released) = (Vec::new(), Vec::new());
    while let Some(event) = stream.dpb.next_event() {
        match event {
            DpbEvent::Output { picture, .. } => shown.push(picture),
            DpbEvent::Released { picture } => {
                assert!(shown.contains(&picture), "{picture:?} is released before it is shown");
                released.push(picture);
            }
            DpbEvent::Discarded { picture } => panic!("{picture:?} is discarded"),
            DpbEvent::Unpaired { .. } | DpbEvent::Violation(_) => {}
        }
    }
    shown.sort();
    released.sort();
    let pictures: Vec<_> = pictures.into_iter().collect();
    assert_eq!((shown, released), (pictures.clone(), pictures));
}
