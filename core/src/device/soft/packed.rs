//! Pictures of 10 bits that do not lie in planes of words: luma and chroma in turns (Y210), samples without gaps (NV15).

use bytemuck::{try_cast_slice, try_cast_slice_mut};
use fourier_soft::{Sample as _, Sample10};

use super::job::{PictureLayout, SampleKind};
use super::unpacked::{Rearranged, Unpacked};
use crate::memory::dense;

impl Rearranged for Sample10 {
    fn take_apart(layout: PictureLayout, memory: [Option<&[u8]>; 2], unpacked: &mut Unpacked<Self>) -> Option<()> {
        match layout.kind {
            SampleKind::Packed => take_turns_apart(layout, memory[0]?, unpacked),
            SampleKind::Dense => loosen(layout, memory[0]?, unpacked),
            SampleKind::Byte | SampleKind::Word | SampleKind::Tiled { .. } => None,
        }
    }

    fn put_together(unpacked: &Unpacked<Self>, layout: PictureLayout, memory: [Option<&mut [u8]>; 2]) -> Option<()> {
        let [memory, _] = memory;
        match layout.kind {
            SampleKind::Packed => put_in_turns(unpacked, layout, memory?),
            SampleKind::Dense => tighten(unpacked, layout, memory?),
            SampleKind::Byte | SampleKind::Word | SampleKind::Tiled { .. } => None,
        }
    }
}

fn take_turns_apart(layout: PictureLayout, memory: &[u8], unpacked: &mut Unpacked<Sample10>) -> Option<()> {
    let words: &[Sample10] = try_cast_slice(memory.get(..layout.luma())?).ok()?;
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

fn put_in_turns(unpacked: &Unpacked<Sample10>, layout: PictureLayout, memory: &mut [u8]) -> Option<()> {
    let words: &mut [Sample10] = try_cast_slice_mut(memory.get_mut(..layout.luma())?).ok()?;
    let samples = unpacked.luma.iter().zip(&unpacked.chroma);
    for ([luma, chroma], from) in words.as_chunks_mut().0.iter_mut().zip(samples) {
        (*luma, *chroma) = (*from.0, *from.1);
    }
    Some(())
}

fn loosen(layout: PictureLayout, memory: &[u8], unpacked: &mut Unpacked<Sample10>) -> Option<()> {
    let (luma, rest) = memory.split_at_checked(layout.luma())?;
    let chroma = rest.get(..layout.chroma())?;
    unpacked.pitch = layout.pitch * 8 / 10;
    for (plane, samples) in [(luma, &mut unpacked.luma), (chroma, &mut unpacked.chroma)] {
        samples.clear();
        for row in plane.chunks_exact(layout.pitch) {
            let row = (0..unpacked.pitch).map(|n| dense::sample(row, n).unwrap_or_default());
            samples.extend(row.map(|value| Sample10::from_value(value.into())));
        }
    }
    Some(())
}

fn tighten(unpacked: &Unpacked<Sample10>, layout: PictureLayout, memory: &mut [u8]) -> Option<()> {
    let (luma, rest) = memory.split_at_mut_checked(layout.luma())?;
    let chroma = rest.get_mut(..layout.chroma())?;
    for (plane, samples) in [(luma, &unpacked.luma), (chroma, &unpacked.chroma)] {
        let rows = plane.chunks_exact_mut(layout.pitch);
        for (row, samples) in rows.zip(samples.chunks_exact(unpacked.pitch)) {
            for (n, sample) in samples.iter().enumerate() {
                dense::put_sample(row, n, sample.value() as u16)?;
            }
        }
    }
    Some(())
}
