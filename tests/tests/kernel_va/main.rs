//! The libva driver on a DRM device, where surfaces are real dma-bufs:
//! `FOURIER_TEST_NODE=/dev/dri/renderDN cargo test -p fourier-tests --test kernel_va`. Without it, it says so and tests nothing.
//!
//! With the software node everything is bit-exact. visl draws what it was told instead of decoding (its controls are
//! compared elsewhere): there the pictures must be the same by every way out of a program, and in every program those
//! that `fourierh264dec` shows.
//! * `identity`: what visl drew, compared;
//! * `client`: what a client of our own sees, each case in a process of its own;
//! * `imports`: surfaces of memory that the application has;
//! * `exports`: what an application was given of a surface;
//! * `sandbox`: what a display opens when it is initialised, and that it opens nothing later.

mod client;
mod exports;
mod identity;
mod imports;
mod sandbox;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use fourier_core::units::Size;
use fourier_tests::kernel::streams::{choose, is_all_wanted};
use fourier_tests::va::{Decoded, VaDisplay};
use fourier_tests::vectors::{Expectation, Oddity, Vector};
use fourier_tests::{Outcome, project_root};
use libtest_mimic::{Arguments, Failed, Trial};

/// Names the DRM node.
const NODE: &str = "FOURIER_TEST_NODE";
/// The kernel's decoder.
const VISL: &str = "/dev/video0";
/// What visl is tested with, and the other ways out besides those of every stream: some seconds each.
const THROUGH_EVERY_WAY: &[&str] = &[
    "jvt-frext/HCAFF1_HHI.264",
    "jvt-frext/FREXT01_JVC_D.264",
    "synthetic/slices8_cavlc_640x360.264",
];

/// What is shown on visl by every program, unless all streams are: reordering, fields, MBAFF, many references, gaps.
const SHOWN_ON_VISL: &[&str] = &[
    "jvt-avc/MR2_MW_A.264",
    "jvt-frext/FRExt_MMCO4_Sony_B.264",
    "jvt-frext/HCAFF1_HHI.264",
    "jvt-frext/HCAMFF1_HHI.264",
    "synthetic/cabac_high_ref16_b16_pyr_352x288.264",
    "synthetic/gaps_framenum_320x240.264",
    "synthetic/opengop_320x240.mkv",
    "synthetic/slices8_cavlc_640x360.264",
];

/// Its pictures refer to lost ones, for which vah264dec names none.
const REFERS_TO_LOST_PICTURES: &str = "BA_MW_D_P_LOST.264";

/// How pictures get from the driver to who looks at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// ffmpeg, `vaGetImage`.
    GetImage,
    /// ffmpeg, `vaExportSurfaceHandle` for each picture, which is then mapped as a dma-buf.
    DrmPrime,
    /// `vah264dec` that copies to its own memory.
    System,
    /// `vah264dec` whose surfaces are mapped by whoever looks.
    VaMemory,
    /// `vah264dec` whose surfaces are exported when they are made, and mapped as dma-bufs without a further call of VA.
    DmaBuf,
}

impl Way {
    const ALL: [Self; 5] = [
        Self::GetImage,
        Self::DrmPrime,
        Self::System,
        Self::VaMemory,
        Self::DmaBuf,
    ];

    /// Decodes a file; standard output are its pictures in `pixel_format`.
    fn decode(self, display: &VaDisplay, file: &Path, pixel_format: &str) -> Outcome<Decoded> {
        display.run(self.command(display, file, pixel_format))
    }

    /// What [`Self::decode`] runs.
    fn command(self, display: &VaDisplay, file: &Path, pixel_format: &str) -> Command {
        match self {
            Self::GetImage => ffmpeg(display, file, "hwdownload,format=nv12", pixel_format),
            Self::DrmPrime => {
                let map = "hwmap=mode=read:derive_device=drm,format=drm_prime,hwmap=mode=read,format=nv12";
                ffmpeg(display, file, map, pixel_format)
            }
            Self::System => element(display, file, "video/x-raw"),
            Self::VaMemory => element(display, file, "video/x-raw(memory:VAMemory)"),
            Self::DmaBuf => element(display, file, "video/x-raw(memory:DMABuf)"),
        }
    }

