//! Buffers of a video node: REQBUFS to EXPBUF; v4l2r makes the ioctls, its own buffer types allocate and are not used.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use v4l2r::bindings as v4l2;
use v4l2r::ioctl::{self, ExpbufFlags, UncheckedV4l2Buffer};
use v4l2r::memory::MemoryType;
use v4l2r::{QueueDirection, QueueType};

use super::Mapping;
use super::video::{PixFormat, VideoNode, errno, retried};
use crate::IoctlError;

/// `V4L2_BUF_CAP_SUPPORTS_MAX_NUM_BUFFERS` of Linux 6.10.
const SUPPORTS_MAX_NUM_BUFFERS: u32 = 1 << 7;

/// `struct v4l2_remove_buffers` of Linux 6.10.
#[repr(C)]
#[derive(Debug, Default)]
struct RemoveBuffers {
    index: u32,
    count: u32,
    type_: u32,
    reserved: [u32; 13],
}

nix::ioctl_readwrite!(vidioc_remove_bufs, b'V', 104, RemoveBuffers);

/// Where `struct v4l2_create_buffers` has `max_num_buffers`: behind `flags`, whether the headers that the bindings were made
/// from know it (Linux 6.10) or call it the first of six reserved words.
const MAX_NUM_BUFFERS: usize = std::mem::offset_of!(v4l2::v4l2_create_buffers, capabilities) + 2 * size_of::<u32>();
const _: () = assert!(MAX_NUM_BUFFERS + 6 * size_of::<u32>() == size_of::<v4l2::v4l2_create_buffers>());

fn max_num_buffers(reply: &v4l2::v4l2_create_buffers) -> u32 {
    // SAFETY: the word lies within the struct, as asserted above.
    let word = unsafe { std::ptr::from_ref(reply).byte_add(MAX_NUM_BUFFERS) };
    // SAFETY: a word of a reply that was zeroed before the kernel wrote it, aligned as all words there.
    unsafe { word.cast::<u32>().read() }
}

/// The reply to REQBUFS or CREATE_BUFS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffers {
    /// Index of the first new one.
    pub index: u32,
    /// How many there are.
    pub count: u32,
    /// `V4L2_BUF_CAP_*`.
    pub capabilities: u32,
    /// How many the queue may have, where the kernel says so (Linux 6.10).
    pub max_num_buffers: Option<u32>,
}

/// What backs a buffer.
#[derive(Clone, Copy, Debug)]
pub enum Backing<'a> {
    /// The driver's memory.
    Mmap,
    /// A dma-buf and its length for each memory plane.
    DmaBuf(&'a [(BorrowedFd<'a>, usize)]),
}

/// A buffer for QBUF or PREPARE_BUF.
#[derive(Clone, Copy, Debug)]
pub struct BufferToQueue<'a> {
    /// Its index.
    pub index: u32,
    /// Its memory.
    pub backing: Backing<'a>,
    /// Of the first plane; 0 on CAPTURE.
    pub bytes_used: u32,
    /// Seconds and microseconds.
    pub timestamp: (i64, i64),
    /// `V4L2_BUF_FLAG_*`.
    pub flags: u32,
    /// The request that it goes with.
    pub request: Option<BorrowedFd<'a>>,
}

/// What QUERYBUF or DQBUF say of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferInfo {
    /// Its index.
    pub index: u32,
    /// `V4L2_BUF_FLAG_*`.
    pub flags: u32,
    /// Seconds and microseconds.
    pub timestamp: (i64, i64),
    /// Of the first plane.
    pub bytes_used: u32,
    /// Of the first plane.
    pub length: u32,
}

