//! Any bytes through the whole stream decoder: it ends, every piece is accounted for, no frame stays held, and the next
//! good stream is decoded as if nothing had been.

use fourier_core::Error;
use fourier_core::decode::Outcome as Decoded;
use fourier_core::decode::stream::{
    AccessUnitBytes, Alignment, DropReason, Event, FrameTag, StreamConfig, StreamDecoder, StreamStats,
};
use fourier_core::device::discovery::open_device;
use fourier_core::h264::avcc::LengthSize;

use crate::Outcome;
use crate::annexb::nals;
use crate::picture::{Digest, Digester};

/// Input in pieces.
#[derive(Clone, Debug)]
pub enum Pieces {
    /// Each a NAL unit with its start code.
    AnnexB(Vec<Vec<u8>>),
    /// Each a sample of NAL units with 4-byte lengths.
    Avcc(Vec<Vec<u8>>),
}

impl Pieces {
    /// A byte stream, cut at start codes; what stands before the first one is a piece too.
    pub fn of_stream(stream: &[u8]) -> Self {
        let nals = nals(stream);
        let first = nals.first().map_or(stream.len(), |nal| nal.range.start);
        let units = nals.into_iter().map(|nal| stream[nal.range].to_vec());
        Self::AnnexB([stream[..first].to_vec()].into_iter().chain(units).collect())
    }

    fn iter(&self) -> Box<dyn Iterator<Item = AccessUnitBytes<'_>> + '_> {
        match self {
            Self::AnnexB(pieces) => Box::new(pieces.iter().map(|piece| AccessUnitBytes::AnnexB(piece))),
            Self::Avcc(samples) => Box::new(samples.iter().map(|data| AccessUnitBytes::Avcc {
                length_size: LengthSize::Four,
                data,
            })),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::AnnexB(pieces) | Self::Avcc(pieces) => pieces.len(),
        }
    }

    /// Every frame needs at least one piece with a slice.
    fn slices(&self) -> usize {
        match self {
            Self::AnnexB(pieces) => pieces
                .iter()
                .flat_map(|piece| nals(piece))
                .filter(|nal| nal.is_slice())
                .count(),
            Self::Avcc(samples) => samples.len(),
        }
    }
}

/// What became of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The pictures.
    pub digest: Digest,
    /// Which of them were damaged.
    pub damaged: Vec<bool>,
    /// Pieces without a frame that should have given one, and why.
    pub dropped: Vec<DropReason>,
    /// What was wrong on the way.
    pub warnings: Vec<String>,
    /// Reference frames that were missed.
    pub lost_frames: u64,
    /// What ended it: a coding tool that cannot be decoded.
    pub refusal: Option<String>,
}

impl Story {
    /// Somebody who hears and sees it knows that something was wrong.
    pub fn tells_of_damage(&self) -> bool {
        self.damaged.contains(&true)
            || !self.dropped.is_empty()
            || !self.warnings.is_empty()
            || self.lost_frames > 0
            || self.refusal.is_some()
    }
}

/// Gathers a [`Story`].
#[derive(Default)]
struct Listener {
    digester: Digester,
    damaged: Vec<bool>,
    dropped: Vec<DropReason>,
    warnings: Vec<String>,
    tags: Vec<u64>,
}

impl Listener {
    fn listen(&mut self, decoder: &mut StreamDecoder) -> Outcome {
        while let Some(event) = decoder.next_event() {
            match event {
                Event::Format(_) => {}
                Event::Frame(frame) => {
                    self.damaged.push(frame.wait() == Decoded::Damaged);
                    self.tags.extend(frame.tag().map(|tag| tag.0));
                    self.digester.push_frame(&frame)?;
                }
                Event::Dropped { tag, reason } => {
                    self.tags.push(tag.0);
                    if !matches!(reason, DropReason::NoPicture | DropReason::SecondField) {
                        self.dropped.push(reason);
                    }
                }
                Event::Warning(error) => self.warnings.push(error.to_string()),
            }
        }
        Ok(())
    }

