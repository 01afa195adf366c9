//! The way in: access units to the decoder, what comes of them into the queue.
//!
//! Everything here runs under the stream lock of the base class.

use std::sync::Arc;

use fourier_core::Error;
use fourier_core::decode::stream::{Alignment, Event, FrameTag, StreamConfig, StreamDecoder};
use fourier_core::device::{DecoderDevice, discovery};
use gst::subclass::prelude::*;
use gst_video::prelude::*;

use super::imp::FourierH264Dec;
use super::input::Input;
use super::messages;
use super::queue::Item;
use super::{CAT, lock};

/// Frames that may wait to be pushed before this thread waits for them itself. With fewer the software node's stages wait
/// for each other; more only keep more memory in use.
const MAX_QUEUED_FRAMES: usize = 2;

/// The decoders that the user's choice allows.
#[derive(Debug, Default)]
pub(super) struct Devices {
    /// The property `device` when they were opened.
    pub(super) wanted: Option<String>,
    /// Best first.
    found: Vec<Arc<dyn DecoderDevice>>,
}

/// A stream being decoded.
#[derive(Debug)]
pub(super) struct Decoding {
    decoder: StreamDecoder,
    input: Input,
    /// The time of NAL units that stand before a picture, for its first slice, to which parsers give none.
    prelude_pts: Option<gst::ClockTime>,
}

impl Decoding {
    /// With `alignment=nal` a picture has the time of the first NAL unit of its access unit.
    fn lend_pts(&mut self, frame: &mut gst_video::VideoCodecFrame<'_>, data: &[u8]) {
        match (frame.pts(), self.input.has_slice(data)) {
            (Some(pts), false) => self.prelude_pts = Some(pts),
            (None, false) => {}
            (Some(_), true) => self.prelude_pts = None,
            (None, true) => frame.set_pts(self.prelude_pts.take()),
        }
    }

    fn decode_nal_unit(&mut self, data: &[u8], tag: FrameTag, is_last: bool) -> Result<(), Error> {
        self.decoder.decode(self.input.frame(data), tag)?;
        if is_last {
            self.decoder.end_of_access_unit()
        } else {
            Ok(())
        }
    }
}

impl FourierH264Dec {
    /// Finds the decoders that the user asked for.
    pub(super) fn open_devices(&self) -> Result<(), gst::ErrorMessage> {
        let wanted = lock(&self.settings).device.clone();
        let found = discovery::open_devices(wanted.as_deref()).map_err(|error| {
            gst::error_msg!(
                gst::ResourceError::NotFound,
                ("No H.264 decoder: {error}"),
                ["device={wanted:?}"]
            )
        })?;
        *lock(&self.device) = found.first().cloned();
        *lock(&self.devices) = Devices { wanted, found };
        Ok(())
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
        // What the container says of the pictures is new, even where the stream says the same.
        *lock(&self.negotiated) = None;
        self.replace_input(input)?;
        if self.pushes_at_once() {
            self.start_task();
        }
        Ok(())
    }