impl VideoNode {
    /// VIDIOC_REQBUFS.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn request_buffers(
        &self,
        queue: QueueDirection,
        memory: MemoryType,
        count: u32,
    ) -> Result<Buffers, IoctlError> {
        let ask = || ioctl::reqbufs(&self.fd, self.queue_type(queue), memory, count).map_err(errno);
        let found: v4l2::v4l2_requestbuffers = retried(ask).map_err(|errno| self.error("VIDIOC_REQBUFS", errno))?;
        Ok(Buffers {
            index: 0,
            count: found.count,
            capabilities: found.capabilities,
            max_num_buffers: None,
        })
    }

    /// VIDIOC_CREATE_BUFS; a count of 0 only asks what the queue can do.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn create_buffers(
        &self,
        queue: QueueDirection,
        memory: MemoryType,
        count: u32,
        format: &PixFormat,
    ) -> Result<Buffers, IoctlError> {
        let format = self.write_format(queue, format);
        let ask = || ioctl::create_bufs(&self.fd, count, memory, format).map_err(errno);
        let found: v4l2::v4l2_create_buffers = retried(ask).map_err(|errno| self.error("VIDIOC_CREATE_BUFS", errno))?;
        let has_max = found.capabilities & SUPPORTS_MAX_NUM_BUFFERS != 0;
        Ok(Buffers {
            index: found.index,
            count: found.count,
            capabilities: found.capabilities,
            max_num_buffers: has_max.then(|| max_num_buffers(&found)),
        })
    }

    /// VIDIOC_REMOVE_BUFS of one buffer.
    ///
    /// # Errors
    /// What the ioctl says; ENOTTY before Linux 6.10.
    pub fn remove_buffer(&self, queue: QueueDirection, index: u32) -> Result<(), IoctlError> {
        let mut remove = RemoveBuffers {
            index,
            count: 1,
            type_: self.queue_type(queue) as u32,
            ..RemoveBuffers::default()
        };
        // SAFETY: `remove` is a live `v4l2_remove_buffers`, which the ioctl reads and writes; the node is open.
        let done = retried(|| unsafe { vidioc_remove_bufs(self.fd.as_raw_fd(), &mut remove) });
        done.map(drop).map_err(|errno| self.error("VIDIOC_REMOVE_BUFS", errno))
    }

    /// VIDIOC_QUERYBUF.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn query_buffer(&self, queue: QueueDirection, index: u32) -> Result<BufferInfo, IoctlError> {
        Ok(info(&self.query_raw(queue, index)?))
    }

    /// VIDIOC_PREPARE_BUF.
    ///
    /// # Errors
    /// What the ioctl says; EINVAL if a length or descriptor does not fit the uAPI.
    pub fn prepare_buffer(&self, queue: QueueDirection, buffer: &BufferToQueue<'_>) -> Result<(), IoctlError> {
        const CALL: &str = "VIDIOC_PREPARE_BUF";
        let give = || {
            let raw = raw_buffer(self.queue_type(queue), buffer)?;
            ioctl::prepare_buf::<_, ()>(&self.fd, raw).map_err(errno)
        };
        retried(give).map_err(|errno| self.error(CALL, errno))
    }

    /// VIDIOC_QBUF.
    ///
    /// # Errors
    /// What the ioctl says; EINVAL if a length or descriptor does not fit the uAPI.
    pub fn queue_buffer(&self, queue: QueueDirection, buffer: &BufferToQueue<'_>) -> Result<(), IoctlError> {
        const CALL: &str = "VIDIOC_QBUF";
        let give = || {
            let raw = raw_buffer(self.queue_type(queue), buffer)?;
            ioctl::qbuf::<_, ()>(&self.fd, raw).map_err(errno)
        };
        retried(give).map_err(|errno| self.error(CALL, errno))
    }

    /// VIDIOC_DQBUF; `None` if nothing is finished.
    ///
    /// # Errors
    /// What the ioctl says, but for EAGAIN.
    pub fn dequeue_buffer(&self, queue: QueueDirection) -> Result<Option<BufferInfo>, IoctlError> {
        match retried(|| ioctl::dqbuf::<UncheckedV4l2Buffer>(&self.fd, self.queue_type(queue)).map_err(errno)) {
            Ok(raw) => Ok(Some(info(&raw))),
            Err(Errno::EAGAIN) => Ok(None),
            Err(errno) => Err(self.error("VIDIOC_DQBUF", errno)),
        }
    }

    /// VIDIOC_EXPBUF of one memory plane, `O_RDWR | O_CLOEXEC`.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn export_buffer(&self, queue: QueueDirection, index: u32, plane: u32) -> Result<OwnedFd, IoctlError> {
        let flags = ExpbufFlags::RDWR | ExpbufFlags::CLOEXEC;
        let (index, plane) = (index as usize, plane as usize);
        retried(|| ioctl::expbuf(&self.fd, self.queue_type(queue), index, plane, flags).map_err(errno))
            .map_err(|errno| self.error("VIDIOC_EXPBUF", errno))
    }

    /// mmap(2) of one memory plane of an MMAP buffer.
    ///
    /// # Errors
    /// What VIDIOC_QUERYBUF and mmap(2) say; EINVAL if there is no such plane or the memory is not the driver's.
    pub fn map_buffer(&self, queue: QueueDirection, index: u32, plane: u32) -> Result<Mapping, IoctlError> {
        let invalid = || self.error("mmap", Errno::EINVAL);
        let UncheckedV4l2Buffer(buffer, planes) = self.query_raw(queue, index)?;
        if buffer.memory != MemoryType::Mmap as u32 {
            return Err(invalid());
        }
        let (length, offset) = match planes {
            Some(planes) => {
                let plane = plane as usize;
                let planes = planes.get(..buffer.length as usize).ok_or_else(invalid)?;
                let plane = planes.get(plane).ok_or_else(invalid)?;
                // SAFETY: QUERYBUF of an MMAP buffer fills `mem_offset` of every plane that it has.
                (plane.length, unsafe { plane.m.mem_offset })
            }
            None if plane == 0 => {
                // SAFETY: QUERYBUF of a single-planar MMAP buffer fills `offset`.
                (buffer.length, unsafe { buffer.m.offset })
            }
            None => return Err(invalid()),
        };
        Mapping::of_video_buffer(self.fd.as_fd(), length as usize, offset.into())
            .map_err(|errno| self.error("mmap", errno))
    }

    fn query_raw(&self, queue: QueueDirection, index: u32) -> Result<UncheckedV4l2Buffer, IoctlError> {
        retried(|| ioctl::querybuf(&self.fd, self.queue_type(queue), index as usize).map_err(errno))
            .map_err(|errno| self.error("VIDIOC_QUERYBUF", errno))
    }
}

