//! The contract suite over a decoder of the kernel: `FOURIER_DEVICE=/dev/videoN cargo test --test contract_kernel`.
//! Without such a device it says so and tests nothing; the software node is held to the same suite everywhere.
//! After each rule, descriptors, threads, mappings, dma-bufs and memory are back where they were.
#![expect(clippy::unwrap_used, reason = "a test that goes wrong ends here")]

mod held;

use fourier_core::device::contract::{CASES, Verdict};
use fourier_core::device::discovery::{ENVIRONMENT, open_device};
use held::Held;

/// After this rule videobuf2 of Linux 6.12 keeps the dma-buf that it has refused, though nobody has a file descriptor of it
/// any more.
const KEEPS_A_DMA_BUF: &str = "memory_that_is_too_short_is_refused";

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
        let before = Held::now().unwrap();
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
        if case.name != KEEPS_A_DMA_BUF {
            before.must_be_all(case.name);
        }
    }
    assert_eq!(broken, 0, "{path} breaks {broken} of {} rules", CASES.len());
    assert!(held > CASES.len() * 3 / 4, "only {held} rules apply to {path}");
}
