//! The virtual functions of the element.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock, Mutex};

use fourier_core::decode::stream::Interrupt;
use fourier_core::device::DecoderDevice;
use gst::glib;
use gst::subclass::prelude::*;
use gst_video::prelude::*;
use gst_video::subclass::prelude::*;

use super::decoding::{Decoding, Devices};
use super::downstream::Downstream;
use super::input::Input;
use super::messages::Told;
use super::negotiation::Negotiated;
use super::queue::Queue;
use super::settings::{PROPERTIES, Settings};
use super::stats::Stats;
use super::{CAT, caps, lock};

/// Instance of the element.
///
/// Lock order: the stream lock of the base class, then `decoding`, then any other; no lock but the stream lock is held
/// across a call into GStreamer that may come back.
#[derive(Debug, Default)]
pub struct FourierH264Dec {
    pub(super) settings: Mutex<Settings>,
    pub(super) devices: Mutex<Devices>,
    /// The one that decodes, or will.
    pub(super) device: Mutex<Option<Arc<dyn DecoderDevice>>>,
    pub(super) decoding: Mutex<Option<Decoding>>,
    /// Of the decoder in `decoding`, to be had while that is locked.
    pub(super) interrupt: Mutex<Option<Interrupt>>,
    pub(super) queue: Queue,
    pub(super) negotiated: Mutex<Option<Negotiated>>,
    /// The last answer to an allocation query.
    pub(super) downstream: Mutex<Downstream>,
    /// What stopped the task, for the streaming thread to return.
    pub(super) task_flow: Mutex<Option<gst::FlowError>>,
    /// Downstream holds all the frames that it may, and was waited for in vain.
    pub(super) downstream_keeps: AtomicBool,
    pub(super) told: Mutex<Told>,
    pub(super) stats: Stats,
}

#[glib::object_subclass]
impl ObjectSubclass for FourierH264Dec {
    const NAME: &'static str = "FourierH264Dec";
    type Type = super::FourierH264Dec;
    type ParentType = gst_video::VideoDecoder;
}

impl ObjectImpl for FourierH264Dec {
    fn properties() -> &'static [glib::ParamSpec] {
        &*PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        gst::info!(CAT, imp = self, "{} = {value:?}", pspec.name());
        let known = lock(&self.settings).set(pspec.name(), value);
        debug_assert!(known, "{} is writable", pspec.name());
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "stats" => self.stats_structure().to_value(),
            name => lock(&self.settings)
                .get(name)
                .unwrap_or_else(|| pspec.default_value().clone()),
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        let element = self.obj();
        element.set_packetized(true);
        element.set_needs_format(true);
        // The template says all: width and height may be missing, because the stream has them.
        element.set_use_default_pad_acceptcaps(true);
        element.sink_pad().set_pad_flags(gst::PadFlags::ACCEPT_TEMPLATE);
    }
}

impl GstObjectImpl for FourierH264Dec {}

impl ElementImpl for FourierH264Dec {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "H.264 decoder (V4L2 stateless)",
                "Codec/Decoder/Video/Hardware",
                "Decodes H.264 with the Linux V4L2 stateless uAPI (Request API) into dma-bufs, without copying; where \
                 there is no device, with a software decoder behind the same interface",
                "the fourier developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        &caps::PAD_TEMPLATES
    }

    // `stop` comes only when the pads are inactive, and for that nobody may be waiting.
    fn change_state(&self, transition: gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::PausedToReady {
            self.queue.close();
            self.interrupt();
        }
        self.parent_change_state(transition)
    }
}

impl VideoDecoderImpl for FourierH264Dec {
    fn open(&self) -> Result<(), gst::ErrorMessage> {
        self.open_devices()
    }

    fn close(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.device) = None;
        *lock(&self.devices) = Devices::default();
        Ok(())
    }

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        // Set in READY.
        let is_new = lock(&self.devices).wanted != lock(&self.settings).device;
        if is_new {
            self.open_devices()?;
        }
        self.stats.reset();
        *lock(&self.told) = Told::default();
        self.queue.open();
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        // Fails only if there is no task.
        let _ = self.obj().src_pad().stop_task();
        self.queue.clear();
        *lock(&self.interrupt) = None;
        *lock(&self.negotiated) = None;
        *lock(&self.task_flow) = None;
        drop(lock(&self.decoding).take());
        Ok(())
    }

    fn set_format(
        &self,
        state: &gst_video::VideoCodecState<'static, gst_video::video_codec_state::Readable>,
    ) -> Result<(), gst::LoggableError> {
        let refused = |error: String| gst::loggable_error!(CAT, "{error}");
        let caps = state.caps().ok_or_else(|| refused("no caps".into()))?;
        let input = Input::from_caps(caps).map_err(|error| refused(error.to_string()))?;
        self.set_input(input).map_err(|error| refused(error.to_string()))
    }

    fn handle_frame(&self, frame: gst_video::VideoCodecFrame<'_>) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.decode(frame)
    }

    fn decide_allocation(&self, query: &mut gst::query::Allocation) -> Result<(), gst::LoggableError> {
        *lock(&self.downstream) = Downstream::from_query(query);
        self.parent_decide_allocation(query)
    }

    fn drain(&self) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.drain_decoder()
    }

    fn finish(&self) -> Result<gst::FlowSuccess, gst::FlowError> {
        let flow = self.drain_decoder();
        let message = gst::message::Element::builder(self.stats_structure())
            .src(&*self.obj())
            .build();
        // Fails only if there is no bus, and then nobody listens.
        let _ = self.obj().post_message(message);
        flow
    }

    fn flush(&self) -> bool {
        self.flush_decoder();
        true
    }

    // `flush` comes only with FLUSH_STOP, when the streaming thread has long had to be free.
    fn sink_event(&self, event: gst::Event) -> bool {
        if event.type_() == gst::EventType::FlushStart {
            self.interrupt();
        }
        self.parent_sink_event(event)
    }
}
