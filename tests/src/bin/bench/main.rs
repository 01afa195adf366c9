//! Frames per second and memory of `fourierh264dec` on the software node, `avdec_h264` and `openh264dec`, side by side.
//!
//! ```text
//! make bench [BEFORE=COMMIT]
//! cargo run --release -p fourier-tests --bin bench [-- --runs N | --before BENCH]
//! ```
//! `BENCH` is this program as an earlier commit builds it: its `fourierh264dec` takes turns with the others.
//!
//! Every side is measured in the same way: decoders take turns, a run's clock starts with its first frame, and the table
//! has the median. With one thread the whole process has one core.

use std::path::Path;
use std::process::{Command, ExitCode};

use fourier_tests::long_streams::{self, LongStream};
use fourier_tests::measure::{self, CHILD, Measurement, Threads};
use fourier_tests::{Outcome, project_root};

/// Runs of each combination, unless the command line says otherwise.
const RUNS: usize = 5;

/// A decoder: its element, how it is told to use one thread and as many as it likes.
#[derive(Clone, Copy, Debug)]
struct Side<'a> {
    name: &'static str,
    one_thread: &'static str,
    default_threads: &'static str,
    /// The build of this program that has it, if it is not this one.
    program: Option<&'a Path>,
}

const OURS: Side<'_> = Side {
    name: "fourierh264dec",
    one_thread: "fourierh264dec device=soft:threads=1",
    default_threads: "fourierh264dec device=soft",
    program: None,
};

const OTHERS: [Side<'_>; 2] = [
    Side {
        name: "avdec_h264",
        one_thread: "avdec_h264 max-threads=1",
        default_threads: "avdec_h264",
        program: None,
    },
    // It decodes with one thread whatever one does.
    Side {
        name: "openh264dec",
        one_thread: "openh264dec",
        default_threads: "openh264dec",
        program: None,
    },
];

/// The side that the others are compared with.
const YARDSTICK: &str = "avdec_h264";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [CHILD, decoder, file] => measure::decode_and_report(decoder, file),
        ["--runs", runs] => runs.parse().map_err(Into::into).and_then(|runs| compare(runs, None)),
        ["--before", bench] => compare(RUNS, Some(Path::new(bench))),
        [] => compare(RUNS, None),
        _ => Err("usage: bench [--runs N | --before BENCH]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures everything and prints the table; `before` is this program of an earlier commit.
fn compare(runs: usize, before: Option<&Path>) -> Outcome {
    let mut sides = vec![OURS];
    sides.extend(before.map(|program| Side {
        name: "the same before",
        program: Some(program),
        ..OURS
    }));
    sides.extend(OTHERS);
    let streams = long_streams::prepare()?;
    println!("{}\n", circumstances(runs));
    println!("| 1080p stream | Threads | Decoder | Frames/s | of {YARDSTICK} | CPU a frame | Peak memory |");
    println!("|---|---|---|--:|--:|--:|--:|");
    let mut remarks = Vec::new();
    for stream in &streams {
        for threads in [Threads::One, Threads::Default] {
            compare_one(stream, threads, &sides, runs.max(1), &mut remarks)?;
        }
    }
    remarks.iter().for_each(|remark| println!("\n{remark}"));
    Ok(())
}

/// The rows of one stream and one number of threads.
fn compare_one(
    stream: &LongStream,
    threads: Threads,
    sides: &[Side<'_>],
    runs: usize,
    remarks: &mut Vec<String>,
) -> Outcome {
    let mut measured: Vec<_> = sides.iter().map(|side| (side, Vec::new())).collect();
    for _ in 0..runs {
        for (side, measured) in &mut measured {
            let decoder = match threads {
                Threads::One => side.one_thread,
                Threads::Default => side.default_threads,
            };
            measured.push(match side.program {
                None => measure::run(decoder, &stream.file, threads)?,
                Some(program) => measure::run_by(program, decoder, &stream.file, threads)?,
            });
        }
    }
    let medians: Vec<_> = measured
        .into_iter()
        .map(|(side, runs)| (side, Measurement::median(runs)))
        .collect();
    let yardstick = medians.iter().find(|(side, _)| side.name == YARDSTICK);
    let yardstick = yardstick
        .and_then(|(_, median)| *median)
        .ok_or("nothing was measured")?;
    for (side, median) in medians {
        let median = median.ok_or("nothing was measured")?;
        println!(
            "| {} | {threads} | {} | {:.1} | {:.2} | {:.1} ms | {} MiB |",
            stream.title,
            side.name,
            median.frames_per_second,
            median.frames_per_second / yardstick.frames_per_second,
            median.cpu_per_frame * 1000.0,
            median.peak_memory_kib / 1024
        );
        if median.frames != stream.frames {
            remarks.push(format!(
                "{} gave {} frames of the {} that {} has.",
                side.name, median.frames, stream.frames, stream.title
            ));
        }
    }
    Ok(())
}

/// Machine, date and commit: a figure without them says nothing.
fn circumstances(runs: usize) -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let said_by = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(project_root())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    format!(
        "{}, {cores} cores; {}; commit {}; median of {runs} runs.",
        model.unwrap_or(std::env::consts::ARCH),
        said_by("date", &["+%Y-%m-%d"]).unwrap_or_else(|| "date unknown".into()),
        said_by("git", &["describe", "--always", "--dirty"]).unwrap_or_else(|| "unknown".into()),
    )
}
