//! The test vectors: the index of streams with the md5 of their pictures, and what is expected of each.

use std::fmt;
use std::path::{Path, PathBuf};

use fourier_core::units::Size;

use crate::Outcome;
use crate::picture::{Digest, Planar};

/// How the stream is packed in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Annex B bytes.
    Elementary,
    /// ISO base media.
    Mp4,
    /// Matroska.
    Matroska,
    /// Flash video.
    Flv,
    /// MPEG-2 transport stream.
    TransportStream,
}

impl Container {
    /// By the extension of the file.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("mp4") => Self::Mp4,
            Some("mkv") => Self::Matroska,
            Some("flv") => Self::Flv,
            Some("ts") => Self::TransportStream,
            _ => Self::Elementary,
        }
    }

    /// GStreamer's element that takes the container apart.
    pub fn demuxer(self) -> Option<&'static str> {
        match self {
            Self::Elementary => None,
            Self::Mp4 => Some("qtdemux"),
            Self::Matroska => Some("matroskademux"),
            Self::Flv => Some("flvdemux"),
            Self::TransportStream => Some("tsdemux"),
        }
    }
}

/// A coding tool that this decoder refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// Flexible macroblock ordering: no stateless decoder has it.
    Fmo,
    /// 4:4:4, lossless included.
    Chroma444,
}

impl fmt::Display for Unsupported {
    /// In the words of the decoder's own error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fmo => "flexible macroblock ordering",
            Self::Chroma444 => "4:4:4",
        })
    }
}

/// What the programs around a decoder make of a stream, where that is not what the index has; or why a control cannot
/// see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// With a driver of libva, ffmpeg shows more or less of each picture.
    CroppedByFfmpeg,
    /// It ends with an `end_of_stream` NAL unit, which is one byte: too short for h264parse, which ends the pipeline
    /// before the last pictures are through.
    GivenUpByParser,
    /// The decoder gets samples twice.
    RepeatedByDemuxer,
    /// The decoder gets nothing.
    RefusedByDemuxer,
    /// A filter that takes colour and contrast away leaves it as it is.
    OfOneColour,
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CroppedByFfmpeg => "ffmpeg crops frames of drivers at the right and the bottom only",
            Self::GivenUpByParser => "h264parse gives up before the end",
            Self::RepeatedByDemuxer => "qtdemux gives the samples of overlapping fragments twice",
            Self::RefusedByDemuxer => "qtdemux refuses it",
            Self::OfOneColour => "its pictures are of one colour",
        })
    }
}

const ODDITIES: &[(&str, Oddity)] = &[
    ("CVFC1_Sony_C.jsv", Oddity::CroppedByFfmpeg),
    ("croprect_320x240.264", Oddity::CroppedByFfmpeg),
    ("extradata-reload-multi-stsd.mp4", Oddity::CroppedByFfmpeg),
    ("FRExt2_Panasonic.avc", Oddity::GivenUpByParser),
    ("frag_overlap.mp4", Oddity::RepeatedByDemuxer),
    ("streamloop.mp4", Oddity::RefusedByDemuxer),
    ("x264_test.264", Oddity::OfOneColour),
];

/// What a stream must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Every picture equals the reference to the last bit.
    BitExact,
    /// An error names one of [`Vector::unsupported_tools`].
    Refused,
    /// Damaged on purpose or without an agreed result: it ends, and twice the same.
    Survives,
}

/// One stream of the index.
#[derive(Clone, Debug)]
pub struct Vector {
    /// Folder of the suite.
    pub suite: String,
    /// File name in it.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// How it is packed.
    pub container: Container,
    /// Coding tools, as the index words them.
    pub features: Vec<String>,
    /// Number of pictures of the reference.
    pub frames: usize,
    /// Visible size of the first picture; `None` where the reference has no picture.
    pub size: Option<Size>,
    /// FFmpeg's name of the sample format.
    pub pixel_format: String,
    /// md5 of the visible planar pictures in display order.
    pub yuv_md5: String,
    /// What is odd about it.
    pub note: String,
}

/// Streams that have no agreed result though their note does not say so, with the reason.
const NO_AGREED_RESULT: &[(&str, &str)] = &[
    (
        "H264_might_overflow.mkv",
        "starts in the middle of its only GOP: the reference gives no picture at all",
    ),
    (
        "Error_I_P.264",
        "slices are missing from five of its six pictures: concealment is every decoder's own",
    ),
];

