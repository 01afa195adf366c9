//! What comes out of fourierh264dec but for the samples: frames, their order, times and caps are those of avdec_h264.

use fourier_tests::show::{Caps, show};
use fourier_tests::vectors::{self, Expectation, Oddity, Vector};
use fourier_tests::{Outcome, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};

const OURS: &str = "fourierh264dec device=soft";
const THEIRS: &str = "avdec_h264 max-threads=1";

/// Where avdec_h264 is not the one to follow: stream, caps field, reason.
const OTHER_CAPS: &[(&str, &str, &str)] = &[
    ("CVFC1_Sony_C.jsv", "width", UNALIGNED_CROP),
    ("croprect_320x240.264", "width", UNALIGNED_CROP),
    (
        "VID_1920x1080_cabac_temporal_direct.264",
        "colorimetry",
        FULL_RANGE_ALONE,
    ),
    ("mono400_10bit_320x240.264", "colorimetry", FULL_RANGE_ALONE),
    (
        "mixed-nal-coding.mp4",
        "colorimetry",
        "limited range and nothing else: avdec_h264 says 2:0:0:0, which GStreamer does not take without a matrix",
    ),
];
/// What only the first caps must say as those of avdec_h264 do. Once a frame is different we say `mixed` for good, and the
/// flags of each buffer say what it is; avdec_h264 says it anew at each change.
const INTERLACED_CAPS: [&str; 2] = ["interlace-mode", "field-order"];
const FULL_RANGE_ALONE: &str =
    "full range and nothing else: avdec_h264 says 1:0:0:0, which GStreamer does not take without a matrix";
const UNALIGNED_CROP: &str = "avdec_h264 does not crop at a left edge that its vector code does not like";

/// Streams that only avdec_h264 shows: they have no picture to begin with.
const NOTHING_TO_BEGIN_WITH: &[&str] = &["seq2_test.264", "seq5_test.264"];

fn main() -> Outcome {
    let arguments = two_at_a_time(Arguments::from_args());
    gst::init()?;
    gstfourier::plugin_register_static()?;
    for (stream, field, reason) in OTHER_CAPS {
        println!("{stream}: {field} is not compared ({reason})");
    }
    let vectors = vectors::load()?.into_iter();
    let compared =
        vectors.filter(|v| v.expectation() == Expectation::BitExact && v.oddity() != Some(Oddity::GivenUpByParser));
    let trials = compared.map(|vector| {
        let name = format!("{} has the times and caps of avdec_h264", vector.title());
        Trial::test(name, move || {
            is_equal(&vector).map_err(|error| Failed::from(error.to_string()))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit()
}

fn is_equal(vector: &Vector) -> Outcome {
    let show = |decoder| show(&vector.path, vector.container, decoder);
    let (ours, theirs) = (show(OURS)?, show(THEIRS)?);
    if NOTHING_TO_BEGIN_WITH.contains(&vector.name.as_str()) {
        return match ours.times.len() {
            0 => Ok(()),
            frames => Err(format!("{frames} frames out of nothing").into()),
        };
    }
    if ours.failed_element() != theirs.failed_element() {
        return Err(format!("{:?}, avdec_h264 {:?}", ours.error, theirs.error).into());
    }
    ours.must_have_the_times_of(&theirs)?;
    let other = OTHER_CAPS.iter().filter(|(stream, ..)| *stream == vector.name);
    same_caps(
        &ours.caps,
        &theirs.caps,
        &other.map(|(_, field, _)| *field).collect::<Vec<_>>(),
    )
}

/// Compares all fields but those that are `other` for a reason.
fn same_caps(ours: &[Caps], theirs: &[Caps], other: &[&str]) -> Outcome {
    if ours.windows(2).any(|two| two[0].1 == two[1].1) {
        return Err(format!("the same caps twice: {ours:?}").into());
    }
    // Where the stream is silent we say what E.2.1 infers; avdec_h264 says nothing.
    let silent = !theirs.iter().any(|(_, fields)| fields.has_field("chroma-site"));
    let comparable = |caps: &[Caps]| -> Vec<Caps> {
        let mut caps = caps.to_vec();
        for (_, fields) in &mut caps {
            // The one gives NV12, the other planar pictures.
            fields.remove_field("format");
            fields.remove_fields(other.iter().copied());
            if silent {
                fields.remove_field("chroma-site");
            }
        }
        caps
    };
    let (mut ours, mut theirs) = (comparable(ours), comparable(theirs));
    let same_at_first = ours.first() == theirs.first();
    for caps in [&mut ours, &mut theirs] {
        caps.iter_mut()
            .for_each(|(_, fields)| fields.remove_fields(INTERLACED_CAPS));
        caps.dedup_by(|next, before| next.1 == before.1);
    }
    match same_at_first && ours == theirs {
        true => Ok(()),
        false => Err(format!("{ours:?}, avdec_h264 has {theirs:?}").into()),
    }
}
