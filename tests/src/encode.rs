//! Streams made on the spot: our own moving pictures through x264, and libavcodec's opinion of them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fourier_core::units::Size;

use crate::Outcome;

/// What to encode, and how.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Recipe {
    /// Names the stream.
    pub name: &'static str,
    /// Size of the pictures.
    pub size: Size,
    /// Number of pictures.
    pub frames: u32,
    /// x264's options.
    pub options: &'static str,
}

/// Pictures with something of everything: a panning texture, boxes that cross it, noise and a fade.
#[derive(Clone, Copy, Debug)]
struct Scene {
    size: Size,
    frames: u32,
}

/// A value that looks random and always is the same (the finaliser of MurmurHash3).
fn scatter(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x85eb_ca6b);
    x ^= x >> 13;
    x = x.wrapping_mul(0xc2b2_ae35);
    x ^ x >> 16
}

/// Random values at a grid of 8 samples, linear between: 0 to 255.
fn texture(x: u32, y: u32, salt: u32) -> u32 {
    let corner = |dx: u32, dy: u32| scatter((x / 8 + dx) * 7919 + (y / 8 + dy) * 104_729 + salt) & 255;
    let (fx, fy) = (x % 8, y % 8);
    let top = corner(0, 0) * (8 - fx) + corner(1, 0) * fx;
    let bottom = corner(0, 1) * (8 - fx) + corner(1, 1) * fx;
    (top * (8 - fy) + bottom * fy) / 64
}

impl Scene {
    /// One sample of picture `t`; `component` 0 is luma, coordinates are luma's.
    fn sample(&self, component: u32, x: u32, y: u32, t: u32) -> u8 {
        let in_box = |n: u32| {
            let span = |length: u32, speed: u32| (scatter(n) + t * speed) % length.max(1);
            let (left, top) = (span(self.size.width, 3 + n), span(self.size.height, 2 + n));
            (left..left + 12 + 8 * n).contains(&x) && (top..top + 16).contains(&y)
        };
        let value = match (0..3).find(|&n| in_box(n)) {
            Some(n) => texture(x + 5 * t, y + 1000 * n, 77 + component),
            None => texture(x + 2 * t, y + t, component) / 2 + 48,
        };
        let noise = scatter(x + y * 8192 + t * 0x10_0003 + component) & 7;
        // The picture darkens over the second half: something for weighted prediction.
        let fade = 256 - 160 * (2 * t).saturating_sub(self.frames) / self.frames.max(1);
        match component {
            0 => ((value + noise) * fade / 256).min(255) as u8,
            _ => (128 + (value as i32 - 112) / 2 * fade as i32 / 256).clamp(0, 255) as u8,
        }
    }

    /// Writes every picture as YUV4MPEG2.
    fn write_y4m(&self, mut out: impl Write) -> std::io::Result<()> {
        let Size { width, height } = self.size;
        writeln!(out, "YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg")?;
        for t in 0..self.frames {
            let mut picture = b"FRAME\n".to_vec();
            for component in 0..3 {
                let step = if component == 0 { 1 } else { 2 };
                let rows = (0..height).step_by(step);
                picture
                    .extend(rows.flat_map(|y| (0..width).step_by(step).map(move |x| self.sample(component, x, y, t))));
            }
            out.write_all(&picture)?;
        }
        Ok(())
    }
}

/// Encodes with x264 into an Annex B file.
///
/// # Errors
/// When x264 is missing or refuses.
pub fn encode(recipe: &Recipe, target: &Path) -> Outcome {
    let mut x264 = Command::new("x264")
        .args("--quiet --threads 1 --lookahead-threads 1 --demuxer y4m --muxer raw".split(' '))
        .args(recipe.options.split_ascii_whitespace())
        .arg("--output")
        .arg(target)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("x264: {error}"))?;
    let scene = Scene {
        size: recipe.size,
        frames: recipe.frames,
    };
    let fed = x264.stdin.take().map(|stdin| scene.write_y4m(stdin));
    let done = x264.wait_with_output()?;
    if !done.status.success() {
        return Err(format!("x264 {}: {}", recipe.options, String::from_utf8_lossy(&done.stderr)).into());
    }
    Ok(fed.transpose().map(|_| ())?)
}

