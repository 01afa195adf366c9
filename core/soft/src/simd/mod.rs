//! The sample-crunching kernels: what they are, and which implementation of each runs on this processor.
//!
//! [`plain`] has all of them in plain Rust, for every sample type; it is the definition that the others are tested
//! against. The folder of an architecture is the crate's only unsafe ring: dispatch to its kernels, their loads and stores.

pub(crate) mod plain;
#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::planes::{PlaneMut, PlaneRef, Sample10};

/// Width and height of a block, in samples (in CbCr pairs for chroma).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// A block of a reference picture; the kernel also reads around it as far as its filter reaches.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a, S> {
    /// The plane.
    pub plane: PlaneRef<'a, S>,
    /// Where in it the block's first sample is.
    pub at: usize,
}

/// Interpolation of luma at half-sample positions (8.4.2.2.1); quarter positions are averages of two of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LumaFilter {
    /// Sample `G`: a copy.
    Full,
    /// Sample `b`: reads columns -2 to width + 2, at least up to column 13.
    Horizontal,
    /// Sample `h`: reads rows -2 to height + 2.
    Vertical,
    /// Sample `j`: reads both.
    Centre,
}

/// Weighted prediction of one block (8.4.2.3.2); of the two components of weights and offsets, samples of even columns
/// take the first and those of odd columns the second (Cb and Cr; the same twice for luma).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighting {
    /// `logWD`.
    pub log_wd: u8,
    /// `w0` and `w1`; one list alone uses the first.
    pub weight: [[i16; 2]; 2],
    /// `o`, or `(o0 + o1 + 1) >> 1`, scaled to the bit depth.
    pub offset: [i16; 2],
}

/// Which way an edge runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Between two columns.
    Vertical,
    /// Between two rows.
    Horizontal,
}

/// How strongly one edge of 16 luma or 8 chroma samples is filtered (8.7.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeFilter {
    /// `alpha`; of Cb and Cr for chroma, the same twice for luma.
    pub alpha: [i16; 2],
    /// `beta`, likewise.
    pub beta: [i16; 2],
    /// What `bS` asks for.
    pub strength: Strength,
}

impl EdgeFilter {
    /// Of one half of the edge.
    #[inline(always)]
    pub(crate) fn half(&self, half: usize) -> Self {
        let strength = match self.strength {
            Strength::Intra => Strength::Intra,
            Strength::Normal(tc0) => {
                let [first, second] = [tc0[(half * 2) & 3], tc0[(half * 2 + 1) & 3]];
                Strength::Normal([first, first, second, second])
            }
        };
        Self { strength, ..*self }
    }
}

/// `bS` of the four quarters of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// 4 everywhere.
    Intra,
    /// Below 4: `tC0` by quarter and component, -1 where `bS` is 0.
    Normal([[i16; 2]; 4]),
}

