//! Surfaces as dma-bufs.

use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

use fourier_core::memory::{FrameLayout, MemoryKind};
use fourier_core::units::Size;

use crate::driver::Driver;
use crate::ffi::va;
use crate::format::{SampleFormat, is_dense};
use crate::status::{Result, Status};

/// `DRM_FORMAT_MOD_INVALID`: the importer is to find out by itself.
pub const DRM_FORMAT_MOD_INVALID: u64 = 0x00ff_ffff_ffff_ffff;
/// Importers take LINEAR only with rows that begin at multiples of this many bytes.
const LINEAR_PITCH_ALIGNMENT: usize = 64;

/// A surface on its way out: closed again unless it is handed over.
#[derive(Debug)]
pub struct Export {
    descriptor: va::VADRMPRIMESurfaceDescriptor,
    fds: Vec<OwnedFd>,
}

impl Export {
    /// What the application is told.
    pub fn descriptor(&self) -> va::VADRMPRIMESurfaceDescriptor {
        self.descriptor
    }

    /// The application has the file descriptors, and closes them.
    pub fn hand_over(self) {
        for fd in self.fds {
            // From here on it is the application's.
            let _ = fd.into_raw_fd();
        }
    }
}

impl Driver {
    /// `vaExportSurfaceHandle`. Waits for the picture; from now on pictures are complete when `vaEndPicture` returns,
    /// because those who were given dma-bufs do not ask.
    ///
    /// # Errors
    /// [`Status::UnsupportedMemoryType`] for another type than `DRM_PRIME_2`, or where the surface is no dma-buf.
    pub fn export_surface(&self, id: va::VASurfaceID, memory_type: u32, flags: u32) -> Result<Export> {
        let surface = self.surface(id)?;
        if memory_type != va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2 {
            return Err(Status::UnsupportedMemoryType.because(format!("memory type {memory_type:#x}")));
        }
        // Memory of the application is a dma-buf also where the device has none.
        match surface.memory_kind().unwrap_or(self.capabilities().export_kind) {
            MemoryKind::DmaBuf => {}
            MemoryKind::MemFd => return Err(Status::UnsupportedMemoryType.because("the surface is no dma-buf")),
        }
        let frame = surface.lend(&self.scratch)?;
        surface.wait();
        let memory = frame.memory();
        let clones = memory
            .fds
            .iter()
            .map(OwnedFd::try_clone)
            .collect::<std::io::Result<Vec<_>>>();
        let fds =
            clones.map_err(|error| Status::AllocationFailed.because(format!("fcntl(F_DUPFD_CLOEXEC): {error}")))?;
        let separate = flags & va::VA_EXPORT_SURFACE_SEPARATE_LAYERS != 0;
        let descriptor = describe(&memory.layout, surface.size, &fds, separate)?;
        Ok(Export { descriptor, fds })
    }
}

