//! Auto-plugging, in processes of their own, because the environment decides.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::harness::*;

/// The folder of libgstfourier.so: cargo puts it above the folder of this test.
fn plugin_path() -> PathBuf {
    let folder = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .to_path_buf();
    assert!(
        folder.join("libgstfourier.so").exists(),
        "no plugin in {}",
        folder.display()
    );
    folder
}

fn gst_tool(tool: &str, arguments: &[&str], device: Option<&str>) -> Output {
    let registry = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("registry-{}", device.unwrap_or("none")));
    let mut command = Command::new(tool);
    command
        .args(arguments)
        .env("GST_PLUGIN_PATH", plugin_path())
        .env("GST_REGISTRY", registry);
    command.env_remove("FOURIER_DEVICE");
    command.envs(device.map(|device| ("FOURIER_DEVICE", device)));
    command.output().unwrap()
}

#[test]
fn the_rank_is_high_only_where_a_device_was_asked_for() {
    for (device, rank) in [(Some("soft"), "primary + 1 (257)"), (None, "none (0)")] {
        let output = gst_tool("gst-inspect-1.0", &["fourierh264dec"], device);
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text
            .lines()
            .find(|line| line.contains("Rank"))
            .unwrap_or_else(|| panic!("{text}"));
        // A machine with a real decoder ranks it high without being asked.
        let has_device = std::path::Path::new("/dev/media0").exists();
        assert!(line.contains(rank) || has_device, "{device:?}: {line}");
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
