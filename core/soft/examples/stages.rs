//! How fast the two stages decode an Annex B stream; `cargo run --release -p fourier-soft --example stages [FILE [YUV]]`.
//!
//! Without a file it takes a 1080p stream of the vectors; with a second one it also writes the frames, planar.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use fourier_soft::DecodeMode;

#[path = "../tests/common/mod.rs"]
mod common;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let big = |vectors: PathBuf| vectors.join("openh264/VID_1920x1080_cabac_temporal_direct.264");
    let path = arguments
        .next()
        .or_else(|| common::vectors().map(big))
        .ok_or("usage: stages FILE [YUV]")?;
    let stream = fs::read(path)?;
    if let Some(path) = arguments.next() {
        let mut out = BufWriter::new(File::create(path)?);
        let mut written = Ok(());
        common::decode::<u8>(&stream, DecodeMode::FrameBased, |frame| {
            if written.is_ok() {
                written = out.write_all(&frame.planar());
            }
        });
        written?;
    }
    for _ in 0..3 {
        let report = common::decode::<u8>(&stream, DecodeMode::FrameBased, |_| {});
        let rate = |time: Duration| report.frames as f64 / time.as_secs_f64();
        println!(
            "{} frames; parsing {:.1}, reconstruction {:.1}, both {:.1} frames per second",
            report.frames,
            rate(report.parsing),
            rate(report.reconstruction),
            rate(report.parsing + report.reconstruction),
        );
    }
    Ok(())
}
