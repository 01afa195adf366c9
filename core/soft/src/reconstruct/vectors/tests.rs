//! Prediction from neighbours that are there, elsewhere or not at all.

use super::*;

fn mv(x: i16, y: i16) -> Mv {
    Mv { x, y }
}

fn neighbour(ref_idx: i8, x: i16, y: i16) -> Neighbour {
    Neighbour { ref_idx, mv: mv(x, y) }
}

const NONE: Neighbour = Neighbour {
    ref_idx: UNAVAILABLE,
    mv: Mv { x: 0, y: 0 },
};

/// A grid whose neighbours all refer to index 0: (1, 0) on the left, (2, 0) above, (3, 0) above right, (4, 0) in the corner.
fn grid() -> Grid {
    let mut grid = Grid {
        ref_idx: [UNAVAILABLE; 30],
        mv: [Mv::default(); 30],
        diagonal: None,
    };
    let mut set = |place: usize, x: i16| (grid.ref_idx[place], grid.mv[place]) = (0, mv(x, 0));
    (1..5).for_each(|y| set(y * Grid::PITCH, 1));
    (1..5).for_each(|x| set(x, 2));
    set(5, 3);
    set(0, 4);
    grid
}

#[test]
fn the_median_is_taken_by_component() {
    let neighbours = [neighbour(0, 1, 9), neighbour(0, 5, -4), neighbour(0, 3, 2)];
    assert_eq!(median(neighbours, 0), mv(3, 2));
}

#[test]
fn the_only_neighbour_with_the_same_reference_wins() {
    let neighbours = [neighbour(1, 1, 1), neighbour(0, 5, 5), neighbour(UNUSED, 0, 0)];
    assert_eq!(median(neighbours, 1), mv(1, 1));
    assert_eq!(median(neighbours, 0), mv(5, 5));
    assert_eq!(
        median(neighbours, 2),
        mv(1, 1),
        "median of all, an unused one counting as zero"
    );
}

#[test]
fn the_left_neighbour_stands_alone_if_nothing_is_above() {
    assert_eq!(median([neighbour(3, 7, 8), NONE, NONE], 0), mv(7, 8));
    assert_eq!(median([NONE, NONE, NONE], 0), mv(0, 0));
    assert_eq!(median([NONE, neighbour(1, 6, 6), NONE], 0), mv(0, 0));
}

#[test]
fn the_corner_stands_in_for_what_comes_later() {
    let grid = grid();
    let c_of = |area: Area| grid.neighbours(area)[2].mv.x;
    assert_eq!(c_of(Area::WHOLE), 3);
    assert_eq!(c_of(Area::quarter(0)), 2);
    assert_eq!(c_of(Area::quarter(1)), 3);
    assert_eq!(
        c_of(Area {
            x: 0,
            y: 2,
            width: 4,
            height: 2
        }),
        1,
        "the lower half looks to its upper left"
    );
}

#[test]
fn parts_see_those_before_them() {
    let mut grid = grid();
    grid.fill(Area::quarter(0), 0, mv(50, 0));
    assert_eq!(grid.neighbours(Area::quarter(1))[0].mv, mv(50, 0));
    assert_eq!(grid.neighbours(Area::quarter(2))[1].mv, mv(50, 0));
    let (vectors, ref_idx) = grid.inside();
    assert_eq!([vectors[0], vectors[5], vectors[2]], [mv(50, 0), mv(50, 0), mv(0, 0)]);
    assert_eq!(ref_idx[0], 0);
}

#[test]
fn halves_prefer_one_neighbour() {
    let mut grid = grid();
    let upper = Area {
        x: 0,
        y: 0,
        width: 4,
        height: 2,
    };
    assert_eq!(grid.predict(upper, 0, Preferred::B), mv(2, 0));
    assert_eq!(grid.predict(upper, 0, Preferred::A), mv(1, 0));
    let right = Area {
        x: 2,
        y: 0,
        width: 2,
        height: 4,
    };
    assert_eq!(grid.predict(right, 0, Preferred::C), mv(3, 0));
    grid.ref_idx[5] = 1;
    grid.fill(
        Area {
            x: 0,
            y: 0,
            width: 2,
            height: 4,
        },
        0,
        mv(9, 0),
    );
    assert_eq!(grid.predict(right, 0, Preferred::C), mv(3, 0), "median of 9, 2 and 3");
}

#[test]
fn differences_wrap_and_may_run_out() {
    let mvds = [mv(i16::MAX, -1)];
    let mut mvds = Mvds(&mvds);
    assert_eq!(mvds.add_to(mv(1, 0)), mv(i16::MIN, -1));
    assert_eq!(mvds.add_to(mv(4, 5)), mv(4, 5));
}
