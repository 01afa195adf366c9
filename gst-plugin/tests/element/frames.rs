//! Frames, times, order and caps: those of `avdec_h264`.

use std::sync::atomic::{AtomicUsize, Ordering};

use gst::prelude::*;
use gst_video::prelude::*;

use crate::harness::*;

#[test]
fn every_container_gives_the_frames_of_libavcodec() {
    for file in [clip(), remuxed("mkv"), remuxed("flv"), remuxed("ts"), remuxed("h264")] {
        let from = source(&file);
        let ours = frames_of(&format!("{from} ! fourierh264dec"));
        let theirs = frames_of(&format!("{from} ! avdec_h264"));
        assert_eq!(ours, theirs, "{}", file.display());
        assert_eq!(pictures(&ours), pictures(reference()), "{}", file.display());
    }
}

fn caps_of(decoder: &str, file: &std::path::Path) -> gst::Structure {
    let running = Running::new(&format!("{} ! {decoder} ! appsink name=sink sync=false", source(file)));
    running.reach(gst::State::Paused);
    let caps = running.sink().static_pad("sink").unwrap().current_caps().unwrap();
    caps.structure(0).unwrap().to_owned()
}

#[test]
fn caps_are_those_of_libavcodec_but_for_the_pixel_format() {
    let files = [
        clip(),
        remuxed("ts"),
        encoded("cropped", "size=88x72:rate=30:duration=0.2", ""),
        encoded(
            "full-range",
            "size=64x64:rate=24000/1001:duration=0.2",
            "-color_range pc -colorspace bt470bg",
        ),
        encoded(
            "anamorphic",
            "size=352x288:rate=25:duration=0.2",
            "-vf setsar=16/11 -chroma_sample_location center",
        ),
    ];
    for file in files {
        let [mut ours, mut theirs] = ["fourierh264dec", "avdec_h264"].map(|decoder| caps_of(decoder, &file));
        assert_eq!(ours.get::<&str>("format").unwrap(), "NV12");
        for caps in [&mut ours, &mut theirs] {
            caps.remove_field("format");
        }
        assert_eq!(ours, theirs, "{}", file.display());
    }
}

#[test]
fn pictures_of_10_bits_and_of_4_2_2_keep_all_that_they_have() {
    for (planar, format, ours) in [
        ("yuv420p10le", "I420_10LE", "P010_10LE"),
        ("yuv422p", "Y42B", "NV16"),
        ("yuv422p10le", "I422_10LE", "Y210"),
    ] {
        let file = encoded(planar, "size=88x72:rate=25:duration=0.4", &format!("-pix_fmt {planar}"));
        let of = |decoder: &str| {
            let running = Running::new(&format!(
                "{} ! {decoder} ! videoconvert dither=none ! video/x-raw,format={format} ! appsink name=sink sync=false",
                source(&file)
            ));
            running.play();
            running.frames()
        };
        assert_eq!(caps_of("fourierh264dec", &file).get::<&str>("format").unwrap(), ours);
        assert_eq!(of("fourierh264dec"), of("avdec_h264"), "{planar}");
    }
}

#[test]
fn a_size_change_renegotiates_and_loses_no_frame() {
    let sizes = ["320x240", "88x72", "176x144"];
    let streams = sizes.map(|size| {
        encoded(
            &format!("size-{size}"),
            &format!("size={size}:rate=25:duration=0.4"),
            "",
        )
    });
    let bytes: Vec<u8> = streams
        .iter()
        .flat_map(|stream| std::fs::read(stream).unwrap())
        .collect();
    let joined = written("sizes.h264", &bytes);

    let running = Running::new(&format!(
        "{} ! fourierh264dec ! appsink name=sink sync=false",
        source(&joined)
    ));
    running.play();
    let mut seen = Vec::new();
    while let Some(sample) = running.sink().try_pull_sample(TIMEOUT) {
        let caps = sample.caps().unwrap().structure(0).unwrap();
        seen.push(format!(
            "{}x{}",
            caps.get::<i32>("width").unwrap(),
            caps.get::<i32>("height").unwrap()
        ));
    }
    let expected: Vec<_> = sizes.iter().flat_map(|size| vec![size.to_string(); 10]).collect();
    assert_eq!(seen, expected);
    let ours = frames_of(&format!("{} ! fourierh264dec", source(&joined)));
    let theirs = frames_of(&format!("{} ! avdec_h264", source(&joined)));
    assert_eq!(pictures(&ours), pictures(&theirs));
}

#[test]
fn a_frame_rate_that_changes_alone_reaches_downstream() {
    let running = Running::new(&format!(
        "{} name=parse ! fourierh264dec ! appsink name=sink sync=false",
        source(&clip())
    ));
    let keys = AtomicUsize::new(0);
    let pad = running.element("parse").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let is_key = !info.buffer().unwrap().flags().contains(gst::BufferFlags::DELTA_UNIT);
        if is_key && keys.fetch_add(1, Ordering::Relaxed) == 2 {
            let mut caps = pad.current_caps().unwrap();
            caps.make_mut().set("framerate", gst::Fraction::new(60, 1));
            pad.peer().unwrap().send_event(gst::event::Caps::new(&caps));
        }
        gst::PadProbeReturn::Ok
    });
    running.play();
    let mut rates = Vec::new();
    while let Some(sample) = running.sink().try_pull_sample(TIMEOUT) {
        let caps = sample.caps().unwrap().structure(0).unwrap();
        rates.push(caps.get::<gst::Fraction>("framerate").unwrap().numer());
    }
    assert_eq!(rates, [[25; FRAMES / 2], [60; FRAMES / 2]].concat());
}