/// The kernels of one sample type. `dst` and the planes of edges start at the block that is written.
pub trait Kernels: Sized {
    /// Interpolates luma.
    fn luma(filter: LumaFilter, dst: PlaneMut<'_, Self>, src: Source<'_, Self>, size: Size);
    /// Interpolates interleaved chroma at `(xFracC, yFracC)` in eighths (8.4.2.2.2); reads one more column and row.
    fn chroma(fraction: [u8; 2], dst: PlaneMut<'_, Self>, src: Source<'_, Self>, size: Size);
    /// Default weighted prediction from both lists: the rounded mean of `dst` and `other` (equation 8-273).
    fn average(dst: PlaneMut<'_, Self>, other: PlaneRef<'_, Self>, size: Size);
    /// Weighted prediction from one list, in place.
    fn weight(dst: PlaneMut<'_, Self>, size: Size, weighting: &Weighting);
    /// Weighted prediction from both lists; `dst` holds that of list 0.
    fn weight_both(dst: PlaneMut<'_, Self>, other: PlaneRef<'_, Self>, size: Size, weighting: &Weighting);
    /// Inverse 4x4 transform of `block` (raster order), added to `dst` (8.5.12).
    fn add_4x4(dst: PlaneMut<'_, Self>, block: &[i32; 16]);
    /// Inverse 8x8 transform, added to `dst` (8.5.13).
    fn add_8x8(dst: PlaneMut<'_, Self>, block: &[i32; 64]);
    /// Inverse 4x4 transforms of Cb and Cr, added to 4x4 interleaved pairs.
    fn add_chroma_4x4(dst: PlaneMut<'_, Self>, blocks: &[[i32; 16]; 2]);
    /// Adds the residual of a block of `N`x`N` luma samples whose only coefficient is the DC.
    fn add_dc<const N: usize>(dst: PlaneMut<'_, Self>, dc: i32);
    /// Filters a luma edge of 16 samples before `at` (8.7.2).
    fn deblock_luma(edge: Edge, plane: PlaneMut<'_, Self>, at: usize, filter: &EdgeFilter);
    /// Filters an edge of 8 CbCr pairs before `at`.
    fn deblock_chroma(edge: Edge, plane: PlaneMut<'_, Self>, at: usize, filter: &EdgeFilter);
}

/// Runs a kernel in the fastest version that this processor has.
macro_rules! dispatch {
    ($kernel:ident $(::<$n:ident>)? ($($argument:expr),*)) => {{
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = x86::Avx2::detect() {
            return avx2.$kernel$(::<$n>)?($($argument),*);
        }
        plain::$kernel$(::<Self, $n>)?($($argument),*)
    }};
}

impl Kernels for u8 {
    fn luma(filter: LumaFilter, dst: PlaneMut<'_, Self>, src: Source<'_, Self>, size: Size) {
        dispatch!(luma(filter, dst, src, size))
    }

    fn chroma(fraction: [u8; 2], dst: PlaneMut<'_, Self>, src: Source<'_, Self>, size: Size) {
        dispatch!(chroma(fraction, dst, src, size))
    }

    fn average(dst: PlaneMut<'_, Self>, other: PlaneRef<'_, Self>, size: Size) {
        dispatch!(average(dst, other, size))
    }

    fn weight(dst: PlaneMut<'_, Self>, size: Size, weighting: &Weighting) {
        dispatch!(weight(dst, size, weighting))
    }

    fn weight_both(dst: PlaneMut<'_, Self>, other: PlaneRef<'_, Self>, size: Size, weighting: &Weighting) {
        dispatch!(weight_both(dst, other, size, weighting))
    }

    fn add_4x4(dst: PlaneMut<'_, Self>, block: &[i32; 16]) {
        dispatch!(add_4x4(dst, block))
    }

    fn add_8x8(dst: PlaneMut<'_, Self>, block: &[i32; 64]) {
        dispatch!(add_8x8(dst, block))
    }

    fn add_chroma_4x4(dst: PlaneMut<'_, Self>, blocks: &[[i32; 16]; 2]) {
        dispatch!(add_chroma_4x4(dst, blocks))
    }

    fn add_dc<const N: usize>(dst: PlaneMut<'_, Self>, dc: i32) {
        dispatch!(add_dc::<N>(dst, dc))
    }

    fn deblock_luma(edge: Edge, plane: PlaneMut<'_, Self>, at: usize, filter: &EdgeFilter) {
        dispatch!(deblock_luma(edge, plane, at, filter))
    }

    fn deblock_chroma(edge: Edge, plane: PlaneMut<'_, Self>, at: usize, filter: &EdgeFilter) {
        dispatch!(deblock_chroma(edge, plane, at, filter))
    }
}

impl Kernels for Sample10 {
    fn luma(filter: LumaFilter, dst: PlaneMut<'_, Self>, src: Source<'_, Self>, size: Size) {
        plain::luma(filter, dst, src, size);
    }

    fn chroma(fraction: [u8; 2], dst: PlaneMut<'_, Self>, src: Source<'_, Self>, size: Size) {
        plain::chroma(fraction, dst, src, size);
    }

    fn average(dst: PlaneMut<'_, Self>, other: PlaneRef<'_, Self>, size: Size) {
        plain::average(dst, other, size);
    }

    fn weight(dst: PlaneMut<'_, Self>, size: Size, weighting: &Weighting) {
        plain::weight(dst, size, weighting);
    }

    fn weight_both(dst: PlaneMut<'_, Self>, other: PlaneRef<'_, Self>, size: Size, weighting: &Weighting) {
        plain::weight_both(dst, other, size, weighting);
    }

    fn add_4x4(dst: PlaneMut<'_, Self>, block: &[i32; 16]) {
        plain::add_4x4(dst, block);
    }

    fn add_8x8(dst: PlaneMut<'_, Self>, block: &[i32; 64]) {
        plain::add_8x8(dst, block);
    }

    fn add_chroma_4x4(dst: PlaneMut<'_, Self>, blocks: &[[i32; 16]; 2]) {
        plain::add_chroma_4x4(dst, blocks);
    }

    fn add_dc<const N: usize>(dst: PlaneMut<'_, Self>, dc: i32) {
        plain::add_dc::<Self, N>(dst, dc);
    }

    fn deblock_luma(edge: Edge, plane: PlaneMut<'_, Self>, at: usize, filter: &EdgeFilter) {
        plain::deblock_luma(edge, plane, at, filter);
    }

    fn deblock_chroma(edge: Edge, plane: PlaneMut<'_, Self>, at: usize, filter: &EdgeFilter) {
        plain::deblock_chroma(edge, plane, at, filter);
    }
}
