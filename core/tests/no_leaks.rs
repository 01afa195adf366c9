//! A decoder that is opened, used and closed leaves nothing behind. A process of its own: it counts the process's
//! descriptors, threads and mappings.
#![expect(clippy::unwrap_used, reason = "a test that goes wrong ends here")]

mod held;

use fourier_core::device::DecoderDevice;
use fourier_core::device::contract::CASES;
use fourier_core::device::soft::{Personality, SoftDevice};
use held::Held;

#[test]
fn two_hundred_opens_leave_no_descriptor_thread_or_mapping() {
    let devices = ["", "threads=1"].map(|options| SoftDevice::new(Personality::parse(options).unwrap()));
    let names = [
        "pictures_are_right_and_references_are_found_by_timestamp",
        "memory_of_one_open_is_decoded_into_by_another",
        "stream_off_completes_queued_requests",
        "a_held_capture_buffer_that_nothing_follows_is_let_go_by_flush",
    ];
    let cases: Vec<_> = CASES.iter().filter(|case| names.contains(&case.name)).collect();
    assert_eq!(cases.len(), names.len());
    let use_once = |device: &dyn DecoderDevice| cases.iter().for_each(|case| assert!((case.run)(device).is_ok()));
    use_once(&devices[0]);
    let before = Held::now().unwrap();
    for turn in 0..200 {
        use_once(&devices[turn % 2]);
    }
    before.must_be_all("two hundred opens");
}
