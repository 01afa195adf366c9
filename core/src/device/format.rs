//! V4L2 pixel format <-> DRM fourcc and modifier <-> where the planes lie.

use crate::memory::{Format, FrameLayout, PixelFormat, PlaneFormat, PlaneLayout};
use crate::{Error, Result};

pub use crate::memory::tile::{
    MODIFIER_ALLWINNER_TILED, MODIFIER_LINEAR, MODIFIER_MTK_16L_32S_TILE, MODIFIER_VIVANTE_TILED,
};

/// `V4L2_PIX_FMT_H264_SLICE`.
pub const H264_SLICE: PixelFormat = PixelFormat::from_fourcc(*b"S264");
/// `V4L2_PIX_FMT_NV12`.
pub const NV12: PixelFormat = PixelFormat::from_fourcc(*b"NV12");
/// `V4L2_PIX_FMT_NV12M`: luma and chroma in memory planes of their own.
pub const NV12M: PixelFormat = PixelFormat::from_fourcc(*b"NM12");
/// `V4L2_PIX_FMT_NV16`: NV12 with as many rows of chroma as of luma.
pub const NV16: PixelFormat = PixelFormat::from_fourcc(*b"NV16");
/// `V4L2_PIX_FMT_NV16M`.
pub const NV16M: PixelFormat = PixelFormat::from_fourcc(*b"NM16");
/// `V4L2_PIX_FMT_Y210`: 4:2:2 packed, 10 bits in the upper bits of 16.
pub const Y210: PixelFormat = PixelFormat::from_fourcc(*b"Y210");
/// `V4L2_PIX_FMT_P010`: 10 bits in the upper bits of 16.
pub const P010: PixelFormat = PixelFormat::from_fourcc(*b"P010");
/// `V4L2_PIX_FMT_NV15`: NV12 of 10 bits without gaps.
pub const NV15: PixelFormat = PixelFormat::from_fourcc(*b"NV15");

/// `V4L2_PIX_FMT_NV12_4L4`: NV12 in tiles of 4x4.
pub const NV12_4L4: PixelFormat = PixelFormat::from_fourcc(*b"VT12");
/// `V4L2_PIX_FMT_NV12_32L32`: NV12 in tiles of 32x32.
pub const NV12_32L32: PixelFormat = PixelFormat::from_fourcc(*b"ST12");
/// `V4L2_PIX_FMT_MM21`: NV12 in tiles of 16x32, those of chroma 16x16, in memory planes of their own.
pub const MM21: PixelFormat = PixelFormat::from_fourcc(*b"MM21");

/// How the chroma plane follows the luma plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chroma {
    /// All samples are in one packed plane.
    Packed,
    /// Interleaved CbCr, half as many rows as luma (4:2:0).
    HalfRows,
    /// Interleaved CbCr, as many rows as luma (4:2:2).
    FullRows,
    /// A plane of Cb and then one of Cr, with half as many rows as luma, of half its pitch (4:2:0).
    Planar,
}

impl Chroma {
    /// Has one sample for four of luma (4:2:0).
    pub fn is_420(self) -> bool {
        matches!(self, Self::HalfRows | Self::Planar)
    }
}

/// One picture format and its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatInfo {
    /// `V4L2_PIX_FMT_*`.
    pub pixel_format: PixelFormat,
    /// `DRM_FORMAT_*`.
    pub fourcc: [u8; 4],
    /// `DRM_FORMAT_MOD_*`.
    pub modifier: u64,
    /// Memory planes (buffers) of a frame.
    pub memory_planes: usize,
    /// Where chroma is.
    pub chroma: Chroma,
    /// Bits that one luma column takes in a row; 32 for packed 4:2:2 of 16-bit samples.
    pub bits_per_column: u32,
}

impl FormatInfo {
    /// The pitch to ask a driver for, in bytes: one that every display and GPU takes, of every plane.
    pub fn wanted_pitch(&self, width: u32) -> u32 {
        let alignment = match self.chroma {
            Chroma::Planar => 128,
            Chroma::Packed | Chroma::HalfRows | Chroma::FullRows => 64,
        };
        width
            .saturating_mul(self.bits_per_column)
            .div_ceil(8)
            .next_multiple_of(alignment)
    }
}

const fn entry(v4l2: &[u8; 4], drm: &[u8; 4], memory_planes: usize, chroma: Chroma, bits: u32) -> FormatInfo {
    FormatInfo {
        pixel_format: PixelFormat::from_fourcc(*v4l2),
        fourcc: *drm,
        modifier: MODIFIER_LINEAR,
        memory_planes,
        chroma,
        bits_per_column: bits,
    }
}

