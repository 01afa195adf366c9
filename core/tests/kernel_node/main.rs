//! Streams on a decoder of the kernel: `FOURIER_DEVICE=/dev/videoN cargo test -p fourier-core --test kernel_node`.
//!
//! Nothing here looks at samples, so that visl does, which draws what it is told instead of decoding; it decodes inside
//! the call that makes a job ready, so work that does not end is made by withholding CAPTURE buffers. Without such a
//! device each test says that it is skipped.
//!
//! `groups.264`: 96x80, 40 frames with two B frames between references, three slices each, an IDR picture every ten.
//!
//!     ffmpeg -f lavfi -i testsrc2=size=96x80:rate=25:duration=1.6 -c:v libx264 -pix_fmt yuv420p -profile:v main \
//!         -preset slow -crf 36 -g 10 -bf 2 -x264-params slices=3:scenecut=0:no-info=1 -fflags +bitexact \
//!         -flags:v +bitexact -bsf:v filter_units=remove_types=6 -f h264 groups.264
//!
//! `lone_fields.264`: 64x64, two frames of two fields, a top field and a bottom field that stay alone; the tests of
//! `decode::stream` write it.
#![expect(clippy::unwrap_used, reason = "a test that goes wrong ends here")]

#[path = "../held/mod.rs"]
mod held;
mod memory;
mod recovery;
mod streams;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fourier_core::decode::Outcome;
use fourier_core::decode::stream::{
    AccessUnitBytes, DropReason, Event, FrameTag, OutputFrame, StreamConfig, StreamDecoder, StreamStats,
};
use fourier_core::device::DecoderDevice;
use fourier_core::device::discovery::{ENVIRONMENT, open_device};
use fourier_core::h264::annexb::nal_units;
use held::Held;

/// See above.
const GROUPS: &[u8] = include_bytes!("groups.264");
/// See above.
const LONE_FIELDS: &[u8] = include_bytes!("lone_fields.264");
/// Access units of one group of [`GROUPS`].
const GROUP: usize = 10;

/// Tests are one at a time: each counts what the process holds.
static TURN: Mutex<()> = Mutex::new(());

/// Runs a test on the decoder under test, if there is one. Then descriptors, mappings, dma-bufs and memory are back where
/// they were, and threads, too, if the harness starts none in between (`RUST_TEST_THREADS=1`).
fn on_device(test: impl FnOnce(Arc<dyn DecoderDevice>)) {
    let Some(path) = std::env::var(ENVIRONMENT).ok().filter(|path| path.starts_with("/dev/")) else {
        eprintln!("SKIPPED: {ENVIRONMENT} names no decoder of the kernel (/dev/videoN)");
        return;
    };
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut before = Held::now().unwrap();
    if std::env::var("RUST_TEST_THREADS").as_deref() != Ok("1") {
        before.of_the_process[1] = usize::MAX;
    }
    test(open_device(Some(&path)).unwrap());
    before.must_be_all("after the test");
}

/// Splits before each first slice; parameter sets belong to the picture after them.
fn access_units(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut units: Vec<Vec<u8>> = Vec::new();
    let mut in_picture = false;
    for nal in nal_units(stream) {
        let is_slice = matches!(nal[0] & 31, 1 | 5);
        // first_mb_in_slice is ue(v): 0 begins with a one.
        let begins = !is_slice || nal[1] & 0x80 != 0;
        if units.is_empty() || (begins && in_picture) {
            units.push(Vec::new());
            in_picture = false;
        }
        in_picture |= is_slice;
        if let Some(unit) = units.last_mut() {
            unit.extend([0, 0, 1]);
            unit.extend(nal);
        }
    }
    units
}

/// What came out of a decoder.
#[derive(Default)]
struct Got {
    /// In display order: the number of the access unit, and whether the frame is good.
    frames: Vec<(u64, Outcome)>,
    dropped: Vec<(u64, DropReason)>,
    warnings: Vec<String>,
    stats: StreamStats,
    took: Duration,
}

impl Got {
    fn good(&self) -> Vec<u64> {
        let good = self.frames.iter().filter(|(_, outcome)| *outcome == Outcome::Good);
        good.map(|&(tag, _)| tag).collect()
    }

    fn tags(&self) -> Vec<u64> {
        self.frames.iter().map(|&(tag, _)| tag).collect()
    }

    /// Every access unit came out once, as a frame or as dropped.
    fn accounts_for(&self, units: usize) {
        let mut tags: Vec<_> = self.tags();
        tags.extend(self.dropped.iter().map(|&(tag, _)| tag));
        tags.sort_unstable();
        assert!(
            tags.iter().copied().eq(0..units as u64),
            "{tags:?}, {:?}",
            self.warnings
        );
    }
}

/// Decodes all units and drains; `seen` gets every frame.
fn decode(device: Arc<dyn DecoderDevice>, units: &[Vec<u8>], mut seen: impl FnMut(OutputFrame)) -> Got {
    let begun = Instant::now();
    let mut decoder = StreamDecoder::new(device, StreamConfig::default()).unwrap();
    let mut got = Got::default();
    let mut take = |decoder: &mut StreamDecoder, got: &mut Got| {
        while let Some(event) = decoder.next_event() {
            match event {
                Event::Format(_) => {}
                Event::Frame(frame) => {
                    got.frames.push((frame.tag().unwrap().0, frame.wait()));
                    seen(frame);
                }
                Event::Dropped { tag, reason } => got.dropped.push((tag.0, reason)),
                Event::Warning(warning) => got.warnings.push(warning.to_string()),
            }
        }
    };
    for (tag, unit) in (0..).map(FrameTag).zip(units) {
        decoder.decode(AccessUnitBytes::AnnexB(unit), tag).unwrap();
        take(&mut decoder, &mut got);
    }
    decoder.drain().unwrap();
    take(&mut decoder, &mut got);
    got.stats = decoder.stats();
    got.took = begun.elapsed();
    got.accounts_for(units.len());
    got
}
