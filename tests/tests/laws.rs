//! The laws, on their corpus and on seeded inputs: no panic, no hang, nothing left behind.
//!
//! `FOURIER_INPUTS` says how many seeded inputs each law gets, `FOURIER_SEED` which is the first.

use fourier_tests::laws::inputs::{corpus, mutations};
use fourier_tests::laws::watch::{count_panics, each_watched, nothing_panicked};
use fourier_tests::laws::{LAWS, Law};
use fourier_tests::resources::Resources;
use fourier_tests::{Outcome, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};

/// Seeded inputs of each law.
const INPUTS: usize = 10_000;
/// What allocators and thread stacks may keep.
const SLACK_KIB: usize = 64 << 10;

fn main() -> Outcome {
    let arguments = two_at_a_time(Arguments::from_args());
    count_panics();
    // Whatever is set up once for the process is there before anything is counted.
    for law in &LAWS {
        if let Some((_, input)) = corpus(law)?.first().filter(|_| !arguments.list) {
            (law.check)(input)?;
        }
    }
    let before = Resources::now()?;
    let inputs = number("FOURIER_INPUTS")?.unwrap_or(INPUTS as u64) as usize;
    let seed = number("FOURIER_SEED")?.unwrap_or(0);
    let trials = LAWS.iter().flat_map(|law| trials_of(law, inputs, seed));
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if !conclusion.has_failed() {
        before.must_come_back(SLACK_KIB)?;
        nothing_panicked()?;
    }
    conclusion.exit()
}

fn number(variable: &str) -> Outcome<Option<u64>> {
    match std::env::var(variable) {
        Ok(text) => Ok(Some(
            text.parse().map_err(|error| format!("{variable}={text}: {error}"))?,
        )),
        Err(_) => Ok(None),
    }
}

fn trials_of(law: &'static Law, inputs: usize, seed: u64) -> [Trial; 2] {
    let name = law.name;
    [
        trial(format!("{name} holds for the corpus"), move || {
            each_watched(corpus(law)?.into_iter(), law.check)
        }),
        trial(format!("{name} holds for {inputs} seeded inputs"), move || {
            each_watched(mutations(law, corpus(law)?, seed).take(inputs), law.check)
        }),
    ]
}

fn trial(name: String, run: impl FnOnce() -> Outcome<usize> + Send + 'static) -> Trial {
    Trial::test(name, || match run() {
        Ok(0) => Err(Failed::from("there was no input")),
        Ok(_) => Ok(()),
        Err(error) => Err(Failed::from(error.to_string())),
    })
}
