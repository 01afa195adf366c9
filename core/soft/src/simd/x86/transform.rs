//! Inverse transforms, in 32-bit lanes.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_adds_epi16, _mm_cvtepu8_epi16, _mm_packus_epi16, _mm_set1_epi16, _mm_srli_si128,
    _mm_unpacklo_epi32, _mm256_add_epi32, _mm256_castsi256_si128, _mm256_cvtepu8_epi32, _mm256_packs_epi32,
    _mm256_permute2x128_si256, _mm256_permute4x64_epi64, _mm256_set1_epi32, _mm256_srai_epi32, _mm256_sub_epi32,
    _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

use super::{load, load_8, load_coefficients, store};
use crate::planes::PlaneMut;

/// One dimension of the 4x4 transform, across vectors.
#[target_feature(enable = "avx2")]
#[inline]
fn transform_4(d: [__m256i; 4]) -> [__m256i; 4] {
    let e0 = _mm256_add_epi32(d[0], d[2]);
    let e1 = _mm256_sub_epi32(d[0], d[2]);
    let e2 = _mm256_sub_epi32(_mm256_srai_epi32::<1>(d[1]), d[3]);
    let e3 = _mm256_add_epi32(d[1], _mm256_srai_epi32::<1>(d[3]));
    [
        _mm256_add_epi32(e0, e3),
        _mm256_add_epi32(e1, e2),
        _mm256_sub_epi32(e1, e2),
        _mm256_sub_epi32(e0, e3),
    ]
}

/// Transposes 4x4 blocks, one in each half of the vectors.
#[target_feature(enable = "avx2")]
#[inline]
fn transpose_4(r: [__m256i; 4]) -> [__m256i; 4] {
    let a = _mm256_unpacklo_epi32(r[0], r[1]);
    let b = _mm256_unpacklo_epi32(r[2], r[3]);
    let c = _mm256_unpackhi_epi32(r[0], r[1]);
    let d = _mm256_unpackhi_epi32(r[2], r[3]);
    [
        _mm256_unpacklo_epi64(a, b),
        _mm256_unpackhi_epi64(a, b),
        _mm256_unpacklo_epi64(c, d),
        _mm256_unpackhi_epi64(c, d),
    ]
}

/// The rounded residuals of two 4x4 blocks, one in each half of four rows.
#[target_feature(enable = "avx2")]
#[inline]
fn residual_4x4(blocks: [&[i32; 16]; 2]) -> [__m256i; 4] {
    // Two rows of one block are loaded at once; halves are then paired with those of the other block.
    let (first, second) = (blocks[0].as_chunks::<8>().0, blocks[1].as_chunks::<8>().0);
    let (a, b) = (load_coefficients(&first[0]), load_coefficients(&second[0]));
    let (c, d) = (load_coefficients(&first[1]), load_coefficients(&second[1]));
    let rows = [
        _mm256_permute2x128_si256::<0x20>(a, b),
        _mm256_permute2x128_si256::<0x31>(a, b),
        _mm256_permute2x128_si256::<0x20>(c, d),
        _mm256_permute2x128_si256::<0x31>(c, d),
    ];
    let half = _mm256_set1_epi32(32);
    let [r0, r1, r2, r3] = transform_4(transpose_4(transform_4(transpose_4(rows))));
    [
        _mm256_srai_epi32::<6>(_mm256_add_epi32(r0, half)),
        _mm256_srai_epi32::<6>(_mm256_add_epi32(r1, half)),
        _mm256_srai_epi32::<6>(_mm256_add_epi32(r2, half)),
        _mm256_srai_epi32::<6>(_mm256_add_epi32(r3, half)),
    ]
}

/// Adds eight residuals to eight samples.
#[target_feature(enable = "avx2")]
#[inline]
fn add(samples: __m128i, residual: __m256i) -> __m128i {
    let sum = _mm256_add_epi32(_mm256_cvtepu8_epi32(samples), residual);
    let words = _mm256_permute4x64_epi64::<0b1000>(_mm256_packs_epi32(sum, sum));
    let words = _mm256_castsi256_si128(words);
    _mm_packus_epi16(words, words)
}

