//! Fractional sample interpolation and weighted prediction.
//!
//! A vector of 16 lanes holds one row of a block that is 16 samples wide, or two rows of a narrower one.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_avg_epu8, _mm_cvtsi32_si128, _mm_packus_epi16, _mm_set1_epi8, _mm_setzero_si128,
    _mm_unpackhi_epi8, _mm_unpackhi_epi64, _mm_unpacklo_epi8, _mm_unpacklo_epi64, _mm256_add_epi8, _mm256_add_epi16,
    _mm256_add_epi32, _mm256_castsi256_si128, _mm256_cvtepu8_epi16, _mm256_extracti128_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_mullo_epi16, _mm256_packs_epi32, _mm256_set_m128i, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setr_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_slli_epi16, _mm256_sra_epi32, _mm256_srai_epi16, _mm256_srai_epi32, _mm256_srli_epi16, _mm256_sub_epi16,
    _mm256_unpackhi_epi16, _mm256_unpacklo_epi16,
};

use super::{load, load_16, store};
use crate::planes::{PlaneMut, PlaneRef};
use crate::simd::{LumaFilter, Size, Source, Weighting};

/// How many rows of a block `W` samples wide are in a vector.
const fn rows_per_vector(width: usize) -> usize {
    if width == 16 { 1 } else { 2 }
}

/// One row of 16 bytes, or two rows of `W`, each in its half.
#[target_feature(enable = "avx2")]
#[inline]
fn load_rows<const W: usize>(data: &[u8], at: usize, pitch: usize) -> __m128i {
    match W {
        16 => load_16(data, at),
        _ => _mm_unpacklo_epi64(load::<W>(data, at), load::<W>(data, at + pitch)),
    }
}

/// Stores one row of 16 bytes, or two rows of `W`.
#[target_feature(enable = "avx2")]
#[inline]
fn store_rows<const W: usize>(dst: &mut PlaneMut<'_, u8>, y: usize, value: __m128i) {
    store::<W>(dst.data, y * dst.pitch, value);
    if W != 16 {
        store::<W>(dst.data, (y + 1) * dst.pitch, _mm_unpackhi_epi64(value, value));
    }
}

/// 16 words to bytes, with saturation.
#[target_feature(enable = "avx2")]
#[inline]
fn pack(words: __m256i) -> __m128i {
    _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words))
}

#[target_feature(enable = "avx2")]
pub(super) fn luma(filter: LumaFilter, dst: PlaneMut<'_, u8>, src: Source<'_, u8>, size: Size) {
    match size.width {
        16 => luma_of_width::<16>(filter, dst, src, size.height),
        8 => luma_of_width::<8>(filter, dst, src, size.height),
        _ => luma_of_width::<4>(filter, dst, src, size.height),
    }
}

#[target_feature(enable = "avx2")]
fn luma_of_width<const W: usize>(filter: LumaFilter, dst: PlaneMut<'_, u8>, src: Source<'_, u8>, height: usize) {
    match filter {
        LumaFilter::Full => copy::<W>(dst, src, height),
        LumaFilter::Horizontal => horizontal::<W>(dst, src, height),
        LumaFilter::Vertical => vertical::<W>(dst, src, height),
        LumaFilter::Centre => centre::<W>(dst, src, height),
    }
}

#[target_feature(enable = "avx2")]
fn copy<const W: usize>(dst: PlaneMut<'_, u8>, src: Source<'_, u8>, height: usize) {
    for y in 0..height {
        store::<W>(
            dst.data,
            y * dst.pitch,
            load::<W>(src.plane.data, src.at + y * src.plane.pitch),
        );
    }
}

