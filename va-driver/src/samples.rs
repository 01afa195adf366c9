//! Samples of pictures on their way between surfaces and images.

use std::sync::Arc;

use fourier_core::memory::{CpuAccess, FrameLayout, FrameMemory, dense};
use fourier_core::units::{Rect, Size};

use crate::ffi::Block;
use crate::format::{PLANES, SampleFormat, is_dense};
use crate::status::{Failure, Result, Status};

/// Where a plane of an image lies in its buffer.
#[derive(Clone, Copy, Debug)]
pub struct ImagePlane {
    /// Bytes from the start.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub pitch: usize,
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
    fn of(format: SampleFormat, plane: usize, rect: Rect) -> Self {
        let (x, y) = (rect.x as usize, rect.y as usize);
        let (width, height) = (rect.size.width as usize, rect.size.height as usize);
        let bytes_per_sample = format.bytes_per_sample();
        match plane {
            0 => Self {
                first: y,
                count: height,
                start: x * bytes_per_sample,
                bytes: width * bytes_per_sample,
            },
            _ => Self {
                first: y / 2,
                count: height.div_ceil(2),
                start: (x & !1) * bytes_per_sample,
                bytes: width.next_multiple_of(2) * bytes_per_sample,
            },
        }
    }

    /// The first byte of row `n`, and the row, in a plane.
    fn at(&self, n: usize) -> (usize, usize) {
        (self.start, self.first + n)
    }

    /// The place of row `n` in rows of `pitch`.
    fn row(&self, n: usize, pitch: usize) -> std::ops::Range<usize> {
        let start = (self.first + n) * pitch + self.start;
        start..start + self.bytes
    }
}

/// The bits of a 10-bit sample are the upper ones of 16, except where samples are dense.
const SHIFT: u32 = 6;

/// A picture to be read: row by row, in tiles or not, dense or not.
struct Source {
    memory: Arc<FrameMemory>,
    access: CpuAccess,
    format: SampleFormat,
    /// For a row that does not lie there as it is.
    joined: Vec<u8>,
}

impl Source {
    fn new(memory: &Arc<FrameMemory>) -> Result<Self> {
        Ok(Self {
            format: format_of(&memory.layout)?,
            access: memory.read()?,
            memory: Arc::clone(memory),
            joined: Vec::new(),
        })
    }

    fn row(&mut self, plane: usize, rows: &Rows, n: usize) -> Result<&[u8]> {
        let layout = &self.memory.layout;
        if is_dense(layout) {
            return self.loosened_row(plane, rows.at(n), rows.bytes).ok_or_else(outside);
        }
        if layout.is_linear() {
            let pitch = layout.planes.get(plane).ok_or_else(outside)?.pitch;
            let bytes = self.access.plane(plane).ok_or_else(outside)?;
            return bytes.get(rows.row(n, pitch)).ok_or_else(outside);
        }
        self.joined.resize(rows.bytes, 0);
        let copied = self.access.copy_row(plane, rows.at(n), &mut self.joined);
        copied.ok_or_else(outside)?;
        Ok(&self.joined)
    }

    /// `bytes` of a row of dense samples, from byte `x` on of what it would be if they were not.
    fn loosened_row(&mut self, plane: usize, (x, y): (usize, usize), bytes: usize) -> Option<&[u8]> {
        let pitch = self.memory.layout.planes.get(plane)?.pitch;
        let row = self.access.plane(plane)?.get(y * pitch..)?.get(..pitch)?;
        self.joined.resize(bytes, 0);
        for (n, word) in self.joined.as_chunks_mut().0.iter_mut().enumerate() {
            *word = (dense::sample(row, x / 2 + n)? << SHIFT).to_le_bytes();
        }
        Some(&self.joined)
    }
}

