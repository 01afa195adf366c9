//! Which streams are run on the test kernel.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use crate::encode::{self, Recipe};
use crate::recipes::RECIPES;
use crate::vectors::{self, Container, Vector};
use crate::{Outcome, project_root};

/// The streams with these titles; without any, those of `tests/kernel/streams.txt`, or with `FOURIER_ALL` all of the
/// index. Where there are no vectors: what the project has and can make itself.
///
/// # Errors
/// Names a stream that the index does not have, or that cannot be made.
pub fn choose(titles: &[&str]) -> Outcome<Vec<Vector>> {
    let index = vectors::load()?;
    let list = std::fs::read_to_string(project_root().join("tests/kernel/streams.txt"))?;
    let titles: Vec<&str> = match titles {
        [] if index.is_empty() => return own(),
        [] if is_all_wanted() => return Ok(index),
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

/// `FOURIER_ALL` is set.
pub fn is_all_wanted() -> bool {
    std::env::var_os("FOURIER_ALL").is_some_and(|value| !value.is_empty())
}

/// The first word of a line of the list; what follows says why the stream is in it.
fn title(line: &str) -> Option<&str> {
    line.split_ascii_whitespace()
        .next()
        .filter(|word| !word.starts_with('#'))
}

/// The clip of the project, and what x264 makes of each recipe: once, and kept in the build's folder.
fn own() -> Outcome<Vec<Vector>> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project_root().join("target"), PathBuf::from);
    let folder = target.join("kernel/streams");
    let clip = vector(
        "counter.mp4".to_owned(),
        project_root().join("tests/media/counter.mp4"),
        None,
    );
    let made = RECIPES.iter().map(|recipe| {
        let path = encode::kept(recipe, &folder)?;
        // What was recorded of a stream is kept by its name: another stream needs another one.
        let mut hasher = DefaultHasher::new();
        std::fs::read(&path)?.hash(&mut hasher);
        let name = format!("{}-{:016x}.264", recipe.name, hasher.finish());
        Ok(vector(name, path, Some(recipe)))
    });
    std::iter::once(Ok(clip)).chain(made).collect()
}

fn vector(name: String, path: PathBuf, recipe: Option<&Recipe>) -> Vector {
    Vector {
        suite: "own".to_owned(),
        name,
        container: recipe.map_or(Container::Mp4, |_| Container::Elementary),
        path,
        features: Vec::new(),
        frames: recipe.map_or(100, |recipe| recipe.frames as usize),
        size: recipe.map(|recipe| recipe.size),
        pixel_format: "yuv420p".to_owned(),
        // Nobody compares samples here: visl draws its own.
        yuv_md5: String::new(),
        note: String::new(),
    }
}
