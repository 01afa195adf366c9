//! Seeks to pictures that are no IDR pictures: what is shown from there on is what was shown there without a seek.

use std::path::{Path, PathBuf};
use std::process::Command;

use fourier_core::units::Size;
use fourier_tests::Outcome;
use fourier_tests::encode::{self, Recipe};
use fourier_tests::picture::{Digest, Digester, Planar};
use fourier_tests::va::{Decoded, VaDisplay};

use crate::OfPrograms;

/// The tests.
pub const TESTS: &[OfPrograms] = &[
    ("ffmpeg seeks within open GOPs", |display| {
        ffmpeg_seeks(display, &OPEN_GOP)
    }),
    ("ffmpeg seeks within an intra refresh", |display| {
        ffmpeg_seeks(display, &INTRA_REFRESH)
    }),
    ("ffmpeg seeks within fields", |display| ffmpeg_seeks(display, &FIELDS)),
    ("mpv seeks within open GOPs", |display| mpv_seeks(display, &OPEN_GOP)),
    ("mpv seeks within an intra refresh", |display| {
        mpv_seeks(display, &INTRA_REFRESH)
    }),
    ("mpv seeks within fields", |display| mpv_seeks(display, &FIELDS)),
];

/// Streams with one IDR picture, the first. The containers of x264 have times, which seeks need.
const fn recipe(name: &'static str, options: &'static str) -> Recipe {
    Recipe {
        name,
        size: Size {
            width: 176,
            height: 144,
        },
        frames: FRAMES,
        options,
    }
}

const FRAMES: u32 = 100;
const OPEN_GOP: Recipe = recipe(
    "open-gop",
    "--muxer mkv --profile high --open-gop --keyint 20 --min-keyint 20 --scenecut 0 --bframes 3 --b-adapt 0 --crf 26",
);
const INTRA_REFRESH: Recipe = recipe(
    "intra-refresh",
    "--muxer mkv --profile high --intra-refresh --keyint 20 --scenecut 0 --bframes 2 --crf 26",
);
const FIELDS: Recipe = recipe(
    "fields",
    "--muxer mkv --profile high --tff --open-gop --keyint 20 --min-keyint 20 --scenecut 0 --bframes 3 --crf 26",
);

/// Seconds, of four.
const TIMES: [&str; 3] = ["1.1", "1.7", "2.6"];

/// A file and its pictures, one after the other.
struct Linear {
    _folder: tempfile::TempDir,
    file: PathBuf,
    pictures: Vec<u8>,
    size: Size,
}

impl Linear {
    fn new(recipe: &Recipe) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("stream.mkv");
        encode::encode(recipe, &file)?;
        let this = Self {
            pictures: decode_without_driver(&file, &[])?,
            _folder: folder,
            file,
            size: recipe.size,
        };
        match this.count(&this.pictures) == FRAMES as usize {
            true => Ok(this),
            false => Err(format!("{} pictures of {FRAMES}", this.count(&this.pictures)).into()),
        }
    }

    fn count(&self, pictures: &[u8]) -> usize {
        pictures.len() / Planar::default().packed_length(self.size)
    }

    /// The digest of the last ones.
    fn last(&self, count: usize) -> Digest {
        let start = self.pictures.len() - count * Planar::default().packed_length(self.size);
        let mut digester = Digester::default();
        digester.push_packed(&self.pictures[start..], Planar::default(), self.size);
        digester.finish()
    }

    /// What the driver decoded must be the last `count` pictures.
    fn must_end_with(&self, decoded: &Decoded, count: usize) -> Outcome {
        if !(1..FRAMES as usize).contains(&count) {
            return Err(format!("{count} pictures of {FRAMES} are no seek").into());
        }
        let counters = decoded.counters;
        // Of an intra refresh, the pictures before the recovery are damaged, and nobody shows them.
        if counters.pictures < count || counters.refused > 0 || counters.copied > 0 {
            return Err(format!(
                "{count} pictures are expected, the driver counted {counters:?}\n{}",
                decoded.log
            )
            .into());
        }
        Ok(decoded.digest(count).must_equal(&self.last(count))?)
    }
}

/// What ffmpeg's own decoder makes of a file.
fn decode_without_driver(file: &Path, before: &[&str]) -> Outcome<Vec<u8>> {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-v", "error"])
        .args(before)
        .arg("-i")
        .arg(file);
    command.args("-map 0:v:0 -fps_mode passthrough -f rawvideo -".split(' '));
    let output = command.output()?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}

fn ffmpeg_seeks(display: &VaDisplay, recipe: &Recipe) -> Outcome {
    let linear = Linear::new(recipe)?;
    for time in TIMES {
        // Without accuracy everything is shown from the picture on that was sought.
        for seek in [&["-ss", time][..], &["-noaccurate_seek", "-ss", time]] {
            let own = decode_without_driver(&linear.file, seek)?;
            let count = linear.count(&own);
            let driver = ["-hwaccel", "vaapi", "-hwaccel_device", display.name()];
            let decoded = display.ffmpeg(&linear.file, &[&driver, seek].concat(), &["-pix_fmt", "yuv420p"])?;
            let right = linear.must_end_with(&decoded, count);
            right.map_err(|error| format!("{} {seek:?}: {error}", recipe.name))?;
        }
    }
    Ok(())
}

fn mpv_seeks(display: &VaDisplay, recipe: &Recipe) -> Outcome {
    let linear = Linear::new(recipe)?;
    let mpv = |decoder: &str, time: &str| {
        let mut command = display.command("mpv");
        command.args("--no-config --no-audio --no-terminal --vf=format=yuv420p".split(' '));
        command.args("--of=rawvideo --ovc=rawvideo --o=/dev/fd/1".split(' '));
        command.args([format!("--hwdec={decoder}"), format!("--start={time}")]);
        command.arg(&linear.file);
        command
    };
    for time in TIMES {
        let own = mpv("no", time).output()?;
        let decoded = display.run(mpv("vaapi-copy", time))?;
        let right = linear.must_end_with(&decoded, linear.count(&own.stdout));
        right.map_err(|error| format!("{} at {time}: {error}", recipe.name))?;
    }
    Ok(())
}
