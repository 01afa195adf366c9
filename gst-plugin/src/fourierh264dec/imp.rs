//! The virtual functions of the element.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use gst::glib;
use gst::subclass::prelude::*;
use gst_video::prelude::*;
use gst_video::subclass::prelude::*;

use super::caps;
use super::settings::{PROPERTIES, Settings};

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "fourierh264dec",
        gst::DebugColorFlags::empty(),
        Some("The element fourierh264dec"),
    )
});

/// A lock that somebody panicked under is as good as another: everything below is consistent between statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Instance of the element.
#[derive(Debug, Default)]
pub struct FourierH264Dec {
    settings: Mutex<Settings>,
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
        lock(&self.settings)
            .get(pspec.name())
            .unwrap_or_else(|| gst::Structure::new_empty("fourierh264dec-stats").to_value())
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
}

impl VideoDecoderImpl for FourierH264Dec {}
