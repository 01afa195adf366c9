//! The rules of videobuf2: formats, buffers, streaming.

use nix::errno::Errno;

use super::rig::{Rig, SLOTS, capture_buffer, timestamp};
use super::stream::Picture;
use super::{Failure, Verdict, ensure, expect_errno};
use crate::device::{BufferMemory, DecoderDevice, Dequeued, MemoryType, Queue};
use crate::units::BufferIndex;

pub(super) fn a_format_is_fixed_while_its_queue_has_buffers(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let mut rig = Rig::open(device)?;
    rig.allocate(MemoryType::Mmap, 2)?;
    expect_errno(rig.node.set_format(Queue::Output, &rig.output), Errno::EBUSY)?;
    // Not every driver of the kernel looks (hantro and visl of Linux 6.12 do not).
    let capture = rig.node.set_format(Queue::Capture, &rig.capture);
    if !device.capabilities().hardware || capture.is_err() {
        expect_errno(capture, Errno::EBUSY)?;
    }
    rig.node.request_buffers(Queue::Output, MemoryType::Mmap, 0)?;
    rig.node.request_buffers(Queue::Capture, MemoryType::Mmap, 0)?;
    for (queue, format) in [(Queue::Output, &rig.output), (Queue::Capture, &rig.capture)] {
        ensure!(
            rig.node.set_format(queue, format)? == *format,
            "{queue:?}: the same format is answered differently"
        );
    }
    Ok(Verdict::Held)
}

pub(super) fn streaming_needs_buffers(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let mut rig = Rig::open(device)?;
    for queue in [Queue::Output, Queue::Capture] {
        expect_errno(rig.node.stream_on(queue), Errno::EINVAL)?;
        rig.node.stream_off(queue)?;
    }
    rig.allocate(MemoryType::Mmap, 1)?;
    rig.start()?;
    rig.start()?;
    Ok(Verdict::Held)
}

pub(super) fn a_queue_is_not_reallocated_while_it_streams(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 2)?;
    for queue in [Queue::Output, Queue::Capture] {
        expect_errno(rig.node.request_buffers(queue, MemoryType::Mmap, 0), Errno::EBUSY)?;
        expect_errno(rig.node.request_buffers(queue, MemoryType::Mmap, 3), Errno::EBUSY)?;
    }
    Ok(Verdict::Held)
}

pub(super) fn a_buffer_is_queued_once_and_only_if_it_exists(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    rig.queue_capture(0)?;
    ensure!(
        rig.node.query_buffer(Queue::Capture, BufferIndex(0))?.queued,
        "QUERYBUF does not show it as queued"
    );
    for index in [0, 1, u32::MAX] {
        let again = rig
            .node
            .queue_buffer(Queue::Capture, &capture_buffer(index, BufferMemory::Mmap));
        expect_errno(again, Errno::EINVAL)?;
    }
    expect_errno(rig.node.query_buffer(Queue::Capture, BufferIndex(1)), Errno::EINVAL)?;
    let buffer = rig.output_buffer(0, rig.output.planes[0].size_image as usize * 2, timestamp(1));
    expect_errno(rig.node.queue_buffer(Queue::Output, &buffer), Errno::EINVAL)?;
    Ok(Verdict::Held)
}

pub(super) fn dequeueing_needs_streaming_and_never_blocks(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let mut rig = Rig::open(device)?;
    rig.allocate(MemoryType::Mmap, 1)?;
    for queue in [Queue::Output, Queue::Capture] {
        expect_errno(rig.node.dequeue_buffer(queue), Errno::EINVAL)?;
    }
    rig.start()?;
    rig.queue_capture(0)?;
    for queue in [Queue::Output, Queue::Capture] {
        ensure!(
            rig.node.dequeue_buffer(queue)? == Dequeued::NotReady,
            "{queue:?} gave a buffer that was not decoded"
        );
    }
    Ok(Verdict::Held)
}

pub(super) fn stream_off_returns_every_buffer(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 3)?;
    rig.queue_capture(0)?;
    rig.queue_capture(1)?;
    for slot in 0..3 {
        rig.submit(slot, Picture::Grey(90), timestamp(u64::from(slot)))?;
    }
    rig.wait(0)?;
    for (queue, count) in [(Queue::Output, SLOTS), (Queue::Capture, 3)] {
        rig.node.stream_off(queue)?;
        for index in 0..count {
            let state = rig.node.query_buffer(queue, BufferIndex(index))?;
            ensure!(
                !state.queued && !state.done,
                "{queue:?} {index} stays with the driver: {state:?}"
            );
        }
    }
    rig.requests
        .iter()
        .try_for_each(|&request| rig.node.reinit_request(request))?;
    rig.start()?;
    rig.queue_capture(2)?;
    let buffer = rig.decode(Picture::Grey(91), timestamp(10))?;
    rig.expect_grey(buffer.index, 91)?;
    Ok(Verdict::Held)
}

