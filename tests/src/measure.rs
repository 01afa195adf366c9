//! One run of one decoder over one stream, in a process of its own: `filesrc ! h264parse ! decoder ! fakevideosink`.
//!
//! The sink takes frames of any layout and throws them away, so that no side has to copy. The clock starts with the first
//! frame that leaves the decoder and stops at the end of the stream: start-up is in nobody's figure.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use gst::prelude::*;

use crate::Outcome;

/// First argument of a process that decodes once and reports.
pub const CHILD: &str = "--decode";

/// How many threads a decoder has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// One, and one core for the whole process.
    One,
    /// What the decoder makes of the machine.
    Default,
}

impl fmt::Display for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::One => "one",
            Self::Default => "default",
        })
    }
}

/// What one run found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// Frames that left the decoder.
    pub frames: u64,
    /// After the first one.
    pub frames_per_second: f64,
    /// Seconds of processor time for one frame, on all cores together.
    pub cpu_per_frame: f64,
    /// Largest resident size of the process.
    pub peak_memory_kib: u64,
}

impl Measurement {
    /// The run of median speed; `None` without any.
    pub fn median(mut runs: Vec<Self>) -> Option<Self> {
        runs.sort_by(|a, b| a.frames_per_second.total_cmp(&b.frames_per_second));
        runs.get(runs.len() / 2).copied()
    }

    fn parse(report: &str) -> Option<Self> {
        let mut words = report.split_ascii_whitespace();
        Some(Self {
            frames: words.next()?.parse().ok()?,
            frames_per_second: words.next()?.parse().ok()?,
            cpu_per_frame: words.next()?.parse().ok()?,
            peak_memory_kib: words.next()?.parse().ok()?,
        })
    }
}

/// What `Measurement::parse` reads.
impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            frames,
            frames_per_second,
            cpu_per_frame,
            peak_memory_kib,
        } = self;
        write!(f, "{frames} {frames_per_second} {cpu_per_frame} {peak_memory_kib}")
    }
}

/// Decodes `file` with `decoder` in a new process of this program.
///
/// # Errors
/// What the process says when it fails.
pub fn run(decoder: &str, file: &Path, threads: Threads) -> Outcome<Measurement> {
    run_by(&std::env::current_exe()?, decoder, file, threads)
}

/// As [`run`], in a process of another build of this program.
///
/// # Errors
/// What the process says when it fails.
pub fn run_by(program: &Path, decoder: &str, file: &Path, threads: Threads) -> Outcome<Measurement> {
    let mut command = match threads {
        Threads::One => {
            let mut pinned = Command::new("taskset");
            pinned.args(["--cpu-list", "0"]).arg(program);
            pinned
        }
        Threads::Default => Command::new(program),
    };
    let output = command.args([CHILD, decoder]).arg(file).output()?;
    let report = String::from_utf8_lossy(&output.stdout);
    match Measurement::parse(&report) {
        Some(measurement) if output.status.success() => Ok(measurement),
        Some(_) | None => Err(format!("{decoder}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// A moment on the clock, and the process's processor time by then.
#[derive(Clone, Copy, Debug)]
struct Moment {
    clock: Instant,
    cpu_ticks: u64,
}

impl Moment {
    fn now() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // Behind the program's name: state is field 3, utime and stime are 14 and 15.
        let mut fields = stat.rsplit(')').next()?.split_ascii_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: ticks()? + ticks()?,
            clock: Instant::now(),
        })
    }
}

/// What left the decoder, and when.
#[derive(Debug, Default)]
struct Passage {
    frames: u64,
    first: Option<Moment>,
    end: Option<Moment>,
}

impl Passage {
    /// What happened after the first frame; `None` if there was no second one.
    fn measurement(&self, peak_memory_kib: u64) -> Option<Measurement> {
        /// USER_HZ, which Linux never changes.
        const TICKS_PER_SECOND: f64 = 100.0;
        let (first, end) = (self.first?, self.end?);
        let later_frames = self.frames.checked_sub(1).filter(|&frames| frames > 0)? as f64;
        let cpu = (end.cpu_ticks - first.cpu_ticks) as f64 / TICKS_PER_SECOND;
        Some(Measurement {
            frames: self.frames,
            frames_per_second: later_frames / end.clock.duration_since(first.clock).as_secs_f64(),
            cpu_per_frame: cpu / later_frames,
            peak_memory_kib,
        })
    }
}

/// Decodes in this process and prints what [`run`] reads.
///
/// # Errors
/// What the pipeline posts.
pub fn decode_and_report(decoder: &str, file: &str) -> Outcome {
    gst::init()?;
    gstfourier::plugin_register_static()?;
    let pipeline = gst::parse::launch(&format!(
        "filesrc location=\"{file}\" ! h264parse ! {decoder} name=decoder ! fakevideosink sync=false qos=false"
    ))?;
    let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| "not a pipeline")?;
    let passage = Arc::new(Mutex::new(Passage::default()));
    let decoder = pipeline.by_name("decoder").ok_or("no decoder")?;
    watch(&decoder, Arc::clone(&passage))?;
    let ended = play(&pipeline);
    pipeline.set_state(gst::State::Null)?;
    ended?;
    let passage = passage.lock().unwrap_or_else(PoisonError::into_inner);
    let measurement = passage.measurement(peak_memory_kib()?);
    println!("{}", measurement.ok_or("fewer than two frames came out")?);
    Ok(())
}

/// Notes what leaves `decoder`, and when.
fn watch(decoder: &gst::Element, passage: Arc<Mutex<Passage>>) -> Outcome {
    let pad = decoder.static_pad("src").ok_or("a decoder without a source pad")?;
    let what = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    pad.add_probe(what, move |_, info| {
        let mut passage = passage.lock().unwrap_or_else(PoisonError::into_inner);
        if info.buffer().is_some() {
            passage.frames += 1;
            passage.first = passage.first.or_else(Moment::now);
        } else if info.event().is_some_and(|event| event.type_() == gst::EventType::Eos) {
            passage.end = Moment::now();
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

fn play(pipeline: &gst::Pipeline) -> Outcome {
    let bus = pipeline.bus().ok_or("a pipeline without a bus")?;
    pipeline.set_state(gst::State::Playing)?;
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus
        .timed_pop_filtered(gst::ClockTime::NONE, &ends)
        .ok_or("the bus was closed")?;
    match message.view() {
        gst::MessageView::Error(error) => Err(format!("{}: {:?}", error.error(), error.debug()).into()),
        _ => Ok(()),
    }
}

/// `VmHWM` of this process.
fn peak_memory_kib() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("no VmHWM")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}
