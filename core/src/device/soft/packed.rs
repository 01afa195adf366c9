//! Pictures whose luma and chroma lie in turns: Y210.

use bytemuck::{try_cast_slice, try_cast_slice_mut};
use fourier_soft::Sample10;

use super::job::PictureLayout;
use super::unpacked::{Rearranged, Unpacked};

impl Rearranged for Sample10 {
    fn take_apart(layout: PictureLayout, memory: [Option<&[u8]>; 2], unpacked: &mut Unpacked<Self>) -> Option<()> {
        let words: &[Self] = try_cast_slice(memory[0]?.get(..layout.pitch * layout.height)?).ok()?;
        unpacked.pitch = layout.pitch / 4;
        unpacked.luma.clear();
        unpacked.chroma.clear();
        // Y, Cb, Y, Cr: what is left without Y are the pairs of a chroma plane.
        for [luma, chroma] in words.as_chunks().0 {
            unpacked.luma.push(*luma);
            unpacked.chroma.push(*chroma);
        }
        Some(())
    }

    fn put_together(unpacked: &Unpacked<Self>, layout: PictureLayout, memory: [Option<&mut [u8]>; 2]) -> Option<()> {
        let [memory, _] = memory;
        let words: &mut [Self] = try_cast_slice_mut(memory?.get_mut(..layout.pitch * layout.height)?).ok()?;
        let samples = unpacked.luma.iter().zip(&unpacked.chroma);
        for ([luma, chroma], from) in words.as_chunks_mut().0.iter_mut().zip(samples) {
            (*luma, *chroma) = (*from.0, *from.1);
        }
        Some(())
    }
}