/// Streams whose md5 in the index is not that of their visible pictures: name, the right md5, the reason.
const CORRECTED_MD5: &[(&str, &str, &str)] = &[
    (
        "croprect_320x240.264",
        "27fdd690f7a52cda6cbd1502891cb110",
        "the index has what FFmpeg gives without `-flags unaligned`: the left edge shifted to where its vector code likes it",
    ),
    (
        "reschange_depth_aga.264",
        "7381f12eff1bb9017bf2116a15075a9f",
        "the index has all pictures as 8 bits: frames 15 to 24 are those of part_g_10bit_320x240.264, of 10 bits",
    ),
];

impl Vector {
    fn parse(folder: &Path, line: &str) -> Option<Self> {
        let mut columns = line.split('\t');
        let suite = columns.next()?.to_owned();
        let name = columns.next()?.to_owned();
        let (_bytes, _profile) = (columns.next()?, columns.next()?);
        let features = columns.next()?.split(' ').map(str::to_owned).collect();
        let frames = columns.next()?.parse().ok()?;
        let size = parse_size(columns.next()?);
        let pixel_format = columns.next()?.to_owned();
        let index_md5 = columns.next()?;
        let corrected = CORRECTED_MD5.iter().find(|(stream, ..)| *stream == name);
        let yuv_md5 = corrected.map_or(index_md5, |(_, md5, _)| md5).to_owned();
        let _confirmations = columns.next()?;
        let note = columns.next().unwrap_or_default().to_owned();
        let path = folder.join(&suite).join(&name);
        let container = Container::of(&path);
        Some(Self {
            suite,
            name,
            path,
            container,
            features,
            frames,
            size,
            pixel_format,
            yuv_md5,
            note,
        })
    }

    /// `suite/name`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.suite, self.name)
    }

    /// It uses the tool, by the index's word for it.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|f| f == feature)
    }

    /// The tools of the stream that are out of reach.
    pub fn unsupported_tools(&self) -> Vec<Unsupported> {
        [
            (self.has("FMO"), Unsupported::Fmo),
            (self.has("4:4:4"), Unsupported::Chroma444),
        ]
        .into_iter()
        .filter_map(|(used, tool)| used.then_some(tool))
        .collect()
    }

    /// What its pictures are compared as; those of a stream that changes its bit depth come as they are.
    pub fn planar(&self) -> Planar {
        Planar::of_ffmpeg(&self.pixel_format)
    }

    /// The bit depth changes within the stream.
    pub fn changes_bit_depth(&self) -> bool {
        self.changes_format() && self.features.iter().any(|feature| feature.starts_with("bd10"))
    }

    /// The picture format changes within the stream.
    pub fn changes_format(&self) -> bool {
        self.features
            .iter()
            .any(|feature| feature.starts_with("res/format-change"))
    }

    /// What it must do.
    pub fn expectation(&self) -> Expectation {
        if !self.unsupported_tools().is_empty() {
            Expectation::Refused
        } else if self.reason_to_only_survive().is_some() {
            Expectation::Survives
        } else {
            Expectation::BitExact
        }
    }

    /// What is odd about it for programs.
    pub fn oddity(&self) -> Option<Oddity> {
        let known = ODDITIES.iter().find(|(name, _)| *name == self.name);
        known.map(|&(_, oddity)| oddity)
    }

    /// Nothing but grey is to come out, so that a decoder that paints grey cannot be told from a right one.
    pub fn is_grey(&self) -> bool {
        let size = self.size.unwrap_or_default();
        self.reference() == Digest::of_grey(self.planar(), size, self.frames)
    }

    /// Fails unless `error` names a tool of the stream that is out of reach.
    ///
    /// # Errors
    /// Says what it should have named.
    pub fn must_name_an_unsupported_tool(&self, error: &str) -> Outcome {
        let tools: Vec<_> = self.unsupported_tools().iter().map(Unsupported::to_string).collect();
        match tools.iter().any(|tool| error.contains(tool)) {
            true => Ok(()),
            false => Err(format!("the error names none of {tools:?}: {error}").into()),
        }
    }

    /// The pictures that are to come out.
    pub fn reference(&self) -> Digest {
        Digest {
            frames: self.frames,
            md5: self.yuv_md5.clone(),
        }
    }

    /// Why its pictures are not compared, where that is so.
    pub fn reason_to_only_survive(&self) -> Option<&str> {
        let known = NO_AGREED_RESULT.iter().find(|(name, _)| *name == self.name);
        match known {
            Some((_, reason)) => Some(reason),
            None => self
                .note
                .starts_with("damaged or odd")
                .then_some("damaged or odd on purpose"),
        }
    }
}

