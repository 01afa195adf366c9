//! What S_FMT makes of a format.

use crate::memory::{Format, PixelFormat, PlaneFormat, Tiling};
use crate::units::Size;

use v4l2r::bindings::v4l2_ctrl_h264_sps;

use super::personality::Personality;
use crate::device::format::{self, Chroma, H264_SLICE, NV12, NV12M, NV15, NV16, NV16M, P010, Y210};

/// Least bitstream buffer: a small picture whose every macroblock is I_PCM still fits.
const MIN_BITSTREAM: u32 = 16 * 1024;
/// Largest bitstream buffer.
const MAX_BITSTREAM: u32 = 256 * 1024 * 1024;

/// Rounds up to whole macroblocks within the limits of the device.
fn coded_size(personality: &Personality, size: Size) -> Size {
    let side = |side: u32, min: u32, max: u32| side.clamp(min, max).next_multiple_of(16);
    let (min, max) = (personality.min_size, personality.max_size);
    Size {
        width: side(size.width, min.width, max.width),
        height: side(size.height, min.height, max.height),
    }
}

/// The OUTPUT format nearest to `wanted`; a `size_image` of 0 asks for the device's own idea.
pub(super) fn output(personality: &Personality, wanted: &Format) -> Format {
    let size = coded_size(personality, wanted.size);
    let own = size.width * size.height * 3 / 4;
    let size_image = match wanted.planes.first().map_or(0, |plane| plane.size_image) {
        0 => own,
        size_image => size_image,
    };
    let plane = PlaneFormat {
        bytes_per_line: 0,
        size_image: size_image.clamp(MIN_BITSTREAM, MAX_BITSTREAM),
    };
    Format {
        pixel_format: H264_SLICE,
        size,
        planes: vec![plane],
    }
}

/// What of an SPS decides about the pixel format of its pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Samples {
    /// 10 bits each instead of 8.
    is_deep: bool,
    /// 4:2:2 instead of 4:2:0.
    is_422: bool,
}

impl Samples {
    /// All that there are.
    const ALL: [Self; 4] = [
        Self::new(false, false),
        Self::new(false, true),
        Self::new(true, false),
        Self::new(true, true),
    ];

    const fn new(is_deep: bool, is_422: bool) -> Self {
        Self { is_deep, is_422 }
    }

    /// Those of an SPS that [`super::controls::validate`] accepted.
    pub(super) fn of(sps: &v4l2_ctrl_h264_sps) -> Self {
        Self::new(sps.bit_depth_luma_minus8 > 0, sps.chroma_format_idc == 2)
    }

    /// Whether a device of `personality` decodes them.
    fn are_decoded(self, personality: &Personality) -> bool {
        (!self.is_deep || personality.max_bit_depth > 8) && (!self.is_422 || personality.chroma_422)
    }

    /// The pixel format of such pictures.
    pub(super) fn pixel_format(self, personality: &Personality) -> PixelFormat {
        match (self.is_deep, self.is_422, personality.memory_planes) {
            (true, true, _) => Y210,
            (true, false, _) if personality.dense => NV15,
            (true, false, _) => P010,
            (false, true, 2) => NV16M,
            (false, true, _) => NV16,
            (false, false, planes) => match personality.tiled {
                Some(tiled) => tiled,
                None if planes == 2 => NV12M,
                None => NV12,
            },
        }
    }
}

/// The pixel formats of all pictures that a device of `personality` decodes.
pub(super) fn all_capture_formats(personality: &Personality) -> Vec<PixelFormat> {
    let decoded = Samples::ALL
        .into_iter()
        .filter(|samples| samples.are_decoded(personality));
    decoded.map(|samples| samples.pixel_format(personality)).collect()
}

