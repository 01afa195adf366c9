//! Elementary streams of the vectors, decoded bit-exact in both decode modes, each mode with its own way to the slice
//! header and the reference lists.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;

use fourier_soft::{DecodeMode, Sample10};
use md5::{Digest, Md5};

/// What a stream needs that is not decoded here, by its line in the index.
fn not_decoded(columns: &[&str]) -> Option<&'static str> {
    let [suite, name, _, _, features, _, _, pix_fmt, _, _, note, ..] = columns else {
        return Some("a line of the index is too short");
    };
    let has = |feature: &str| features.split(' ').any(|token| token.starts_with(feature));
    let is_elementary = matches!(
        name.rsplit('.').next(),
        Some("264" | "h264" | "jsv" | "avc" | "26l" | "jvt")
    );
    let reasons = [
        (
            pix_fmt.starts_with("yuv444") || !pix_fmt.starts_with("yuv"),
            "4:4:4, or no picture at all",
        ),
        (*pix_fmt == "yuv420p" && has("bd10"), "changes its bit depth"),
        (has("FMO"), "FMO"),
        (has("lossless"), "lossless"),
        (
            *suite == "edge264" || note.contains("damaged") || name.starts_with("Error_"),
            "damaged on purpose",
        ),
        (
            has("frame_num-gap") || has("no-IDR"),
            "starts or goes on without its references",
        ),
        (!is_elementary, "in a container"),
    ];
    reasons.iter().find(|(is_so, _)| *is_so).map(|&(_, reason)| reason)
}

/// The md5 of the stream as planar YUV, or what went wrong.
fn md5_of<S: common::FileSample>(stream: &[u8], mode: DecodeMode) -> Result<String, String> {
    let mut md5 = Md5::new();
    let report = common::decode::<S>(stream, mode, |frame| md5.update(frame.planar()));
    if report.refused.is_some() || !report.faults.is_empty() || report.concealed_macroblocks > 0 {
        let first = report.faults.first();
        return Err(format!(
            "refused: {:?}, {} faults ({first:?}), {} macroblocks concealed",
            report.refused,
            report.faults.len(),
            report.concealed_macroblocks
        ));
    }
    Ok(md5.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Streams whose md5 in the index is not that of the cropped picture: libavcodec rounds the left offset of the crop down
/// unless told `-flags unaligned`; these were made with it.
const CORRECTED: [(&str, &str); 1] = [("synthetic/croprect_320x240.264", "27fdd690f7a52cda6cbd1502891cb110")];

/// Decodes every stream in one mode; `FOURIER_ONLY` restricts it to names that contain its value.
fn decode_all(mode: DecodeMode) -> io::Result<()> {
    let Some(folder) = common::vectors() else {
        eprintln!("0 streams decoded: FOURIER_VECTORS names no folder with an INDEX.tsv");
        return Ok(());
    };
    let index = fs::read_to_string(folder.join("INDEX.tsv"))?;
    let only = std::env::var("FOURIER_ONLY").unwrap_or_default();
    let (mut exact, mut failures, mut left_out) = (0, Vec::new(), BTreeMap::<_, Vec<_>>::new());
    for line in index.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').chain([""]).collect();
        let name = format!("{}/{}", columns[0], columns[1]);
        if !name.contains(&only) {
            continue;
        }
        if let Some(reason) = not_decoded(&columns) {
            left_out.entry(reason).or_default().push(name);
            continue;
        }
        let expected = CORRECTED
            .iter()
            .find(|(stream, _)| *stream == name)
            .map_or(columns[8], |&(_, md5)| md5);
        let stream = fs::read(folder.join(&name))?;
        let md5 = match columns[7] {
            "yuv420p10le" | "yuv422p10le" => md5_of::<Sample10>(&stream, mode),
            _ => md5_of::<u8>(&stream, mode),
        };
        match md5 {
            Ok(md5) if md5 == expected => exact += 1,
            Ok(_) => failures.push(format!("{name}: pixels differ ({})", columns[4])),
            Err(why) => failures.push(format!("{name}: {why}")),
        }
    }
    eprintln!("{mode:?}: {exact} streams bit-exact, {} not", failures.len());
    for (reason, names) in left_out {
        eprintln!("{} left out, {reason}: {}", names.len(), names.join(" "));
    }
    assert!(failures.is_empty(), "{failures:#?}");
    Ok(())
}

#[test]
fn streams_are_bit_exact_with_headers_read_from_the_bitstream() -> io::Result<()> {
    decode_all(DecodeMode::FrameBased)
}

#[test]
fn streams_are_bit_exact_with_headers_from_the_controls() -> io::Result<()> {
    decode_all(DecodeMode::SliceBased)
}
