//! A decoder of the kernel under the element and under core's stream decoder:
//! `FOURIER_DEVICE=/dev/videoN cargo test -p fourier-tests --test kernel_element`. Without such a device it says so and tests
//! nothing.
//!
//! Made for visl, which takes every control and draws what it was told. Its pictures are not those of the stream, so it is
//! counts, order, times, formats and memory that are looked at; the samples of a frame only against themselves.
//! * `parity`: what comes out of the element is what comes out over the software node;
//! * `modes`: every decode mode, start code and picture format;
//! * `changes`: sizes that change, seeks, starts and stops, two elements at once;
//! * `memory`: frames that are kept, outlive everything, and go through a DRM device;
//! * `sandbox`: once it is open, a device needs nothing of the file system but its video node;
//! * `outstanding`: ends in the middle of requests that the kernel does not finish.
//!
//! After each, file descriptors, threads, mappings, dma-bufs and memory are back where they were (`leaks`).

mod changes;
mod clips;
mod leaks;
mod memory;
mod modes;
mod outstanding;
mod parity;
mod playing;
mod sandbox;

use std::path::Path;
use std::sync::Arc;

use fourier_core::device::DecoderDevice;
use fourier_core::device::discovery::{ENVIRONMENT, open_device};
use fourier_tests::Outcome;
use fourier_tests::kernel::streams::choose;
use libtest_mimic::{Arguments, Failed, Trial};

/// What the cases run on.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Path of the video node, and options.
    pub path: String,
    /// It.
    pub device: Arc<dyn DecoderDevice>,
}

impl Ground {
    /// `path` may have options after it.
    ///
    /// # Errors
    /// There is no such decoder.
    pub fn at(path: &str) -> Outcome<Self> {
        Ok(Self {
            path: path.to_owned(),
            device: open_device(Some(path))?,
        })
    }
}

/// A name, and what is run.
type Case = (&'static str, fn(&Ground) -> Outcome);

fn main() -> Outcome {
    let Some(path) = std::env::var(ENVIRONMENT).ok().filter(|path| path.starts_with("/dev/")) else {
        eprintln!("SKIPPED: no decoder of the kernel is tested, {ENVIRONMENT} names none (/dev/videoN)");
        return Ok(());
    };
    if let Some(root) = std::env::var_os(sandbox::CHILD) {
        return sandbox::decode_in_an_empty_root(Path::new(&root), Path::new(&path));
    }
    let arguments = Arguments::from_args();
    gst::init()?;
    gstfourier::plugin_register_static()?;
    let ground = Ground::at(&path)?;
    // What GStreamer keeps for ever after the first pipeline is nobody's leak.
    if !arguments.list {
        playing::count_frames(&ground, &clips::counter())?;
    }
    let cases = [
        modes::CASES,
        changes::CASES,
        memory::CASES,
        sandbox::CASES,
        outstanding::CASES,
    ]
    .concat();
    let mut trials: Vec<Trial> = cases
        .into_iter()
        .map(|(name, run)| trial(name.to_owned(), &ground, run))
        .collect();
    for vector in choose(&[])? {
        let name = format!("{} comes out as from the software node", vector.title());
        trials.push(trial(name, &ground, move |ground| parity::is_equal(ground, &vector)));
    }
    // One at a time: each counts what the process holds.
    let arguments = Arguments {
        test_threads: Some(1),
        ..arguments
    };
    libtest_mimic::run(&arguments, trials).exit()
}

fn trial(name: String, ground: &Ground, run: impl FnOnce(&Ground) -> Outcome + Send + 'static) -> Trial {
    let ground = ground.clone();
    Trial::test(name, move || {
        leaks::none_after(|| run(&ground)).map_err(|error| Failed::from(error.to_string()))
    })
}
