//! One job: what a request asks for, resolved to memory, on its way through the stages.

use std::sync::{Arc, RwLock};

use bytemuck::{try_cast_slice, try_cast_slice_mut};
use fourier_soft::picture::{ChromaFormat, DPB_SIZE};
use fourier_soft::{Controls, FrameMut, FrameRef, MotionField, ParsedPicture, PlaneMut, PlaneRef, Sample};

use crate::device::RequestId;
use crate::device::format::{self, Chroma};
use crate::memory::{Format, Tiling};
use crate::units::BufferIndex;

use super::memory::{BufferMemory, ReadPlanes, WritePlanes};

/// What goes through the stages, in order.
#[derive(Debug)]
pub(super) enum Step {
    /// Decode the slices of a request.
    Decode(Job),
    /// Give back a held CAPTURE buffer: nothing more is decoded into it.
    Release(BufferIndex),
}

/// A request that is being decoded.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) request: RequestId,
    pub(super) output: BufferIndex,
    pub(super) bitstream: Arc<BufferMemory>,
    pub(super) bytes_used: usize,
    pub(super) capture: BufferIndex,
    pub(super) target: Picture,
    /// Earlier jobs decoded into the same CAPTURE buffer, for the same timestamp.
    pub(super) continues: bool,
    /// The CAPTURE buffer stays with the device after this job.
    pub(super) hold_capture: bool,
    /// The device cannot hold CAPTURE buffers: whether more of this picture comes shows when its buffer is queued again.
    pub(super) may_be_continued: bool,
    pub(super) arena: Box<Arena>,
}

/// The large parts of a job, used again for later ones.
#[derive(Debug, Default)]
pub(super) struct Arena {
    /// The values that hold for this job.
    pub(super) controls: Controls,
    /// What the entropy stage read.
    pub(super) parsed: ParsedPicture,
    /// The entropy stage could not read at all.
    pub(super) failed: bool,
    /// By index of `decode_params.dpb`.
    pub(super) references: [Option<ReferencePicture>; DPB_SIZE],
}

/// What a DPB entry names.
#[derive(Clone, Debug)]
pub(super) enum ReferencePicture {
    /// The CAPTURE buffer that is decoded into (its first field).
    Target,
    /// Another CAPTURE buffer.
    Other(Picture),
}

/// The picture in a CAPTURE buffer.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) memory: Arc<BufferMemory>,
    pub(super) motion: Arc<RwLock<MotionField>>,
    pub(super) layout: PictureLayout,
}

/// What the samples of a picture are in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SampleKind {
    /// 8 bits in a byte: NV12, NV16.
    Byte,
    /// 10 bits in 16: P010.
    Word,
    /// 10 bits in 16, luma and chroma in turns: Y210.
    Packed,
    /// 10 bits without gaps: NV15.
    Dense,
    /// 8 bits in a byte, the planes cut into tiles.
    Tiled { luma: Tiling, chroma: Tiling },
}

/// Where the samples of a picture lie: a luma plane and a chroma plane, in one memory plane or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PictureLayout {
    pub(super) kind: SampleKind,
    chroma: Chroma,
    /// Bytes from one row to the next.
    pub(super) pitch: usize,
    pub(super) height: usize,
}

impl PictureLayout {
    pub(super) fn new(capture: &Format) -> Self {
        let pitch = capture.planes.first().map_or(0, |plane| plane.bytes_per_line as usize);
        let info = format::info(capture.pixel_format);
        let (chroma, bits_per_column) = info.map_or((Chroma::HalfRows, 8), |info| (info.chroma, info.bits_per_column));
        let tiling = |plane| info.and_then(|info| Tiling::of(info.modifier, plane));
        Self {
            kind: match (chroma, bits_per_column, tiling(0).zip(tiling(1))) {
                (Chroma::Packed, _, _) => SampleKind::Packed,
                (_, 8, Some((Tiling::Linear, _)) | None) => SampleKind::Byte,
                (_, 8, Some((luma, chroma))) => SampleKind::Tiled { luma, chroma },
                (_, 10, _) => SampleKind::Dense,
                _ => SampleKind::Word,
            },
            chroma,
            pitch,
            height: capture.size.height as usize,
        }
    }

    /// Whether a picture of that many luma samples, and of that chroma, fits.
    pub(super) fn holds(self, chroma_format: ChromaFormat, width: usize, height: usize) -> bool {
        let bits_per_column = match self.kind {
            SampleKind::Byte | SampleKind::Tiled { .. } => 8,
            SampleKind::Dense => 10,
            SampleKind::Word => 16,
            SampleKind::Packed => 32,
        };
        (chroma_format != ChromaFormat::Yuv422) == self.chroma.is_420()
            && (width * bits_per_column).div_ceil(8) <= self.pitch
            && height <= self.height
    }

    /// Bytes of the luma plane.
    pub(super) fn luma(self) -> usize {
        self.pitch * self.height
    }

    /// Bytes of the chroma plane.
    pub(super) fn chroma(self) -> usize {
        match self.chroma {
            Chroma::Packed => 0,
            Chroma::HalfRows | Chroma::Planar => self.luma() / 2,
            Chroma::FullRows => self.luma(),
        }
    }

    /// The colour planes of a picture to read, of samples of its kind; `None` if the memory is too short.
    pub(super) fn frame<'a, S: Sample>(self, planes: &'a ReadPlanes<'_>) -> Option<FrameRef<'a, S>> {
        let first = planes[0].as_ref()?.bytes();
        let chroma = match &planes[1] {
            Some(second) => second.bytes(),
            None => first.get(self.luma()..)?,
        };
        let plane = |data: &'a [u8], length| {
            Some(PlaneRef {
                data: try_cast_slice(data.get(..length)?).ok()?,
                pitch: self.pitch / size_of::<S>(),
            })
        };
        Some(FrameRef {
            luma: plane(first, self.luma())?,
            chroma: plane(chroma, self.chroma())?,
        })
    }

    /// The colour planes of a picture to write, of samples of its kind; `None` if the memory is too short.
    pub(super) fn frame_mut<'a, S: Sample>(self, planes: &'a mut WritePlanes<'_>) -> Option<FrameMut<'a, S>> {
        let [first, second] = planes;
        let (luma, rest) = first.as_mut()?.bytes_mut().split_at_mut_checked(self.luma())?;
        let chroma = match second {
            Some(second) => second.bytes_mut(),
            None => rest,
        };
        let chroma = chroma.get_mut(..self.chroma())?;
        let pitch = self.pitch / size_of::<S>();
        Some(FrameMut {
            luma: PlaneMut {
                data: try_cast_slice_mut(luma).ok()?,
                pitch,
            },
            chroma: PlaneMut {
                data: try_cast_slice_mut(chroma).ok()?,
                pitch,
            },
        })
    }
}
