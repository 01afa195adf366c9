//! Picture order counts of every type, their wraps, and streams that say nothing or lie about their order.

use fourier_core::h264::slice_header::{MemoryManagementControlOperation, PicOrderCnt, SliceHeader, SliceType};
use fourier_core::h264::sps::{BitstreamRestriction, PicOrderCntType, Vui};
use fourier_core::h264::{Parity, Sps};
use fourier_tests::Outcome;
use fourier_tests::syntax::sequence::{Sequence, SliceHeaderExt, fields_of, flat, frames_of, header, idr};

use crate::{DEVICES, must_equal_libavcodec, must_show, pictures, value};

/// Frames of one macroblock that say how far they are reordered.
fn reordered(max_num_reorder_frames: u32, max_dec_frame_buffering: u32) -> Sps {
    Sps {
        vui: Some(Vui {
            bitstream_restriction: Some(BitstreamRestriction {
                max_num_reorder_frames,
                max_dec_frame_buffering,
            }),
            ..Vui::default()
        }),
        ..frames_of(1, 1)
    }
}

/// An IDR picture, then so many times four pictures: P, a B that is a reference, and two that are not. With 4 bits of
/// `frame_num` and of `pic_order_cnt_lsb`, both wrap at 16. Gives the samples in output order too.
fn pyramids(sps: Sps, count: usize) -> (Vec<u8>, Vec<u8>) {
    let mut sequence = Sequence::new(sps);
    sequence.picture(idr(0).lsb(0), &flat(value(0)));
    for group in 0..count {
        let mut picture = |place: usize, slice_type, references_before: usize, is_reference: bool| {
            let frame_num = (2 * group + 1 + references_before) as u32 % 16;
            let place = 4 * group + place;
            let header = header(slice_type, frame_num).lsb(place as u32 % 16);
            let header = if is_reference { header } else { header.for_nobody() };
            sequence.picture(header, &flat(value(place)));
        };
        picture(4, SliceType::P, 0, true);
        picture(2, SliceType::B, 1, true);
        picture(1, SliceType::B, 2, false);
        picture(3, SliceType::B, 2, false);
    }
    (sequence.stream, (0..=4 * count).map(value).collect())
}

#[test]
fn pictures_are_in_order_through_every_wrap_of_frame_num_and_pic_order_cnt_lsb() -> Outcome {
    let (stream, expected) = pyramids(reordered(2, 4), 100);
    must_show("pyramids", &stream, &expected)?;
    must_equal_libavcodec("pyramids", &stream)
}

/// Where what it says is impossible, the level decides.
#[test]
fn a_stream_that_says_nothing_or_too_much_of_its_reordering_is_shown_in_order() -> Outcome {
    for (name, sps) in [
        ("nothing", frames_of(1, 1)),
        ("the truth", reordered(2, 4)),
        ("as much as there can be", reordered(16, 16)),
        ("more than it buffers", reordered(5, 4)),
        ("more than any level has", reordered(200, 4)),
        ("that it buffers more than any level", reordered(2, 200)),
        ("that it buffers less than its references", reordered(2, 1)),
        ("the largest numbers", reordered(u32::MAX - 1, u32::MAX - 1)),
    ] {
        let (stream, expected) = pyramids(sps, 20);
        must_show(&format!("says {name}"), &stream, &expected)?;
    }
    Ok(())
}

#[test]
fn a_stream_that_reorders_more_than_it_says_is_soon_shown_in_order_and_whole() -> Outcome {
    let sorted = |values: &[u8]| {
        let mut values = values.to_vec();
        values.sort_unstable();
        values
    };
    for (reorder, device) in [0, 1].into_iter().flat_map(|says| DEVICES.map(|device| (says, device))) {
        let (stream, expected) = pyramids(reordered(reorder, 4), 20);
        let (shown, ending) = pictures(device, &stream)?;
        let values: Vec<u8> = shown.iter().map(|picture| picture.first[0]).collect();
        let is_whole = sorted(&values) == sorted(&expected) && ending.damaged == 0 && ending.dropped == 0;
        let is_in_order = values.get(8..) == expected.get(8..);
        if !is_whole || !is_in_order || ending.warnings.is_empty() {
            return Err(format!("says {reorder}, {device}: {ending:?}, {values:?}, not {expected:?}").into());
        }
    }
    Ok(())
}

