//! Ends in the middle of work. visl decodes inside the call that makes a job ready, so nothing is outstanding there by
//! itself: here its CAPTURE buffers are withheld.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fourier_core::decode::stream::{AccessUnitBytes, Alignment, FrameTag, StreamConfig, StreamDecoder};
use fourier_core::device::fault::{Fault, FaultyDevice, Occasion};
use fourier_core::units::REQUEST_TIMEOUT;
use fourier_tests::Outcome;
use fourier_tests::annexb::nals;

use crate::clips;
use crate::{Case, Ground};

pub const CASES: &[Case] = &[
    ("a_decoder_is_torn_down_with_work_in_flight", teardown),
    ("a_flush_with_work_in_flight_goes_on_with_what_comes_next", flush),
];

/// Requests that are outstanding in the kernel.
const IN_FLIGHT: u32 = 2;

/// A decoder whose last requests the kernel has and cannot begin.
fn with_work_in_flight(ground: &Ground, stream: &[u8]) -> Outcome<StreamDecoder> {
    let device = Arc::new(FaultyDevice::new(Arc::clone(&ground.device)));
    for number in 0..IN_FLIGHT {
        device.inject(Fault::WithheldCapture, Occasion::Nth(3 + number));
    }
    let config = StreamConfig {
        alignment: Alignment::Nal,
        ..StreamConfig::default()
    };
    let mut decoder = StreamDecoder::new(Arc::clone(&device) as _, config)?;
    for (tag, nal) in (0..).map(FrameTag).zip(nals(stream)) {
        decoder.decode(AccessUnitBytes::AnnexB(&stream[nal.range]), tag)?;
        if device.happened() == IN_FLIGHT {
            return Ok(decoder);
        }
    }
    Err("the stream is too short".into())
}

fn teardown(ground: &Ground) -> Outcome {
    let stream = std::fs::read(clips::sliced()?.path)?;
    let decoder = with_work_in_flight(ground, &stream)?;
    let start = Instant::now();
    drop(decoder);
    in_time(start.elapsed())
}

fn flush(ground: &Ground) -> Outcome {
    let clip = clips::sliced()?;
    let stream = std::fs::read(&clip.path)?;
    let mut decoder = with_work_in_flight(ground, &stream)?;
    while decoder.next_event().is_some() {}
    let start = Instant::now();
    decoder.flush()?;
    in_time(start.elapsed())?;
    let before = decoder.stats().frames;
    for (tag, nal) in (0..).map(FrameTag).zip(nals(&stream)) {
        decoder.decode(AccessUnitBytes::AnnexB(&stream[nal.range]), tag)?;
        while decoder.next_event().is_some() {}
    }
    decoder.drain()?;
    let (frames, expected) = (decoder.stats().frames - before, clip.frames as u64);
    match frames == expected {
        true => Ok(()),
        false => Err(format!("{frames} frames after the flush, not {expected}: {:?}", decoder.stats()).into()),
    }
}

/// Nobody can make the kernel finish: it is given the time of a request, and then its queues are restarted. The bound
/// leaves a loaded machine time: who waits for the kernel itself waits for ever.
fn in_time(took: Duration) -> Outcome {
    match (REQUEST_TIMEOUT..10 * REQUEST_TIMEOUT).contains(&took) {
        true => Ok(()),
        false => Err(format!("it took {took:?}").into()),
    }
}
