//! What is played: the clip of the project, and small streams made once.

use std::path::{Path, PathBuf};

use fourier_core::units::Size;
use fourier_tests::encode::{self, Recipe};
use fourier_tests::vectors::Container;
use fourier_tests::{Outcome, project_root};

/// A file, and what must come of it.
#[derive(Clone, Debug)]
pub struct Clip {
    /// The file.
    pub path: PathBuf,
    /// How it is packed.
    pub container: Container,
    /// How many frames it has.
    pub frames: usize,
}

/// 100 frames with B frames in MP4, an IDR picture every second.
pub fn counter() -> Clip {
    Clip {
        path: project_root().join("tests/media/counter.mp4"),
        container: Container::Mp4,
        frames: 100,
    }
}

/// Forty pictures of four slices, with B pictures that are references, and an IDR picture every ten.
pub fn sliced() -> Outcome<Clip> {
    made(&Recipe {
        name: "sliced",
        size: Size {
            width: 176,
            height: 144,
        },
        frames: 40,
        options: "--preset faster --profile main --slices 4 --bframes 3 --b-pyramid normal --keyint 10 --min-keyint 10",
    })
}

/// Ten times two streams of different sizes, one after the other.
pub fn of_two_sizes() -> Outcome<Clip> {
    let of_size = |name, width, height| {
        made(&Recipe {
            name,
            size: Size { width, height },
            frames: 6,
            options: "--preset faster --profile high --bframes 2 --aud",
        })
    };
    let both = [of_size("small", 128, 96)?, of_size("large", 320, 176)?];
    let path = folder().join("two-sizes.264");
    let bytes: Vec<u8> = [std::fs::read(&both[0].path)?, std::fs::read(&both[1].path)?].concat();
    std::fs::write(&path, bytes.repeat(10))?;
    Ok(Clip {
        path,
        container: Container::Elementary,
        frames: 120,
    })
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn made(recipe: &Recipe) -> Outcome<Clip> {
    let path = encode::kept(recipe, folder())?;
    Ok(Clip {
        path,
        container: Container::Elementary,
        frames: recipe.frames as usize,
    })
}
