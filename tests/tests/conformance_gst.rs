//! The test vectors, bare and in containers, through `gst-launch-1.0` processes with fourierh264dec.

use std::sync::Arc;

use fourier_core::units::Size;
use fourier_tests::launch::{Finished, Launcher};
use fourier_tests::picture::Planar;
use fourier_tests::vectors::{self, Container, Expectation, Oddity, Vector};
use fourier_tests::{Outcome, encode, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};

const DECODER: &str = "fourierh264dec device=soft";
const REFERENCE: &str = "avdec_h264";
/// Decodes, counts its frames, then forgets what it saw: only the samples can give it away. The element that does it takes
/// 8 bits.
const GREY: &str =
    "fourierh264dec device=soft ! videoconvert ! video/x-raw,format=I420 ! videobalance contrast=0 saturation=0";

/// Decoders whose pictures lie in tiles: Vivante's, Allwinner's, MediaTek's.
const TILED_DECODERS: [&str; 3] = [
    "fourierh264dec device=soft:format=VT12",
    "fourierh264dec device=soft:format=ST12",
    "fourierh264dec device=soft:format=MM21",
];

fn main() -> Outcome {
    let arguments = two_at_a_time(Arguments::from_args());
    let vectors = vectors::load()?;
    vectors::report(&vectors);
    let launcher = Arc::new(Launcher::new()?);
    let of_tiles = tiled(&launcher, &vectors);
    let trials = vectors.into_iter().flat_map(|vector| trials(&launcher, vector));
    let trials = trials.chain(of_tiles).collect();
    libtest_mimic::run(&arguments, trials).exit()
}

fn trials(launcher: &Arc<Launcher>, vector: Vector) -> Vec<Trial> {
    let test = |what: &str, run: fn(&Launcher, &Vector) -> Outcome| {
        let (launcher, vector) = (Arc::clone(launcher), vector.clone());
        Trial::test(format!("{} {what}", vector.title()), move || {
            run(&launcher, &vector).map_err(|error| Failed::from(error.to_string()))
        })
    };
    let oddity = vector.oddity();
    match vector.expectation() {
        Expectation::BitExact if oddity == Some(Oddity::RepeatedByDemuxer) => {
            vec![test("is what avdec_h264 makes of it", equals_avdec)]
        }
        Expectation::BitExact if oddity == Some(Oddity::RefusedByDemuxer) => {
            vec![test("is bit-exact, taken out of its file", is_bit_exact_taken_out)]
        }
        Expectation::BitExact if oddity == Some(Oddity::GivenUpByParser) => {
            vec![test("is too much for h264parse", is_refused_by_the_parser)]
        }
        Expectation::BitExact if oddity == Some(Oddity::OfOneColour) || vector.is_grey() => {
            vec![test("is bit-exact", is_bit_exact)]
        }
        Expectation::BitExact => vec![
            test("is bit-exact", is_bit_exact),
            test("is not grey", grey_is_told_apart),
        ],
        Expectation::Refused => vec![test("is refused", is_refused)],
        Expectation::Survives => vec![test("ends", ends_twice_the_same)],
    }
}

/// JVT's streams with decoders of tiles, by turns.
fn tiled(launcher: &Arc<Launcher>, vectors: &[Vector]) -> Vec<Trial> {
    let can_be_tiled = |vector: &&Vector| {
        vector.suite.starts_with("jvt-")
            && vector.expectation() == Expectation::BitExact
            && vector.planar() == Planar::default()
            && vector.oddity() != Some(Oddity::GivenUpByParser)
    };
    let streams = vectors.iter().filter(can_be_tiled).zip(TILED_DECODERS.iter().cycle());
    let trial = |(vector, decoder): (&Vector, &&'static str)| {
        let (launcher, vector, decoder) = (Arc::clone(launcher), vector.clone(), *decoder);
        let title = format!("{} is bit-exact out of tiles", vector.title());
        Trial::test(title, move || {
            let compared = is_bit_exact_out_of_tiles(&launcher, &vector, decoder);
            compared.map_err(|error| Failed::from(format!("{decoder}: {error}")))
        })
    };
    streams.map(trial).collect()
}

fn size_of(vector: &Vector) -> Size {
    vector.size.unwrap_or_default()
}

