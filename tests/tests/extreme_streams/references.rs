//! As many long-term references as there can be, of frames and of fields.

use fourier_core::h264::slice_header::{
    DecRefPicMarking, MemoryManagementControlOperation as Operation, RefPicListModification, SliceHeader, SliceType,
};
use fourier_core::h264::sps::PicOrderCntType;
use fourier_core::h264::{Parity, Sps};
use fourier_tests::Outcome;
use fourier_tests::syntax::sequence::{Sequence, SliceHeaderExt, copy_of, fields_of, flat, frames_of, header, idr};

use crate::{DEVICES, must_equal_libavcodec, must_show, pictures, value};

/// `MaxDpbFrames` at most (A.3.1).
const MOST: u32 = 16;

/// References as many as there can be, and 8 bits of `frame_num` and of `pic_order_cnt_lsb`.
fn sixteen(sps: Sps) -> Sps {
    Sps {
        max_num_ref_frames: MOST as u8,
        pic_order_cnt_type: PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4: 4,
        },
        log2_max_frame_num_minus4: 4,
        ..sps
    }
}

/// An IDR picture that is long-term reference 0.
fn long_term_idr() -> SliceHeader {
    SliceHeader {
        dec_ref_pic_marking: Some(DecRefPicMarking::Idr {
            no_output_of_prior_pics_flag: false,
            long_term_reference_flag: true,
        }),
        ..idr(0)
    }
}

/// Makes a picture long-term reference `long_term_frame_idx`; the first one raises how many there may be.
fn long_term(header: SliceHeader, long_term_frame_idx: u32) -> SliceHeader {
    let raise = Operation::SetMaxLongTermFrameIdx {
        max_long_term_frame_idx_plus1: MOST,
    };
    let mark = Operation::MarkCurrentLongTerm { long_term_frame_idx };
    match long_term_frame_idx {
        1 => header.marking(&[raise, mark]),
        _ => header.marking(&[mark]),
    }
}

/// With list 0 beginning with this reference.
fn with_first(mut header: SliceHeader, long_term_pic_num: u32) -> SliceHeader {
    header.ref_pic_list_modification[0] = vec![RefPicListModification::LongTerm(long_term_pic_num)];
    header
}

/// Sixteen frames of value 0 to 15, each a long-term reference.
fn sixteen_frames() -> Sequence {
    let mut sequence = Sequence::new(sixteen(frames_of(1, 1)));
    sequence.picture(long_term_idr().lsb(0), &flat(value(0)));
    for idx in 1..MOST {
        sequence.picture(
            long_term(header(SliceType::I, idx), idx).lsb(idx),
            &flat(value(idx as usize)),
        );
    }
    sequence
}

#[test]
fn each_of_16_long_term_frames_is_found_by_its_place_and_by_its_number() -> Outcome {
    let mut sequence = sixteen_frames();
    let mut expected: Vec<u8> = (0..MOST as usize).map(value).collect();
    for idx in 0..MOST {
        let picture = |place| header(SliceType::P, MOST).for_nobody().lsb(MOST + 2 * idx + place);
        sequence.picture(picture(0).choosing_among(MOST as u8), &copy_of(idx as u8));
        sequence.picture(with_first(picture(1), MOST - 1 - idx), &copy_of(0));
        expected.extend([idx, MOST - 1 - idx].map(|idx| value(idx as usize)));
    }
    must_show("16 long-term frames", &sequence.stream, &expected)?;
    must_equal_libavcodec("16 long-term frames", &sequence.stream)
}

/// A short-term frame becomes long-term under a number that was given up, and one that is in use goes over to another frame.
#[test]
fn long_term_numbers_are_given_up_and_taken_over_while_all_16_are_in_use() -> Outcome {
    let mut sequence = sixteen_frames();
    let mut expected: Vec<u8> = (0..MOST as usize).map(value).collect();
    let mut held: Vec<usize> = (0..MOST as usize).collect();
    let mut frame_num = MOST;
    for round in 0..40u32 {
        let (idx, number) = (round * 7 % MOST, (MOST + round) as usize);
        let (unmark, mark) = (
            Operation::UnmarkLongTerm { long_term_pic_num: idx },
            Operation::MarkCurrentLongTerm {
                long_term_frame_idx: idx,
            },
        );
        let operations = if round % 2 == 0 { vec![unmark, mark] } else { vec![mark] };
        sequence.picture(
            header(SliceType::I, frame_num)
                .lsb(MOST + 2 * round)
                .marking(&operations),
            &flat(value(number)),
        );
        frame_num += 1;
        held[idx as usize] = number;
        let seen = (round * 5 % MOST) as usize;
        let picture = header(SliceType::P, frame_num).for_nobody().lsb(MOST + 2 * round + 1);
        sequence.picture(picture.choosing_among(MOST as u8), &copy_of(seen as u8));
        expected.extend([number, held[seen]].map(value));
    }
    must_show("numbers taken over", &sequence.stream, &expected)?;
    must_equal_libavcodec("numbers taken over", &sequence.stream)
}

/// 32 fields: `LongTermPicNum` is odd for those of the parity of the current field (8.2.4.1). libavcodec 5.1 loses every
/// other frame of these.
#[test]
fn each_of_32_long_term_fields_is_found_by_its_place_and_by_its_number() -> Outcome {
    let mut sequence = Sequence::new(sixteen(fields_of(1, 1)));
    let mut expected = Vec::new();
    for idx in 0..MOST {
        let [top, bottom] = [0, 1].map(|parity| value((2 * idx + parity) as usize));
        let first = if idx == 0 {
            long_term_idr()
        } else {
            long_term(header(SliceType::I, idx), idx)
        };
        sequence.picture(first.lsb(2 * idx).field(Parity::Top), &flat(top));
        // The second field of an IDR picture is none, and shares its number.
        let second = header(SliceType::I, idx).marking(&[Operation::MarkCurrentLongTerm {
            long_term_frame_idx: idx,
        }]);
        sequence.picture(second.lsb(2 * idx + 1).field(Parity::Bottom), &flat(bottom));
        expected.push([top, bottom]);
    }
    for idx in 0..MOST {
        let picture = |parity| {
            let count = 2 * (MOST + idx) + u32::from(parity == Parity::Bottom);
            header(SliceType::P, MOST).for_nobody().lsb(count).field(parity)
        };
        // Same parity first, then by turns: place 2n is that of frame n, place 2n + 1 the other field of it.
        sequence.picture(
            picture(Parity::Top).choosing_among(2 * MOST as u8),
            &copy_of(2 * idx as u8 + 1),
        );
        sequence.picture(with_first(picture(Parity::Bottom), 2 * idx), &copy_of(0));
        let [top, bottom] = [0, 1].map(|parity| value((2 * idx + parity) as usize));
        expected.push([bottom, top]);
    }
    for device in DEVICES {
        let (shown, ending) = pictures(device, &sequence.stream)?;
        let rows: Vec<_> = shown.iter().map(|picture| picture.first).collect();
        if rows != expected || ending.damaged > 0 || !ending.warnings.is_empty() {
            return Err(format!("{device}: {ending:?}, {rows:?}, not {expected:?}").into());
        }
    }
    Ok(())
}
