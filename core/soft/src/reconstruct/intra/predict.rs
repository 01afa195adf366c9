//! Intra prediction of blocks from their neighbouring samples (8.3.1.2, 8.3.2.2, 8.3.3, 8.3.4).

use std::array::from_fn;

use crate::planes::{PlaneMut, Sample};

/// `Intra4x4PredMode` and `Intra8x8PredMode` (tables 8-2 and 8-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Vertical,
    Horizontal,
    Dc,
    DiagonalDownLeft,
    DiagonalDownRight,
    VerticalRight,
    HorizontalDown,
    VerticalLeft,
    HorizontalUp,
}

impl Mode {
    /// The mode of that number; the derivation gives 0 to 8.
    pub(super) fn from_number(number: i8) -> Self {
        match number {
            0 => Self::Vertical,
            1 => Self::Horizontal,
            2 => Self::Dc,
            3 => Self::DiagonalDownLeft,
            4 => Self::DiagonalDownRight,
            5 => Self::VerticalRight,
            6 => Self::HorizontalDown,
            7 => Self::VerticalLeft,
            _ => Self::HorizontalUp,
        }
    }
}

/// The samples around an `N`x`N` block in one line, from the bottom of the left column up to the corner and along the
/// row above to the right: `p[ -1, N - 1 ]` to `p[ -1, -1 ]` to `p[ 2N - 1, -1 ]`. Three lengths of `N`, one corner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Border<S> {
    pub(super) samples: [S; 32],
    pub(super) left: bool,
    pub(super) above: bool,
}

impl<S: Sample> Border<S> {
    /// One without available samples; what stands in their place is grey.
    pub(super) fn new() -> Self {
        Self {
            samples: [S::from_value(S::GREY); 32],
            left: false,
            above: false,
        }
    }

    /// `( a + 2b + c + 2 ) >> 2` around every sample but the ends, which count twice themselves.
    fn smooth<const N: usize>(&self) -> [S; 32] {
        let last = 3 * N;
        let value = |i: usize| self.samples[i].value();
        let mut out = self.samples;
        // To the array's end, whatever `N`: what is of a known length is worked in vectors.
        for (out, around) in out[1..].iter_mut().zip(self.samples.windows(3)) {
            *out = S::from_value((around[0].value() + 2 * around[1].value() + around[2].value() + 2) >> 2);
        }
        out[0] = S::from_value((3 * value(0) + value(1) + 2) >> 2);
        out[last] = S::from_value((value(last - 1) + 3 * value(last) + 2) >> 2);
        out
    }

    /// `( a + b + 1 ) >> 1` of every sample and the next.
    fn midpoints<const N: usize>(&self) -> [S; 32] {
        let mut out = self.samples;
        for (out, pair) in out.iter_mut().zip(self.samples.windows(2)) {
            *out = S::from_value((pair[0].value() + pair[1].value() + 1) >> 1);
        }
        out
    }

    fn left_at<const N: usize>(&self, y: usize) -> S {
        self.samples[N - 1 - y]
    }

    fn row_above<const N: usize>(&self) -> [S; N] {
        from_fn(|x| self.samples[N + 1 + x])
    }

    /// The reference samples of an 8x8 block after filtering (8.3.2.2.1); `corner` tells whether `p[ -1, -1 ]` is available.
    pub(super) fn filtered_8x8(&self, corner: bool) -> Self {
        const N: usize = 8;
        let value = |i: usize| self.samples[i].value();
        let ends = |end: usize, next: usize| S::from_value((3 * value(end) + value(next) + 2) >> 2);
        let mut out = Self {
            samples: self.smooth::<N>(),
            ..*self
        };
        if !corner {
            out.samples[N - 1] = ends(N - 1, N - 2);
            out.samples[N + 1] = ends(N + 1, N + 2);
        }
        out.samples[N] = match (self.left, self.above) {
            (true, true) => out.samples[N],
            (true, false) => ends(N, N - 1),
            (false, true) => ends(N, N + 1),
            (false, false) => self.samples[N],
        };
        out
    }

    /// The mean of what is available.
    fn dc<const N: usize>(&self) -> S {
        let sum = |range: std::ops::Range<usize>| self.samples[range].iter().map(|s| s.value()).sum::<i32>();
        let [left, above] = [sum(0..N), sum(N + 1..2 * N + 1)];
        let n = N as i32;
        S::from_value(match (self.left, self.above) {
            (true, true) => (left + above + n) / (2 * n),
            (true, false) => (left + n / 2) / n,
            (false, true) => (above + n / 2) / n,
            (false, false) => S::GREY,
        })
    }
}

