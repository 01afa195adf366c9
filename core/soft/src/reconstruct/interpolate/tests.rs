//! Interpolation against the equations of 8.4.2.2, one sample at a time and at any place.

use super::*;
use crate::planes::FrameRef;

const WIDTH: usize = 48;
const HEIGHT: usize = 32;

/// A picture without a pattern.
fn samples(count: usize) -> Vec<u8> {
    let mut state = 12345u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Extremes too, so that clipping shows.
        match state >> 29 {
            0 => 0,
            1 => 255,
            _ => (state >> 20) as u8,
        }
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A sample of a plane, that of the nearest edge outside of it.
fn at(plane: &[u8], x: i32, y: i32) -> i32 {
    let (x, y) = (x.clamp(0, WIDTH as i32 - 1), y.clamp(0, HEIGHT as i32 - 1));
    plane[y as usize * WIDTH + x as usize].into()
}

/// The luma sample at a place in quarter samples, by the letters of figure 8-4.
fn literal_luma(plane: &[u8], x: i32, y: i32) -> i32 {
    let (x_int, y_int) = (x >> 2, y >> 2);
    let full = |dx, dy| at(plane, x_int + dx, y_int + dy);
    let six = |s: [i32; 6]| s[0] - 5 * s[1] + 20 * s[2] + 20 * s[3] - 5 * s[4] + s[5];
    let b1 = |dy: i32| six([-2, -1, 0, 1, 2, 3].map(|dx| full(dx, dy)));
    let h1 = |dx: i32| six([-2, -1, 0, 1, 2, 3].map(|dy| full(dx, dy)));
    let clip5 = |v: i32| ((v + 16) >> 5).clamp(0, 255);
    let (g, b, h) = (full(0, 0), clip5(b1(0)), clip5(h1(0)));
    let (s, m) = (clip5(b1(1)), clip5(h1(1)));
    let j = ((six([-2, -1, 0, 1, 2, 3].map(b1)) + 512) >> 10).clamp(0, 255);
    let mean = |a: i32, b: i32| (a + b + 1) >> 1;
    match (x & 3, y & 3) {
        (0, 0) => g,
        (0, 1) => mean(g, h),
        (0, 2) => h,
        (0, 3) => mean(h, full(0, 1)),
        (1, 0) => mean(g, b),
        (1, 1) => mean(b, h),
        (1, 2) => mean(h, j),
        (1, 3) => mean(h, s),
        (2, 0) => b,
        (2, 1) => mean(b, j),
        (2, 2) => j,
        (2, 3) => mean(j, s),
        (3, 0) => mean(b, full(1, 0)),
        (3, 1) => mean(b, m),
        (3, 2) => mean(j, m),
        _ => mean(s, m),
    }
}

/// Vectors to every fraction, inside, across every edge, and as far away as they go.
fn vectors() -> impl Iterator<Item = Mv> {
    let far = [i16::MIN, -300, -90, -40, 0, 8, 60, 90, 300, i16::MAX - 7];
    let wide = far
        .into_iter()
        .flat_map(move |x| far.into_iter().map(move |y| Mv { x: x & !7, y: y & !7 }));
    let fractions = (0..64).map(|i| Mv { x: i % 8, y: i / 8 });
    wide.zip(fractions.clone().cycle())
        .map(|(mv, fraction)| Mv {
            x: mv.x + fraction.x,
            y: mv.y + fraction.y,
        })
        .chain(fractions)
}

const SIZES: [(usize, usize); 7] = [(16, 16), (16, 8), (8, 16), (8, 8), (8, 4), (4, 8), (4, 4)];

fn blocks() -> impl Iterator<Item = Block> {
    let places = [(0, 0), (16, 16), (32, 16), (32, 0)];
    SIZES.into_iter().flat_map(move |(width, height)| {
        let to_the_end = |(x, y): (usize, usize)| (x + 16 - width, y + 16 - height);
        places
            .into_iter()
            .chain(places.map(to_the_end))
            .map(move |(x, y)| Block {
                x,
                y,
                size: Size { width, height },
            })
    })
}

#[test]
fn luma_is_interpolated_as_the_standard_says_at_every_place() {
    let plane = samples(WIDTH * HEIGHT);
    let frame = FrameRef {
        luma: PlaneRef {
            data: &plane,
            pitch: WIDTH,
        },
        chroma: PlaneRef {
            data: &plane,
            pitch: WIDTH,
        },
    };
    let picture = Some(frame);
    let reference = RefBlock {
        mb_height_c: 8,
        picture,
        width_in_mbs: WIDTH / 16,
        height_in_mbs: HEIGHT / 16,
    };
    let mut scratch = FilterScratch::default();
    for block in blocks() {
        for mv in vectors() {
            let mut out = [0u8; 256];
            reference.luma(
                &block,
                mv,
                PlaneMut {
                    data: &mut out,
                    pitch: 16,
                },
                &mut scratch,
            );
            for y in 0..block.size.height {
                for x in 0..block.size.width {
                    let place =
                        [(block.x + x, mv.x), (block.y + y, mv.y)].map(|(at, mv)| at as i32 * 4 + i32::from(mv));
                    let expected = literal_luma(&plane, place[0], place[1]);
                    assert_eq!(
                        i32::from(out[y * 16 + x]),
                        expected,
                        "{mv:?} {:?} at {x}, {y}",
                        block.size
                    );
                }
            }
        }
    }
}

#[test]
fn chroma_is_interpolated_as_the_standard_says_at_every_place() {
    let plane = samples(WIDTH * HEIGHT);
    let chroma = samples(WIDTH * HEIGHT / 2);
    let frame = FrameRef {
        luma: PlaneRef {
            data: &plane,
            pitch: WIDTH,
        },
        chroma: PlaneRef {
            data: &chroma,
            pitch: WIDTH,
        },
    };
    let picture = Some(frame);
    let reference = RefBlock {
        mb_height_c: 8,
        picture,
        width_in_mbs: WIDTH / 16,
        height_in_mbs: HEIGHT / 16,
    };
    let at = |component: usize, x: i32, y: i32| {
        let (x, y) = (
            x.clamp(0, WIDTH as i32 / 2 - 1) as usize,
            y.clamp(0, HEIGHT as i32 / 2 - 1) as usize,
        );
        i32::from(chroma[y * WIDTH + x * 2 + component])
    };
    let mut scratch = FilterScratch::default();
    for block in blocks() {
        for mv in vectors() {
            let mut out = [0u8; 128];
            reference.chroma(
                &block,
                mv,
                PlaneMut {
                    data: &mut out,
                    pitch: 16,
                },
                &mut scratch,
            );
            for (y, row) in out.chunks(16).take(block.size.height / 2).enumerate() {
                for (i, sample) in row[..block.size.width].iter().enumerate() {
                    let x = (block.x / 2 + i / 2) as i32 + i32::from(mv.x >> 3);
                    let y = (block.y / 2 + y) as i32 + i32::from(mv.y >> 3);
                    let (x_frac, y_frac) = (i32::from(mv.x & 7), i32::from(mv.y & 7));
                    let expected = (8 - x_frac) * (8 - y_frac) * at(i % 2, x, y)
                        + x_frac * (8 - y_frac) * at(i % 2, x + 1, y)
                        + (8 - x_frac) * y_frac * at(i % 2, x, y + 1)
                        + x_frac * y_frac * at(i % 2, x + 1, y + 1);
                    assert_eq!(
                        i32::from(*sample),
                        (expected + 32) >> 6,
                        "{mv:?} {:?} at {i}",
                        block.size
                    );
                }
            }
        }
    }
}

#[test]
fn without_any_picture_prediction_is_grey() {
    let reference = RefBlock::<u8> {
        mb_height_c: 8,
        picture: None,
        width_in_mbs: 1,
        height_in_mbs: 1,
    };
    let block = Block {
        x: 0,
        y: 0,
        size: Size { width: 8, height: 8 },
    };
    let mut out = [0u8; 128];
    let mut scratch = FilterScratch::default();
    reference.luma(
        &block,
        Mv::default(),
        PlaneMut {
            data: &mut out,
            pitch: 16,
        },
        &mut scratch,
    );
    assert!(out.chunks(16).all(|row| row[..8] == [128; 8] && row[8..] == [0; 8]));
}
