//! Pictures in memory: a luma plane and an interleaved chroma plane with their pitches.

use std::fmt::Debug;

use bytemuck::{Pod, Zeroable};

use crate::picture::{ChromaFormat, Parity, Structure};
use crate::simd::Kernels;

/// A sample as it lies in memory: `u8` for 8 bits; 16-bit containers, one type per depth, for the rest.
pub trait Sample: Kernels + Pod + Default + Debug + PartialEq + Send + Sync + 'static {
    /// `BitDepth` of luma and chroma.
    const BIT_DEPTH: u32;
    /// The largest value of a sample.
    const MAX: i32 = (1 << Self::BIT_DEPTH) - 1;
    /// Half of the range: what stands where nothing is known.
    const GREY: i32 = 1 << (Self::BIT_DEPTH - 1);

    /// The value of the sample, 0 to [`Self::MAX`].
    fn value(self) -> i32;
    /// A sample of that value; the caller has clipped it.
    fn from_value(value: i32) -> Self;

    /// `Clip1` (equations 5-3 and 5-4).
    #[inline(always)]
    fn clip(value: i32) -> Self {
        Self::from_value(value.clamp(0, Self::MAX))
    }
}

impl Sample for u8 {
    const BIT_DEPTH: u32 = 8;

    #[inline(always)]
    fn value(self) -> i32 {
        i32::from(self)
    }

    #[inline(always)]
    fn from_value(value: i32) -> Self {
        value as u8
    }
}

/// A sample of 10 bits in the upper bits of 16, as P010 has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Sample10(pub u16);

impl Sample for Sample10 {
    const BIT_DEPTH: u32 = 10;

    #[inline(always)]
    fn value(self) -> i32 {
        i32::from(self.0 >> 6)
    }

    #[inline(always)]
    fn from_value(value: i32) -> Self {
        Self((value as u16) << 6)
    }
}

/// A plane to read; `pitch` in samples.
#[derive(Clone, Copy, Debug)]
pub struct PlaneRef<'a, S> {
    /// Samples, row after row.
    pub data: &'a [S],
    /// Samples from one row to the next.
    pub pitch: usize,
}

impl<'a, S> PlaneRef<'a, S> {
    pub(crate) fn new(data: &'a [S], pitch: usize) -> Self {
        Self { data, pitch }
    }

    /// Whether rows of `width` samples, `height` times, lie inside.
    pub(crate) fn holds(&self, width: usize, height: usize) -> bool {
        holds(self.data.len(), self.pitch, width, height)
    }

    /// The samples from the one at `at` on.
    #[inline(always)]
    pub(crate) fn from(self, at: usize) -> Self {
        Self {
            data: &self.data[at..],
            pitch: self.pitch,
        }
    }
}

/// A plane to write; `pitch` in samples.
#[derive(Debug)]
pub struct PlaneMut<'a, S> {
    /// Samples, row after row.
    pub data: &'a mut [S],
    /// Samples from one row to the next.
    pub pitch: usize,
}

impl<'a, S> PlaneMut<'a, S> {
    pub(crate) fn new(data: &'a mut [S], pitch: usize) -> Self {
        Self { data, pitch }
    }

    /// Whether rows of `width` samples, `height` times, lie inside.
    pub(crate) fn holds(&self, width: usize, height: usize) -> bool {
        holds(self.data.len(), self.pitch, width, height)
    }

    /// The samples from the one at `at` on.
    #[inline(always)]
    pub(crate) fn from(&mut self, at: usize) -> PlaneMut<'_, S> {
        PlaneMut {
            data: &mut self.data[at..],
            pitch: self.pitch,
        }
    }
}

fn holds(len: usize, pitch: usize, width: usize, height: usize) -> bool {
    let rows = height.saturating_sub(1).checked_mul(pitch);
    pitch >= width
        && rows
            .and_then(|rows| rows.checked_add(width))
            .is_some_and(|needed| needed <= len)
}

/// A reference frame (both fields): luma and interleaved CbCr.
#[derive(Clone, Copy, Debug)]
pub struct FrameRef<'a, S> {
    /// Y.
    pub luma: PlaneRef<'a, S>,
    /// Cb and Cr, alternating.
    pub chroma: PlaneRef<'a, S>,
}

impl<'a, S> FrameRef<'a, S> {
    /// The rows of one field.
    #[inline(always)]
    pub(crate) fn field(self, parity: Parity) -> Self {
        let rows = |plane: PlaneRef<'a, S>| PlaneRef {
            data: match parity {
                Parity::Top => plane.data,
                Parity::Bottom => plane.data.get(plane.pitch..).unwrap_or_default(),
            },
            pitch: plane.pitch * 2,
        };
        Self {
            luma: rows(self.luma),
            chroma: rows(self.chroma),
        }
    }

    /// Whether a picture of that many macroblocks lies inside.
    pub(crate) fn holds(&self, chroma_format: ChromaFormat, width_in_mbs: usize, height_in_mbs: usize) -> bool {
        let chroma_rows = height_in_mbs * chroma_format.mb_height_c();
        self.luma.holds(width_in_mbs * 16, height_in_mbs * 16) && self.chroma.holds(width_in_mbs * 16, chroma_rows)
    }
}

/// The frame to write, both fields: luma and interleaved CbCr.
#[derive(Debug)]
pub struct FrameMut<'a, S> {
    /// Y.
    pub luma: PlaneMut<'a, S>,
    /// Cb and Cr, alternating.
    pub chroma: PlaneMut<'a, S>,
}

impl<S: Copy> FrameMut<'_, S> {
    /// Shows a field whose other one never came in the rows of both: repeats each of its rows in that of `missing`.
    pub fn fill_field(&mut self, missing: Parity) {
        for plane in [&mut self.luma, &mut self.chroma] {
            let pitch = plane.pitch;
            for rows in plane.data.chunks_exact_mut(2 * pitch) {
                let (top, bottom) = rows.split_at_mut(pitch);
                match missing {
                    Parity::Top => top.copy_from_slice(bottom),
                    Parity::Bottom => bottom.copy_from_slice(top),
                }
            }
        }
    }
}

impl<S> FrameMut<'_, S> {
    /// Whether a picture of that many macroblocks lies inside.
    pub(crate) fn holds(&self, chroma_format: ChromaFormat, width_in_mbs: usize, height_in_mbs: usize) -> bool {
        let chroma_rows = height_in_mbs * chroma_format.mb_height_c();
        self.luma.holds(width_in_mbs * 16, height_in_mbs * 16) && self.chroma.holds(width_in_mbs * 16, chroma_rows)
    }

    /// The rows that a picture of this structure occupies: all of a frame, every other row for a field.
    pub(crate) fn picture(&mut self, structure: Structure) -> FrameMut<'_, S> {
        let FrameMut { luma, chroma } = self;
        FrameMut {
            luma: rows_of(luma, structure),
            chroma: rows_of(chroma, structure),
        }
    }
}

fn rows_of<'a, S>(plane: &'a mut PlaneMut<'_, S>, structure: Structure) -> PlaneMut<'a, S> {
    let pitch = plane.pitch;
    match structure {
        Structure::Frame { .. } => PlaneMut {
            data: plane.data,
            pitch,
        },
        Structure::Field(parity) => {
            let first = match parity {
                Parity::Top => 0,
                Parity::Bottom => pitch.min(plane.data.len()),
            };
            PlaneMut {
                data: &mut plane.data[first..],
                pitch: pitch * 2,
            }
        }
    }
}