/// Unrounded sample `b` of a vector of rows.
#[target_feature(enable = "avx2")]
#[inline]
fn horizontal_taps<const W: usize>(data: &[u8], at: usize, pitch: usize) -> __m256i {
    // The second half of a wide row is loaded where the row's last tap ends, three columns before it would begin.
    let (second, skipped) = if W == 16 { (at + 3, 3) } else { (at + pitch - 2, 0) };
    let window = _mm256_set_m128i(load_16(data, second), load_16(data, at - 2));
    let pairs = _mm256_setr_epi8(
        2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10,
    );
    let shift = _mm256_set_m128i(_mm_set1_epi8(skipped), _mm_setzero_si128());
    let near = _mm256_add_epi8(pairs, shift);
    let two = _mm256_set1_epi16(0x0202);
    let before = _mm256_sub_epi16(near, two);
    let after = _mm256_add_epi16(near, two);
    let inner = _mm256_maddubs_epi16(_mm256_shuffle_epi8(window, near), _mm256_set1_epi16(0x1414));
    let first = _mm256_maddubs_epi16(_mm256_shuffle_epi8(window, before), _mm256_set1_epi16(-0x4ff));
    let last = _mm256_maddubs_epi16(_mm256_shuffle_epi8(window, after), _mm256_set1_epi16(0x1fb));
    _mm256_add_epi16(inner, _mm256_add_epi16(first, last))
}

/// `( value + 16 ) >> 5`.
#[target_feature(enable = "avx2")]
#[inline]
fn round_5(words: __m256i) -> __m128i {
    pack(_mm256_srai_epi16::<5>(_mm256_add_epi16(words, _mm256_set1_epi16(16))))
}

#[target_feature(enable = "avx2")]
fn horizontal<const W: usize>(mut dst: PlaneMut<'_, u8>, src: Source<'_, u8>, height: usize) {
    let pitch = src.plane.pitch;
    for y in (0..height).step_by(rows_per_vector(W)) {
        let taps = horizontal_taps::<W>(src.plane.data, src.at + y * pitch, pitch);
        store_rows::<W>(&mut dst, y, round_5(taps));
    }
}

/// The six rows of samples that the next vector is filtered from; `fresh` are those below.
#[target_feature(enable = "avx2")]
#[inline]
fn next_rows<const W: usize>(rows: [__m256i; 6], fresh: impl Fn(usize) -> __m256i) -> [__m256i; 6] {
    let [_, b, c, d, e, f] = rows;
    match rows_per_vector(W) {
        1 => [b, c, d, e, f, fresh(0)],
        _ => [c, d, e, f, fresh(0), fresh(1)],
    }
}

#[target_feature(enable = "avx2")]
fn vertical<const W: usize>(mut dst: PlaneMut<'_, u8>, src: Source<'_, u8>, height: usize) {
    let pitch = src.plane.pitch;
    let first = src.at - 2 * pitch;
    let row = |y: usize| _mm256_cvtepu8_epi16(load_rows::<W>(src.plane.data, first + y * pitch, pitch));
    let mut rows = [row(0), row(1), row(2), row(3), row(4), row(5)];
    for y in (0..height).step_by(rows_per_vector(W)) {
        if y > 0 {
            let below = y + 6 - rows_per_vector(W);
            rows = next_rows::<W>(rows, |i| row(below + i));
        }
        let outer = _mm256_add_epi16(rows[0], rows[5]);
        let middle = _mm256_add_epi16(rows[1], rows[4]);
        let inner = _mm256_add_epi16(rows[2], rows[3]);
        let difference = _mm256_sub_epi16(_mm256_slli_epi16::<2>(inner), middle);
        let taps = _mm256_add_epi16(outer, _mm256_mullo_epi16(difference, _mm256_set1_epi16(5)));
        store_rows::<W>(&mut dst, y, round_5(taps));
    }
}

