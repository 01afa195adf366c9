//! Auto-plugging, in processes of their own, because the environment decides.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use fourier_core::device::discovery::survey;

use crate::harness::*;

/// A folder with libgstfourier.so and nothing else, as of the build of this test: cargo puts it beside that.
static PLUGIN_PATH: LazyLock<PathBuf> = LazyLock::new(|| {
    let plugin = std::env::current_exe().unwrap().with_file_name("libgstfourier.so");
    assert!(plugin.exists(), "no {}", plugin.display());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin");
    let link = folder.join("libgstfourier.so");
    std::fs::create_dir_all(&folder).unwrap();
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(plugin, link).unwrap();
    folder
});

fn gst_tool(tool: &str, arguments: &[&str], device: Option<&str>) -> Output {
    let registry = PLUGIN_PATH.join(format!("registry-{}", device.unwrap_or("none")));
    let mut command = Command::new(tool);
    command
        .args(arguments)
        .env("GST_PLUGIN_PATH", &*PLUGIN_PATH)
        .env("GST_REGISTRY", registry);
    command.env_remove("FOURIER_DEVICE");
    command.envs(device.map(|device| ("FOURIER_DEVICE", device)));
    command.output().unwrap()
}

const HIGH: &str = "primary + 1 (257)";

#[test]
fn the_rank_is_high_only_where_a_device_was_asked_for() {
    // A machine with a real decoder ranks it high without being asked.
    let unasked = match survey().iter().any(|found| found.device.is_ok()) {
        true => HIGH,
        false => "none (0)",
    };
    for (device, rank) in [(Some("soft"), HIGH), (Some("auto"), unasked), (None, unasked)] {
        let output = gst_tool("gst-inspect-1.0", &["fourierh264dec"], device);
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text
            .lines()
            .find(|line| line.contains("Rank"))
            .unwrap_or_else(|| panic!("{text}"));
        assert!(line.contains(rank), "{device:?}: {line}");
    }
}

#[test]
fn decodebin_and_playbin_choose_the_element_when_asked_to() {
    let uri = format!("uri=file://{}", clip().display());
    let location = format!("location={}", clip().display());
    let sink = "fakevideosink sync=false";
    let players: [&[&str]; 2] = [
        &["playbin", &uri, "video-sink=fakevideosink sync=false"],
        &[
            "filesrc",
            &location,
            "!",
            "decodebin",
            "!",
            "fakevideosink",
            "sync=false",
        ],
    ];
    for player in players {
        let arguments = [&["--messages"], player].concat();
        let output = gst_tool("gst-launch-1.0", &arguments, Some("soft"));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{player:?} {sink}: {text}");
        let stats = text.lines().find(|line| line.contains("fourierh264dec-stats"));
        let stats = stats.unwrap_or_else(|| panic!("{player:?} chose another decoder: {text}"));
        assert!(stats.contains("frames=(guint64)100"), "{stats}");
    }
}
