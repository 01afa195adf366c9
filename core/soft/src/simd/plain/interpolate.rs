//! Fractional sample interpolation (8.4.2.2) and weighted prediction (8.4.2.3).

use crate::planes::{PlaneMut, PlaneRef, Sample};
use crate::simd::{LumaFilter, Size, Source, Weighting};

pub(crate) fn luma<S: Sample>(filter: LumaFilter, dst: PlaneMut<'_, S>, src: Source<'_, S>, size: Size) {
    match filter {
        LumaFilter::Full => copy(dst, src, size),
        LumaFilter::Horizontal => six_tap(dst, src, size, 1),
        LumaFilter::Vertical => six_tap(dst, src, size, src.plane.pitch),
        LumaFilter::Centre => six_tap_both(dst, src, size),
    }
}

fn copy<S: Sample>(dst: PlaneMut<'_, S>, src: Source<'_, S>, size: Size) {
    let src = src.plane.from(src.at);
    for (out, row) in dst
        .data
        .chunks_mut(dst.pitch)
        .zip(src.data.chunks(src.pitch))
        .take(size.height)
    {
        out[..size.width].copy_from_slice(&row[..size.width]);
    }
}

/// Samples `b` and `h`: taps `step` apart.
fn six_tap<S: Sample>(dst: PlaneMut<'_, S>, src: Source<'_, S>, size: Size, step: usize) {
    for (y, out) in dst.data.chunks_mut(dst.pitch).take(size.height).enumerate() {
        let first = src.at - 2 * step + y * src.plane.pitch;
        let tap: [&[S]; 6] = std::array::from_fn(|i| &src.plane.data[first + i * step..][..size.width]);
        for (x, sample) in out[..size.width].iter_mut().enumerate() {
            let value = taps(std::array::from_fn(|i| tap[i][x].value()));
            *sample = S::clip((value + 16) >> 5);
        }
    }
}

/// Sample `j`: the horizontal filter, unrounded, then the vertical one.
fn six_tap_both<S: Sample>(dst: PlaneMut<'_, S>, src: Source<'_, S>, size: Size) {
    let mut lines = [[0; 16]; 21];
    for (y, line) in lines[..size.height + 5].iter_mut().enumerate() {
        let first = src.at - 2 - 2 * src.plane.pitch + y * src.plane.pitch;
        let row = &src.plane.data[first..][..size.width + 5];
        for (value, window) in line.iter_mut().zip(row.windows(6)) {
            *value = taps(std::array::from_fn(|i| window[i].value()));
        }
    }
    for (y, out) in dst.data.chunks_mut(dst.pitch).take(size.height).enumerate() {
        for (x, sample) in out[..size.width].iter_mut().enumerate() {
            let value = taps(std::array::from_fn(|i| lines[y + i][x]));
            *sample = S::clip((value + 512) >> 10);
        }
    }
}

/// `E - 5F + 20G + 20H - 5I + J` (equation 8-241).
#[inline(always)]
fn taps(s: [i32; 6]) -> i32 {
    s[0] + s[5] - 5 * (s[1] + s[4]) + 20 * (s[2] + s[3])
}

pub(crate) fn chroma<S: Sample>(fraction: [u8; 2], dst: PlaneMut<'_, S>, src: Source<'_, S>, size: Size) {
    let [x_frac, y_frac] = fraction.map(i32::from);
    let columns = size.width * 2;
    for (y, out) in dst.data.chunks_mut(dst.pitch).take(size.height).enumerate() {
        let upper = &src.plane.data[src.at + y * src.plane.pitch..][..columns + 2];
        let lower = &src.plane.data[src.at + (y + 1) * src.plane.pitch..][..columns + 2];
        for (x, sample) in out[..columns].iter_mut().enumerate() {
            let a = (8 - x_frac) * upper[x].value() + x_frac * upper[x + 2].value();
            let b = (8 - x_frac) * lower[x].value() + x_frac * lower[x + 2].value();
            *sample = S::from_value(((8 - y_frac) * a + y_frac * b + 32) >> 6);
        }
    }
}

pub(crate) fn average<S: Sample>(dst: PlaneMut<'_, S>, other: PlaneRef<'_, S>, size: Size) {
    for (out, row) in dst
        .data
        .chunks_mut(dst.pitch)
        .zip(other.data.chunks(other.pitch))
        .take(size.height)
    {
        for (sample, other) in out[..size.width].iter_mut().zip(&row[..size.width]) {
            *sample = S::from_value((sample.value() + other.value() + 1) >> 1);
        }
    }
}

pub(crate) fn weight<S: Sample>(dst: PlaneMut<'_, S>, size: Size, weighting: &Weighting) {
    let round = (1 << weighting.log_wd) >> 1;
    let weight = weighting.weight[0].map(i32::from);
    let offset = weighting.offset.map(i32::from);
    for row in dst.data.chunks_mut(dst.pitch).take(size.height) {
        for (x, sample) in row[..size.width].iter_mut().enumerate() {
            let value = (sample.value() * weight[x & 1] + round) >> weighting.log_wd;
            *sample = S::clip(value + offset[x & 1]);
        }
    }
}

pub(crate) fn weight_both<S: Sample>(dst: PlaneMut<'_, S>, other: PlaneRef<'_, S>, size: Size, weighting: &Weighting) {
    let round = 1 << weighting.log_wd;
    let [w0, w1] = weighting.weight.map(|of_list| of_list.map(i32::from));
    let offset = weighting.offset.map(i32::from);
    for (out, row) in dst
        .data
        .chunks_mut(dst.pitch)
        .zip(other.data.chunks(other.pitch))
        .take(size.height)
    {
        for (x, (sample, other)) in out[..size.width].iter_mut().zip(&row[..size.width]).enumerate() {
            let sum = sample.value() * w0[x & 1] + other.value() * w1[x & 1];
            *sample = S::clip(((sum + round) >> (weighting.log_wd + 1)) + offset[x & 1]);
        }
    }
}
