//! Every SIMD kernel gives what its plain twin gives, on noise and on extremes.

use super::plain;
use super::x86::Avx2;
use super::*;

const PITCH: usize = 48;
const ROWS: usize = 32;

/// Numbers without a pattern.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    /// 0 to `count - 1`.
    fn below(&mut self, count: u32) -> u32 {
        self.next() % count
    }

    /// A plane: noise of some amplitude around some value, so that filters see flat areas and steps, or extremes alone.
    fn plane(&mut self) -> Vec<u8> {
        let (base, amplitude, extremes) = (self.below(256), self.below(60) + 1, self.below(4) == 0);
        (0..PITCH * ROWS)
            .map(|_| match extremes {
                true => [0, 255][self.below(2) as usize],
                false => (base + self.below(amplitude)).min(255) as u8,
            })
            .collect()
    }

    fn word(&mut self, low: i32, high: i32) -> i16 {
        (low + self.below((high - low + 1) as u32) as i32) as i16
    }
}

/// Runs a kernel and its twin on the same plane many times.
fn compare(mut run: impl FnMut(Avx2, &mut Noise, [PlaneMut<'_, u8>; 2])) {
    let Some(avx2) = Avx2::detect() else {
        return;
    };
    for seed in 0..2000 {
        let mut noise = Noise(seed);
        let mut plain = noise.plane();
        let mut simd = plain.clone();
        let of = |data| PlaneMut { data, pitch: PITCH };
        run(avx2, &mut noise, [of(&mut plain), of(&mut simd)]);
        assert!(plain == simd, "differs with seed {seed}");
    }
}

fn size(noise: &mut Noise) -> Size {
    let (width, height) = [(16, 16), (16, 8), (8, 16), (8, 8), (8, 4), (4, 8), (4, 4)][noise.below(7) as usize];
    Size { width, height }
}

#[test]
fn luma_interpolation_equals_its_twin() {
    compare(|avx2, noise, [plain, simd]| {
        let picture = noise.plane();
        let at = (2 + noise.below(8) as usize) * PITCH + 2 + noise.below(16) as usize;
        let src = Source {
            plane: PlaneRef {
                data: &picture,
                pitch: PITCH,
            },
            at,
        };
        let size = size(noise);
        let filters = [
            LumaFilter::Full,
            LumaFilter::Horizontal,
            LumaFilter::Vertical,
            LumaFilter::Centre,
        ];
        let filter = filters[noise.below(4) as usize];
        plain::luma(filter, plain, src, size);
        avx2.luma(filter, simd, src, size);
    });
}

#[test]
fn chroma_interpolation_equals_its_twin() {
    compare(|avx2, noise, [plain, simd]| {
        let picture = noise.plane();
        let src = Source {
            plane: PlaneRef {
                data: &picture,
                pitch: PITCH,
            },
            at: noise.below(20) as usize,
        };
        let Size { width, height } = size(noise);
        let size = Size {
            width: width / 2,
            height: height >> noise.below(2),
        };
        let fraction = [noise.below(8) as u8, noise.below(8) as u8];
        plain::chroma(fraction, plain, src, size);
        avx2.chroma(fraction, simd, src, size);
    });
}

#[test]
fn averages_equal_their_twin() {
    compare(|avx2, noise, [plain, simd]| {
        let other = noise.plane();
        let other = PlaneRef {
            data: &other,
            pitch: PITCH,
        };
        let size = size(noise);
        plain::average(plain, other, size);
        avx2.average(simd, other, size);
    });
}

#[test]
fn weighted_prediction_equals_its_twin() {
    compare(|avx2, noise, [plain, simd]| {
        let other = noise.plane();
        let other = PlaneRef {
            data: &other,
            pitch: PITCH,
        };
        let weighting = Weighting {
            log_wd: noise.below(8) as u8,
            weight: std::array::from_fn(|_| std::array::from_fn(|_| noise.word(-128, 128))),
            offset: std::array::from_fn(|_| noise.word(-128, 127)),
        };
        let size = size(noise);
        if noise.below(2) == 0 {
            plain::weight(plain, size, &weighting);
            avx2.weight(simd, size, &weighting);
        } else {
            plain::weight_both(plain, other, size, &weighting);
            avx2.weight_both(simd, other, size, &weighting);
        }
    });
}

/// Coefficients: usual ones, large ones, and any.
fn coefficient(noise: &mut Noise) -> i32 {
    match noise.below(16) {
        0 => (noise.next() << 8) as i32,
        1..4 => noise.word(-32768, 32767).into(),
        4..8 => noise.word(-500, 500).into(),
        _ => 0,
    }
}

#[test]
fn transforms_equal_their_twins() {
    compare(|avx2, noise, [mut plain, mut simd]| {
        let block: [i32; 64] = std::array::from_fn(|_| coefficient(noise));
        plain::add_8x8(plain.from(0), &block);
        avx2.add_8x8(simd.from(0), &block);
        let blocks: [[i32; 16]; 2] = std::array::from_fn(|_| std::array::from_fn(|_| coefficient(noise)));
        plain::add_4x4(plain.from(16), &blocks[0]);
        avx2.add_4x4(simd.from(16), &blocks[0]);
        plain::add_chroma_4x4(plain.from(24), &blocks);
        avx2.add_chroma_4x4(simd.from(24), &blocks);
        let dc = coefficient(noise);
        plain::add_dc::<u8, 4>(plain.from(10 * PITCH), dc);
        avx2.add_dc::<4>(simd.from(10 * PITCH), dc);
        plain::add_dc::<u8, 8>(plain.from(10 * PITCH + 8), dc);
        avx2.add_dc::<8>(simd.from(10 * PITCH + 8), dc);
    });
}

fn edge_filter(noise: &mut Noise) -> EdgeFilter {
    let strength = match noise.below(3) {
        0 => Strength::Intra,
        _ => Strength::Normal(std::array::from_fn(|_| {
            let absent = noise.below(4) == 0;
            std::array::from_fn(|_| if absent { -1 } else { noise.word(0, 25) })
        })),
    };
    EdgeFilter {
        alpha: std::array::from_fn(|_| noise.word(1, 255)),
        beta: std::array::from_fn(|_| noise.word(1, 18)),
        strength,
    }
}

#[test]
fn luma_deblocking_equals_its_twin() {
    compare(|avx2, noise, [plain, simd]| {
        let mut filter = edge_filter(noise);
        (filter.alpha[1], filter.beta[1]) = (filter.alpha[0], filter.beta[0]);
        if let Strength::Normal(tc0) = &mut filter.strength {
            tc0.iter_mut().for_each(|tc0| tc0[1] = tc0[0]);
        }
        let edge = [Edge::Vertical, Edge::Horizontal][noise.below(2) as usize];
        plain::deblock_luma(edge, plain, 8 * PITCH + 16, &filter);
        avx2.deblock_luma(edge, simd, 8 * PITCH + 16, &filter);
    });
}

#[test]
fn chroma_deblocking_equals_its_twin() {
    compare(|avx2, noise, [plain, simd]| {
        let filter = edge_filter(noise);
        let edge = [Edge::Vertical, Edge::Horizontal][noise.below(2) as usize];
        plain::deblock_chroma(edge, plain, 8 * PITCH + 16, &filter);
        avx2.deblock_chroma(edge, simd, 8 * PITCH + 16, &filter);
    });
}
