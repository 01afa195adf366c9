//! The directions against the equations of 8.3.1.2 and 8.3.2.2, one sample at a time.

use super::*;

/// `p[ x, y ]` of a border.
fn p(border: &Border<u8>, n: i32, x: i32, y: i32) -> i32 {
    let place = if y == -1 { n + 1 + x } else { n - 1 - y };
    border.samples[place as usize].into()
}

/// `predL[ x, y ]` of a directional mode, literally.
fn literal(mode: Mode, border: &Border<u8>, n: i32, x: i32, y: i32) -> i32 {
    let p = |x, y| p(border, n, x, y);
    let three = |a: i32, b: i32, c: i32| (a + 2 * b + c + 2) >> 2;
    let two = |a: i32, b: i32| (a + b + 1) >> 1;
    match mode {
        Mode::DiagonalDownLeft if x == n - 1 && y == n - 1 => (p(2 * n - 2, -1) + 3 * p(2 * n - 1, -1) + 2) >> 2,
        Mode::DiagonalDownLeft => three(p(x + y, -1), p(x + y + 1, -1), p(x + y + 2, -1)),
        Mode::DiagonalDownRight if x > y => three(p(x - y - 2, -1), p(x - y - 1, -1), p(x - y, -1)),
        Mode::DiagonalDownRight if x < y => {
            let above = if y - x - 2 < 0 { p(-1, -1) } else { p(-1, y - x - 2) };
            three(above, p(-1, y - x - 1), p(-1, y - x))
        }
        Mode::DiagonalDownRight => three(p(0, -1), p(-1, -1), p(-1, 0)),
        Mode::VerticalRight => match 2 * x - y {
            z if z >= 0 && z % 2 == 0 => two(p(x - (y >> 1) - 1, -1), p(x - (y >> 1), -1)),
            z if z >= 0 => three(p(x - (y >> 1) - 2, -1), p(x - (y >> 1) - 1, -1), p(x - (y >> 1), -1)),
            -1 => three(p(-1, 0), p(-1, -1), p(0, -1)),
            _ => three(p(-1, y - 2 * x - 1), p(-1, y - 2 * x - 2), p(-1, y - 2 * x - 3)),
        },
        Mode::HorizontalDown => match 2 * y - x {
            z if z >= 0 && z % 2 == 0 => two(p(-1, y - (x >> 1) - 1), p(-1, y - (x >> 1))),
            z if z >= 0 => three(p(-1, y - (x >> 1) - 2), p(-1, y - (x >> 1) - 1), p(-1, y - (x >> 1))),
            -1 => three(p(-1, 0), p(-1, -1), p(0, -1)),
            _ => three(p(x - 2 * y - 1, -1), p(x - 2 * y - 2, -1), p(x - 2 * y - 3, -1)),
        },
        Mode::VerticalLeft if y % 2 == 0 => two(p(x + (y >> 1), -1), p(x + (y >> 1) + 1, -1)),
        Mode::VerticalLeft => three(p(x + (y >> 1), -1), p(x + (y >> 1) + 1, -1), p(x + (y >> 1) + 2, -1)),
        Mode::HorizontalUp => match x + 2 * y {
            z if z > 2 * n - 3 => p(-1, n - 1),
            z if z == 2 * n - 3 => (p(-1, n - 2) + 3 * p(-1, n - 1) + 2) >> 2,
            z if z % 2 == 0 => two(p(-1, y + (x >> 1)), p(-1, y + (x >> 1) + 1)),
            _ => three(p(-1, y + (x >> 1)), p(-1, y + (x >> 1) + 1), p(-1, y + (x >> 1) + 2)),
        },
        Mode::Vertical => p(x, -1),
        Mode::Horizontal => p(-1, y),
        Mode::Dc => {
            let sum = (0..n).map(|i| p(i, -1) + p(-1, i)).sum::<i32>();
            (sum + n) / (2 * n)
        }
    }
}

fn border(seed: u32) -> Border<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let samples = from_fn(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    Border {
        samples,
        left: true,
        above: true,
    }
}

