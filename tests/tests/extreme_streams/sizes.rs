//! Sizes that levels and cropping are wrong about, and the extremes: one macroblock, thousands of slices, 16,384 samples.

use fourier_core::h264::Sps;
use fourier_core::h264::slice_header::SliceType;
use fourier_core::h264::sps::FrameCropping;
use fourier_core::units::Size;
use fourier_tests::Outcome;
use fourier_tests::syntax::sequence::{Sequence, SliceHeaderExt, copy_of, flat, frames_of, header, idr};

use crate::{DEVICES, must_equal_libavcodec, must_show, pictures, value};

/// Four references, and from each of them a picture of its own.
fn four_references(sps: Sps) -> (Vec<u8>, Vec<u8>) {
    let mut sequence = Sequence::new(sps);
    sequence.picture(idr(0).lsb(0), &flat(value(0)));
    for number in 1..4 {
        sequence.picture(
            header(SliceType::I, number).lsb(2 * number),
            &flat(value(number as usize)),
        );
    }
    for ref_idx in 0..4 {
        let picture = header(SliceType::P, 4).lsb(8 + ref_idx).for_nobody();
        sequence.picture(picture.choosing_among(4), &copy_of(ref_idx as u8));
    }
    let expected = [0, 1, 2, 3, 3, 2, 1, 0].map(value);
    (sequence.stream, expected.to_vec())
}

/// 640x480, of which level 1 permits no frame at all, and levels that no table has.
#[test]
fn a_level_that_lies_about_the_size_costs_no_reference() -> Outcome {
    for level_idc in [0, 9, 10, 11, 52, 62, 255] {
        let sps = Sps {
            level_idc,
            ..frames_of(40, 30)
        };
        let (stream, expected) = four_references(sps);
        let name = format!("level_idc {level_idc}");
        must_show(&name, &stream, &expected)?;
        must_equal_libavcodec(&name, &stream)?;
    }
    Ok(())
}

#[test]
fn pictures_of_one_macroblock_and_of_one_row_or_column_of_them_refer_to_each_other() -> Outcome {
    for (width_in_mbs, height_in_mbs) in [(1, 1), (2, 1), (1, 2), (33, 1), (1, 33)] {
        let (stream, expected) = four_references(frames_of(width_in_mbs, height_in_mbs));
        let name = format!("{width_in_mbs}x{height_in_mbs} macroblocks");
        must_show(&name, &stream, &expected)?;
        must_equal_libavcodec(&name, &stream)?;
    }
    Ok(())
}

/// Then the frame is shown as it is coded.
#[test]
fn cropping_that_is_larger_than_the_frame_is_not_done() -> Outcome {
    let most = u32::MAX - 1;
    for (left, right, top, bottom) in [
        (8, 8, 0, 0),
        (0, 0, 16, 0),
        (100, 0, 0, 0),
        (most, most, 0, 0),
        (1, most, 3, most),
    ] {
        let sps = Sps {
            frame_cropping: Some(FrameCropping {
                left,
                right,
                top,
                bottom,
            }),
            ..frames_of(1, 2)
        };
        let (stream, expected) = four_references(sps);
        for device in DEVICES {
            let (shown, ending) = pictures(device, &stream)?;
            let coded = Size { width: 16, height: 32 };
            let is_whole = shown.iter().all(|picture| picture.size == coded);
            let values: Vec<u8> = shown.iter().map(|picture| picture.first[0]).collect();
            if !is_whole || values != expected || ending.damaged > 0 {
                return Err(format!("{left}, {right}, {top}, {bottom}, {device}: {ending:?}, {shown:?}").into());
            }
        }
    }
    Ok(())
}

/// 4,096 slices of one macroblock each, in pictures that refer to each other.
#[test]
fn a_picture_may_have_thousands_of_slices() -> Outcome {
    const SIDE: u16 = 64;
    let mut sequence = Sequence::new(frames_of(SIDE, SIDE));
    let count = u32::from(SIDE) * u32::from(SIDE);
    for number in 0..3u32 {
        for mb_addr in 0..count {
            let mut slice = match number {
                0 => idr(0),
                _ => header(SliceType::P, number),
            };
            slice.first_mb_in_slice = mb_addr;
            let content = match (number, mb_addr % 3) {
                (1.., 0) => copy_of(0),
                _ => flat(value((number * 7 + mb_addr) as usize)),
            };
            sequence.slice(slice.lsb(2 * number), 1, |_| content.clone());
        }
    }
    let expected = [0, 0, 0].map(value);
    must_show("4,096 slices", &sequence.stream, &expected)?;
    must_equal_libavcodec("4,096 slices", &sequence.stream)
}

/// Larger than the device takes, or than any level permits.
#[test]
fn claims_of_16k_and_of_the_largest_numbers_are_refused_by_name() -> Outcome {
    let most = u16::MAX;
    for (width_in_mbs, height_in_mbs) in [(1024, 1024), (1024, 1), (1, 1024), (most, 1), (1, most), (most, most)] {
        let mut sequence = Sequence::new(frames_of(width_in_mbs, height_in_mbs));
        sequence.slice(idr(0).lsb(0), 1, |_| flat(90));
        for device in DEVICES {
            let (shown, ending) = pictures(device, &sequence.stream)?;
            let says = ending.refusal.is_some() || !ending.warnings.is_empty();
            if !says || !shown.is_empty() {
                return Err(format!("{width_in_mbs}x{height_in_mbs}, {device}: {ending:?}").into());
            }
        }
    }
    Ok(())
}

/// As wide as level 6.2 permits anything to be.
#[test]
fn pictures_of_16k_are_decoded_where_the_device_takes_them() -> Outcome {
    let (stream, expected) = four_references(frames_of(1024, 1));
    let (shown, ending) = pictures("soft:max=16384x16384", &stream)?;
    let values: Vec<u8> = shown.iter().map(|picture| picture.first[0]).collect();
    if values != expected || ending.damaged > 0 {
        return Err(format!("{ending:?}, {values:?}, not {expected:?}").into());
    }
    Ok(())
}

/// Sixteen references of 50 MB are more than a session may have without being told so (`FOURIER_MAX_MEMORY`).
#[test]
fn frames_that_exceed_the_memory_of_a_session_end_it_with_their_number() -> Outcome {
    let mut sequence = Sequence::new(Sps {
        max_num_ref_frames: 16,
        ..frames_of(1024, 136)
    });
    sequence.slice(idr(0).lsb(0), 1, |_| flat(90));
    match pictures("soft:max=16384x16384", &sequence.stream) {
        Err(error) if error.to_string().contains("no free frame memory") => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}
