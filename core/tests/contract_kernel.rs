//! The contract suite over a decoder of the kernel: `FOURIER_DEVICE=/dev/videoN cargo test --test contract_kernel`.
//! Without such a device it says so and tests nothing; the software node is held to the same suite everywhere.

use fourier_core::device::contract::{CASES, Verdict};
use fourier_core::device::discovery::{ENVIRONMENT, open_device};

#[test]
fn a_decoder_of_the_kernel_keeps_every_rule() {
    let Some(path) = std::env::var(ENVIRONMENT).ok().filter(|path| path.starts_with("/dev/")) else {
        eprintln!("SKIPPED: no decoder of the kernel is tested, {ENVIRONMENT} names none (/dev/videoN)");
        return;
    };
    let device = open_device(Some(&path)).unwrap();
    let (mut held, mut broken) = (0, 0);
    // A device that is held to some of its modes (`/dev/video0:mode=slice`) still has the others.
    let is_narrowed = path.contains(':');
    let asked = |name: &str| !is_narrowed || name != "a_control_that_the_device_lacks_is_refused_whole";
    for case in CASES.iter().filter(|case| asked(case.name)) {
        let outcome = match (case.run)(device.as_ref()) {
            Ok(Verdict::Held) => {
                held += 1;
                "ok".to_owned()
            }
            Ok(Verdict::NotApplicable(why)) => format!("not applicable: {why}"),
            Err(failure) => {
                broken += 1;
                format!("BROKEN: {failure}")
            }
        };
        println!("{}: {outcome}", case.name);
    }
    assert_eq!(broken, 0, "{path} breaks {broken} of {} rules", CASES.len());
    assert!(held > CASES.len() * 3 / 4, "only {held} rules apply to {path}");
}
