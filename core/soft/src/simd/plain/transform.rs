//! Inverse transforms (8.5.12, 8.5.13). Arithmetic wraps, as levels may be anything.

use std::array::from_fn;

use crate::planes::{PlaneMut, Sample};

pub(crate) fn add_4x4<S: Sample>(dst: PlaneMut<'_, S>, block: &[i32; 16]) {
    let residual = inverse_4x4(block);
    for (row, line) in dst.data.chunks_mut(dst.pitch).zip(residual.as_chunks::<4>().0) {
        add_line(row, line);
    }
}

pub(crate) fn add_8x8<S: Sample>(dst: PlaneMut<'_, S>, block: &[i32; 64]) {
    let mut lines: [[i32; 8]; 8] = from_fn(|y| transform_8(from_fn(|x| block[y * 8 + x])));
    for x in 0..8 {
        let column = transform_8(from_fn(|y| lines[y][x]));
        for (line, value) in lines.iter_mut().zip(column) {
            line[x] = value.wrapping_add(32) >> 6;
        }
    }
    for (row, line) in dst.data.chunks_mut(dst.pitch).zip(&lines) {
        add_line(row, line);
    }
}

pub(crate) fn add_chroma_4x4<S: Sample>(dst: PlaneMut<'_, S>, blocks: &[[i32; 16]; 2]) {
    let residuals = [inverse_4x4(&blocks[0]), inverse_4x4(&blocks[1])];
    for (y, row) in dst.data.chunks_mut(dst.pitch).take(4).enumerate() {
        let line: [i32; 8] = from_fn(|x| residuals[x & 1][y * 4 + x / 2]);
        add_line(row, &line);
    }
}

pub(crate) fn add_dc<S: Sample, const N: usize>(dst: PlaneMut<'_, S>, dc: i32) {
    let line = [dc.wrapping_add(32) >> 6; N];
    for row in dst.data.chunks_mut(dst.pitch).take(N) {
        add_line(row, &line);
    }
}

#[inline(always)]
fn add_line<S: Sample, const N: usize>(row: &mut [S], line: &[i32; N]) {
    for (sample, residual) in row[..N].iter_mut().zip(line) {
        *sample = S::clip(sample.value().wrapping_add(*residual));
    }
}

fn inverse_4x4(block: &[i32; 16]) -> [i32; 16] {
    let rows: [[i32; 4]; 4] = from_fn(|y| transform_4(from_fn(|x| block[y * 4 + x])));
    let columns: [[i32; 4]; 4] = from_fn(|x| transform_4(from_fn(|y| rows[y][x])));
    from_fn(|i| columns[i % 4][i / 4].wrapping_add(32) >> 6)
}

/// Equations 8-338 to 8-345.
#[inline(always)]
fn transform_4(d: [i32; 4]) -> [i32; 4] {
    let e = [
        d[0].wrapping_add(d[2]),
        d[0].wrapping_sub(d[2]),
        (d[1] >> 1).wrapping_sub(d[3]),
        d[1].wrapping_add(d[3] >> 1),
    ];
    [
        e[0].wrapping_add(e[3]),
        e[1].wrapping_add(e[2]),
        e[1].wrapping_sub(e[2]),
        e[0].wrapping_sub(e[3]),
    ]
}

/// The one-dimensional 8x8 transform (8.5.13).
#[inline(always)]
fn transform_8(d: [i32; 8]) -> [i32; 8] {
    let a = [
        d[0].wrapping_add(d[4]),
        d[5].wrapping_sub(d[3]).wrapping_sub(d[7]).wrapping_sub(d[7] >> 1),
        d[0].wrapping_sub(d[4]),
        d[1].wrapping_add(d[7]).wrapping_sub(d[3]).wrapping_sub(d[3] >> 1),
        (d[2] >> 1).wrapping_sub(d[6]),
        d[7].wrapping_sub(d[1]).wrapping_add(d[5]).wrapping_add(d[5] >> 1),
        d[2].wrapping_add(d[6] >> 1),
        d[3].wrapping_add(d[5]).wrapping_add(d[1]).wrapping_add(d[1] >> 1),
    ];
    let b = [
        a[0].wrapping_add(a[6]),
        a[1].wrapping_add(a[7] >> 2),
        a[2].wrapping_add(a[4]),
        a[3].wrapping_add(a[5] >> 2),
        a[2].wrapping_sub(a[4]),
        (a[3] >> 2).wrapping_sub(a[5]),
        a[0].wrapping_sub(a[6]),
        a[7].wrapping_sub(a[1] >> 2),
    ];
    [
        b[0].wrapping_add(b[7]),
        b[2].wrapping_add(b[5]),
        b[4].wrapping_add(b[3]),
        b[6].wrapping_add(b[1]),
        b[6].wrapping_sub(b[1]),
        b[4].wrapping_sub(b[3]),
        b[2].wrapping_sub(b[5]),
        b[0].wrapping_sub(b[7]),
    ]
}

#[cfg(test)]
mod tests;