/// Predicts an `N`x`N` luma block: every direction is a walk along the border or one of its two filtered versions.
pub(super) fn predict<S: Sample, const N: usize>(mode: Mode, border: &Border<S>, dst: PlaneMut<'_, S>) {
    let (smooth, middle) = match mode {
        Mode::Vertical | Mode::Horizontal | Mode::Dc => (border.samples, border.samples),
        Mode::DiagonalDownLeft | Mode::DiagonalDownRight => (border.smooth::<N>(), border.samples),
        _ => (border.smooth::<N>(), border.midpoints::<N>()),
    };
    let lines: [[S; N]; N] = match mode {
        Mode::Vertical => [border.row_above::<N>(); N],
        Mode::Horizontal => lines(|_, y| border.left_at::<N>(y)),
        Mode::Dc => [[border.dc::<N>(); N]; N],
        Mode::DiagonalDownLeft => lines(|x, y| smooth[N + 2 + x + y]),
        Mode::DiagonalDownRight => lines(|x, y| smooth[N + x - y]),
        Mode::VerticalRight => lines(|x, y| match (2 * x + 1).checked_sub(y) {
            None => smooth[N + 1 + 2 * x - y],
            Some(_) if y % 2 == 0 => middle[N + x - y / 2],
            Some(_) => smooth[N + x - y / 2],
        }),
        Mode::HorizontalDown => lines(|x, y| match (2 * y + 1).checked_sub(x) {
            None => smooth[N - 1 + x - 2 * y],
            Some(_) if x % 2 == 0 => middle[N - 1 + x / 2 - y],
            Some(_) => smooth[N + x / 2 - y],
        }),
        Mode::VerticalLeft => lines(|x, y| match y % 2 {
            0 => middle[N + 1 + x + y / 2],
            _ => smooth[N + 2 + x + y / 2],
        }),
        Mode::HorizontalUp => lines(|x, y| match (2 * N - 3).checked_sub(x + 2 * y) {
            None => border.left_at::<N>(N - 1),
            Some(0) => smooth[0],
            Some(_) if x % 2 == 0 => middle[N - 2 - y - x / 2],
            Some(_) => smooth[N - 2 - y - x / 2],
        }),
    };
    write(dst, &lines);
}

/// A block from a function of `x` and `y`.
#[inline(always)]
fn lines<S: Sample, const W: usize, const H: usize>(sample: impl Fn(usize, usize) -> S) -> [[S; W]; H] {
    let mut lines = [[S::default(); W]; H];
    for (y, line) in lines.iter_mut().enumerate() {
        for (x, out) in line.iter_mut().enumerate() {
            *out = sample(x, y);
        }
    }
    lines
}

/// Writes a predicted block.
#[inline(always)]
fn write<S: Sample, const W: usize>(dst: PlaneMut<'_, S>, lines: &[[S; W]]) {
    for (row, line) in dst.data.chunks_mut(dst.pitch).zip(lines) {
        row[..W].copy_from_slice(line);
    }
}

/// The samples around a macroblock's luma, or chroma with Cb and Cr alternating in `above`.
#[derive(Clone, Copy, Debug)]
pub(super) struct MbBorder<S, const ROWS: usize, const COMPONENTS: usize> {
    pub(super) left: Option<[[S; COMPONENTS]; ROWS]>,
    /// Which halves of the left column count where each is taken by itself.
    pub(super) left_halves: [bool; 2],
    pub(super) above: Option<[S; 16]>,
    pub(super) corner: [S; COMPONENTS],
}

/// Border of the luma of a macroblock.
pub(super) type LumaBorder<S> = MbBorder<S, 16, 1>;
/// Border of the chroma of a macroblock of `MbHeightC` rows.
pub(super) type ChromaBorder<S, const ROWS: usize> = MbBorder<S, ROWS, 2>;

impl<S: Sample, const ROWS: usize, const COMPONENTS: usize> MbBorder<S, ROWS, COMPONENTS> {
    fn left_at(&self, component: usize, y: usize) -> i32 {
        self.left.map_or(S::GREY, |left| left[y][component].value())
    }

    fn above_at(&self, component: usize, x: usize) -> i32 {
        self.above
            .map_or(S::GREY, |above| above[x * COMPONENTS + component].value())
    }

    fn vertical(&self, dst: PlaneMut<'_, S>) {
        let line = self.above.unwrap_or([S::from_value(S::GREY); 16]);
        write(dst, &[line; ROWS]);
    }

    fn horizontal(&self, dst: PlaneMut<'_, S>) {
        let left = self.left.unwrap_or([[S::from_value(S::GREY); COMPONENTS]; ROWS]);
        let lines: [[S; 16]; ROWS] = lines(|x, y| left[y][x % COMPONENTS]);
        write(dst, &lines);
    }