#[target_feature(enable = "avx2")]
fn centre<const W: usize>(mut dst: PlaneMut<'_, u8>, src: Source<'_, u8>, height: usize) {
    let pitch = src.plane.pitch;
    let first = src.at - 2 * pitch;
    let row = |y: usize| horizontal_taps::<W>(src.plane.data, first + y * pitch, pitch);
    let mut rows = [row(0), row(1), row(2), row(3), row(4), row(5)];
    for y in (0..height).step_by(rows_per_vector(W)) {
        if y > 0 {
            let below = y + 6 - rows_per_vector(W);
            rows = next_rows::<W>(rows, |i| row(below + i));
        }
        let outer = _mm256_add_epi16(rows[0], rows[5]);
        let middle = _mm256_add_epi16(rows[1], rows[4]);
        let inner = _mm256_add_epi16(rows[2], rows[3]);
        let one = _mm256_set1_epi16(1);
        let low = centre_taps(_mm256_unpacklo_epi16(inner, middle), _mm256_unpacklo_epi16(outer, one));
        let high = centre_taps(_mm256_unpackhi_epi16(inner, middle), _mm256_unpackhi_epi16(outer, one));
        store_rows::<W>(&mut dst, y, pack(_mm256_packs_epi32(low, high)));
    }
}

/// `( 20 * inner - 5 * middle + outer + 512 ) >> 10` of interleaved words.
#[target_feature(enable = "avx2")]
#[inline]
fn centre_taps(inner_middle: __m256i, outer_one: __m256i) -> __m256i {
    let sum = _mm256_add_epi32(
        _mm256_madd_epi16(inner_middle, pair(20, -5)),
        _mm256_madd_epi16(outer_one, pair(1, 512)),
    );
    _mm256_srai_epi32::<10>(sum)
}

/// Two words, repeated.
#[target_feature(enable = "avx2")]
#[inline]
fn pair(even: i16, odd: i16) -> __m256i {
    _mm256_set1_epi32(i32::from(odd) << 16 | i32::from(even as u16))
}

#[target_feature(enable = "avx2")]
pub(super) fn chroma(fraction: [u8; 2], dst: PlaneMut<'_, u8>, src: Source<'_, u8>, size: Size) {
    match size.width {
        8 => chroma_of_width::<16>(fraction, dst, src, size.height),
        4 => chroma_of_width::<8>(fraction, dst, src, size.height),
        _ => chroma_of_width::<4>(fraction, dst, src, size.height),
    }
}