/// Pictures after an IDR picture in decoding order that come before it in output order.
#[test]
fn pictures_of_negative_order_count_come_before_their_idr_picture_and_after_all_before_it() -> Outcome {
    let mut sequence = Sequence::new(reordered(2, 4));
    for period in 0..4usize {
        let value = |place| value(3 * period + place);
        sequence.picture(idr(period as u16).lsb(0), &flat(value(2)));
        // -4 and -2 of 16.
        for (place, lsb) in [(0, 12), (1, 14)] {
            sequence.picture(header(SliceType::P, 1).lsb(lsb).for_nobody(), &flat(value(place)));
        }
    }
    let expected: Vec<u8> = (0..12).map(value).collect();
    must_show("negative", &sequence.stream, &expected)?;
    must_equal_libavcodec("negative", &sequence.stream)
}

/// A first field with operation 5 takes its second field along into the new order (8.2.1).
#[test]
fn operation_5_in_a_first_field_begins_a_new_order_with_its_frame() -> Outcome {
    const PERIODS: usize = 8;
    let mut sequence = Sequence::new(Sps {
        vui: reordered(2, 4).vui,
        ..fields_of(1, 1)
    });
    let mut pair = |first: SliceHeader, second: SliceHeader, place: usize| {
        sequence.picture(first.field(Parity::Top), &flat(value(place)));
        sequence.picture(second.field(Parity::Bottom), &flat(value(place + 1)));
    };
    pair(idr(0).lsb(0), header(SliceType::P, 0).lsb(1), 0);
    for period in 0..PERIODS {
        let reference = |lsb| header(SliceType::P, 1).lsb(lsb);
        pair(reference(8), reference(9), 3 * period + 2);
        let between = |lsb| header(SliceType::B, 2).lsb(lsb).for_nobody();
        pair(between(4), between(5), 3 * period + 1);
        let restart = header(SliceType::P, 2).lsb(12);
        let restart = restart.marking(&[MemoryManagementControlOperation::UnmarkAll]);
        pair(restart, header(SliceType::P, 0).lsb(1), 3 * period + 3);
    }
    let expected: Vec<u8> = (0..=3 * PERIODS).map(value).collect();
    must_show("operation 5 of fields", &sequence.stream, &expected)?;
    must_equal_libavcodec("operation 5 of fields", &sequence.stream)
}

/// Frames, of which every fourth has operation 5, with a count of `restart` against 4 and 2 of those before it.
fn restarted(restart: u32) -> (Vec<u8>, Vec<u8>) {
    const PERIODS: usize = 8;
    let mut sequence = Sequence::new(reordered(2, 4));
    sequence.picture(idr(0).lsb(0), &flat(value(0)));
    // After an IDR picture or operation 5 and another picture.
    let (mut frame_num, mut lsb) = (1, 0);
    for period in 0..PERIODS {
        let value = |place| value(1 + 4 * period + place);
        sequence.picture(header(SliceType::P, frame_num).lsb(lsb + 4), &flat(value(1)));
        let between = header(SliceType::B, frame_num + 1).lsb(lsb + 2).for_nobody();
        sequence.picture(between, &flat(value(0)));
        let picture = header(SliceType::P, frame_num + 1).lsb(lsb + restart);
        let picture = picture.marking(&[MemoryManagementControlOperation::UnmarkAll]);
        sequence.picture(picture, &flat(value(2)));
        // It counts as picture 0 with frame_num 0 from here on.
        sequence.picture(header(SliceType::P, 1).lsb(1), &flat(value(3)));
        (frame_num, lsb) = (2, 1);
    }
    (sequence.stream, (0..=4 * PERIODS).map(value).collect())
}

/// Also where its picture counts less than those before it, which libavcodec then shows in another order than C.4.4 does.
#[test]
fn operation_5_ends_the_order_before_it_and_begins_another() -> Outcome {
    let (stream, expected) = restarted(6);
    must_show("operation 5", &stream, &expected)?;
    must_equal_libavcodec("operation 5", &stream)?;
    let (stream, expected) = restarted(1);
    must_show("operation 5 of a lower count", &stream, &expected)
}

fn counted_by_type_1(offset_for_ref_frame: &[i32]) -> Sps {
    Sps {
        pic_order_cnt_type: PicOrderCntType::Type1 {
            delta_pic_order_always_zero_flag: !offset_for_ref_frame.is_empty(),
            offset_for_non_ref_pic: if offset_for_ref_frame.is_empty() { 0 } else { -1 },
            offset_for_top_to_bottom_field: 1,
            offset_for_ref_frame: offset_for_ref_frame.to_vec(),
        },
        ..reordered(1, 4)
    }
}

