//! The rules of the request API and of controls.

use nix::errno::Errno;
use v4l2r::bindings as v4l2;

use super::rig::{Rig, capture_buffer, timestamp};
use super::stream::{Picture, sps};
use super::{Failure, Verdict, ensure, expect_errno};
use crate::device::{BufferMemory, Control, DecodeMode, DecoderDevice, MemoryType, Queue, QueueBuffer, StartCode};
use crate::units::Size;

pub(super) fn a_request_needs_exactly_one_buffer(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    let request = rig.requests[0];
    expect_errno(rig.node.queue_request(request), Errno::ENOENT)?;
    rig.node
        .queue_buffer(Queue::Output, &rig.output_buffer(0, 64, timestamp(0)))?;
    let second = QueueBuffer {
        request: Some(request),
        ..rig.output_buffer(1, 64, timestamp(1))
    };
    rig.node.queue_buffer(Queue::Output, &second)?;
    expect_errno(rig.node.queue_request(request), Errno::EINVAL)?;
    Ok(Verdict::Held)
}

pub(super) fn a_queued_request_takes_nothing_more(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    let request = rig.requests[0];
    rig.submit(0, Picture::Grey(50), timestamp(0))?;
    rig.stays_pending(0)?;
    expect_errno(rig.node.queue_request(request), Errno::EBUSY)?;
    expect_errno(rig.node.reinit_request(request), Errno::EBUSY)?;
    expect_errno(
        rig.node.set_controls(Some(request), &[Control::Sps(&sps(rig.size))]),
        Errno::EBUSY,
    )?;
    let other = QueueBuffer {
        request: Some(request),
        ..rig.output_buffer(1, 64, timestamp(1))
    };
    expect_errno(rig.node.queue_buffer(Queue::Output, &other), Errno::EBUSY)?;
    rig.queue_capture(0)?;
    rig.wait(0)?;
    expect_errno(rig.node.queue_request(request), Errno::EBUSY)?;
    rig.node.reinit_request(request)?;
    expect_errno(rig.node.queue_request(request), Errno::ENOENT)?;
    Ok(Verdict::Held)
}

pub(super) fn capture_belongs_to_no_request(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    let capture = capture_buffer(0, BufferMemory::Mmap);
    let with_request = QueueBuffer {
        request: Some(rig.requests[0]),
        ..capture
    };
    expect_errno(rig.node.queue_buffer(Queue::Capture, &with_request), Errno::EPERM)?;
    rig.node.queue_buffer(Queue::Capture, &capture)?;
    Ok(Verdict::Held)
}

pub(super) fn output_belongs_to_a_request_once_one_was_used(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    rig.node
        .queue_buffer(Queue::Output, &rig.output_buffer(1, 64, timestamp(1)))?;
    let without = QueueBuffer {
        request: None,
        ..rig.output_buffer(0, 64, timestamp(0))
    };
    // A driver that takes requests only says EBADR, one that has no choice any more EBUSY.
    let refused = rig.node.queue_buffer(Queue::Output, &without);
    expect_errno(refused.clone(), Errno::EBADR).or_else(|_| expect_errno(refused, Errno::EBUSY))?;
    Ok(Verdict::Held)
}

pub(super) fn a_control_that_the_device_lacks_is_refused_whole(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::open(device)?;
    let capabilities = device.capabilities();
    let slice_params = Default::default();
    for mode in [DecodeMode::FrameBased, DecodeMode::SliceBased] {
        if !capabilities.decode_modes.contains(&mode) {
            expect_errno(rig.node.set_controls(None, &[Control::DecodeMode(mode)]), Errno::EINVAL)?;
        }
    }
    for code in [StartCode::AnnexB, StartCode::None] {
        if !capabilities.start_codes.contains(&code) {
            expect_errno(rig.node.set_controls(None, &[Control::StartCode(code)]), Errno::EINVAL)?;
        }
    }
    if !capabilities.decode_modes.contains(&DecodeMode::SliceBased) {
        let controls = [Control::Sps(&sps(rig.size)), Control::SliceParams(&slice_params)];
        expect_errno(rig.node.set_controls(None, &controls), Errno::EINVAL)?;
    }
    Ok(Verdict::Held)
}