    /// Goes on with the same decoder where the input comes in the same pieces.
    fn replace_input(&self, input: Input) -> Result<(), Error> {
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
            prelude_pts: None,
        });
        Ok(())
    }

    fn new_decoder(&self, input: &Input) -> Result<StreamDecoder, Error> {
        let devices = lock(&self.devices).found.clone();
        let alignment = if input.is_nal_aligned {
            Alignment::Nal
        } else {
            Alignment::AccessUnit
        };
        let settings = lock(&self.settings).clone();
        let config = StreamConfig {
            low_latency: settings.low_latency,
            start: settings.start.into(),
            alignment,
            ..StreamConfig::default()
        };
        let decoder = StreamDecoder::with_candidates(devices, config)?;
        *lock(&self.device) = Some(Arc::clone(decoder.device()));
        *lock(&self.interrupt) = Some(decoder.interrupt());
        self.end_interruption();
        Ok(decoder)
    }

    /// Decodes the input buffer of `frame`, and pushes what is ready.
    pub(super) fn decode(&self, mut frame: gst_video::VideoCodecFrame<'_>) -> Result<gst::FlowSuccess, gst::FlowError> {
        lock(&self.task_flow).take().map_or(Ok(()), Err)?;
        let Some(buffer) = frame.input_buffer_owned() else {
            return Ok(gst::FlowSuccess::Ok);
        };
        let data = buffer.map_readable().map_err(|_| gst::FlowError::Error)?;
        let tag = FrameTag(frame.system_frame_number().into());
        gst::log!(
            CAT,
            imp = self,
            "{tag:?} in: {} bytes, pts {:?}",
            data.len(),
            frame.pts()
        );

        let result = {
            let mut decoding = lock(&self.decoding);
            let decoding = decoding.as_mut().ok_or(gst::FlowError::NotNegotiated)?;
            if decoding.input.is_nal_aligned {
                decoding.lend_pts(&mut frame, &data);
                let is_last = buffer.flags().contains(gst::BufferFlags::MARKER);
                decoding.decode_nal_unit(&data, tag, is_last)
            } else if self.is_late(&frame) && decoding.input.is_disposable(&data) {
                self.queue.push(Item::Late(tag));
                Ok(())
            } else {
                decoding.decoder.decode(decoding.input.frame(&data), tag)
            }
        };
        self.collect_events();
        drop(frame);
        // What came before an error is good.
        let flow = self.push_queued(if result.is_ok() { MAX_QUEUED_FRAMES } else { 0 });
        result.map_err(|error| messages::fail(&self.obj(), &error))?;
        flow
    }

    /// Whether downstream said that frames of this time come too late.
    fn is_late(&self, frame: &gst_video::VideoCodecFrame<'_>) -> bool {
        let element = self.obj();
        element.is_qos() && element.max_decode_time(frame) < 0
    }

    /// Moves what the decoder has to say into the queue.
    fn collect_events(&self) {
        let mut decoding = lock(&self.decoding);
        let Some(Decoding { decoder, .. }) = &mut *decoding else {
            return;
        };
        while let Some(event) = decoder.next_event() {
            let item = match event {
                // Each frame has its format with it.
                Event::Format(_) => {
                    *lock(&self.device) = Some(Arc::clone(decoder.device()));
                    continue;
                }
                Event::Frame(frame) => Item::Frame(Arc::new(frame)),
                Event::Dropped { tag, reason } => Item::Dropped(tag, reason),
                Event::Warning(error) => Item::Warning(error),
            };
            self.queue.push(item);
        }
        let stats = decoder.stats();
        self.stats.set_pool(stats.pool);
    }

    /// Makes room for as many frames as downstream wants to hold.
    pub(super) fn set_downstream_frames(&self, frames: u32) {
        if let Some(Decoding { decoder, .. }) = &mut *lock(&self.decoding) {
            decoder.set_downstream_min_frames(usize::try_from(frames).unwrap_or(usize::MAX));
        }
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
        self.end_interruption();
        if let Some(Decoding { decoder, .. }) = &mut *lock(&self.decoding) {
            if let Err(error) = decoder.flush() {
                // It comes up again with the next buffer, which can return it.
                gst::warning!(CAT, imp = self, "flush: {error}");
            }
            while decoder.next_event().is_some() {}
        }
        self.queue.clear();
        *lock(&self.task_flow) = None;
    }

    /// Ends waits for frame memory, those under way and those to come.
    pub(super) fn interrupt(&self) {
        if let Some(interrupt) = &*lock(&self.interrupt) {
            interrupt.set();
        }
    }

    /// Lets the decoder wait again, unless the element is being stopped.
    fn end_interruption(&self) {
        if let Some(interrupt) = &*lock(&self.interrupt) {
            interrupt.clear();
        }
        // Stopping closes the queue first and interrupts then: whoever comes last here sees the other.
        if self.queue.is_closed() {
            self.interrupt();
        }
    }
}