const fn tiled(v4l2: &[u8; 4], modifier: u64, memory_planes: usize) -> FormatInfo {
    FormatInfo {
        modifier,
        ..entry(v4l2, b"NV12", memory_planes, Chroma::HalfRows, 8)
    }
}

/// Every picture format that a stateless decoder may give and that DRM has a name for.
pub const FORMATS: &[FormatInfo] = &[
    entry(b"NV12", b"NV12", 1, Chroma::HalfRows, 8),
    entry(b"NM12", b"NV12", 2, Chroma::HalfRows, 8),
    entry(b"YU12", b"YU12", 1, Chroma::Planar, 8),
    entry(b"NV16", b"NV16", 1, Chroma::FullRows, 8),
    entry(b"NM16", b"NV16", 2, Chroma::FullRows, 8),
    entry(b"P010", b"P010", 1, Chroma::HalfRows, 16),
    entry(b"NV15", b"NV15", 1, Chroma::HalfRows, 10),
    entry(b"NV20", b"NV20", 1, Chroma::FullRows, 10),
    entry(b"Y210", b"Y210", 1, Chroma::Packed, 32),
    tiled(b"VT12", MODIFIER_VIVANTE_TILED, 1),
    tiled(b"ST12", MODIFIER_ALLWINNER_TILED, 1),
    tiled(b"MM21", MODIFIER_MTK_16L_32S_TILE, 2),
];

/// What is known of a V4L2 pixel format.
pub fn info(pixel_format: PixelFormat) -> Option<&'static FormatInfo> {
    FORMATS.iter().find(|info| info.pixel_format == pixel_format)
}

/// What is known of a DRM format; the one with a single memory plane where there are two.
pub fn info_of_drm(fourcc: u32, modifier: u64) -> Option<&'static FormatInfo> {
    FORMATS
        .iter()
        .find(|info| u32::from_le_bytes(info.fourcc) == fourcc && info.modifier == modifier)
}

