//! What stands in for macroblocks that no slice delivered.

use super::picture::{MbPlace, Picture, SliceContext};
use super::references::current_order_cnt;
use super::state::MbState;
use crate::motion::MbMotion;
use crate::planes::{FrameRef, PlaneMut, PlaneRef, Sample};

/// The picture to copy from: the first of the slice that comes after the gap, else the nearest in time.
pub(super) fn source<'a, S: Sample>(
    picture: &Picture<'a, S>,
    slice: Option<&SliceContext<'_>>,
) -> Option<FrameRef<'a, S>> {
    let slice = slice.filter(|slice| slice.header.num_ref_idx_active[0] > 0);
    let (params, parity) = (picture.params, picture.params.structure.parity());
    let nearest = || picture.pool.nearest(params, current_order_cnt(params, parity), parity);
    let source = match slice {
        Some(slice) => slice.lists.get(0, 0).picture,
        None => nearest(),
    };
    source.and_then(|source| picture.pool.get(source))
}

impl<'a, S: Sample> Picture<'a, S> {
    /// Conceals the macroblocks before `end`.
    pub(super) fn conceal_until(&mut self, end: usize, source: Option<FrameRef<'a, S>>) {
        while self.state.next_mb < end {
            let mb_addr = self.state.next_mb;
            let MbPlace { x, y, mb_height_c, .. } = self.place(mb_addr, false);
            copy(&mut self.target.luma, source.map(|picture| picture.luma), (x, y), 16);
            copy(
                &mut self.target.chroma,
                source.map(|picture| picture.chroma),
                (x, y / 16 * mb_height_c),
                mb_height_c,
            );
            self.state.macroblocks[mb_addr] = MbState::ABSENT;
            *self.motion.get_mut(mb_addr) = MbMotion::INTRA;
            self.outcome.concealed_macroblocks += 1;
            self.finish_macroblock();
        }
    }
}

/// Copies `rows` rows of 16 samples, or makes them grey.
fn copy<S: Sample>(dst: &mut PlaneMut<'_, S>, src: Option<PlaneRef<'_, S>>, (x, y): (usize, usize), rows: usize) {
    for y in y..y + rows {
        let row = &mut dst.data[y * dst.pitch + x..][..16];
        match src {
            Some(src) => row.copy_from_slice(&src.data[y * src.pitch + x..][..16]),
            None => row.fill(S::from_value(S::GREY)),
        }
    }
}
