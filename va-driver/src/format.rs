//! What samples surfaces and images have, by the names of VA, DRM and V4L2.

use fourier_core::device::Capabilities;
use fourier_core::device::format;
use fourier_core::h264::Sps;
use fourier_core::memory::{FrameLayout, PixelFormat};
use fourier_core::units::Size;

use crate::ffi::va;

/// Planes of each: luma, and interleaved chroma of half the height.
pub const PLANES: usize = 2;

/// The samples of a picture, 4:2:0 in two planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleFormat {
    /// 8 bits.
    Nv12,
    /// 10 bits in the upper bits of 16.
    P010,
}

/// Samples of 10 bits lie without gaps, as NV15.
pub fn is_dense(layout: &FrameLayout) -> bool {
    PixelFormat(layout.fourcc) == format::NV15
}

/// What the planes are called where each is a picture of its own: `DRM_FORMAT_R8`, `DRM_FORMAT_GR88`.
const LAYERS_OF_NV12: [u32; PLANES] = [u32::from_le_bytes(*b"R8  "), u32::from_le_bytes(*b"GR88")];
/// As above: `DRM_FORMAT_R16`, `DRM_FORMAT_GR1616`.
const LAYERS_OF_P010: [u32; PLANES] = [u32::from_le_bytes(*b"R16 "), u32::from_le_bytes(*b"GR32")];

impl SampleFormat {
    const ALL: [Self; 2] = [Self::Nv12, Self::P010];

    /// Those that a device gives, the usual one first. VA has no name for 10 bits without gaps: they are P010 to images.
    pub fn of_device(capabilities: &Capabilities) -> impl Iterator<Item = Self> {
        let gives = |format| capabilities.capture_formats.contains(format);
        let gives_p010 = capabilities.max_bit_depth >= 10 && [format::P010, format::NV15].iter().any(gives);
        let is_given = move |format: &Self| match format {
            Self::Nv12 => true,
            Self::P010 => gives_p010,
        };
        Self::ALL.into_iter().filter(is_given)
    }

    /// `DRM_FORMAT_MOD_*` of memory that a device makes for such pictures: of those that it has, core takes the first.
    pub fn modifier_on(self, capabilities: &Capabilities) -> u64 {
        let is_given = |info: &&format::FormatInfo| {
            u32::from_le_bytes(info.fourcc) == self.fourcc()
                && capabilities.capture_formats.contains(&info.pixel_format)
        };
        let found = format::FORMATS.iter().find(is_given);
        found.map_or(format::MODIFIER_LINEAR, |info| info.modifier)
    }

    /// The format of pictures of `sps`.
    pub fn of_sps(sps: &Sps) -> Self {
        if sps.bit_depth_luma() > 8 {
            Self::P010
        } else {
            Self::Nv12
        }
    }

    /// The format of a memory, in tiles or not, with gaps or not; `None` if it is another one.
    pub fn of_layout(layout: &FrameLayout) -> Option<Self> {
        let fourcc = if is_dense(layout) {
            Self::P010.fourcc()
        } else {
            layout.fourcc
        };
        let is_it = |format: &Self| format.fourcc() == fourcc && layout.planes.len() == PLANES;
        Self::ALL.into_iter().find(is_it)
    }

    /// Whether memory that a device makes for it is what applications know by its name.
    pub fn is_stored_on(self, capabilities: &Capabilities) -> bool {
        match self {
            Self::Nv12 => true,
            Self::P010 => capabilities.capture_formats.contains(&format::P010),
        }
    }

    /// `VA_FOURCC_*` and `DRM_FORMAT_*`, which are the same here.
    pub fn fourcc(self) -> u32 {
        let PixelFormat(fourcc) = match self {
            Self::Nv12 => format::NV12,
            Self::P010 => format::P010,
        };
        fourcc
    }

    /// `VA_RT_FORMAT_*`.
    pub fn rt_format(self) -> u32 {
        match self {
            Self::Nv12 => va::VA_RT_FORMAT_YUV420,
            Self::P010 => va::VA_RT_FORMAT_YUV420_10,
        }
    }

    /// `bit_depth_luma_minus8` and `bit_depth_chroma_minus8`.
    pub fn bit_depth_minus8(self) -> u8 {
        match self {
            Self::Nv12 => 0,
            Self::P010 => 2,
        }
    }

    /// What a sample takes.
    pub fn bytes_per_sample(self) -> usize {
        match self {
            Self::Nv12 => 1,
            Self::P010 => 2,
        }
    }

    /// Rows of a plane of a picture, and bytes of each.
    pub fn rows(self, plane: usize, size: Size) -> (usize, usize) {
        let (width, height) = (size.width as usize, size.height as usize);
        match plane {
            0 => (height, width * self.bytes_per_sample()),
            _ => (height.div_ceil(2), width.next_multiple_of(2) * self.bytes_per_sample()),
        }
    }

    /// DRM's names of the planes, each as a layer of its own.
    pub fn separate_layers(self) -> [u32; PLANES] {
        match self {
            Self::Nv12 => LAYERS_OF_NV12,
            Self::P010 => LAYERS_OF_P010,
        }
    }

    /// For lists and requests of images.
    pub fn image_format(self) -> va::VAImageFormat {
        va::VAImageFormat {
            fourcc: self.fourcc(),
            byte_order: va::VA_LSB_FIRST,
            // One luma sample and half of one of chroma.
            bits_per_pixel: 12 * self.bytes_per_sample() as u32,
            ..Default::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_the_names_that_va_has_for_it() {
        assert_eq!(SampleFormat::Nv12.fourcc(), va::VA_FOURCC_NV12);
        assert_eq!(SampleFormat::P010.fourcc(), va::VA_FOURCC_P010);
        assert_eq!(SampleFormat::P010.image_format().bits_per_pixel, 24);
    }
}