#[test]
fn two_in_one_pipeline_do_not_disturb_each_other() {
    let branch = |name: &str| {
        format!(
            "{} ! fourierh264dec ! videoconvert ! video/x-raw,format=I420 ! appsink name={name} sync=false",
            source(&clip())
        )
    };
    let running = Running::new(&format!("{} {}", branch("one"), branch("two")));
    running.play();
    let sinks = ["one", "two"].map(|name| running.element(name).downcast::<gst_app::AppSink>().unwrap());
    let mut pictures_of = [Vec::new(), Vec::new()];
    for _ in 0..FRAMES {
        for (sink, pictures) in sinks.iter().zip(&mut pictures_of) {
            let sample = sink.try_pull_sample(TIMEOUT).unwrap();
            pictures.push(Seen::of(sample.buffer().unwrap()).picture);
        }
    }
    for ours in pictures_of {
        assert_eq!(ours, pictures(reference()));
    }
}

#[test]
fn latency_is_the_reordering_of_the_stream() {
    let reordered = encoded("bframes", "size=64x64:rate=25:duration=1", "-bf 2 -b-pyramid none");
    let straight = encoded("no-bframes", "size=64x64:rate=25:duration=1", "-bf 0");
    assert_eq!(latency_of(&reordered, ""), FRAME);
    assert_eq!(latency_of(&straight, ""), gst::ClockTime::ZERO);
}

#[test]
fn low_latency_shows_at_once_what_a_silent_stream_makes_others_wait_for() {
    // Where B pictures are not even allowed x264 takes POC type 2, which says it all.
    let straight = encoded(
        "poc-type-0",
        "size=64x64:rate=25:duration=1",
        "-profile:v main -level 1 -x264-params bframes=1:b-adapt=1:b-bias=-100",
    );
    let mut stream = std::fs::read(straight).unwrap();
    let sps = 4 + stream
        .windows(4)
        .position(|bytes| bytes[..3] == [0, 0, 1] && bytes[3] & 31 == 7)
        .unwrap();
    remove_vui(&mut stream[sps..]);
    let silent = written("silent.h264", &stream);

    assert_eq!(latency_of(&silent, ""), FRAME * 16, "the DPB of level 1 at this size");
    assert_eq!(latency_of(&silent, "low-latency=true"), gst::ClockTime::ZERO);
    let decoded_by = |decoder: &str| pictures(&frames_of(&format!("{} ! {decoder}", source(&silent))));
    assert_eq!(decoded_by("fourierh264dec low-latency=true"), decoded_by("avdec_h264"));
}

const FRAME: gst::ClockTime = gst::ClockTime::from_mseconds(40);

fn latency_of(file: &std::path::Path, properties: &str) -> gst::ClockTime {
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec {properties} ! fakesink",
        source(file)
    ));
    running.reach(gst::State::Paused);
    let decoder = running.element("dec").downcast::<gst_video::VideoDecoder>().unwrap();
    decoder.latency().0
}

/// Clears `vui_parameters_present_flag` of a Main `sps` with POC type 0 or 2 (7.3.2.1.1).
fn remove_vui(sps: &mut [u8]) {
    let mut at = 24;
    let bit = |sps: &[u8], at: usize| sps[at / 8] >> (7 - at % 8) & 1;
    let ue = |sps: &[u8], at: &mut usize| {
        let zeros = (*at..).take_while(|&at| bit(sps, at) == 0).count();
        let code = (*at + zeros..=*at + 2 * zeros).fold(0, |code, at| code << 1 | u32::from(bit(sps, at)));
        *at += 2 * zeros + 1;
        code - 1
    };
    // seq_parameter_set_id, log2_max_frame_num_minus4, then the POC type with what it brings.
    ue(sps, &mut at);
    ue(sps, &mut at);
    if ue(sps, &mut at) == 0 {
        ue(sps, &mut at);
    }
    // max_num_ref_frames; gaps_in_frame_num_value_allowed_flag; width, height; two flags.
    ue(sps, &mut at);
    at += 1;
    ue(sps, &mut at);
    ue(sps, &mut at);
    at += 2;
    let frame_cropping_flag = bit(sps, at);
    at += 1;
    for _ in 0..4 * frame_cropping_flag {
        ue(sps, &mut at);
    }
    assert_eq!(bit(sps, at), 1, "x264 writes a VUI");
    sps[at / 8] &= !(1 << (7 - at % 8));
}

#[test]
fn metas_of_the_input_reach_the_output() {
    let running = Running::new(&format!(
        "{} name=parse ! fourierh264dec ! appsink name=sink sync=false",
        source(&clip())
    ));
    let reference = gst::Caps::new_empty_simple("timestamp/x-fourier-test");
    running
        .element("parse")
        .static_pad("src")
        .unwrap()
        .add_probe(gst::PadProbeType::BUFFER, {
            let reference = reference.clone();
            move |_, info| {
                let buffer = info.buffer_mut().unwrap().make_mut();
                let pts = buffer.pts().unwrap();
                gst::ReferenceTimestampMeta::add(buffer, &reference, pts, None);
                gst::PadProbeReturn::Ok
            }
        });
    running.play();
    let mut frames = 0;
    while let Some(sample) = running.sink().try_pull_sample(TIMEOUT) {
        let buffer = sample.buffer().unwrap();
        let meta = buffer.meta::<gst::ReferenceTimestampMeta>().expect("the meta is lost");
        assert_eq!(Some(meta.timestamp()), buffer.pts());
        frames += 1;
    }
    assert_eq!(frames, FRAMES);
}
