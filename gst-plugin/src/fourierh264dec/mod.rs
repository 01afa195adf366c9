//! The element `fourierh264dec`: registration and rank.
//!
//! `imp` holds the virtual functions of GstVideoDecoder, each a few lines that call into its neighbours.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use fourier_core::device::discovery;
use gst::glib;
use gst::prelude::*;

mod caps;
mod colour;
mod decoding;
mod downstream;
mod fields;
mod imp;
mod input;
mod memory;
mod messages;
mod negotiation;
mod output;
mod presentation;
mod queue;
mod settings;
mod stats;

glib::wrapper! {
    /// H.264 decoder on the V4L2 stateless uAPI.
    pub struct FourierH264Dec(ObjectSubclass<imp::FourierH264Dec>)
        @extends gst_video::VideoDecoder, gst::Element, gst::Object;
}

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "fourierh264dec",
        gst::DebugColorFlags::empty(),
        Some("The element fourierh264dec"),
    )
});

/// Locks a mutex whose data is whole even if somebody panicked while holding it: nothing here leaves it half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers the element.
///
/// # Errors
/// GStreamer's, when the name is taken by something else.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "fourierh264dec", rank(), FourierH264Dec::static_type())
}

/// Above the software decoders where a device decodes or somebody asked for one; else playbin must not pick a software
/// decoder that is slower than the usual one.
fn rank() -> gst::Rank {
    let asked_for =
        std::env::var_os(discovery::ENVIRONMENT).is_some_and(|device| !device.is_empty() && device != "auto");
    let is_hardware = || discovery::open_device(None).is_ok_and(|device| device.capabilities().hardware);
    if asked_for || is_hardware() {
        gst::Rank::PRIMARY + 1
    } else {
        gst::Rank::NONE
    }
}
