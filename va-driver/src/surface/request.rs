//! What `vaCreateSurfaces` is asked for: size, samples, and whose memory.

use std::sync::Arc;

use fourier_core::device::Capabilities;
use fourier_core::memory::FrameMemory;
use fourier_core::units::Size;

use super::MAX_SIDE;
use crate::export::DRM_FORMAT_MOD_INVALID;
use crate::ffi::{Caller, parameters, va};
use crate::format::SampleFormat;
use crate::import::Description;
use crate::status::{Result, Status};

/// Memory types of the application.
pub const IMPORTED_TYPES: &[u32] = &[
    va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME,
    va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2,
];

/// What `vaCreateSurfaces` is asked for.
#[derive(Clone, Debug)]
pub struct SurfaceRequest {
    pub(super) size: Size,
    /// The first one is made.
    formats: Vec<Offer>,
    /// `VA_SURFACE_ATTRIB_MEM_TYPE_*`.
    memory_type: u32,
    /// `VASurfaceAttribExternalBufferDescriptor`.
    descriptor: Option<va::VASurfaceAttrib>,
    /// `VASurfaceAttribDRMFormatModifiers`.
    modifiers: Option<Vec<u64>>,
}

/// What the device gives.
#[derive(Clone, Copy, Debug)]
struct Offer {
    format: SampleFormat,
    /// `DRM_FORMAT_MOD_*` of memory that the device makes.
    modifier: u64,
}

impl SurfaceRequest {
    /// A surface of `format`, a `VA_RT_FORMAT_*`, on a device that can so much.
    ///
    /// # Errors
    /// [`Status::UnsupportedRtFormat`], [`Status::ResolutionNotSupported`].
    pub fn new<T: TryInto<u32>>((width, height): (T, T), format: T, capabilities: &Capabilities) -> Result<Self> {
        let number = |value: T| value.try_into().ok();
        let rt_format = number(format);
        let is_asked_for = |known: &SampleFormat| rt_format.is_some_and(|format| format & known.rt_format() != 0);
        let known = SampleFormat::of_device(capabilities).filter(is_asked_for);
        let formats: Vec<_> = known
            .map(|format| Offer {
                format,
                modifier: format.modifier_on(capabilities),
            })
            .collect();
        if formats.is_empty() {
            return Err(Status::UnsupportedRtFormat.because(format!("render target format {rt_format:x?}")));
        }
        let side = |value: T| number(value).filter(|side| (1..=MAX_SIDE).contains(side));
        match (side(width), side(height)) {
            (Some(width), Some(height)) => Ok(Self {
                size: Size { width, height },
                formats,
                memory_type: va::VA_SURFACE_ATTRIB_MEM_TYPE_VA,
                descriptor: None,
                modifiers: None,
            }),
            (width, height) => {
                Err(Status::ResolutionNotSupported.because(format!("a surface of {width:?} by {height:?} samples")))
            }
        }
    }

    /// Takes an attribute into account. Its flags are not looked at: applications leave them 0.
    ///
    /// # Errors
    /// [`Status::AttributeNotSupported`] for what no surface can be.
    pub fn apply(&mut self, attribute: &va::VASurfaceAttrib, caller: &Caller) -> Result {
        let value = parameters::integer(attribute).map(i32::cast_unsigned);
        let refuse = |what: &str| Err(Status::AttributeNotSupported.because(format!("{what}: {value:x?}")));
        match attribute.type_ {
            va::VASurfaceAttribPixelFormat => {
                self.formats.retain(|offer| value == Some(offer.format.fourcc()));
                match self.formats.is_empty() {
                    true => refuse("a pixel format that such surfaces do not have"),
                    false => Ok(()),
                }
            }
            va::VASurfaceAttribMemoryType => {
                let is_known = |kind: &u32| *kind == va::VA_SURFACE_ATTRIB_MEM_TYPE_VA || IMPORTED_TYPES.contains(kind);
                let Some(kind) = value.filter(is_known) else {
                    return refuse("a type of memory");
                };
                self.memory_type = kind;
                Ok(())
            }
            va::VASurfaceAttribExternalBufferDescriptor => {
                self.descriptor = Some(*attribute);
                Ok(())
            }
            va::VASurfaceAttribDRMFormatModifiers => {
                let Some(list) = parameters::modifiers(attribute, caller) else {
                    return refuse("a list of modifiers that is nowhere");
                };
                self.modifiers = Some(list);
                Ok(())
            }
            // What it is for makes no difference.
            _ => Ok(()),
        }
    }

