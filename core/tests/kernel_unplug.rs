//! The driver is unbound while a stream is being decoded: `FOURIER_DEVICE=/dev/videoN` of a visl, as root. It takes the
//! device away from everybody, so it is no part of `kernel_node`.
#![expect(clippy::unwrap_used, reason = "a test that goes wrong ends here")]

use std::path::{Path, PathBuf};

use fourier_core::Error;
use fourier_core::decode::stream::{AccessUnitBytes, Event, FrameTag, StreamConfig, StreamDecoder};
use fourier_core::device::discovery::{ENVIRONMENT, open_device, survey};
use fourier_core::h264::annexb::nal_units;

const GROUPS: &[u8] = include_bytes!("kernel_node/groups.264");

/// The driver's folder in sysfs and the device's name in it.
fn binding(video: &Path) -> (PathBuf, String) {
    let node = video.file_name().unwrap();
    let device = std::fs::canonicalize(Path::new("/sys/class/video4linux").join(node).join("device")).unwrap();
    let name = device.file_name().unwrap().to_str().unwrap().to_owned();
    (std::fs::canonicalize(device.join("driver")).unwrap(), name)
}

#[test]
fn a_device_that_goes_away_is_a_clear_error_and_frames_stay_whole() {
    let Some(path) = std::env::var(ENVIRONMENT)
        .ok()
        .filter(|path| path.starts_with("/dev/video"))
    else {
        eprintln!("SKIPPED: {ENVIRONMENT} names no video node of the kernel (/dev/videoN)");
        return;
    };
    let device = open_device(Some(&path)).unwrap();
    assert_eq!(
        device.capabilities().driver,
        "visl",
        "only a virtual device is taken away"
    );
    let mut decoder = StreamDecoder::new(device, StreamConfig::default()).unwrap();
    let mut frames = Vec::new();
    let mut failure = None;
    let (driver, name) = binding(Path::new(&path));
    for (n, nal) in nal_units(GROUPS).enumerate() {
        if n == 60 {
            std::fs::write(driver.join("unbind"), &name).unwrap();
        }
        let bytes = [&[0, 0, 1], nal].concat();
        if let Err(error) = decoder.decode(AccessUnitBytes::AnnexB(&bytes), FrameTag(n as u64)) {
            failure = Some(error);
            break;
        }
        while let Some(event) = decoder.next_event() {
            if let Event::Frame(frame) = event
                && frames.len() < 4
            {
                frames.push(frame);
            }
        }
    }
    let failure = failure.unwrap();
    assert!(
        matches!(&failure, Error::Lost(why) if why.contains("ENODEV")),
        "{failure}"
    );
    drop(decoder);
    assert!(!frames.is_empty());
    for frame in &frames {
        assert!(frame.frame().memory().read().is_ok());
    }
    drop(frames);
    std::fs::write(driver.join("bind"), &name).unwrap();
    // Under another number, where the kernel has not yet let go of the old one.
    let found = survey();
    assert!(found.iter().any(|found| found.device.is_ok()), "{found:?}");
}
