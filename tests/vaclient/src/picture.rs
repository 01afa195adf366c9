//! Samples of a surface.

use std::sync::Arc;

use fourier_core::memory::{FrameLayout, FrameMemory, MemoryKind, PlaneLayout};
use fourier_core::units::Size;

use crate::ffi::{Display, va};
use crate::{Outcome, Status};

/// A picture of two planes: an image of libva and its bytes.
#[derive(Clone, Debug)]
pub struct Picture {
    /// `VA_FOURCC_*`.
    pub fourcc: u32,
    /// Everything that the image's buffer has.
    pub bytes: Vec<u8>,
    /// Where luma and chroma begin.
    pub offsets: [usize; 2],
    /// Bytes from one row to the next.
    pub pitches: [usize; 2],
}

impl Picture {
    /// By `vaCreateImage` and `vaGetImage`, as `fourcc`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn get(display: &Display, surface: va::VASurfaceID, fourcc: u32, size: (u32, u32)) -> Outcome<Self> {
        let image = display.create_image(fourcc, size)?;
        let got = display.get_image(surface, size, image.image_id);
        let picture = got.and_then(|()| Self::of_image(display, &image));
        display.destroy_image(image.image_id)?;
        Ok(picture?)
    }

    /// By `vaDeriveImage`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn derive(display: &Display, surface: va::VASurfaceID) -> Outcome<Self> {
        let image = display.derive_image(surface)?;
        let picture = Self::of_image(display, &image);
        display.destroy_image(image.image_id)?;
        Ok(picture?)
    }

    /// By `vaExportSurfaceHandle`.
    ///
    /// # Errors
    /// As [`Export::of`] and [`Export::read`].
    pub fn export(display: &Display, surface: va::VASurfaceID) -> Outcome<Self> {
        Export::of(display, surface)?.read()
    }

    /// What is in an image now.
    ///
    /// # Errors
    /// What the driver says.
    pub fn of_image(display: &Display, image: &va::VAImage) -> Result<Self, Status> {
        let of_plane = |list: [u32; 3], plane: usize| list[plane] as usize;
        Ok(Self {
            fourcc: image.format.fourcc,
            bytes: display.read_buffer(image.buf)?,
            offsets: [of_plane(image.offsets, 0), of_plane(image.offsets, 1)],
            pitches: [of_plane(image.pitches, 0), of_plane(image.pitches, 1)],
        })
    }

    /// A plane from its first sample on.
    pub fn plane(&self, plane: usize) -> &[u8] {
        let offset = self.offsets.get(plane).copied().unwrap_or(usize::MAX);
        self.bytes.get(offset..).unwrap_or_default()
    }
}

/// A surface's dma-bufs: from its export on they are the application's, whatever becomes of the surface.
#[derive(Clone, Debug)]
pub struct Export(Arc<FrameMemory>);

impl Export {
    /// By `vaExportSurfaceHandle`, each plane a layer.
    ///
    /// # Errors
    /// What the driver says.
    pub fn of(display: &Display, surface: va::VASurfaceID) -> Result<Self, Status> {
        let memory_type = va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2;
        let flags = va::VA_EXPORT_SURFACE_READ_ONLY | va::VA_EXPORT_SURFACE_SEPARATE_LAYERS;
        let exported = display.export_surface(surface, memory_type, flags)?;
        Ok(Self(Arc::new(FrameMemory {
            layout: layout(&exported.descriptor),
            kind: MemoryKind::DmaBuf,
            fds: exported.objects,
        })))
    }

    /// The dma-bufs, and where the samples lie in them.
    pub fn memory(&self) -> &Arc<FrameMemory> {
        &self.0
    }

    /// What is in them now, tiles as rows; nobody is asked whether a picture is complete.
    ///
    /// # Errors
    /// A layout that nobody can read.
    pub fn read(&self) -> Outcome<Picture> {
        let (samples, layout) = (self.0.read()?, &self.0.layout);
        let [luma, chroma] = layout.planes.as_slice() else {
            return Err(format!("{} planes", layout.planes.len()).into());
        };
        let rows = [layout.size.height as usize, layout.size.height.div_ceil(2) as usize];
        let pitches = [luma.pitch, chroma.pitch];
        let offsets = [0, rows[0] * pitches[0]];
        let mut bytes = vec![0; offsets[1] + rows[1] * pitches[1]];
        for plane in 0..2 {
            let rows = bytes[offsets[plane]..].chunks_mut(pitches[plane]).take(rows[plane]);
            for (y, row) in rows.enumerate() {
                let copied = samples.copy_row(plane, (0, y), row);
                copied.ok_or_else(|| format!("a dma-buf that cannot be read: {layout:x?}"))?;
            }
        }
        Ok(Picture {
            fourcc: layout.fourcc,
            bytes,
            offsets,
            pitches,
        })
    }
}

/// What a descriptor says, in core's terms.
fn layout(descriptor: &va::VADRMPRIMESurfaceDescriptor) -> FrameLayout {
    let mut planes = Vec::new();
    for layer in descriptor.layers.iter().take(descriptor.num_layers as usize) {
        for plane in 0..(layer.num_planes as usize).min(layer.offset.len()) {
            planes.push(PlaneLayout {
                object: layer.object_index[plane] as usize,
                offset: layer.offset[plane] as usize,
                pitch: layer.pitch[plane] as usize,
            });
        }
    }
    let objects = descriptor.objects.iter().take(descriptor.num_objects as usize);
    FrameLayout {
        fourcc: descriptor.fourcc,
        modifier: Some(descriptor.objects[0].drm_format_modifier),
        size: Size {
            width: descriptor.width,
            height: descriptor.height,
        },
        planes,
        object_lengths: objects.map(|object| object.size as usize).collect(),
    }
}
