//! Dma-bufs of the application, to be made surfaces of.

use std::os::fd::{AsRawFd, OwnedFd};

use fourier_core::memory::Heap;

use crate::Outcome;
use crate::ffi::{External, va};

/// One NV12 picture in a dma-buf of the system heap.
#[derive(Debug)]
pub struct ClientMemory {
    /// The dma-buf. Surfaces made of it have duplicates.
    pub fd: OwnedFd,
    /// Samples.
    pub size: (u32, u32),
    /// Bytes from one row to the next.
    pub pitch: u32,
}

impl ClientMemory {
    /// New memory, with rows at multiples of `alignment` bytes.
    ///
    /// # Errors
    /// Without a dma-heap.
    pub fn allocate((width, height): (u32, u32), alignment: u32) -> Outcome<Self> {
        let pitch = width.next_multiple_of(alignment);
        let fd = Heap::DmaHeap.allocate((pitch * height * 3 / 2) as usize)?;
        Ok(Self {
            fd,
            size: (width, height),
            pitch,
        })
    }

    /// Where chroma begins.
    fn chroma(&self) -> u32 {
        self.pitch * self.size.1
    }

    /// Memories of one layout as `DRM_PRIME`, a surface each.
    pub fn prime(memories: &[Self]) -> External {
        let mut buffers = va::VASurfaceAttribExternalBuffers {
            pixel_format: va::VA_FOURCC_NV12,
            num_planes: 2,
            ..Default::default()
        };
        if let Some(first) = memories.first() {
            (buffers.width, buffers.height) = first.size;
            buffers.data_size = first.chroma() * 3 / 2;
            buffers.pitches[..2].fill(first.pitch);
            buffers.offsets[1] = first.chroma();
        }
        let fds = memories.iter().map(|memory| memory.fd.as_raw_fd() as usize);
        External::Prime(buffers, fds.collect())
    }

    /// It as `DRM_PRIME_2`, each plane a layer.
    pub fn prime_2(&self) -> External {
        External::Prime2(Box::new(self.descriptor()))
    }

    /// What [`Self::prime_2`] says.
    pub fn descriptor(&self) -> va::VADRMPRIMESurfaceDescriptor {
        let mut descriptor = va::VADRMPRIMESurfaceDescriptor {
            fourcc: va::VA_FOURCC_NV12,
            width: self.size.0,
            height: self.size.1,
            num_objects: 1,
            num_layers: 2,
            ..Default::default()
        };
        descriptor.objects[0].fd = self.fd.as_raw_fd();
        descriptor.objects[0].size = self.chroma() * 3 / 2;
        for (layer, (offset, name)) in descriptor
            .layers
            .iter_mut()
            .zip([(0, *b"R8  "), (self.chroma(), *b"GR88")])
        {
            layer.drm_format = u32::from_le_bytes(name);
            layer.num_planes = 1;
            layer.offset[0] = offset;
            layer.pitch[0] = self.pitch;
        }
        descriptor
    }
}
