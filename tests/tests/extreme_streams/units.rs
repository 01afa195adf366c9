//! NAL units where nobody expects them: access units without a picture, parameter sets before every picture.

use fourier_core::h264::Sps;
use fourier_core::h264::slice_header::SliceType;
use fourier_tests::Outcome;
use fourier_tests::syntax::sequence::{Sequence, SliceHeaderExt, flat, frames_of, header, idr};

use crate::{must_equal_libavcodec, must_show, value};

const PICTURES: usize = 40;

/// Pictures in order with something before each.
fn pictures_after(sps: Sps, before: impl Fn(&mut Sequence)) -> (Vec<u8>, Vec<u8>) {
    let mut sequence = Sequence::new(sps);
    for number in 0..PICTURES {
        before(&mut sequence);
        let header = match number {
            0 => idr(0),
            _ => header(SliceType::P, number as u32 % 16),
        };
        sequence.picture(header.lsb(2 * number as u32 % 16), &flat(value(number)));
    }
    (sequence.stream, (0..PICTURES).map(value).collect())
}

#[test]
fn access_units_without_a_picture_change_nothing() -> Outcome {
    const EMPTY: [(&str, &[&[u8]]); 6] = [
        ("a delimiter", &[&[9, 0xf0]]),
        ("two delimiters", &[&[9, 0xf0], &[9, 0xf0]]),
        ("delimiter and SEI", &[&[9, 0x10], &[6, 200, 1, 0x55, 0x80]]),
        ("filler data", &[&[12, 0xff, 0xff, 0x80]]),
        ("unspecified types", &[&[9, 0xf0], &[24, 1, 2], &[31, 1, 2], &[9, 0xf0]]),
        ("reserved types", &[&[16, 0x80], &[22, 0x80], &[9, 0xf0]]),
    ];
    for (name, units) in EMPTY {
        let (stream, expected) = pictures_after(frames_of(1, 1), |sequence| {
            units.iter().for_each(|nal| sequence.nal(nal));
        });
        must_show(name, &stream, &expected)?;
        must_equal_libavcodec(name, &stream)?;
    }
    Ok(())
}

#[test]
fn parameter_sets_before_every_picture_change_nothing() -> Outcome {
    let (stream, expected) = pictures_after(frames_of(1, 1), Sequence::parameter_sets);
    must_show("parameter sets", &stream, &expected)?;
    must_equal_libavcodec("parameter sets", &stream)
}

/// Delimiter, sets, an access unit of nothing else, and the sets again.
#[test]
fn access_units_of_parameter_sets_alone_change_nothing() -> Outcome {
    let (stream, expected) = pictures_after(frames_of(1, 1), |sequence| {
        for _ in 0..2 {
            sequence.nal(&[9, 0xf0]);
            sequence.parameter_sets();
        }
    });
    must_show("parameter sets alone", &stream, &expected)?;
    must_equal_libavcodec("parameter sets alone", &stream)
}
