//! Images: samples for the CPU, as copies or as the surface's own memory.

use std::ffi::c_int;
use std::sync::Arc;

use fourier_core::units::{Rect, Size};

use crate::buffer::Buffer;
use crate::driver::Driver;
use crate::ffi::va;
use crate::format::{PLANES, SampleFormat, is_dense};
use crate::samples::{self, ImagePlane};
use crate::status::{Result, Status};
use crate::surface::{Surface, dimension};

/// Rows of images begin at multiples of this many bytes.
const PITCH_ALIGNMENT: u32 = 64;

/// An image.
#[derive(Debug)]
pub struct Image {
    format: SampleFormat,
    size: Size,
    buffer: va::VABufferID,
    planes: [ImagePlane; PLANES],
}

impl Image {
    /// Nothing is converted.
    fn must_be_of(&self, surface: &Surface) -> Result {
        match self.format == surface.format {
            true => Ok(()),
            false => {
                let why = format!("an image of {:?} for a surface of {:?}", self.format, surface.format);
                Err(Status::InvalidImageFormat.because(why))
            }
        }
    }
}

/// A part of a surface or image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(Rect);

impl Region {
    /// The rectangle with that corner and size.
    ///
    /// # Errors
    /// [`Status::InvalidParameter`] for a corner before the beginning or without a chroma sample of its own, or a size
    /// of nothing.
    pub fn new(x: c_int, y: c_int, width: u32, height: u32) -> Result<Self> {
        let invalid = || Status::InvalidParameter.because(format!("a region of {width}x{height} at {x}, {y}"));
        let corner = |value: c_int| {
            u32::try_from(value)
                .ok()
                .filter(|value| value % 2 == 0)
                .ok_or_else(invalid)
        };
        if width == 0 || height == 0 {
            return Err(invalid());
        }
        Ok(Self(Rect {
            x: corner(x)?,
            y: corner(y)?,
            size: Size { width, height },
        }))
    }

    /// The rectangle, if it lies within `size`.
    fn within(self, size: Size) -> Result<Rect> {
        let Rect { x, y, size: own } = self.0;
        let fits = |start: u32, length: u32, whole: u32| start.checked_add(length).is_some_and(|end| end <= whole);
        match fits(x, own.width, size.width) && fits(y, own.height, size.height) {
            true => Ok(self.0),
            false => Err(Status::InvalidParameter.because(format!("{:?} is not within {size}", self.0))),
        }
    }
}

impl Driver {
    /// `vaQueryImageFormats`: what surfaces are to applications, and nothing that would have to be converted.
    pub fn image_formats(&self) -> Vec<va::VAImageFormat> {
        let formats = SampleFormat::of_device(self.capabilities());
        formats.map(SampleFormat::image_format).collect()
    }

    /// `vaCreateImage`.
    ///
    /// # Errors
    /// [`Status::InvalidImageFormat`], [`Status::InvalidParameter`], [`Status::AllocationFailed`].
    pub fn create_image(&self, format: &va::VAImageFormat, width: c_int, height: c_int) -> Result<va::VAImage> {
        let known = SampleFormat::of_device(self.capabilities()).find(|known| known.fourcc() == format.fourcc);
        let Some(format) = known else {
            let fourcc = format.fourcc.to_le_bytes();
            return Err(Status::InvalidImageFormat.because(format!("image format {}", fourcc.escape_ascii())));
        };
        let size = Size {
            width: dimension(width)?,
            height: dimension(height)?,
        };
        let row = size.width * format.bytes_per_sample() as u32;
        let pitch = row.next_multiple_of(PITCH_ALIGNMENT) as usize;
        let luma = pitch * size.height as usize;
        let bytes = luma + pitch * size.height.div_ceil(2) as usize;
        let planes = [ImagePlane { offset: 0, pitch }, ImagePlane { offset: luma, pitch }];
        self.insert_image((format, size), planes, bytes, Buffer::of_image(bytes)?)
    }

    /// `vaDeriveImage`: an image that is the surface's memory. Waits for its picture.
    ///
    /// # Errors
    /// [`Status::OperationFailed`] where reading through a pointer would be wrong or slow: the application takes copies.
    pub fn derive_image(&self, id: va::VASurfaceID) -> Result<va::VAImage> {
        let surface = self.surface(id)?;
        if !self.scratch.cpu_cached() {
            return Err(Status::OperationFailed.because("uncached memory"));
        }
        let frame = surface.lend(&self.scratch)?;
        surface.wait();
        let layout = &frame.memory().layout;
        let format = SampleFormat::of_layout(layout).filter(|_| layout.is_linear() && !is_dense(layout));
        let (&[bytes], Some(format)) = (layout.object_lengths.as_slice(), format) else {
            return Err(Status::OperationFailed.because("no rows of NV12 or P010 in one piece"));
        };
        let plane = |plane: usize| {
            let place = layout.planes.get(plane);
            place.map_or(ImagePlane { offset: 0, pitch: 0 }, |place| ImagePlane {
                offset: place.offset,
                pitch: place.pitch,
            })
        };
        let planes = [plane(0), plane(1)];
        let what = (format, surface.size);
        self.insert_image(what, planes, bytes, Buffer::of_surface(surface, frame.clone(), bytes))
    }

