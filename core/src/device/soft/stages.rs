//! The two stages of a job: entropy decoding and reconstruction, on one thread or two.

use std::sync::{PoisonError, RwLockReadGuard};

use fourier_soft::picture::{DPB_SIZE, Parity, PictureParams, Structure};
use fourier_soft::{
    DecodeMode, EntropyDecoder, MotionField, Outcome, PicturePart, Reconstructor, Reference, References, Sample,
    Sample10,
};

use crate::sys::SyncPhase;
use crate::units::BufferIndex;

use super::context::FinishedJob;
use super::job::{Arena, Job, Picture, ReferencePicture, SampleKind, Step};
use super::memory::ReadPlanes;
use super::unpacked::{self, Rearranged, UnpackedPictures};

/// Slice data into syntax elements.
#[derive(Debug, Default)]
pub(super) struct EntropyStage {
    decoder: EntropyDecoder,
}

impl EntropyStage {
    pub(super) fn run(&mut self, step: &mut Step) {
        let Step::Decode(job) = step else { return };
        let planes = job.bitstream.read();
        let bitstream = planes[0]
            .as_ref()
            .and_then(|plane| plane.bytes().get(..job.bytes_used))
            .unwrap_or_default();
        let Arena {
            controls,
            parsed,
            failed,
            ..
        } = &mut *job.arena;
        let result = self.decoder.parse(controls, bitstream, parsed);
        *failed = result.is_err();
        if let Err(error) = result {
            tracing::debug!("OUTPUT {}: {error}", job.output);
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Finished {
    /// A job.
    Job(FinishedJob),
    /// A held CAPTURE buffer was let go of.
    Release {
        /// Which one.
        capture: BufferIndex,
        /// What was missing of its picture was concealed.
        error: bool,
    },
}

/// Syntax elements into samples.
#[derive(Debug, Default)]
pub(super) struct ReconstructionStage {
    reconstructor: Reconstructor<u8>,
    /// Of samples of 10 bits.
    deep: Reconstructor<Sample10>,
    packed: UnpackedPictures<Sample10>,
    tiled: UnpackedPictures<u8>,
    /// The last job of a picture of which more slices may come (slice-based decoding into a held CAPTURE buffer, or one
    /// that may be queued again).
    open: Option<Job>,
    /// Which fields of a held CAPTURE buffer were decoded.
    fields: Option<HeldFields>,
    /// Arenas to be used again.
    pub(super) spare: Vec<Box<Arena>>,
}

impl ReconstructionStage {
    pub(super) fn run(&mut self, step: Step) -> Finished {
        match step {
            Step::Decode(job) => Finished::Job(self.decode(job)),
            Step::Release(capture) => {
                let error = self.close();
                if let Some(held) = self.fields.take_if(|held| held.capture == capture) {
                    held.complete();
                }
                Finished::Release { capture, error }
            }
        }
    }

    fn decode(&mut self, job: Job) -> FinishedJob {
        let part = self.part(&job);
        let mut finished = FinishedJob {
            request: job.request,
            output: job.output,
            capture: job.capture,
            hold_capture: job.hold_capture,
            // A request without a slice decodes nothing.
            error: job.arena.failed || job.arena.parsed.slices.is_empty(),
        };
        if part.first {
            finished.error |= self.close();
        }
        if job.arena.failed {
            self.fields = None;
            if part.last {
                finished.error |= self.close();
            }
            self.spare.push(job.arena);
            return finished;
        }
        finished.error |= self.reconstruct(&job, part);
        self.note_field(&job);
        let before = if part.last {
            self.spare.push(job.arena);
            self.open.take()
        } else {
            self.open.replace(job)
        };
        self.spare.extend(before.map(|job| job.arena));
        finished
    }

    /// Keeps in mind which fields of a CAPTURE buffer there are, as long as it is held.
    fn note_field(&mut self, job: &Job) {
        let params = job.arena.parsed.params.as_ref();
        let before = self.fields.take().filter(|_| job.continues);
        self.fields = match params.map(|params| params.structure) {
            Some(Structure::Field(parity)) if job.hold_capture => Some(HeldFields {
                capture: job.capture,
                picture: job.target.clone(),
                missing: match (&before, parity) {
                    (None, Parity::Top) => Some(Parity::Bottom),
                    (None, Parity::Bottom) => Some(Parity::Top),
                    (Some(before), _) => before.missing.filter(|missing| *missing != parity),
                },
            }),
            _ => None,
        };
    }

    /// Which part of its picture a job holds. A frame-based request holds all of it; slices of one picture share a held
    /// CAPTURE buffer, and so do two fields, each a picture of its own. Without held buffers nobody knows which slice is
    /// the last one.
    fn part(&self, job: &Job) -> PicturePart {
        match job.arena.controls.decode_mode {
            DecodeMode::FrameBased => PicturePart {
                first: true,
                last: true,
            },
            DecodeMode::SliceBased => {
                let structure = |job: &Job| job.arena.parsed.params.as_ref().map(|params| params.structure);
                let continues = self.open.as_ref().is_some_and(|open| structure(open) == structure(job));
                PicturePart {
                    first: !(job.continues && continues),
                    last: !job.hold_capture && !job.may_be_continued,
                }
            }
        }
    }

    /// Ends the picture of which more slices could have come; tells whether anything of it was missing. A buffer that
    /// was given back is the application's and stays as it is.
    fn close(&mut self) -> bool {
        let Some(mut job) = self.open.take() else { return false };
        if job.may_be_continued {
            self.spare.push(job.arena);
            return false;
        }
        let parsed = &mut job.arena.parsed;
        parsed.slices.clear();
        parsed.macroblocks.clear();
        parsed.mvds.clear();
        parsed.coefficients.clear();
        parsed.faults.clear();
        let error = self.reconstruct(
            &job,
            PicturePart {
                first: false,
                last: true,
            },
        );
        self.spare.push(job.arena);
        error
    }

    /// Decodes into the job's target; tells whether anything was wrong or missing.
    fn reconstruct(&mut self, job: &Job, part: PicturePart) -> bool {
        let parsed = &job.arena.parsed;
        if !parsed.params.as_ref().is_some_and(|params| fits(&job.target, params)) {
            tracing::debug!(
                "OUTPUT {}: the picture does not fit CAPTURE {}",
                job.output,
                job.capture
            );
            return true;
        }
        if let Err(error) = job.target.memory.sync(SyncPhase::Start) {
            tracing::warn!("{error}");
        }
        let outcome = match job.target.layout.kind {
            SampleKind::Byte => write(&mut self.reconstructor, job, part),
            SampleKind::Word => write(&mut self.deep, job, part),
            SampleKind::Packed | SampleKind::Dense => write_rearranged(&mut self.deep, &mut self.packed, job, part),
            SampleKind::Tiled { .. } => write_rearranged(&mut self.reconstructor, &mut self.tiled, job, part),
        };
        if let Err(error) = job.target.memory.sync(SyncPhase::End) {
            tracing::warn!("{error}");
        }
        if let Some(fault) = parsed.faults.first() {
            tracing::debug!("OUTPUT {}: {fault}, faults: {}", job.output, parsed.faults.len());
        }
        let damaged = |outcome: Outcome| outcome.concealed_macroblocks > 0 || outcome.missing_reference;
        !parsed.faults.is_empty() || outcome.is_none_or(damaged)
    }
}

/// The reconstruction itself; `None` if the memory of the target is too short.
fn write<S: Sample>(reconstructor: &mut Reconstructor<S>, job: &Job, part: PicturePart) -> Option<Outcome> {
    let mut planes = job.target.memory.write();
    let mut target = job.target.layout.frame_mut(&mut planes)?;
    let mut motion = job.target.motion.write().unwrap_or_else(PoisonError::into_inner);
    let locked = lock_references(job);
    let references = locked.each_ref().map(|reference| reference.as_ref()?.reference());
    let parsed = &job.arena.parsed;
    Some(reconstructor.reconstruct(parsed, part, &mut target, &mut motion, &References(references)))
}

/// [`write`] for pictures that are not stored in planes of rows.
fn write_rearranged<S: Rearranged>(
    reconstructor: &mut Reconstructor<S>,
    unpacked: &mut UnpackedPictures<S>,
    job: &Job,
    part: PicturePart,
) -> Option<Outcome> {
    let mut planes = job.target.memory.write();
    let UnpackedPictures { target, references } = unpacked;
    // There may be slices or a field of it.
    target.read_target(job.target.layout, &planes)?;
    let mut motion = job.target.motion.write().unwrap_or_else(PoisonError::into_inner);
    let locked = lock_references(job);
    let mut found = [None; DPB_SIZE];
    for ((found, locked), unpacked) in found.iter_mut().zip(&locked).zip(references) {
        *found = match locked {
            None => None,
            Some(LockedReference::Target) => Some(Reference::Target),
            Some(LockedReference::Other {
                picture,
                planes,
                motion,
            }) => unpacked.read(picture.layout, planes).map(|()| Reference::Frame {
                frame: unpacked.frame(),
                motion,
            }),
        };
    }
    let parsed = &job.arena.parsed;
    let outcome = reconstructor.reconstruct(parsed, part, &mut target.frame_mut(), &mut motion, &References(found));
    target.write(job.target.layout, &mut planes)?;
    Some(outcome)
}

fn lock_references(job: &Job) -> [Option<LockedReference<'_>>; DPB_SIZE] {
    let references = job.arena.references.each_ref();
    references.map(|reference| reference.as_ref().map(LockedReference::new))
}

/// A CAPTURE buffer that is held, with one field or both.
#[derive(Debug)]
struct HeldFields {
    capture: BufferIndex,
    picture: Picture,
    missing: Option<Parity>,
}

impl HeldFields {
    /// Nothing more comes: a field alone is shown in the rows of both.
    fn complete(self) {
        let Some(missing) = self.missing else { return };
        let memory = &self.picture.memory;
        if let Err(error) = memory.sync(SyncPhase::Start) {
            tracing::warn!("{error}");
        }
        match self.picture.layout.kind {
            SampleKind::Byte => fill_field::<u8>(&self.picture, missing),
            SampleKind::Word => fill_field::<Sample10>(&self.picture, missing),
            SampleKind::Packed | SampleKind::Dense => unpacked::fill_field::<Sample10>(&self.picture, missing),
            SampleKind::Tiled { .. } => unpacked::fill_field::<u8>(&self.picture, missing),
        }
        if let Err(error) = memory.sync(SyncPhase::End) {
            tracing::warn!("{error}");
        }
    }
}

fn fill_field<S: Sample>(picture: &Picture, missing: Parity) {
    if let Some(mut frame) = picture.layout.frame_mut::<S>(&mut picture.memory.write()) {
        frame.fill_field(missing);
    }
}

/// Whether the picture of these parameters has room in its CAPTURE buffer.
fn fits(target: &Picture, params: &PictureParams) -> bool {
    let fields = match params.structure {
        Structure::Frame { .. } => 1,
        Structure::Field(_) => 2,
    };
    target.layout.holds(
        params.chroma_format,
        params.width_in_mbs as usize * 16,
        params.height_in_mbs as usize * 16 * fields,
    )
}

/// A reference, locked for reading as long as a job uses it.
enum LockedReference<'a> {
    Target,
    Other {
        picture: &'a Picture,
        planes: ReadPlanes<'a>,
        motion: RwLockReadGuard<'a, MotionField>,
    },
}

impl<'a> LockedReference<'a> {
    fn new(reference: &'a ReferencePicture) -> Self {
        match reference {
            ReferencePicture::Target => Self::Target,
            ReferencePicture::Other(picture) => Self::Other {
                picture,
                planes: picture.memory.read(),
                motion: picture.motion.read().unwrap_or_else(PoisonError::into_inner),
            },
        }
    }

    /// What reconstruction sees.
    fn reference<S: Sample>(&self) -> Option<Reference<'_, S>> {
        match self {
            Self::Target => Some(Reference::Target),
            Self::Other {
                picture,
                planes,
                motion,
            } => Some(Reference::Frame {
                frame: picture.layout.frame(planes)?,
                motion,
            }),
        }
    }
}
