//! The test vectors through ffmpeg, mpv and gstreamer-vaapi with the libva driver, each in a process of its own.
//!
//! ffmpeg decodes by itself where it cannot use a driver, without a word: a stream counts only if the driver says that
//! it decoded the pictures.

use std::sync::Arc;

use fourier_tests::picture::Planar;
use fourier_tests::va::{Decoded, VaDisplay};
use fourier_tests::vectors::{self, Expectation, Vector};
use fourier_tests::{Outcome, project_root, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};

/// Decodes with the driver, counts, then forgets what it saw: only the samples can give it away.
const GREY: &[&str] = &["-vf", "lutyuv=y=128:u=128:v=128"];

/// Streams of which ffmpeg shows something else than the index has when a driver decodes them, with the reason. They
/// must become what ffmpeg's own decoder makes of them, nothing cropped.
const CROPPED_OTHERWISE: &[(&str, &str)] = &[
    (
        "CVFC1_Sony_C.jsv",
        "ffmpeg crops frames of drivers at the right and the bottom only",
    ),
    (
        "croprect_320x240.264",
        "ffmpeg crops frames of drivers at the right and the bottom only",
    ),
    (
        "extradata-reload-multi-stsd.mp4",
        "ffmpeg crops frames of drivers at the right and the bottom only",
    ),
];

/// Streams whose pictures are of one colour: the grey control cannot tell them apart.
const OF_ONE_COLOUR: &[&str] = &["x264_test.264"];

/// A test of a program with the driver.
type OfPrograms = fn(&VaDisplay) -> Outcome;

fn main() -> Outcome {
    let arguments = two_at_a_time(Arguments::from_args());
    let vectors = vectors::load()?;
    vectors::report(&vectors);
    let display = Arc::new(VaDisplay::start()?);
    let mut trials: Vec<_> = vectors
        .into_iter()
        .flat_map(|vector| trials(&display, vector))
        .collect();
    let programs: [(&str, OfPrograms); 6] = [
        ("valgrind finds nothing wrong and nothing lost", valgrind_finds_nothing),
        ("vainfo lists the profiles", vainfo_lists_the_profiles),
        (
            "without a decoder applications go on alone",
            without_a_decoder_initialisation_fails,
        ),
        ("mpv plays with vaapi-copy and drops nothing", mpv_plays_with_vaapi_copy),
        ("vaapih264dec is bit-exact", gstreamer_vaapi_is_bit_exact),
        (
            "eight contexts of one display decode at once",
            eight_contexts_decode_at_once,
        ),
    ];
    trials.extend(programs.map(|(name, run)| {
        let display = Arc::clone(&display);
        Trial::test(name, move || {
            run(&display).map_err(|error| Failed::from(error.to_string()))
        })
    }));
    libtest_mimic::run(&arguments, trials).exit()
}

