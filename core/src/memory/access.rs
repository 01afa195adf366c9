//! CPU access to a frame memory, bracketed where it is a dma-buf.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use super::{FrameMemory, MemoryKind};
use crate::sys::{CpuAccessKind, Mapping, SyncPhase, dma_buf_sync};
use crate::{IoctlError, Result};

/// A frame memory mapped for the CPU: caches are clean for it from here until the drop (`DMA_BUF_IOCTL_SYNC`).
#[derive(Debug)]
pub struct CpuAccess {
    memory: Arc<FrameMemory>,
    mappings: Vec<Mapping>,
    access: CpuAccessKind,
}

impl CpuAccess {
    pub(super) fn new(memory: &Arc<FrameMemory>, access: CpuAccessKind) -> Result<Self> {
        let map = |(fd, &length): (&OwnedFd, &usize)| Mapping::new(fd.as_fd(), length);
        let lengths = &memory.layout.object_lengths;
        let mappings = memory
            .fds
            .iter()
            .zip(lengths)
            .map(map)
            .collect::<Result<_, IoctlError>>()?;
        let this = Self {
            memory: Arc::clone(memory),
            mappings,
            access,
        };
        this.sync(SyncPhase::Start)?;
        Ok(this)
    }

    /// The bytes of one object of [`FrameMemory::fds`]; `None` if there is no such object.
    pub fn object(&self, index: usize) -> Option<&[u8]> {
        self.mappings.get(index).map(Mapping::bytes)
    }

    /// The bytes of one object, to be written; `None` also where access is for reading only.
    pub fn object_mut(&mut self, index: usize) -> Option<&mut [u8]> {
        match self.access {
            CpuAccessKind::Read => None,
            CpuAccessKind::ReadWrite => self.mappings.get_mut(index).map(Mapping::bytes_mut),
        }
    }

    /// The bytes of a colour plane from its first sample on; `None` if the layout has no such plane.
    pub fn plane(&self, plane: usize) -> Option<&[u8]> {
        let layout = self.memory.layout.planes.get(plane)?;
        self.object(layout.object)?.get(layout.offset..)
    }

    /// Copies `out.len()` bytes of row `y` of a colour plane, from its byte `x` on, whether the plane is tiled or not.
    ///
    /// `None` if there are no such bytes, or the tiling is unknown.
    pub fn copy_row(&self, plane: usize, at: (usize, usize), out: &mut [u8]) -> Option<()> {
        let layout = &self.memory.layout;
        let pitch = layout.planes.get(plane)?.pitch;
        layout.tiling(plane)?.copy_row(self.plane(plane)?, pitch, at, out)
    }

    /// Writes `row` to row `y` of a colour plane, from its byte `x` on, whether the plane is tiled or not.
    ///
    /// `None` as for [`Self::copy_row`], and where access is for reading only.
    pub fn write_row(&mut self, plane: usize, at: (usize, usize), row: &[u8]) -> Option<()> {
        let layout = &self.memory.layout;
        let (place, tiling) = (*layout.planes.get(plane)?, layout.tiling(plane)?);
        let plane = self.object_mut(place.object)?.get_mut(place.offset..)?;
        tiling.write_row(plane, place.pitch, at, row)
    }

    fn sync(&self, phase: SyncPhase) -> Result<(), IoctlError> {
        match self.memory.kind {
            MemoryKind::MemFd => Ok(()),
            MemoryKind::DmaBuf => self
                .memory
                .fds
                .iter()
                .try_for_each(|fd| dma_buf_sync(fd.as_fd(), self.access, phase)),
        }
    }
}

impl Drop for CpuAccess {
    fn drop(&mut self) {
        if let Err(error) = self.sync(SyncPhase::End) {
            tracing::warn!("{error}");
        }
    }
}
