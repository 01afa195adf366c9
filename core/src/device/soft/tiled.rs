//! Pictures in tiles: NV12 of Vivante, Allwinner and MediaTek.

use super::job::{PictureLayout, SampleKind};
use super::unpacked::{Rearranged, Unpacked};

impl Rearranged for u8 {
    fn take_apart(layout: PictureLayout, memory: [Option<&[u8]>; 2], unpacked: &mut Unpacked<Self>) -> Option<()> {
        let SampleKind::Tiled { luma, chroma } = layout.kind else {
            return None;
        };
        let [first, second] = memory;
        let first = first?;
        let planes = [
            (luma, first, layout.height, &mut unpacked.luma),
            (
                chroma,
                second.or_else(|| first.get(layout.luma()..))?,
                layout.height / 2,
                &mut unpacked.chroma,
            ),
        ];
        for (tiling, memory, rows, plane) in planes {
            plane.resize(layout.pitch * rows, 0);
            for (y, row) in plane.chunks_exact_mut(layout.pitch).enumerate() {
                tiling.copy_row(memory, layout.pitch, (0, y), row)?;
            }
        }
        unpacked.pitch = layout.pitch;
        Some(())
    }

    fn put_together(unpacked: &Unpacked<Self>, layout: PictureLayout, memory: [Option<&mut [u8]>; 2]) -> Option<()> {
        let SampleKind::Tiled { luma, chroma } = layout.kind else {
            return None;
        };
        let [first, second] = memory;
        let (of_luma, rest) = first?.split_at_mut_checked(layout.luma())?;
        let planes = [
            (luma, of_luma, &unpacked.luma),
            (chroma, second.unwrap_or(rest), &unpacked.chroma),
        ];
        for (tiling, memory, plane) in planes {
            for (y, row) in plane.chunks_exact(layout.pitch).enumerate() {
                tiling.write_row(memory, layout.pitch, (0, y), row)?;
            }
        }
        Some(())
    }
}