    /// What was heard is what was given, and what the decoder counted from `before` to `after`.
    fn accounts_for(&self, tags_given: u64, pieces: &Pieces, [before, after]: [&StreamStats; 2]) -> Outcome {
        let Self {
            damaged,
            tags,
            dropped,
            warnings,
            ..
        } = self;
        let frames = damaged.len();
        let laws = [
            (
                "every piece comes out exactly once",
                tags.iter().copied().eq(0..tags_given),
            ),
            ("no more frames than slices", frames <= pieces.slices()),
            ("frames are counted", after.frames - before.frames == frames as u64),
            (
                "drops are counted",
                after.dropped - before.dropped == dropped.len() as u64,
            ),
            (
                "warnings are counted",
                after.warnings - before.warnings == warnings.len() as u64,
            ),
            (
                "warnings blame the stream",
                !warnings.iter().any(|text| text.starts_with("bug")),
            ),
        ];
        match laws.iter().find(|(_, holds)| !holds) {
            Some((law, _)) => {
                Err(format!("{law}: not so. {frames} frames, tags {tags:?}, {dropped:?}, {warnings:?}").into())
            }
            None => Ok(()),
        }
    }
}

/// Decodes to the end, and checks that everything is accounted for.
fn decode(decoder: &mut StreamDecoder, pieces: &Pieces) -> Outcome<Story> {
    decode_heard_by(decoder, pieces, |_| {})
}

/// The same with a listener that `heard` has changed at the end.
fn decode_heard_by(decoder: &mut StreamDecoder, pieces: &Pieces, heard: impl FnOnce(&mut Listener)) -> Outcome<Story> {
    let before = decoder.stats();
    let mut listener = Listener::default();
    let mut refusal = None;
    let mut tags_given = 0;
    for (tag, piece) in (0..).zip(pieces.iter()) {
        let result = decoder.decode(piece, FrameTag(tag));
        tags_given += 1;
        listener.listen(decoder)?;
        if let Some(error) = ending(result)? {
            refusal = Some(error);
            break;
        }
    }
    let drained = ending(decoder.drain())?;
    listener.listen(decoder)?;
    let refusal = refusal.or(drained);
    heard(&mut listener);
    listener.tags.sort_unstable();
    let stats = decoder.stats();
    listener
        .accounts_for(tags_given, pieces, [&before, &stats])
        .map_err(|error| format!("{error}. {} pieces, {stats:?}", pieces.len()))?;
    Ok(Story {
        digest: listener.digester.finish(),
        damaged: listener.damaged,
        dropped: listener.dropped,
        warnings: listener.warnings,
        lost_frames: stats.lost_frames - before.lost_frames,
        refusal,
    })
}

/// The coding tool that ended it; any other error is the decoder's own fault.
fn ending(result: fourier_core::Result<()>) -> Outcome<Option<String>> {
    match result {
        Ok(()) => Ok(None),
        Err(Error::Unsupported(tool)) => Ok(Some(tool)),
        Err(error) => Err(error.into()),
    }
}

fn decoder(device: &str) -> Outcome<StreamDecoder> {
    let config = StreamConfig {
        alignment: Alignment::Nal,
        ..StreamConfig::default()
    };
    Ok(StreamDecoder::new(open_device(Some(device))?, config)?)
}

/// The software decoder in both decode modes, of limited size: garbage may claim any.
const SMALL_DEVICES: [&str; 2] = ["soft:max=512x512", "soft:cedrus,max=512x512"];

/// Decodes whatever `bytes` are, in the decode mode that their number picks.
///
/// # Errors
/// Says which law they break: see [`story_of`]; besides, when all frames are given back the pool holds none.
pub fn any_bytes_end_and_leave_nothing_behind(bytes: &[u8]) -> Outcome {
    let mut decoder = decoder(SMALL_DEVICES[bytes.len() % SMALL_DEVICES.len()])?;
    decode(&mut decoder, &Pieces::of_stream(bytes))?;
    gives_everything_back(&mut decoder)
}

/// After a flush, when nobody has a frame any more, the pool has them all.
fn gives_everything_back(decoder: &mut StreamDecoder) -> Outcome {
    decoder.flush()?;
    while decoder.next_event().is_some() {}
    match decoder.stats().pool {
        pool if pool.held == 0 && pool.exported == 0 => Ok(()),
        pool => Err(format!("frames are left behind: {pool:?}").into()),
    }
}

/// Decodes `pieces` alone.
///
/// # Errors
/// Says which law they break: each piece comes out once, the counts are right, no more frames than slices.
pub fn story_of(pieces: &Pieces) -> Outcome<Story> {
    decode(&mut decoder("soft")?, pieces)
}

