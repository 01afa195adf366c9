//! The front end alone: from the bytes of a 1080p access unit to the controls and the bitstream that a device is given.
//!
//! Syntax, DPB, frame pool, bitstream ring and session are the real ones; the device answers at once and decodes nothing.
//! One iteration is one picture.

mod instant;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use fourier_core::decode::Outcome as Decoded;
use fourier_core::decode::stream::{AccessUnitBytes, Event, FrameTag, StreamConfig, StreamDecoder};
use fourier_core::h264::annexb::nal_units;
use fourier_tests::{Outcome, long_streams};

use self::instant::InstantDevice;

/// Cuts a stream of one slice a picture, or of several, where a picture's first slice comes (`first_mb_in_slice` 0).
fn access_units(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut units = Vec::new();
    let mut unit = Vec::new();
    let mut has_slice = false;
    for nal in nal_units(stream) {
        let nal_unit_type = nal.first().map_or(0, |header| header & 31);
        let is_slice = matches!(nal_unit_type, 1 | 5);
        let begins = !is_slice || nal.get(1).is_some_and(|byte| byte & 0x80 != 0);
        if has_slice && begins {
            units.push(std::mem::take(&mut unit));
            has_slice = false;
        }
        has_slice |= is_slice;
        unit.extend_from_slice(&[0, 0, 0, 1]);
        unit.extend_from_slice(nal);
    }
    units.push(unit);
    units
}

/// Decodes `count` pictures, again from the start when the stream ends; gives how long that took.
fn decode(units: &[Vec<u8>], count: u64) -> Outcome<Duration> {
    let mut decoder = StreamDecoder::new(Arc::new(InstantDevice::new()?), StreamConfig::default())?;
    let mut frames = 0;
    let mut take_events = |decoder: &mut StreamDecoder| -> Outcome {
        while let Some(event) = decoder.next_event() {
            match event {
                Event::Frame(frame) if frame.wait() == Decoded::Good => frames += 1,
                Event::Format(_) => {}
                other => return Err(format!("{other:?}").into()),
            }
        }
        Ok(())
    };
    let mut pieces = units.iter().cycle().zip((0..).map(FrameTag));
    // Setting up is no picture's work.
    let warm_up = pieces.by_ref().take(units.len());
    let mut feed = |(unit, tag): (&Vec<u8>, FrameTag)| -> Outcome {
        decoder.decode(AccessUnitBytes::AnnexB(black_box(unit)), tag)?;
        take_events(&mut decoder)
    };
    warm_up.into_iter().try_for_each(&mut feed)?;
    let begin = Instant::now();
    pieces.take(usize::try_from(count)?).try_for_each(&mut feed)?;
    let elapsed = begin.elapsed();
    decoder.drain()?;
    take_events(&mut decoder)?;
    if frames != units.len() as u64 + count {
        return Err(format!("{frames} frames of {}", units.len() as u64 + count).into());
    }
    Ok(elapsed)
}

fn measure(criterion: &mut Criterion) -> Outcome {
    let mut group = criterion.benchmark_group("front end, a 1080p picture");
    group.throughput(Throughput::Elements(1));
    for stream in long_streams::prepare()? {
        let units = access_units(&std::fs::read(&stream.file)?);
        // What is to be measured must work: criterion has no way to say that it does not.
        decode(&units, 1).map_err(|error| format!("{}: {error}", stream.title))?;
        group.bench_function(&stream.title, |bencher| {
            bencher.iter_custom(|count| decode(&units, count).unwrap_or(Duration::MAX));
        });
    }
    group.finish();
    Ok(())
}

fn main() -> Outcome {
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
