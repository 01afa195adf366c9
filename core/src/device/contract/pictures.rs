//! Decoding: jobs, references, errors, held CAPTURE buffers.

use super::rig::{Rig, timestamp};
use super::stream::{Picture, Submission, macroblocks, sps};
use super::{Failure, Verdict, ensure};
use crate::device::{Control, DecodeMode, DecoderDevice, Dequeued, MemoryType, Queue};
use crate::units::{BufferIndex, Size};

const NO_HOLD: Verdict = Verdict::NotApplicable("no held CAPTURE buffers");
const SILENT: Verdict = Verdict::NotApplicable("hardware conceals silently");

pub(super) fn pictures_are_right_and_references_are_found_by_timestamp(
    device: &dyn DecoderDevice,
) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 4)?;
    (0..4).try_for_each(|index| rig.queue_capture(index))?;
    // All in flight at once.
    rig.submit(0, Picture::Grey(10), timestamp(0))?;
    rig.submit(1, Picture::Grey(200), timestamp(1))?;
    rig.submit(2, Picture::Copy(timestamp(0)), timestamp(2))?;
    rig.submit(3, Picture::Copy(timestamp(1)), timestamp(3))?;
    for (slot, value) in [(0, 10), (1, 200), (2, 10), (3, 200)] {
        let buffer = rig.collect(slot)?;
        ensure!(
            buffer.timestamp == Some(timestamp(u64::from(slot))),
            "slot {slot}: {:?}",
            buffer.timestamp
        );
        ensure!(!buffer.error, "slot {slot} has the ERROR flag");
        rig.expect_grey(buffer.index, value)?;
    }
    Ok(Verdict::Held)
}

pub(super) fn capture_buffers_are_taken_first_in_first_out(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 3)?;
    [2, 0, 1].into_iter().try_for_each(|index| rig.queue_capture(index))?;
    for (slot, index) in [(0, 2), (1, 0), (2, 1)] {
        rig.submit(slot, Picture::Grey(30 + slot as u8), timestamp(u64::from(slot)))?;
        let buffer = rig.collect(slot)?;
        ensure!(
            buffer.index == BufferIndex(index),
            "CAPTURE {} instead of {index}",
            buffer.index
        );
        let length = rig.node.query_buffer(Queue::Capture, buffer.index)?.length;
        ensure!(
            buffer.bytes_used > 0 && buffer.bytes_used <= length,
            "{} bytes of {length}",
            buffer.bytes_used
        );
        rig.expect_grey(buffer.index, 30 + slot as u8)?;
    }
    Ok(Verdict::Held)
}

pub(super) fn a_request_waits_for_a_capture_buffer(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    rig.submit(0, Picture::Grey(33), timestamp(0))?;
    rig.stays_pending(0)?;
    ensure!(
        rig.node.dequeue_buffer(Queue::Output)? == Dequeued::NotReady,
        "OUTPUT came back undecoded"
    );
    rig.queue_capture(0)?;
    let buffer = rig.collect(0)?;
    rig.expect_grey(buffer.index, 33)?;
    Ok(Verdict::Held)
}

pub(super) fn the_first_index_with_the_timestamp_wins(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 3)?;
    // The later picture lies at the lower index.
    for (index, value) in [(1, 20), (0, 21)] {
        rig.queue_capture(index)?;
        rig.decode(Picture::Grey(value), timestamp(0))?;
    }
    rig.queue_capture(2)?;
    let copy = rig.decode(Picture::Copy(timestamp(0)), timestamp(1))?;
    rig.expect_grey(copy.index, 21)?;
    Ok(Verdict::Held)
}

pub(super) fn a_missing_reference_is_an_error(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    if device.capabilities().hardware {
        return Ok(SILENT);
    }
    let rig = Rig::streaming(device, MemoryType::Mmap, 2)?;
    rig.queue_capture(0)?;
    let copy = rig.decode(Picture::Copy(timestamp(7)), timestamp(0))?;
    ensure!(copy.error, "a reference that never was is no error");
    rig.queue_capture(1)?;
    let itself = rig.decode(Picture::Copy(timestamp(1)), timestamp(1))?;
    ensure!(itself.error, "a frame that refers to itself is no error");
    Ok(Verdict::Held)
}

