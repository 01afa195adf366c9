//! The controls of two decoders over all streams, as a table, against the list of explained differences.

use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use fourier_tests::Outcome;
use fourier_tests::kernel::compare::{Comparison, compare};
use fourier_tests::kernel::explained::Explained;
use fourier_tests::kernel::normal::NormalTrace;
use fourier_tests::kernel::trace;
use fourier_tests::vectors::Vector;

use crate::streams::{frames_of, trace_of};

/// Compares the second folder of each pair with the first, the peer's, and prints a line for each stream.
///
/// # Errors
/// When a difference has no explanation, or an explanation no difference; and when no stream was decoded.
pub fn compare_folders(explained: &Path, pairs: &[[&str; 2]], streams: &[Vector]) -> Outcome {
    let explained = Explained::parse(&std::fs::read_to_string(explained)?)?;
    let mut unexplained = 0;
    for [peers, ours] in pairs {
        unexplained += compare_folder(Path::new(peers), Path::new(ours), streams, &explained)?;
    }
    let titles: Vec<String> = streams.iter().map(Vector::title).collect();
    let stale: Vec<String> = explained.stale(&titles).collect();
    for line in &stale {
        println!("explains nothing any more: {line}");
    }
    match unexplained + stale.len() {
        0 => Ok(()),
        _ => Err("the controls differ from the peer's".into()),
    }
}

/// Gives the number of differences without an explanation.
fn compare_folder(peers: &Path, ours: &Path, streams: &[Vector], explained: &Explained) -> Outcome<usize> {
    println!("\n{:<52} {:>11}  fields that differ", ours.display(), "jobs");
    let (mut unexplained, mut jobs, mut refused) = (0, 0, 0);
    for vector in streams {
        let comparison = compare(&load(ours, vector)?, &load(peers, vector)?);
        // An application of VA has no such words for it.
        let by_both = |_: &String| comparison.jobs == [0, 0];
        let reason = match refusal(ours, vector)? {
            None => refusal(peers, vector)?.filter(by_both),
            reason => reason,
        };
        if let Some(reason) = reason {
            println!("{:<52} {:>11}  {reason}", vector.title(), "refused");
            refused += 1;
            continue;
        }
        jobs += comparison.jobs[0];
        unexplained += print(&vector.title(), &comparison, explained);
    }
    println!(
        "{} streams, {refused} of them refused, {jobs} jobs, {unexplained} differences without an explanation",
        streams.len()
    );
    match jobs {
        0 => Err("nothing was decoded".into()),
        _ => Ok(unexplained),
    }
}

/// Why a stream was refused: for a tool that it has, or for its size. Any other refusal is a failure to decode.
fn refusal(folder: &Path, vector: &Vector) -> Outcome<Option<String>> {
    let shown = std::fs::read_to_string(frames_of(folder, vector))?;
    let Some((_, reason)) = shown.split_once("error: This stream cannot be decoded here: ") else {
        return Ok(None);
    };
    let by_device = ["it takes", "bits per sample by", "sampling by"];
    let has_reason =
        vector.must_name_an_unsupported_tool(reason).is_ok() || by_device.iter().any(|limit| reason.contains(limit));
    Ok(has_reason.then(|| reason.trim().to_owned()))
}

fn load(folder: &Path, vector: &Vector) -> Outcome<NormalTrace> {
    let path = trace_of(folder, vector);
    let about = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = std::fs::File::open(&path).map_err(|error| about(&error))?;
    let mut text = String::new();
    GzDecoder::new(file)
        .read_to_string(&mut text)
        .map_err(|error| about(&error))?;
    let jobs = trace::parse(&text).map_err(|error| about(&error))?;
    Ok(NormalTrace::new(&jobs))
}

/// Prints a stream's line; gives the number of differences without an explanation.
fn print(title: &str, comparison: &Comparison, explained: &Explained) -> usize {
    let [ours, peers] = comparison.jobs;
    let jobs = if ours == peers {
        ours.to_string()
    } else {
        format!("{ours} / {peers}")
    };
    let reasons: Vec<_> = comparison
        .differences
        .iter()
        .map(|(field, difference)| (field, difference, explained.reason(title, field)))
        .collect();
    let known: Vec<&str> = reasons
        .iter()
        .filter(|(_, _, reason)| reason.is_some())
        .map(|(field, ..)| field.as_str())
        .collect();
    let known = match known.as_slice() {
        [] => String::new(),
        fields => format!("explained: {}", fields.join(", ")),
    };
    println!("{title:<52} {jobs:>11}  {known}");
    let unknown = reasons.iter().filter(|(_, _, reason)| reason.is_none());
    unknown
        .inspect(|(field, difference, _)| {
            println!(
                "    {field}: in {} jobs, first in {}: {}",
                difference.jobs, difference.first, difference.example
            );
        })
        .count()
}
