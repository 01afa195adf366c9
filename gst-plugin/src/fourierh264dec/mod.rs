//! The element `fourierh264dec`: registration and rank.
//!
//! `imp` holds the virtual functions of GstVideoDecoder, each a few lines that call into its neighbours.

use gst::glib;
use gst::prelude::*;

mod caps;
mod imp;
mod settings;

/// Environment variable that says which device decodes: `auto`, a video node, `soft` or `soft:OPTIONS`.
pub const DEVICE_VARIABLE: &str = "FOURIER_DEVICE";

glib::wrapper! {
    /// H.264 decoder on the V4L2 stateless uAPI.
    pub struct FourierH264Dec(ObjectSubclass<imp::FourierH264Dec>)
        @extends gst_video::VideoDecoder, gst::Element, gst::Object;
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
    if std::env::var_os(DEVICE_VARIABLE).is_some_and(|device| !device.is_empty()) {
        gst::Rank::PRIMARY + 1
    } else {
        gst::Rank::NONE
    }
}