pub(super) fn damaged_slice_data_is_an_error_of_its_picture_alone(
    device: &dyn DecoderDevice,
) -> Result<Verdict, Failure> {
    if device.capabilities().hardware {
        return Ok(SILENT);
    }
    let rig = Rig::streaming(device, MemoryType::Mmap, 4)?;
    (0..4).try_for_each(|index| rig.queue_capture(index))?;
    let mut truncated = rig.whole(Picture::Grey(100));
    truncated.bitstream.truncate(truncated.bitstream.len() / 2);
    let mut garbage = rig.whole(Picture::Grey(100));
    garbage.bitstream.fill(0xff);
    rig.submit_part(0, &truncated, timestamp(0), false)?;
    rig.submit_part(1, &garbage, timestamp(1), false)?;
    rig.submit(2, Picture::Grey(101), timestamp(2))?;
    for (slot, error) in [(0, true), (1, true), (2, false)] {
        let buffer = rig.collect(slot)?;
        ensure!(buffer.error == error, "slot {slot}: ERROR is {}", buffer.error);
        if !error {
            rig.expect_grey(buffer.index, 101)?;
        }
    }
    Ok(Verdict::Held)
}

/// What two requests of one held CAPTURE buffer hold: the halves of a picture in slice mode, else the same picture twice.
fn two_parts(rig: &Rig<'_>, value: u8) -> [Submission; 2] {
    let count = macroblocks(rig.size);
    let part = |range| Submission::part(rig.size, Picture::Grey(value), rig.mode(), rig.start_code(), range);
    match rig.mode() {
        DecodeMode::FrameBased => [part(0..count), part(0..count)],
        DecodeMode::SliceBased => [part(0..count / 2), part(count / 2..count)],
    }
}

/// The first of two parts of a picture is decoded, with hold; its CAPTURE buffer, index 0 of 2, stays with the device.
fn held<'a>(device: &'a dyn DecoderDevice, value: u8) -> Result<Rig<'a>, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 2)?;
    rig.queue_capture(0)?;
    rig.submit_part(0, &two_parts(&rig, value)[0], timestamp(0), true)?;
    rig.wait(0)?;
    rig.dequeue(Queue::Output)?;
    ensure!(
        rig.node.dequeue_buffer(Queue::Capture)? == Dequeued::NotReady,
        "the CAPTURE buffer was not held"
    );
    Ok(rig)
}

pub(super) fn a_held_capture_buffer_takes_several_requests(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    if !device.capabilities().hold_capture {
        return Ok(NO_HOLD);
    }
    let rig = held(device, 110)?;
    rig.submit_part(1, &two_parts(&rig, 110)[1], timestamp(0), false)?;
    let buffer = rig.collect(1)?;
    ensure!(
        buffer.index == BufferIndex(0) && !buffer.error,
        "the second request gave {buffer:?}"
    );
    rig.expect_grey(buffer.index, 110)?;
    Ok(Verdict::Held)
}

pub(super) fn a_held_capture_buffer_is_let_go_by_the_next_picture(
    device: &dyn DecoderDevice,
) -> Result<Verdict, Failure> {
    if !device.capabilities().hold_capture {
        return Ok(NO_HOLD);
    }
    let rig = held(device, 111)?;
    rig.queue_capture(1)?;
    rig.submit(1, Picture::Grey(112), timestamp(1))?;
    let first = rig.collect(1)?;
    let second = rig.dequeue(Queue::Capture)?;
    ensure!(
        (first.index, second.index) == (BufferIndex(0), BufferIndex(1)),
        "{first:?}, then {second:?}"
    );
    ensure!(
        first.timestamp == Some(timestamp(0)),
        "the held buffer has {:?}",
        first.timestamp
    );
    rig.expect_grey(second.index, 112)?;
    Ok(Verdict::Held)
}

