//! Frame memory: dma-bufs (or memfds) with a layout and a reference count, independent of any queue.
//!
//! [`FrameMemory`] and its [`FrameLayout`]; [`CpuAccess`] to its bytes; [`Heap`], where memory comes from without a
//! device; [`Format`], what a queue holds; [`tile`], rows out of tiles; [`dense`], samples out of packed bits.

mod access;
pub mod dense;
mod format;
mod heap;
#[cfg(test)]
mod tests;
pub mod tile;

use std::fmt::Debug;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::sys::{CpuAccessKind, PollFlags, dma_buf_readers_done, object, poll_fd};
use crate::units::Size;
use crate::{Error, IoctlError, Result};

pub use crate::sys::MemoryKind;
pub use access::CpuAccess;
pub use format::{Format, PixelFormat, PlaneFormat};
pub use heap::{Heap, OpenHeap};
pub use tile::Tiling;

/// One colour plane inside a frame memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlaneLayout {
    /// Index into [`FrameMemory::fds`].
    pub object: usize,
    /// Bytes from the start of the object.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub pitch: usize,
}

/// Where the samples lie in a frame memory, in DRM's terms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FrameLayout {
    /// DRM fourcc, `NV12` for instance.
    pub fourcc: u32,
    /// DRM format modifier; `None` where DRM has no name for the tiling (never exported).
    pub modifier: Option<u64>,
    /// Coded size.
    pub size: Size,
    /// Colour planes, luma first.
    pub planes: Vec<PlaneLayout>,
    /// Length of each object in bytes, the driver's tail space included.
    pub object_lengths: Vec<usize>,
}

/// The memory of one frame. It lives as long as somebody holds it: decoder, DPB, or a program downstream.
#[derive(Debug)]
pub struct FrameMemory {
    /// One file descriptor per memory plane.
    pub fds: Vec<OwnedFd>,
    /// What they are.
    pub kind: MemoryKind,
    /// Where the samples lie.
    pub layout: FrameLayout,
}

impl FrameLayout {
    /// How a colour plane is cut up; `None` if nobody told us.
    pub fn tiling(&self, plane: usize) -> Option<Tiling> {
        Tiling::of(self.modifier?, plane)
    }

    /// Row follows row in every plane.
    pub fn is_linear(&self) -> bool {
        self.modifier == Some(tile::MODIFIER_LINEAR)
    }
}

impl FrameMemory {
    /// Memory that somebody else made. Its objects are as long as the kernel says, whatever `layout` has of that.
    ///
    /// # Errors
    /// [`crate::Error::Device`]: EINVAL for what is neither a dma-buf nor a memfd that cannot shrink.
    pub fn import(fds: Vec<OwnedFd>, mut layout: FrameLayout) -> Result<Self> {
        let kinds = fds.iter().map(|fd| object::kind(fd.as_fd()));
        let kinds = kinds.collect::<std::result::Result<Vec<_>, _>>()?;
        let lengths = fds.iter().map(|fd| object::length(fd.as_fd()));
        layout.object_lengths = lengths.collect::<std::result::Result<_, _>>()?;
        let kind = match kinds.contains(&MemoryKind::MemFd) {
            true => MemoryKind::MemFd,
            false => MemoryKind::DmaBuf,
        };
        Ok(Self { fds, kind, layout })
    }

    /// The same memory as a device lays its pictures out.
    ///
    /// # Errors
    /// [`crate::Error::Unsupported`] if samples lie elsewhere or the memory is too short, [`crate::Error::Device`] if its
    /// descriptors cannot be duplicated.
    pub fn with_layout(&self, layout: &FrameLayout) -> Result<Self> {
        let own = &self.layout;
        let same_places = (own.fourcc, own.modifier, &own.planes) == (layout.fourcc, layout.modifier, &layout.planes);
        let (lengths, needed) = (&own.object_lengths, &layout.object_lengths);
        let is_long_enough =
            lengths.len() == needed.len() && lengths.iter().zip(needed).all(|(own, needed)| own >= needed);
        if !same_places || !is_long_enough {
            return Err(Error::Unsupported(format!("memory of {own:?} as {layout:?}")));
        }
        let clones = self.fds.iter().map(OwnedFd::try_clone);
        let fds = clones.collect::<std::io::Result<_>>().map_err(|error| {
            let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
            IoctlError::new("fcntl(F_DUPFD_CLOEXEC)", "frame memory", errno)
        })?;
        Ok(Self {
            fds,
            kind: self.kind,
            layout: layout.clone(),
        })
    }

    /// Maps it for reading.
    ///
    /// # Errors
    /// [`crate::Error::Device`] naming the call that failed.
    pub fn read(self: &Arc<Self>) -> Result<CpuAccess> {
        CpuAccess::new(self, CpuAccessKind::Read)
    }

    /// Maps it for reading and writing.
    ///
    /// # Errors
    /// [`crate::Error::Device`] naming the call that failed.
    pub fn write(self: &Arc<Self>) -> Result<CpuAccess> {
        CpuAccess::new(self, CpuAccessKind::ReadWrite)
    }

    /// Waits until no device is reading it any more (`POLLOUT`), at most for `timeout`.
    ///
    /// # Errors
    /// [`crate::Error::Device`] naming the call that failed.
    pub fn wait_for_readers(&self, timeout: Duration) -> Result<Readers> {
        if self.kind == MemoryKind::MemFd {
            return Ok(Readers::Done);
        }
        let start = Instant::now();
        for fd in &self.fds {
            let left = timeout.saturating_sub(start.elapsed());
            if !poll_fd(fd.as_fd(), PollFlags::POLLOUT, left)?.contains(PollFlags::POLLOUT) {
                return Ok(Readers::Pending);
            }
        }
        Ok(Readers::Done)
    }

    /// Whether no device is still reading it (`POLLOUT`): it may be decoded into again. Never blocks.
    ///
    /// # Errors
    /// [`crate::Error::Device`] naming the call that failed.
    pub fn readers_done(&self) -> Result<bool> {
        match self.kind {
            MemoryKind::MemFd => Ok(true),
            MemoryKind::DmaBuf => {
                for fd in &self.fds {
                    if !dma_buf_readers_done(fd.as_fd())? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }
}

/// What [`FrameMemory::wait_for_readers`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// No device is reading any more.
    Done,
    /// Time ran out.
    Pending,
}

/// Makes frame memories that a decoder can write.
pub trait FrameAllocator: Debug + Send + Sync {
    /// A new, zeroed memory for pictures of `format`.
    ///
    /// # Errors
    /// [`crate::Error::Device`] naming the call that failed.
    fn allocate(&self, format: &Format) -> Result<Arc<FrameMemory>>;

    /// Whether the CPU reads its memories through its caches; uncached memory is read once, in wide loads.
    fn cpu_cached(&self) -> bool {
        true
    }
}
