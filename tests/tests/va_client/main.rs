//! The libva driver by a client of our own: every call, the orders in which applications call, and what other programs
//! keep from a driver.
//!
//! Each case runs in a process of its own, in which libva finds the driver and nothing else: this program again, with
//! the case's name in [`CASE`]. What it leaves behind and how it ends is its own.

mod calls;
mod dma_bufs;
mod formats;
mod load;
mod orders;
mod streams;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use fourier_tests::va::VaDisplay;
use fourier_tests::vectors::{self, Expectation};
use fourier_tests::{Outcome, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};
use vaclient::Display;

/// Says which case a process is to run.
const CASE: &str = "FOURIER_VA_CASE";
/// Names a DRM node: then it is dma-bufs that are tested, else all the rest.
const NODE: &str = "FOURIER_TEST_NODE";

/// Something to be true of the driver.
struct Case {
    name: String,
    /// What it decodes on, as `FOURIER_DEVICE`.
    device: &'static str,
    /// Under valgrind as well.
    in_valgrind: bool,
    run: Box<dyn Fn() -> Outcome>,
}

impl Case {
    fn new(name: impl Into<String>, run: impl Fn() -> Outcome + 'static) -> Self {
        Self {
            name: name.into(),
            device: "soft",
            in_valgrind: false,
            run: Box::new(run),
        }
    }

    fn on(self, device: &'static str) -> Self {
        Self { device, ..self }
    }

    fn in_valgrind(self) -> Self {
        Self {
            in_valgrind: true,
            ..self
        }
    }
}

/// The display that dma-bufs are tested on.
fn open() -> Outcome<Display> {
    let node = std::env::var_os(NODE).ok_or("no DRM node is named")?;
    Display::drm(Path::new(&node))
}

fn cases() -> Outcome<Vec<Case>> {
    let vectors = vectors::load()?;
    let bit_exact = vectors
        .into_iter()
        .filter(|vector| vector.expectation() == Expectation::BitExact)
        .collect::<Vec<_>>();
    if std::env::var_os(NODE).is_some() {
        return Ok(dma_bufs::cases(&bit_exact));
    }
    let of_stream = streams::kept_by_ffmpeg(&bit_exact);
    let habits = orders::habits(&bit_exact);
    let derived = formats::derived(&bit_exact);
    let tiled = formats::tiled(&bit_exact);
    let all = [
        calls::cases(),
        formats::cases(),
        orders::cases(),
        load::cases(&bit_exact),
        of_stream,
        habits,
        derived,
        tiled,
    ];
    Ok(all.into_iter().flatten().collect())
}

fn main() -> Outcome {
    let cases = cases()?;
    if let Ok(name) = std::env::var(CASE) {
        let case = cases.into_iter().find(|case| case.name == name);
        return (case.ok_or("there is no such case")?.run)();
    }
    let arguments = two_at_a_time(Arguments::from_args());
    let display = Arc::new(match std::env::var(NODE) {
        Ok(node) => VaDisplay::on_node(&node, "soft")?,
        Err(_) => VaDisplay::start()?,
    });
    let mut trials = Vec::new();
    for Case {
        name,
        device,
        in_valgrind,
        ..
    } in cases
    {
        let mut add = |title: String, launcher: &'static [&'static str]| {
            let (name, display) = (name.clone(), Arc::clone(&display));
            trials.push(Trial::test(title, move || {
                run(&display, &name, device, launcher).map_err(|error| Failed::from(error.to_string()))
            }));
        };
        add(name.clone(), &[]);
        if in_valgrind {
            add(format!("{name}, says valgrind"), VALGRIND);
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Not by itself: `exit` drops nothing, and a display is a process and a folder.
    drop(display);
    conclusion.exit()
}

/// Memory that is read before it is written, or after it is freed, or lost.
const VALGRIND: &[&str] = &[
    "valgrind",
    "-q",
    "--error-exitcode=9",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
];

/// Runs a case in a process of its own.
fn run(display: &VaDisplay, name: &str, device: &str, launcher: &[&str]) -> Outcome {
    let own = std::env::current_exe()?;
    let own = own.to_string_lossy();
    let mut words = launcher.iter().copied().chain([own.as_ref()]);
    let mut command: Command = display.command(words.next().unwrap_or_default());
    command.args(words).env(CASE, name).env("FOURIER_DEVICE", device);
    let ended = display.run(command)?;
    match ended.success {
        true => Ok(()),
        false => Err(ended.log.into()),
    }
}
