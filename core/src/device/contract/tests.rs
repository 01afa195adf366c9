//! The suite over the software node in each of its guises.

use super::*;
use crate::device::soft::{Personality, SoftDevice};

/// Runs every case; gives the names of those that apply.
fn run(options: &str) -> Vec<&'static str> {
    let device = SoftDevice::new(Personality::parse(options).unwrap());
    let mut failures = Vec::new();
    let mut held = Vec::new();
    for case in CASES {
        match (case.run)(&device) {
            Ok(Verdict::Held) => held.push(case.name),
            Ok(Verdict::NotApplicable(_)) => {}
            Err(failure) => failures.push(format!("{}: {failure}", case.name)),
        }
    }
    assert!(
        failures.is_empty(),
        "soft:{options} breaks {} rules:\n{}",
        failures.len(),
        failures.join("\n")
    );
    held
}

#[test]
fn the_software_node_keeps_every_rule() {
    // What holds without hold-capture only is not among them.
    assert_eq!(run("").len(), CASES.len() - 1);
    assert_eq!(run("threads=1").len(), CASES.len() - 1);
}

#[test]
fn every_personality_keeps_the_rules_that_apply() {
    for name in Personality::NAMES {
        assert!(run(name).len() > CASES.len() * 3 / 4);
    }
}

#[test]
fn every_option_keeps_the_rules_that_apply() {
    for options in [
        "mode=slice",
        "mode=slice,startcode=none,threads=1",
        "hold=off",
        "planes=2,tail=64,height=64",
        "format=VT12",
        "format=ST12,threads=1",
        "format=MM21,mode=slice",
    ] {
        assert!(run(options).len() > CASES.len() * 3 / 4);
    }
    for options in ["mode=slice,hold=off", "mode=slice,startcode=none,hold=off,threads=1"] {
        assert!(run(options).contains(&"without_hold_a_capture_buffer_that_is_queued_again_takes_the_next_slice"));
    }
    assert!(!run("import=off").contains(&"a_requeued_memory_stays_a_reference"));
    run("remove=off,buffers=5");
}
