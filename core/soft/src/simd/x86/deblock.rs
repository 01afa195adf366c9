//! The deblocking filter on 16 lines across an edge at once (8 of each component for chroma), in 16-bit lanes.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_packus_epi16, _mm_setr_epi32, _mm_setzero_si128, _mm_unpackhi_epi8, _mm_unpackhi_epi16,
    _mm_unpackhi_epi64, _mm_unpacklo_epi8, _mm_unpacklo_epi16, _mm_unpacklo_epi64, _mm256_abs_epi16, _mm256_add_epi16,
    _mm256_and_si256, _mm256_andnot_si256, _mm256_blendv_epi8, _mm256_castsi128_si256, _mm256_castsi256_si128,
    _mm256_cmpgt_epi16, _mm256_cvtepu8_epi16, _mm256_extracti128_si256, _mm256_max_epi16, _mm256_min_epi16,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_setzero_si256,
    _mm256_slli_epi16, _mm256_srai_epi16, _mm256_sub_epi16, _mm256_testz_si256,
};

use super::{load_8, load_16, store};
use crate::planes::PlaneMut;
use crate::simd::{Edge, EdgeFilter, Strength};

/// `p2`, `p1`, `p0`, `q0`, `q1`, `q2` after filtering.
type Filtered = [__m256i; 6];

/// Thresholds in lanes.
#[derive(Clone, Copy)]
struct Thresholds {
    alpha: __m256i,
    beta: __m256i,
}

#[target_feature(enable = "avx2")]
pub(super) fn luma(edge: Edge, plane: PlaneMut<'_, u8>, at: usize, filter: &EdgeFilter) {
    match edge {
        Edge::Vertical => luma_vertical(plane, at, filter),
        Edge::Horizontal => luma_horizontal(plane, at, filter),
    }
}

#[target_feature(enable = "avx2")]
fn luma_horizontal(plane: PlaneMut<'_, u8>, at: usize, filter: &EdgeFilter) {
    let first = at - 4 * plane.pitch;
    let mut lines = [_mm_setzero_si128(); 8];
    for (i, line) in lines.iter_mut().enumerate() {
        *line = load_16(plane.data, first + i * plane.pitch);
    }
    let Some(filtered) = filter_luma(&lines, filter) else {
        return;
    };
    for (i, line) in filtered.into_iter().enumerate() {
        store::<16>(plane.data, first + (i + 1) * plane.pitch, pack(line));
    }
}

