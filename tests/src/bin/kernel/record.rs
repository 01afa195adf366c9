//! Streams through an element, one after the other in this process, with what visl was told and what came out.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use fourier_tests::Outcome;
use fourier_tests::vectors::Vector;
use gst::prelude::*;

use crate::streams::{frames_of, trace_of};

/// No stream takes nearly as long.
const DEADLINE: gst::ClockTime = gst::ClockTime::from_seconds(120);

/// What happens to the results of an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// They stay, and their streams are not run.
    Kept,
    /// They are made anew.
    Replaced,
}

/// Runs the streams; a stream that ends in an error has that in its results.
///
/// # Errors
/// When there is no visl to trace, and when a stream does not end.
pub fn record(decoder: &str, folder: &Path, streams: &[Vector], known: Known) -> Outcome {
    gst::init()?;
    gstfourier::plugin_register_static()?;
    let tracer = Tracer::new()?;
    for vector in streams {
        let results = [trace_of(folder, vector), frames_of(folder, vector)];
        if known == Known::Kept && results.iter().all(|path| path.exists()) {
            continue;
        }
        std::fs::create_dir_all(folder.join(&vector.suite))?;
        let start = Instant::now();
        let [trace, frames] = results;
        tracer.start()?;
        let shown = decode(decoder, vector).map_err(|error| format!("{}: {error}", vector.title()))?;
        write_whole(&trace, |file| {
            let mut packed = GzEncoder::new(file, Compression::fast());
            packed.write_all(tracer.stop()?.as_bytes())?;
            packed.finish()?;
            Ok(())
        })?;
        write_whole(&frames, |file| Ok(file.write_all(shown.as_bytes())?))?;
        let end = shown.lines().last().unwrap_or_default();
        println!("{}: {end}, {:.1} s", vector.title(), start.elapsed().as_secs_f32());
    }
    Ok(())
}

/// Writes a file that is there complete, or not at all.
///
/// # Errors
/// Names the file.
fn write_whole(path: &Path, write: impl FnOnce(&mut File) -> Outcome) -> Outcome {
    let partial = path.with_extension("partial");
    let written = || -> Outcome {
        write(&mut File::create(&partial)?)?;
        Ok(std::fs::rename(&partial, path)?)
    };
    written().map_err(|error| format!("{}: {error}", path.display()).into())
}

/// The trace buffer of the kernel.
#[derive(Debug)]
struct Tracer {
    folder: &'static Path,
}

impl Tracer {
    /// Room for the controls of some ten thousand jobs.
    const BUFFER_KIB: &'static str = "98304";

    fn new() -> Outcome<Self> {
        let tracer = Self {
            folder: Path::new("/sys/kernel/tracing"),
        };
        tracer.set("tracing_on", "0")?;
        tracer.set("buffer_size_kb", Self::BUFFER_KIB)?;
        tracer.set("events/visl_h264_controls/enable", "1")?;
        tracer.set("events/vb2/vb2_buf_done/enable", "1")?;
        Ok(tracer)
    }

    fn set(&self, file: &str, value: &str) -> Outcome {
        let path = self.folder.join(file);
        std::fs::write(&path, value).map_err(|error| format!("{}: {error}", path.display()).into())
    }

    fn start(&self) -> Outcome {
        self.set("trace", "")?;
        self.set("tracing_on", "1")
    }

    fn stop(&self) -> Outcome<String> {
        self.set("tracing_on", "0")?;
        Ok(std::fs::read_to_string(self.folder.join("trace"))?)
    }
}

/// Runs one stream to its end; a line for each frame, and one that says how it ended.
fn decode(decoder: &str, vector: &Vector) -> Outcome<String> {
    let demuxer = vector
        .container
        .demuxer()
        .map(|name| format!("{name} !"))
        .unwrap_or_default();
    let pipeline = gst::parse::launch(&format!(
        "filesrc location=\"{}\" ! {demuxer} h264parse ! {decoder} name=decoder ! fakesink sync=false",
        vector.path.display()
    ))?;
    let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| "not a pipeline")?;
    let shown = Arc::new(Mutex::new(String::new()));
    let pad = pipeline
        .by_name("decoder")
        .and_then(|decoder| decoder.static_pad("src"));
    watch(&pad.ok_or("a decoder without a source pad")?, &shown);
    let end = play(&pipeline);
    pipeline.set_state(gst::State::Null)?;
    let mut shown = std::mem::take(&mut *shown.lock().unwrap_or_else(PoisonError::into_inner));
    writeln!(shown, "{} frames, {}", shown.lines().count(), end?)?;
    Ok(shown)
}

fn watch(pad: &gst::Pad, shown: &Arc<Mutex<String>>) {
    let shown = Arc::clone(shown);
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        if let Some(buffer) = info.buffer() {
            let caps = pad.current_caps().map(|caps| caps.to_string()).unwrap_or_default();
            let time = |time: Option<gst::ClockTime>| {
                time.map_or_else(|| "none".to_owned(), |time| time.nseconds().to_string())
            };
            let line = format!(
                "{} {} {:?} {caps}\n",
                time(buffer.pts()),
                time(buffer.duration()),
                buffer.flags()
            );
            shown.lock().unwrap_or_else(PoisonError::into_inner).push_str(&line);
        }
        gst::PadProbeReturn::Ok
    });
}

/// Plays to the end; gives "end of stream" or the error in words.
fn play(pipeline: &gst::Pipeline) -> Outcome<String> {
    let bus = pipeline.bus().ok_or("a pipeline without a bus")?;
    // A stream may fail on the way up already: then the message says why.
    let _ = pipeline.set_state(gst::State::Playing);
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(DEADLINE, &ends).ok_or("did not end in time")?;
    match message.view() {
        gst::MessageView::Error(error) => Ok(format!("error: {}", error.error()).replace('\n', " ")),
        _ => Ok("end of stream".to_owned()),
    }
}
