//! What comes out of fourierh264dec but for the samples: frames, their order, times and caps are those of avdec_h264.

use std::time::{Duration, Instant};

use gst::prelude::*;

use fourier_tests::vectors::{self, Expectation, Vector};
use fourier_tests::{Outcome, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};

const OURS: &str = "fourierh264dec device=soft";
const THEIRS: &str = "avdec_h264 max-threads=1";

/// Nothing takes nearly as long: a pipeline that does hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// Where avdec_h264 is not the one to follow: stream, caps field, reason.
const OTHER_CAPS: &[(&str, &str, &str)] = &[
    ("CVFC1_Sony_C.jsv", "width", UNALIGNED_CROP),
    ("croprect_320x240.264", "width", UNALIGNED_CROP),
    (
        "VID_1920x1080_cabac_temporal_direct.264",
        "colorimetry",
        "full range and nothing else: avdec_h264 says 1:0:0:0, which GStreamer does not take without a matrix",
    ),
];
const UNALIGNED_CROP: &str = "avdec_h264 does not crop at a left edge that its vector code does not like";

/// Streams that only avdec_h264 shows: they have no picture to begin with.
const NOTHING_TO_BEGIN_WITH: &[&str] = &["seq2_test.264", "seq5_test.264"];

/// Presentation time and duration of a frame.
type Times = (Option<gst::ClockTime>, Option<gst::ClockTime>);
/// The number of the frame before which caps came, and they.
type Caps = (usize, gst::Structure);

/// What an application sees of a stream.
#[derive(Debug, Default)]
struct Shown {
    caps: Vec<Caps>,
    /// In the order of output.
    times: Vec<Times>,
    /// The element that gave up.
    error: Option<String>,
}

fn main() -> Outcome {
    let arguments = two_at_a_time(Arguments::from_args());
    gst::init()?;
    gstfourier::plugin_register_static()?;
    for (stream, field, reason) in OTHER_CAPS {
        println!("{stream}: {field} is not compared ({reason})");
    }
    let vectors = vectors::load()?.into_iter();
    let compared = vectors.filter(|v| v.expectation() == Expectation::BitExact);
    let trials = compared.map(|vector| {
        let name = format!("{} has the times and caps of avdec_h264", vector.title());
        Trial::test(name, move || {
            is_equal(&vector).map_err(|error| Failed::from(error.to_string()))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit()
}

fn is_equal(vector: &Vector) -> Outcome {
    let (ours, theirs) = (show(vector, OURS)?, show(vector, THEIRS)?);
    if NOTHING_TO_BEGIN_WITH.contains(&vector.name.as_str()) {
        return match ours.times.len() {
            0 => Ok(()),
            frames => Err(format!("{frames} frames out of nothing").into()),
        };
    }
    if ours.error != theirs.error {
        return Err(format!("{:?}, avdec_h264 {:?}", ours.error, theirs.error).into());
    }
    same_times(&ours.times, &theirs.times)?;
    let other = OTHER_CAPS.iter().filter(|(stream, ..)| *stream == vector.name);
    same_caps(
        &ours.caps,
        &theirs.caps,
        &other.map(|(_, field, _)| *field).collect::<Vec<_>>(),
    )
}

fn same_times(ours: &[Times], theirs: &[Times]) -> Outcome {
    if ours.len() != theirs.len() {
        return Err(format!("{} frames, avdec_h264 has {}", ours.len(), theirs.len()).into());
    }
    match ours
        .iter()
        .zip(theirs)
        .enumerate()
        .find(|(_, (ours, theirs))| ours != theirs)
    {
        Some((number, (ours, theirs))) => Err(format!("frame {number}: {ours:?}, avdec_h264 has {theirs:?}").into()),
        None => Ok(()),
    }
}

/// Compares all fields but those that are `other` for a reason.
fn same_caps(ours: &[Caps], theirs: &[Caps], other: &[&str]) -> Outcome {
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
    let (ours, theirs) = (comparable(ours), comparable(theirs));
    match ours == theirs {
        true => Ok(()),
        false => Err(format!("{ours:?}, avdec_h264 has {theirs:?}").into()),
    }
}

/// Plays a file as fast as it goes.
fn show(vector: &Vector, decoder: &str) -> Outcome<Shown> {
    let demuxer = vector
        .container
        .demuxer()
        .map(|name| format!("{name} !"))
        .unwrap_or_default();
    let description = format!(
        "filesrc location=\"{}\" ! {demuxer} h264parse ! {decoder} ! appsink name=sink sync=false",
        vector.path.display()
    );
    let pipeline = gst::parse::launch(&description)?;
    let bin = pipeline.downcast_ref::<gst::Bin>().ok_or("no pipeline")?;
    let sink = bin
        .by_name("sink")
        .and_downcast::<gst_app::AppSink>()
        .ok_or("no sink")?;
    let bus = pipeline.bus().ok_or("no bus")?;
    // A failure is on the bus, too.
    let _ = pipeline.set_state(gst::State::Playing);
    let shown = watch(&sink, &bus);
    pipeline.set_state(gst::State::Null)?;
    shown
}

/// Everything up to the end or to the first error.
fn watch(sink: &gst_app::AppSink, bus: &gst::Bus) -> Outcome<Shown> {
    let mut shown = Shown::default();
    let start = Instant::now();
    while start.elapsed() < DEADLINE {
        if let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_mseconds(100)) {
            let buffer = sample.buffer().ok_or("a sample without a buffer")?;
            let caps = sample
                .caps()
                .and_then(|caps| caps.structure(0))
                .ok_or("a sample without caps")?;
            if shown.caps.last().is_none_or(|(_, last)| last != caps) {
                shown.caps.push((shown.times.len(), caps.to_owned()));
            }
            shown.times.push((buffer.pts(), buffer.duration()));
        } else if sink.is_eos() {
            return Ok(shown);
        } else if let Some(message) = bus.pop_filtered(&[gst::MessageType::Error]) {
            shown.error = message.src().map(|element| element.type_().name().to_owned());
            return Ok(shown);
        }
    }
    Err("it does not end".into())
}
