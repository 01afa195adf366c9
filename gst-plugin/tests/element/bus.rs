//! What the application hears: statistics, damage, refusals.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;

use crate::harness::*;

#[test]
fn statistics_are_posted_at_the_end() {
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! fakevideosink sync=false",
        source(&clip())
    ));
    running.play();
    let message = loop {
        let message = running.message(&[gst::MessageType::Element, gst::MessageType::Eos]);
        if message.has_name("fourierh264dec-stats") {
            break message;
        }
        assert!(!matches!(message.view(), gst::MessageView::Eos(_)), "no statistics");
    };
    let stats = message.structure().unwrap();
    assert_eq!(stats.get::<u64>("frames").unwrap(), FRAMES as u64);
    assert_eq!(stats.get::<&str>("device").unwrap(), "soft");
    assert_eq!(running.count("pool-size"), stats.get::<u64>("pool-size").unwrap());
}

/// The clip with a slice in the middle overwritten.
fn damaged_clip() -> PathBuf {
    let mut bytes = std::fs::read(remuxed("h264")).unwrap();
    let middle = bytes.len() / 2;
    // No start code comes of this.
    bytes[middle..middle + 400].fill(0xa5);
    written("damaged.h264", &bytes)
}

#[test]
fn a_damaged_frame_is_marked_and_so_are_those_that_need_it() {
    let frames = frames_of(&format!("{} ! fourierh264dec", source(&damaged_clip())));
    let corrupted = frames.iter().filter(|frame| frame.corrupted).count();
    assert!(corrupted > 0 && corrupted <= 26, "{corrupted} frames are marked");
    let right = |frames: &[Seen]| {
        frames
            .iter()
            .filter(|frame| !frame.corrupted)
            .map(|frame| frame.picture)
            .collect()
    };
    let (good, all): (Vec<u64>, Vec<u64>) = (right(&frames), pictures(reference()));
    assert!(
        good.iter().all(|picture| all.contains(picture)),
        "an unmarked frame is wrong"
    );
}

#[test]
fn damaged_frames_are_dropped_on_request() {
    let from = source(&damaged_clip());
    let running = Running::new(&format!(
        "{from} ! fourierh264dec name=dec discard-corrupted=true ! appsink name=sink sync=false"
    ));
    running.play();
    let frames = running.frames();
    assert!(frames.iter().all(|frame| !frame.corrupted));
    assert!(running.count("dropped") > 0);
    assert_eq!(running.count("frames"), frames.len() as u64);
    let warning = running.message(&[gst::MessageType::Warning, gst::MessageType::Eos]);
    let gst::MessageView::Warning(warning) = warning.view() else {
        panic!("nobody was told");
    };
    let text = warning.error().to_string();
    assert!(!text.contains("--"), "a time that there is not: {text}");
}

fn error_of(description: &str) -> String {
    let running = Running::new(description);
    let _ = running.pipeline.set_state(gst::State::Playing);
    let message = running.message(&[gst::MessageType::Error, gst::MessageType::Eos]);
    match message.view() {
        gst::MessageView::Error(error) => error.error().to_string(),
        _ => panic!("no error from {description}"),
    }
}

#[test]
fn what_cannot_be_decoded_is_refused_by_name() {
    for (name, options, feature) in [
        ("high444", "-pix_fmt yuv444p", "4:4:4"),
        ("lossless", "-qp 0", "lossless"),
    ] {
        let file = encoded(name, "size=64x64:rate=25:duration=0.2", options);
        let error = error_of(&format!("{} ! fourierh264dec ! fakesink", source(&file)));
        assert!(
            error.contains("cannot be decoded") && error.contains(feature),
            "{name}: {error}"
        );
    }
}

#[test]
fn what_was_decoded_before_an_error_is_shown() {
    let good = encoded("good", "size=64x64:rate=25:duration=0.4", "-bf 3");
    let bad = encoded("high444", "size=64x64:rate=25:duration=0.2", "-pix_fmt yuv444p");
    let joined = written(
        "good-bad.h264",
        &[good, bad].map(|file| std::fs::read(file).unwrap()).concat(),
    );
    let running = Running::new(&format!(
        "{} name=parse ! fourierh264dec name=dec ! fakesink",
        source(&joined)
    ));
    // New caps would end what came before them.
    let seen = AtomicBool::new(false);
    let pad = running.element("parse").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let is_caps = info.event().unwrap().type_() == gst::EventType::Caps;
        if is_caps && seen.swap(true, Ordering::Relaxed) {
            info.data.take();
            return gst::PadProbeReturn::Handled;
        }
        gst::PadProbeReturn::Ok
    });
    running.play();
    let message = running.message(&[gst::MessageType::Error, gst::MessageType::Eos]);
    assert_eq!(
        (message.type_(), running.count("frames")),
        (gst::MessageType::Error, 10)
    );
}

#[test]
fn a_device_that_is_chosen_in_ready_is_the_one_that_is_opened() {
    let running = Running::new(&format!("{} ! fourierh264dec name=dec ! fakesink", source(&clip())));
    running.reach(gst::State::Ready);
    running.element("dec").set_property("device", "/dev/video98");
    let _ = running.pipeline.set_state(gst::State::Playing);
    let message = running.message(&[gst::MessageType::Error, gst::MessageType::Eos]);
    let gst::MessageView::Error(error) = message.view() else {
        panic!("it plays");
    };
    assert!(error.error().to_string().contains("/dev/video98"), "{error:?}");
}

#[test]
fn a_device_that_is_not_there_is_named() {
    let error = error_of(&format!(
        "{} ! fourierh264dec device=/dev/video98 ! fakesink",
        source(&clip())
    ));
    assert!(error.contains("/dev/video98"), "{error}");
}

#[test]
fn garbage_is_no_stream_and_says_so() {
    let noise: Vec<u8> = (0..200_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let path = written("garbage.h264", &noise);
    let caps = "video/x-h264,stream-format=byte-stream,alignment=au,framerate=25/1";
    let error = error_of(&format!(
        "filesrc location=\"{}\" blocksize=5000 ! capsfilter caps={caps} ! fourierh264dec ! fakesink",
        path.display()
    ));
    assert!(!error.is_empty());
}
