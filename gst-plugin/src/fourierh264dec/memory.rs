//! GstMemory over the decoder's frame memory: the plugin's only unsafe code.
//!
//! Each memory shows the frame memory's own file descriptor, keeps that open and the frame from being decoded into again,
//! so it may outlive the pool and the element. It is read-only: it is the reference of pictures to come.
#![expect(
    unsafe_code,
    reason = "gstreamer-allocators takes file descriptors and GstMiniObject user data only so"
)]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::{Arc, LazyLock};

use fourier_core::memory::{FrameMemory, MemoryKind};
use gst::ffi;
use gst::glib;
use gst::glib::translate::IntoGlib;
use gst_allocators::prelude::*;

static DMABUF: LazyLock<gst_allocators::DmaBufAllocator> = LazyLock::new(gst_allocators::DmaBufAllocator::new);
static FD: LazyLock<gst_allocators::FdAllocator> = LazyLock::new(gst_allocators::FdAllocator::new);
static FRAME: LazyLock<glib::Quark> = LazyLock::new(|| glib::Quark::from_str("fourier-frame"));

/// One GstMemory for each object of `memory`, all of them together in the order of its file descriptors.
///
/// Each holds a clone of `frame` until it is freed, by whatever thread.
///
/// # Errors
/// GStreamer refuses.
pub(super) fn wrap<F>(memory: &Arc<FrameMemory>, frame: &F) -> Result<Vec<gst::Memory>, glib::BoolError>
where
    F: Clone + Send + Sync + 'static,
{
    let objects = memory.fds.iter().zip(&memory.layout.object_lengths);
    objects
        .map(|(fd, &length)| {
            let mut wrapped = allocate(memory.kind, fd.as_fd(), length)?;
            // The memory goes last: it has the file descriptor.
            protect(&mut wrapped, (frame.clone(), Arc::clone(memory)))?;
            Ok(wrapped)
        })
        .collect()
}

/// The caller keeps `fd` open for as long as the memory lives.
fn allocate(kind: MemoryKind, fd: BorrowedFd<'_>, length: usize) -> Result<gst::Memory, glib::BoolError> {
    let flags = gst_allocators::FdMemoryFlags::KEEP_MAPPED | gst_allocators::FdMemoryFlags::DONT_CLOSE;
    match kind {
        // SAFETY: fd is open, and the memory leaves it to its owner.
        MemoryKind::DmaBuf => unsafe { DMABUF.alloc_dmabuf_with_flags(fd.as_raw_fd(), length, flags) },
        // SAFETY: as above.
        MemoryKind::MemFd => unsafe { FD.alloc_fd(fd.as_raw_fd(), length, flags) },
    }
}

/// Makes `memory` read-only, and hangs `frame` on it until it is freed.
fn protect<F: Send + Sync + 'static>(memory: &mut gst::Memory, frame: F) -> Result<(), glib::BoolError> {
    let memory = memory
        .get_mut()
        .ok_or_else(|| glib::bool_error!("a new memory is shared already"))?;
    let object = memory.as_mut_ptr().cast::<ffi::GstMiniObject>();
    // SAFETY: every GstMemory begins with a GstMiniObject, and nobody else has this one yet.
    unsafe { (*object).flags |= ffi::GST_MEMORY_FLAG_READONLY };
    let frame = Box::into_raw(Box::new(frame));
    // SAFETY: object is alive; `drop_frame::<F>` gets `frame` exactly once, on any thread, and F is Send.
    unsafe { ffi::gst_mini_object_set_qdata(object, FRAME.into_glib(), frame.cast(), Some(drop_frame::<F>)) };
    Ok(())
}

/// # Safety
/// `frame` is a `Box<F>` that nobody else has.
unsafe extern "C" fn drop_frame<F>(frame: glib::ffi::gpointer) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(frame.cast::<F>()) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourier_core::memory::{FrameLayout, PlaneLayout};
    use fourier_core::units::Size;
    use std::io::{Read, Seek, Write};

    const LENGTH: usize = 4096;

    fn memfd(content: u8) -> Arc<FrameMemory> {
        let name = std::env::temp_dir().join(format!("fourier-{}-{content}", std::process::id()));
        let mut file = std::fs::File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&name)
            .unwrap();
        std::fs::remove_file(name).unwrap();
        file.write_all(&[content; LENGTH]).unwrap();
        Arc::new(FrameMemory {
            fds: vec![file.into()],
            kind: MemoryKind::MemFd,
            layout: FrameLayout {
                fourcc: u32::from_le_bytes(*b"NV12"),
                modifier: Some(0),
                size: Size { width: 32, height: 32 },
                planes: vec![PlaneLayout {
                    object: 0,
                    offset: 0,
                    pitch: 64,
                }],
                object_lengths: vec![LENGTH],
            },
        })
    }

    fn wrap_one<F: Clone + Send + Sync + 'static>(memory: &Arc<FrameMemory>, frame: &F) -> gst::Memory {
        gst::init().unwrap();
        wrap(memory, frame).unwrap().pop().unwrap()
    }

    #[test]
    fn a_wrapped_memory_shows_the_samples_and_outlives_the_frame_memory() {
        let memory = memfd(7);
        let wrapped = wrap_one(&memory, &());
        let descriptor = memory.fds[0].as_raw_fd();
        drop(memory);
        let fd_memory = wrapped.downcast_memory_ref::<gst_allocators::FdMemory>();
        assert_eq!(fd_memory.map(|memory| memory.fd()), Some(descriptor));
        assert_eq!(wrapped.map_readable().unwrap().as_slice(), [7; LENGTH]);
    }

    #[test]
    fn writing_into_a_pushed_buffer_writes_into_a_copy() {
        let memory = memfd(8);
        let mut wrapped = wrap_one(&memory, &());
        assert!(wrapped.get_mut().unwrap().map_writable().is_err());

        let mut buffer = gst::Buffer::new();
        buffer.get_mut().unwrap().append_memory(wrapped);
        buffer.get_mut().unwrap().map_writable().unwrap().fill(0);

        let mut file = std::fs::File::from(memory.fds[0].try_clone().unwrap());
        let mut samples = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut samples).unwrap();
        assert_eq!(samples, [8; LENGTH]);
    }

    #[test]
    fn a_frame_is_held_until_the_last_user_of_the_memory_lets_go() {
        let frame = Arc::new(());
        let mut buffer = gst::Buffer::new();
        buffer.get_mut().unwrap().append_memory(wrap_one(&memfd(9), &frame));
        let part = buffer.peek_memory(0).share(16..32);
        drop(buffer);
        assert_eq!(Arc::strong_count(&frame), 2);
        drop(part);
        assert_eq!(Arc::strong_count(&frame), 1);
    }
}