    /// Whether the program shows the pictures that the index has.
    fn shows_all_of(self, vector: &Vector) -> bool {
        match self {
            Self::GetImage | Self::DrmPrime => vector.oddity() != Some(Oddity::CroppedByFfmpeg),
            Self::System | Self::VaMemory | Self::DmaBuf => {
                let is_cut = matches!(
                    vector.oddity(),
                    Some(Oddity::GivenUpByParser | Oddity::RepeatedByDemuxer | Oddity::RefusedByDemuxer)
                );
                !is_cut && vector.name != REFERS_TO_LOST_PICTURES
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::GetImage => "ffmpeg, vaGetImage",
            Self::DrmPrime => "ffmpeg, dma-bufs",
            Self::System => "vah264dec",
            Self::VaMemory => "vah264dec, VAMemory",
            Self::DmaBuf => "vah264dec, DMABuf",
        }
    }
}

fn ffmpeg(display: &VaDisplay, file: &Path, filter: &str, pixel_format: &str) -> Command {
    let drm = format!("drm=drm:{}", display.name());
    let driver = "-init_hw_device vaapi=va@drm -hwaccel vaapi -hwaccel_device va -hwaccel_output_format vaapi \
                  -hwaccel_flags +allow_profile_mismatch -extra_hw_frames 4";
    let mut before = vec!["-init_hw_device", drm.as_str()];
    before.extend(driver.split_ascii_whitespace());
    display.ffmpeg_command(file, &before, &["-vf", filter, "-pix_fmt", pixel_format])
}

fn element(display: &VaDisplay, file: &Path, caps: &str) -> Command {
    pictures_of(display, file, &format!("vah264dec ! {caps},format=NV12"))
}

/// The pictures of a GStreamer element.
fn pictures_of(display: &VaDisplay, file: &Path, element: &str) -> Command {
    let mut command = display.command(env!("CARGO_BIN_EXE_kernel"));
    command
        .env("GST_VA_ALL_DRIVERS", "1")
        .args(["pictures", element])
        .arg(file);
    command
}

fn main() -> Outcome {
    if let Ok(name) = std::env::var(client::CASE) {
        return client::run(&name);
    }
    let arguments = Arguments::from_args();
    let Ok(node) = std::env::var(NODE) else {
        eprintln!(
            "SKIPPED: the libva driver is not tested with dma-bufs, {NODE} names no DRM node (/dev/dri/renderDN)"
        );
        return Ok(());
    };
    let soft = Arc::new(VaDisplay::on_node(&node, "soft")?);
    let visl = Arc::new(VaDisplay::on_node(&node, VISL)?);
    let mut trials = Vec::new();
    for (name, display) in [("soft", &soft), ("visl", &visl)] {
        let clone = Arc::clone(display);
        trials.push(trial(format!("vainfo lists the profiles of {name}"), move || {
            vainfo_lists_the_profiles(&clone)
        }));
        for case in client::cases().filter(|case| case.runs_on(name)) {
            let display = Arc::clone(display);
            trials.push(trial(format!("{} on {name}", case.name), move || case.start(&display)));
        }
    }
    let display = Arc::clone(&visl);
    trials.push(trial(
        "vaInitialize opens the media device once and the video node twice".to_owned(),
        move || sandbox::opens_are_counted(&display),
    ));
    // Unless all streams are wanted, one program after the other has its turn.
    let turns: [&[Way]; 2] = match is_all_wanted() {
        true => [&[Way::DrmPrime, Way::DmaBuf]; 2],
        false => [&[Way::DrmPrime], &[Way::DmaBuf]],
    };
    let vectors = choose(&[])?.into_iter().filter(is_of_one_size);
    for (vector, turn) in vectors.zip(turns.into_iter().cycle()) {
        trials.extend(of_vector(&vector, turn, &soft, &visl));
    }
    trials.extend(of_clip(&visl));
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Not by itself: `exit` drops nothing, and a display has a folder.
    drop((soft, visl));
    conclusion.exit()
}

/// A stream on both decoders: by these ways, or by every way.
fn of_vector(vector: &Vector, turn: &[Way], soft: &Arc<VaDisplay>, visl: &Arc<VaDisplay>) -> Vec<Trial> {
    let every_way = THROUGH_EVERY_WAY.contains(&vector.title().as_str());
    let ways = Way::ALL.into_iter().filter(|way| way.shows_all_of(vector));
    let (first, others): (Vec<Way>, Vec<Way>) = ways.partition(|way| matches!(way, Way::GetImage | Way::System));
    let mut trials = Vec::new();
    let chosen = |way: &&Way| every_way || turn.contains(way);
    for way in first.iter().chain(&others).filter(chosen).copied() {
        let (display, vector) = (Arc::clone(soft), vector.clone());
        let name = format!("{} is bit-exact by {}", vector.title(), way.name());
        trials.push(trial(name, move || is_bit_exact(&display, &vector, way)));
    }
    let size = vector.size.unwrap_or_default();
    // Where rows do not begin at multiples of 64 bytes, which visl's do not by themselves, the modifier is
    // DRM_FORMAT_MOD_INVALID: GStreamer does not map that.
    if every_way && size.width.is_multiple_of(64) {
        let (display, vector) = (Arc::clone(visl), vector.clone());
        let name = format!(
            "{} looks the same by every way out of a program on visl",
            vector.title()
        );
        let run = move || identity::every_way_shows_the_same(&display, &vector.path, vector.frames);
        trials.push(trial(name, run));
    }
    // A program that crops at the left or the top, or ends early, shows other pictures.
    let shows_all = first == [Way::GetImage, Way::System] && identity::is_legible(size);
    let is_wanted = is_all_wanted() || SHOWN_ON_VISL.contains(&vector.title().as_str());
    if !shows_all || !is_wanted {
        return trials;
    }
    let (display, vector) = (Arc::clone(visl), vector.clone());
    let name = format!("{} is shown on visl as by fourierh264dec", vector.title());
    let run = move || identity::programs_show_the_same(&display, &vector.path, size, vector.frames, &first);
    trials.push(trial(name, run));
    trials
}

/// The clip of the project, on visl.
fn of_clip(visl: &Arc<VaDisplay>) -> [Trial; 2] {
    const FRAMES: usize = 100;
    let size = Size {
        width: 320,
        height: 240,
    };
    let clip: PathBuf = project_root().join("tests/media/counter.mp4");
    let (display, file) = (Arc::clone(visl), clip.clone());
    let looks = move || identity::every_way_shows_the_same(&display, &file, FRAMES);
    let display = Arc::clone(visl);
    let ways = [Way::GetImage, Way::System];
    let shown = move || identity::programs_show_the_same(&display, &clip, size, FRAMES, &ways);
    [
        trial(
            "counter.mp4 looks the same by every way out of a program on visl".to_owned(),
            looks,
        ),
        trial("counter.mp4 is shown on visl as by fourierh264dec".to_owned(), shown),
    ]
}

fn trial(name: String, run: impl FnOnce() -> Outcome + Send + 'static) -> Trial {
    Trial::test(name, move || run().map_err(|error| Failed::from(error.to_string())))
}

/// The index has what comes out of 8-bit 4:2:0 streams; programs may scale what comes after a change of size.
fn is_of_one_size(vector: &Vector) -> bool {
    vector.expectation() == Expectation::BitExact
        && vector.pixel_format == "yuv420p"
        && vector.frames > 0
        && !vector.yuv_md5.is_empty()
        && !vector.changes_format()
}

fn vainfo_lists_the_profiles(display: &VaDisplay) -> Outcome {
    let mut command = display.command("vainfo");
    let output = command
        .args(["--display", "drm", "--device", display.name()])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    for profile in ["ConstrainedBaseline", "Main", "High"] {
        if !text.contains(&format!("VAProfileH264{profile}")) {
            return Err(format!("vainfo does not list {profile}: {text}").into());
        }
    }
    Ok(())
}

fn is_bit_exact(display: &VaDisplay, vector: &Vector, way: Way) -> Outcome {
    let decoded = way.decode(display, &vector.path, &vector.pixel_format)?;
    if !decoded.success {
        return Err(decoded.log.into());
    }
    let covered = decoded.counters.must_cover(vector.frames);
    covered.map_err(|error| format!("{error}\n{}", decoded.log))?;
    let same = decoded.digest(vector.frames).must_equal(&vector.reference());
    Ok(same.map_err(|error| format!("{error}\n{}", decoded.log))?)
}
