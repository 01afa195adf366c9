//! Bad input is normal input: no panic, no hang, no leak, everything accounted for, and decoding goes on.
//!
//! Every kind of damage is done to a score of streams, and to twice as many some of a thousand seeds: test vectors where
//! they are, else streams made with x264. `FOURIER_DAMAGES` says how many seeds each of these gets.

mod tools;

use fourier_core::decode::stream::DropReason;
use fourier_tests::annexb::{Nal, nals, without};
use fourier_tests::damage::{self, Dice};
use fourier_tests::laws::stream::{Pieces, Story, story_of, survive};
use fourier_tests::laws::watch::{self, each_watched, watched};
use fourier_tests::resources::Resources;
use fourier_tests::vectors::{self, Container, Expectation};
use fourier_tests::{Outcome, encode, recipes, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};

/// How many streams are damaged in every way.
const STREAMS: usize = 20;
/// How many are damaged by seeds, and by how many each.
const CAMPAIGN_STREAMS: usize = 40;
const DAMAGES: u64 = 10;
/// Of each only the beginning: damage does not take longer to do harm.
const SLICES: usize = 16;
/// Larger pictures only take longer.
const LARGEST: u32 = 352 * 288;
/// What allocators and thread stacks may keep.
const SLACK_KIB: usize = 64 << 10;

fn main() -> Outcome {
    let arguments = two_at_a_time(Arguments::from_args());
    watch::count_panics();
    let some = |count| if arguments.list { Ok(Vec::new()) } else { streams(count) };
    let streams = some(STREAMS)?;
    let mut trials = tools::trials();
    trials.extend(streams.iter().cloned().flat_map(trials_of));
    trials.extend(campaign(&some(CAMPAIGN_STREAMS)?, damages()?));
    // Whatever is set up once for the process is there before anything is counted.
    let held = streams
        .first()
        .map(|(_, stream)| hold_after_a_run(stream))
        .transpose()?;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !conclusion.has_failed() {
        if let Some(before) = held {
            before.must_come_back(SLACK_KIB)?;
        }
        watch::nothing_panicked()?;
    }
    conclusion.exit()
}

fn hold_after_a_run(stream: &[u8]) -> Outcome<Resources> {
    story_of(&Pieces::of_stream(stream))?;
    Resources::now()
}

/// Seeds for each stream.
fn damages() -> Outcome<u64> {
    match std::env::var("FOURIER_DAMAGES") {
        Ok(text) => Ok(text
            .parse()
            .map_err(|error| format!("FOURIER_DAMAGES={text}: {error}"))?),
        Err(_) => Ok(DAMAGES),
    }
}

/// Names and beginnings of `count` streams.
fn streams(count: usize) -> Outcome<Vec<(String, Vec<u8>)>> {
    let small = |v: &vectors::Vector| v.size.is_some_and(|size| size.width * size.height <= LARGEST);
    let vectors: Vec<_> = vectors::load()?
        .into_iter()
        .filter(|v| v.container == Container::Elementary && v.expectation() == Expectation::BitExact && small(v))
        .collect();
    let mut streams = Vec::new();
    for vector in vectors.iter().step_by((vectors.len() / count).max(1)).take(count) {
        streams.push((vector.title(), std::fs::read(&vector.path)?));
    }
    if streams.is_empty() {
        let folder = tempfile::tempdir()?;
        let recipes = recipes::RECIPES;
        for recipe in recipes.iter().step_by((recipes.len() / count).max(1)).take(count) {
            let file = folder.path().join(recipe.name);
            encode::encode(recipe, &file)?;
            streams.push((recipe.name.to_owned(), std::fs::read(&file)?));
        }
    }
    Ok(streams
        .into_iter()
        .map(|(name, stream)| (name, beginning(&stream)))
        .collect())
}

/// The stream up to its last slice of the first [`SLICES`].
fn beginning(stream: &[u8]) -> Vec<u8> {
    let end = nals(stream)
        .into_iter()
        .filter(|nal| nal.is_slice())
        .take(SLICES)
        .last();
    stream[..end.map_or(0, |nal| nal.range.end)].to_vec()
}

fn trial(name: String, run: impl FnOnce() -> Outcome + Send + 'static) -> Trial {
    Trial::test(name, move || {
        watched(run).map_err(|error| Failed::from(error.to_string()))
    })
}

