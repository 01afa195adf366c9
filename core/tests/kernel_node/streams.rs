//! What comes out, and in what order, is what the software node gives.

use std::sync::Arc;

use fourier_core::decode::Outcome;
use fourier_core::device::soft::SoftDevice;

use super::{GROUPS, LONE_FIELDS, access_units, decode, on_device};

#[test]
fn frames_come_out_as_from_the_software_node() {
    on_device(|device| {
        let units = access_units(GROUPS);
        assert_eq!(units.len(), 40);
        let soft = decode(Arc::new(SoftDevice::default()), &units, |_| {});
        let got = decode(device, &units, |_| {});
        assert_eq!(got.frames, soft.frames);
        assert!(got.frames.iter().all(|&(_, outcome)| outcome == Outcome::Good));
        assert_eq!((got.warnings, got.stats.session.restarts), (vec![], 0));
    });
}

#[test]
fn a_capture_buffer_is_not_held_for_a_field_that_never_comes() {
    on_device(|device| {
        let units = access_units(LONE_FIELDS);
        let soft = decode(Arc::new(SoftDevice::default()), &units, |_| {});
        let got = decode(device, &units, |_| {});
        assert_eq!(got.frames, soft.frames);
        assert_eq!(got.tags(), [0, 2, 3, 5]);
        // A frame with one field counts as damaged.
        assert_eq!(
            (got.good().len(), got.stats.session.restarts),
            (2, 0),
            "{:?}",
            got.warnings
        );
    });
}

#[test]
fn two_streams_at_once_do_not_disturb_each_other() {
    on_device(|device| {
        let units = access_units(GROUPS);
        std::thread::scope(|scope| {
            let both = [(); 2].map(|()| scope.spawn(|| decode(Arc::clone(&device), &units, |_| {})));
            for got in both.map(|thread| thread.join().unwrap()) {
                assert_eq!(got.good().len(), units.len());
            }
        });
    });
}

#[test]
fn a_stream_is_decoded_again_and_again_on_opens_of_one_device() {
    on_device(|device| {
        let units = access_units(GROUPS);
        for _ in 0..20 {
            assert_eq!(decode(Arc::clone(&device), &units, |_| {}).good().len(), units.len());
        }
    });
}
