//! What GStreamer calls when it loads the plugin.

use fourier_core::device::discovery;
use gst::glib;

use crate::{fourierh264dec, log};

fn init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    log::forward_to_gst_debug();
    watch_devices(plugin);
    fourierh264dec::register(plugin)
}

/// Nodes and variables that decide which decoders there are: the registry looks again when one of them changes.
fn watch_devices(plugin: &gst::Plugin) {
    plugin.add_dependency(
        &[discovery::ENVIRONMENT],
        &["/dev"],
        &["media", "video"],
        gst::PluginDependencyFlags::FILE_NAME_IS_PREFIX,
    );
}

gst::plugin_define!(
    fourier,
    env!("CARGO_PKG_DESCRIPTION"),
    init,
    env!("CARGO_PKG_VERSION"),
    "MIT/X11",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    "fourier"
);
