//! Export, import, and what makes a memory findable as a reference.

use std::os::fd::AsFd;
use std::sync::Arc;

use nix::errno::Errno;

use super::rig::{Rig, capture_buffer, timestamp};
use super::stream::Picture;
use super::{Failure, Verdict, ensure, expect_errno};
use crate::device::format::frame_layout;
use crate::device::{BufferMemory, DecoderDevice, MemoryType, Queue};
use crate::memory::{FrameAllocator, FrameLayout, FrameMemory, Heap};
use crate::units::BufferIndex;

const NO_IMPORT: Verdict = Verdict::NotApplicable("no import");
const SILENT: Verdict = Verdict::NotApplicable("hardware conceals a missing reference silently, or crashes on it");

pub(super) fn an_orphaned_export_stays_readable(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::streaming(device, MemoryType::Mmap, 1)?;
    rig.queue_capture(0)?;
    let buffer = rig.decode(Picture::Grey(80), timestamp(0))?;
    let layout = frame_layout(&rig.capture)?;
    let planes = 0..rig.capture.planes.len() as u32;
    let fds = planes.map(|plane| rig.node.export_buffer(Queue::Capture, buffer.index, plane));
    let fds = fds.collect::<crate::Result<_>>()?;
    let memory = Arc::new(FrameMemory {
        fds,
        kind: device.capabilities().export_kind,
        layout,
    });
    rig.node.stream_off(Queue::Capture)?;
    rig.node.request_buffers(Queue::Capture, MemoryType::Mmap, 0)?;
    rig.expect_grey_memory(&memory, 80)?;
    let closed = rig.close()?;
    closed.expect_grey_memory(&memory, 80)?;
    Ok(Verdict::Held)
}

pub(super) fn memory_of_one_open_is_decoded_into_by_another(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    if !device.capabilities().dmabuf_import {
        return Ok(NO_IMPORT);
    }
    let rig = Rig::streaming(device, MemoryType::DmaBuf, 2)?;
    let memories = rig.memories(2)?;
    rig.queue_import(1, &memories[0])?;
    let buffer = rig.decode(Picture::Grey(81), timestamp(0))?;
    ensure!(
        buffer.index == BufferIndex(1) && !buffer.error,
        "decoding into imported memory gave {buffer:?}"
    );
    rig.queue_import(0, &memories[1])?;
    let copy = rig.decode(Picture::Copy(timestamp(0)), timestamp(1))?;
    ensure!(!copy.error, "imported memory was not found as a reference");
    rig.node.stream_off(Queue::Output)?;
    rig.node.stream_off(Queue::Capture)?;
    let closed = rig.close()?;
    closed.expect_grey_memory(&memories[0], 81)?;
    closed.expect_grey_memory(&memories[1], 81)?;
    Ok(Verdict::Held)
}

/// Memory like `layout`, but the last object is a page short.
fn too_short(layout: &FrameLayout) -> Result<FrameMemory, Failure> {
    let mut layout = layout.clone();
    if let Some(last) = layout.object_lengths.last_mut() {
        *last = last.saturating_sub(crate::sys::page_size()).max(1);
    }
    let allocate = |&length: &usize| Heap::best().allocate(length).map_err(crate::Error::from);
    let fds = layout
        .object_lengths
        .iter()
        .map(allocate)
        .collect::<crate::Result<_>>()?;
    Ok(FrameMemory {
        fds,
        kind: Heap::best().kind(),
        layout,
    })
}

pub(super) fn memory_that_is_too_short_is_refused(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    if !device.capabilities().dmabuf_import {
        return Ok(NO_IMPORT);
    }
    let rig = Rig::streaming(device, MemoryType::DmaBuf, 1)?;
    let memory = &rig.memories(1)?[0];
    let short = too_short(&memory.layout)?;
    expect_errno(rig.queue_import(0, &short), Errno::EINVAL)?;
    expect_errno(rig.allocator()?.prove(&short), Errno::EINVAL)?;
    // Short memory whose length is claimed to be enough.
    let liar = FrameMemory {
        layout: memory.layout.clone(),
        ..short
    };
    expect_errno(rig.queue_import(0, &liar), Errno::EFAULT)?;
    let no_planes = capture_buffer(0, BufferMemory::DmaBuf(&[]));
    expect_errno(rig.node.queue_buffer(Queue::Capture, &no_planes), Errno::EINVAL)?;
    let mapped = capture_buffer(0, BufferMemory::Mmap);
    expect_errno(rig.node.queue_buffer(Queue::Capture, &mapped), Errno::EINVAL)?;
    expect_errno(rig.node.export_buffer(Queue::Capture, BufferIndex(0), 0), Errno::EINVAL)?;
    rig.queue_import(0, memory)?;
    Ok(Verdict::Held)
}

