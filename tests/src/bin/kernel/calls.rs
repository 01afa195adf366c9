//! System calls and processor time for one frame, ours next to the peer's.

use std::fmt;
use std::path::Path;
use std::process::Command;

use fourier_core::device::discovery::open_device;
use fourier_tests::kernel::strace::{Calls, PerFrame};
use fourier_tests::long_streams::{LongStream, short_and_long};
use fourier_tests::measure::{self, CHILD, Threads};
use fourier_tests::{Outcome, core_decoder};

/// First argument of a process that decodes with core alone.
pub const CORE_CHILD: &str = "--decode-with-core";

/// How many times the long stream has the short one: a difference of some 200 frames.
const TIMES: u64 = 5;
/// Runs for the processor time of each side, by turns.
const RUNS: usize = 7;
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

/// Without properties.
impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Core => "core's StreamDecoder",
            Self::Element(element) => element.split(' ').next().unwrap_or_default(),
        })
    }
}

const CORE: Side = Side::Core;
const OUR_ELEMENT: &str = "fourierh264dec device=/dev/video0";
const PEER_ELEMENT: &str = "v4l2slh264dec";
const OURS: Side = Side::Element(OUR_ELEMENT);
const PEER: Side = Side::Element(PEER_ELEMENT);

/// The most device calls of a frame that stayed in the process: S_EXT_CTRLS, QBUF x 2, REQUEST_QUEUE, poll, DQBUF x 2,
/// REINIT; and of one that left it, with the question whether somebody still reads it.
const MOST_INSIDE: f64 = 8.0;
const MOST_OUTSIDE: f64 = 9.0;

/// Seconds of processor time for 1,000 frames, run by run, ascending. In User-Mode Linux a process is charged for what the
/// host does meanwhile: a run is disturbed by that and never helped, so that the least is the truest.
#[derive(Debug, Default)]
struct Cpu(Vec<f64>);

impl Cpu {
    fn new(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        Self(seconds)
    }

    fn least(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::MAX)
    }

    fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }
}

/// Counts, prints the table, and compares.
///
/// # Errors
/// When we need more than we may, or more than the peer; of processor time, when even our least is more than is usual for
/// the peer.
pub fn compare() -> Outcome {
    let streams = short_and_long(TIMES)?;
    let core = calls(CORE, &streams)?;
    let ours = calls(OURS, &streams)?;
    let peer = calls(PEER, &streams)?;
    let (our_cpu, peer_cpu) = cpu_of_both(&streams[1])?;

    println!(
        "| {} | Device calls a frame | All calls of all threads | CPU for 1,000 frames: least, median of {RUNS} |",
        streams[1].title
    );
    println!("|---|--:|--:|--:|");
    print_row(CORE, &core, None);
    print_row(OURS, &ours, Some(&our_cpu));
    print_row(PEER, &peer, Some(&peer_cpu));

    let all = |calls: &PerFrame| PerFrame::sum(&calls.all);
    let device = |calls: &PerFrame| PerFrame::sum(&calls.device);
    let limits = [
        ("device calls of core", device(&core), MOST_INSIDE + ROUNDING),
        ("device calls of the element", device(&ours), MOST_OUTSIDE + ROUNDING),
        (
            "calls, of which the peer makes the second number",
            all(&ours),
            all(&peer),
        ),
        (
            "seconds of CPU at least, of which the peer usually needs the second number",
            our_cpu.least(),
            peer_cpu.median(),
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

fn print_row(side: Side, calls: &PerFrame, cpu: Option<&Cpu>) {
    let cpu = cpu.map(|cpu| format!("{:.2} s, {:.2} s", cpu.least(), cpu.median()));
    println!(
        "| {side} | {:.2} | {:.2} | {} |",
        PerFrame::sum(&calls.device),
        PerFrame::sum(&calls.all),
        cpu.unwrap_or_default()
    );
}

/// Calls for each frame that the long stream has more than the short one.
fn calls(side: Side, [short, long]: &[LongStream; 2]) -> Outcome<PerFrame> {
    // The first run of all fills caches, GStreamer's registry among them.
    traced(side, short)?;
    let calls = traced(side, long)?.per_frame(&traced(side, short)?, long.frames - short.frames);
    eprintln!("{side}, on devices: {}", PerFrame::words(&calls.device));
    eprintln!("{side}, all: {}", PerFrame::words(&calls.all));
    Ok(calls)
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

/// Of our element and of the peer, by turns: what the host does changes slowly.
fn cpu_of_both(stream: &LongStream) -> Outcome<(Cpu, Cpu)> {
    let seconds = |element: &str| -> Outcome<f64> {
        Ok(measure::run(element, &stream.file, Threads::Default)?.cpu_per_frame * 1000.0)
    };
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(seconds(OUR_ELEMENT)?);
        peer.push(seconds(PEER_ELEMENT)?);
    }
    Ok((Cpu::new(ours), Cpu::new(peer)))
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
