//! Seeks, flushes, gaps, reconfiguration, states.

use std::sync::mpsc::channel;

use gst::prelude::*;

use crate::harness::*;

#[test]
fn a_storm_of_seeks_ends_with_the_right_frames() {
    for file in [clip(), remuxed("mkv"), remuxed("ts")] {
        let running = Running::new(&format!(
            "{} ! fourierh264dec name=dec ! videoconvert ! video/x-raw,format=I420 ! appsink name=sink sync=false max-buffers=4",
            source(&file)
        ));
        running.reach(gst::State::Paused);
        running.play();
        // A fixed sequence that jumps all over the clip.
        for step in 0..60_u64 {
            let to = gst::ClockTime::from_mseconds(step * 1_777 % 3_900);
            let flags = if step % 3 == 0 {
                gst::SeekFlags::KEY_UNIT
            } else {
                gst::SeekFlags::ACCURATE
            };
            running.seek(gst::SeekFlags::FLUSH | flags, to);
            for _ in 0..step % 4 {
                let _ = running.sink().try_pull_sample(gst::ClockTime::from_mseconds(20));
            }
        }
        running.seek(
            gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE,
            gst::ClockTime::from_mseconds(2_000),
        );
        let frames = running.frames();
        let last = reference().len() - frames.len();
        assert!(
            frames.len() >= 40 && frames.len() < FRAMES,
            "{} of {}",
            frames.len(),
            file.display()
        );
        assert_eq!(pictures(&frames), pictures(&reference()[last..]), "{}", file.display());
    }
}

#[test]
fn a_flush_ends_a_push_that_waits() {
    // A full appsink blocks the element in its push, with frames waiting behind it.
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! appsink name=sink sync=false max-buffers=1",
        source(&clip())
    ));
    // The first fills the queue, the second waits for room, and nobody takes any.
    let (push, pushed) = channel();
    let pad = running.sink().static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        // Nobody listens once two are there.
        let _ = push.send(());
        gst::PadProbeReturn::Ok
    });
    running.play();
    for number in 1..=2 {
        let came = pushed.recv_timeout(TIMEOUT.into());
        came.unwrap_or_else(|error| panic!("frame {number} does not reach the sink: {error}"));
    }
    running.seek(
        gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT,
        gst::ClockTime::from_seconds(1),
    );
    assert_eq!(running.frames().len(), 75);
}

#[test]
fn a_flush_ends_a_wait_for_frames_that_downstream_keeps() {
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! appsink name=sink sync=false",
        source(&clip())
    ));
    running.play();
    // Buffers, not samples: appsink 1.22 sets caps on the sample it gave last when it begins again after a flush.
    let kept: Vec<_> = (0..40)
        .map(|_| running.sink().try_pull_sample(TIMEOUT).unwrap().buffer_owned().unwrap())
        .collect();
    running.seek(gst::SeekFlags::FLUSH | gst::SeekFlags::KEY_UNIT, gst::ClockTime::ZERO);
    assert_eq!(running.frames().len(), FRAMES);
    drop(kept);
}

#[test]
fn stopping_ends_every_wait() {
    for pulled in [0, 1, 40] {
        let running = Running::new(&format!(
            "{} ! fourierh264dec name=dec ! appsink name=sink sync=false max-buffers=2",
            source(&clip())
        ));
        running.play();
        let _kept: Vec<_> = (0..pulled)
            .map(|_| running.sink().try_pull_sample(TIMEOUT).unwrap())
            .collect();
        running.reach(gst::State::Null);
    }
}

#[test]
fn playing_backwards_shows_the_same_frames_the_other_way() {
    for file in [clip(), remuxed("mkv")] {
        let running = Running::new(&format!(
            "{} ! fourierh264dec ! videoconvert ! video/x-raw,format=I420 ! appsink name=sink sync=false",
            source(&file)
        ));
        running.reach(gst::State::Paused);
        let (from, to) = (gst::ClockTime::ZERO, gst::ClockTime::from_seconds(4));
        let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
        running
            .pipeline
            .seek(-1.0, flags, gst::SeekType::Set, from, gst::SeekType::Set, to)
            .unwrap();
        running.play();
        let mut backwards = pictures(&running.frames());
        backwards.reverse();
        assert_eq!(backwards, pictures(reference()), "{}", file.display());
    }
}