    /// Sees whether the attributes go together, when all are known.
    ///
    /// # Errors
    /// [`Status::AttributeNotSupported`] if the memory that the device makes has none of the modifiers asked for.
    pub fn settle(&mut self) -> Result {
        // Memory of the application says itself what it is.
        let Some(wanted) = self.modifiers.take().filter(|_| !self.is_imported()) else {
            return Ok(());
        };
        // Without a modifier the importer finds out by itself.
        let is_any = wanted.contains(&DRM_FORMAT_MOD_INVALID);
        self.formats.retain(|offer| is_any || wanted.contains(&offer.modifier));
        match self.formats.is_empty() {
            true => Err(Status::AttributeNotSupported.because(format!("one of the modifiers {wanted:x?}"))),
            false => Ok(()),
        }
    }

    /// The memory of `count` surfaces, where it is the application's; none where it is the driver's.
    ///
    /// # Errors
    /// [`Status::InvalidParameter`] without a descriptor, and those of [`Description`].
    pub fn imports(&self, count: usize, caller: &Caller) -> Result<Vec<Arc<FrameMemory>>> {
        let invalid = |why: &str| Status::InvalidParameter.because(why.to_owned());
        let descriptor = || {
            let descriptor = self.descriptor.as_ref();
            descriptor.ok_or_else(|| invalid("memory of the application without a descriptor"))
        };
        let descriptions = match self.memory_type {
            va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME => {
                let (buffers, fds) = parameters::external_buffers(descriptor()?, caller)?;
                let fds = fds.get(..count).ok_or_else(|| invalid("fewer buffers than surfaces"))?;
                let all = fds.iter().map(|&fd| Description::of_buffers(&buffers, fd));
                all.collect::<Result<Vec<_>>>()?
            }
            va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2 if count == 1 => {
                let descriptor = parameters::prime_descriptor(descriptor()?, caller)?;
                vec![Description::of_prime(&descriptor)?]
            }
            va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2 => return Err(invalid("one descriptor is one surface")),
            // The driver's own; a descriptor says nothing then.
            _ => Vec::new(),
        };
        let memories = descriptions.into_iter();
        memories
            .map(|description| description.into_memory(self.format(), self.size))
            .collect()
    }

    pub(super) fn format(&self) -> SampleFormat {
        self.formats.first().map_or(SampleFormat::Nv12, |offer| offer.format)
    }

    fn is_imported(&self) -> bool {
        IMPORTED_TYPES.contains(&self.memory_type)
    }
}

#[cfg(test)]
mod tests {
    use fourier_core::device::DecoderDevice;
    use fourier_core::device::format::{MODIFIER_LINEAR, MODIFIER_VIVANTE_TILED};
    use fourier_core::device::soft::{Personality, SoftDevice};

    use super::*;

    fn request(options: &str) -> SurfaceRequest {
        let device = SoftDevice::new(Personality::parse(options).unwrap());
        SurfaceRequest::new((64, 48), va::VA_RT_FORMAT_YUV420, device.capabilities()).unwrap()
    }

    #[test]
    fn memory_is_made_only_with_a_modifier_of_the_list() {
        let (rows, tiles, other) = (MODIFIER_LINEAR, MODIFIER_VIVANTE_TILED, 0x0100_0000_0000_0001);
        for (options, modifiers, is_made) in [
            ("default", &[rows][..], true),
            ("default", &[other, rows], true),
            ("default", &[DRM_FORMAT_MOD_INVALID], true),
            ("default", &[tiles, other], false),
            ("default", &[], false),
            ("format=VT12", &[tiles], true),
            ("format=VT12", &[rows, DRM_FORMAT_MOD_INVALID], true),
            ("format=VT12", &[rows], false),
        ] {
            let mut request = request(options);
            request.modifiers = Some(modifiers.to_vec());
            let settled = request.settle().map_err(|failure| failure.status);
            let expected = is_made.then_some(()).ok_or(Status::AttributeNotSupported);
            assert_eq!(settled, expected, "{options}, {modifiers:x?}");
        }
    }

    #[test]
    fn memory_of_the_application_need_not_lie_as_the_device_has_it() {
        for &kind in IMPORTED_TYPES {
            let mut request = request("format=VT12");
            (request.memory_type, request.modifiers) = (kind, Some(vec![MODIFIER_LINEAR]));
            assert!(request.settle().is_ok());
        }
    }
}
