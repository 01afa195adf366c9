//! What vainfo, mpv, gstreamer-vaapi and valgrind say of the driver.

use fourier_tests::launch::words;
use fourier_tests::picture::Digest;
use fourier_tests::va::VaDisplay;
use fourier_tests::vectors::{Container, Vector};
use fourier_tests::{Outcome, project_root};

use crate::OfPrograms;

/// The tests.
pub const TESTS: &[OfPrograms] = &[
    ("valgrind finds nothing wrong and nothing lost", valgrind_finds_nothing),
    ("vainfo lists the profiles", vainfo_lists_the_profiles),
    (
        "without a decoder applications go on alone",
        without_a_decoder_initialisation_fails,
    ),
    ("mpv plays with vaapi-copy and drops nothing", mpv_plays_with_vaapi_copy),
    ("ffmpeg and vaapih264dec read tiles", tiles_are_read),
    (
        "eight contexts of one display decode at once",
        eight_contexts_decode_at_once,
    ),
];

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
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    // The driver says why, and libva goes on to say that there is no other.
    match output.status.code() {
        Some(1..) if text.contains("device /dev/null: no media device") => Ok(()),
        code => Err(format!("vainfo ends with {code:?}: {text}").into()),
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

/// Streams of one size, without containers: gstreamer-vaapi scales what comes after a change, and rows of other lengths
/// are padded.
pub fn is_for_gstreamer_vaapi(vector: &Vector) -> bool {
    vector.suite == "synthetic"
        && vector.container == Container::Elementary
        && vector.pixel_format == "yuv420p"
        && vector
            .size
            .is_some_and(|size| size.width % 8 == 0 && size.height % 2 == 0)
        && !vector.changes_format()
}

/// `vaapih264dec` gives what the index has.
pub fn gstreamer_vaapi_is_bit_exact(display: &VaDisplay, vector: &Vector) -> Outcome {
    let folder = tempfile::tempdir()?;
    let mut command = display.command("gst-launch-1.0");
    command
        .env("GST_VAAPI_ALL_DRIVERS", "1")
        .env("GST_REGISTRY", folder.path().join("registry"));
    let pipeline = format!(
        "-q filesrc location=\"{}\" ! h264parse ! vaapih264dec ! videoconvert ! video/x-raw,format=I420 ! fdsink fd=1",
        vector.path.display()
    );
    command.args(words(&pipeline));
    let decoded = display.run(command)?;
    decoded.counters.must_cover(vector.frames)?;
    let compared = decoded.digest(vector.frames).must_equal(&vector.reference());
    Ok(compared.map_err(|error| format!("{error}\n{}", decoded.log))?)
}

/// Derived images would be tiles: programs go on with `vaGetImage`.
fn tiles_are_read(display: &VaDisplay) -> Outcome {
    let folder = tempfile::tempdir()?;
    let clip = "tests/media/counter.mp4";
    let programs = [
        format!(
            "ffmpeg -nostdin -v error -hwaccel vaapi -hwaccel_device {} -i {clip} -map 0:v:0 -pix_fmt yuv420p -f rawvideo -",
            display.name()
        ),
        format!(
            "gst-launch-1.0 -q filesrc location={clip} ! qtdemux ! h264parse ! vaapih264dec ! videoconvert ! \
             video/x-raw,format=I420 ! fdsink fd=1"
        ),
    ];
    for program in &programs {
        let decode = |device: &str| -> Outcome<Digest> {
            let mut words = program.split_ascii_whitespace();
            let mut command = display.command(words.next().unwrap_or_default());
            command
                .args(words)
                .current_dir(project_root())
                .env("FOURIER_DEVICE", device)
                .env("GST_VAAPI_ALL_DRIVERS", "1")
                .env("GST_REGISTRY", folder.path().join("registry"));
            let decoded = display.run(command)?;
            decoded.counters.must_cover(100)?;
            Ok(decoded.digest(100))
        };
        let reference = decode("soft")?;
        for device in ["soft:format=VT12", "soft:format=ST12", "soft:format=MM21"] {
            let right = decode(device)?.must_equal(&reference);
            right.map_err(|error| format!("{program} on {device}: {error}"))?;
        }
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
            "filesrc location=\"{}\" ! qtdemux ! h264parse ! vaapih264dec ! videoconvert ! video/x-raw,format=I420 ! \
             filesink location=\"{}\" ",
            clip.display(),
            written.display()
        )
    };
    let pipeline: String = (0..8).map(branch).collect();
    let mut command = display.command("gst-launch-1.0");
    command
        .env("GST_VAAPI_ALL_DRIVERS", "1")
        .env("GST_REGISTRY", folder.path().join("registry"));
    command.arg("-q").args(words(&pipeline));
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
