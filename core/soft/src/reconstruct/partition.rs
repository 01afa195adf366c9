//! How a macroblock is divided for motion.

use crate::macroblock::SubMbShape;

/// How the motion of a macroblock is divided: in blocks that are each predicted at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Partitioning {
    /// One 16x16.
    Whole,
    /// Two 16x8.
    Rows,
    /// Two 8x16.
    Columns,
    /// Four 8x8, each with its own division.
    Quarters([SubMbShape; 4]),
}

/// A rectangle of 4x4 blocks within a macroblock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
}

impl Area {
    /// The whole macroblock.
    pub(super) const WHOLE: Self = Self {
        x: 0,
        y: 0,
        width: 4,
        height: 4,
    };

    /// One of its 8x8 quarters.
    pub(super) fn quarter(i: usize) -> Self {
        Self {
            x: i % 2 * 2,
            y: i / 2 * 2,
            width: 2,
            height: 2,
        }
    }

    /// The parts of an 8x8 quarter.
    pub(super) fn parts(i: usize, shape: SubMbShape) -> impl Iterator<Item = Self> {
        let (columns, rows) = match shape {
            SubMbShape::S8x8 => (1, 1),
            SubMbShape::S8x4 => (1, 2),
            SubMbShape::S4x8 => (2, 1),
            SubMbShape::S4x4 => (2, 2),
        };
        let (width, height) = (2 / columns, 2 / rows);
        let Self { x, y, .. } = Self::quarter(i);
        (0..columns * rows).map(move |part| Self {
            x: x + part % columns * width,
            y: y + part / columns * height,
            width,
            height,
        })
    }
}

impl Partitioning {
    /// Goes through its blocks in decoding order.
    #[inline(always)]
    pub(super) fn for_each_area(self, mut work: impl FnMut(Area)) {
        let whole = Area::WHOLE;
        match self {
            Self::Whole => work(whole),
            Self::Rows => [0, 2].into_iter().for_each(|y| work(Area { y, height: 2, ..whole })),
            Self::Columns => [0, 2].into_iter().for_each(|x| work(Area { x, width: 2, ..whole })),
            Self::Quarters(shapes) => {
                for (i, shape) in shapes.into_iter().enumerate() {
                    Area::parts(i, shape).for_each(&mut work);
                }
            }
        }
    }

    /// Between which columns and which rows of 4x4 blocks motion can change, as bits 1 to 3.
    pub(super) fn motion_edges(self) -> (u8, u8) {
        match self {
            Self::Whole => (0, 0),
            Self::Rows => (0, 0b0100),
            Self::Columns => (0b0100, 0),
            Self::Quarters(shapes) => shapes
                .into_iter()
                .fold((0b0100, 0b0100), |(vertical, horizontal), shape| {
                    let (columns, rows) = match shape {
                        SubMbShape::S8x8 => (false, false),
                        SubMbShape::S8x4 => (false, true),
                        SubMbShape::S4x8 => (true, false),
                        SubMbShape::S4x4 => (true, true),
                    };
                    (
                        vertical | if columns { 0b1010 } else { 0 },
                        horizontal | if rows { 0b1010 } else { 0 },
                    )
                }),
        }
    }
}