/// One test for each sort of damage, so that a failure says which.
fn trials_of((name, stream): (String, Vec<u8>)) -> Vec<Trial> {
    type Sort = (&'static str, fn(&[u8]) -> Vec<damage::Damaged>);
    const SORTS: [Sort; 5] = [
        ("truncated", damage::truncations),
        ("with losses", damage::losses),
        ("in disorder", damage::disorders),
        ("with garbage", damage::garbage),
        ("with flipped bits", damage::flips),
    ];
    let mut trials: Vec<_> = SORTS
        .into_iter()
        .map(|(sort, damage)| {
            let stream = stream.clone();
            trial(format!("{name} {sort}"), move || {
                survives_each(&stream, &damage(&stream))
            })
        })
        .collect();
    let twin = stream.clone();
    trials.push(trial(format!("{name} without parameter sets"), move || {
        says_what_is_missing(&twin)
    }));
    let twin = stream.clone();
    trials.push(trial(format!("{name} without references"), move || {
        tells_of_lost_references(&twin)
    }));
    trials.push(trial(format!("{name} with wrong lengths"), move || {
        wrong_lengths_lose_one_sample(&stream)
    }));
    trials
}

/// A test for each stream: `damages` seeds' accidents, its neighbour lends what is spliced in.
fn campaign(streams: &[(String, Vec<u8>)], damages: u64) -> Vec<Trial> {
    let pairs = streams.iter().zip(streams.iter().cycle().skip(1)).zip(0u64..);
    let trials = pairs.map(|(((name, stream), (_, other)), number)| {
        let (stream, other) = (stream.clone(), other.clone());
        let title = format!("{name} with the accidents of {damages} seeds");
        Trial::test(title, move || {
            survives_seeds(stream, other, number << 32, damages).map_err(|error| Failed::from(error.to_string()))
        })
    });
    trials.collect()
}

fn survives_seeds(stream: Vec<u8>, other: Vec<u8>, first: u64, count: u64) -> Outcome {
    let good = Pieces::of_stream(&stream);
    let good_story = {
        let good = good.clone();
        watched(move || story_of(&good))?
    };
    let damages = (first..first + count).map(move |seed| {
        let damaged = damage::seeded(&stream, &other, seed);
        (damaged.what, damaged.bytes)
    });
    each_watched(damages, move |bytes| {
        survive(&Pieces::of_stream(bytes), &good, &good_story).map(|_| ())
    })?;
    Ok(())
}

fn survives_each(stream: &[u8], damages: &[damage::Damaged]) -> Outcome {
    let good = Pieces::of_stream(stream);
    let good_story = story_of(&good)?;
    for damaged in damages {
        let pieces = Pieces::of_stream(&damaged.bytes);
        survive(&pieces, &good, &good_story).map_err(|error| format!("{}: {error}", damaged.what))?;
    }
    Ok(())
}

/// Without SPS or PPS there is no picture, and each slice is dropped with that reason or with a warning.
fn says_what_is_missing(stream: &[u8]) -> Outcome {
    for missing in [7, 8] {
        let rest = without(stream, |_, nal| nal.nal_unit_type == missing);
        let story = story_of(&Pieces::of_stream(&rest))?;
        let says = story.dropped.contains(&DropReason::AwaitingParameterSets) || !story.warnings.is_empty();
        if story.digest.frames > 0 || !says {
            return Err(format!("without NAL units of type {missing}: {story:?}").into());
        }
    }
    Ok(())
}

/// A reference picture that never comes is noticed, whatever the stream is made of.
fn tells_of_lost_references(stream: &[u8]) -> Outcome {
    let slices: Vec<_> = nals(stream).into_iter().filter(Nal::is_slice).collect();
    let has_inter = slices.iter().any(|nal| nal.nal_unit_type != 5);
    let last = slices.last().map(|nal| nal.header);
    let mut seen = 0;
    let rest = without(stream, |_, nal| {
        seen += usize::from(nal.is_slice() && nal.nal_ref_idc > 0);
        // Neither the first, which is where decoding begins, nor the last, after which nobody asks.
        nal.is_slice() && nal.nal_ref_idc > 0 && seen == 2 && Some(nal.header) != last
    });
    let story = story_of(&Pieces::of_stream(&rest))?;
    match story.tells_of_damage() || !has_inter || rest.len() == stream.len() {
        true => Ok(()),
        false => Err(format!("nothing tells of the loss: {story:?}").into()),
    }
}

/// Empty NAL units change nothing; lengths that exceed the sample lose what they stand before, with a warning each.
fn wrong_lengths_lose_one_sample(stream: &[u8]) -> Outcome {
    let units: Vec<_> = nals(stream)
        .into_iter()
        .map(|nal| stream[nal.header..nal.range.end].to_vec())
        .collect();
    let sample = |length: u32, unit: &[u8]| [&length.to_be_bytes()[..], unit].concat();
    let good: Vec<_> = units.iter().map(|unit| sample(unit.len() as u32, unit)).collect();
    let good_story = story_of(&Pieces::Avcc(good.clone()))?;
    let with_empty = good
        .iter()
        .map(|piece| [&[0; 8], &piece[..], &[0; 4]].concat())
        .collect();
    let story = survive(&Pieces::Avcc(with_empty), &Pieces::Avcc(good.clone()), &good_story)?;
    if story != good_story {
        return Err(format!("with empty NAL units {story:?}, without {good_story:?}").into());
    }
    let mut dice = Dice::new(5);
    for length in [1 << 30, u32::MAX, 0x7fff_ffff] {
        let mut claimed = good.clone();
        let lost = dice.below(claimed.len());
        claimed[lost] = sample(length, &units[lost]);
        let story = survive(&Pieces::Avcc(claimed), &Pieces::Avcc(good.clone()), &good_story)?;
        if !story.warnings.iter().any(|warning| warning.contains("NALUnitLength")) {
            return Err(format!("a NAL unit of {length} bytes: no warning says so: {story:?}").into());
        }
    }
    Ok(())
}

/// The refusal names the tool.
fn must_be_refused(story: &Story, words: &str) -> Outcome {
    match &story.refusal {
        Some(refusal) if refusal.contains(words) => Ok(()),
        Some(_) | None => Err(format!("not refused as {words:?}: {story:?}").into()),
    }
}