/// Decodes `pieces` and then `good` with one decoder, and `pieces` again with one on a single thread. Gives the story of
/// `pieces`.
///
/// # Errors
/// Those of [`story_of`]; if the good stream is not decoded as ever, or `pieces` not twice the same.
pub fn survive(pieces: &Pieces, good: &Pieces, good_story: &Story) -> Outcome<Story> {
    let mut threaded = decoder("soft")?;
    let first = decode(&mut threaded, pieces)?;
    gives_everything_back(&mut threaded)?;
    let after = decode(&mut threaded, good)?;
    if after.digest != good_story.digest || after.damaged != good_story.damaged {
        return Err(format!("the good stream after it gave {after:?}, alone {good_story:?}").into());
    }
    let second = decode(&mut decoder("soft:threads=1")?, pieces)?;
    match first == second {
        true => Ok(first),
        false => Err(format!("first {first:?}, then {second:?}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::inputs::streams;

    #[test]
    fn the_corpus_reaches_the_decoder() -> Outcome {
        let (mut sound, mut refused) = (0, 0);
        for (name, stream) in streams()? {
            let story = story_of(&Pieces::of_stream(&stream))?;
            if story.refusal.is_some() {
                refused += 1;
                continue;
            }
            // Frames without their other field count as damaged.
            let is_whole = !name.ends_with("LoneFields");
            assert!(
                story.digest.frames > 0 && story.tells_of_damage() != is_whole,
                "{name}: {story:?}"
            );
            sound += 1;
        }
        assert!(sound > 4 * refused, "{sound} decoded, {refused} refused");
        Ok(())
    }

    /// A small stream that is decoded to frames.
    fn some_stream() -> Outcome<Pieces> {
        let (_, stream) = streams()?.into_iter().next().ok_or("no stream")?;
        Ok(Pieces::of_stream(&stream))
    }

    #[test]
    fn whatever_is_not_accounted_for_breaks_the_law() -> Outcome {
        type Heard = fn(&mut Listener);
        const FAULTS: [(&str, Heard); 7] = [
            ("every piece comes out exactly once", |heard| heard.tags.truncate(1)),
            ("every piece comes out exactly once", |heard| heard.tags.push(0)),
            ("no more frames than slices", |heard| heard.damaged.resize(1000, false)),
            ("frames are counted", |heard| heard.damaged.truncate(1)),
            ("drops are counted", |heard| heard.dropped.push(DropReason::NotOutput)),
            ("warnings are counted", |heard| heard.warnings.push(String::new())),
            ("warnings are counted", |heard| heard.warnings.push("bug".to_owned())),
        ];
        let pieces = some_stream()?;
        for (law, fault) in FAULTS {
            let broken = decode_heard_by(&mut decoder("soft")?, &pieces, fault);
            assert!(broken.is_err_and(|error| error.to_string().starts_with(law)), "{law}");
        }
        Ok(())
    }

    #[test]
    fn a_warning_that_blames_the_decoder_breaks_the_law() {
        let heard = Listener {
            warnings: vec!["bug: of ours".to_owned()],
            ..Listener::default()
        };
        let counted = StreamStats {
            warnings: 1,
            ..StreamStats::default()
        };
        let nothing = Pieces::AnnexB(Vec::new());
        let broken = heard.accounts_for(0, &nothing, [&StreamStats::default(), &counted]);
        assert!(broken.is_err_and(|error| error.to_string().starts_with("warnings blame the stream")));
    }

    #[test]
    fn a_frame_that_is_held_breaks_the_law() -> Outcome {
        let mut decoder = decoder("soft")?;
        for (tag, piece) in (0..).zip(some_stream()?.iter()) {
            decoder.decode(piece, FrameTag(tag))?;
        }
        decoder.drain()?;
        let mut held = Vec::new();
        while let Some(event) = decoder.next_event() {
            held.extend(matches!(event, Event::Frame(_)).then_some(event));
        }
        let broken = gives_everything_back(&mut decoder);
        assert!(broken.is_err_and(|error| error.to_string().starts_with("frames are left behind")));
        held.clear();
        gives_everything_back(&mut decoder)
    }

    #[test]
    fn a_good_stream_that_is_decoded_otherwise_than_alone_breaks_the_law() -> Outcome {
        let good = some_stream()?;
        let mut story = story_of(&good)?;
        survive(&good, &good, &story)?;
        story.digest.frames += 1;
        assert!(survive(&good, &good, &story).is_err());
        Ok(())
    }
}