fn check_every_mode<const N: usize>() {
    for seed in 0..100 {
        let border = border(seed);
        for mode in (0..9).map(Mode::from_number) {
            let mut samples = [0u8; 64];
            predict::<u8, N>(
                mode,
                &border,
                PlaneMut {
                    data: &mut samples,
                    pitch: N,
                },
            );
            for (i, sample) in samples[..N * N].iter().enumerate() {
                let expected = literal(mode, &border, N as i32, (i % N) as i32, (i / N) as i32);
                assert_eq!(i32::from(*sample), expected, "{mode:?} at {}, {}", i % N, i / N);
            }
        }
    }
}

#[test]
fn every_4x4_mode_is_as_the_standard_says() {
    check_every_mode::<4>();
}

#[test]
fn every_8x8_mode_is_as_the_standard_says() {
    check_every_mode::<8>();
}

#[test]
fn dc_takes_what_is_available() {
    let mut border = Border::<u8>::new();
    border.samples[..4].fill(10);
    border.samples[5..9].fill(21);
    let dc = |border: &Border<u8>| border.dc::<4>();
    assert_eq!(dc(&border), 128);
    assert_eq!(dc(&Border { left: true, ..border }), 10);
    assert_eq!(dc(&Border { above: true, ..border }), 21);
    assert_eq!(
        dc(&Border {
            left: true,
            above: true,
            ..border
        }),
        16
    );
}

#[test]
fn the_8x8_border_is_filtered_with_what_is_available() {
    let mut border = border(7);
    for (i, sample) in border.samples.iter_mut().enumerate().take(25) {
        *sample = 10 * i as u8;
    }
    let full = border.filtered_8x8(true);
    assert_eq!(
        full.samples[..3],
        [3, 10, 20],
        "the bottom end counts three times itself"
    );
    assert_eq!(full.samples[24], 238);
    let no_corner = border.filtered_8x8(false);
    assert_eq!(no_corner.samples[9], 93);
    assert_eq!(no_corner.samples[7], 68);
    let no_left = Border { left: false, ..border }.filtered_8x8(true);
    assert_eq!(no_left.samples[8], 83);
}

#[test]
fn a_plane_goes_on_as_its_border_rises() {
    let at = |x: i32, y: i32| (100 + 3 * x + 2 * y) as u8;
    let border = LumaBorder {
        left_halves: [true; 2],
        left: Some(from_fn(|y| [at(-1, y as i32)])),
        above: Some(from_fn(|x| at(x as i32, -1))),
        corner: [at(-1, -1)],
    };
    let mut samples = [0u8; 256];
    predict_16x16(
        3,
        &border,
        PlaneMut {
            data: &mut samples,
            pitch: 16,
        },
    );
    assert_eq!(samples, from_fn(|i| at((i % 16) as i32, (i / 16) as i32)));
}

#[test]
fn a_chroma_plane_keeps_cb_and_cr_apart() {
    let at = |component: usize, x: i32, y: i32| (if component == 0 { 100 + 4 * x } else { 150 - 5 * y }) as u8;
    let border = ChromaBorder::<u8, 8> {
        left_halves: [true; 2],
        left: Some(from_fn(|y| from_fn(|c| at(c, -1, y as i32)))),
        above: Some(from_fn(|i| at(i % 2, (i / 2) as i32, -1))),
        corner: from_fn(|c| at(c, -1, -1)),
    };
    let mut samples = [0u8; 128];
    predict_chroma(
        3,
        &border,
        PlaneMut {
            data: &mut samples,
            pitch: 16,
        },
    );
    assert_eq!(samples, from_fn(|i| at(i % 2, (i % 16 / 2) as i32, (i / 16) as i32)));
}

#[test]
fn chroma_dc_blocks_prefer_their_own_side() {
    let border = ChromaBorder::<u8, 8> {
        left_halves: [true; 2],
        left: Some(from_fn(|y| [if y < 4 { 10 } else { 20 }, 0])),
        above: Some(from_fn(|i| [30, 0, 50, 0][i % 2 + i / 8 * 2])),
        corner: [0; 2],
    };
    let mut samples = [0u8; 128];
    predict_chroma(
        0,
        &border,
        PlaneMut {
            data: &mut samples,
            pitch: 16,
        },
    );
    assert_eq!([samples[0], samples[8], samples[64], samples[72]], [20, 50, 20, 35]);
    predict_chroma(
        0,
        &ChromaBorder { above: None, ..border },
        PlaneMut {
            data: &mut samples,
            pitch: 16,
        },
    );
    assert_eq!([samples[0], samples[8], samples[64], samples[72]], [10, 10, 20, 20]);
}
