//! Samples of a surface.

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

    fn of_image(display: &Display, image: &va::VAImage) -> Result<Self, Status> {
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
