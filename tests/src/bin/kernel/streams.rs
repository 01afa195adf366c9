//! Which streams are run, and where their results lie.

use std::path::{Path, PathBuf};

use fourier_tests::vectors::{self, Vector};
use fourier_tests::{Outcome, project_root};

/// The streams with these titles; without any, those of the checked-in list, or with `FOURIER_ALL` all of the index.
///
/// # Errors
/// Names a stream that the index does not have.
pub fn choose(titles: &[&str]) -> Outcome<Vec<Vector>> {
    let index = vectors::load()?;
    let list = std::fs::read_to_string(project_root().join("tests/kernel/streams.txt"))?;
    let titles: Vec<&str> = match titles {
        [] if std::env::var_os("FOURIER_ALL").is_some_and(|value| !value.is_empty()) => return Ok(index),
        [] => list.lines().filter_map(title).collect(),
        titles => titles.to_vec(),
    };
    let find = |title: &&str| {
        let found = index.iter().find(|vector| vector.title() == **title);
        found
            .cloned()
            .ok_or_else(|| format!("not in the index: {title}").into())
    };
    titles.iter().map(find).collect()
}

/// The first word of a line of the list; what follows says why the stream is in it.
fn title(line: &str) -> Option<&str> {
    line.split_ascii_whitespace()
        .next()
        .filter(|word| !word.starts_with('#'))
}

/// The controls of a stream, traced.
pub fn trace_of(folder: &Path, vector: &Vector) -> PathBuf {
    folder.join(&vector.suite).join(format!("{}.trace.gz", vector.name))
}

/// The frames of a stream: one line for each, and how it ended.
pub fn frames_of(folder: &Path, vector: &Vector) -> PathBuf {
    folder.join(&vector.suite).join(format!("{}.frames", vector.name))
}