pub(super) fn an_undecodable_sps_is_refused(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let capabilities = device.capabilities();
    if capabilities.driver == "visl" {
        return Ok(Verdict::NotApplicable("visl takes every SPS"));
    }
    let rig = Rig::open(device)?;
    let good = sps(rig.size);
    let mut bad = vec![sps(Size {
        width: rig.output.size.width + 16,
        ..rig.size
    })];
    if capabilities.max_bit_depth < 10 {
        bad.push(v4l2::v4l2_ctrl_h264_sps {
            profile_idc: 110,
            bit_depth_luma_minus8: 2,
            ..good
        });
    }
    if !capabilities.chroma_422 {
        bad.push(v4l2::v4l2_ctrl_h264_sps {
            profile_idc: 122,
            chroma_format_idc: 2,
            ..good
        });
    }
    for sps in &bad {
        expect_errno(rig.node.set_controls(None, &[Control::Sps(sps)]), Errno::EINVAL)?;
    }
    rig.node.set_controls(None, &[Control::Sps(&good)])?;
    Ok(Verdict::Held)
}

pub(super) fn the_controls_of_a_request_persist(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 2)?;
    rig.queue_capture(0)?;
    let first = rig.decode(Picture::Grey(40), timestamp(0))?;
    rig.expect_grey(first.index, 40)?;
    // Another picture of the same kind: only one control is given anew.
    let again = rig.whole(Picture::Grey(41));
    rig.fill(1, &again.bitstream)?;
    rig.node
        .set_controls(Some(rig.requests[1]), &[Control::DecodeParams(&again.decode_params)])?;
    rig.node.queue_buffer(
        Queue::Output,
        &rig.output_buffer(1, again.bitstream.len(), timestamp(1)),
    )?;
    rig.queue_capture(1)?;
    rig.node.queue_request(rig.requests[1])?;
    let second = rig.collect(1)?;
    ensure!(
        !second.error,
        "the request had no controls, but those of the one before hold"
    );
    rig.expect_grey(second.index, 41)?;
    Ok(Verdict::Held)
}

pub(super) fn stream_off_completes_queued_requests(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    rig.submit(0, Picture::Grey(50), timestamp(0))?;
    rig.submit(1, Picture::Grey(51), timestamp(1))?;
    rig.stays_pending(0)?;
    rig.node.stream_off(Queue::Output)?;
    for slot in [0, 1] {
        rig.wait(slot)?;
        rig.node.reinit_request(rig.requests[slot as usize])?;
    }
    rig.node.stream_on(Queue::Output)?;
    rig.queue_capture(0)?;
    let buffer = rig.decode(Picture::Grey(52), timestamp(2))?;
    rig.expect_grey(buffer.index, 52)?;
    Ok(Verdict::Held)
}

pub(super) fn a_request_closed_in_flight_is_still_decoded(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    rig.submit(0, Picture::Grey(60), timestamp(0))?;
    rig.node.close_request(rig.requests[0]);
    rig.queue_capture(0)?;
    let buffer = rig.dequeue(Queue::Capture)?;
    ensure!(
        buffer.timestamp == Some(timestamp(0)),
        "timestamp {:?}",
        buffer.timestamp
    );
    rig.expect_grey(buffer.index, 60)?;
    Ok(Verdict::Held)
}

pub(super) fn a_reinitialised_request_lets_its_buffer_go(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    let buffer = rig.output_buffer(0, 64, timestamp(0));
    rig.node.queue_buffer(Queue::Output, &buffer)?;
    expect_errno(rig.node.queue_buffer(Queue::Output, &buffer), Errno::EINVAL)?;
    rig.node.reinit_request(rig.requests[0])?;
    expect_errno(rig.node.queue_request(rig.requests[0]), Errno::ENOENT)?;
    rig.node.queue_buffer(Queue::Output, &buffer)?;
    Ok(Verdict::Held)
}
