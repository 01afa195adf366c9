//! The reconstruction stage: syntax elements into samples (clause 8).
//!
//! Macroblocks are worked in raster order. When a row of them is complete, its last lines are kept as they are for the
//! intra prediction of the next row, and the row is deblocked while it is still in the cache. What no slice delivered is
//! concealed as soon as a later macroblock, or the end of the picture, shows that it will not come.
//!
//! A field is a picture of its own whose rows are every other one of its frame; field macroblocks of an MBAFF frame are
//! worked in the same way. MBAFF frames are deblocked as a whole at their end: their intra prediction looks at rows of
//! neighbours that no kept line has.
//!
//! * `picture`: the order of work; `state`: what is kept per macroblock; `references`: lists of a slice; `mbaff`: who is
//!   whose neighbour there;
//! * `intra`; `vectors`, `partition`, `direct`, `colocated`, `inter`, `interpolate`, `weights`: prediction;
//! * `scaling`, `residual`: levels to residual; `deblock`; `conceal`.

mod colocated;
mod conceal;
mod deblock;
mod direct;
mod first_field;
mod inter;
mod interpolate;
mod intra;
mod mbaff;
mod partition;
mod picture;
mod references;
mod residual;
mod scaling;
mod state;
mod vectors;
mod weights;

use crate::picture::DPB_SIZE;
use crate::planes::{FrameMut, FrameRef, Sample};
use crate::{MotionField, ParsedPicture};
use first_field::FirstField;
use inter::InterScratch;
use picture::Picture;
use references::Pool;
use scaling::LevelScale;
use state::State;

/// Which part of a picture a request holds; in frame mode always all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PicturePart {
    /// Nothing of this picture came before.
    pub first: bool,
    /// Nothing of this picture follows: conceal what is missing and finish deblocking.
    pub last: bool,
}

/// One reference picture of the DPB.
#[derive(Clone, Copy, Debug)]
pub enum Reference<'a, S> {
    /// Another frame, with the motion it was decoded with (for temporal direct).
    Frame {
        /// Its planes.
        frame: FrameRef<'a, S>,
        /// Its motion.
        motion: &'a MotionField,
    },
    /// The first field of the frame that is being decoded.
    Target,
}

/// The reference pictures by index of `v4l2_ctrl_h264_decode_params.dpb`; `None` = its timestamp names no buffer.
#[derive(Clone, Copy, Debug)]
pub struct References<'a, S>(pub [Option<Reference<'a, S>>; DPB_SIZE]);

/// How a reconstruction went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Macroblocks that no slice delivered and that were concealed.
    pub concealed_macroblocks: u32,
    /// A block was predicted from a reference that is not there.
    pub missing_reference: bool,
}

/// Reconstructs pictures; keeps the state of the picture in progress and scratch memory.
#[derive(Debug)]
pub struct Reconstructor<S> {
    state: State<S>,
    scale: LevelScale,
    scratch: InterScratch<S>,
    first_field: FirstField<S>,
}

impl<S: Sample> Default for Reconstructor<S> {
    fn default() -> Self {
        Self {
            state: State::default(),
            scale: LevelScale::default(),
            scratch: InterScratch::default(),
            first_field: FirstField::default(),
        }
    }
}

impl<S: Sample> Reconstructor<S> {
    /// Reconstructs the slices of `parsed` into `target` and leaves the motion of the picture in `motion`.
    ///
    /// A target that is too small for the picture, or of samples of another depth, is left as it is, and all of its
    /// macroblocks count as concealed.
    pub fn reconstruct(
        &mut self,
        parsed: &ParsedPicture,
        part: PicturePart,
        target: &mut FrameMut<'_, S>,
        motion: &mut MotionField,
        references: &References<'_, S>,
    ) -> Outcome {
        let Some(params) = &parsed.params else {
            return Outcome::default();
        };
        let (width_in_mbs, height_in_mbs) = (params.width_in_mbs as usize, params.height_in_mbs as usize);
        let same_depth = [params.bit_depth_luma, params.bit_depth_chroma].map(u32::from) == [S::BIT_DEPTH; 2];
        if !same_depth
            || width_in_mbs == 0
            || height_in_mbs == 0
            || !target.holds(
                params.chroma_format,
                width_in_mbs,
                params.frame_height_in_mbs() as usize,
            )
        {
            let concealed_macroblocks = params.width_in_mbs.saturating_mul(params.height_in_mbs);
            return Outcome {
                concealed_macroblocks,
                ..Outcome::default()
            };
        }
        let structure = params.structure;
        if part.first
            || !self.state.is_of(width_in_mbs, height_in_mbs)
            || !motion.is_of(structure, width_in_mbs, height_in_mbs)
        {
            self.state.start(width_in_mbs, height_in_mbs);
            motion.start(structure, width_in_mbs, height_in_mbs);
            self.first_field.take(references, params, target);
        }
        self.scale.set(&params.scaling);
        let mut picture = Picture {
            params,
            parsed,
            target: target.picture(structure),
            motion,
            pool: Pool::new(references, params, self.first_field.planes()),
            state: &mut self.state,
            scale: &self.scale,
            scratch: &mut self.scratch,
            outcome: Outcome::default(),
        };
        picture.reconstruct(part.last);
        picture.outcome
    }
}

#[cfg(test)]
mod tests;
