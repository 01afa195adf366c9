//! `bS` and thresholds.

use super::*;
use crate::reconstruct::state::NO_PICTURE;

/// A macroblock that is predicted from one picture without motion.
fn still(picture: u8) -> (MbState, MbMotion) {
    let mut state = MbState::ABSENT;
    (state.slice, state.ref_pic[0]) = (0, [picture; 4]);
    (
        state,
        MbMotion {
            ref_idx: [[0; 4], [-1; 4]],
            ..MbMotion::INTRA
        },
    )
}

fn side((state, motion): &(MbState, MbMotion)) -> Side<'_> {
    Side { state, motion }
}

const FRAME: MvLimit = MvLimit(4);

#[test]
fn the_same_motion_makes_no_edge() {
    let (p, q) = (still(1), still(1));
    assert_eq!(outer_strengths(Edge::Vertical, side(&p), side(&q), FRAME), [0; 4]);
}

#[test]
fn another_picture_makes_an_edge() {
    let (p, q) = (still(1), still(2));
    assert_eq!(outer_strengths(Edge::Horizontal, side(&p), side(&q), FRAME), [1; 4]);
}

#[test]
fn four_quarter_samples_make_an_edge_and_three_do_not() {
    let (p, mut q) = (still(1), still(1));
    q.0.horizontal_motion_edges = 0b1110;
    q.1.mv[0][0] = Mv { x: 3, y: -3 };
    q.1.mv[0][4] = Mv { x: -4, y: 0 };
    q.1.mv[0][8] = Mv { x: 0, y: 4 };
    assert_eq!(outer_strengths(Edge::Vertical, side(&p), side(&q), FRAME), [0, 1, 1, 0]);
}

#[test]
fn in_a_field_two_quarter_samples_of_height_make_an_edge() {
    let (p, mut q) = (still(1), still(1));
    q.0.horizontal_motion_edges = 0b1110;
    q.1.mv[0][0] = Mv { x: 3, y: 1 };
    q.1.mv[0][4] = Mv { x: 0, y: -2 };
    assert_eq!(
        outer_strengths(Edge::Vertical, side(&p), side(&q), MvLimit(2)),
        [0, 1, 0, 0]
    );
    assert_eq!(outer_strengths(Edge::Vertical, side(&p), side(&q), FRAME), [0; 4]);
}

#[test]
fn coefficients_on_either_side_make_a_stronger_edge() {
    let (mut p, mut q) = (still(1), still(2));
    p.0.coded_blocks = 1 << 3;
    q.0.coded_blocks = 1 << 12;
    assert_eq!(outer_strengths(Edge::Vertical, side(&p), side(&q), FRAME), [2, 1, 1, 2]);
    q.0.coded_blocks = 1 << 5;
    assert_eq!(inner_strengths(Edge::Vertical, 1, side(&q), false, FRAME), [0, 2, 0, 0]);
    assert_eq!(
        inner_strengths(Edge::Horizontal, 2, side(&q), false, FRAME),
        [0, 2, 0, 0]
    );
    assert_eq!(inner_strengths(Edge::Horizontal, 3, side(&q), false, FRAME), [0; 4]);
}

#[test]
fn pictures_count_and_not_lists() {
    let (mut p, mut q) = (still(1), still(NO_PICTURE));
    (q.0.ref_pic[1], q.1.mv[1]) = ([1; 4], [Mv { x: 8, y: 0 }; 16]);
    p.1.mv[0] = [Mv { x: 8, y: 0 }; 16];
    assert!(
        !motion_differs(side(&p), 0, side(&q), 0, FRAME),
        "one from list 0, the other from list 1"
    );
    p.0.ref_pic[1] = [2; 4];
    assert!(
        motion_differs(side(&p), 0, side(&q), 0, FRAME),
        "two vectors against one"
    );
    q.0.ref_pic[0] = [2; 4];
    assert!(
        !motion_differs(side(&p), 0, side(&q), 0, FRAME),
        "the same two pictures, the other way round"
    );
    q.1.mv[0] = [Mv { x: 4, y: 0 }; 16];
    assert!(motion_differs(side(&p), 0, side(&q), 0, FRAME));
}

#[test]
fn two_vectors_into_one_picture_may_be_matched_either_way() {
    let (mut p, mut q) = (still(1), still(1));
    (p.0.ref_pic[1], q.0.ref_pic[1]) = ([1; 4], [1; 4]);
    p.1.mv = [[Mv { x: 20, y: 0 }; 16], [Mv { x: 0, y: 20 }; 16]];
    q.1.mv = [p.1.mv[1], p.1.mv[0]];
    assert!(!motion_differs(side(&p), 0, side(&q), 0, FRAME));
    q.1.mv[0][0] = Mv { x: 0, y: 24 };
    assert!(motion_differs(side(&p), 0, side(&q), 0, FRAME));
}

#[test]
fn weak_quantisation_is_not_filtered() {
    let slice = SliceState {
        disable_deblocking_filter_idc: 0,
        filter_offset_a: 0,
        filter_offset_b: 0,
    };
    let filter = |qp| {
        edge_filter(
            &Thresholds::new::<u8>(qp, &slice),
            &Thresholds::new::<u8>(qp, &slice),
            [1, 2, 3, 0],
        )
    };
    assert_eq!(filter(15), None);
    let at_51 = EdgeFilter {
        alpha: [255; 2],
        beta: [18; 2],
        strength: Strength::Normal([[13; 2], [17; 2], [25; 2], [-1; 2]]),
    };
    assert_eq!(filter(51), Some(at_51));
    let far = SliceState {
        filter_offset_a: 127,
        filter_offset_b: -128,
        ..slice
    };
    assert_eq!(Thresholds::new::<u8>(51, &far).beta, 0);
    assert_eq!(Thresholds::new::<u8>(0, &far).alpha, 255);
}