/// Decodes a picture into index 0, queues index 1 as the next target, then index 0 again with `memory` (the same for
/// `None`), which must fail if it is `refused`; gives whether a copy of the first picture is damaged.
fn copy_after_requeue(
    device: &dyn DecoderDevice,
    memory: impl FnOnce(&Rig<'_>) -> Result<Option<FrameMemory>, Failure>,
    refused: bool,
) -> Result<bool, Failure> {
    let rig = Rig::streaming(device, MemoryType::DmaBuf, 2)?;
    let memories = rig.memories(2)?;
    rig.queue_import(0, &memories[0])?;
    rig.decode(Picture::Grey(82), timestamp(0))?;
    rig.queue_import(1, &memories[1])?;
    let queued = match memory(&rig)? {
        None => rig.queue_import(0, &memories[0]),
        Some(other) => rig.queue_import(0, &other),
    };
    ensure!(queued.is_err() == refused, "QBUF of index 0 again gave {queued:?}");
    let copy = rig.decode(Picture::Copy(timestamp(0)), timestamp(1))?;
    ensure!(copy.index == BufferIndex(1), "CAPTURE {} instead of 1", copy.index);
    if !copy.error {
        rig.expect_grey_memory(&memories[1], 82)?;
    }
    Ok(copy.error)
}

pub(super) fn a_requeued_memory_stays_a_reference(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    if !device.capabilities().dmabuf_import {
        return Ok(NO_IMPORT);
    }
    ensure!(
        !copy_after_requeue(device, |_| Ok(None), false)?,
        "queueing the same memory lost the reference"
    );
    Ok(Verdict::Held)
}

pub(super) fn a_rebinding_qbuf_loses_the_reference_at_once(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let capabilities = device.capabilities();
    if !capabilities.dmabuf_import || capabilities.hardware {
        return Ok(if capabilities.hardware { SILENT } else { NO_IMPORT });
    }
    let other = |rig: &Rig<'_>| Ok(Arc::into_inner(rig.memories(1)?.swap_remove(0)));
    ensure!(
        copy_after_requeue(device, other, false)?,
        "the reference was found in memory that is bound no more"
    );
    Ok(Verdict::Held)
}

pub(super) fn a_failed_qbuf_loses_the_reference_at_once(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let capabilities = device.capabilities();
    if !capabilities.dmabuf_import || capabilities.hardware {
        return Ok(if capabilities.hardware { SILENT } else { NO_IMPORT });
    }
    let short = |rig: &Rig<'_>| too_short(&frame_layout(&rig.capture)?).map(Some);
    ensure!(
        copy_after_requeue(device, short, true)?,
        "the reference was found after a QBUF that failed"
    );
    Ok(Verdict::Held)
}

pub(super) fn an_export_shows_as_mapped_until_it_is_dropped(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let mut rig = Rig::open(device)?;
    rig.allocate(MemoryType::Mmap, 2)?;
    let mapped = |index| {
        rig.node
            .query_buffer(Queue::Capture, BufferIndex(index))
            .map(|state| state.mapped)
    };
    ensure!(!mapped(0)?, "a new buffer shows as mapped");
    let export = rig.node.export_buffer(Queue::Capture, BufferIndex(0), 0)?;
    let duplicate = export.as_fd().try_clone_to_owned();
    drop(export);
    ensure!(
        duplicate.is_ok() && mapped(0)? && !mapped(1)?,
        "an export does not show, or at the wrong buffer"
    );
    drop(duplicate);
    ensure!(!mapped(0)?, "a dropped export still shows");
    let mapping = rig.node.map_buffer(Queue::Capture, BufferIndex(0), 0)?;
    ensure!(mapped(0)?, "a mapping does not show");
    drop(mapping);
    ensure!(!mapped(0)?, "a dropped mapping still shows");
    expect_errno(rig.node.export_buffer(Queue::Capture, BufferIndex(0), 3), Errno::EINVAL)?;
    expect_errno(rig.node.map_buffer(Queue::Capture, BufferIndex(2), 0), Errno::EINVAL)?;
    Ok(Verdict::Held)
}

pub(super) fn output_is_not_imported(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    let rig = Rig::open(device)?;
    let created = rig
        .node
        .create_buffers(Queue::Output, MemoryType::Mmap, 0, &rig.output)?;
    if created.capabilities.dmabuf {
        return Ok(Verdict::NotApplicable("OUTPUT imports too"));
    }
    expect_errno(
        rig.node.request_buffers(Queue::Output, MemoryType::DmaBuf, 1),
        Errno::EINVAL,
    )?;
    if !device.capabilities().dmabuf_import {
        expect_errno(
            rig.node.request_buffers(Queue::Capture, MemoryType::DmaBuf, 1),
            Errno::EINVAL,
        )?;
    }
    Ok(Verdict::Held)
}

pub(super) fn a_proof_leaves_the_allocator_as_it_was(device: &dyn DecoderDevice) -> Result<Verdict, Failure> {
    if !device.capabilities().dmabuf_import {
        return Ok(NO_IMPORT);
    }
    let rig = Rig::open(device)?;
    let allocator = rig.allocator()?;
    let memory = allocator.allocate(&rig.capture)?;
    allocator.prove(&memory)?;
    allocator.prove(&memory)?;
    let other = allocator.allocate(&rig.capture)?;
    ensure!(other.layout == memory.layout, "two memories of one format differ");
    rig.expect_grey_memory(&other, 0)?;
    Ok(Verdict::Held)
}