    /// Plane prediction (8.3.3.4, 8.3.4.4): all forms differ by the factors of the slopes alone, 5 of 64 along 16 samples and
    /// 34 of 64 along 8.
    fn plane(&self, dst: PlaneMut<'_, S>) {
        let columns = const { 16 / COMPONENTS };
        let of_component: [[i32; 3]; COMPONENTS] = from_fn(|component| {
            let corner = self.corner[component].value();
            let (above, left) = (|x| self.above_at(component, x), |y| self.left_at(component, y));
            let a = 16 * (left(ROWS - 1) + above(columns - 1));
            [a, slope(columns, corner, above), slope(ROWS, corner, left)]
        });
        let centre = |length: usize| length as i32 / 2 - 1;
        let lines: [[S; 16]; ROWS] = lines(|i, y| {
            let [a, b, c] = of_component[i % COMPONENTS];
            let [x, y] = [(i / COMPONENTS) as i32 - centre(columns), y as i32 - centre(ROWS)];
            S::clip((a + b * x + c * y + 16) >> 5)
        });
        write(dst, &lines);
    }
}

/// `b` or `c` of plane prediction: how steep `length` samples are.
#[inline(always)]
fn slope(length: usize, corner: i32, sample: impl Fn(usize) -> i32) -> i32 {
    let half = length / 2;
    let mut sum = 0;
    for i in 1..=half {
        let mirrored = (half - 1).checked_sub(i).map_or(corner, &sample);
        sum += i as i32 * (sample(half - 1 + i) - mirrored);
    }
    let factor = if length == 16 { 5 } else { 34 };
    (factor * sum + 32) >> 6
}

/// Predicts the luma of an `Intra_16x16` macroblock; `mode` is `Intra16x16PredMode` (table 8-4).
pub(super) fn predict_16x16<S: Sample>(mode: u8, border: &LumaBorder<S>, dst: PlaneMut<'_, S>) {
    match mode {
        0 => border.vertical(dst),
        1 => border.horizontal(dst),
        2 => {
            let left = border.left.map(|left| left.iter().map(|s| s[0].value()).sum::<i32>());
            let above = border.above.map(|above| above.iter().map(|s| s.value()).sum::<i32>());
            write(dst, &[[S::from_value(mean::<S>(left, above, 4)); 16]; 16]);
        }
        _ => border.plane(dst),
    }
}

/// Predicts the chroma of a macroblock; `mode` is `intra_chroma_pred_mode` (table 8-5).
pub(super) fn predict_chroma<S: Sample, const ROWS: usize>(
    mode: u8,
    border: &ChromaBorder<S, ROWS>,
    dst: PlaneMut<'_, S>,
) {
    match mode {
        0 => chroma_dc(border, dst),
        1 => border.horizontal(dst),
        2 => border.vertical(dst),
        _ => border.plane(dst),
    }
}

/// Every 4x4 block has a mean of its own (8.3.4.1 to 8.3.4.3).
fn chroma_dc<S: Sample, const ROWS: usize>(border: &ChromaBorder<S, ROWS>, dst: PlaneMut<'_, S>) {
    let means: [[[S; 2]; 4]; 2] = from_fn(|component| {
        let above = [0, 4].map(|first| {
            let sum = || (first..first + 4).map(|x| border.above_at(component, x)).sum::<i32>();
            border.above.map(|_| sum())
        });
        let of = |left, above| S::from_value(mean::<S>(left, above, 2));
        from_fn(|row| {
            let sum = || {
                (row * 4..row * 4 + 4)
                    .map(|y| border.left_at(component, y))
                    .sum::<i32>()
            };
            let left = (row * 4 < ROWS && border.left_halves[(row * 8 / ROWS) & 1]).then(sum);
            match row {
                0 => [of(left, above[0]), of(left.filter(|_| above[1].is_none()), above[1])],
                _ => [of(left, above[0].filter(|_| left.is_none())), of(left, above[1])],
            }
        })
    });
    let lines: [[S; 16]; ROWS] = lines(|i, y| means[i % 2][y / 4][i / 8]);
    write(dst, &lines);
}

/// The mean of one or two sums of `1 << log_count` samples each, grey without any.
fn mean<S: Sample>(left: Option<i32>, above: Option<i32>, log_count: u32) -> i32 {
    match (left, above) {
        (Some(left), Some(above)) => (left + above + (1 << log_count)) >> (log_count + 1),
        (Some(sum), None) | (None, Some(sum)) => (sum + (1 << (log_count - 1))) >> log_count,
        (None, None) => S::GREY,
    }
}

#[cfg(test)]
mod tests;
