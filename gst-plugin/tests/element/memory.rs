//! Frames are the decoder's references: nobody may change them, and everybody may keep them.

use std::sync::atomic::{AtomicUsize, Ordering};

use gst::prelude::*;

use crate::harness::*;

fn decoded_undisturbed() -> Vec<u64> {
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! fakevideosink sync=false",
        source(&clip())
    ));
    let hashes = running.watch(|_| ());
    running.play();
    running.wait_for_eos();
    hashes.lock().unwrap().clone()
}

#[test]
fn a_probe_that_overwrites_every_frame_leaves_the_stream_as_it_is() {
    let expected = decoded_undisturbed();
    assert_eq!(expected.len(), FRAMES);
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! fakevideosink sync=false",
        source(&clip())
    ));
    let hashes = running.watch(|buffer| buffer.make_mut().map_writable().unwrap().fill(0));
    running.play();
    running.wait_for_eos();
    assert_eq!(*hashes.lock().unwrap(), expected);
}

#[test]
fn a_filter_that_draws_leaves_the_stream_as_it_is() {
    let expected = decoded_undisturbed();
    let drawing = "timeoverlay ! videobalance brightness=0.5 ! fakevideosink sync=false";
    let running = Running::new(&format!("{} ! fourierh264dec name=dec ! {drawing}", source(&clip())));
    let hashes = running.watch(|_| ());
    running.play();
    running.wait_for_eos();
    assert_eq!(*hashes.lock().unwrap(), expected);
}

#[test]
fn a_consumer_that_keeps_every_frame_stops_nothing_and_keeps_them_whole() {
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! appsink name=sink sync=false",
        source(&clip())
    ));
    // Without GstVideoMeta frames of this size go out as they are too.
    let hashes = running.watch(|_| ());
    running.play();
    let mut kept = Vec::new();
    while let Some(sample) = running.sink().try_pull_sample(TIMEOUT) {
        kept.push(sample.buffer_owned().unwrap());
    }
    assert_eq!(kept.len(), FRAMES);
    let now: Vec<_> = kept
        .iter()
        .map(|buffer| hash(&buffer.map_readable().unwrap()))
        .collect();
    assert_eq!(now, *hashes.lock().unwrap());
    assert_eq!(now, decoded_undisturbed());
    let (copies, frames) = (running.count("copies"), running.count("pool-size"));
    assert!(
        copies > 0 && copies < FRAMES as u64,
        "{copies} copies of {frames} frames"
    );
    assert!(running.count("waits") > 0);
}

#[test]
fn a_consumer_that_asks_for_more_frames_gets_them_uncopied() {
    // What the sink queues counts too: without a bound the decoder would fill more than was asked for, and then copy.
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! appsink name=sink sync=false max-buffers=1",
        source(&clip())
    ));
    let wants = |_: &gst::Pad, info: &mut gst::PadProbeInfo<'_>| {
        if let Some(gst::QueryViewMut::Allocation(query)) = info.query_mut().map(gst::QueryRef::view_mut) {
            query.add_allocation_pool(gst::BufferPool::NONE, 0, 30, 0);
        }
        gst::PadProbeReturn::Ok
    };
    let pad = running.sink().static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, wants);
    running.play();
    let kept: Vec<_> = (0..30)
        .map(|_| running.sink().try_pull_sample(TIMEOUT).unwrap())
        .collect();
    assert_eq!((kept.len(), running.count("copies")), (30, 0));
}

#[test]
fn a_consumer_that_takes_back_what_it_promised_gets_what_it_can_read() {
    // 88 is no multiple of what the decoder aligns rows to.
    let file = encoded("strides", "size=88x72:rate=25:duration=0.4", "");
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! appsink name=sink sync=false",
        source(&file)
    ));
    // The second query is the base class's, which finds the flag when it pushes the first frame.
    let (asked, dec) = (AtomicUsize::new(0), running.element("dec").downgrade());
    let pad = running.sink().static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, move |_, info| {
        if let Some(gst::QueryViewMut::Allocation(query)) = info.query_mut().map(gst::QueryRef::view_mut)
            && asked.fetch_add(1, Ordering::Relaxed) == 0
        {
            query.add_allocation_meta::<gst_video::VideoMeta>(None);
            let pad = dec.upgrade().unwrap().static_pad("src").unwrap();
            pad.send_event(gst::event::Reconfigure::new());
        }
        gst::PadProbeReturn::Ok
    });
    running.play();
    let mut sizes = Vec::new();
    while let Some(sample) = running.sink().try_pull_sample(TIMEOUT) {
        sizes.push(sample.buffer().unwrap().size());
    }
    assert_eq!(sizes[1..], [88 * 72 * 3 / 2; 9]);
    assert_ne!(sizes[0], sizes[1]);
}

#[test]
fn frames_outlive_the_pipeline() {
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! appsink name=sink sync=false",
        source(&clip())
    ));
    let hashes = running.watch(|_| ());
    running.play();
    let kept: Vec<_> = (0..5)
        .map(|_| running.sink().try_pull_sample(TIMEOUT).unwrap().buffer_owned().unwrap())
        .collect();
    drop(running);
    let now: Vec<_> = kept
        .iter()
        .map(|buffer| hash(&buffer.map_readable().unwrap()))
        .collect();
    assert_eq!(now, hashes.lock().unwrap()[..5]);
}

#[test]
fn nothing_is_copied_for_who_reads_strides() {
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! fakevideosink sync=false",
        source(&clip())
    ));
    running.play();
    running.wait_for_eos();
    assert_eq!((running.count("frames"), running.count("copies")), (FRAMES as u64, 0));
}

#[test]
fn who_reads_no_strides_gets_default_ones() {
    // 88 is no multiple of what the decoder aligns rows to, and the picture is cropped.
    let file = encoded("cropped", "size=88x72:rate=30:duration=0.2", "");
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! appsink name=sink sync=false",
        source(&file)
    ));
    running.play();
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::Nv12, 88, 72)
        .build()
        .unwrap();
    while let Some(sample) = running.sink().try_pull_sample(TIMEOUT) {
        let buffer = sample.buffer().unwrap();
        assert_eq!(buffer.size(), info.size());
        assert!(
            buffer
                .meta::<gst_video::VideoMeta>()
                .is_none_or(|meta| meta.stride() == info.stride())
        );
    }
    assert_eq!(running.count("copies"), running.count("frames"));
    let ours = frames_of(&format!(
        "{} ! fourierh264dec ! identity drop-allocation=true",
        source(&file)
    ));
    assert_eq!(
        pictures(&ours),
        pictures(&frames_of(&format!("{} ! avdec_h264", source(&file))))
    );
}
