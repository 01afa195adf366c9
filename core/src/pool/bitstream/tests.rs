use nix::errno::Errno;

use super::*;
use crate::device::fault::{Fault, FaultyDevice, Occasion, Verb};
use crate::device::format::H264_SLICE;
use crate::device::soft::{Personality, SoftDevice};
use crate::device::{DecoderDevice, PlaneFormat};
use crate::units::Size;

const SLOT: usize = 64 << 10;

fn ring(options: &str, count: u32) -> BitstreamRing {
    ring_on(&SoftDevice::new(Personality::parse(options).unwrap()), count)
}

fn ring_on(device: &dyn DecoderDevice, count: u32) -> BitstreamRing {
    let node = device.open().unwrap();
    let planes = vec![PlaneFormat {
        bytes_per_line: 0,
        size_image: SLOT as u32,
    }];
    let size = Size { width: 64, height: 64 };
    let wanted = Format {
        pixel_format: H264_SLICE,
        size,
        planes,
    };
    let format = node.set_format(Queue::Output, &wanted).unwrap();
    assert_eq!(format.planes, wanted.planes, "the node takes our size");
    BitstreamRing::allocate(&node, format, count).unwrap()
}

fn content(ring: &BitstreamRing, slot: SlotId) -> &[u8] {
    let slot = &ring.slots[slot.0];
    &slot.mapping.bytes()[..slot.filled]
}

#[test]
fn every_slice_gets_its_start_code() {
    let mut ring = ring("default", 2);
    let nals: [&[u8]; 2] = [&[0x65, 1, 2], &[0x65, 3]];
    ring.fill(SlotId(1), &[0, 0, 1], nals.into_iter()).unwrap();
    assert_eq!(content(&ring, SlotId(1)), [0, 0, 1, 0x65, 1, 2, 0, 0, 1, 0x65, 3]);
    ring.fill(SlotId(1), &[], [nals[1]].into_iter()).unwrap();
    assert_eq!(
        content(&ring, SlotId(1)),
        [0x65, 3],
        "nothing of the picture before is left"
    );
}

#[test]
fn a_new_buffer_that_cannot_be_mapped_is_not_left_behind() {
    for options in ["default", "remove=off"] {
        let personality = Personality::parse(options).unwrap();
        let device = FaultyDevice::new(Arc::new(SoftDevice::new(personality)));
        let mut ring = ring_on(&device, 2);
        let nal = vec![7; SLOT + 1];
        for _ in 0..40 {
            device.inject(Fault::Errno(Verb::MapBuffer, Errno::ENOMEM), Occasion::Nth(1));
            let failed = ring.fill(SlotId(0), &[], [&nal[..]].into_iter());
            assert!(matches!(failed, Err(Error::Device(_))), "{failed:?}");
        }
        ring.fill(SlotId(0), &[], [&nal[..]].into_iter()).unwrap();
        assert_eq!(content(&ring, SlotId(0)), nal, "{options}");
        assert_eq!(ring.index(SlotId(0)).unwrap(), BufferIndex(2), "{options}");
    }
}

#[test]
fn a_slot_doubles_until_the_picture_fits_and_keeps_its_request() {
    for options in ["default", "remove=off"] {
        let mut ring = ring(options, 2);
        let (index, request) = (ring.index(SlotId(0)).unwrap(), ring.request(SlotId(0)).unwrap());
        for size in [SLOT, SLOT + 1, 3 * SLOT, 32 * SLOT] {
            let nal: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            ring.fill(SlotId(0), &[], [&nal[..]].into_iter()).unwrap();
            assert_eq!(content(&ring, SlotId(0)), nal, "{options}: nothing is cut off");
        }
        assert_ne!(ring.index(SlotId(0)).unwrap(), index);
        assert_eq!(ring.request(SlotId(0)).unwrap(), request);
        assert_eq!(ring.slots[1].mapping.len(), SLOT, "others grow when they must");
        let small = [0x65; 10];
        ring.fill(SlotId(1), &[], [&small[..]].into_iter()).unwrap();
    }
}

#[test]
fn what_no_slot_can_hold_is_refused_with_its_size() {
    let mut ring = ring("default", 1);
    let nal = vec![0x65; 32 * SLOT + 1];
    let refused = ring.fill(SlotId(0), &[], [&nal[..]].into_iter());
    assert!(
        matches!(&refused, Err(Error::Unsupported(why)) if why.contains("2097153 bytes")),
        "{refused:?}"
    );
    ring.fill(SlotId(0), &[], [&nal[..100]].into_iter()).unwrap();
}

#[test]
fn every_slot_may_grow_to_its_limit_in_a_queue_of_32() {
    let mut ring = ring("remove=off,buffers=32", 5);
    for doublings in 1..=MAX_DOUBLINGS {
        let nal = vec![0x65; SLOT << doublings];
        for slot in ring.ids() {
            ring.fill(slot, &[], [&nal[..]].into_iter()).unwrap();
        }
    }
}

#[test]
fn a_slot_that_is_not_there_is_a_bug_not_a_panic() {
    let mut ring = ring("default", 1);
    assert!(matches!(ring.request(SlotId(1)), Err(Error::Bug(_))));
    assert!(matches!(
        ring.fill(SlotId(9), &[], std::iter::empty()),
        Err(Error::Bug(_))
    ));
}
