//! What a device has around the decoder: CAPTURE buffers, found by the timestamps of what was decoded into them.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use fourier_soft::picture::DPB_SIZE;
use fourier_soft::{
    EntropyDecoder, Error, FrameMut, FrameRef, MotionField, Outcome, ParsedPicture, PictureParams, PlaneMut, PlaneRef,
    Reconstructor, Reference, References, Sample,
};

use super::script::{Request, Script};

/// CAPTURE buffers of a queue; the oldest is used again.
const MAX_BUFFERS: usize = 20;

/// One CAPTURE buffer: NV12, P010 or their likes of 4:2:2.
#[derive(Debug)]
struct Buffer<S> {
    timestamp: u64,
    luma: Vec<S>,
    chroma: Vec<S>,
    pitch: usize,
    motion: MotionField,
}

/// What a request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Why it was refused as a whole.
    pub refusal: Option<Error>,
    /// What was wrong in its slices.
    pub faults: Vec<Error>,
    /// How reconstruction went.
    pub outcome: Outcome,
    /// Of the samples of the buffer.
    pub hash: u64,
}

/// One decoder, for any number of scripts.
#[derive(Debug, Default)]
pub struct Driver<S: Sample> {
    entropy: EntropyDecoder,
    reconstructor: Reconstructor<S>,
    parsed: ParsedPicture,
}

impl<S: Sample> Driver<S> {
    /// Runs the requests one after another, with new buffers.
    ///
    /// # Errors
    /// Says which request came to something impossible.
    pub fn run(&mut self, script: &Script) -> crate::Outcome<Vec<Completed>> {
        let mut buffers = VecDeque::new();
        let mut all = Vec::new();
        for request in &script.requests {
            let at = buffers
                .iter()
                .position(|buffer: &Buffer<S>| buffer.timestamp == request.timestamp());
            let mut target = at
                .and_then(|at| buffers.remove(at))
                .unwrap_or_else(|| Buffer::new(script, request));
            let completed = self.request(request, &mut target, &buffers);
            self.is_possible(&completed)
                .map_err(|error| format!("request {}: {error}", all.len()))?;
            all.push(completed);
            buffers.push_back(target);
            if buffers.len() > MAX_BUFFERS {
                buffers.pop_front();
            }
        }
        Ok(all)
    }

    fn request(&mut self, request: &Request, target: &mut Buffer<S>, buffers: &VecDeque<Buffer<S>>) -> Completed {
        let refusal = self
            .entropy
            .parse(&request.controls, &request.bitstream, &mut self.parsed)
            .err();
        let mut outcome = Outcome::default();
        if refusal.is_none() {
            let references = references(request, buffers);
            let (mut frame, motion) = target.planes_mut();
            outcome = self
                .reconstructor
                .reconstruct(&self.parsed, request.part, &mut frame, motion, &references);
        }
        Completed {
            refusal,
            faults: self.parsed.faults.clone(),
            outcome,
            hash: target.hash(),
        }
    }

    /// What a request comes to has bounds, whatever was in it.
    fn is_possible(&self, completed: &Completed) -> crate::Outcome {
        let size_in_mbs = |params: &PictureParams| params.width_in_mbs * params.height_in_mbs;
        let size = self.parsed.params.as_ref().map_or(0, size_in_mbs);
        let laws = [
            (
                "no more macroblocks concealed than there are",
                completed.outcome.concealed_macroblocks <= size,
            ),
            (
                "no more macroblocks read than there are",
                completed.refusal.is_some() || self.parsed.macroblocks.len() <= size as usize,
            ),
            (
                "faults are bounded",
                completed.faults.len() <= fourier_soft::parsed::MAX_FAULTS,
            ),
        ];
        match laws.iter().find(|(_, holds)| !holds) {
            Some((law, _)) => Err(format!("{law}: not so. {size} macroblocks, {completed:?}").into()),
            None => Ok(()),
        }
    }
}

/// The buffers that the DPB of the controls names.
fn references<'a, S: Sample>(request: &Request, buffers: &'a VecDeque<Buffer<S>>) -> References<'a, S> {
    let mut references = References([None; DPB_SIZE]);
    for (reference, entry) in references.0.iter_mut().zip(&request.controls.decode_params.dpb) {
        *reference = if entry.reference_ts == request.timestamp() {
            Some(Reference::Target)
        } else {
            let named = buffers.iter().find(|buffer| buffer.timestamp == entry.reference_ts);
            named.map(|buffer| Reference::Frame {
                frame: buffer.planes(),
                motion: &buffer.motion,
            })
        };
    }
    references
}

impl<S: Sample> Buffer<S> {
    fn new(script: &Script, request: &Request) -> Self {
        let pitch = usize::from(script.width_in_mbs) * 16;
        let height_in_mbs = usize::from(script.height_in_mbs);
        Self {
            timestamp: request.timestamp(),
            luma: vec![S::default(); pitch * height_in_mbs * 16],
            chroma: vec![S::default(); pitch * height_in_mbs * script.mb_height_c()],
            pitch,
            motion: MotionField::default(),
        }
    }

    fn planes_mut(&mut self) -> (FrameMut<'_, S>, &mut MotionField) {
        let pitch = self.pitch;
        let plane = |data| PlaneMut { data, pitch };
        let frame = FrameMut {
            luma: plane(&mut self.luma),
            chroma: plane(&mut self.chroma),
        };
        (frame, &mut self.motion)
    }

    fn planes(&self) -> FrameRef<'_, S> {
        let pitch = self.pitch;
        let plane = |data| PlaneRef { data, pitch };
        FrameRef {
            luma: plane(&self.luma),
            chroma: plane(&self.chroma),
        }
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let values: Vec<_> = self
            .luma
            .iter()
            .chain(&self.chroma)
            .map(|sample| sample.value())
            .collect();
        values.hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::inputs::corpus;
    use crate::laws::{InputKind, LAWS};

    #[test]
    fn more_concealment_or_faults_than_there_can_be_break_the_law() -> crate::Outcome {
        let law = LAWS.iter().find(|law| law.input == InputKind::Requests);
        let inputs = corpus(law.ok_or("no law takes requests")?)?;
        let (_, bytes) = inputs.first().ok_or("no requests")?;
        let mut driver = Driver::<u8>::default();
        let completed = driver.run(&Script::read(bytes))?;
        let sound = completed.first().ok_or("nothing was completed")?;
        driver.is_possible(sound)?;

        let mut concealed = sound.clone();
        concealed.outcome.concealed_macroblocks = 1 << 20;
        let mut faulty = sound.clone();
        faulty.faults = vec![Error::Unsupported("a tool"); fourier_soft::parsed::MAX_FAULTS + 1];
        for (impossible, law) in [(concealed, "concealed"), (faulty, "faults are bounded")] {
            let broken = driver.is_possible(&impossible);
            assert!(broken.is_err_and(|error| error.to_string().contains(law)), "{law}");
        }
        Ok(())
    }
}