/// The stream of `recipe` as a file of `folder`: made once, named by the recipe, there complete or not at all.
///
/// # Errors
/// When x264 is missing or refuses.
pub fn kept(recipe: &Recipe, folder: &Path) -> Outcome<PathBuf> {
    let mut hasher = DefaultHasher::new();
    recipe.hash(&mut hasher);
    let path = folder.join(format!("{}-{:016x}.264", recipe.name, hasher.finish()));
    if !path.exists() {
        std::fs::create_dir_all(folder)?;
        // Others may be at it.
        let unfinished = tempfile::NamedTempFile::new_in(folder)?;
        encode(recipe, unfinished.path())?;
        unfinished.persist(&path)?;
    }
    Ok(path)
}

/// Encodes with x264 to Annex B bytes.
///
/// # Errors
/// When x264 is missing or refuses.
pub fn encoded(recipe: &Recipe) -> Outcome<Vec<u8>> {
    let file = tempfile::NamedTempFile::new()?;
    encode(recipe, file.path())?;
    Ok(std::fs::read(file.path())?)
}

/// Packs an Annex B file into another container without touching its pictures; the name's ending says which.
///
/// # Errors
/// When ffmpeg is missing or refuses.
pub fn remux(elementary: &Path, target: &Path) -> Outcome {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .args(["-v", "error", "-y", "-framerate", "25", "-f", "h264", "-i"])
        .arg(elementary);
    ffmpeg.args(["-c", "copy"]).arg(target);
    run(ffmpeg).map(|_| ())
}

/// Writes the H.264 stream of a file as Annex B.
///
/// # Errors
/// When ffmpeg is missing or refuses.
pub fn take_out(file: &Path, target: &Path) -> Outcome {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y", "-i"]).arg(file);
    ffmpeg.args(["-c", "copy", "-f", "h264"]).arg(target);
    run(ffmpeg).map(|_| ())
}

/// What libavcodec decodes a file to: the md5 of every packed I420 picture, in display order.
///
/// # Errors
/// When ffmpeg is missing or refuses.
pub fn libavcodec_md5s(file: &Path) -> Outcome<Vec<String>> {
    filtered_md5s(file, "null")
}

/// The same of what a filter of FFmpeg makes of the pictures.
///
/// # Errors
/// When ffmpeg is missing or refuses.
pub fn filtered_md5s(file: &Path, filter: &str) -> Outcome<Vec<String>> {
    let mut ffmpeg = Command::new("ffmpeg");
    // Without `unaligned` ffmpeg shifts a crop whose left edge is not aligned for its vector code. That code is left out,
    // because in 5.1 it makes 0 of some implicitly weighted samples of 10 bits.
    ffmpeg
        .args([
            "-v",
            "error",
            "-cpuflags",
            "0",
            "-threads",
            "1",
            "-flags",
            "unaligned",
            "-i",
        ])
        .arg(file);
    ffmpeg.args(["-map", "0:v:0", "-vf", filter]);
    ffmpeg.args("-fps_mode passthrough -noautoscale -f framemd5 -".split(' '));
    let listing = String::from_utf8(run(ffmpeg)?)?;
    let frames = listing.lines().filter(|line| !line.starts_with('#'));
    Ok(frames
        .filter_map(|line| line.rsplit(", ").next())
        .map(|md5| md5.trim().to_owned())
        .collect())
}

/// Runs to the end and gives standard output.
fn run(mut command: Command) -> Outcome<Vec<u8>> {
    let done = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    match done.status.success() {
        true => Ok(done.stdout),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&done.stderr)).into()),
    }
}
