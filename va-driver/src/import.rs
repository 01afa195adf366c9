//! Memory of the application as surfaces (`VASurfaceAttribExternalBufferDescriptor`): nothing that it says is believed.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use fourier_core::device::format::MODIFIER_LINEAR;
use fourier_core::memory::{FrameLayout, FrameMemory, MemoryKind, PlaneLayout};
use fourier_core::units::Size;

use crate::export::DRM_FORMAT_MOD_INVALID;
use crate::ffi::{parameters, va};
use crate::format::{PLANES, SampleFormat};
use crate::status::{Failure, Result, Status};

/// What an application says of the memory of one surface.
#[derive(Debug)]
pub struct Description {
    fourcc: u32,
    size: Size,
    /// Of each object.
    modifiers: Vec<u64>,
    planes: Vec<PlaneLayout>,
    fds: Vec<OwnedFd>,
}

impl Description {
    /// Of memory type `DRM_PRIME`: one object with all planes, in rows.
    ///
    /// # Errors
    /// [`Status::InvalidParameter`] for an impossible number of planes, or if `fd` is not open.
    pub fn of_buffers(buffers: &va::VASurfaceAttribExternalBuffers, fd: i32) -> Result<Self> {
        let places = buffers.offsets.iter().zip(&buffers.pitches);
        let planes = places
            .take(buffers.num_planes as usize)
            .map(|(&offset, &pitch)| plane(0, offset, pitch));
        Ok(Self {
            fourcc: buffers.pixel_format,
            size: Size {
                width: buffers.width,
                height: buffers.height,
            },
            modifiers: vec![MODIFIER_LINEAR],
            planes: planes.collect(),
            fds: vec![parameters::duplicate(fd)?],
        })
    }

    /// Of memory type `DRM_PRIME_2`: planes in one layer or each in its own.
    ///
    /// # Errors
    /// [`Status::InvalidParameter`] for impossible numbers of objects, layers or planes, or if a file descriptor is not
    /// open.
    pub fn of_prime(descriptor: &va::VADRMPRIMESurfaceDescriptor) -> Result<Self> {
        let too_many = || invalid("more objects, layers or planes than there is room for");
        let objects = descriptor.objects.get(..descriptor.num_objects as usize);
        let layers = descriptor.layers.get(..descriptor.num_layers as usize);
        let (objects, layers) = objects.zip(layers).ok_or_else(too_many)?;
        let mut planes = Vec::with_capacity(PLANES);
        for layer in layers {
            let count = layer.num_planes as usize;
            let places = layer.object_index.iter().zip(layer.offset.iter().zip(&layer.pitch));
            if count > layer.offset.len() {
                return Err(too_many());
            }
            let of_layer = places.take(count);
            planes.extend(of_layer.map(|(&object, (&offset, &pitch))| plane(object, offset, pitch)));
        }
        let fds = objects.iter().map(|object| parameters::duplicate(object.fd));
        Ok(Self {
            fourcc: descriptor.fourcc,
            size: Size {
                width: descriptor.width,
                height: descriptor.height,
            },
            modifiers: objects.iter().map(|object| object.drm_format_modifier).collect(),
            planes,
            fds: fds.collect::<Result<_>>()?,
        })
    }

    /// The memory, for a surface of `size`.
    ///
    /// # Errors
    /// [`Status::InvalidParameter`] if it has not the samples of such a surface, [`Status::UnsupportedMemoryType`] if it
    /// is no dma-buf, or in tiles.
    pub fn into_memory(self, format: SampleFormat, size: Size) -> Result<Arc<FrameMemory>> {
        if self.fourcc != format.fourcc() || self.planes.len() != PLANES {
            let (fourcc, planes) = (self.fourcc.to_le_bytes(), self.planes.len());
            return Err(invalid(&format!("{planes} planes of {}", fourcc.escape_ascii())));
        }
        if self.size.width < size.width || self.size.height < size.height {
            return Err(invalid(&format!("memory of {} for a surface of {size}", self.size)));
        }
        let is_linear = |modifier: &u64| matches!(*modifier, MODIFIER_LINEAR | DRM_FORMAT_MOD_INVALID);
        if !self.modifiers.iter().all(is_linear) {
            let why = format!("modifiers {:x?} instead of DRM_FORMAT_MOD_LINEAR", self.modifiers);
            return Err(Status::UnsupportedMemoryType.because(why));
        }
        let layout = FrameLayout {
            fourcc: self.fourcc,
            modifier: Some(MODIFIER_LINEAR),
            size,
            planes: self.planes,
            object_lengths: Vec::new(),
        };
        let memory = FrameMemory::import(self.fds, layout);
        let memory = memory.map_err(|error| Status::UnsupportedMemoryType.because(error.to_string()))?;
        if memory.kind != MemoryKind::DmaBuf {
            return Err(Status::UnsupportedMemoryType.because("memory that is no dma-buf"));
        }
        for (n, plane) in memory.layout.planes.iter().enumerate() {
            let length = memory.layout.object_lengths.get(plane.object).copied();
            if !length.is_some_and(|length| has_plane(length, plane, format.rows(n, size))) {
                return Err(invalid(&format!(
                    "plane {n} at {plane:?} in objects of {:?}",
                    memory.layout.object_lengths
                )));
            }
        }
        Ok(Arc::new(memory))
    }
}

fn plane(object: u32, offset: u32, pitch: u32) -> PlaneLayout {
    PlaneLayout {
        object: object as usize,
        offset: offset as usize,
        pitch: pitch as usize,
    }
}

/// An object of `length` bytes has so many rows of so many bytes there.
fn has_plane(length: usize, plane: &PlaneLayout, (rows, bytes): (usize, usize)) -> bool {
    let last = plane.pitch.checked_mul(rows.saturating_sub(1));
    let end = last.and_then(|last| last.checked_add(plane.offset)?.checked_add(bytes));
    plane.pitch >= bytes && end.is_some_and(|end| end <= length)
}

fn invalid(why: &str) -> Failure {
    Status::InvalidParameter.because(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_must_lie_within_its_object() {
        let at = |offset, pitch| plane(0, offset, pitch);
        assert!(has_plane(64 * 48, &at(0, 64), (48, 64)));
        assert!(has_plane(64 * 47 + 60, &at(0, 64), (48, 60)));
        for (place, size) in [
            (at(1, 64), (48, 64)),
            (at(0, 63), (48, 64)),
            (at(0, 64), (49, 64)),
            (at(u32::MAX, 64), (1, 64)),
            (at(u32::MAX, u32::MAX), (usize::MAX, 64)),
        ] {
            assert!(!has_plane(64 * 48, &place, size), "{place:?}");
        }
    }

    #[test]
    fn descriptors_with_impossible_numbers_are_refused() {
        let far = u32::MAX;
        for (num_objects, num_layers, num_planes) in
            [(5, 1, 1), (far, 1, 1), (1, 5, 1), (1, far, 1), (1, 1, 5), (1, 1, far)]
        {
            let mut descriptor = va::VADRMPRIMESurfaceDescriptor {
                num_objects,
                num_layers,
                ..Default::default()
            };
            descriptor.layers[0].num_planes = num_planes;
            descriptor.objects[0].fd = -1;
            assert_eq!(
                Description::of_prime(&descriptor).unwrap_err().status,
                Status::InvalidParameter
            );
        }
    }
}