#[test]
fn a_gap_in_the_input_loses_no_frame() {
    let running = Running::new(&format!(
        "{} name=parse ! fourierh264dec ! videoconvert ! video/x-raw,format=I420 ! appsink name=sink sync=false",
        source(&clip())
    ));
    let sent = std::sync::atomic::AtomicUsize::new(0);
    running
        .element("parse")
        .static_pad("src")
        .unwrap()
        .add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            // In the middle of a group of pictures, where draining must not forget references.
            if sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 10 == 7 {
                let pts = info.buffer().unwrap().pts().unwrap();
                pad.peer()
                    .unwrap()
                    .send_event(gst::event::Gap::new(pts, gst::ClockTime::from_mseconds(1)));
            }
            gst::PadProbeReturn::Ok
        });
    running.play();
    assert_eq!(running.frames().len(), FRAMES);
}

#[test]
fn a_reconfigure_event_renegotiates_without_losing_a_frame() {
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! videoconvert ! video/x-raw,format=I420 ! appsink name=sink sync=false max-buffers=2",
        source(&clip())
    ));
    running.play();
    let mut frames = Vec::new();
    while let Some(sample) = running.sink().try_pull_sample(TIMEOUT) {
        frames.push(Seen::of(sample.buffer().unwrap()).picture);
        if frames.len() % 7 == 0 {
            running
                .element("dec")
                .static_pad("src")
                .unwrap()
                .send_event(gst::event::Reconfigure::new());
        }
    }
    assert_eq!(frames, pictures(reference()));
}

#[test]
fn a_frame_goes_out_without_waiting_for_more_input() {
    // A live camera that stops: everything that is due must be out although nothing comes any more.
    let file = encoded("no-bframes", "size=64x64:rate=25:duration=1", "-bf 0");
    let running = Running::new(&format!(
        "{} name=parse ! fourierh264dec name=dec ! appsink name=sink sync=false",
        source(&file)
    ));
    running.pretend_live("parse");
    let pad = running.element("parse").static_pad("src").unwrap();
    let sent = std::sync::atomic::AtomicUsize::new(0);
    let blocked = std::sync::Mutex::new(());
    let (stop, stopped) = channel::<()>();
    let stopped = std::sync::Mutex::new(stopped);
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        if sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 5 {
            let _blocked = blocked.lock().unwrap();
            let _ = stopped.lock().unwrap().recv();
        }
        gst::PadProbeReturn::Ok
    });
    running.play();
    for frame in 0..5 {
        let sample = running.sink().try_pull_sample(gst::ClockTime::from_seconds(20));
        assert!(sample.is_some(), "frame {frame} waits for input");
    }
    drop(stop);
    assert_eq!(running.frames().len(), 20);
}

#[test]
fn a_thread_of_its_own_pushes_only_where_somebody_waits_for_the_frame() {
    for (is_live, properties, has_task) in [(false, "", false), (true, "", true), (false, "low-latency=true", true)] {
        let running = Running::new(&format!(
            "{} name=parse ! fourierh264dec name=dec {properties} ! videoconvert ! video/x-raw,format=I420 ! appsink \
             name=sink sync=false max-buffers=4",
            source(&clip())
        ));
        if is_live {
            running.pretend_live("parse");
        }
        running.play();
        let first = running.sink().try_pull_sample(TIMEOUT).unwrap();
        let task = running.element("dec").static_pad("src").unwrap().task_state();
        assert_eq!(
            task == gst::TaskState::Started,
            has_task,
            "live: {is_live} {properties}: {task:?}"
        );
        let mut frames = vec![Seen::of(first.buffer().unwrap())];
        frames.extend(running.frames());
        assert_eq!(pictures(&frames), pictures(reference()));
    }
}

#[test]
fn late_frames_that_nothing_refers_to_are_left_out_and_told() {
    let running = Running::new(&format!(
        "{} ! fourierh264dec name=dec ! videoconvert ! video/x-raw,format=I420 ! appsink name=sink sync=false",
        source(&clip())
    ));
    // The base class forgets what it was told when it pushes a segment: told with the first frame it lasts.
    let told = std::sync::atomic::AtomicBool::new(false);
    let pad = running.element("dec").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, _| {
        if !told.swap(true, std::sync::atomic::Ordering::Relaxed) {
            let an_hour = 3_600 * gst::ClockTime::SECOND;
            pad.send_event(gst::event::Qos::new(gst::QOSType::Underflow, 2.0, 1, an_hour));
        }
        gst::PadProbeReturn::Ok
    });
    running.play();
    let frames = running.frames();

    let dropped = running.count("dropped");
    assert_eq!(
        (running.count("frames") + dropped, running.count("damaged")),
        (FRAMES as u64, 0)
    );
    assert!(dropped >= FRAMES as u64 / 5, "{dropped} dropped");
    assert!(
        frames.iter().all(|frame| reference().contains(frame)),
        "a frame is not what it should be"
    );
    running.message(&[gst::MessageType::Qos]);
}