pub(super) fn freeing_the_output_queue_empties_its_requests(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let mut rig = Rig::open(device)?;
    rig.allocate(MemoryType::Mmap, 1)?;
    rig.node
        .queue_buffer(Queue::Output, &rig.output_buffer(0, 64, timestamp(0)))?;
    rig.node.request_buffers(Queue::Output, MemoryType::Mmap, 0)?;
    rig.allocate(MemoryType::Mmap, 1)?;
    expect_errno(rig.node.queue_request(rig.requests[0]), Errno::ENOENT)?;
    rig.start()?;
    rig.queue_capture(0)?;
    let buffer = rig.decode(Picture::Grey(92), timestamp(1))?;
    rig.expect_grey(buffer.index, 92)?;
    Ok(Verdict::Held)
}

pub(super) fn stream_off_forgets_references(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    if device.capabilities().hardware {
        return Ok(Verdict::NotApplicable("hardware conceals a missing reference silently"));
    }
    let rig = Rig::streaming(device, MemoryType::Mmap, 2)?;
    rig.queue_capture(0)?;
    rig.decode(Picture::Grey(70), timestamp(0))?;
    rig.node.stream_off(Queue::Capture)?;
    rig.node.stream_on(Queue::Capture)?;
    rig.queue_capture(1)?;
    let copy = rig.decode(Picture::Copy(timestamp(0)), timestamp(1))?;
    ensure!(copy.error, "a reference survived STREAMOFF");
    Ok(Verdict::Held)
}

pub(super) fn larger_bitstream_buffers_join_while_streaming(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    let mut larger = rig.output.clone();
    larger.planes[0].size_image *= 2;
    let created = rig.node.create_buffers(Queue::Output, MemoryType::Mmap, 1, &larger)?;
    ensure!(
        created.first == BufferIndex(SLOTS) && created.count == 1,
        "CREATE_BUFS gave {created:?}"
    );
    let length = rig.node.query_buffer(Queue::Output, created.first)?.length;
    ensure!(
        length >= larger.planes[0].size_image as usize,
        "the new buffer has {length} bytes"
    );
    let mut smaller = rig.output.clone();
    smaller.planes[0].size_image /= 2;
    expect_errno(
        rig.node.create_buffers(Queue::Output, MemoryType::Mmap, 1, &smaller),
        Errno::EINVAL,
    )?;
    Ok(Verdict::Held)
}

pub(super) fn a_queue_has_no_more_buffers_than_the_device_says(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::open(device)?;
    let asked = rig
        .node
        .create_buffers(Queue::Output, MemoryType::Mmap, 0, &rig.output)?;
    ensure!(asked.count == 0, "asking made {} buffers", asked.count);
    let max = asked.capabilities.max_num_buffers;
    let made = rig.node.request_buffers(Queue::Output, MemoryType::Mmap, max + 1)?;
    ensure!(made.count == max, "{} of at most {max} buffers", made.count);
    expect_errno(
        rig.node.create_buffers(Queue::Output, MemoryType::Mmap, 1, &rig.output),
        Errno::ENOBUFS,
    )?;
    Ok(Verdict::Held)
}

pub(super) fn a_removed_buffer_is_gone_and_its_queue_stays_busy(
    device: &dyn DecoderDevice,
) -> Result<Verdict, Failure> {
    if !device.capabilities().remove_bufs {
        return Ok(Verdict::NotApplicable("no REMOVE_BUFS"));
    }
    let mut rig = Rig::open(device)?;
    rig.allocate(MemoryType::Mmap, 2)?;
    rig.queue_capture(1)?;
    expect_errno(rig.node.remove_buffer(Queue::Capture, BufferIndex(1)), Errno::EBUSY)?;
    rig.node.remove_buffer(Queue::Capture, BufferIndex(0))?;
    expect_errno(rig.node.remove_buffer(Queue::Capture, BufferIndex(0)), Errno::EINVAL)?;
    expect_errno(rig.node.query_buffer(Queue::Capture, BufferIndex(0)), Errno::EINVAL)?;
    rig.node.stream_off(Queue::Capture)?;
    rig.node.remove_buffer(Queue::Capture, BufferIndex(1))?;
    // The OUTPUT format decides the CAPTURE format, so a busy CAPTURE queue keeps it.
    expect_errno(rig.node.set_format(Queue::Output, &rig.output), Errno::EBUSY)?;
    let again = rig
        .node
        .create_buffers(Queue::Capture, MemoryType::Mmap, 1, &rig.capture)?;
    ensure!(again.count == 1, "no buffer after the last was removed");
    Ok(Verdict::Held)
}
