//! What comes out of fourierh264dec but for the samples: frames, their order, times and caps are those of avdec_h264.

use gst::prelude::*;

use fourier_tests::vectors::{self, Expectation, Vector};
use fourier_tests::{Outcome, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};

const OURS: &str = "fourierh264dec device=soft";
const THEIRS: &str = "avdec_h264 max-threads=1";

/// Nothing takes nearly as long: a pipeline that does hangs.
const DEADLINE: gst::ClockTime = gst::ClockTime::from_seconds(120);

/// What an application sees of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    /// Every caps, with the number of the frame before which they came.
    caps: Vec<(usize, String)>,
    /// Presentation time and duration of every frame, in the order of output.
    times: Vec<(Option<gst::ClockTime>, Option<gst::ClockTime>)>,
    /// The error that ended it.
    error: Option<String>,
}

fn main() -> Outcome {
    let arguments = two_at_a_time(Arguments::from_args());
    gst::init()?;
    gstfourier::plugin_register_static()?;
    let compared = vectors::load()?
        .into_iter()
        .filter(|v| v.expectation() == Expectation::BitExact);
    let trials = compared.map(|vector| {
        Trial::test(
            format!("{} has the times and caps of avdec_h264", vector.title()),
            move || is_equal(&vector).map_err(|error| Failed::from(error.to_string())),
        )
    });
    libtest_mimic::run(&arguments, trials.collect()).exit()
}

fn is_equal(vector: &Vector) -> Outcome {
    let (ours, theirs) = (show(vector, OURS)?, show(vector, THEIRS)?);
    if ours.times.len() != theirs.times.len() {
        return Err(format!("{} frames, avdec_h264 has {}", ours.times.len(), theirs.times.len()).into());
    }
    let different = ours
        .times
        .iter()
        .zip(&theirs.times)
        .position(|(ours, theirs)| ours != theirs);
    if let Some(number) = different {
        return Err(format!(
            "times of frame {number}: {:?}, avdec_h264 has {:?}",
            ours.times[number], theirs.times[number]
        )
        .into());
    }
    match ours == theirs {
        true => Ok(()),
        false => Err(format!("{:?} {:?}\n{:?} {:?}", ours.caps, ours.error, theirs.caps, theirs.error).into()),
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
    pipeline.set_state(gst::State::Playing)?;
    let shown = watch(&sink);
    let error = pipeline
        .bus()
        .and_then(|bus| bus.pop_filtered(&[gst::MessageType::Error]));
    pipeline.set_state(gst::State::Null)?;
    let mut shown = shown?;
    shown.error = error.and_then(|message| Some(message.src()?.type_().name().to_owned()));
    Ok(shown)
}

fn watch(sink: &gst_app::AppSink) -> Outcome<Shown> {
    let mut shown = Shown::default();
    while let Some(sample) = sink.try_pull_sample(DEADLINE) {
        let buffer = sample.buffer().ok_or("a sample without a buffer")?;
        let mut caps = sample.caps().ok_or("a sample without caps")?.to_owned();
        let fields = caps.make_mut().structure_mut(0).ok_or("empty caps")?;
        // The one gives NV12, the other planar pictures.
        fields.remove_field("format");
        let caps = fields.to_string();
        if shown.caps.last().is_none_or(|(_, last)| *last != caps) {
            shown.caps.push((shown.times.len(), caps));
        }
        shown.times.push((buffer.pts(), buffer.duration()));
    }
    if sink.is_eos() {
        Ok(shown)
    } else {
        Err("it does not end".into())
    }
}
