//! Streams that can be entered elsewhere than at IDR pictures: seeks, playing backwards, joining late.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gst::prelude::*;

use crate::harness::*;

/// Frames of each clip: four seconds.
const LENGTH: usize = 100;
const OPEN_GOP: &str = "-bf 3 -g 15 -x264-params open-gop=1:b-adapt=0:b-pyramid=normal:scenecut=0";
const INTRA_REFRESH: &str = "-bf 0 -g 12 -x264-params intra-refresh=1:scenecut=0";

fn encoded_as(name: &str, options: &str, extension: &str) -> PathBuf {
    let mp4 = encoded_in(&format!("{name}.mp4"), "size=96x80:rate=25:duration=4", options);
    match extension {
        "mp4" => mp4,
        _ => repacked(&mp4, extension),
    }
}

/// Open GOPs with B frames that lead them, and an intra refresh without a second IDR picture, in each container.
fn every_file() -> Vec<PathBuf> {
    [("open-gop", OPEN_GOP), ("intra-refresh", INTRA_REFRESH)]
        .into_iter()
        .flat_map(|(name, options)| ["mp4", "mkv", "ts"].map(|extension| encoded_as(name, options, extension)))
        .collect()
}

fn decoding(file: &Path, properties: &str) -> Running {
    Running::new(&format!(
        "{} ! fourierh264dec name=dec {properties} ! videoconvert ! video/x-raw,format=I420 ! appsink name=sink sync=false",
        source(file)
    ))
}

/// The frames of the whole file by their time, as libavcodec decodes it.
fn linear(file: &Path) -> BTreeMap<gst::ClockTime, u64> {
    let frames = frames_of(&format!("{} ! avdec_h264", source(file)));
    assert_eq!(frames.len(), LENGTH, "{}", file.display());
    frames.iter().map(|frame| (frame.pts.unwrap(), frame.picture)).collect()
}

/// Each frame is that of the linear decode at its time, and right. The first one may begin late: a seek cuts it.
fn assert_right(frames: &[Seen], linear: &BTreeMap<gst::ClockTime, u64>, what: &str) {
    for frame in frames {
        assert!(!frame.corrupted, "{what}: {frame:?}");
        let shown = linear.range(..=frame.pts.unwrap()).next_back();
        let shown = shown.map(|(_, picture)| picture);
        assert_eq!(shown, Some(&frame.picture), "{what}: {frame:?}");
    }
}

#[test]
fn after_a_seek_the_frames_are_those_of_a_linear_decode() {
    for file in every_file() {
        let linear = linear(&file);
        let first = *linear.first_key_value().unwrap().0;
        let last = *linear.last_key_value().unwrap().0;
        let running = decoding(&file, "");
        running.reach(gst::State::Paused);
        running.play();
        for step in 0..16_u64 {
            let to = first + gst::ClockTime::from_mseconds(step * 1_370 % 3_000);
            let flags = if step % 2 == 0 {
                gst::SeekFlags::KEY_UNIT
            } else {
                gst::SeekFlags::ACCURATE
            };
            running.seek(gst::SeekFlags::FLUSH | flags, to);
            let what = format!("{} {flags:?} to {to}", file.display());
            let frames = running.frames();
            assert_right(&frames, &linear, &what);
            let times: Vec<_> = frames.iter().map(|frame| frame.pts.unwrap()).collect();
            assert!(times.is_sorted(), "{what}: {times:?}");
            // From a recovery on, which comes within a second, to the end without a hole.
            let begins = *times.first().unwrap_or_else(|| panic!("{what}: no frame"));
            assert!(begins <= to + gst::ClockTime::SECOND, "{what}: begins at {begins}");
            assert_eq!(times.last(), Some(&last), "{what}");
            // An accurate seek leaves the end of the frame that it hits.
            let (hit, _) = linear.range(..=begins).next_back().unwrap();
            let expected = linear.range(hit..).count();
            assert_eq!(times.len(), expected, "{what}");
        }
    }
}

#[test]
fn playing_backwards_over_recovery_points_shows_only_right_frames() {
    // tsdemux does not play backwards.
    let files = every_file()
        .into_iter()
        .filter(|file| file.extension() != Some("ts".as_ref()));
    for file in files {
        let linear = linear(&file);
        let running = decoding(&file, "");
        running.reach(gst::State::Paused);
        let (from, to) = (gst::ClockTime::ZERO, gst::ClockTime::from_seconds(4));
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
        running
            .pipeline
            .seek(-1.0, flags, gst::SeekType::Set, from, gst::SeekType::Set, to)
            .unwrap();
        running.play();
        let frames = running.frames();
        let what = format!("{} backwards", file.display());
        assert_right(&frames, &linear, &what);
        assert!(frames.is_sorted_by_key(|frame| std::cmp::Reverse(frame.pts)), "{what}");
        assert!(frames.len() > LENGTH / 10, "{what}: {}", frames.len());
    }
}

/// Parameter sets, and slices from the twentieth on that is in no IDR picture: the stream begins within a group.
fn joined_late(name: &str, options: &str) -> PathBuf {
    let whole = std::fs::read(encoded_as(name, options, "h264")).unwrap();
    let starts = |nal_unit_type: u8| {
        let is_start = |&at: &usize| whole[at..at + 3] == [0, 0, 1] && whole[at + 3] & 31 == nal_unit_type;
        (0..whole.len() - 4).filter(is_start).collect::<Vec<_>>()
    };
    let (idr, others) = (starts(5), starts(1));
    written(
        &format!("late-{name}.h264"),
        &[&whole[..idr[0]], &whole[others[20]..]].concat(),
    )
}

#[test]
fn who_joins_late_chooses_between_a_clean_and_a_fast_start() {
    for (name, options) in [("open-gop", OPEN_GOP), ("intra-refresh", INTRA_REFRESH)] {
        let file = joined_late(name, options);
        let whole = pictures(&frames_of(&format!(
            "{} ! avdec_h264",
            source(&encoded_as(name, options, "h264"))
        )));
        let clean = decoding(&file, "start=clean");
        clean.play();
        let clean = clean.frames();
        assert!(clean.len() > LENGTH / 2, "{name}: {}", clean.len());
        assert!(clean.iter().all(|frame| !frame.corrupted), "{name}");
        assert_eq!(pictures(&clean), whole[LENGTH - clean.len()..], "{name}");

        let fast = decoding(&file, "start=fast");
        fast.play();
        let fast = fast.frames();
        assert!(fast.len() > clean.len(), "{name}: {}", fast.len());
        let (early, rest) = fast.split_at(fast.len() - clean.len());
        assert!(early.iter().all(|frame| frame.corrupted), "{name}");
        assert!(rest.iter().all(|frame| !frame.corrupted), "{name}");
        assert_eq!(pictures(rest), pictures(&clean), "{name}");
    }
}