/// The CAPTURE format for pictures of `coded`, the size of the OUTPUT format.
pub(super) fn capture(personality: &Personality, coded: Size, samples: Samples) -> Format {
    let pixel_format = samples.pixel_format(personality);
    let info = format::info(pixel_format);
    let (chroma, bits_per_column, memory_planes) = info.map_or((Chroma::HalfRows, 8, 1), |info| {
        (info.chroma, info.bits_per_column, info.memory_planes)
    });
    // Columns and rows of a tile: there are only whole ones.
    let tile = |plane| match info.and_then(|info| Tiling::of(info.modifier, plane)) {
        Some(Tiling::Tiles { width, height }) => (width as u32, height as u32),
        Some(Tiling::Linear) | None => (1, 1),
    };
    let ((columns, rows), (_, rows_of_chroma)) = (tile(0), tile(1));
    let size = Size {
        width: coded.width,
        height: coded
            .height
            .next_multiple_of(personality.height_alignment)
            .next_multiple_of(rows),
    };
    let bytes_per_column = bits_per_column / 8;
    let pitch_alignment = match personality.pitch_alignment {
        alignment if alignment % columns == 0 => alignment,
        alignment => alignment * columns,
    };
    let row = (size.width * bits_per_column).div_ceil(8);
    let pitch = row.next_multiple_of(pitch_alignment * bytes_per_column);
    let luma = pitch * size.height;
    let chroma = match chroma {
        Chroma::Packed => 0,
        Chroma::HalfRows | Chroma::Planar => pitch * (size.height / 2).next_multiple_of(rows_of_chroma),
        Chroma::FullRows => luma,
    };
    let tail = size.width.div_ceil(16) * size.height.div_ceil(16) * personality.tail_per_macroblock;
    let plane = |size_image| PlaneFormat {
        bytes_per_line: pitch,
        size_image,
    };
    let planes = if memory_planes == 2 {
        vec![plane(luma), plane(chroma + tail)]
    } else {
        vec![plane(luma + chroma + tail)]
    };
    Format {
        pixel_format,
        size,
        planes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::format::frame_layout;

    fn wanted(width: u32, height: u32, size_image: u32) -> Format {
        let plane = PlaneFormat {
            bytes_per_line: 0,
            size_image,
        };
        Format {
            pixel_format: NV12,
            size: Size { width, height },
            planes: vec![plane],
        }
    }

    #[test]
    fn any_wish_becomes_a_format_of_the_device() {
        let hantro = Personality::parse("hantro").unwrap();
        let format = output(&hantro, &wanted(1, u32::MAX, u32::MAX));
        assert_eq!(
            (format.pixel_format, format.size),
            (
                H264_SLICE,
                Size {
                    width: 48,
                    height: 2304
                }
            )
        );
        assert_eq!(format.planes[0].size_image, MAX_BITSTREAM);
        assert_eq!(output(&hantro, &wanted(1920, 1080, 0)).size.height, 1088);
    }

    #[test]
    fn tiles_are_whole() {
        for format in Personality::TILED {
            let name = String::from_utf8(format.0.to_le_bytes().to_vec()).unwrap();
            for options in [format!("format={name}"), format!("pitch=1,format={name}")] {
                let personality = Personality::parse(&options).unwrap();
                let size = Size { width: 48, height: 32 };
                let format = capture(&personality, size, Samples::default());
                let layout = frame_layout(&format).unwrap();
                for (plane, place) in layout.planes.iter().enumerate() {
                    let Some(Tiling::Tiles { width, height }) = layout.tiling(plane) else {
                        panic!("{options}: plane {plane} is not tiled");
                    };
                    assert_eq!(place.pitch % width, 0, "{options}, plane {plane}");
                    let end = match (layout.object_lengths.len(), plane) {
                        (1, 0) => layout.planes[1].offset,
                        _ => layout.object_lengths[place.object],
                    };
                    assert_eq!(
                        (end - place.offset) % (place.pitch * height),
                        0,
                        "{options}, plane {plane}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_personality_gives_pictures_that_fit_their_memory() {
        for name in Personality::NAMES {
            let personality = Personality::parse(name).unwrap();
            for size in [
                personality.min_size,
                Size {
                    width: 720,
                    height: 576,
                },
                personality.max_size,
            ] {
                for samples in Samples::ALL {
                    let format = capture(&personality, coded_size(&personality, size), samples);
                    let layout = frame_layout(&format).unwrap();
                    assert_eq!(layout.planes[0].pitch as u32 % personality.pitch_alignment, 0);
                    let memory_planes = if samples.is_deep { 1 } else { personality.memory_planes };
                    assert_eq!(layout.object_lengths.len() as u32, memory_planes);
                }
            }
        }
    }
}
