//! Whole streams through libva, to the digest of their pictures.

use fourier_tests::picture::{Digest, Digester, Plane};
use fourier_tests::vectors::Vector;
use fourier_tests::{Outcome, project_root};
use vaclient::{Decoder, Display, Habits, Picture, Shown, va};

use crate::Case;

/// Streams that ffmpeg shows otherwise, or decodes by itself, when it has a driver, with its reason.
const KEPT_BY_FFMPEG: &[(&str, &str)] = &[
    (
        "CVFC1_Sony_C.jsv",
        "it crops frames of drivers at the right and the bottom only",
    ),
    (
        "croprect_320x240.264",
        "it crops frames of drivers at the right and the bottom only",
    ),
];

/// How the samples of a surface are read.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// `vaGetImage`.
    Get,
    /// `vaDeriveImage`.
    Derive,
}

impl Reading {
    /// The samples of `shown`.
    pub fn read(self, display: &Display, shown: &Shown) -> Outcome<Picture> {
        match self {
            Self::Get => Picture::get(display, shown.surface, shown.size),
            Self::Derive => Picture::derive(display, shown.surface),
        }
    }
}

/// Every such stream comes out as the index says.
pub fn kept_by_ffmpeg(vectors: &[Vector]) -> Vec<Case> {
    let reason = |vector: &Vector| KEPT_BY_FFMPEG.iter().find(|(name, _)| *name == vector.name);
    let kept = vectors.iter().filter(|vector| reason(vector).is_some()).cloned();
    kept.map(|vector| {
        Case::new(format!("{} is bit-exact", vector.title()), move || {
            let display = Display::x11()?;
            let stream = std::fs::read(&vector.path)?;
            let decoded = digest(&display, &stream, Habits::default(), Reading::Get)?;
            Ok(decoded.must_equal(&vector.reference())?)
        })
    })
    .collect()
}

/// Adds what is to be seen of a picture.
pub fn digest_picture(digester: &mut Digester, picture: &Picture, shown: &Shown) -> Outcome {
    let plane = |n: usize| Plane {
        bytes: picture.plane(n),
        pitch: picture.pitches[n],
    };
    Ok(digester.push(va::VA_FOURCC_NV12, &[plane(0), plane(1)], shown.visible)?)
}

/// The digest of all pictures of a stream, none of which may be damaged.
pub fn digest(display: &Display, stream: &[u8], habits: Habits, reading: Reading) -> Outcome<Digest> {
    let mut digester = Digester::default();
    Decoder::new(display, habits).decode(stream, &mut |shown| {
        if shown.damaged {
            return Err("a picture is damaged".into());
        }
        digest_picture(&mut digester, &reading.read(display, shown)?, shown)
    })?;
    Ok(digester.finish())
}

/// The clip of the project's own as Annex B, and the digest of its pictures by core alone.
pub fn clip() -> Outcome<(Vec<u8>, Digest)> {
    let clip = project_root().join("tests/media/counter.mp4");
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(clip)
        .args([
            "-map",
            "0:v:0",
            "-c",
            "copy",
            "-bsf:v",
            "h264_mp4toannexb",
            "-f",
            "h264",
            "-",
        ])
        .output()?;
    let device = fourier_core::device::discovery::open_device(Some("soft"))?;
    let (digest, _) = fourier_tests::core_decoder::digest(device, &output.stdout)?;
    Ok((output.stdout, digest))
}