/// Where the samples of a frame of `format` lie, by the rules of V4L2: chroma follows luma at `pitch * height`.
///
/// # Errors
/// [`Error::Unsupported`] if the pixel format is unknown or its planes are too small for the picture.
pub fn frame_layout(format: &Format) -> Result<FrameLayout> {
    let refuse = |why: &str| Error::Unsupported(format!("{:?} {} {why}", format.pixel_format, format.size));
    let info = info(format.pixel_format).ok_or_else(|| refuse("is no known picture format"))?;
    if format.planes.len() != info.memory_planes {
        return Err(refuse("has the wrong number of memory planes"));
    }
    let height = format.size.height as usize;
    let row = (u64::from(format.size.width) * u64::from(info.bits_per_column)).div_ceil(8);
    let pitch = |plane: &PlaneFormat| plane.bytes_per_line as usize;
    let luma = pitch(&format.planes[0]);
    if (luma as u64) < row {
        return Err(refuse("has rows that are too short"));
    }
    let mut planes = vec![PlaneLayout {
        object: 0,
        offset: 0,
        pitch: luma,
    }];
    let mut needed = vec![luma.saturating_mul(height)];
    // Pitch and rows of each plane of chroma.
    let chroma: &[(usize, usize)] = match info.chroma {
        Chroma::Packed => &[],
        Chroma::HalfRows => &[(luma, height.div_ceil(2))],
        Chroma::FullRows => &[(luma, height)],
        Chroma::Planar => &[(luma / 2, height.div_ceil(2)); 2],
    };
    for &(in_one_piece, rows) in chroma {
        let (object, pitch) = match format.planes.get(1) {
            None => (0, in_one_piece),
            Some(plane) => (1, pitch(plane)),
        };
        needed.resize(object + 1, 0);
        planes.push(PlaneLayout {
            object,
            offset: needed[object],
            pitch,
        });
        needed[object] = needed[object].saturating_add(pitch.saturating_mul(rows));
    }
    let object_lengths: Vec<_> = format.planes.iter().map(|plane| plane.size_image as usize).collect();
    if object_lengths
        .iter()
        .zip(&needed)
        .any(|(length, needed)| length < needed)
    {
        return Err(refuse("has planes that are too small"));
    }
    let fourcc = u32::from_le_bytes(info.fourcc);
    Ok(FrameLayout {
        fourcc,
        modifier: Some(info.modifier),
        size: format.size,
        planes,
        object_lengths,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Size;

    fn format(pixel_format: PixelFormat, planes: &[(u32, u32)]) -> Format {
        let plane = |&(bytes_per_line, size_image): &(u32, u32)| PlaneFormat {
            bytes_per_line,
            size_image,
        };
        Format {
            pixel_format,
            size: Size { width: 48, height: 32 },
            planes: planes.iter().map(plane).collect(),
        }
    }

    #[test]
    fn chroma_of_one_memory_plane_follows_luma() {
        let layout = frame_layout(&format(NV12, &[(64, 64 * 48 + 100)])).unwrap();
        assert_eq!(
            layout.planes[1],
            PlaneLayout {
                object: 0,
                offset: 64 * 32,
                pitch: 64
            }
        );
        assert_eq!(
            layout.object_lengths,
            [64 * 48 + 100],
            "the driver's tail space is kept"
        );
        assert_eq!(
            (layout.fourcc.to_le_bytes(), layout.modifier),
            (*b"NV12", Some(MODIFIER_LINEAR))
        );
    }

    #[test]
    fn chroma_of_two_memory_planes_is_an_object_of_its_own() {
        let layout = frame_layout(&format(NV12M, &[(64, 2048), (64, 1024)])).unwrap();
        assert_eq!(
            layout.planes[1],
            PlaneLayout {
                object: 1,
                offset: 0,
                pitch: 64
            }
        );
    }

    #[test]
    fn three_planes_follow_one_another_with_half_the_pitch_for_chroma() {
        let yuv420 = PixelFormat::from_fourcc(*b"YU12");
        let layout = frame_layout(&format(yuv420, &[(128, 128 * 48)])).unwrap();
        let planes: Vec<_> = layout.planes.iter().map(|plane| (plane.offset, plane.pitch)).collect();
        assert_eq!(planes, [(0, 128), (128 * 32, 64), (128 * 32 + 64 * 16, 64)]);
        assert!(layout.planes.iter().all(|plane| plane.object == 0));
        assert_eq!(layout.fourcc.to_le_bytes(), *b"YU12");
        assert!(frame_layout(&format(yuv420, &[(128, 128 * 48 - 1)])).is_err());
    }

    #[test]
    fn the_pitch_asked_for_aligns_every_plane() {
        let wanted = |name: &[u8; 4], width| info(PixelFormat::from_fourcc(*name)).unwrap().wanted_pitch(width);
        assert_eq!(wanted(b"NV12", 720), 768);
        assert_eq!(wanted(b"YU12", 720) / 2 % 64, 0);
        assert_eq!(wanted(b"NV15", 720), 960);
        assert_eq!(wanted(b"Y210", 80), 320);
    }

    #[test]
    fn full_rows_of_chroma_double_the_frame() {
        assert!(frame_layout(&format(PixelFormat::from_fourcc(*b"NV16"), &[(48, 48 * 64)])).is_ok());
        assert!(frame_layout(&format(PixelFormat::from_fourcc(*b"NV16"), &[(48, 48 * 64 - 1)])).is_err());
        assert!(frame_layout(&format(PixelFormat::from_fourcc(*b"NV15"), &[(60, 60 * 48)])).is_ok());
        assert!(frame_layout(&format(PixelFormat::from_fourcc(*b"NV15"), &[(59, 60 * 48)])).is_err());
    }

    #[test]
    fn a_reply_that_cannot_hold_the_picture_is_refused() {
        for planes in [
            &[(47, 4096)][..],
            &[(64, 3071)],
            &[(64, 2048), (64, 1024)],
            &[],
            &[(u32::MAX, u32::MAX)],
        ] {
            assert!(
                matches!(frame_layout(&format(NV12, planes)), Err(Error::Unsupported(_))),
                "{planes:?}"
            );
        }
        assert!(frame_layout(&format(H264_SLICE, &[(0, 4096)])).is_err());
    }

    #[test]
    fn every_format_is_found_by_both_of_its_names() {
        for format in FORMATS {
            assert_eq!(info(format.pixel_format), Some(format));
            let found = info_of_drm(u32::from_le_bytes(format.fourcc), format.modifier).unwrap();
            assert_eq!(
                (found.fourcc, found.modifier, found.chroma),
                (format.fourcc, format.modifier, format.chroma)
            );
        }
        assert_eq!(info_of_drm(u32::from_le_bytes(*b"NV12"), 77), None);
    }
}
