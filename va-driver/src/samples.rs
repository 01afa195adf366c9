//! Samples of NV12 pictures on their way between surfaces and images.

use std::sync::Arc;

use fourier_core::device::format::MODIFIER_LINEAR;
use fourier_core::memory::{CpuAccess, FrameLayout, FrameMemory};
use fourier_core::units::{Rect, Size};

use crate::ffi::{Block, va};
use crate::status::{Failure, Result, Status};

/// Planes of NV12: luma, interleaved chroma of half the height.
pub const PLANES: usize = 2;

/// Where a plane of an image lies in its buffer.
#[derive(Clone, Copy, Debug)]
pub struct ImagePlane {
    /// Bytes from the start.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub pitch: usize,
}

/// The CPU can find single samples in such memory.
pub fn is_linear_nv12(layout: &FrameLayout) -> bool {
    layout.fourcc == va::VA_FOURCC_NV12 && layout.modifier == Some(MODIFIER_LINEAR) && layout.planes.len() == PLANES
}

/// Rows of a plane, and the bytes of each, for a rectangle with even corners.
#[derive(Clone, Copy, Debug)]
struct Rows {
    first: usize,
    count: usize,
    start: usize,
    bytes: usize,
}

impl Rows {
    fn of(plane: usize, rect: Rect) -> Self {
        let (x, y) = (rect.x as usize, rect.y as usize);
        let (width, height) = (rect.size.width as usize, rect.size.height as usize);
        match plane {
            0 => Self {
                first: y,
                count: height,
                start: x,
                bytes: width,
            },
            _ => Self {
                first: y / 2,
                count: height.div_ceil(2),
                start: x & !1,
                bytes: width.next_multiple_of(2),
            },
        }
    }

    /// The place of row `n` in a plane of `pitch`.
    fn row(&self, n: usize, pitch: usize) -> std::ops::Range<usize> {
        let start = (self.first + n) * pitch + self.start;
        start..start + self.bytes
    }
}

/// Copies `from` of a picture to the upper left corner of an image.
///
/// # Errors
/// [`Status::OperationFailed`] if the memory cannot be read, [`Status::InvalidParameter`] if one does not fit the other.
pub fn to_image(memory: &Arc<FrameMemory>, from: Rect, image: (&Block, [ImagePlane; PLANES])) -> Result {
    let access = read(memory)?;
    let (block, planes) = image;
    for (plane, image_plane) in planes.iter().enumerate() {
        let (bytes, pitch) = plane_of(&access, &memory.layout, plane)?;
        let (source, target) = (Rows::of(plane, from), Rows::of(plane, Rect { x: 0, y: 0, ..from }));
        for n in 0..source.count {
            let row = bytes.get(source.row(n, pitch)).ok_or_else(outside)?;
            if !block.write(image_plane.offset + target.row(n, image_plane.pitch).start, row) {
                return Err(outside());
            }
        }
    }
    Ok(())
}

/// Copies `from` of an image to `to` of a picture; both have the same size.
///
/// # Errors
/// As [`to_image`].
pub fn from_image(image: (&Block, [ImagePlane; PLANES]), from: Rect, memory: &Arc<FrameMemory>, to: Rect) -> Result {
    let layout = &memory.layout;
    require_linear(layout)?;
    let mut access = memory.write()?;
    let (block, planes) = image;
    for (plane, image_plane) in planes.iter().enumerate() {
        let place = layout.planes.get(plane).copied().ok_or_else(outside)?;
        let object = access.object_mut(place.object).ok_or_else(outside)?;
        let (source, target) = (Rows::of(plane, from), Rows::of(plane, to));
        for n in 0..target.count {
            let row = source.row(n, image_plane.pitch);
            let row = block
                .copy(image_plane.offset + row.start, row.len())
                .ok_or_else(outside)?;
            let written = target.row(n, place.pitch);
            let written = place.offset + written.start..place.offset + written.end;
            let written = object.get_mut(written).ok_or_else(outside)?;
            written.copy_from_slice(row.get(..written.len()).ok_or_else(outside)?);
        }
    }
    Ok(())
}

/// Copies as much of a picture as both memories have.
///
/// # Errors
/// As [`to_image`].
pub fn copy(from: &Arc<FrameMemory>, to: &Arc<FrameMemory>) -> Result {
    let source = read(from)?;
    require_linear(&to.layout)?;
    let mut target = to.write()?;
    let (a, b) = (from.layout.size, to.layout.size);
    let size = Size {
        width: a.width.min(b.width),
        height: a.height.min(b.height),
    };
    for plane in 0..PLANES {
        let (bytes, pitch) = plane_of(&source, &from.layout, plane)?;
        let place = to.layout.planes.get(plane).copied().ok_or_else(outside)?;
        let object = target.object_mut(place.object).ok_or_else(outside)?;
        let target = object.get_mut(place.offset..).ok_or_else(outside)?;
        let rows = Rows::of(plane, Rect { x: 0, y: 0, size });
        for n in 0..rows.count {
            let row = bytes.get(rows.row(n, pitch)).ok_or_else(outside)?;
            let written = target.get_mut(rows.row(n, place.pitch)).ok_or_else(outside)?;
            written.copy_from_slice(row);
        }
    }
    Ok(())
}

fn read(memory: &Arc<FrameMemory>) -> Result<CpuAccess> {
    require_linear(&memory.layout)?;
    Ok(memory.read()?)
}

fn require_linear(layout: &FrameLayout) -> Result {
    match is_linear_nv12(layout) {
        true => Ok(()),
        false => Err(Status::OperationFailed.because("samples that the CPU cannot find: no linear NV12")),
    }
}

fn plane_of<'a>(access: &'a CpuAccess, layout: &FrameLayout, plane: usize) -> Result<(&'a [u8], usize)> {
    let pitch = layout.planes.get(plane).ok_or_else(outside)?.pitch;
    Ok((access.plane(plane).ok_or_else(outside)?, pitch))
}

fn outside() -> Failure {
    Status::InvalidParameter.because("a region outside of the picture or the image")
}
