//! Every stream format and alignment of the sink caps.

use crate::harness::*;

#[test]
fn every_stream_format_and_alignment_gives_the_same_frames() {
    for caps in [
        "stream-format=avc,alignment=au",
        "stream-format=avc3,alignment=au",
        "stream-format=byte-stream,alignment=au",
        "stream-format=byte-stream,alignment=nal",
    ] {
        let ours = frames_of(&format!("{} ! video/x-h264,{caps} ! fourierh264dec", source(&clip())));
        assert_eq!(pictures(&ours), pictures(reference()), "{caps}");
        let times = |frames: &[Seen]| frames.iter().map(|frame| frame.pts).collect::<Vec<_>>();
        assert_eq!(times(&ours), times(reference()), "{caps}");
    }
}

#[test]
fn slices_of_a_picture_may_come_one_by_one() {
    let file = encoded("slices", "size=176x144:rate=25:duration=1", "-slices 4 -bf 2");
    let from = source(&file);
    let ours = frames_of(&format!(
        "{from} ! video/x-h264,alignment=nal,stream-format=byte-stream ! fourierh264dec"
    ));
    assert_eq!(pictures(&ours), pictures(&frames_of(&format!("{from} ! avdec_h264"))));
}

#[test]
fn an_rtp_payload_is_decoded_at_its_marker() {
    let rtp = format!("{} ! rtph264pay ! rtph264depay", source(&clip()));
    for alignment in ["au", "nal"] {
        let caps = format!("video/x-h264,stream-format=byte-stream,alignment={alignment}");
        let ours = frames_of(&format!("{rtp} ! {caps} ! fourierh264dec"));
        assert_eq!(pictures(&ours), pictures(reference()), "{alignment}");
    }
}

#[test]
fn upstream_that_can_choose_sends_access_units() {
    let running = Running::new(&format!(
        "{} ! rtph264pay ! rtph264depay ! fourierh264dec name=dec ! fakesink",
        source(&clip())
    ));
    running.reach(gst::State::Paused);
    use gst::prelude::*;
    let caps = running
        .element("dec")
        .static_pad("sink")
        .unwrap()
        .current_caps()
        .unwrap();
    assert_eq!(caps.structure(0).unwrap().get::<&str>("alignment").unwrap(), "au");
}
