//! The test vectors through ffmpeg, mpv and gstreamer-vaapi with the libva driver, each in a process of its own.
//!
//! ffmpeg decodes by itself where it cannot use a driver, without a word: a stream counts only if the driver says that
//! it decoded the pictures.

mod programs;
mod seeks;

use std::sync::Arc;

use fourier_tests::picture::Planar;
use fourier_tests::va::{Decoded, VaDisplay};
use fourier_tests::vectors::{self, Expectation, Oddity, Vector};
use fourier_tests::{Outcome, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};

/// Decodes with the driver, counts, then forgets what it saw: only the samples can give it away.
const GREY: &[&str] = &["-vf", "lutyuv=y=128:u=128:v=128"];

/// A test of programs with the driver, and its name.
type OfPrograms = (&'static str, fn(&VaDisplay) -> Outcome);

fn main() -> Outcome {
    let arguments = two_at_a_time(Arguments::from_args());
    let vectors = vectors::load()?;
    vectors::report(&vectors);
    let display = Arc::new(VaDisplay::start()?);
    let mut trials: Vec<_> = vectors
        .into_iter()
        .flat_map(|vector| trials(&display, vector))
        .collect();
    trials.extend(programs::TESTS.iter().chain(seeks::TESTS).map(|&(name, run)| {
        let display = Arc::clone(&display);
        Trial::test(name, move || {
            run(&display).map_err(|error| Failed::from(error.to_string()))
        })
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Not by itself: `exit` drops nothing, and a display is a process and a folder.
    drop(display);
    conclusion.exit()
}

fn trials(display: &Arc<VaDisplay>, vector: Vector) -> Vec<Trial> {
    let test = |what: &str, run: fn(&VaDisplay, &Vector) -> Outcome| {
        let (display, vector) = (Arc::clone(display), vector.clone());
        Trial::test(format!("{} {what}", vector.title()), move || {
            run(&display, &vector).map_err(|error| Failed::from(error.to_string()))
        })
    };
    // ffmpeg 5.1 asks no driver for anything but 8 bits of 4:2:0.
    let asks_the_driver = vector.planar() == Planar::default() && !vector.changes_bit_depth();
    let oddity = vector.oddity();
    match vector.expectation() {
        Expectation::BitExact if !asks_the_driver => vec![test("ends", ends)],
        Expectation::BitExact if oddity == Some(Oddity::CroppedByFfmpeg) => {
            vec![test("is what ffmpeg itself decodes, uncropped", is_what_ffmpeg_decodes)]
        }
        Expectation::BitExact if vector.frames == 0 => vec![test("ends", ends)],
        Expectation::BitExact if oddity == Some(Oddity::OfOneColour) || vector.is_grey() => {
            vec![test("is bit-exact", is_bit_exact)]
        }
        Expectation::BitExact => {
            let by_gstreamer = programs::is_for_gstreamer_vaapi(&vector)
                .then(|| test("is bit-exact by vaapih264dec", programs::gstreamer_vaapi_is_bit_exact));
            let by_ffmpeg = [
                test("is bit-exact", is_bit_exact),
                test("is not grey", grey_is_told_apart),
            ];
            by_ffmpeg.into_iter().chain(by_gstreamer).collect()
        }
        Expectation::Refused | Expectation::Survives => vec![test("ends", ends)],
    }
}

/// ffmpeg with the driver.
fn decode(display: &VaDisplay, vector: &Vector, before: &[&str], after: &[&str]) -> Outcome<Decoded> {
    let driver = [
        "-hwaccel",
        "vaapi",
        "-hwaccel_flags",
        "+allow_profile_mismatch",
        "-hwaccel_device",
        display.name(),
    ];
    let after = [after, &["-pix_fmt", &vector.pixel_format]].concat();
    display.ffmpeg(&vector.path, &[&driver, before].concat(), &after)
}

/// A run of which the driver itself says that it decoded everything.
fn decode_all(display: &VaDisplay, vector: &Vector, before: &[&str], after: &[&str]) -> Outcome<Decoded> {
    let decoded = decode(display, vector, before, after)?;
    let covered = decoded.counters.must_cover(vector.frames);
    covered.map_err(|error| format!("{error}\n{}", decoded.log))?;
    Ok(decoded)
}

fn is_bit_exact(display: &VaDisplay, vector: &Vector) -> Outcome {
    let decoded = decode_all(display, vector, &[], &[])?;
    Ok(decoded.digest(vector.frames).must_equal(&vector.reference())?)
}

/// The suite's own control: a driver that decodes nothing must not pass.
fn grey_is_told_apart(display: &VaDisplay, vector: &Vector) -> Outcome {
    let decoded = decode_all(display, vector, &[], GREY)?;
    match decoded.digest(vector.frames).must_equal(&vector.reference()) {
        Ok(()) => Err("grey pictures pass for the right ones".into()),
        Err(_) => Ok(()),
    }
}

fn is_what_ffmpeg_decodes(display: &VaDisplay, vector: &Vector) -> Outcome {
    let uncropped = ["-apply_cropping", "0"];
    let ours = decode_all(display, vector, &uncropped, &[])?;
    let reference = display.ffmpeg(&vector.path, &uncropped, &["-pix_fmt", &vector.pixel_format])?;
    Ok(ours
        .digest(vector.frames)
        .must_equal(&reference.digest(vector.frames))?)
}

/// Whatever comes out: the process neither hangs nor ends by a signal.
fn ends(display: &VaDisplay, vector: &Vector) -> Outcome {
    decode(display, vector, &[], &[]).map(drop)
}