    fn insert_image(
        &self,
        (format, size): (SampleFormat, Size),
        planes: [ImagePlane; PLANES],
        bytes: usize,
        buffer: Buffer,
    ) -> Result<va::VAImage> {
        let buffer = self.buffers.insert(|_| buffer)?;
        let inserted = self.images.insert(|_| Image {
            format,
            size,
            buffer,
            planes,
        });
        let image_id = inserted.inspect_err(|_| drop(self.buffers.remove(buffer)))?;
        let [luma, chroma] = planes;
        Ok(va::VAImage {
            image_id,
            format: format.image_format(),
            buf: buffer,
            width: size.width as u16,
            height: size.height as u16,
            data_size: bytes as u32,
            num_planes: PLANES as u32,
            pitches: [luma.pitch as u32, chroma.pitch as u32, 0],
            offsets: [luma.offset as u32, chroma.offset as u32, 0],
            ..Default::default()
        })
    }

    /// `vaDestroyImage`, with its buffer.
    ///
    /// # Errors
    /// [`Status::InvalidImage`].
    pub fn destroy_image(&self, id: va::VAImageID) -> Result {
        let image = self.images.remove(id)?;
        // An application may have destroyed the buffer itself.
        drop(self.buffers.remove(image.buffer));
        Ok(())
    }

    /// `vaGetImage`: copies a region of a surface to the upper left corner of an image. Waits for the picture.
    ///
    /// # Errors
    /// [`Status::InvalidSurface`], [`Status::InvalidImage`], [`Status::InvalidParameter`] for a region outside,
    /// [`Status::InvalidImageFormat`] if the surface has other samples.
    pub fn get_image(&self, surface: va::VASurfaceID, region: Region, image: va::VAImageID) -> Result {
        let (surface, image) = (self.surface(surface)?, self.image(image)?);
        image.must_be_of(&surface)?;
        let from = region.within(surface.size)?;
        let corner = Rect { x: 0, y: 0, ..from };
        Region(corner).within(image.size)?;
        let buffer = self.image_buffer(&image)?;
        surface.wait();
        let frame = surface.frame(&self.scratch)?;
        match buffer.block() {
            Some(block) => samples::to_image(frame.memory(), from, (block, image.planes)),
            None => Err(Status::InvalidImage.because("a derived image is no place for a copy")),
        }
    }

    /// `vaPutImage`: copies a region of an image to one of a surface, without scaling.
    ///
    /// # Errors
    /// As [`Self::get_image`].
    pub fn put_image(&self, surface: va::VASurfaceID, image: va::VAImageID, from: Region, to: Region) -> Result {
        let (surface, image) = (self.surface(surface)?, self.image(image)?);
        image.must_be_of(&surface)?;
        let (from, to) = (from.within(image.size)?, to.within(surface.size)?);
        if from.size != to.size {
            return Err(Status::InvalidParameter.because(format!("{} to {}: nothing is scaled", from.size, to.size)));
        }
        let buffer = self.image_buffer(&image)?;
        surface.wait();
        surface.wait_for_readers();
        let frame = surface.frame(&self.scratch)?;
        match buffer.block() {
            Some(block) => samples::from_image((block, image.planes), from, frame.memory(), to),
            None => Err(Status::InvalidImage.because("a derived image is the surface already")),
        }
    }

    fn image_buffer(&self, image: &Image) -> Result<Arc<Buffer>> {
        let gone = |_| Status::InvalidImage.because("the image's buffer was destroyed");
        self.buffers.get(image.buffer).map_err(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_must_lie_within_and_begin_at_a_chroma_sample() {
        let size = Size { width: 64, height: 48 };
        assert!(Region::new(0, 0, 64, 48).unwrap().within(size).is_ok());
        assert!(Region::new(2, 46, 62, 2).unwrap().within(size).is_ok());
        for (x, y, width, height) in [(2, 0, 63, 1), (0, 48, 1, 1), (0, 0, u32::MAX, 1), (0, 2, 1, u32::MAX)] {
            assert!(Region::new(x, y, width, height).unwrap().within(size).is_err());
        }
        for (x, y, width, height) in [(1, 0, 2, 2), (0, -2, 2, 2), (0, 0, 0, 2), (0, 0, 2, 0)] {
            assert_eq!(
                Region::new(x, y, width, height).unwrap_err().status,
                Status::InvalidParameter
            );
        }
    }
}