fn trials(display: &Arc<VaDisplay>, vector: Vector) -> Vec<Trial> {
    let test = |what: &str, run: fn(&VaDisplay, &Vector) -> Outcome| {
        let (display, vector) = (Arc::clone(display), vector.clone());
        Trial::test(format!("{} {what}", vector.title()), move || {
            run(&display, &vector).map_err(|error| Failed::from(error.to_string()))
        })
    };
    let listed = |list: &[(&str, &'static str)]| {
        let found = list.iter().find(|(name, _)| *name == vector.name);
        found
            .map(|&(_, reason)| println!("  {}: {reason}", vector.title()))
            .is_some()
    };
    // ffmpeg 5.1 asks no driver for anything but 8 bits of 4:2:0.
    let asks_the_driver = vector.planar() == Planar::default() && !vector.changes_bit_depth();
    match vector.expectation() {
        Expectation::BitExact if !asks_the_driver => vec![test("ends", ends)],
        Expectation::BitExact if listed(CROPPED_OTHERWISE) => {
            vec![test("is what ffmpeg itself decodes", is_what_ffmpeg_decodes)]
        }
        Expectation::BitExact if vector.frames == 0 => vec![test("ends", ends)],
        Expectation::BitExact if OF_ONE_COLOUR.contains(&vector.name.as_str()) || vector.is_grey() => {
            vec![test("is bit-exact", is_bit_exact)]
        }
        Expectation::BitExact => vec![
            test("is bit-exact", is_bit_exact),
            test("is not grey", grey_is_told_apart),
        ],
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

fn vainfo_lists_the_profiles(display: &VaDisplay) -> Outcome {
    for arguments in [&["--display", "x11"][..], &["-a", "--display", "x11"]] {
        let mut command = display.command("vainfo");
        let output = command.args(arguments).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let profiles = ["ConstrainedBaseline", "Main", "High"];
        let missing = profiles
            .iter()
            .find(|profile| !text.contains(&format!("VAProfileH264{profile}")));
        if let Some(profile) = missing {
            return Err(format!("vainfo {arguments:?} does not list {profile}: {text}").into());
        }
    }
    Ok(())
}

fn without_a_decoder_initialisation_fails(display: &VaDisplay) -> Outcome {
    let mut command = display.command("vainfo");
    // No device is called like that.
    let output = command
        .args(["--display", "x11"])
        .env("FOURIER_DEVICE", "/dev/null")
        .output()?;
    match output.status.success() {
        true => Err("vaInitialize succeeds".into()),
        false => Ok(()),
    }
}

fn mpv_plays_with_vaapi_copy(display: &VaDisplay) -> Outcome {
    let clip = project_root().join("tests/media/counter.mp4");
    let mut command = display.command("mpv");
    command.args("--no-config --no-audio --hwdec=vaapi-copy --vo=null --untimed".split(' '));
    command.arg("--term-status-msg=dropped=${frame-drop-count}").arg(clip);
    let log = tempfile::NamedTempFile::new()?;
    let output = command.env("FOURIER_LOG_FILE", log.path()).output()?;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if !output.status.success() || !text.contains("Using hardware decoding (vaapi-copy)") {
        return Err(format!("mpv does not use the driver: {text}").into());
    }
    let dropped = text.rsplit("dropped=").next().unwrap_or_default();
    let driver = std::fs::read_to_string(log.path())?;
    match dropped.starts_with('0') && driver.contains(" damaged=0 refused=0 copied=0") {
        true => Ok(()),
        false => Err(format!("dropped={dropped} {driver}").into()),
    }
}

/// On streams of one size: gstreamer-vaapi scales what comes after a change.
fn gstreamer_vaapi_is_bit_exact(display: &VaDisplay) -> Outcome {
    let of_one_size = |vector: &Vector| {
        vector.suite == "synthetic"
            && vector.expectation() == Expectation::BitExact
            && vector.pixel_format == "yuv420p"
            && vector
                .size
                .is_some_and(|size| size.width % 8 == 0 && size.height % 2 == 0)
            && vector.has("multislice(max8)")
            && !vector.changes_format()
    };
    for vector in vectors::load()?.iter().filter(|vector| of_one_size(vector)) {
        let written = tempfile::NamedTempFile::new()?;
        let mut command = display.command("gst-launch-1.0");
        command
            .env("GST_VAAPI_ALL_DRIVERS", "1")
            .env("GST_REGISTRY", written.path().with_extension("registry"));
        let pipeline = format!(
            "-q filesrc location={} ! h264parse ! vaapih264dec ! videoconvert ! video/x-raw,format=I420 ! fdsink fd=1",
            vector.path.display()
        );
        command.args(pipeline.split_ascii_whitespace());
        let decoded = display.run(command)?;
        decoded.counters.must_cover(vector.frames)?;
        let compared = decoded.digest(vector.frames).must_equal(&vector.reference());
        compared.map_err(|error| format!("{}: {error}\n{}", vector.title(), decoded.log))?;
    }
    Ok(())
}

/// GStreamer's elements share one display: eight contexts, each fed by a thread of its own.
fn eight_contexts_decode_at_once(display: &VaDisplay) -> Outcome {
    let folder = tempfile::tempdir()?;
    let clip = project_root().join("tests/media/counter.mp4");
    let branch = |number: usize| {
        let written = folder.path().join(number.to_string());
        format!(
            "filesrc location={} ! qtdemux ! h264parse ! vaapih264dec ! videoconvert ! video/x-raw,format=I420 ! \
             filesink location={} ",
            clip.display(),
            written.display()
        )
    };
    let pipeline: String = (0..8).map(branch).collect();
    let mut command = display.command("gst-launch-1.0");
    command
        .env("GST_VAAPI_ALL_DRIVERS", "1")
        .env("GST_REGISTRY", folder.path().join("registry"));
    command.arg("-q").args(pipeline.split_ascii_whitespace());
    let decoded = display.run(command)?;
    // 100 pictures each.
    decoded.counters.must_cover(800)?;
    let reference = std::fs::read(folder.path().join("0"))?;
    for number in 1..8 {
        let written = folder.path().join(number.to_string());
        if std::fs::read(written)? != reference {
            return Err(format!("context {number} decoded something else than the first").into());
        }
    }
    Ok(())
}

fn valgrind_finds_nothing(display: &VaDisplay) -> Outcome {
    let clip = project_root().join("tests/media/counter.mp4");
    let mut command = display.command("valgrind");
    command.args("-q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite".split(' '));
    command.args("--errors-for-leak-kinds=definite ffmpeg -v error -nostdin -threads 1".split(' '));
    command
        .args(["-hwaccel", "vaapi", "-hwaccel_device", display.name(), "-i"])
        .arg(clip);
    command.args("-map 0:v:0 -frames:v 6 -f null -".split(' '));
    let decoded = display.run(command)?;
    decoded.counters.must_cover(6)?;
    match decoded.success {
        true => Ok(()),
        false => Err(decoded.log.into()),
    }
}