/// `v4l2_buffer` and its planes.
fn raw_buffer(queue: QueueType, wanted: &BufferToQueue<'_>) -> Result<UncheckedV4l2Buffer, Errno> {
    let mut raw = UncheckedV4l2Buffer::new_for_querybuf(queue, Some(wanted.index));
    let UncheckedV4l2Buffer(buffer, planes) = &mut raw;
    buffer.field = v4l2::v4l2_field_V4L2_FIELD_NONE;
    buffer.flags = wanted.flags;
    buffer.timestamp.tv_sec = wanted.timestamp.0;
    buffer.timestamp.tv_usec = wanted.timestamp.1;
    if let Some(request) = wanted.request {
        buffer.flags |= v4l2::V4L2_BUF_FLAG_REQUEST_FD;
        buffer.__bindgen_anon_1.request_fd = request.as_raw_fd();
    }
    let memory = match wanted.backing {
        Backing::Mmap => MemoryType::Mmap,
        Backing::DmaBuf(_) => MemoryType::DmaBuf,
    };
    buffer.memory = memory as u32;
    match (planes, wanted.backing) {
        (None, Backing::Mmap) => {}
        (None, Backing::DmaBuf(memories)) => {
            let &(fd, length) = memories.first().ok_or(Errno::EINVAL)?;
            buffer.m.fd = fd.as_raw_fd();
            buffer.length = u32::try_from(length).map_err(|_| Errno::EINVAL)?;
        }
        // All VIDEO_MAX_PLANES of them: the driver takes as many as the format has.
        (Some(planes), Backing::Mmap) => planes[0].bytesused = wanted.bytes_used,
        (Some(planes), Backing::DmaBuf(memories)) => {
            if memories.len() > planes.len() {
                return Err(Errno::EINVAL);
            }
            for (plane, &(fd, length)) in planes.iter_mut().zip(memories) {
                plane.m.fd = fd.as_raw_fd();
                plane.length = u32::try_from(length).map_err(|_| Errno::EINVAL)?;
            }
            planes[0].bytesused = wanted.bytes_used;
            buffer.length = memories.len() as u32;
        }
    }
    if !queue.is_multiplanar() {
        buffer.bytesused = wanted.bytes_used;
    }
    Ok(raw)
}

