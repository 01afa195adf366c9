//! Tiled planes for the CPU: rows of samples out of tiles, and back.
//!
//! In all of these a plane is cut into tiles of so many bytes by so many rows; each tile lies in memory row by row, and the
//! tiles follow one another from left to right and from top to bottom (V4L2's "Tiled NV12").

use std::iter;
use std::ops::Range;

/// `DRM_FORMAT_MOD_LINEAR`.
pub const MODIFIER_LINEAR: u64 = 0;
/// `DRM_FORMAT_MOD_VIVANTE_TILED`: tiles of 4x4.
pub const MODIFIER_VIVANTE_TILED: u64 = modifier(0x06, 1);
/// `DRM_FORMAT_MOD_ALLWINNER_TILED`: tiles of 32x32.
pub const MODIFIER_ALLWINNER_TILED: u64 = modifier(0x09, 1);
/// `DRM_FORMAT_MOD_MTK_16L_32S_TILE`: luma tiles of 16x32, chroma tiles of 16x16.
pub const MODIFIER_MTK_16L_32S_TILE: u64 = modifier(0x0b, 1);

/// `fourcc_mod_code()` of `drm_fourcc.h`.
const fn modifier(vendor: u64, value: u64) -> u64 {
    vendor << 56 | value
}

/// How one colour plane is cut up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tiling {
    /// Not at all: row follows row.
    Linear,
    /// Into tiles.
    Tiles {
        /// Bytes of a row of a tile.
        width: usize,
        /// Rows of a tile.
        height: usize,
    },
}

impl Tiling {
    /// The tiling of a plane of an 8-bit 4:2:0 picture with that modifier, luma being plane 0; `None` if it is unknown.
    pub fn of(modifier: u64, plane: usize) -> Option<Self> {
        let (width, height) = match (modifier, plane) {
            (MODIFIER_LINEAR, _) => return Some(Self::Linear),
            (MODIFIER_VIVANTE_TILED, _) => (4, 4),
            (MODIFIER_ALLWINNER_TILED, _) => (32, 32),
            (MODIFIER_MTK_16L_32S_TILE, 0) => (16, 32),
            (MODIFIER_MTK_16L_32S_TILE, _) => (16, 16),
            _ => return None,
        };
        Some(Self::Tiles { width, height })
    }

    /// Copies `out.len()` bytes of row `y` of `plane`, from its byte `x` on. `pitch` is V4L2's `bytesperline`, what a row
    /// takes all over the plane.
    ///
    /// `None` if the plane is too short or the row has no such bytes; `out` may be partly written then.
    pub fn copy_row(self, plane: &[u8], pitch: usize, at: (usize, usize), out: &mut [u8]) -> Option<()> {
        let mut rest = out;
        for piece in self.pieces(pitch, at, rest.len())? {
            let (out, later) = rest.split_at_mut(piece.len());
            out.copy_from_slice(plane.get(piece)?);
            rest = later;
        }
        Some(())
    }

    /// The way back: writes `row` to row `y` of `plane`, from its byte `x` on.
    ///
    /// `None` as for [`Self::copy_row`]; the plane may be partly written then.
    pub fn write_row(self, plane: &mut [u8], pitch: usize, at: (usize, usize), row: &[u8]) -> Option<()> {
        let mut rest = row;
        for piece in self.pieces(pitch, at, rest.len())? {
            let (row, later) = rest.split_at(piece.len());
            plane.get_mut(piece)?.copy_from_slice(row);
            rest = later;
        }
        Some(())
    }