pub(super) fn a_held_capture_buffer_that_nothing_follows_is_let_go_by_flush(
    device: &dyn DecoderDevice,
) -> Result<Verdict, Failure> {
    if !device.capabilities().hold_capture {
        return Ok(NO_HOLD);
    }
    let rig = held(device, 113)?;
    rig.node.flush()?;
    let buffer = rig.dequeue(Queue::Capture)?;
    ensure!(buffer.index == BufferIndex(0), "flush gave {buffer:?}");
    rig.node.flush()?;
    ensure!(
        rig.node.dequeue_buffer(Queue::Capture)? == Dequeued::NotReady,
        "a second flush gave a buffer"
    );
    rig.queue_capture(1)?;
    rig.submit(1, Picture::Grey(114), timestamp(1))?;
    let next = rig.collect(1)?;
    ensure!(next.index == BufferIndex(1), "the next picture came as {next:?}");
    rig.expect_grey(next.index, 114)?;
    Ok(Verdict::Held)
}

pub(super) fn without_hold_a_capture_buffer_that_is_queued_again_takes_the_next_slice(
    device: &dyn DecoderDevice,
) -> Result<Verdict, Failure> {
    let capabilities = device.capabilities();
    if capabilities.hold_capture || capabilities.decode_modes.first() != Some(&DecodeMode::SliceBased) {
        return Ok(Verdict::NotApplicable("slices do not come without hold"));
    }
    let rig = Rig::streaming(device, MemoryType::Mmap, 2)?;
    for (value, time) in [(115, 0), (116, 1)] {
        for part in two_parts(&rig, value) {
            rig.queue_capture(0)?;
            rig.submit_part(0, &part, timestamp(time), false)?;
            let buffer = rig.collect(0)?;
            ensure!(
                buffer.index == BufferIndex(0) && !buffer.error,
                "a slice gave {buffer:?}"
            );
        }
        rig.expect_grey(BufferIndex(0), value)?;
    }
    rig.queue_capture(1)?;
    rig.submit(0, Picture::Copy(timestamp(1)), timestamp(2))?;
    let copy = rig.collect(0)?;
    ensure!(!copy.error, "the picture of two slices is no reference");
    rig.expect_grey(copy.index, 116)?;
    Ok(Verdict::Held)
}

pub(super) fn opens_are_independent(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let (one, other) = (
        Rig::streaming(device, MemoryType::Mmap, 2)?,
        Rig::streaming(device, MemoryType::Mmap, 2)?,
    );
    for (rig, value) in [(&one, 120), (&other, 121)] {
        rig.queue_capture(0)?;
        rig.decode(Picture::Grey(value), timestamp(0))?;
    }
    one.node.stream_off(Queue::Capture)?;
    other.queue_capture(1)?;
    let copy = other.decode(Picture::Copy(timestamp(0)), timestamp(1))?;
    ensure!(!copy.error, "STREAMOFF of one open lost a reference of another");
    other.expect_grey(copy.index, 121)?;
    Ok(Verdict::Held)
}

pub(super) fn another_size_follows_without_closing(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let mut rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    rig.queue_capture(0)?;
    rig.decode(Picture::Grey(130), timestamp(0))?;
    for queue in [Queue::Output, Queue::Capture] {
        rig.node.stream_off(queue)?;
        rig.node.request_buffers(queue, MemoryType::Mmap, 0)?;
    }
    rig.size = Size {
        width: rig.size.width + 32,
        height: rig.size.height + 16,
    };
    rig.output.size = rig.size;
    rig.output = rig.node.set_format(Queue::Output, &rig.output)?;
    let sps = sps(rig.size);
    rig.node.set_controls(None, &[Control::Sps(&sps)])?;
    rig.negotiate_capture()?;
    rig.allocate(MemoryType::Mmap, 1)?;
    rig.start()?;
    rig.queue_capture(0)?;
    let buffer = rig.decode(Picture::Grey(131), timestamp(1))?;
    rig.expect_grey(buffer.index, 131)?;
    Ok(Verdict::Held)
}