#[target_feature(enable = "avx2")]
fn luma_vertical(plane: PlaneMut<'_, u8>, at: usize, filter: &EdgeFilter) {
    let first = at - 4;
    let mut lines = [_mm_setzero_si128(); 8];
    for (i, line) in lines.iter_mut().enumerate() {
        let row = first + 2 * i * plane.pitch;
        *line = _mm_unpacklo_epi64(load_8(plane.data, row), load_8(plane.data, row + plane.pitch));
    }
    // The index of a sample, row (4 bits) then column (3 bits), turns by one bit with every interleaving.
    for _ in 0..4 {
        lines = interleave_bytes(lines);
    }
    let Some(filtered) = filter_luma(&lines, filter) else {
        return;
    };
    for (line, filtered) in lines[1..7].iter_mut().zip(filtered) {
        *line = pack(filtered);
    }
    for _ in 0..3 {
        lines = interleave_bytes(lines);
    }
    for (i, line) in lines.into_iter().enumerate() {
        let row = first + 2 * i * plane.pitch;
        store::<8>(plane.data, row, line);
        store::<8>(plane.data, row + plane.pitch, _mm_unpackhi_epi64(line, line));
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn interleave_bytes(v: [__m128i; 8]) -> [__m128i; 8] {
    [
        _mm_unpacklo_epi8(v[0], v[4]),
        _mm_unpackhi_epi8(v[0], v[4]),
        _mm_unpacklo_epi8(v[1], v[5]),
        _mm_unpackhi_epi8(v[1], v[5]),
        _mm_unpacklo_epi8(v[2], v[6]),
        _mm_unpackhi_epi8(v[2], v[6]),
        _mm_unpacklo_epi8(v[3], v[7]),
        _mm_unpackhi_epi8(v[3], v[7]),
    ]
}

#[target_feature(enable = "avx2")]
pub(super) fn chroma(edge: Edge, plane: PlaneMut<'_, u8>, at: usize, filter: &EdgeFilter) {
    match edge {
        Edge::Vertical => chroma_vertical(plane, at, filter),
        Edge::Horizontal => chroma_horizontal(plane, at, filter),
    }
}

#[target_feature(enable = "avx2")]
fn chroma_horizontal(plane: PlaneMut<'_, u8>, at: usize, filter: &EdgeFilter) {
    let first = at - 2 * plane.pitch;
    let mut lines = [_mm_setzero_si128(); 4];
    for (i, line) in lines.iter_mut().enumerate() {
        *line = load_16(plane.data, first + i * plane.pitch);
    }
    let Some([p0, q0]) = filter_chroma(&lines, filter) else {
        return;
    };
    store::<16>(plane.data, at - plane.pitch, pack(p0));
    store::<16>(plane.data, at, pack(q0));
}

#[target_feature(enable = "avx2")]
fn chroma_vertical(plane: PlaneMut<'_, u8>, at: usize, filter: &EdgeFilter) {
    let first = at - 4;
    let mut lines = [_mm_setzero_si128(); 4];
    for (i, line) in lines.iter_mut().enumerate() {
        let row = first + 2 * i * plane.pitch;
        *line = _mm_unpacklo_epi64(load_8(plane.data, row), load_8(plane.data, row + plane.pitch));
    }
    // As for luma, with CbCr pairs: row (3 bits) then column (2 bits).
    for _ in 0..3 {
        lines = interleave_pairs(lines);
    }
    let Some([p0, q0]) = filter_chroma(&lines, filter) else {
        return;
    };
    (lines[1], lines[2]) = (pack(p0), pack(q0));
    for _ in 0..2 {
        lines = interleave_pairs(lines);
    }
    for (i, line) in lines.into_iter().enumerate() {
        let row = first + 2 * i * plane.pitch;
        store::<8>(plane.data, row, line);
        store::<8>(plane.data, row + plane.pitch, _mm_unpackhi_epi64(line, line));
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn interleave_pairs(v: [__m128i; 4]) -> [__m128i; 4] {
    [
        _mm_unpacklo_epi16(v[0], v[2]),
        _mm_unpackhi_epi16(v[0], v[2]),
        _mm_unpacklo_epi16(v[1], v[3]),
        _mm_unpackhi_epi16(v[1], v[3]),
    ]
}

/// 16 words to bytes, with saturation.
#[target_feature(enable = "avx2")]
#[inline]
fn pack(words: __m256i) -> __m128i {
    _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words))
}

/// Two words, alternating.
#[target_feature(enable = "avx2")]
#[inline]
fn alternate([even, odd]: [i16; 2]) -> __m256i {
    _mm256_set1_epi32(words([even, odd]))
}

fn words([even, odd]: [i16; 2]) -> i32 {
    i32::from(odd) << 16 | i32::from(even as u16)
}

/// `tC0` of every lane: that of a quarter of the edge four times.
#[target_feature(enable = "avx2")]
#[inline]
fn quarters(tc0: [[i16; 2]; 4]) -> __m256i {
    let [a, b, c, d] = tc0.map(words);
    let quarters = _mm256_castsi128_si256(_mm_setr_epi32(a, b, c, d));
    _mm256_permutevar8x32_epi32(quarters, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3))
}

/// Lanes where `| a - b | < limit`.
#[target_feature(enable = "avx2")]
#[inline]
fn near(a: __m256i, b: __m256i, limit: __m256i) -> __m256i {
    _mm256_cmpgt_epi16(limit, _mm256_abs_epi16(_mm256_sub_epi16(a, b)))
}

#[target_feature(enable = "avx2")]
#[inline]
fn clamp(value: __m256i, limit: __m256i) -> __m256i {
    let low = _mm256_sub_epi16(_mm256_setzero_si256(), limit);
    _mm256_min_epi16(_mm256_max_epi16(value, low), limit)
}

/// `filterSamplesFlag` without its `bS` part.
#[target_feature(enable = "avx2")]
#[inline]
fn filter_samples([p1, p0, q0, q1]: [__m256i; 4], limits: Thresholds) -> __m256i {
    let inside = _mm256_and_si256(near(p1, p0, limits.beta), near(q1, q0, limits.beta));
    _mm256_and_si256(near(p0, q0, limits.alpha), inside)
}

/// The change of `p0` and `q0` before it is clipped (equation 8-475).
#[target_feature(enable = "avx2")]
#[inline]
fn delta([p1, p0, q0, q1]: [__m256i; 4]) -> __m256i {
    let middle = _mm256_slli_epi16::<2>(_mm256_sub_epi16(q0, p0));
    let sum = _mm256_add_epi16(middle, _mm256_sub_epi16(p1, q1));
    _mm256_srai_epi16::<3>(_mm256_add_epi16(sum, _mm256_set1_epi16(4)))
}

/// Filters `p3` to `q3`; `None` if no sample changes.
#[target_feature(enable = "avx2")]
#[inline]
fn filter_luma(lines: &[__m128i; 8], filter: &EdgeFilter) -> Option<Filtered> {
    let mut v = [_mm256_setzero_si256(); 8];
    for (v, line) in v.iter_mut().zip(lines) {
        *v = _mm256_cvtepu8_epi16(*line);
    }
    let limits = Thresholds {
        alpha: alternate(filter.alpha),
        beta: alternate(filter.beta),
    };
    let mask = filter_samples([v[2], v[3], v[4], v[5]], limits);
    match filter.strength {
        Strength::Intra if _mm256_testz_si256(mask, mask) != 0 => None,
        Strength::Intra => Some(luma_intra(&v, limits, mask)),
        Strength::Normal(tc0) => {
            let tc0 = quarters(tc0);
            let mask = _mm256_and_si256(mask, _mm256_cmpgt_epi16(tc0, _mm256_set1_epi16(-1)));
            match _mm256_testz_si256(mask, mask) {
                0 => Some(luma_normal(&v, limits.beta, mask, tc0)),
                _ => None,
            }
        }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn luma_normal(v: &[__m256i; 8], beta: __m256i, mask: __m256i, tc0: __m256i) -> Filtered {
    let [_, p2, p1, p0, q0, q1, q2, _] = *v;
    let p_flat = _mm256_and_si256(near(p2, p0, beta), mask);
    let q_flat = _mm256_and_si256(near(q2, q0, beta), mask);
    // A set mask is -1.
    let tc = _mm256_sub_epi16(_mm256_sub_epi16(tc0, p_flat), q_flat);
    let change = _mm256_and_si256(clamp(delta([p1, p0, q0, q1]), tc), mask);
    let mean = _mm256_srai_epi16::<1>(_mm256_add_epi16(_mm256_add_epi16(p0, q0), _mm256_set1_epi16(1)));
    [
        p2,
        outer(p1, p2, mean, tc0, p_flat),
        _mm256_add_epi16(p0, change),
        _mm256_sub_epi16(q0, change),
        outer(q1, q2, mean, tc0, q_flat),
        q2,
    ]
}

/// `p1` or `q1` where the side is flat (equations 8-478 and 8-480).
#[target_feature(enable = "avx2")]
#[inline]
fn outer(first: __m256i, second: __m256i, mean: __m256i, tc0: __m256i, flat: __m256i) -> __m256i {
    let doubled = _mm256_slli_epi16::<1>(first);
    let change = _mm256_srai_epi16::<1>(_mm256_sub_epi16(_mm256_add_epi16(second, mean), doubled));
    _mm256_add_epi16(first, _mm256_and_si256(clamp(change, tc0), flat))
}

#[target_feature(enable = "avx2")]
#[inline]
fn luma_intra(v: &[__m256i; 8], limits: Thresholds, mask: __m256i) -> Filtered {
    let [p3, p2, p1, p0, q0, q1, q2, q3] = *v;
    let quarter = _mm256_add_epi16(_mm256_srai_epi16::<2>(limits.alpha), _mm256_set1_epi16(2));
    let close = _mm256_and_si256(near(p0, q0, quarter), mask);
    let p_flat = _mm256_and_si256(near(p2, p0, limits.beta), close);
    let q_flat = _mm256_and_si256(near(q2, q0, limits.beta), close);
    let [p2_out, p1_out, p0_out] = strong_side([p3, p2, p1, p0, q0, q1], mask, p_flat);
    let [q2_out, q1_out, q0_out] = strong_side([q3, q2, q1, q0, p0, p1], mask, q_flat);
    [p2_out, p1_out, p0_out, q0_out, q1_out, q2_out]
}

/// The three samples of one side of an edge with `bS` 4; `s` runs from the fourth sample of the side to the second of
/// the other (equations 8-483 to 8-490).
#[target_feature(enable = "avx2")]
#[inline]
fn strong_side(s: [__m256i; 6], mask: __m256i, flat: __m256i) -> [__m256i; 3] {
    let [a3, a2, a1, a0, b0, b1] = s;
    let two = _mm256_set1_epi16(2);
    let four = _mm256_set1_epi16(4);
    let core = _mm256_add_epi16(_mm256_add_epi16(a0, b0), a1);
    let with_a2 = _mm256_add_epi16(core, a2);
    let first = _mm256_add_epi16(
        _mm256_add_epi16(_mm256_slli_epi16::<1>(core), _mm256_add_epi16(a2, b1)),
        four,
    );
    let second = _mm256_add_epi16(with_a2, two);
    let far = _mm256_slli_epi16::<1>(_mm256_add_epi16(a3, a2));
    let third = _mm256_add_epi16(_mm256_add_epi16(far, with_a2), four);
    let weak = _mm256_add_epi16(
        _mm256_add_epi16(_mm256_slli_epi16::<1>(a1), _mm256_add_epi16(a0, b1)),
        two,
    );
    let near_edge = _mm256_blendv_epi8(a0, _mm256_srai_epi16::<2>(weak), _mm256_andnot_si256(flat, mask));
    [
        _mm256_blendv_epi8(a2, _mm256_srai_epi16::<3>(third), flat),
        _mm256_blendv_epi8(a1, _mm256_srai_epi16::<2>(second), flat),
        _mm256_blendv_epi8(near_edge, _mm256_srai_epi16::<3>(first), flat),
    ]
}

/// Filters `p1` to `q1` and gives `p0` and `q0`; `None` if no sample changes.
#[target_feature(enable = "avx2")]
#[inline]
fn filter_chroma(lines: &[__m128i; 4], filter: &EdgeFilter) -> Option<[__m256i; 2]> {
    let mut v = [_mm256_setzero_si256(); 4];
    for (v, line) in v.iter_mut().zip(lines) {
        *v = _mm256_cvtepu8_epi16(*line);
    }
    let [p1, p0, q0, q1] = v;
    let limits = Thresholds {
        alpha: alternate(filter.alpha),
        beta: alternate(filter.beta),
    };
    let mask = filter_samples(v, limits);
    match filter.strength {
        Strength::Intra => {
            let weak = |a1, a0, b1| {
                let sum = _mm256_add_epi16(_mm256_slli_epi16::<1>(a1), _mm256_add_epi16(a0, b1));
                _mm256_srai_epi16::<2>(_mm256_add_epi16(sum, _mm256_set1_epi16(2)))
            };
            let p0_out = _mm256_blendv_epi8(p0, weak(p1, p0, q1), mask);
            let q0_out = _mm256_blendv_epi8(q0, weak(q1, q0, p1), mask);
            Some([p0_out, q0_out]).filter(|_| _mm256_testz_si256(mask, mask) == 0)
        }
        Strength::Normal(tc0) => {
            let tc0 = quarters(tc0);
            let mask = _mm256_and_si256(mask, _mm256_cmpgt_epi16(tc0, _mm256_set1_epi16(-1)));
            let tc = _mm256_add_epi16(tc0, _mm256_set1_epi16(1));
            let change = _mm256_and_si256(clamp(delta(v), tc), mask);
            let moved = [_mm256_add_epi16(p0, change), _mm256_sub_epi16(q0, change)];
            Some(moved).filter(|_| _mm256_testz_si256(mask, mask) == 0)
        }
    }
}
