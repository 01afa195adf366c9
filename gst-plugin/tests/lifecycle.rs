//! Nothing stays behind: alone in its process, because it counts what the process has.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use gst::prelude::*;

fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Waits until it is so: threads of GStreamer end, and let go, a moment after their pipeline.
fn comes_true(is_so: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !is_so() && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
    }
    is_so()
}

fn play_some_frames() {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/media/counter.mp4");
    let description = format!(
        "filesrc location=\"{}\" ! qtdemux ! h264parse ! fourierh264dec device=soft ! appsink name=sink sync=false max-buffers=3",
        clip.display()
    );
    let pipeline = gst::parse::launch(&description)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink = pipeline
        .by_name("sink")
        .unwrap()
        .downcast::<gst_app::AppSink>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    for _ in 0..3 {
        sink.try_pull_sample(gst::ClockTime::from_seconds(60))
            .expect("it hangs");
    }
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn two_hundred_times_up_and_down_leave_nothing_behind() {
    gst::init().unwrap();
    gstfourier::plugin_register_static().unwrap();
    for _ in 0..50 {
        play_some_frames();
    }
    let (descriptors, threads, memory) = (entries("/proc/self/fd"), entries("/proc/self/task"), resident());
    for _ in 0..200 {
        play_some_frames();
    }
    assert!(
        comes_true(|| entries("/proc/self/fd") <= descriptors),
        "{} descriptors, {descriptors} before",
        entries("/proc/self/fd")
    );
    // GStreamer keeps idle threads of its own for a while: one or two more are none of ours.
    assert!(
        comes_true(|| entries("/proc/self/task") < threads + 8),
        "{} threads, {threads} before",
        entries("/proc/self/task")
    );
    let grown = || resident().saturating_sub(memory);
    assert!(comes_true(|| grown() < 8 << 10), "{} KiB more", grown());
}
