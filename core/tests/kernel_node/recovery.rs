//! A device that errs, answers wrongly, or not at all: what is lost, and that decoding goes on.

use std::sync::Arc;
use std::time::Duration;

use fourier_core::decode::Outcome;
use fourier_core::device::fault::{Fault, FaultyDevice, Occasion, Verb};
use fourier_core::units::REQUEST_TIMEOUT;
use nix::errno::Errno;

use super::{GROUP, GROUPS, Got, access_units, decode, on_device};

/// Decodes the stream with one fault at its fifth occasion, and looks at what came out.
fn with_fault(fault: Fault, look: impl FnOnce(Got)) {
    on_device(|device| {
        let faulty = Arc::new(FaultyDevice::new(device));
        faulty.inject(fault, Occasion::Nth(5));
        let got = decode(Arc::clone(&faulty) as _, &access_units(GROUPS), |_| {});
        assert_eq!(faulty.happened(), 1);
        look(got);
    });
}

/// Every picture from the second group on is there and good.
fn resumes_with_the_next_group(got: &Got) {
    let good = got.good();
    for tag in GROUP as u64..40 {
        assert!(
            good.contains(&tag),
            "frame {tag} is not good: {:?}, {:?}",
            got.frames,
            got.dropped
        );
    }
}

#[test]
fn a_request_that_never_completes_is_given_up_and_decoding_resumes() {
    with_fault(Fault::WithheldCapture, |got| {
        let took = got.took;
        assert!(took >= REQUEST_TIMEOUT, "{took:?}");
        assert!(took < 4 * REQUEST_TIMEOUT + Duration::from_secs(5), "{took:?}");
        assert_eq!(got.stats.session.restarts, 1);
        assert!(got.good().len() < 40, "something was lost");
        resumes_with_the_next_group(&got);
    });
}

#[test]
fn a_frame_with_another_timestamp_restarts_the_queues() {
    with_fault(Fault::ForeignTimestamp, |got| {
        assert_eq!(got.stats.session.restarts, 1);
        resumes_with_the_next_group(&got);
    });
}

#[test]
fn the_error_flag_damages_its_frame_and_what_refers_to_it() {
    with_fault(Fault::ErrorFlag, |got| {
        let damaged = got.frames.iter().filter(|(_, outcome)| *outcome == Outcome::Damaged);
        assert!((1..GROUP).contains(&damaged.count()), "{:?}", got.frames);
        assert_eq!((got.frames.len(), got.stats.session.restarts), (40, 0));
        resumes_with_the_next_group(&got);
    });
}

#[test]
fn a_capture_buffer_that_is_refused_costs_its_picture_only() {
    with_fault(Fault::Errno(Verb::QueueCapture, Errno::ENOMEM), |got| {
        assert_eq!(got.stats.session.restarts, 0);
        assert_eq!((got.frames.len() + got.dropped.len(), got.dropped.len()), (40, 1));
        resumes_with_the_next_group(&got);
    });
}

#[test]
fn calls_that_fail_lose_one_picture_and_no_more() {
    for verb in [
        Verb::SetControls,
        Verb::QueueOutput,
        Verb::QueueRequest,
        Verb::ReinitRequest,
    ] {
        with_fault(Fault::Errno(verb, Errno::ENOMEM), |got| {
            assert_eq!((verb, got.stats.session.restarts, got.dropped.len()), (verb, 0, 1));
            resumes_with_the_next_group(&got);
        });
    }
}
