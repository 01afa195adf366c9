//! Filtering of the samples on both sides of an edge (8.7.2.3, 8.7.2.4).

use crate::planes::{PlaneMut, Sample};
use crate::simd::{Edge, EdgeFilter, Strength};

pub(crate) fn deblock_luma<S: Sample>(edge: Edge, plane: PlaneMut<'_, S>, at: usize, filter: &EdgeFilter) {
    luma_lines::<S, 16>(edge, plane, at, filter);
}

pub(crate) fn deblock_chroma<S: Sample>(edge: Edge, plane: PlaneMut<'_, S>, at: usize, filter: &EdgeFilter) {
    chroma_lines::<S, 8>(edge, plane, at, filter);
}

/// Filters half of a vertical edge, 8 luma rows: beside one macroblock of a mixed pair of an MBAFF frame.
pub(crate) fn deblock_luma_half<S: Sample>(plane: PlaneMut<'_, S>, at: usize, filter: &EdgeFilter) {
    luma_lines::<S, 8>(Edge::Vertical, plane, at, filter);
}

/// The same of chroma, 4 rows.
pub(crate) fn deblock_chroma_half<S: Sample>(plane: PlaneMut<'_, S>, at: usize, filter: &EdgeFilter) {
    chroma_lines::<S, 4>(Edge::Vertical, plane, at, filter);
}

#[inline(always)]
fn luma_lines<S: Sample, const LINES: usize>(edge: Edge, plane: PlaneMut<'_, S>, at: usize, filter: &EdgeFilter) {
    let (along, across) = match edge {
        Edge::Vertical => (plane.pitch, 1),
        Edge::Horizontal => (1, plane.pitch),
    };
    for i in 0..LINES {
        let q0 = at + i * along;
        let line = Line {
            q0,
            across,
            alpha: filter.alpha[0].into(),
            beta: filter.beta[0].into(),
        };
        match filter.strength {
            Strength::Intra => line.luma_intra(plane.data),
            Strength::Normal(tc0) => line.luma_normal(plane.data, tc0[i * 4 / LINES][0].into()),
        }
    }
}

#[inline(always)]
fn chroma_lines<S: Sample, const LINES: usize>(edge: Edge, plane: PlaneMut<'_, S>, at: usize, filter: &EdgeFilter) {
    let (along, across) = match edge {
        Edge::Vertical => (plane.pitch, 2),
        Edge::Horizontal => (2, plane.pitch),
    };
    for i in 0..LINES * 2 {
        let component = i % 2;
        let q0 = at + i / 2 * along + component;
        let line = Line {
            q0,
            across,
            alpha: filter.alpha[component].into(),
            beta: filter.beta[component].into(),
        };
        match filter.strength {
            Strength::Intra => line.chroma_intra(plane.data),
            Strength::Normal(tc0) => line.chroma_normal(plane.data, tc0[i * 2 / LINES][component].into()),
        }
    }
}

/// One line of samples across an edge.
struct Line {
    q0: usize,
    across: usize,
    alpha: i32,
    beta: i32,
}

impl Line {
    #[inline(always)]
    fn p<S: Sample>(&self, data: &[S], i: usize) -> i32 {
        data[self.q0 - (i + 1) * self.across].value()
    }

    #[inline(always)]
    fn q<S: Sample>(&self, data: &[S], i: usize) -> i32 {
        data[self.q0 + i * self.across].value()
    }

    #[inline(always)]
    fn set_p<S: Sample>(&self, data: &mut [S], i: usize, value: i32) {
        data[self.q0 - (i + 1) * self.across] = S::from_value(value);
    }

    #[inline(always)]
    fn set_q<S: Sample>(&self, data: &mut [S], i: usize, value: i32) {
        data[self.q0 + i * self.across] = S::from_value(value);
    }

