//! Pictures in memory: a luma plane and an interleaved chroma plane with their pitches.

use std::fmt::Debug;

/// A sample as it lies in memory: `u8` up to 8 bits; 16-bit containers for the rest.
pub trait Sample: Copy + Default + Debug + Send + Sync + 'static {
    /// The value of the sample, 0 to `(1 << BitDepth) - 1`.
    fn value(self) -> i32;
    /// A sample of that value; the caller has clipped it.
    fn from_value(value: i32) -> Self;
}

impl Sample for u8 {
    #[inline(always)]
    fn value(self) -> i32 {
        i32::from(self)
    }

    #[inline(always)]
    fn from_value(value: i32) -> Self {
        value as u8
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

/// A plane to write; `pitch` in samples.
#[derive(Debug)]
pub struct PlaneMut<'a, S> {
    /// Samples, row after row.
    pub data: &'a mut [S],
    /// Samples from one row to the next.
    pub pitch: usize,
}

/// A reference frame (both fields): luma and interleaved CbCr.
#[derive(Clone, Copy, Debug)]
pub struct FrameRef<'a, S> {
    /// Y.
    pub luma: PlaneRef<'a, S>,
    /// Cb and Cr, alternating.
    pub chroma: PlaneRef<'a, S>,
}

/// The frame to write, both fields: luma and interleaved CbCr.
#[derive(Debug)]
pub struct FrameMut<'a, S> {
    /// Y.
    pub luma: PlaneMut<'a, S>,
    /// Cb and Cr, alternating.
    pub chroma: PlaneMut<'a, S>,
}
