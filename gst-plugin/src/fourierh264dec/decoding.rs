//! The way in: access units to the decoder, what comes of them into the queue.
//!
//! Everything here runs under the stream lock of the base class.

use std::sync::Arc;

use fourier_core::Error;
use fourier_core::device::{DecoderDevice, discovery};
use gst::subclass::prelude::*;
use gst_video::prelude::*;

use super::imp::FourierH264Dec;
use super::input::Input;
use super::messages;
use super::pieces::{FrameNumber, Pieces};
use super::queue::{DueFrame, Item};
use super::{CAT, lock};
use fourier_core::decode::stream::{Alignment, Event, StreamConfig, StreamDecoder};

/// Frames that may wait to be pushed before this thread pushes them itself: fewer than what the decoder keeps in
/// flight, so that frames in the queue never stop it.
const MAX_QUEUED_FRAMES: usize = 4;

/// A stream being decoded.
#[derive(Debug)]
pub(super) struct Decoding {
    decoder: StreamDecoder,
    input: Input,
    pieces: Pieces,
}

impl FourierH264Dec {
    /// Finds the decoder that the user asked for.
    pub(super) fn open_device(&self) -> Result<Arc<dyn DecoderDevice>, gst::ErrorMessage> {
        let wanted = lock(&self.settings).device.clone();
        discovery::open_device(wanted.as_deref()).map_err(|error| {
            gst::error_msg!(
                gst::ResourceError::NotFound,
                ("No H.264 decoder: {error}"),
                ["device={wanted:?}"]
            )
        })
    }

    /// What the property `stats` says.
    pub(super) fn stats_structure(&self) -> gst::Structure {
        let device = lock(&self.device)
            .as_ref()
            .map(|device| device.capabilities().path.clone());
        self.stats.structure(&device.unwrap_or_default())
    }

    /// A new input format: what came before it is finished first.
    pub(super) fn set_input(&self, input: Input) -> Result<(), Error> {
        // Flow errors come up again with the next buffer.
        let _ = self.drain_decoder();
        let mut decoding = lock(&self.decoding);
        let known = decoding
            .take()
            .filter(|known| known.input.is_nal_aligned == input.is_nal_aligned);
        let mut decoder = match known {
            Some(known) => known.decoder,
            None => self.new_decoder(&input)?,
        };
        if let Some(codec_data) = &input.codec_data {
            let bytes = codec_data
                .map_readable()
                .map_err(|error| Error::Bug(error.to_string()))?;
            decoder.set_codec_data(&bytes)?;
        }
        *decoding = Some(Decoding {
            decoder,
            input,
            pieces: Pieces::default(),
        });
        Ok(())
    }

    fn new_decoder(&self, input: &Input) -> Result<StreamDecoder, Error> {
        let device = lock(&self.device)
            .clone()
            .ok_or_else(|| Error::Bug("the element was not opened".into()))?;
        let alignment = if input.is_nal_aligned {
            Alignment::Nal
        } else {
            Alignment::AccessUnit
        };
        let low_latency = lock(&self.settings).low_latency;
        let decoder = StreamDecoder::new(
            device,
            StreamConfig {
                low_latency,
                alignment,
                ..StreamConfig::default()
            },
        )?;
        *lock(&self.interrupt) = Some(decoder.interrupt());
        Ok(decoder)
    }

