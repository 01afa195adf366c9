//! Calls about configs, surfaces, contexts and buffers.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr;

use super::{Display, input, va};
use crate::Status;

unsafe extern "C" {
    /// libva has it, though no header says so.
    fn vaBufferInfo(
        display: va::VADisplay,
        context: va::VAContextID,
        buffer: va::VABufferID,
        kind: *mut va::VABufferType,
        size: *mut c_uint,
        count: *mut c_uint,
    ) -> va::VAStatus;
}

/// A structure that a parameter buffer holds.
///
/// # Safety
/// It is one of libva's, so that the driver may read it.
pub unsafe trait Parameters: Copy {}

// SAFETY: libva's.
unsafe impl Parameters for va::VAPictureParameterBufferH264 {}
// SAFETY: libva's.
unsafe impl Parameters for va::VAIQMatrixBufferH264 {}
// SAFETY: libva's.
unsafe impl Parameters for va::VASliceParameterBufferH264 {}
// SAFETY: a byte is anything.
unsafe impl Parameters for u8 {}

/// Memory of the application, one memory type or the other.
#[derive(Clone, Debug)]
pub enum External {
    /// `VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME`: a layout, and a file descriptor for each surface.
    Prime(va::VASurfaceAttribExternalBuffers, Vec<usize>),
    /// `VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2`.
    Prime2(Box<va::VADRMPRIMESurfaceDescriptor>),
    /// A memory type whose descriptor is NULL.
    Nowhere(u32),
}

/// A result of libva: a number and a place where it is put.
fn made<T: Default>(call: impl FnOnce(*mut T) -> va::VAStatus) -> Result<T, Status> {
    let mut value = T::default();
    Status::check(call(&raw mut value)).map(|()| value)
}

/// A list of libva: room for `max`, and how many there are.
fn listed<T: Default + Clone>(
    max: c_int,
    call: impl FnOnce(*mut T, *mut c_int) -> va::VAStatus,
) -> Result<Vec<T>, Status> {
    let mut list = vec![T::default(); usize::try_from(max).unwrap_or(0)];
    let mut count = 0;
    Status::check(call(list.as_mut_ptr(), &raw mut count))?;
    list.truncate(usize::try_from(count).unwrap_or(0));
    Ok(list)
}

impl Display {
    /// `vaQueryConfigProfiles`.
    ///
    /// # Errors
    /// What the driver says, as of every method.
    pub fn profiles(&self) -> Result<Vec<va::VAProfile>, Status> {
        // SAFETY: an initialised display.
        let max = unsafe { va::vaMaxNumProfiles(self.raw) };
        // SAFETY: room for as many profiles as the display may have.
        listed(max, |list, count| unsafe {
            va::vaQueryConfigProfiles(self.raw, list, count)
        })
    }

