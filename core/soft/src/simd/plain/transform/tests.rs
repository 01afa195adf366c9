//! The inverse transforms against the matrices that they factor.

use super::*;

/// Basis of the 4x4 transform, by frequency, times 2.
const BASIS_4: [[i32; 4]; 4] = [[2, 2, 2, 2], [2, 1, -1, -2], [2, -2, -2, 2], [1, -2, 2, -1]];

/// Basis of the 8x8 transform, by frequency, times 8.
const BASIS_8: [[i32; 8]; 8] = [
    [8, 8, 8, 8, 8, 8, 8, 8],
    [12, 10, 6, 3, -3, -6, -10, -12],
    [8, 4, -4, -8, -8, -4, 4, 8],
    [10, -3, -12, -6, 6, 12, 3, -10],
    [8, -8, -8, 8, 8, -8, -8, 8],
    [6, -12, 3, 10, -10, -3, 12, -6],
    [4, -8, 8, -4, -4, 8, -8, 4],
    [3, -6, 10, -12, 12, -10, 6, -3],
];

/// The residual at `(x, y)`; exact where every coefficient is a multiple of `unit * unit`.
fn residual<const N: usize>(block: &[i32], basis: &[[i32; N]; N], unit: i32, x: usize, y: usize) -> i32 {
    let terms = (0..N * N).map(|i| block[i] / (unit * unit) * basis[i % N][x] * basis[i / N][y]);
    (terms.sum::<i32>() + 32) >> 6
}

/// Small numbers without a pattern.
fn noise(seed: u32) -> impl FnMut(i32) -> i32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    move |range| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as i32 % (2 * range + 1) - range
    }
}

#[test]
fn the_4x4_transform_is_its_matrix() {
    for seed in 0..200 {
        let mut next = noise(seed);
        let block: [i32; 16] = from_fn(|_| next(200) * 4);
        let mut samples = [100u8; 16];
        add_4x4(
            PlaneMut {
                data: &mut samples,
                pitch: 4,
            },
            &block,
        );
        let expected = from_fn(|i| (100 + residual(&block, &BASIS_4, 2, i % 4, i / 4)).clamp(0, 255) as u8);
        assert_eq!(samples, expected);
    }
}

#[test]
fn the_8x8_transform_is_its_matrix() {
    for seed in 0..200 {
        let mut next = noise(seed);
        let block: [i32; 64] = from_fn(|_| next(20) * 64);
        let mut samples = [100u8; 64];
        add_8x8(
            PlaneMut {
                data: &mut samples,
                pitch: 8,
            },
            &block,
        );
        let expected: [u8; 64] = from_fn(|i| (100 + residual(&block, &BASIS_8, 8, i % 8, i / 8)).clamp(0, 255) as u8);
        assert_eq!(samples, expected);
    }
}

#[test]
fn a_lone_dc_is_the_full_transform_of_it() {
    for dc in [-20000, -33, -32, -31, 0, 31, 32, 95, 96, 4000, i32::MAX] {
        let mut block = [0; 16];
        block[0] = dc;
        let (mut whole, mut short) = ([77u8; 16], [77u8; 16]);
        add_4x4(
            PlaneMut {
                data: &mut whole,
                pitch: 4,
            },
            &block,
        );
        add_dc::<u8, 4>(
            PlaneMut {
                data: &mut short,
                pitch: 4,
            },
            dc,
        );
        assert_eq!(whole, short, "{dc}");
    }
}

#[test]
fn chroma_residuals_alternate() {
    let mut blocks = [[0; 16]; 2];
    blocks[0][0] = 64;
    blocks[1][0] = -128;
    let mut samples = [10u8; 32];
    add_chroma_4x4(
        PlaneMut {
            data: &mut samples,
            pitch: 8,
        },
        &blocks,
    );
    assert_eq!(samples, from_fn(|i| if i % 2 == 0 { 11 } else { 8 }));
}

#[test]
fn absurd_coefficients_wrap() {
    let mut samples = [128u8; 64];
    add_8x8(
        PlaneMut {
            data: &mut samples,
            pitch: 8,
        },
        &[i32::MIN; 64],
    );
    add_4x4(
        PlaneMut {
            data: &mut samples,
            pitch: 8,
        },
        &[i32::MAX; 16],
    );
}