/// Writes `row` to row `y` of a plane, from byte `x` on of what it would be if samples were not dense.
fn put_row(access: &mut CpuAccess, layout: &FrameLayout, plane: usize, at: (usize, usize), row: &[u8]) -> Option<()> {
    if !is_dense(layout) {
        return access.write_row(plane, at, row);
    }
    let (place, (x, y)) = (layout.planes.get(plane)?, at);
    let rows = access.object_mut(place.object)?.get_mut(place.offset..)?;
    let to = rows.get_mut(y * place.pitch..)?.get_mut(..place.pitch)?;
    for (n, &word) in row.as_chunks().0.iter().enumerate() {
        dense::put_sample(to, x / 2 + n, u16::from_le_bytes(word) >> SHIFT)?;
    }
    Some(())
}

/// Copies `from` of a picture to the upper left corner of an image of the same format.
///
/// # Errors
/// [`Status::OperationFailed`] if the memory cannot be read, [`Status::InvalidParameter`] if one does not fit the other.
pub fn to_image(memory: &Arc<FrameMemory>, from: Rect, image: (&Block, [ImagePlane; PLANES])) -> Result {
    let mut picture = Source::new(memory)?;
    let (block, planes) = image;
    for (plane, image_plane) in planes.iter().enumerate() {
        let rows = |rect| Rows::of(picture.format, plane, rect);
        let (source, target) = (rows(from), rows(Rect { x: 0, y: 0, ..from }));
        for n in 0..source.count {
            let row = picture.row(plane, &source, n)?;
            if !block.write(image_plane.offset + target.row(n, image_plane.pitch).start, row) {
                return Err(outside());
            }
        }
    }
    Ok(())
}

/// Copies `from` of an image to `to` of a picture of the same format; both have the same size.
///
/// # Errors
/// As [`to_image`].
pub fn from_image(image: (&Block, [ImagePlane; PLANES]), from: Rect, memory: &Arc<FrameMemory>, to: Rect) -> Result {
    let format = format_of(&memory.layout)?;
    let mut access = memory.write()?;
    let (block, planes) = image;
    for (plane, image_plane) in planes.iter().enumerate() {
        let (source, target) = (Rows::of(format, plane, from), Rows::of(format, plane, to));
        for n in 0..target.count {
            let row = source.row(n, image_plane.pitch);
            let row = block
                .copy(image_plane.offset + row.start, row.len())
                .ok_or_else(outside)?;
            put_row(&mut access, &memory.layout, plane, target.at(n), &row).ok_or_else(outside)?;
        }
    }
    Ok(())
}

/// Copies as much of a picture as both memories have.
///
/// # Errors
/// As [`to_image`]; [`Status::OperationFailed`] if they have different samples.
pub fn copy(from: &Arc<FrameMemory>, to: &Arc<FrameMemory>) -> Result {
    let mut source = Source::new(from)?;
    if format_of(&to.layout)? != source.format {
        return Err(Status::OperationFailed.because("a copy between pictures of different samples"));
    }
    let mut target = to.write()?;
    let (a, b) = (from.layout.size, to.layout.size);
    let size = Size {
        width: a.width.min(b.width),
        height: a.height.min(b.height),
    };
    for plane in 0..PLANES {
        let rows = Rows::of(source.format, plane, Rect { x: 0, y: 0, size });
        for n in 0..rows.count {
            let row = source.row(plane, &rows, n)?;
            put_row(&mut target, &to.layout, plane, rows.at(n), row).ok_or_else(outside)?;
        }
    }
    Ok(())
}

/// What a memory holds, if the CPU can find single samples in it.
fn format_of(layout: &FrameLayout) -> Result<SampleFormat> {
    let is_known = (0..PLANES).all(|plane| layout.tiling(plane).is_some());
    let format = SampleFormat::of_layout(layout).filter(|_| is_known);
    format.ok_or_else(|| Status::OperationFailed.because("samples that the CPU cannot find: not NV12, P010 or NV15"))
}

fn outside() -> Failure {
    Status::InvalidParameter.because("a region outside of the picture or the image")
}
