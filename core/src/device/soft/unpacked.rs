//! Pictures that do not lie in planes of rows: taken apart into planes where they are read, put together when they are
//! decoded. Nothing is kept from one job to the next: what references show is what lies in their memory.

use std::array;

use fourier_soft::picture::{DPB_SIZE, Parity};
use fourier_soft::{FrameMut, FrameRef, PlaneMut, PlaneRef, Sample};

use super::job::{Picture, PictureLayout};
use super::memory::{ReadPlanes, WritePlanes};

/// Samples that may lie in memory otherwise than in planes of rows.
pub(super) trait Rearranged: Sample {
    /// Takes the picture in `memory` apart; `None` if that is too short.
    fn take_apart(layout: PictureLayout, memory: [Option<&[u8]>; 2], unpacked: &mut Unpacked<Self>) -> Option<()>;

    /// Puts it together in `memory`; `None` if that is too short.
    fn put_together(unpacked: &Unpacked<Self>, layout: PictureLayout, memory: [Option<&mut [u8]>; 2]) -> Option<()>;
}

/// Memory for the planes of all pictures of a job, used again for the next one.
#[derive(Debug)]
pub(super) struct UnpackedPictures<S> {
    pub(super) target: Unpacked<S>,
    /// By index of the DPB.
    pub(super) references: [Unpacked<S>; DPB_SIZE],
}

impl<S> Default for UnpackedPictures<S> {
    fn default() -> Self {
        Self {
            target: Unpacked::default(),
            references: array::from_fn(|_| Unpacked::default()),
        }
    }
}

/// The planes of a picture.
#[derive(Debug)]
pub(super) struct Unpacked<S> {
    pub(super) luma: Vec<S>,
    pub(super) chroma: Vec<S>,
    /// Samples from one row to the next, of both planes.
    pub(super) pitch: usize,
}

impl<S> Default for Unpacked<S> {
    fn default() -> Self {
        Self {
            luma: Vec::new(),
            chroma: Vec::new(),
            pitch: 0,
        }
    }
}

impl<S: Rearranged> Unpacked<S> {
    /// Takes apart the picture in `planes`; `None` if the memory is too short.
    pub(super) fn read(&mut self, layout: PictureLayout, planes: &ReadPlanes<'_>) -> Option<()> {
        let memory = planes.each_ref().map(|plane| plane.as_ref().map(|plane| plane.bytes()));
        S::take_apart(layout, memory, self)
    }

    /// The same of a picture that is going to be written.
    pub(super) fn read_target(&mut self, layout: PictureLayout, planes: &WritePlanes<'_>) -> Option<()> {
        let memory = planes.each_ref().map(|plane| plane.as_ref().map(|plane| plane.bytes()));
        S::take_apart(layout, memory, self)
    }

    /// Puts the picture together in `planes`; `None` if the memory is too short.
    pub(super) fn write(&self, layout: PictureLayout, planes: &mut WritePlanes<'_>) -> Option<()> {
        let memory = planes
            .each_mut()
            .map(|plane| plane.as_mut().map(|plane| plane.bytes_mut()));
        S::put_together(self, layout, memory)
    }

    /// The planes to read.
    pub(super) fn frame(&self) -> FrameRef<'_, S> {
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
    pub(super) fn frame_mut(&mut self) -> FrameMut<'_, S> {
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

/// [`FrameMut::fill_field`] of such a picture.
pub(super) fn fill_field<S: Rearranged>(picture: &Picture, missing: Parity) {
    let mut planes = picture.memory.write();
    let mut unpacked = Unpacked::<S>::default();
    if unpacked.read_target(picture.layout, &planes).is_some() {
        unpacked.frame_mut().fill_field(missing);
        // What could be read is long enough to be written.
        let _ = unpacked.write(picture.layout, &mut planes);
    }
}