    /// `filterSamplesFlag` without its `bS` part.
    #[inline(always)]
    fn filters<S: Sample>(&self, data: &[S]) -> bool {
        let [p0, q0] = [self.p(data, 0), self.q(data, 0)];
        (p0 - q0).abs() < self.alpha
            && (self.p(data, 1) - p0).abs() < self.beta
            && (self.q(data, 1) - q0).abs() < self.beta
    }

    /// `p0 + delta` and `q0 - delta` (equations 8-475 to 8-477).
    #[inline(always)]
    fn move_middle<S: Sample>(&self, data: &mut [S], tc: i32) {
        let [p0, p1, q0, q1] = [self.p(data, 0), self.p(data, 1), self.q(data, 0), self.q(data, 1)];
        let delta = ((((q0 - p0) << 2) + (p1 - q1) + 4) >> 3).clamp(-tc, tc);
        self.set_p(data, 0, (p0 + delta).clamp(0, S::MAX));
        self.set_q(data, 0, (q0 - delta).clamp(0, S::MAX));
    }

    fn luma_normal<S: Sample>(&self, data: &mut [S], tc0: i32) {
        if tc0 < 0 || !self.filters(data) {
            return;
        }
        let [p0, p1, p2] = std::array::from_fn(|i| self.p(data, i));
        let [q0, q1, q2] = std::array::from_fn(|i| self.q(data, i));
        let middle = (p0 + q0 + 1) >> 1;
        let (p_flat, q_flat) = ((p2 - p0).abs() < self.beta, (q2 - q0).abs() < self.beta);
        self.move_middle(data, tc0 + i32::from(p_flat) + i32::from(q_flat));
        if p_flat {
            self.set_p(data, 1, p1 + ((p2 + middle - (p1 << 1)) >> 1).clamp(-tc0, tc0));
        }
        if q_flat {
            self.set_q(data, 1, q1 + ((q2 + middle - (q1 << 1)) >> 1).clamp(-tc0, tc0));
        }
    }

    fn luma_intra<S: Sample>(&self, data: &mut [S]) {
        if !self.filters(data) {
            return;
        }
        let [p0, p1, p2, p3] = std::array::from_fn(|i| self.p(data, i));
        let [q0, q1, q2, q3] = std::array::from_fn(|i| self.q(data, i));
        let close = (p0 - q0).abs() < (self.alpha >> 2) + 2;
        if close && (p2 - p0).abs() < self.beta {
            self.set_p(data, 0, (p2 + 2 * p1 + 2 * p0 + 2 * q0 + q1 + 4) >> 3);
            self.set_p(data, 1, (p2 + p1 + p0 + q0 + 2) >> 2);
            self.set_p(data, 2, (2 * p3 + 3 * p2 + p1 + p0 + q0 + 4) >> 3);
        } else {
            self.set_p(data, 0, (2 * p1 + p0 + q1 + 2) >> 2);
        }
        if close && (q2 - q0).abs() < self.beta {
            self.set_q(data, 0, (p1 + 2 * p0 + 2 * q0 + 2 * q1 + q2 + 4) >> 3);
            self.set_q(data, 1, (p0 + q0 + q1 + q2 + 2) >> 2);
            self.set_q(data, 2, (2 * q3 + 3 * q2 + q1 + q0 + p0 + 4) >> 3);
        } else {
            self.set_q(data, 0, (2 * q1 + q0 + p1 + 2) >> 2);
        }
    }

    fn chroma_normal<S: Sample>(&self, data: &mut [S], tc0: i32) {
        if tc0 >= 0 && self.filters(data) {
            self.move_middle(data, tc0 + 1);
        }
    }

    fn chroma_intra<S: Sample>(&self, data: &mut [S]) {
        if !self.filters(data) {
            return;
        }
        let [p0, p1, q0, q1] = [self.p(data, 0), self.p(data, 1), self.q(data, 0), self.q(data, 1)];
        self.set_p(data, 0, (2 * p1 + p0 + q1 + 2) >> 2);
        self.set_q(data, 0, (2 * q1 + q0 + p1 + 2) >> 2);
    }
}
