//! Whole streams through libva, to the digest of their pictures.

use std::path::Path;
use std::process::Command;

use fourier_tests::picture::{Digest, Digester, Plane};
use fourier_tests::vectors::{Container, Oddity, Vector};
use fourier_tests::{Outcome, project_root};
use vaclient::{Decoder, Display, Habits, Picture, Shown};

use crate::Case;

/// How the samples of a surface are read.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// `vaGetImage`.
    Get,
    /// `vaDeriveImage`.
    Derive,
    /// `vaExportSurfaceHandle`.
    Export,
}

impl Reading {
    /// The samples of `shown`.
    pub fn read(self, display: &Display, shown: &Shown) -> Outcome<Picture> {
        match self {
            Self::Get => Picture::get(display, shown.surface, shown.fourcc, shown.size),
            Self::Derive => Picture::derive(display, shown.surface),
            Self::Export => Picture::export(display, shown.surface),
        }
    }
}

/// Whether ffmpeg cannot prove the driver right with a bare stream: it crops by itself, or decodes 10 bits by itself.
fn is_kept_by_ffmpeg(vector: &Vector) -> bool {
    let is_cropped = vector.oddity() == Some(Oddity::CroppedByFfmpeg) && vector.container == Container::Elementary;
    let is_deep = !vector.planar().is_422 && (vector.planar().is_deep || vector.changes_bit_depth());
    is_cropped || is_deep
}

/// Every such stream comes out as the index says.
pub fn kept_by_ffmpeg(vectors: &[Vector]) -> Vec<Case> {
    let kept = vectors.iter().filter(|vector| is_kept_by_ffmpeg(vector)).cloned();
    kept.map(|vector| {
        Case::new(format!("{} is bit-exact", vector.title()), move || {
            let display = Display::x11()?;
            let stream = annex_b(&vector.path)?;
            let decoded = digest(&display, &stream, Habits::default(), Reading::Get)?;
            Ok(decoded.must_equal(&vector.reference())?)
        })
    })
    .collect()
}

/// The video of a file as Annex B.
pub fn annex_b(file: &Path) -> Outcome<Vec<u8>> {
    let is_packed = file
        .extension()
        .is_some_and(|extension| extension == "mp4" || extension == "mkv");
    if !is_packed {
        return Ok(std::fs::read(file)?);
    }
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-i"]).arg(file);
    command.args("-map 0:v:0 -c copy -bsf:v h264_mp4toannexb -f h264 -".split(' '));
    let output = command.output()?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}

/// Adds what is to be seen of a picture.
pub fn digest_picture(digester: &mut Digester, picture: &Picture, shown: &Shown) -> Outcome {
    let plane = |n: usize| Plane {
        bytes: picture.plane(n),
        pitch: picture.pitches[n],
    };
    Ok(digester.push(picture.fourcc, &[plane(0), plane(1)], shown.visible)?)
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
    let stream = annex_b(&project_root().join("tests/media/counter.mp4"))?;
    let device = fourier_core::device::discovery::open_device(Some("soft"))?;
    let (digest, _) = fourier_tests::core_decoder::digest(device, &stream)?;
    Ok((stream, digest))
}
