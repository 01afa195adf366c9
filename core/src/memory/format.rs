//! `v4l2_format` in our terms: what a queue holds.

use std::fmt;

use crate::units::Size;

/// A V4L2 pixel format (`V4L2_PIX_FMT_*`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelFormat(pub u32);

impl PixelFormat {
    /// The format of these four characters, as the kernel's `v4l2_fourcc()`.
    pub const fn from_fourcc(fourcc: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(fourcc))
    }
}

impl fmt::Debug for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.to_le_bytes().escape_ascii())
    }
}

/// One memory plane of a format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PlaneFormat {
    /// Bytes from one luma row to the next; 0 on OUTPUT.
    pub bytes_per_line: u32,
    /// Bytes of the whole plane, tail space included.
    pub size_image: u32,
}

/// `v4l2_format` of one queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// `V4L2_PIX_FMT_H264_SLICE` on OUTPUT, the picture's format on CAPTURE.
    pub pixel_format: PixelFormat,
    /// Coded size.
    pub size: Size,
    /// One to three memory planes.
    pub planes: Vec<PlaneFormat>,
}
