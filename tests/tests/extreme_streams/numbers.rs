//! Runs of more pictures than any number of the syntax has values: `frame_num`, `idr_pic_id`, and ours for them.

use fourier_core::h264::Sps;
use fourier_core::h264::slice_header::SliceType;
use fourier_core::h264::sps::PicOrderCntType;
use fourier_tests::Outcome;
use fourier_tests::syntax::sequence::{Sequence, copy_of, flat, frames_of, header, idr};

use crate::{pictures, value};

/// Beyond 65,536, where 16 bits wrap.
const LONG: usize = 66_000;

fn in_decoding_order(log2_max_frame_num_minus4: u8) -> Sps {
    Sps {
        log2_max_frame_num_minus4,
        pic_order_cnt_type: PicOrderCntType::Type2,
        ..frames_of(1, 1)
    }
}

fn must_show_all(stream: &[u8], expected: impl ExactSizeIterator<Item = u8>) -> Outcome {
    let (shown, ending) = pictures("soft", stream)?;
    let count = expected.len();
    let place = shown
        .iter()
        .zip(expected)
        .position(|(picture, value)| picture.first[0] != value);
    match place {
        None if ending.frames == count && ending.damaged == 0 && ending.warnings.is_empty() => Ok(()),
        place => Err(format!("{ending:?}, first difference at {place:?}").into()),
    }
}

/// Each picture is a new one or a copy of the one before it, which it finds by `frame_num`.
#[test]
fn references_are_found_through_a_run_in_which_frame_num_of_4_and_of_16_bits_wraps() -> Outcome {
    for log2_max_frame_num_minus4 in [0, 12] {
        let mut sequence = Sequence::new(in_decoding_order(log2_max_frame_num_minus4));
        let numbers = 1 << (log2_max_frame_num_minus4 + 4);
        sequence.picture(idr(0), &flat(value(0)));
        for number in 1..LONG {
            let header = header(SliceType::P, number as u32 % numbers);
            let macroblock = if number % 8 == 0 {
                flat(value(number))
            } else {
                copy_of(0)
            };
            sequence.picture(header, &macroblock);
        }
        must_show_all(&sequence.stream, (0..LONG).map(|number| value(number / 8 * 8)))?;
    }
    Ok(())
}

#[test]
fn idr_pictures_follow_each_other_until_idr_pic_id_wraps() -> Outcome {
    let mut sequence = Sequence::new(in_decoding_order(0));
    for number in 0..LONG {
        sequence.picture(idr((number % 65_536) as u16), &flat(value(number)));
    }
    must_show_all(&sequence.stream, (0..LONG).map(value))
}
