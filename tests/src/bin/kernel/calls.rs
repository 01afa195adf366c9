//! System calls and processor time for one frame, ours next to the peer's.

use std::path::Path;
use std::process::Command;

use fourier_core::device::discovery::open_device;
use fourier_tests::kernel::strace::{Calls, PerFrame};
use fourier_tests::long_streams::{LongStream, short_and_long};
use fourier_tests::measure::{self, CHILD, Measurement, Threads};
use fourier_tests::{Outcome, core_decoder};

/// First argument of a process that decodes with core alone.
pub const CORE_CHILD: &str = "--decode-with-core";

/// How many times the long stream has the short one: a difference of some 200 frames.
const TIMES: u64 = 5;
/// Runs for the processor time, of which the median counts.
const RUNS: usize = 3;
/// Calls of a decoder that cannot be told to the frame: another turn of a loop at the start or the end.
const ROUNDING: f64 = 0.05;

/// Who decodes.
#[derive(Clone, Copy, Debug)]
enum Side {
    /// Core's stream decoder, whose frames stay in the process.
    Core,
    /// A GStreamer element in `filesrc ! h264parse ! ELEMENT ! fakevideosink`.
    Element(&'static str),
}

const CORE: Side = Side::Core;
const OURS: Side = Side::Element("fourierh264dec device=/dev/video0");
const PEER: Side = Side::Element("v4l2slh264dec");

/// The most device calls of a frame that stayed in the process: S_EXT_CTRLS, QBUF x 2, REQUEST_QUEUE, poll, DQBUF x 2,
/// REINIT; and of one that left it, with the question whether somebody still reads it.
const MOST_INSIDE: f64 = 8.0;
const MOST_OUTSIDE: f64 = 9.0;

/// A row of the table.
#[derive(Debug)]
struct Row {
    calls: PerFrame,
    /// Seconds for 1,000 frames; `None` where nobody compares it.
    cpu: Option<f64>,
}

/// Counts, prints the table, and compares.
///
/// # Errors
/// When we need more than we may, or more than the peer.
pub fn compare() -> Outcome {
    let streams = short_and_long(TIMES)?;
    println!(
        "| {} | Device calls a frame | All calls of all threads | CPU for 1,000 frames |",
        streams[1].title
    );
    println!("|---|--:|--:|--:|");
    let core = row(CORE, &streams)?;
    let ours = row(OURS, &streams)?;
    let peer = row(PEER, &streams)?;
    let all = |row: &Row| PerFrame::sum(&row.calls.all);
    let device = |row: &Row| PerFrame::sum(&row.calls.device);
    let limits = [
        ("device calls of core", device(&core), MOST_INSIDE + ROUNDING),
        ("device calls of the element", device(&ours), MOST_OUTSIDE + ROUNDING),
        (
            "calls, of which the peer makes the second number",
            all(&ours),
            all(&peer),
        ),
        (
            "seconds of CPU, of which the peer needs the second number",
            ours.cpu.unwrap_or(f64::MAX),
            peer.cpu.unwrap_or_default(),
        ),
    ];
    let over: Vec<_> = limits
        .iter()
        .filter(|(_, value, limit)| value > limit)
        .map(|(what, value, limit)| format!("{value:.2} {what}: more than {limit:.2}"))
        .collect();
    match over.is_empty() {
        true => Ok(()),
        false => Err(over.join("; ").into()),
    }
}

fn row(side: Side, streams: &[LongStream; 2]) -> Outcome<Row> {
    let [short, long] = streams;
    let frames = long.frames - short.frames;
    // The first run of all fills caches, GStreamer's registry among them.
    traced(side, short)?;
    let calls = traced(side, long)?.per_frame(&traced(side, short)?, frames);
    let cpu = match side {
        Side::Core => None,
        Side::Element(element) => Some(cpu(element, long)?),
    };
    let name = match side {
        Side::Core => "core's StreamDecoder",
        Side::Element(element) => element.split(' ').next().unwrap_or_default(),
    };
    println!(
        "| {name} | {:.2} | {:.2} | {} |",
        PerFrame::sum(&calls.device),
        PerFrame::sum(&calls.all),
        cpu.map(|cpu| format!("{cpu:.2} s")).unwrap_or_default()
    );
    eprintln!("{name}, on devices: {}", PerFrame::words(&calls.device));
    eprintln!("{name}, all: {}", PerFrame::words(&calls.all));
    Ok(Row { calls, cpu })
}

/// Decodes in a process of its own, under strace.
fn traced(side: Side, stream: &LongStream) -> Outcome<Calls> {
    let log = tempfile::NamedTempFile::new()?;
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-y", "-o"])
        .arg(log.path())
        .arg(std::env::current_exe()?);
    match side {
        Side::Core => strace.arg(CORE_CHILD),
        Side::Element(element) => strace.args([CHILD, element]),
    };
    let output = strace
        .arg(&stream.file)
        .output()
        .map_err(|error| format!("strace: {error}"))?;
    let report = String::from_utf8_lossy(&output.stdout);
    let frames = report
        .split_ascii_whitespace()
        .next()
        .and_then(|word| word.parse().ok());
    if !output.status.success() || frames != Some(stream.frames) {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{side:?}: {frames:?} frames of {}: {said}", stream.frames).into());
    }
    Ok(Calls::parse(&std::fs::read_to_string(log.path())?))
}

/// Seconds for 1,000 frames.
fn cpu(element: &str, stream: &LongStream) -> Outcome<f64> {
    let runs = (0..RUNS).map(|_| measure::run(element, &stream.file, Threads::Default));
    let median = Measurement::median(runs.collect::<Outcome<_>>()?).ok_or("nothing was measured")?;
    Ok(median.cpu_per_frame * 1000.0)
}

/// Decodes in this process and prints the number of frames.
///
/// # Errors
/// When the device does not take the stream.
pub fn decode_with_core(file: &str) -> Outcome {
    let device = open_device(Some("/dev/video0"))?;
    let ending = core_decoder::decode(device, &std::fs::read(Path::new(file))?, |_| Ok(()))?;
    match ending.refusal {
        Some(why) => Err(why.into()),
        None => {
            println!("{}", ending.frames);
            Ok(())
        }
    }
}