#[target_feature(enable = "avx2")]
fn chroma_of_width<const W: usize>(fraction: [u8; 2], mut dst: PlaneMut<'_, u8>, src: Source<'_, u8>, height: usize) {
    let [x_frac, y_frac] = fraction.map(i16::from);
    let across = _mm256_set1_epi16(x_frac << 8 | (8 - x_frac));
    let (upper, lower) = (_mm256_set1_epi16(8 - y_frac), _mm256_set1_epi16(y_frac));
    let pitch = src.plane.pitch;
    let row = |y: usize| {
        let at = src.at + y * pitch;
        let here = load_rows::<W>(src.plane.data, at, pitch);
        let next = load_rows::<W>(src.plane.data, at + 2, pitch);
        let pairs = _mm256_set_m128i(_mm_unpackhi_epi8(here, next), _mm_unpacklo_epi8(here, next));
        _mm256_maddubs_epi16(pairs, across)
    };
    let mut above = row(0);
    for y in (0..height).step_by(rows_per_vector(W)) {
        if y > 0 && W != 16 {
            above = row(y);
        }
        let below = row(y + 1);
        let sum = _mm256_add_epi16(_mm256_mullo_epi16(above, upper), _mm256_mullo_epi16(below, lower));
        let rounded = _mm256_srli_epi16::<6>(_mm256_add_epi16(sum, _mm256_set1_epi16(32)));
        store_rows::<W>(&mut dst, y, pack(rounded));
        above = below;
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn average(dst: PlaneMut<'_, u8>, other: PlaneRef<'_, u8>, size: Size) {
    match size.width {
        16 => average_of_width::<16>(dst, other, size.height),
        8 => average_of_width::<8>(dst, other, size.height),
        _ => average_of_width::<4>(dst, other, size.height),
    }
}

#[target_feature(enable = "avx2")]
fn average_of_width<const W: usize>(dst: PlaneMut<'_, u8>, other: PlaneRef<'_, u8>, height: usize) {
    for y in 0..height {
        let at = y * dst.pitch;
        let mean = _mm_avg_epu8(load::<W>(dst.data, at), load::<W>(other.data, y * other.pitch));
        store::<W>(dst.data, at, mean);
    }
}

/// One value per component, alternating in lanes of 32 bits.
#[target_feature(enable = "avx2")]
#[inline]
fn alternate([even, odd]: [i32; 2]) -> __m256i {
    _mm256_set1_epi64x(i64::from(odd) << 32 | i64::from(even as u32))
}

/// Two words in 32 bits, for `madd`.
fn words(low: i16, high: i16) -> i32 {
    i32::from(high) << 16 | i32::from(low as u16)
}

/// Constants of weighted prediction in lanes of 32 bits.
#[derive(Clone, Copy)]
struct Weights {
    factors: __m256i,
    round: __m256i,
    shift: __m128i,
    offset: __m256i,
}

impl Weights {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn new(weighting: &Weighting, round: i32, shift: u8) -> Self {
        let [w0, w1] = weighting.weight;
        Self {
            factors: alternate([words(w0[0], w1[0]), words(w0[1], w1[1])]),
            round: _mm256_set1_epi32(round),
            shift: _mm_cvtsi32_si128(shift.into()),
            offset: alternate(weighting.offset.map(i32::from)),
        }
    }

    /// The weighted sum of interleaved samples of the two lists.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn sum(self, pairs: __m256i) -> __m256i {
        let sum = _mm256_add_epi32(_mm256_madd_epi16(pairs, self.factors), self.round);
        _mm256_add_epi32(_mm256_sra_epi32(sum, self.shift), self.offset)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn of(self, first: __m128i, second: __m256i) -> __m128i {
        let first = _mm256_cvtepu8_epi16(first);
        let low = self.sum(_mm256_unpacklo_epi16(first, second));
        let high = self.sum(_mm256_unpackhi_epi16(first, second));
        pack(_mm256_packs_epi32(low, high))
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn weight(dst: PlaneMut<'_, u8>, size: Size, weighting: &Weighting) {
    let alone = Weighting {
        weight: [weighting.weight[0], [0; 2]],
        ..*weighting
    };
    let weights = Weights::new(&alone, (1 << weighting.log_wd) >> 1, weighting.log_wd);
    match size.width {
        16 => weight_of_width::<16>(dst, size.height, weights),
        8 => weight_of_width::<8>(dst, size.height, weights),
        _ => weight_of_width::<4>(dst, size.height, weights),
    }
}

#[target_feature(enable = "avx2")]
fn weight_of_width<const W: usize>(mut dst: PlaneMut<'_, u8>, height: usize, weights: Weights) {
    for y in (0..height).step_by(rows_per_vector(W)) {
        let samples = load_rows::<W>(dst.data, y * dst.pitch, dst.pitch);
        store_rows::<W>(&mut dst, y, weights.of(samples, _mm256_setzero_si256()));
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn weight_both(dst: PlaneMut<'_, u8>, other: PlaneRef<'_, u8>, size: Size, weighting: &Weighting) {
    let weights = Weights::new(weighting, 1 << weighting.log_wd, weighting.log_wd + 1);
    match size.width {
        16 => weight_both_of_width::<16>(dst, other, size.height, weights),
        8 => weight_both_of_width::<8>(dst, other, size.height, weights),
        _ => weight_both_of_width::<4>(dst, other, size.height, weights),
    }
}

#[target_feature(enable = "avx2")]
fn weight_both_of_width<const W: usize>(
    mut dst: PlaneMut<'_, u8>,
    other: PlaneRef<'_, u8>,
    height: usize,
    weights: Weights,
) {
    for y in (0..height).step_by(rows_per_vector(W)) {
        let samples = load_rows::<W>(dst.data, y * dst.pitch, dst.pitch);
        let others = _mm256_cvtepu8_epi16(load_rows::<W>(other.data, y * other.pitch, other.pitch));
        store_rows::<W>(&mut dst, y, weights.of(samples, others));
    }
}
