//! A file through core's stream decoder.

use std::sync::Arc;

use fourier_core::Error;
use fourier_core::decode::Outcome as PictureOutcome;
use fourier_core::decode::stream::{
    AccessUnitBytes, Alignment, DropReason, Event, FrameTag, OutputFrame, StreamConfig, StreamDecoder,
};
use fourier_core::device::DecoderDevice;

use crate::Outcome;
use crate::annexb::nals;
use crate::picture::{Digest, Digester};

/// How the decoding of a stream ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// Frames that came out.
    pub frames: usize,
    /// Of these, damaged ones.
    pub damaged: usize,
    /// NAL units that should have become a frame and did not.
    pub dropped: usize,
    /// What was wrong on the way.
    pub warnings: Vec<String>,
    /// The error that ended it before its end: a coding tool that is not supported.
    pub refusal: Option<String>,
}

impl Ending {
    fn take(&mut self, event: Event, show: &mut dyn FnMut(&OutputFrame) -> Outcome) -> Outcome {
        match event {
            Event::Format(_) => {}
            Event::Frame(frame) => {
                self.frames += 1;
                self.damaged += usize::from(frame.wait() == PictureOutcome::Damaged);
                show(&frame)?;
            }
            Event::Dropped {
                reason: DropReason::NoPicture | DropReason::SecondField,
                ..
            } => {}
            Event::Dropped { .. } => self.dropped += 1,
            Event::Warning(error) => self.warnings.push(error.to_string()),
        }
        Ok(())
    }
}

/// Decodes an Annex B stream, one NAL unit at a time; `show` gets every frame in display order, decoded.
///
/// # Errors
/// What `show` fails with, and every error of the decoder that is not about the stream.
pub fn decode(
    device: Arc<dyn DecoderDevice>,
    stream: &[u8],
    mut show: impl FnMut(&OutputFrame) -> Outcome,
) -> Outcome<Ending> {
    let config = StreamConfig {
        alignment: Alignment::Nal,
        ..StreamConfig::default()
    };
    let mut decoder = StreamDecoder::new(device, config)?;
    let mut ending = Ending::default();
    let pieces = (0..).map(FrameTag).zip(nals(stream)).map(Some).chain([None]);
    for piece in pieces {
        let result = match piece {
            Some((tag, nal)) => decoder.decode(AccessUnitBytes::AnnexB(&stream[nal.range]), tag),
            None => decoder.drain(),
        };
        while let Some(event) = decoder.next_event() {
            ending.take(event, &mut show)?;
        }
        match result {
            Ok(()) => {}
            Err(Error::Unsupported(what)) => {
                ending.refusal = Some(what);
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ending)
}

/// Decodes an Annex B stream to the digest of its pictures.
///
/// # Errors
/// Those of [`decode`].
pub fn digest(device: Arc<dyn DecoderDevice>, stream: &[u8]) -> Outcome<(Digest, Ending)> {
    let mut digester = Digester::default();
    let ending = decode(device, stream, |frame| digester.push_frame(frame))?;
    Ok((digester.finish(), ending))
}

/// Decodes an Annex B stream to the md5 of each of its pictures.
///
/// # Errors
/// Those of [`decode`].
pub fn picture_md5s(device: Arc<dyn DecoderDevice>, stream: &[u8]) -> Outcome<Vec<String>> {
    let mut md5s = Vec::new();
    decode(device, stream, |frame| {
        let mut digester = Digester::default();
        digester.push_frame(frame)?;
        md5s.push(digester.finish().md5);
        Ok(())
    })?;
    Ok(md5s)
}