    /// Decodes the input buffer of `frame`, and pushes what is ready.
    pub(super) fn decode(&self, frame: gst_video::VideoCodecFrame<'_>) -> Result<gst::FlowSuccess, gst::FlowError> {
        lock(&self.task_flow).take().map_or(Ok(()), Err)?;
        let number = FrameNumber(frame.system_frame_number());
        let Some(buffer) = frame.input_buffer_owned() else {
            return Ok(gst::FlowSuccess::Ok);
        };
        let data = buffer.map_readable().map_err(|_| gst::FlowError::Error)?;
        gst::log!(
            CAT,
            imp = self,
            "{number:?} in: {} bytes, pts {:?}",
            data.len(),
            frame.pts()
        );

        let result = {
            let mut decoding = lock(&self.decoding);
            let Some(Decoding { decoder, input, pieces }) = &mut *decoding else {
                return Err(gst::FlowError::NotNegotiated);
            };
            if self.is_late(&frame) && !input.is_nal_aligned && input.is_disposable(&data) {
                drop(decoding);
                return self.skip(frame);
            }
            let is_last = !input.is_nal_aligned || buffer.flags().contains(gst::BufferFlags::MARKER);
            let decoded = decoder.decode(input.frame(&data), pieces.tag(number, is_last));
            match input.is_nal_aligned && is_last {
                true => decoded.and_then(|()| decoder.end_of_access_unit()),
                false => decoded,
            }
        };
        self.collect_events();
        drop(frame);
        result.map_err(|error| messages::fail(&self.obj(), &error))?;
        self.start_task();
        self.push_queued(MAX_QUEUED_FRAMES)
    }

    /// Leaves a frame out that nothing refers to.
    fn skip(&self, frame: gst_video::VideoCodecFrame<'_>) -> Result<gst::FlowSuccess, gst::FlowError> {
        gst::debug!(
            CAT,
            imp = self,
            "frame {} is late and nothing refers to it",
            frame.system_frame_number()
        );
        self.stats.dropped.count();
        self.obj().drop_frame(frame)
    }

    /// Whether downstream said that frames of this time come too late.
    fn is_late(&self, frame: &gst_video::VideoCodecFrame<'_>) -> bool {
        let element = self.obj();
        element.is_qos() && element.max_decode_time(frame) < 0
    }

    /// Moves what the decoder has to say into the queue.
    fn collect_events(&self) {
        let mut decoding = lock(&self.decoding);
        let Some(Decoding { decoder, pieces, .. }) = &mut *decoding else {
            return;
        };
        while let Some(event) = decoder.next_event() {
            let item = match event {
                // Each frame has its format with it.
                Event::Format(_) => continue,
                Event::Frame(frame) => {
                    let number = frame.tag().and_then(|tag| pieces.output(tag));
                    Item::Frame(Arc::new(DueFrame { number, frame }))
                }
                Event::Dropped { tag, reason } => match pieces.dropped(tag, reason) {
                    Some((number, reason)) => Item::Dropped(number, reason),
                    None => continue,
                },
                Event::Warning(error) => Item::Warning(error),
            };
            self.queue.push(item);
        }
        let stats = decoder.stats();
        self.stats.set_pool(stats.pool);
    }

    /// Gets every frame out of the decoder and pushes it.
    pub(super) fn drain_decoder(&self) -> Result<gst::FlowSuccess, gst::FlowError> {
        let result = match &mut *lock(&self.decoding) {
            Some(Decoding { decoder, .. }) => decoder.drain(),
            None => Ok(()),
        };
        self.collect_events();
        let flow = self.push_queued(0);
        result.map_err(|error| messages::fail(&self.obj(), &error))?;
        flow
    }

    /// Forgets every picture, after a seek for instance; parameter sets stay.
    pub(super) fn flush_decoder(&self) {
        self.set_interrupted(false);
        if let Some(Decoding { decoder, pieces, .. }) = &mut *lock(&self.decoding) {
            if let Err(error) = decoder.flush() {
                // It comes up again with the next buffer, which can return it.
                gst::warning!(CAT, imp = self, "flush: {error}");
            }
            while decoder.next_event().is_some() {}
            pieces.clear();
        }
        self.queue.clear();
        *lock(&self.task_flow) = None;
    }

    /// Ends waits for frame memory, those under way and those to come.
    pub(super) fn set_interrupted(&self, interrupted: bool) {
        if let Some(interrupt) = &*lock(&self.interrupt) {
            match interrupted {
                true => interrupt.set(),
                false => interrupt.clear(),
            }
        }
    }
}