    /// Where `length` bytes of row `y` lie, from its byte `x` on, piece after piece; `None` beyond the end of the row.
    fn pieces(self, pitch: usize, (x, y): (usize, usize), length: usize) -> Option<impl Iterator<Item = Range<usize>>> {
        let end = x.checked_add(length).filter(|&end| end <= pitch)?;
        let (width, height) = match self {
            Self::Linear => (pitch, 1),
            Self::Tiles { width, height } => (width, height),
        };
        let row_of_tiles = pitch.checked_mul(height)?;
        let start = (y / height).checked_mul(row_of_tiles)?;
        start.checked_add(row_of_tiles)?;
        let mut x = x;
        Some(iter::from_fn(move || {
            if x == end {
                return None;
            }
            let from = start + x / width * width * height + y % height * width + x % width;
            let length = (width - x % width).min(end - x);
            x += length;
            Some(from..from + length)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [u64; 3] = [
        MODIFIER_VIVANTE_TILED,
        MODIFIER_ALLWINNER_TILED,
        MODIFIER_MTK_16L_32S_TILE,
    ];

    /// Cuts rows into tiles, tile after tile.
    fn tile(rows: &[u8], pitch: usize, width: usize, height: usize) -> Vec<u8> {
        let mut tiled = Vec::new();
        for top in (0..rows.len() / pitch).step_by(height) {
            for left in (0..pitch).step_by(width) {
                for y in top..top + height {
                    tiled.extend(&rows[y * pitch + left..][..width]);
                }
            }
        }
        tiled
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn what_is_tiled_comes_back_bit_exact_from_every_rectangle() {
        let (pitch, height) = (96, 64);
        for modifier in ALL {
            for plane in [0, 1] {
                let rows = noise(pitch * height);
                let Some(Tiling::Tiles { width, height: of_tile }) = Tiling::of(modifier, plane) else {
                    panic!("{modifier:#x} is no tiling");
                };
                let tiled = tile(&rows, pitch, width, of_tile);
                assert_ne!(tiled, rows);
                for (x, length) in [(0, 96), (0, 1), (3, 90), (31, 2), (95, 1), (16, 48), (5, 0)] {
                    for y in 0..height {
                        let mut out = vec![0; length];
                        let tiling = Tiling::of(modifier, plane).unwrap();
                        tiling.copy_row(&tiled, pitch, (x, y), &mut out).unwrap();
                        assert_eq!(
                            out,
                            rows[y * pitch + x..][..length],
                            "{modifier:#x}, plane {plane}, {x}, {y}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn rows_written_into_tiles_make_the_same_plane() {
        let (pitch, height) = (96, 64);
        let rows = noise(pitch * height);
        for modifier in ALL.into_iter().chain([MODIFIER_LINEAR]) {
            for plane in [0, 1] {
                let tiling = Tiling::of(modifier, plane).unwrap();
                let expected = match tiling {
                    Tiling::Linear => rows.clone(),
                    Tiling::Tiles { width, height } => tile(&rows, pitch, width, height),
                };
                let mut tiled = vec![0; rows.len()];
                for (y, row) in rows.chunks(pitch).enumerate() {
                    let (left, right) = row.split_at(37);
                    tiling.write_row(&mut tiled, pitch, (37, y), right).unwrap();
                    tiling.write_row(&mut tiled, pitch, (0, y), left).unwrap();
                }
                assert_eq!(tiled, expected, "{modifier:#x}, plane {plane}");
                assert_eq!(tiling.write_row(&mut tiled, pitch, (96, 0), &[0]), None);
                assert_eq!(tiling.write_row(&mut tiled, pitch, (0, 64), &[0]), None);
            }
        }
    }

    #[test]
    fn a_tile_lies_in_one_piece() {
        // Two tiles of 4x4 next to each other.
        let tiled: Vec<u8> = (0..32).collect();
        let mut row = [0; 8];
        let tiling = Tiling::of(MODIFIER_VIVANTE_TILED, 0).unwrap();
        tiling.copy_row(&tiled, 8, (0, 1), &mut row).unwrap();
        assert_eq!(row, [4, 5, 6, 7, 20, 21, 22, 23]);
        // The rows of chroma tiles of MM21 are half as many as those of luma.
        let mut byte = [0];
        let tiled = noise(32 * 32);
        for (plane, at) in [(0, 16 * 16), (1, 32 * 16)] {
            let tiling = Tiling::of(MODIFIER_MTK_16L_32S_TILE, plane).unwrap();
            tiling.copy_row(&tiled, 32, (0, 16), &mut byte).unwrap();
            assert_eq!(byte[0], tiled[at], "plane {plane}");
        }
    }

    #[test]
    fn what_lies_outside_is_refused() {
        let plane = [0; 32 * 64];
        for modifier in ALL.into_iter().chain([MODIFIER_LINEAR]) {
            let tiling = Tiling::of(modifier, 0).unwrap();
            for (x, y, length) in [
                (0, 64, 1),
                (31, 0, 2),
                (32, 0, 1),
                (usize::MAX, 0, 1),
                (0, usize::MAX, 1),
            ] {
                assert_eq!(
                    tiling.copy_row(&plane, 32, (x, y), &mut vec![0; length]),
                    None,
                    "{tiling:?} {x} {y}"
                );
            }
        }
        assert_eq!(Tiling::of(0x0100_0000_0000_0001, 0), None);
    }
}
