//! Streams of which not everything arrives: what is shown is right, or it is flagged as damaged.
//!
//! Each frame is compared with the same frame of the whole stream. A frame that differs and is not flagged is a miss, and
//! there must be none; one that is flagged though it is right is a false alarm, and there must be few.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fourier_core::Error;
use fourier_core::decode::Outcome as Decoded;
use fourier_core::decode::stream::{
    AccessUnitBytes, Alignment, DropReason, Event, FrameTag, StreamConfig, StreamDecoder,
};
use fourier_core::device::discovery::open_device;
use fourier_tests::annexb::{Nal, nals};
use fourier_tests::encode::{self, Recipe};
use fourier_tests::losses::{Original, Reception, receptions};
use fourier_tests::picture::Digester;
use fourier_tests::vectors::{self, Container, Expectation, Vector};
use fourier_tests::{Outcome, recipes, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};

/// Pictures of each stream, so that every one has losses and what follows from them.
const PICTURES: usize = 70;
/// Of each kind of loss.
const ROUNDS: usize = 2;
/// Larger pictures only take longer.
const LARGEST: u32 = 352 * 288;
/// False alarms among all frames of the vectors, in percent. Streams made for losses have more: a slice header does not
/// tell which of its references are used, nor an encoder when its refresh is complete before the time it names.
const FALSE_ALARMS: f64 = 2.0;

/// What became of frames that were shown.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    shown: usize,
    flagged: usize,
    false_alarms: usize,
    misses: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.shown += other.shown;
        self.flagged += other.flagged;
        self.false_alarms += other.false_alarms;
        self.misses += other.misses;
    }

    fn false_alarm_rate(&self) -> f64 {
        100.0 * self.false_alarms as f64 / self.shown.max(1) as f64
    }
}

fn main() -> Outcome {
    let arguments = two_at_a_time(Arguments::from_args());
    let total = Arc::new(Mutex::new(Tally::default()));
    let mut trials = Vec::new();
    for Source { name, is_vector, read } in streams()? {
        let total = Arc::clone(&total);
        trials.push(Trial::test(
            format!("{name} with losses shows nothing wrong unflagged"),
            move || {
                let stream = read().map_err(|error| Failed::from(error.to_string()))?;
                let (tally, misses) = judge(&name, &stream).map_err(|error| Failed::from(error.to_string()))?;
                if is_vector {
                    total.lock().unwrap_or_else(PoisonError::into_inner).add(tally);
                }
                match misses.is_empty() {
                    true => Ok(()),
                    false => Err(misses.join("\n").into()),
                }
            },
        ));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    let total = *total.lock().unwrap_or_else(PoisonError::into_inner);
    println!("all vectors: {total:?}, {:.2} % false alarms", total.false_alarm_rate());
    if !conclusion.has_failed() && total.false_alarm_rate() > FALSE_ALARMS {
        return Err(format!("more than {FALSE_ALARMS} % false alarms").into());
    }
    conclusion.exit()
}

/// A whole stream.
struct Source {
    name: String,
    is_vector: bool,
    read: Box<dyn FnOnce() -> Outcome<Vec<u8>> + Send>,
}

/// All small vectors where they are, and the streams made here that have what losses are about.
fn streams() -> Outcome<Vec<Source>> {
    let small = |v: &Vector| v.size.is_some_and(|size| size.width * size.height <= LARGEST);
    let vectors = vectors::load()?
        .into_iter()
        .filter(|v| v.container == Container::Elementary && v.expectation() == Expectation::BitExact && small(v));
    let vectors = vectors.map(|vector| Source {
        name: vector.title(),
        is_vector: true,
        read: Box::new(move || Ok(std::fs::read(&vector.path)?)),
    });
    let recipes = recipes::RECIPES
        .iter()
        .chain(recipes::LOSSES)
        .filter(|recipe| is_about_losses(recipe));
    let recipes = recipes.map(|recipe| Source {
        name: recipe.name.to_owned(),
        is_vector: false,
        read: Box::new(|| encode::encoded(recipe)),
    });
    Ok(vectors.chain(recipes).collect())
}

fn is_about_losses(recipe: &Recipe) -> bool {
    let names = [
        "slices-",
        "b-pyramid",
        "open-gop",
        "intra-refresh",
        "short-gops",
        "scene-cuts",
        "loss-",
    ];
    names.iter().any(|name| recipe.name.starts_with(name))
}

/// A frame that was shown.
struct Shown {
    /// The NAL unit that its picture began with.
    piece: usize,
    md5: String,
    damaged: bool,
}

/// Everything that came out.
#[derive(Default)]
struct Story {
    shown: Vec<Shown>,
    /// NAL units that began a picture which was not shown.
    unseen: Vec<usize>,
}

impl Story {
    fn listen(&mut self, decoder: &mut StreamDecoder) -> Outcome {
        while let Some(event) = decoder.next_event() {
            match event {
                Event::Frame(frame) => {
                    let damaged = frame.wait() == Decoded::Damaged;
                    let mut digester = Digester::default();
                    digester.push_frame(&frame)?;
                    let FrameTag(piece) = frame.tag().ok_or("a frame without a tag")?;
                    self.shown.push(Shown {
                        piece: usize::try_from(piece)?,
                        md5: digester.finish().md5,
                        damaged,
                    });
                }
                Event::Dropped {
                    reason: DropReason::NoPicture | DropReason::SecondField,
                    ..
                } => {}
                Event::Dropped {
                    tag: FrameTag(piece), ..
                } => self.unseen.push(usize::try_from(piece)?),
                Event::Format(_) | Event::Warning(_) => {}
            }
        }
        Ok(())
    }
}

/// Decodes pieces with their numbers.
fn decode<'a>(pieces: impl Iterator<Item = (usize, &'a [u8])>) -> Outcome<Story> {
    let config = StreamConfig {
        alignment: Alignment::Nal,
        ..StreamConfig::default()
    };
    let mut decoder = StreamDecoder::new(open_device(Some("soft"))?, config)?;
    let mut story = Story::default();
    for (number, piece) in pieces {
        match decoder.decode(AccessUnitBytes::AnnexB(piece), FrameTag(number as u64)) {
            Ok(()) | Err(Error::Unsupported(_)) => {}
            Err(error) => return Err(error.into()),
        }
        story.listen(&mut decoder)?;
    }
    decoder.drain()?;
    story.listen(&mut decoder)?;
    Ok(story)
}

