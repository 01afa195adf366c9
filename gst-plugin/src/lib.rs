//! GStreamer plugin `fourier`: the element `fourierh264dec`, H.264 with the Linux V4L2 stateless uAPI.
//!
//! [`fourierh264dec`] is the element; `log` brings what the core traces to `GST_DEBUG=fourier*`.

use gst::glib;

pub mod fourierh264dec;
mod log;
mod plugin;

/// Registers the element in a program that links this crate instead of loading the plugin.
///
/// # Errors
/// GStreamer's, when the element cannot be registered.
pub fn plugin_register_static() -> Result<(), glib::BoolError> {
    plugin::plugin_register_static()
}
