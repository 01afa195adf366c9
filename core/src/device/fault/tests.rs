//! Faults over the software node, told by the contract suite: without faults it holds, with them it must fail.

use nix::errno::Errno;

use super::*;
use crate::device::contract::{CASES, Case, Verdict};
use crate::device::soft::SoftDevice;

fn device() -> FaultyDevice {
    FaultyDevice::new(Arc::new(SoftDevice::default()))
}

/// Runs a case of the suite; the failure, if it fails.
fn failure(device: &FaultyDevice, name: &str) -> Option<String> {
    let case: &Case = CASES.iter().find(|case| case.name == name).unwrap();
    (case.run)(device).err().map(|failure| failure.to_string())
}

const DECODING: &str = "pictures_are_right_and_references_are_found_by_timestamp";

#[test]
fn a_device_without_faults_keeps_every_rule() {
    let device = device();
    let broken_or_not_applicable = CASES
        .iter()
        .filter(|case| (case.run)(&device).unwrap() != Verdict::Held);
    // It holds CAPTURE buffers.
    let without_hold = ["without_hold_a_capture_buffer_that_is_queued_again_takes_the_next_slice"];
    assert!(broken_or_not_applicable.map(|case| case.name).eq(without_hold));
    assert_eq!(device.happened(), 0);
}

#[test]
fn the_nth_call_fails_with_its_errno_and_its_name() {
    let device = device();
    device.inject(Fault::Errno(Verb::QueueCapture, Errno::ENOMEM), Occasion::Nth(3));
    let error = failure(&device, DECODING).unwrap();
    assert!(error.contains("VIDIOC_QBUF") && error.contains("ENOMEM"), "{error}");
    assert_eq!(device.happened(), 1);
    assert_eq!(failure(&device, DECODING), None, "it happens once");
}

#[test]
fn a_frame_with_the_error_flag_is_the_one_asked_for() {
    let device = device();
    device.inject(Fault::ErrorFlag, Occasion::Nth(3));
    assert_eq!(failure(&device, DECODING).unwrap(), "slot 2 has the ERROR flag");
}

#[test]
fn grey_and_untouched_frames_carry_no_error_flag() {
    for (fault, sample) in [(Fault::Grey, 128), (Fault::Untouched, 0)] {
        for case in [DECODING, "memory_of_one_open_is_decoded_into_by_another"] {
            let device = device();
            device.inject(fault, Occasion::Every);
            let error = failure(&device, case).unwrap();
            assert!(
                error.contains(&format!("Some({sample}).. instead of")),
                "{fault:?}: {error}"
            );
        }
    }
}

#[test]
fn a_stuck_request_is_busy_until_stream_off() {
    let device = device();
    device.inject(Fault::Stuck, Occasion::Nth(1));
    assert_eq!(failure(&device, "stream_off_completes_queued_requests"), None);
    device.inject(Fault::Stuck, Occasion::Nth(1));
    let error = failure(&device, "a_queued_request_takes_nothing_more").unwrap();
    assert!(error.starts_with("request 0 is not complete after"), "{error}");
    assert_eq!(device.happened(), 2);
}
