//! What no stateless decoder decodes is refused by name, and a decoder that has refused it decodes what comes next.

use fourier_core::h264::{Parity, Sps};
use fourier_tests::Outcome;
use fourier_tests::laws::stream::{Pieces, story_of, survive};
use fourier_tests::syntax::sequence::{Sequence, SliceHeaderExt, fields_of, flat, frames_of, idr};

use crate::{DEVICES, pictures};

/// A picture after an SPS that says so; nobody reads its samples.
fn stream(sps: Sps) -> Vec<u8> {
    let mut sequence = Sequence::new(sps);
    sequence.picture(idr(0).lsb(0), &flat(90));
    sequence.stream
}

fn must_be_refused(name: &str, sps: Sps, words: &str) -> Outcome {
    let stream = stream(sps);
    let good = Pieces::of_stream(&self::stream(frames_of(2, 2)));
    survive(&Pieces::of_stream(&stream), &good, &story_of(&good)?)?;
    for device in DEVICES {
        let (shown, ending) = pictures(device, &stream)?;
        let says = ending.refusal.as_ref().is_some_and(|refusal| refusal.contains(words));
        if !says || !shown.is_empty() {
            return Err(format!("{name}, {device}: not refused as {words:?}: {ending:?}").into());
        }
    }
    Ok(())
}

/// High 4:4:4 Predictive and CAVLC 4:4:4 Intra.
const PROFILES: [(u8, &str); 2] = [(244, "High 4:4:4 Predictive"), (44, "CAVLC 4:4:4 Intra")];

#[test]
fn streams_of_4_4_4_are_refused_by_name_whatever_the_profile_and_planes() -> Outcome {
    for (profile_idc, name) in PROFILES {
        for separate_colour_plane_flag in [false, true] {
            let sps = Sps {
                profile_idc,
                chroma_format_idc: 3,
                separate_colour_plane_flag,
                ..frames_of(1, 1)
            };
            must_be_refused(name, sps, "4:4:4 sampling")?;
        }
    }
    Ok(())
}

#[test]
fn lossless_coding_is_refused_by_name_in_every_sampling() -> Outcome {
    for (profile_idc, name) in PROFILES {
        for chroma_format_idc in [0, 1, 2] {
            let sps = Sps {
                profile_idc,
                chroma_format_idc,
                qpprime_y_zero_transform_bypass_flag: true,
                ..frames_of(1, 1)
            };
            // cedrus has no 4:2:2 and may say so first.
            let words = if chroma_format_idc == 2 {
                "by "
            } else {
                "lossless coding"
            };
            must_be_refused(name, sps, words)?;
        }
    }
    Ok(())
}

#[test]
fn depths_that_no_stateless_decoder_has_are_refused_by_name() -> Outcome {
    for (luma, chroma, words) in [
        (14, 14, "14 bits per sample"),
        (9, 9, "9 bits per sample"),
        (10, 8, "bits"),
    ] {
        let sps = Sps {
            profile_idc: 244,
            bit_depth_luma_minus8: luma - 8,
            bit_depth_chroma_minus8: chroma - 8,
            ..frames_of(1, 1)
        };
        must_be_refused("High 4:4:4 Predictive", sps, words)?;
    }
    Ok(())
}

/// As MediaTek's are.
#[test]
fn a_decoder_of_frames_refuses_field_pictures_and_mbaff_by_name() -> Outcome {
    let mbaff = Sps {
        mb_adaptive_frame_field_flag: true,
        ..fields_of(2, 1)
    };
    let field = idr(0).lsb(0).field(Parity::Top);
    for (sps, header, words) in [
        (fields_of(2, 1), field, "interlaced coding (field_pic_flag)"),
        (mbaff, idr(0).lsb(0), "interlaced coding (mb_adaptive_frame_field_flag)"),
    ] {
        let mut sequence = Sequence::new(sps);
        sequence.picture(header, &flat(90));
        let (shown, ending) = pictures("soft:fields=off", &sequence.stream)?;
        if !shown.is_empty() || !ending.refusal.as_ref().is_some_and(|refusal| refusal.contains(words)) {
            return Err(format!("not refused as {words:?}: {ending:?}").into());
        }
        let (shown, ending) = pictures("soft", &sequence.stream)?;
        if shown.len() != 1 || ending.refusal.is_some() {
            return Err(format!("refused where there are fields: {ending:?}").into());
        }
    }
    Ok(())
}
