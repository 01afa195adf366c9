//! What an application sees of a stream, played in this process: frames, their times, caps, and how it ended.

use std::path::Path;
use std::time::{Duration, Instant};

use gst::prelude::*;
use gst_video::VideoBufferFlags;

use crate::Outcome;
use crate::vectors::Container;

/// Nothing takes nearly as long: a pipeline that does hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// Presentation time and duration of a frame, and what its buffer says of fields.
pub type Times = (Option<gst::ClockTime>, Option<gst::ClockTime>, VideoBufferFlags);
/// The number of the frame before which caps came, and they.
pub type Caps = (usize, gst::Structure);

/// The flags of a buffer that tell how fields are shown.
const FIELD_FLAGS: VideoBufferFlags = VideoBufferFlags::INTERLACED
    .union(VideoBufferFlags::TFF)
    .union(VideoBufferFlags::RFF)
    .union(VideoBufferFlags::ONEFIELD);

/// All that came out.
#[derive(Debug, Default)]
pub struct Shown {
    /// Every change of caps.
    pub caps: Vec<Caps>,
    /// In the order of output.
    pub times: Vec<Times>,
    /// The type of the element that gave up, and its words.
    pub error: Option<(String, String)>,
}

impl Shown {
    /// The type of the element that gave up.
    pub fn failed_element(&self) -> Option<&str> {
        self.error.as_ref().map(|(element, _)| element.as_str())
    }

    /// Fails unless as many frames came as of `other`, at the same times.
    ///
    /// # Errors
    /// Names the first difference.
    pub fn must_have_the_times_of(&self, other: &Self) -> Outcome {
        let (ours, theirs) = (&self.times, &other.times);
        if ours.len() != theirs.len() {
            return Err(format!("{} frames, not {}", ours.len(), theirs.len()).into());
        }
        let mut pairs = ours.iter().zip(theirs).enumerate();
        match pairs.find(|(_, (ours, theirs))| ours != theirs) {
            Some((number, (ours, theirs))) => Err(format!("frame {number}: {ours:?}, not {theirs:?}").into()),
            None => Ok(()),
        }
    }
}

/// Plays a file through `decoder` as fast as it goes.
///
/// # Errors
/// When there is no such pipeline, and when it does not end. That the stream cannot be decoded is no error here.
pub fn show(file: &Path, container: Container, decoder: &str) -> Outcome<Shown> {
    let demuxer = container.demuxer().map(|name| format!("{name} !")).unwrap_or_default();
    let description = format!(
        "filesrc location=\"{}\" ! {demuxer} h264parse ! {decoder} ! appsink name=sink sync=false",
        file.display()
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
            let fields = VideoBufferFlags::from_bits_truncate(buffer.flags().bits()) & FIELD_FLAGS;
            shown.times.push((buffer.pts(), buffer.duration(), fields));
            continue;
        }
        // The frames before an error may have come since the look that found none: it takes another one.
        let has_failed = shown.error.is_some();
        // A parser sends EOS after its decoder has failed.
        let ended = sink.is_eos();
        if !has_failed {
            shown.error = bus
                .pop_filtered(&[gst::MessageType::Error])
                .and_then(|message| described(&message));
        }
        if ended || has_failed {
            return Ok(shown);
        }
    }
    Err("it does not end".into())
}

/// Who posted an error, and what it says.
fn described(message: &gst::Message) -> Option<(String, String)> {
    let gst::MessageView::Error(error) = message.view() else {
        return None;
    };
    let element = message.src().map(|element| element.type_().name().to_owned())?;
    Some((element, error.error().to_string()))
}