/// The stream up to its last slice of the first so many.
fn beginning(stream: &[u8]) -> Vec<Nal> {
    let mut all = nals(stream);
    let slices = (0..).zip(&all).filter(|(_, nal)| nal.is_slice());
    let end = slices.map(|(number, _)| number).take(4 * PICTURES).last();
    all.truncate(end.map_or(0, |last: usize| last + 1));
    all
}

/// The tally of all losses, and what each miss is.
fn judge(name: &str, stream: &[u8]) -> Outcome<(Tally, Vec<String>)> {
    let nals = beginning(stream);
    let whole = decode((0..).zip(nals.iter().map(|nal| &stream[nal.range.clone()])))?;
    let mut pictures: Vec<_> = whole
        .shown
        .iter()
        .map(|frame| frame.piece)
        .chain(whole.unseen)
        .collect();
    pictures.sort_unstable();
    let nals = match pictures.get(PICTURES) {
        Some(&end) => &nals[..end],
        None => &nals[..],
    };
    pictures.truncate(PICTURES);
    let original = Original::new(stream, nals, &pictures);
    let pieces = whole.shown.into_iter().map(|frame| (frame.piece, frame));
    let whole: HashMap<_, _> = pieces.collect();
    let mut tally = Tally::default();
    let mut misses = Vec::new();
    for reception in receptions(&original, 1, ROUNDS) {
        let pieces = reception.arrived.iter().map(|arrived| {
            let start = nals[arrived.number].range.start;
            (arrived.number, &stream[start..start + arrived.length])
        });
        let story = decode(pieces)?;
        tally.add(compare(&original, &whole, &story.shown, &reception, &mut misses));
    }
    println!("{name}: {tally:?}, {:.2} % false alarms", tally.false_alarm_rate());
    Ok((tally, misses))
}

fn compare(
    original: &Original<'_>,
    whole: &HashMap<usize, Shown>,
    shown: &[Shown],
    reception: &Reception,
    misses: &mut Vec<String>,
) -> Tally {
    let mut tally = Tally::default();
    let mut missed_pictures = Vec::new();
    for frame in shown {
        let picture = original.picture_of(frame.piece);
        let twin = picture.and_then(|picture| whole.get(&original.pictures[picture]));
        let equal = twin.is_some_and(|twin| twin.md5 == frame.md5);
        let missed = !equal && !frame.damaged && !reception.is_untold;
        let false_alarm = equal && frame.damaged && twin.is_some_and(|twin| !twin.damaged);
        tally.add(Tally {
            shown: 1,
            flagged: frame.damaged.into(),
            false_alarms: false_alarm.into(),
            misses: missed.into(),
        });
        if missed {
            missed_pictures.extend(picture);
        }
    }
    if !missed_pictures.is_empty() {
        misses.push(format!(
            "without {}: these pictures differ unflagged: {missed_pictures:?}",
            reception.what
        ));
    }
    tally
}