    /// `vaQueryConfigEntrypoints`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn entrypoints(&self, profile: va::VAProfile) -> Result<Vec<va::VAEntrypoint>, Status> {
        // SAFETY: an initialised display.
        let max = unsafe { va::vaMaxNumEntrypoints(self.raw) };
        // SAFETY: room for as many entrypoints as the display may have.
        listed(max, |list, count| unsafe {
            va::vaQueryConfigEntrypoints(self.raw, profile, list, count)
        })
    }

    /// `vaGetConfigAttributes` of one.
    ///
    /// # Errors
    /// What the driver says.
    pub fn config_attribute(
        &self,
        (profile, entrypoint): (va::VAProfile, va::VAEntrypoint),
        kind: va::VAConfigAttribType,
    ) -> Result<u32, Status> {
        let mut attribute = va::VAConfigAttrib { type_: kind, value: 0 };
        // SAFETY: an initialised display and one attribute.
        let status = unsafe { va::vaGetConfigAttributes(self.raw, profile, entrypoint, &raw mut attribute, 1) };
        Status::check(status).map(|()| attribute.value)
    }

    /// `vaCreateConfig`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn create_config(
        &self,
        (profile, entrypoint): (va::VAProfile, va::VAEntrypoint),
        attributes: &[va::VAConfigAttrib],
    ) -> Result<va::VAConfigID, Status> {
        let (list, count) = (input(attributes), attributes.len() as c_int);
        // SAFETY: an initialised display, a list of as many attributes as said, and a place for an id.
        made(|id| unsafe { va::vaCreateConfig(self.raw, profile, entrypoint, list, count, id) })
    }

    /// `vaDestroyConfig`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn destroy_config(&self, id: va::VAConfigID) -> Result<(), Status> {
        // SAFETY: an initialised display; any number.
        Status::check(unsafe { va::vaDestroyConfig(self.raw, id) })
    }

    /// `vaQueryConfigAttributes`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn query_config(&self, id: va::VAConfigID) -> Result<(va::VAProfile, Vec<va::VAConfigAttrib>), Status> {
        // SAFETY: an initialised display.
        let max = unsafe { va::vaMaxNumConfigAttributes(self.raw) };
        let (mut profile, mut entrypoint) = (0, 0);
        let (p, e) = (&raw mut profile, &raw mut entrypoint);
        // SAFETY: places for both numbers, and room for as many attributes as the display may have.
        let list = listed(max, |list, count| unsafe {
            va::vaQueryConfigAttributes(self.raw, id, p, e, list, count)
        })?;
        Ok((profile, list))
    }

    /// `vaQuerySurfaceAttributes`, first without a list, as applications do.
    ///
    /// # Errors
    /// What the driver says.
    pub fn surface_attributes(&self, config: va::VAConfigID) -> Result<Vec<va::VASurfaceAttrib>, Status> {
        // What applications leave there.
        let mut count: c_uint = 32_654;
        // SAFETY: an initialised display and a place for a number.
        let status = unsafe { va::vaQuerySurfaceAttributes(self.raw, config, ptr::null_mut(), &raw mut count) };
        Status::check(status)?;
        let mut list = vec![va::VASurfaceAttrib::default(); count as usize];
        // SAFETY: as many attributes as the count says.
        let status = unsafe { va::vaQuerySurfaceAttributes(self.raw, config, list.as_mut_ptr(), &raw mut count) };
        Status::check(status)?;
        list.truncate(count as usize);
        Ok(list)
    }

    /// What of `vaQuerySurfaceAttributes` is a pixel format: `VA_FOURCC_*`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn pixel_formats(&self, config: va::VAConfigID) -> Result<Vec<u32>, Status> {
        let mut attributes = self.surface_attributes(config)?;
        attributes.retain(|attribute| {
            attribute.type_ == va::VASurfaceAttribPixelFormat && attribute.value.type_ == va::VAGenericValueTypeInteger
        });
        // SAFETY: its type says that it is an integer.
        let fourcc = |attribute: &va::VASurfaceAttrib| unsafe { attribute.value.value.i }.cast_unsigned();
        Ok(attributes.iter().map(fourcc).collect())
    }

    /// `vaCreateSurfaces`: of `VA_RT_FORMAT_*`, with attributes that are integers.
    ///
    /// # Errors
    /// What the driver says.
    pub fn create_surfaces(
        &self,
        format: u32,
        (width, height): (u32, u32),
        count: usize,
        attributes: &[(va::VASurfaceAttribType, u32)],
    ) -> Result<Vec<va::VASurfaceID>, Status> {
        let mut attributes: Vec<_> = attributes
            .iter()
            .map(|&(kind, value)| va::VASurfaceAttrib {
                type_: kind,
                flags: va::VA_SURFACE_ATTRIB_SETTABLE,
                value: va::VAGenericValue {
                    type_: va::VAGenericValueTypeInteger,
                    value: va::_VAGenericValue__bindgen_ty_1 { i: value.cast_signed() },
                },
            })
            .collect();
        let mut ids = vec![va::VA_INVALID_SURFACE; count];
        // SAFETY: lists of as many ids and attributes as said.
        let status = unsafe {
            va::vaCreateSurfaces(
                self.raw,
                format,
                width,
                height,
                ids.as_mut_ptr(),
                count as c_uint,
                attributes.as_mut_ptr(),
                attributes.len() as c_uint,
            )
        };
        Status::check(status).map(|()| ids)
    }

    /// `vaCreateSurfaces` of NV12 with memory of the application.
    ///
    /// # Errors
    /// What the driver says.
    pub fn import_surfaces(
        &self,
        (width, height): (u32, u32),
        count: usize,
        memory: &External,
    ) -> Result<Vec<va::VASurfaceID>, Status> {
        let mut memory = memory.clone();
        let (kind, descriptor): (_, *mut c_void) = match &mut memory {
            External::Prime(buffers, fds) => {
                (buffers.buffers, buffers.num_buffers) = (fds.as_mut_ptr(), fds.len() as u32);
                (va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME, ptr::from_mut(buffers).cast())
            }
            External::Prime2(descriptor) => {
                let place: *mut va::VADRMPRIMESurfaceDescriptor = &raw mut **descriptor;
                (va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2, place.cast())
            }
            External::Nowhere(kind) => (*kind, ptr::null_mut()),
        };
        let attribute = |type_, value_type, value| va::VASurfaceAttrib {
            type_,
            flags: va::VA_SURFACE_ATTRIB_SETTABLE,
            value: va::VAGenericValue {
                type_: value_type,
                value,
            },
        };
        let mut attributes = [
            attribute(
                va::VASurfaceAttribExternalBufferDescriptor,
                va::VAGenericValueTypePointer,
                va::_VAGenericValue__bindgen_ty_1 { p: descriptor },
            ),
            attribute(
                va::VASurfaceAttribMemoryType,
                va::VAGenericValueTypeInteger,
                va::_VAGenericValue__bindgen_ty_1 { i: kind.cast_signed() },
            ),
        ];
        let mut ids = vec![va::VA_INVALID_SURFACE; count];
        let (list, attributes, attribute_count) = (ids.as_mut_ptr(), attributes.as_mut_ptr(), 2);
        let (format, count) = (va::VA_RT_FORMAT_YUV420, count as c_uint);
        // SAFETY: lists of as many ids and attributes as said; what these point to lives until the call is over.
        let status = unsafe {
            va::vaCreateSurfaces(
                self.raw,
                format,
                width,
                height,
                list,
                count,
                attributes,
                attribute_count,
            )
        };
        Status::check(status).map(|()| ids)
    }

    /// `vaDestroySurfaces`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn destroy_surfaces(&self, ids: &[va::VASurfaceID]) -> Result<(), Status> {
        // SAFETY: a list of as many ids as said.
        Status::check(unsafe { va::vaDestroySurfaces(self.raw, input(ids), ids.len() as c_int) })
    }

    /// `vaCreateContext`, progressive.
    ///
    /// # Errors
    /// What the driver says.
    pub fn create_context(
        &self,
        config: va::VAConfigID,
        (width, height): (u32, u32),
        targets: &[va::VASurfaceID],
    ) -> Result<va::VAContextID, Status> {
        let (width, height) = (width.cast_signed(), height.cast_signed());
        let flags = va::VA_PROGRESSIVE as c_int;
        let (list, count) = (input(targets), targets.len() as c_int);
        // SAFETY: a list of as many ids as said, and a place for an id.
        made(|id| unsafe { va::vaCreateContext(self.raw, config, width, height, flags, list, count, id) })
    }

    /// `vaDestroyContext`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn destroy_context(&self, id: va::VAContextID) -> Result<(), Status> {
        // SAFETY: an initialised display; any number.
        Status::check(unsafe { va::vaDestroyContext(self.raw, id) })
    }

    /// `vaCreateBuffer` with contents.
    ///
    /// # Errors
    /// What the driver says.
    pub fn create_buffer<T: Parameters>(
        &self,
        context: va::VAContextID,
        kind: va::VABufferType,
        elements: &[T],
    ) -> Result<va::VABufferID, Status> {
        let (size, count) = (size_of::<T>() as c_uint, elements.len() as c_uint);
        let data: *mut c_void = input(elements).cast();
        // SAFETY: as much data as said, and a place for an id.
        made(|id| unsafe { va::vaCreateBuffer(self.raw, context, kind, size, count, data, id) })
    }

    /// `vaCreateBuffer` without contents.
    ///
    /// # Errors
    /// What the driver says.
    pub fn create_empty_buffer(
        &self,
        context: va::VAContextID,
        kind: va::VABufferType,
        (size, count): (u32, u32),
    ) -> Result<va::VABufferID, Status> {
        // SAFETY: no data, and a place for an id.
        made(|id| unsafe { va::vaCreateBuffer(self.raw, context, kind, size, count, ptr::null_mut(), id) })
    }

    /// `vaBufferInfo`: type, size of an element, elements.
    ///
    /// # Errors
    /// What the driver says.
    pub fn buffer_info(&self, id: va::VABufferID) -> Result<(va::VABufferType, u32, u32), Status> {
        let (mut kind, mut size, mut count) = (0, 0, 0);
        // SAFETY: places for three numbers.
        let status = unsafe { vaBufferInfo(self.raw, 0, id, &raw mut kind, &raw mut size, &raw mut count) };
        Status::check(status).map(|()| (kind, size, count))
    }

    /// `vaBufferSetNumElements`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn set_elements(&self, id: va::VABufferID, count: u32) -> Result<(), Status> {
        // SAFETY: an initialised display; any numbers.
        Status::check(unsafe { va::vaBufferSetNumElements(self.raw, id, count) })
    }

    /// `vaMapBuffer`, `elements` to its start, and `vaUnmapBuffer`.
    ///
    /// # Errors
    /// What the driver says; `VA_STATUS_ERROR_INVALID_PARAMETER` without room for them.
    pub fn fill_buffer<T: Parameters>(&self, id: va::VABufferID, elements: &[T]) -> Result<(), Status> {
        self.require_room(id, size_of_val(elements))?;
        let address = self.map_buffer(id)?.cast::<T>();
        // SAFETY: the mapped buffer has room for the elements, and no reference into it exists.
        unsafe { address.copy_from_nonoverlapping(elements.as_ptr(), elements.len()) };
        self.unmap_buffer(id)
    }

    /// `vaMapBuffer`, a copy of its bytes, and `vaUnmapBuffer`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn read_buffer(&self, id: va::VABufferID) -> Result<Vec<u8>, Status> {
        let (_, size, count) = self.buffer_info(id)?;
        let mut bytes = vec![0_u8; size as usize * count as usize];
        let address = self.map_buffer(id)?.cast::<u8>();
        // SAFETY: the mapped buffer has as many bytes as the driver says, and the vector is new.
        unsafe { bytes.as_mut_ptr().copy_from_nonoverlapping(address, bytes.len()) };
        self.unmap_buffer(id).map(|()| bytes)
    }

    /// `vaMapBuffer` alone.
    ///
    /// # Errors
    /// What the driver says.
    pub fn map_buffer(&self, id: va::VABufferID) -> Result<*mut c_void, Status> {
        let mut address = ptr::null_mut();
        // SAFETY: a place for an address.
        let status = unsafe { va::vaMapBuffer(self.raw, id, &raw mut address) };
        Status::check(status).map(|()| address)
    }

    /// `vaUnmapBuffer` alone.
    ///
    /// # Errors
    /// What the driver says.
    pub fn unmap_buffer(&self, id: va::VABufferID) -> Result<(), Status> {
        // SAFETY: an initialised display; any number.
        Status::check(unsafe { va::vaUnmapBuffer(self.raw, id) })
    }

    /// `vaDestroyBuffer`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn destroy_buffer(&self, id: va::VABufferID) -> Result<(), Status> {
        // SAFETY: an initialised display; any number.
        Status::check(unsafe { va::vaDestroyBuffer(self.raw, id) })
    }

    fn require_room(&self, id: va::VABufferID, bytes: usize) -> Result<(), Status> {
        let (_, size, count) = self.buffer_info(id)?;
        match size as usize * count as usize >= bytes {
            true => Ok(()),
            false => Err(Status::of(va::VA_STATUS_ERROR_INVALID_PARAMETER)),
        }
    }
}