fn describe(
    layout: &FrameLayout,
    size: Size,
    fds: &[OwnedFd],
    separate: bool,
) -> Result<va::VADRMPRIMESurfaceDescriptor> {
    let (Some(format), Some(modifier)) = (SampleFormat::of_layout(layout), layout.modifier) else {
        return Err(Status::UnsupportedMemoryType.because("a layout that DRM has no name for"));
    };
    if is_dense(layout) && separate {
        return Err(Status::UnsupportedMemoryType.because("DRM has no name for a plane of NV15"));
    }
    let mut descriptor = va::VADRMPRIMESurfaceDescriptor {
        fourcc: layout.fourcc,
        width: size.width,
        height: size.height,
        num_objects: fds.len() as u32,
        ..Default::default()
    };
    let is_aligned = layout
        .planes
        .iter()
        .all(|plane| plane.pitch % LINEAR_PITCH_ALIGNMENT == 0);
    let objects = fds.iter().zip(&layout.object_lengths);
    for (object, (fd, &length)) in descriptor.objects.iter_mut().zip(objects) {
        object.fd = fd.as_raw_fd();
        object.size = length as u32;
        object.drm_format_modifier = match layout.is_linear() && !is_aligned {
            true => DRM_FORMAT_MOD_INVALID,
            false => modifier,
        };
    }
    let (separate_layers, composed_layer) = (format.separate_layers(), [layout.fourcc]);
    let layers: &[u32] = if separate { &separate_layers } else { &composed_layer };
    let planes_per_layer = layout.planes.len() / layers.len();
    descriptor.num_layers = layers.len() as u32;
    let parts = layers.iter().zip(layout.planes.chunks(planes_per_layer.max(1)));
    for (layer, (&format, planes)) in descriptor.layers.iter_mut().zip(parts) {
        layer.drm_format = format;
        layer.num_planes = planes.len() as u32;
        for (n, plane) in planes.iter().enumerate().take(layer.offset.len()) {
            layer.object_index[n] = plane.object as u32;
            layer.offset[n] = plane.offset as u32;
            layer.pitch[n] = plane.pitch as u32;
        }
    }
    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use fourier_core::device::format::{MODIFIER_LINEAR, MODIFIER_VIVANTE_TILED};
    use fourier_core::memory::PlaneLayout;

    use super::*;

    fn layout(fourcc: u32, modifier: u64, pitch: usize) -> FrameLayout {
        let plane = |offset| PlaneLayout {
            object: 0,
            offset,
            pitch,
        };
        FrameLayout {
            fourcc,
            modifier: Some(modifier),
            size: Size { width: 48, height: 32 },
            planes: vec![plane(0), plane(32 * pitch)],
            object_lengths: vec![48 * pitch],
        }
    }

    fn described(layout: &FrameLayout, separate: bool) -> va::VADRMPRIMESurfaceDescriptor {
        let fds = [std::fs::File::open("/dev/null").unwrap().into()];
        describe(layout, layout.size, &fds, separate).unwrap()
    }

    #[test]
    fn layers_have_the_names_of_their_samples() {
        for (fourcc, layers) in [
            (va::VA_FOURCC_NV12, [*b"R8  ", *b"GR88"]),
            (va::VA_FOURCC_P010, [*b"R16 ", *b"GR32"]),
        ] {
            let layout = layout(fourcc, MODIFIER_LINEAR, 128);
            let separate = described(&layout, true);
            assert_eq!((separate.fourcc, separate.num_layers), (fourcc, 2));
            for (layer, name) in separate.layers.iter().zip(layers) {
                assert_eq!((layer.drm_format, layer.num_planes), (u32::from_le_bytes(name), 1));
            }
            assert_eq!(
                (separate.layers[1].offset[0], separate.layers[1].pitch[0]),
                (32 * 128, 128)
            );
            let composed = described(&layout, false);
            assert_eq!((composed.num_layers, composed.layers[0].drm_format), (1, fourcc));
            assert_eq!(
                (composed.layers[0].num_planes, composed.layers[0].offset[1]),
                (2, 32 * 128)
            );
        }
    }

    #[test]
    fn the_modifier_is_the_true_one_unless_importers_refuse_it() {
        let modifier = |layout| described(&layout, false).objects[0].drm_format_modifier;
        assert_eq!(
            modifier(layout(va::VA_FOURCC_NV12, MODIFIER_LINEAR, 64)),
            MODIFIER_LINEAR
        );
        assert_eq!(
            modifier(layout(va::VA_FOURCC_NV12, MODIFIER_LINEAR, 48)),
            DRM_FORMAT_MOD_INVALID
        );
        let tiled = layout(va::VA_FOURCC_NV12, MODIFIER_VIVANTE_TILED, 48);
        assert_eq!(modifier(tiled), MODIFIER_VIVANTE_TILED);
        let unknown = layout(u32::from_le_bytes(*b"NV20"), MODIFIER_LINEAR, 64);
        assert_eq!(
            describe(&unknown, unknown.size, &[], false).unwrap_err().status,
            Status::UnsupportedMemoryType
        );
    }

    #[test]
    fn samples_without_gaps_are_one_layer_under_their_own_name() {
        let nv15 = u32::from_le_bytes(*b"NV15");
        let layout = layout(nv15, MODIFIER_LINEAR, 64);
        let composed = described(&layout, false);
        assert_eq!((composed.fourcc, composed.layers[0].drm_format), (nv15, nv15));
        assert_eq!((composed.num_layers, composed.layers[0].num_planes), (1, 2));
        let separate = describe(&layout, layout.size, &[], true);
        assert_eq!(separate.unwrap_err().status, Status::UnsupportedMemoryType);
    }
}
