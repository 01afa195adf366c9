//! Pictures whose luma and chroma lie in turns (Y210): taken apart into planes where they are read, put together when
//! they are decoded. Nothing is kept from one job to the next: what references show is what lies in their memory.

use bytemuck::{try_cast_slice, try_cast_slice_mut};
use fourier_soft::picture::{DPB_SIZE, Parity};
use fourier_soft::{FrameMut, FrameRef, PlaneMut, PlaneRef, Sample10};

use super::job::{Picture, PictureLayout};
use super::memory::{ReadPlanes, WritePlanes};

/// Memory for the planes of all pictures of a job, used again for the next one.
#[derive(Debug, Default)]
pub(super) struct UnpackedPictures {
    pub(super) target: Unpacked,
    /// By index of the DPB.
    pub(super) references: [Unpacked; DPB_SIZE],
}

/// The planes of a picture.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    luma: Vec<Sample10>,
    chroma: Vec<Sample10>,
    pitch: usize,
}

impl Unpacked {
    /// Takes apart the picture in `planes`; `None` if the memory is too short.
    pub(super) fn read(&mut self, layout: PictureLayout, planes: &ReadPlanes<'_>) -> Option<()> {
        self.take_apart(layout, planes[0].as_ref()?.bytes())
    }

    /// The same of a picture that is going to be written.
    pub(super) fn read_target(&mut self, layout: PictureLayout, planes: &WritePlanes<'_>) -> Option<()> {
        self.take_apart(layout, planes[0].as_ref()?.bytes())
    }

    fn take_apart(&mut self, layout: PictureLayout, bytes: &[u8]) -> Option<()> {
        let words: &[Sample10] = try_cast_slice(bytes.get(..layout.pitch * layout.height)?).ok()?;
        self.pitch = layout.pitch / 4;
        self.luma.clear();
        self.chroma.clear();
        // Y, Cb, Y, Cr: what is left without Y are the pairs of a chroma plane.
        for [luma, chroma] in words.as_chunks().0 {
            self.luma.push(*luma);
            self.chroma.push(*chroma);
        }
        Some(())
    }

    /// Puts the picture together in `planes`; `None` if the memory is too short.
    pub(super) fn write(&self, layout: PictureLayout, planes: &mut WritePlanes<'_>) -> Option<()> {
        let words = words_mut(layout, planes)?;
        for ([luma, chroma], from) in words
            .as_chunks_mut()
            .0
            .iter_mut()
            .zip(self.luma.iter().zip(&self.chroma))
        {
            (*luma, *chroma) = (*from.0, *from.1);
        }
        Some(())
    }

    /// The planes to read.
    pub(super) fn frame(&self) -> FrameRef<'_, Sample10> {
        let pitch = self.pitch;
        FrameRef {
            luma: PlaneRef {
                data: &self.luma,
                pitch,
            },
            chroma: PlaneRef {
                data: &self.chroma,
                pitch,
            },
        }
    }

    /// The planes to write.
    pub(super) fn frame_mut(&mut self) -> FrameMut<'_, Sample10> {
        let pitch = self.pitch;
        FrameMut {
            luma: PlaneMut {
                data: &mut self.luma,
                pitch,
            },
            chroma: PlaneMut {
                data: &mut self.chroma,
                pitch,
            },
        }
    }
}

fn words_mut<'a>(layout: PictureLayout, planes: &'a mut WritePlanes<'_>) -> Option<&'a mut [Sample10]> {
    let bytes = planes[0]
        .as_mut()?
        .bytes_mut()
        .get_mut(..layout.pitch * layout.height)?;
    try_cast_slice_mut(bytes).ok()
}

/// [`FrameMut::fill_field`] of a packed picture.
pub(super) fn fill_field(picture: &Picture, missing: Parity) {
    let layout = picture.layout;
    if let Some(data) = words_mut(layout, &mut picture.memory.write()) {
        // Its rows are those of a single plane.
        let mut frame = FrameMut {
            luma: PlaneMut {
                data,
                pitch: layout.pitch / 2,
            },
            chroma: PlaneMut {
                data: &mut [],
                pitch: 1,
            },
        };
        frame.fill_field(missing);
    }
}
