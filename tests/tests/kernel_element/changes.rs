//! Streams that change, players that jump, elements that come and go.

use std::thread;

use fourier_tests::Outcome;

use crate::clips::{self, counter};
use crate::playing::{Playing, all_of, count_frames, hashes};
use crate::{Case, Ground};

pub const CASES: &[Case] = &[
    ("a_size_change_waits_for_nobody_who_keeps_frames", size_changes),
    ("two_elements_at_once_do_not_disturb_each_other", two_at_once),
    ("a_thousand_seeks_end_with_the_right_frames", seeks),
    ("two_hundred_starts_and_stops_leave_nothing_behind", starts_and_stops),
];

/// Frames of every size are kept up to the end, and are then what they were when they came.
fn size_changes(ground: &Ground) -> Outcome {
    let clip = clips::of_two_sizes()?;
    let playing = Playing::start(ground, &clip, "max-buffers=1")?;
    let (mut kept, mut sizes) = (Vec::new(), Vec::new());
    while let Some(sample) = playing.next()? {
        let buffer = sample.buffer_owned().ok_or("a sample without a buffer")?;
        kept.push((crate::playing::hash(&buffer)?, buffer));
        let caps = sample
            .caps()
            .and_then(|caps| caps.structure(0))
            .ok_or("a sample without caps")?;
        let size = (caps.get::<i32>("width")?, caps.get::<i32>("height")?);
        if sizes.last() != Some(&size) {
            sizes.push(size);
        }
    }
    all_of(&clip, kept.len())?;
    if sizes != [(128, 96), (320, 176)].repeat(10) {
        return Err(format!("the sizes were {sizes:?}").into());
    }
    for (number, (hash, buffer)) in kept.iter().enumerate() {
        if crate::playing::hash(buffer)? != *hash {
            return Err(format!("frame {number} was written to while it was kept").into());
        }
    }
    Ok(())
}

/// Both give the pictures that one alone gives.
fn two_at_once(ground: &Ground) -> Outcome {
    let clip = counter();
    let pictures = || -> Outcome<Vec<u64>> {
        let playing = Playing::start(ground, &clip, "max-buffers=2")?;
        let mut pictures = Vec::new();
        while let Some(sample) = playing.next()? {
            pictures.extend(hashes(&[sample.buffer_owned().ok_or("a sample without a buffer")?])?);
        }
        Ok(pictures)
    };
    let alone = pictures()?;
    all_of(&clip, alone.len())?;
    let both = thread::scope(|scope| {
        let players = [scope.spawn(pictures), scope.spawn(pictures)];
        players.map(|player| player.join().unwrap_or_else(|_| Err("a player panicked".into())))
    });
    for pictures in both {
        if pictures? != alone {
            return Err("the pictures differ from those of one element alone".into());
        }
    }
    Ok(())
}

/// Every kind of jump, all over the clip; then the second half comes whole.
fn seeks(ground: &Ground) -> Outcome {
    let times = |playing: &Playing| -> Outcome<Vec<_>> {
        let frames = playing.take(usize::MAX)?;
        Ok(frames.iter().map(|buffer| buffer.pts()).collect())
    };
    let undisturbed = times(&Playing::start(ground, &counter(), "max-buffers=4")?)?;
    let playing = Playing::start(ground, &counter(), "max-buffers=4")?;
    playing.settle()?;
    for step in 0..1_000_u64 {
        let flags = match step % 3 {
            0 => gst::SeekFlags::KEY_UNIT,
            _ => gst::SeekFlags::ACCURATE,
        };
        playing.seek(flags, gst::ClockTime::from_mseconds(step * 1_777 % 3_900))?;
        for _ in 0..step % 4 {
            playing.glance();
        }
    }
    playing.seek(gst::SeekFlags::ACCURATE, gst::ClockTime::from_seconds(2))?;
    let second_half = times(&playing)?;
    match second_half == undisturbed[counter().frames / 2..] {
        true => Ok(()),
        false => Err(format!("{} frames: {second_half:?}", second_half.len()).into()),
    }
}

/// Stopped at every stage: before the first frame, in the middle, at the end.
fn starts_and_stops(ground: &Ground) -> Outcome {
    let clip = counter();
    for turn in 0..200 {
        let playing = Playing::start(ground, &clip, "max-buffers=3")?;
        playing.take(turn % 5)?;
    }
    count_frames(ground, &clip)
}
