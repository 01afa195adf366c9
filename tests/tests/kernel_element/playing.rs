//! A pipeline around the element, stopped when it is dropped.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use fourier_tests::Outcome;
use gst::prelude::*;
use gst_app::AppSink;

use crate::Ground;
use crate::clips::Clip;

/// Longer than anything here takes: whoever waits longer hangs.
pub const TIMEOUT: gst::ClockTime = gst::ClockTime::from_seconds(60);

/// File, parser, fourierh264dec, appsink.
#[derive(Debug)]
pub struct Playing {
    pipeline: gst::Pipeline,
    decoder: gst::Element,
    sink: AppSink,
}

impl Playing {
    /// In state PLAYING; `sink` are properties of the appsink.
    pub fn start(ground: &Ground, clip: &Clip, sink: &str) -> Outcome<Self> {
        let playing = Self::prepare(ground, clip, sink)?;
        playing.pipeline.set_state(gst::State::Playing)?;
        Ok(playing)
    }

    /// In state NULL.
    fn prepare(ground: &Ground, clip: &Clip, sink: &str) -> Outcome<Self> {
        let demuxer = clip
            .container
            .demuxer()
            .map(|name| format!("{name} !"))
            .unwrap_or_default();
        let description = format!(
            "filesrc location=\"{}\" ! {demuxer} h264parse ! fourierh264dec name=decoder device={} ! appsink name=sink \
             sync=false {sink}",
            clip.path.display(),
            ground.path
        );
        let pipeline = gst::parse::launch(&description)?;
        let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| "not a pipeline")?;
        let decoder = pipeline.by_name("decoder").ok_or("no decoder")?;
        let sink = pipeline.by_name("sink").and_downcast().ok_or("no sink")?;
        Ok(Self {
            pipeline,
            decoder,
            sink,
        })
    }

    /// Backwards from the end, for a consumer that takes dma-bufs only, and reads their strides.
    pub fn start_backwards_into_dma_bufs(ground: &Ground, clip: &Clip) -> Outcome<Self> {
        let playing = Self::prepare(ground, clip, "caps=video/x-raw(memory:DMABuf)")?;
        let pad = playing.sink.static_pad("sink").ok_or("a sink without a pad")?;
        pad.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, |_, info| {
            if let Some(gst::QueryViewMut::Allocation(query)) = info.query_mut().map(gst::QueryRef::view_mut) {
                query.add_allocation_meta::<gst_video::VideoMeta>(None);
            }
            gst::PadProbeReturn::Ok
        });
        playing.pipeline.set_state(gst::State::Paused)?;
        playing.settle()?;
        let (flags, ends) = (gst::SeekFlags::FLUSH, gst::SeekType::Set);
        let end = gst::ClockTime::from_seconds(4);
        playing
            .pipeline
            .seek(-1.0, flags, ends, gst::ClockTime::ZERO, ends, end)?;
        playing.pipeline.set_state(gst::State::Playing)?;
        Ok(playing)
    }

    /// The next frame; `None` at the end of the stream.
    pub fn next(&self) -> Outcome<Option<gst::Sample>> {
        match self.sink.try_pull_sample(TIMEOUT) {
            Some(sample) => Ok(Some(sample)),
            // Upstream that was refused a buffer ends the stream, too.
            None => match self.failure() {
                Some(error) => Err(error.into()),
                None if self.sink.is_eos() => Ok(None),
                None => Err("it hangs".into()),
            },
        }
    }

    /// At most `frames` of those that are still to come.
    pub fn take(&self, frames: usize) -> Outcome<Vec<gst::Buffer>> {
        let mut taken = Vec::new();
        while taken.len() < frames
            && let Some(sample) = self.next()?
        {
            taken.push(sample.buffer_owned().ok_or("a sample without a buffer")?);
        }
        Ok(taken)
    }

    /// Drops everything that is still to come; gives how many frames that were.
    pub fn count_the_rest(&self) -> Outcome<usize> {
        let mut frames = 0;
        while self.next()?.is_some() {
            frames += 1;
        }
        Ok(frames)
    }

    /// Waits until the pipeline is where it was told to go.
    pub fn settle(&self) -> Outcome {
        self.pipeline.state(TIMEOUT).0?;
        Ok(())
    }

    /// A flushing seek.
    pub fn seek(&self, flags: gst::SeekFlags, to: gst::ClockTime) -> Outcome {
        Ok(self.pipeline.seek_simple(gst::SeekFlags::FLUSH | flags, to)?)
    }

    /// Pulls what there is within a moment.
    pub fn glance(&self) {
        self.sink.try_pull_sample(gst::ClockTime::from_mseconds(20));
    }

    /// A count of the element's statistics.
    pub fn statistic(&self, name: &str) -> Outcome<u64> {
        Ok(self.decoder.property::<gst::Structure>("stats").get(name)?)
    }

    fn failure(&self) -> Option<String> {
        let message = self.pipeline.bus()?.pop_filtered(&[gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(error) => Some(format!("{} ({:?})", error.error(), error.debug())),
            _ => None,
        }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        // Nothing can be done about a pipeline that does not stop; the leak is seen.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Plays to the end; fails unless every frame comes.
pub fn count_frames(ground: &Ground, clip: &Clip) -> Outcome {
    all_of(clip, Playing::start(ground, clip, "")?.count_the_rest()?)
}

/// Fails unless `frames` are those of the clip.
pub fn all_of(clip: &Clip, frames: usize) -> Outcome {
    match frames == clip.frames {
        true => Ok(()),
        false => Err(format!("{frames} frames of {}, which has {}", clip.path.display(), clip.frames).into()),
    }
}

/// Tells pictures apart.
pub fn hash(buffer: &gst::Buffer) -> Outcome<u64> {
    let mut hasher = DefaultHasher::new();
    buffer.map_readable()?.hash(&mut hasher);
    Ok(hasher.finish())
}

/// [`hash`] of each.
pub fn hashes(buffers: &[gst::Buffer]) -> Outcome<Vec<u64>> {
    buffers.iter().map(hash).collect()
}