/// Each reference is followed by a picture that is shown before it; `frame_num` wraps within and between cycles.
#[test]
fn cycles_of_order_count_type_1_may_be_odd_and_as_long_as_they_like() -> Outcome {
    const PAIRS: usize = 300;
    let longest: Vec<i32> = (0..255).map(|place| 2 + place % 7).collect();
    for cycle in [&[2][..], &[2, 6, 4], &[9, 2, 2, 100_000, 3, 2, 5], &longest] {
        let mut sequence = Sequence::new(counted_by_type_1(cycle));
        sequence.picture(idr(0), &flat(value(0)));
        for pair in 1..=PAIRS {
            let frame_num = |number: usize| number as u32 % 16;
            sequence.picture(header(SliceType::P, frame_num(pair)), &flat(value(2 * pair)));
            let between = header(SliceType::P, frame_num(pair + 1)).for_nobody();
            sequence.picture(between, &flat(value(2 * pair - 1)));
        }
        let name = format!("a cycle of {}", cycle.len());
        let expected: Vec<u8> = (0..=2 * PAIRS).map(value).collect();
        must_show(&name, &sequence.stream, &expected)?;
        must_equal_libavcodec(&name, &sequence.stream)?;
    }
    Ok(())
}

/// Pairs of fields: the bottom field is shown after or before the top field, by `offset_for_top_to_bottom_field`.
#[test]
fn fields_are_counted_by_type_1_in_odd_cycles() -> Outcome {
    const PAIRS: usize = 100;
    for offset_for_top_to_bottom_field in [1, -1] {
        let mut sequence = Sequence::new(Sps {
            pic_order_cnt_type: PicOrderCntType::Type1 {
                delta_pic_order_always_zero_flag: true,
                offset_for_non_ref_pic: -2,
                offset_for_top_to_bottom_field,
                offset_for_ref_frame: vec![4, 12, 8],
            },
            vui: reordered(1, 4).vui,
            ..fields_of(1, 1)
        });
        let mut pair = |first: SliceHeader, second: SliceHeader, place: usize| {
            sequence.picture(first.field(Parity::Top), &flat(value(place)));
            sequence.picture(second.field(Parity::Bottom), &flat(value(place + 1)));
        };
        pair(idr(0), header(SliceType::P, 0), 0);
        for number in 1..=PAIRS {
            let reference = || header(SliceType::P, number as u32 % 16);
            pair(reference(), reference(), 2 * number);
            let between = || header(SliceType::P, (number as u32 + 1) % 16).for_nobody();
            pair(between(), between(), 2 * number - 1);
        }
        let expected: Vec<u8> = (0..=2 * PAIRS).map(value).collect();
        let name = format!("bottom fields at {offset_for_top_to_bottom_field}");
        must_show(&name, &sequence.stream, &expected)?;
        must_equal_libavcodec(&name, &sequence.stream)?;
    }
    Ok(())
}

/// All that tells pictures apart is what their headers add.
#[test]
fn order_count_type_1_without_a_cycle_is_what_slice_headers_say() -> Outcome {
    const PAIRS: usize = 40;
    let counted = |mut header: SliceHeader, count: usize| {
        header.pic_order_cnt = PicOrderCnt::Type1 {
            delta_pic_order_cnt: [count as i32, 0],
        };
        header
    };
    let mut sequence = Sequence::new(counted_by_type_1(&[]));
    sequence.picture(counted(idr(0), 0), &flat(value(0)));
    for pair in 1..=PAIRS {
        let frame_num = |number: usize| number as u32 % 16;
        let reference = counted(header(SliceType::P, frame_num(pair)), 2 * pair);
        sequence.picture(reference, &flat(value(2 * pair)));
        let between = counted(header(SliceType::B, frame_num(pair + 1)), 2 * pair - 1);
        sequence.picture(between.for_nobody(), &flat(value(2 * pair - 1)));
    }
    let expected: Vec<u8> = (0..=2 * PAIRS).map(value).collect();
    must_show("no cycle", &sequence.stream, &expected)?;
    must_equal_libavcodec("no cycle", &sequence.stream)
}
