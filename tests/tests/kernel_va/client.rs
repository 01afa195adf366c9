//! Cases for a client of our own on the DRM node. Each runs in a process of its own, in which libva finds the driver and
//! nothing else: this program again, with the case's name in [`CASE`].

use std::path::{Path, PathBuf};

use fourier_core::units::Size;
use fourier_tests::Outcome;
use fourier_tests::encode::{self, Recipe};
use fourier_tests::va::VaDisplay;
use vaclient::Display;

use crate::{NODE, exports, imports, sandbox};

/// Says which case a process is to run.
pub const CASE: &str = "FOURIER_VA_CASE";

/// On which decoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The kernel's alone.
    Visl,
    /// The software node alone.
    Soft,
    /// Both.
    Any,
}

/// Something to be true of the driver.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub name: &'static str,
    pub ground: Ground,
    /// The environment of the process, besides that of every program under the driver.
    pub environment: &'static [(&'static str, &'static str)],
    pub run: fn() -> Outcome,
}

/// All of them.
pub fn cases() -> impl Iterator<Item = Case> {
    let all = [sandbox::CASES, imports::CASES, exports::CASES];
    all.into_iter().flatten().copied()
}

impl Case {
    /// Whether it is for that decoder: `soft` or `visl`.
    pub fn runs_on(&self, decoder: &str) -> bool {
        match self.ground {
            Ground::Visl => decoder == "visl",
            Ground::Soft => decoder == "soft",
            Ground::Any => true,
        }
    }

    /// Runs it in a process of its own.
    pub fn start(&self, display: &VaDisplay) -> Outcome {
        // Made here, where nothing is in the way.
        clip()?;
        let own = std::env::current_exe()?;
        let mut command = display.command(&own.to_string_lossy());
        command.env(CASE, self.name).env(NODE, display.name());
        command.envs(self.environment.iter().copied());
        let ended = display.run(command)?;
        match ended.success {
            true => Ok(()),
            false => Err(ended.log.into()),
        }
    }
}

/// The case of that name, in this process.
pub fn run(name: &str) -> Outcome {
    let case = cases().find(|case| case.name == name);
    (case.ok_or("there is no such case")?.run)()
}

/// A display on the node.
pub fn display() -> Outcome<Display> {
    Display::drm(Path::new(&std::env::var(NODE)?))
}

/// Thirty pictures with B pictures among them, in Annex B.
pub fn clip() -> Outcome<PathBuf> {
    let recipe = Recipe {
        name: "of-a-client",
        size: Size {
            width: 192,
            height: 144,
        },
        frames: FRAMES,
        options: "--preset faster --profile high --bframes 2 --keyint 10",
    };
    encode::kept(&recipe, Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// How many pictures [`clip`] has.
pub const FRAMES: u32 = 30;