fn parse_size(text: &str) -> Option<Size> {
    let (width, height) = text.split_once('x')?;
    let size = Size {
        width: width.parse().ok()?,
        height: height.parse().ok()?,
    };
    (size.width > 0 && size.height > 0).then_some(size)
}

/// Where the vectors are: `FOURIER_VECTORS`, else `../shared/vectors` from the project's root.
pub fn folder() -> PathBuf {
    match std::env::var_os("FOURIER_VECTORS") {
        Some(folder) => folder.into(),
        None => crate::project_root().join("../shared/vectors"),
    }
}

/// Reads the index; empty (and said on standard output) where there are no vectors.
///
/// # Errors
/// An index that cannot be read, naming the line.
pub fn load() -> Outcome<Vec<Vector>> {
    let folder = folder();
    let index = folder.join("INDEX.tsv");
    if !index.exists() {
        println!(
            "no test vectors at {}: set FOURIER_VECTORS to run them",
            folder.display()
        );
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&index)?;
    text.lines()
        .enumerate()
        .skip(1)
        .map(|(number, line)| {
            Vector::parse(&folder, line)
                .ok_or_else(|| format!("{}:{}: not a stream", index.display(), number + 1).into())
        })
        .collect()
}

/// Prints how many of the streams are compared, and each that is not, with the reason.
pub fn report(vectors: &[Vector]) {
    let compared = vectors
        .iter()
        .filter(|v| v.expectation() == Expectation::BitExact)
        .count();
    println!(
        "{compared} of {} streams are compared with their reference",
        vectors.len()
    );
    for vector in vectors {
        let tools: Vec<_> = vector.unsupported_tools().iter().map(Unsupported::to_string).collect();
        let title = vector.title();
        match (vector.expectation(), vector.reason_to_only_survive(), vector.oddity()) {
            (Expectation::Refused, ..) => println!("  {title}: must be refused ({})", tools.join(", ")),
            (Expectation::Survives, Some(reason), _) => println!("  {title}: must only end ({reason})"),
            (Expectation::BitExact, _, Some(oddity)) => println!("  {title}: {oddity}"),
            (Expectation::Survives, None, _) | (Expectation::BitExact, _, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(features: &str, note: &str) -> Vector {
        let line = format!("suite\tname.mkv\t9\tHigh\t{features}\t3\t16x32\tyuv420p\tmd5\tnobody\t{note}");
        Vector::parse(Path::new("/vectors"), &line).expect("a line of the index")
    }

    #[test]
    fn a_line_of_the_index_becomes_a_vector() {
        let vector = vector("slices:IP CAVLC", "");
        assert_eq!(vector.title(), "suite/name.mkv");
        assert_eq!(vector.size, Some(Size { width: 16, height: 32 }));
        assert_eq!(vector.container, Container::Matroska);
        assert!(vector.has("CAVLC") && !vector.has("CABAC"));
        assert_eq!(vector.expectation(), Expectation::BitExact);
    }

    #[test]
    fn a_stream_is_refused_for_the_tool_that_is_out_of_reach() {
        for (features, tools) in [
            ("slices:IP FMO FMOtype1", vec![Unsupported::Fmo]),
            ("bd10/10 4:4:4", vec![Unsupported::Chroma444]),
            ("4:4:4 lossless-bypass", vec![Unsupported::Chroma444]),
        ] {
            let vector = vector(features, "damaged or odd on purpose");
            assert_eq!(vector.expectation(), Expectation::Refused);
            assert_eq!(vector.unsupported_tools(), tools);
        }
    }

    #[test]
    fn a_stream_damaged_on_purpose_has_to_survive_only() {
        assert_eq!(
            vector("slices:I", "damaged or odd on purpose: x").expectation(),
            Expectation::Survives
        );
    }

    #[test]
    fn a_size_of_nothing_is_no_size() {
        assert_eq!(parse_size("0x0"), None);
        assert_eq!(parse_size("?x?"), None);
    }
}