fn run(launcher: &Launcher, vector: &Vector, decoder: &str) -> Outcome<Finished> {
    let formats = match vector.changes_bit_depth() {
        true => "{I420,I420_10LE}",
        false => vector.planar().gstreamer(),
    };
    launcher.decode(&vector.path, vector.container, decoder, formats)
}

/// The comparison, the same for the decoder and for the control.
fn compare(finished: &Finished, vector: &Vector) -> Outcome {
    let mut digest = finished.digest(vector.planar(), size_of(vector))?;
    if let Some(frames) = finished.frames_by_the_element() {
        // The element counts right where the size changes, too.
        digest.frames = frames;
    }
    Ok(digest.must_equal(&vector.reference())?)
}

/// A run of which fourierh264dec itself says that it decoded.
fn decode(launcher: &Launcher, vector: &Vector, decoder: &str) -> Outcome<Finished> {
    let finished = run(launcher, vector, decoder)?;
    match finished.frames_by_the_element() {
        Some(_) => Ok(finished),
        None => Err(format!("fourierh264dec does not say that it decoded: {}", finished.log).into()),
    }
}

fn is_bit_exact(launcher: &Launcher, vector: &Vector) -> Outcome {
    let finished = decode(launcher, vector, DECODER)?;
    // Without a single picture GStreamer calls it an error, as it should.
    if !finished.success && vector.frames > 0 {
        return Err(finished.log.into());
    }
    compare(&finished, vector)
}

/// System memory is rows: every frame was copied to it.
fn is_bit_exact_out_of_tiles(launcher: &Launcher, vector: &Vector, decoder: &str) -> Outcome {
    let finished = decode(launcher, vector, decoder)?;
    match finished.copies_by_the_element() {
        Some(copies) if copies == vector.frames => compare(&finished, vector),
        copies => Err(format!("{} frames, of which {copies:?} came out of tiles", vector.frames).into()),
    }
}

fn is_refused_by_the_parser(launcher: &Launcher, vector: &Vector) -> Outcome {
    let finished = run(launcher, vector, DECODER)?;
    match finished.log.contains("Error parsing H.264 stream") {
        true => Ok(()),
        false => Err(format!("h264parse takes it now: compare its pictures: {}", finished.log).into()),
    }
}

fn is_bit_exact_taken_out(launcher: &Launcher, vector: &Vector) -> Outcome {
    let bare = tempfile::Builder::new().suffix(".264").tempfile()?;
    encode::take_out(&vector.path, bare.path())?;
    let bare = Vector {
        path: bare.path().to_owned(),
        container: Container::Elementary,
        ..vector.clone()
    };
    is_bit_exact(launcher, &bare)
}

/// The suite's own control: an element that decodes nothing must not pass.
fn grey_is_told_apart(launcher: &Launcher, vector: &Vector) -> Outcome {
    let finished = decode(launcher, vector, GREY)?;
    match compare(&finished, vector) {
        Ok(()) if vector.frames > 0 => Err("grey pictures pass for the right ones".into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn equals_avdec(launcher: &Launcher, vector: &Vector) -> Outcome {
    let ours = run(launcher, vector, DECODER)?;
    let reference = run(launcher, vector, REFERENCE)?;
    if ours.success != reference.success {
        return Err(format!("one ends well, the other does not: {}\n{}", ours.log, reference.log).into());
    }
    let digest = |finished: &Finished| finished.digest(vector.planar(), size_of(vector));
    Ok(digest(&ours)?.must_equal(&digest(&reference)?)?)
}

fn is_refused(launcher: &Launcher, vector: &Vector) -> Outcome {
    let finished = run(launcher, vector, DECODER)?;
    if finished.success {
        return Err("the process ends as if all were well".into());
    }
    vector.must_name_an_unsupported_tool(&finished.log)
}

fn ends_twice_the_same(launcher: &Launcher, vector: &Vector) -> Outcome {
    let once = || -> Outcome<_> {
        let finished = run(launcher, vector, DECODER)?;
        Ok((finished.success, std::fs::read(&finished.written)?))
    };
    match once()? == once()? {
        true => Ok(()),
        false => Err("twice not the same".into()),
    }
}
