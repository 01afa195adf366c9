//! Calls about samples: images, exports, and what the driver has none of.

use std::ffi::{c_int, c_uint};
use std::os::fd::{FromRawFd, OwnedFd};

use super::{Display, va};
use crate::Status;

/// A surface as dma-bufs.
#[derive(Debug)]
pub struct Exported {
    /// What the driver says of it; its file descriptors are those of `objects`.
    pub descriptor: va::VADRMPRIMESurfaceDescriptor,
    /// The memory.
    pub objects: Vec<OwnedFd>,
}

impl Display {
    /// `vaQueryImageFormats`: their fourcc.
    ///
    /// # Errors
    /// What the driver says.
    pub fn image_formats(&self) -> Result<Vec<u32>, Status> {
        // SAFETY: an initialised display.
        let max = unsafe { va::vaMaxNumImageFormats(self.raw) };
        let mut list = vec![va::VAImageFormat::default(); usize::try_from(max).unwrap_or(0)];
        let mut count = 0;
        // SAFETY: room for as many formats as the display may have.
        let status = unsafe { va::vaQueryImageFormats(self.raw, list.as_mut_ptr(), &raw mut count) };
        Status::check(status)?;
        let formats = list.iter().take(usize::try_from(count).unwrap_or(0));
        Ok(formats.map(|format| format.fourcc).collect())
    }

    /// `vaCreateImage`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn create_image(&self, fourcc: u32, (width, height): (u32, u32)) -> Result<va::VAImage, Status> {
        let mut format = va::VAImageFormat {
            fourcc,
            ..Default::default()
        };
        let (width, height) = (width.cast_signed(), height.cast_signed());
        let mut image = va::VAImage::default();
        // SAFETY: a format, and a place for an image.
        let status = unsafe { va::vaCreateImage(self.raw, &raw mut format, width, height, &raw mut image) };
        Status::check(status).map(|()| image)
    }

    /// `vaDeriveImage`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn derive_image(&self, surface: va::VASurfaceID) -> Result<va::VAImage, Status> {
        let mut image = va::VAImage::default();
        // SAFETY: a place for an image.
        let status = unsafe { va::vaDeriveImage(self.raw, surface, &raw mut image) };
        Status::check(status).map(|()| image)
    }

    /// `vaDestroyImage`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn destroy_image(&self, id: va::VAImageID) -> Result<(), Status> {
        // SAFETY: an initialised display; any number.
        Status::check(unsafe { va::vaDestroyImage(self.raw, id) })
    }

    /// `vaGetImage` from the upper left corner.
    ///
    /// # Errors
    /// What the driver says.
    pub fn get_image(
        &self,
        surface: va::VASurfaceID,
        (width, height): (u32, u32),
        image: va::VAImageID,
    ) -> Result<(), Status> {
        // SAFETY: an initialised display; any numbers.
        Status::check(unsafe { va::vaGetImage(self.raw, surface, 0, 0, width, height, image) })
    }

    /// `vaPutImage` from the upper left corner to the same.
    ///
    /// # Errors
    /// What the driver says.
    pub fn put_image(
        &self,
        surface: va::VASurfaceID,
        image: va::VAImageID,
        (width, height): (u32, u32),
    ) -> Result<(), Status> {
        // SAFETY: an initialised display; any numbers.
        Status::check(unsafe { va::vaPutImage(self.raw, surface, image, 0, 0, width, height, 0, 0, width, height) })
    }

    /// `vaExportSurfaceHandle`; `flags` are `VA_EXPORT_SURFACE_*`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn export_surface(&self, surface: va::VASurfaceID, memory_type: u32, flags: u32) -> Result<Exported, Status> {
        let mut descriptor = va::VADRMPRIMESurfaceDescriptor::default();
        let place = (&raw mut descriptor).cast();
        // SAFETY: a place for a descriptor, the largest structure of all memory types.
        let status = unsafe { va::vaExportSurfaceHandle(self.raw, surface, memory_type, flags, place) };
        Status::check(status)?;
        // Of other types it would be another structure.
        let count = match memory_type {
            va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2 => descriptor.num_objects as usize,
            _ => 0,
        };
        let objects = descriptor.objects.iter().take(count);
        Ok(Exported {
            // SAFETY: va.h: the file descriptors are new, and the application's.
            objects: objects
                .map(|object| unsafe { OwnedFd::from_raw_fd(object.fd) })
                .collect(),
            descriptor,
        })
    }

    /// `vaAcquireBufferHandle`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn acquire_buffer(&self, id: va::VABufferID) -> Result<(), Status> {
        let mut info = va::VABufferInfo::default();
        // SAFETY: a place for what there is to say.
        Status::check(unsafe { va::vaAcquireBufferHandle(self.raw, id, &raw mut info) })
    }

    /// `vaQuerySubpictureFormats`: how many there are.
    ///
    /// # Errors
    /// What the driver says.
    pub fn subpicture_formats(&self) -> Result<u32, Status> {
        // SAFETY: an initialised display.
        let max = unsafe { va::vaMaxNumSubpictureFormats(self.raw) };
        let room = usize::try_from(max).unwrap_or(0);
        let mut formats = vec![va::VAImageFormat::default(); room];
        let (mut flags, mut count): (Vec<c_uint>, c_uint) = (vec![0; room], 0);
        // SAFETY: room for as many formats as the display may have.
        let status =
            unsafe { va::vaQuerySubpictureFormats(self.raw, formats.as_mut_ptr(), flags.as_mut_ptr(), &raw mut count) };
        Status::check(status).map(|()| count)
    }

    /// `vaCreateSubpicture`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn create_subpicture(&self, image: va::VAImageID) -> Result<va::VASubpictureID, Status> {
        let mut id = 0;
        // SAFETY: a place for an id.
        Status::check(unsafe { va::vaCreateSubpicture(self.raw, image, &raw mut id) }).map(|()| id)
    }

    /// `vaQueryDisplayAttributes`: how many there are.
    ///
    /// # Errors
    /// What the driver says.
    pub fn display_attributes(&self) -> Result<c_int, Status> {
        // SAFETY: an initialised display.
        let max = unsafe { va::vaMaxNumDisplayAttributes(self.raw) };
        let mut list = vec![va::VADisplayAttribute::default(); usize::try_from(max).unwrap_or(0)];
        let mut count = 0;
        // SAFETY: room for as many attributes as the display may have.
        let status = unsafe { va::vaQueryDisplayAttributes(self.raw, list.as_mut_ptr(), &raw mut count) };
        Status::check(status).map(|()| count)
    }
}
