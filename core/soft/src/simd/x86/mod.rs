//! The kernels for x86-64 with AVX2, for 8-bit samples.
//!
//! A value of [`Avx2`] proves that the processor has the instructions; the kernels themselves are safe code but for the
//! loads and stores below, which check their bounds like any slice access.

#![allow(unsafe_code)]

mod deblock;
mod interpolate;
mod transform;

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cvtsi32_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si32, _mm_cvtsi128_si64, _mm_loadu_si128,
    _mm_storeu_si128, _mm256_loadu_si256,
};

use super::{Edge, EdgeFilter, LumaFilter, Size, Source, Weighting};
use crate::planes::{PlaneMut, PlaneRef};

/// Proof that the processor has AVX2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Avx2(());

/// Runs a kernel of this folder.
macro_rules! run {
    ($kernel:expr) => {
        // SAFETY: an `Avx2` exists, so the processor has what the kernels enable.
        unsafe { $kernel }
    };
}

impl Avx2 {
    /// Asks the processor (once; later calls read what was found).
    #[inline(always)]
    pub(super) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    pub(super) fn luma(self, filter: LumaFilter, dst: PlaneMut<'_, u8>, src: Source<'_, u8>, size: Size) {
        run!(interpolate::luma(filter, dst, src, size));
    }

    pub(super) fn chroma(self, fraction: [u8; 2], dst: PlaneMut<'_, u8>, src: Source<'_, u8>, size: Size) {
        run!(interpolate::chroma(fraction, dst, src, size));
    }

    pub(super) fn average(self, dst: PlaneMut<'_, u8>, other: PlaneRef<'_, u8>, size: Size) {
        run!(interpolate::average(dst, other, size));
    }

    pub(super) fn weight(self, dst: PlaneMut<'_, u8>, size: Size, weighting: &Weighting) {
        run!(interpolate::weight(dst, size, weighting));
    }

    pub(super) fn weight_both(self, dst: PlaneMut<'_, u8>, other: PlaneRef<'_, u8>, size: Size, weighting: &Weighting) {
        run!(interpolate::weight_both(dst, other, size, weighting));
    }

    pub(super) fn add_4x4(self, dst: PlaneMut<'_, u8>, block: &[i32; 16]) {
        run!(transform::add_4x4(dst, block));
    }

    pub(super) fn add_8x8(self, dst: PlaneMut<'_, u8>, block: &[i32; 64]) {
        run!(transform::add_8x8(dst, block));
    }

    pub(super) fn add_chroma_4x4(self, dst: PlaneMut<'_, u8>, blocks: &[[i32; 16]; 2]) {
        run!(transform::add_chroma_4x4(dst, blocks));
    }

    pub(super) fn add_dc<const N: usize>(self, dst: PlaneMut<'_, u8>, dc: i32) {
        run!(transform::add_dc::<N>(dst, dc));
    }

    pub(super) fn deblock_luma(self, edge: Edge, plane: PlaneMut<'_, u8>, at: usize, filter: &EdgeFilter) {
        run!(deblock::luma(edge, plane, at, filter));
    }

    pub(super) fn deblock_chroma(self, edge: Edge, plane: PlaneMut<'_, u8>, at: usize, filter: &EdgeFilter) {
        run!(deblock::chroma(edge, plane, at, filter));
    }
}

/// The 16 samples at `at`.
#[target_feature(enable = "avx2")]
#[inline]
fn load_16(data: &[u8], at: usize) -> __m128i {
    let bytes = &data[at..][..16];
    // SAFETY: `bytes` is 16 readable bytes, and the load needs no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// The 8 samples at `at`, and zeros.
#[target_feature(enable = "avx2")]
#[inline]
fn load_8(data: &[u8], at: usize) -> __m128i {
    let bytes = data[at..].first_chunk().copied().unwrap_or_default();
    _mm_cvtsi64_si128(i64::from_le_bytes(bytes))
}

/// The 4 samples at `at`, and zeros.
#[target_feature(enable = "avx2")]
#[inline]
fn load_4(data: &[u8], at: usize) -> __m128i {
    let bytes = data[at..].first_chunk().copied().unwrap_or_default();
    _mm_cvtsi32_si128(i32::from_le_bytes(bytes))
}

/// The `W` samples at `at` (4, 8 or 16), and zeros.
#[target_feature(enable = "avx2")]
#[inline]
fn load<const W: usize>(data: &[u8], at: usize) -> __m128i {
    match W {
        16 => load_16(data, at),
        8 => load_8(data, at),
        _ => load_4(data, at),
    }
}

/// Stores the first `W` bytes (4, 8 or 16) of `value` at `at`.
#[target_feature(enable = "avx2")]
#[inline]
fn store<const W: usize>(data: &mut [u8], at: usize, value: __m128i) {
    let bytes = &mut data[at..][..W];
    match W {
        // SAFETY: `bytes` is 16 writable bytes, and the store needs no alignment.
        16 => unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), value) },
        8 => bytes.copy_from_slice(&_mm_cvtsi128_si64(value).to_le_bytes()),
        _ => bytes.copy_from_slice(&_mm_cvtsi128_si32(value).to_le_bytes()),
    }
}

/// Eight coefficients.
#[target_feature(enable = "avx2")]
#[inline]
fn load_coefficients(block: &[i32; 8]) -> __m256i {
    // SAFETY: `block` is 32 readable bytes, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(block.as_ptr().cast()) }
}
