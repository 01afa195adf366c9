//! Which streams are run on the test kernel.

use crate::vectors::{self, Vector};
use crate::{Outcome, project_root};

/// The streams with these titles; without any, those of `tests/kernel/streams.txt`, or with `FOURIER_ALL` all of the
/// index. None where there are no vectors.
///
/// # Errors
/// Names a stream that the index does not have.
pub fn choose(titles: &[&str]) -> Outcome<Vec<Vector>> {
    let index = vectors::load()?;
    let list = std::fs::read_to_string(project_root().join("tests/kernel/streams.txt"))?;
    let titles: Vec<&str> = match titles {
        [] if index.is_empty() || is_all_wanted() => return Ok(index),
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

fn is_all_wanted() -> bool {
    std::env::var_os("FOURIER_ALL").is_some_and(|value| !value.is_empty())
}

/// The first word of a line of the list; what follows says why the stream is in it.
fn title(line: &str) -> Option<&str> {
    line.split_ascii_whitespace()
        .next()
        .filter(|word| !word.starts_with('#'))
}