#[target_feature(enable = "avx2")]
pub(super) fn add_4x4(dst: PlaneMut<'_, u8>, block: &[i32; 16]) {
    let residual = residual_4x4([block, block]);
    let pairs = [
        _mm256_permute2x128_si256::<0x20>(residual[0], residual[1]),
        _mm256_permute2x128_si256::<0x20>(residual[2], residual[3]),
    ];
    for (i, pair) in pairs.into_iter().enumerate() {
        let (upper, lower) = (2 * i * dst.pitch, (2 * i + 1) * dst.pitch);
        let samples = _mm_unpacklo_epi32(load::<4>(dst.data, upper), load::<4>(dst.data, lower));
        let sum = add(samples, pair);
        store::<4>(dst.data, upper, sum);
        store::<4>(dst.data, lower, _mm_srli_si128::<4>(sum));
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn add_chroma_4x4(dst: PlaneMut<'_, u8>, blocks: &[[i32; 16]; 2]) {
    let residual = residual_4x4([&blocks[0], &blocks[1]]);
    for (y, row) in residual.into_iter().enumerate() {
        let (cb, cr) = (row, _mm256_permute4x64_epi64::<0b1110>(row));
        let (low, high) = (_mm256_unpacklo_epi32(cb, cr), _mm256_unpackhi_epi32(cb, cr));
        let alternating = _mm256_permute2x128_si256::<0x20>(low, high);
        let at = y * dst.pitch;
        store::<8>(dst.data, at, add(load_8(dst.data, at), alternating));
    }
}

/// One dimension of the 8x8 transform, across vectors.
#[target_feature(enable = "avx2")]
#[inline]
fn transform_8(d: [__m256i; 8]) -> [__m256i; 8] {
    let a0 = _mm256_add_epi32(d[0], d[4]);
    let a2 = _mm256_sub_epi32(d[0], d[4]);
    let a4 = _mm256_sub_epi32(_mm256_srai_epi32::<1>(d[2]), d[6]);
    let a6 = _mm256_add_epi32(d[2], _mm256_srai_epi32::<1>(d[6]));
    let half = |v| _mm256_add_epi32(v, _mm256_srai_epi32::<1>(v));
    let a1 = _mm256_sub_epi32(_mm256_sub_epi32(d[5], d[3]), half(d[7]));
    let a3 = _mm256_sub_epi32(_mm256_add_epi32(d[1], d[7]), half(d[3]));
    let a5 = _mm256_add_epi32(_mm256_sub_epi32(d[7], d[1]), half(d[5]));
    let a7 = _mm256_add_epi32(_mm256_add_epi32(d[3], d[5]), half(d[1]));
    let b0 = _mm256_add_epi32(a0, a6);
    let b2 = _mm256_add_epi32(a2, a4);
    let b4 = _mm256_sub_epi32(a2, a4);
    let b6 = _mm256_sub_epi32(a0, a6);
    let b1 = _mm256_add_epi32(a1, _mm256_srai_epi32::<2>(a7));
    let b3 = _mm256_add_epi32(a3, _mm256_srai_epi32::<2>(a5));
    let b5 = _mm256_sub_epi32(_mm256_srai_epi32::<2>(a3), a5);
    let b7 = _mm256_sub_epi32(a7, _mm256_srai_epi32::<2>(a1));
    [
        _mm256_add_epi32(b0, b7),
        _mm256_add_epi32(b2, b5),
        _mm256_add_epi32(b4, b3),
        _mm256_add_epi32(b6, b1),
        _mm256_sub_epi32(b6, b1),
        _mm256_sub_epi32(b4, b3),
        _mm256_sub_epi32(b2, b5),
        _mm256_sub_epi32(b0, b7),
    ]
}

/// Transposes an 8x8 block.
#[target_feature(enable = "avx2")]
#[inline]
fn transpose_8(r: [__m256i; 8]) -> [__m256i; 8] {
    let [a0, a1, a2, a3] = transpose_4([r[0], r[1], r[2], r[3]]);
    let [b0, b1, b2, b3] = transpose_4([r[4], r[5], r[6], r[7]]);
    [
        _mm256_permute2x128_si256::<0x20>(a0, b0),
        _mm256_permute2x128_si256::<0x20>(a1, b1),
        _mm256_permute2x128_si256::<0x20>(a2, b2),
        _mm256_permute2x128_si256::<0x20>(a3, b3),
        _mm256_permute2x128_si256::<0x31>(a0, b0),
        _mm256_permute2x128_si256::<0x31>(a1, b1),
        _mm256_permute2x128_si256::<0x31>(a2, b2),
        _mm256_permute2x128_si256::<0x31>(a3, b3),
    ]
}

#[target_feature(enable = "avx2")]
pub(super) fn add_8x8(dst: PlaneMut<'_, u8>, block: &[i32; 64]) {
    let mut rows = [_mm256_set1_epi32(0); 8];
    for (row, coefficients) in rows.iter_mut().zip(block.as_chunks::<8>().0) {
        *row = load_coefficients(coefficients);
    }
    let residual = transform_8(transpose_8(transform_8(transpose_8(rows))));
    for (y, row) in residual.into_iter().enumerate() {
        let at = y * dst.pitch;
        let rounded = _mm256_srai_epi32::<6>(_mm256_add_epi32(row, _mm256_set1_epi32(32)));
        store::<8>(dst.data, at, add(load_8(dst.data, at), rounded));
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn add_dc<const N: usize>(dst: PlaneMut<'_, u8>, dc: i32) {
    // Beyond the range of a sample the sum saturates all the same.
    let dc = _mm_set1_epi16((dc.wrapping_add(32) >> 6).clamp(-255, 255) as i16);
    for y in 0..N {
        let at = y * dst.pitch;
        let sum = _mm_adds_epi16(_mm_cvtepu8_epi16(load::<N>(dst.data, at)), dc);
        store::<N>(dst.data, at, _mm_packus_epi16(sum, sum));
    }
}
