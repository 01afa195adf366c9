//! Parameter sets that say something else under the same id where no IDR picture is: what they say is a new sequence, and
//! it begins with the intra picture behind them.

use fourier_core::decode::stream::OutputFrame;
use fourier_core::device::discovery::open_device;
use fourier_core::h264::slice_header::{PredWeight, PredWeightTable, SliceHeader, SliceType};
use fourier_core::h264::{Pps, Sps};
use fourier_tests::Outcome;
use fourier_tests::core_decoder::{Ending, decode};
use fourier_tests::syntax::sequence::{Sequence, SliceHeaderExt, copy_of, frames_of, header, idr};
use fourier_tests::syntax::slice_data::{Macroblock, PcmSamples, SampleFormat};

use crate::{must_equal_libavcodec, must_equal_libavcodec_on, must_show, value};

/// What changes, and the SPS that says so.
fn changes() -> Vec<(&'static str, Sps)> {
    let high = |profile_idc, chroma_format_idc, bit_depth: u8| Sps {
        profile_idc,
        chroma_format_idc,
        bit_depth_luma_minus8: bit_depth - 8,
        bit_depth_chroma_minus8: bit_depth - 8,
        ..frames_of(2, 2)
    };
    let dpb_of = |max_num_ref_frames| Sps {
        max_num_ref_frames,
        ..frames_of(2, 2)
    };
    vec![
        ("the profile", high(100, 1, 8)),
        ("the bit depth", high(110, 1, 10)),
        ("the chroma format", high(122, 2, 8)),
        ("chroma format and bit depth", high(122, 2, 10)),
        ("to no chroma", high(100, 0, 8)),
        ("the size", frames_of(3, 4)),
        ("to a larger DPB", dpb_of(16)),
        ("to a smaller DPB", dpb_of(1)),
        (
            "the length of frame_num",
            Sps {
                log2_max_frame_num_minus4: 4,
                ..frames_of(2, 2)
            },
        ),
    ]
}

/// The same sample everywhere, which is `luma` in its upper eight bits.
fn flat(sps: &Sps, luma: u8) -> Macroblock {
    let format = SampleFormat {
        bit_depth: sps.bit_depth_luma(),
        chroma_format_idc: sps.chroma_format_idc,
    };
    let scaled = |value: u8| u16::from(value) << sps.bit_depth_luma_minus8;
    Macroblock::Pcm(Box::new(PcmSamples {
        bit_depth: format.bit_depth,
        luma: [scaled(luma); 256],
        chroma: std::array::from_fn(|_| vec![scaled(128); format.chroma_samples()]),
    }))
}

/// The first luma sample, its upper eight bits.
fn first_luma(frame: &OutputFrame) -> Outcome<u8> {
    let samples = frame.frame().memory().read()?;
    // The upper byte of 10 bits in 16.
    let place = usize::from(frame.format().bit_depth > 8);
    let luma = samples.plane(0).and_then(|luma| luma.get(place));
    Ok(*luma.ok_or("a frame without luma")?)
}

#[test]
fn what_changes_without_an_idr_picture_is_shown_from_the_intra_picture_on_and_back_again() -> Outcome {
    for (name, changed) in changes() {
        let mut sequence = Sequence::new(frames_of(2, 2));
        sequence.picture(idr(0).lsb(0), &flat(&sequence.sps, value(0)));
        sequence.picture(header(SliceType::P, 1).lsb(2), &flat(&sequence.sps, value(1)));
        for (number, sps) in [(2, changed), (4, frames_of(2, 2))] {
            sequence.sps = sps;
            sequence.parameter_sets();
            let intra = flat(&sequence.sps, value(number as usize));
            sequence.picture(header(SliceType::I, number).lsb(2 * number), &intra);
            sequence.picture(header(SliceType::P, number + 1).lsb(2 * number + 2), &copy_of(0));
        }
        let expected = [0, 1, 2, 2, 4, 4].map(value);
        let sound = Ending {
            frames: expected.len(),
            ..Ending::default()
        };
        for device in ["soft", "soft:mode=slice"] {
            let mut shown = Vec::new();
            let ending = decode(open_device(Some(device))?, &sequence.stream, |frame| {
                shown.push(first_luma(frame)?);
                Ok(())
            })?;
            if shown != expected || ending != sound {
                return Err(format!("{name}, {device}: {ending:?}, {shown:?}, not {expected:?}").into());
            }
        }
    }
    Ok(())
}

#[test]
fn a_pps_that_changes_between_pictures_holds_for_the_slices_behind_it() -> Outcome {
    let mut sequence = Sequence::new(frames_of(2, 2));
    sequence.picture(idr(0).lsb(0), &flat(&sequence.sps, value(0)));
    for number in 1..4 {
        let intra = flat(&sequence.sps, value(number as usize));
        sequence.picture(header(SliceType::I, number).lsb(2 * number), &intra);
    }
    for (number, references) in (8..).zip([1, 4, 2, 1]) {
        // What slices that say nothing themselves choose among.
        sequence.pps.num_ref_idx_l0_default_active_minus1 = references - 1;
        sequence.parameter_sets();
        let mut picture = header(SliceType::P, 4).lsb(number).for_nobody();
        picture.num_ref_idx_active[0] = references;
        sequence.picture(picture, &copy_of(references - 1));
    }
    let expected = [0, 1, 2, 3, 3, 0, 2, 3].map(value);
    must_show("a PPS that changes", &sequence.stream, &expected)?;
    must_equal_libavcodec("a PPS that changes", &sequence.stream)
}

#[test]
fn slices_of_a_picture_have_each_its_own_pps_or_the_picture_is_flagged() -> Outcome {
    let mut sequence = Sequence::new(frames_of(2, 2));
    let plain = sequence.pps.clone();
    let weighted = Pps {
        pic_parameter_set_id: 1.into(),
        weighted_pred_flag: true,
        ..plain.clone()
    };
    sequence.pps = weighted.clone();
    sequence.parameter_sets();
    sequence.pps = plain;
    sequence.picture(idr(0).lsb(0), &flat(&sequence.sps, 100));
    let first = header(SliceType::P, 1).lsb(2);
    sequence.slice(first.clone(), 2, |_| copy_of(0));
    // The lower half has half the samples.
    sequence.pps = weighted;
    let half = PredWeight {
        weight: [1, 1, 1],
        offset: [0; 3],
    };
    let second = SliceHeader {
        first_mb_in_slice: 2,
        pic_parameter_set_id: 1.into(),
        pred_weight_table: Some(Box::new(PredWeightTable {
            luma_log2_weight_denom: 1,
            chroma_log2_weight_denom: 1,
            weights: [vec![half], Vec::new()],
        })),
        ..first
    };
    sequence.slice(second, 2, |_| copy_of(0));
    must_equal_libavcodec_on("soft:cedrus", "two PPSs in a picture", &sequence.stream)?;
    // A device that reads the headers itself is told one PPS.
    let ending = decode(open_device(Some("soft"))?, &sequence.stream, |_| Ok(()))?;
    match (ending.frames, ending.damaged) {
        (2, 1) => Ok(()),
        _ => Err(format!("{ending:?}").into()),
    }
}
