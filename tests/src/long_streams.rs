//! The two 1080p streams that speed is measured with: the same pictures with CABAC and with CAVLC.
//!
//! The CABAC one is of the test vectors where they are; what is missing is encoded with x264, from the pictures of that
//! vector or else from generated ones. Each is repeated into one long file below `target/bench`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Outcome, project_root, vectors};

/// Enough for a second or more of the fastest decoder.
const LEAST_FRAMES: u64 = 300;

/// Where the CABAC stream is among the test vectors, and how many frames it has.
const VECTOR: (&str, u64) = ("openh264/VID_1920x1080_cabac_temporal_direct.264", 54);

/// Frames of generated pictures.
const GENERATED_FRAMES: u64 = 60;

/// A stream to be decoded.
#[derive(Debug)]
pub struct LongStream {
    /// For the table.
    pub title: String,
    /// Annex B.
    pub file: PathBuf,
    /// How many frames are in it.
    pub frames: u64,
}

/// Both streams.
///
/// # Errors
/// Where x264 or ffmpeg is missing or refuses.
pub fn prepare() -> Outcome<[LongStream; 2]> {
    let (cabac, frames) = cabac()?;
    let cavlc = encode(vector().as_deref(), &["--no-cabac"])?;
    let times = LEAST_FRAMES.div_ceil(frames);
    Ok([
        repeated("CABAC", &cabac, frames, times)?,
        repeated("CAVLC", &cavlc, frames, times)?,
    ])
}

/// The CABAC one, once and so many times.
///
/// # Errors
/// Where there are no test vectors, and x264 or ffmpeg is missing or refuses.
pub fn short_and_long(times: u64) -> Outcome<[LongStream; 2]> {
    let (stream, frames) = cabac()?;
    Ok([
        repeated("CABAC once", &stream, frames, 1)?,
        repeated("CABAC", &stream, frames, times)?,
    ])
}

/// The bytes of the CABAC stream, and how many frames it has.
fn cabac() -> Outcome<(Vec<u8>, u64)> {
    match vector() {
        Some(vector) => Ok((std::fs::read(vector)?, VECTOR.1)),
        None => Ok((encode(None, &[])?, GENERATED_FRAMES)),
    }
}

fn vector() -> Option<PathBuf> {
    Some(vectors::folder().join(VECTOR.0)).filter(|path| path.exists())
}

/// Repeats a stream, which begins with an IDR picture.
fn repeated(name: &str, stream: &[u8], frames: u64, times: u64) -> Outcome<LongStream> {
    let folder = project_root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{name}.264").to_lowercase().replace(' ', "-"));
    let mut out = std::fs::File::create(&file)?;
    for _ in 0..times {
        out.write_all(stream)?;
    }
    let kilobits = stream.len() as u64 * 8 / 1000 / frames;
    Ok(LongStream {
        title: format!("{name}, {kilobits} kbit a frame"),
        file,
        frames: frames * times,
    })
}

/// Pictures of `source`, or generated ones, through x264 (which chooses CABAC by itself).
fn encode(source: Option<&Path>, options: &[&str]) -> Outcome<Vec<u8>> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error"]);
    match source {
        Some(path) => ffmpeg.arg("-i").arg(path),
        None => ffmpeg
            .args([
                "-f",
                "lavfi",
                "-i",
                "testsrc2=size=1920x1080:rate=25,noise=alls=6:allf=t",
            ])
            .args(["-frames:v", &GENERATED_FRAMES.to_string()]),
    };
    ffmpeg.args("-fps_mode passthrough -pix_fmt yuv420p -strict -1 -f yuv4mpegpipe -".split(' '));
    let mut pictures = ffmpeg
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("ffmpeg: {error}"))?;
    let mut x264 = Command::new("x264");
    x264.args("--quiet --preset medium --profile high --crf 21 --demuxer y4m --muxer raw".split(' '));
    x264.args(options).args(["--output", "-", "-"]);
    if let Some(pictures) = pictures.stdout.take() {
        x264.stdin(pictures);
    }
    let encoded = x264.output().map_err(|error| format!("x264: {error}"))?;
    let fed = pictures.wait()?;
    if !fed.success() || !encoded.status.success() {
        return Err(format!(
            "ffmpeg {fed}, x264 {}: {}",
            encoded.status,
            String::from_utf8_lossy(&encoded.stderr)
        )
        .into());
    }
    Ok(encoded.stdout)
}