fn info(UncheckedV4l2Buffer(buffer, planes): &UncheckedV4l2Buffer) -> BufferInfo {
    let (bytes_used, length) = match planes {
        Some(planes) => (planes[0].bytesused, planes[0].length),
        None => (buffer.bytesused, buffer.length),
    };
    BufferInfo {
        index: buffer.index,
        flags: buffer.flags,
        timestamp: (buffer.timestamp.tv_sec, buffer.timestamp.tv_usec),
        bytes_used,
        length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remove_bufs_has_the_number_and_size_of_the_uapi() {
        assert_eq!(size_of::<RemoveBuffers>(), 64);
        assert_eq!(
            nix::request_code_readwrite!(b'V', 104, size_of::<RemoveBuffers>()),
            0xc040_5668
        );
    }

    #[test]
    fn the_most_buffers_of_a_queue_stand_behind_the_flags_whatever_the_headers_call_it() {
        let mut words = [0_u32; size_of::<v4l2::v4l2_create_buffers>() / size_of::<u32>()];
        let behind_flags = words.len() - 6;
        words[behind_flags - 2..].copy_from_slice(&[1 << 7, 0, 64, 1, 2, 3, 4, 5]);
        // SAFETY: a struct of words, of the same size.
        let reply: v4l2::v4l2_create_buffers = unsafe { std::mem::transmute_copy(&words) };
        assert_eq!((reply.capabilities, max_num_buffers(&reply)), (1 << 7, 64));
    }

    #[test]
    fn a_buffer_of_either_api_names_its_memory_request_and_time() {
        let null = std::fs::File::open("/dev/null").unwrap();
        let memory = [(null.as_fd(), 4096), (null.as_fd(), 2048)];
        let wanted = BufferToQueue {
            index: 3,
            backing: Backing::DmaBuf(&memory),
            bytes_used: 0,
            timestamp: (1, 5),
            flags: 0,
            request: Some(null.as_fd()),
        };
        let UncheckedV4l2Buffer(buffer, planes) = raw_buffer(QueueType::VideoCaptureMplane, &wanted).unwrap();
        assert_eq!(
            (buffer.index, buffer.length, buffer.memory),
            (3, 2, MemoryType::DmaBuf as u32)
        );
        assert_eq!(buffer.flags, v4l2::V4L2_BUF_FLAG_REQUEST_FD);
        assert_eq!(
            planes.unwrap()[..2]
                .iter()
                .map(|plane| plane.length)
                .collect::<Vec<_>>(),
            [4096, 2048]
        );
        let single = raw_buffer(QueueType::VideoCapture, &wanted).unwrap();
        assert_eq!((single.0.length, single.1.is_none()), (4096, true));
        assert_eq!(info(&single).timestamp, (1, 5));
    }

    #[test]
    fn memory_that_the_uapi_cannot_name_is_refused() {
        let null = std::fs::File::open("/dev/null").unwrap();
        let memory = [(null.as_fd(), usize::MAX); 9];
        for (queue, memory) in [
            (QueueType::VideoCapture, &memory[..0]),
            (QueueType::VideoCapture, &memory[..1]),
            (QueueType::VideoCaptureMplane, &memory[..1]),
            (QueueType::VideoCaptureMplane, &memory[..]),
        ] {
            let wanted = BufferToQueue {
                index: 0,
                backing: Backing::DmaBuf(memory),
                bytes_used: 0,
                timestamp: (0, 0),
                flags: 0,
                request: None,
            };
            assert_eq!(raw_buffer(queue, &wanted).err(), Some(Errno::EINVAL));
        }
    }
}
