//! The zig-zag (frame) scan of scaling lists: what the standard codes them in, where uAPIs want raster order.
//!
//! Of fields too: 8.5.6 assigns lists by the inverse zig-zag scan whatever the picture.

/// Of each coefficient of a 4x4 block in zig-zag order, its place in raster order (figure 6-8).
const ZIG_ZAG_4X4: [u8; 16] = positions::<4, 16>();
/// The same of an 8x8 block.
const ZIG_ZAG_8X8: [u8; 64] = positions::<8, 64>();

/// A 4x4 list in zig-zag order, put into raster order.
pub fn raster_4x4(list: &[u8; 16]) -> [u8; 16] {
    raster(list, &ZIG_ZAG_4X4)
}

/// An 8x8 list in zig-zag order, put into raster order.
pub fn raster_8x8(list: &[u8; 64]) -> [u8; 64] {
    raster(list, &ZIG_ZAG_8X8)
}

/// A 4x4 list in raster order, put into zig-zag order.
pub fn zig_zag_4x4(list: &[u8; 16]) -> [u8; 16] {
    ZIG_ZAG_4X4.map(|position| list[usize::from(position)])
}

/// An 8x8 list in raster order, put into zig-zag order.
pub fn zig_zag_8x8(list: &[u8; 64]) -> [u8; 64] {
    ZIG_ZAG_8X8.map(|position| list[usize::from(position)])
}

fn raster<const N: usize>(list: &[u8; N], scan: &[u8; N]) -> [u8; N] {
    let mut raster = [0; N];
    for (&value, &position) in list.iter().zip(scan) {
        raster[usize::from(position)] = value;
    }
    raster
}

const fn positions<const SIDE: usize, const N: usize>() -> [u8; N] {
    let mut scan = [0; N];
    let (mut x, mut y, mut i) = (0, 0, 0);
    while i < N {
        scan[i] = (y * SIDE + x) as u8;
        let up = (x + y) % 2 == 0;
        if up && x + 1 < SIDE && y > 0 {
            (x, y) = (x + 1, y - 1);
        } else if up && x + 1 < SIDE {
            x += 1;
        } else if up {
            y += 1;
        } else if y + 1 < SIDE && x > 0 {
            (x, y) = (x - 1, y + 1);
        } else if y + 1 < SIDE {
            y += 1;
        } else {
            x += 1;
        }
        i += 1;
    }
    scan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_survives_the_way_to_raster_order_and_back() {
        let list_4x4: [u8; 16] = std::array::from_fn(|i| i as u8);
        let list_8x8: [u8; 64] = std::array::from_fn(|i| i as u8);
        assert_eq!(zig_zag_4x4(&raster_4x4(&list_4x4)), list_4x4);
        assert_eq!(zig_zag_8x8(&raster_8x8(&list_8x8)), list_8x8);
    }

    #[test]
    fn the_scan_of_a_4x4_block_is_that_of_figure_6_8() {
        let coded: [u8; 16] = std::array::from_fn(|i| i as u8);
        let raster = [0, 1, 5, 6, 2, 4, 7, 12, 3, 8, 11, 13, 9, 10, 14, 15];
        assert_eq!(raster_4x4(&coded), raster);
    }
}
