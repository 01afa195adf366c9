//! Properties that a user sets.

use std::sync::LazyLock;

use fourier_core::decode::stream::StartPolicy;
use gst::glib;
use gst::prelude::*;

/// The values of `start`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstFourierH264DecStart")]
pub(super) enum Start {
    #[default]
    #[enum_value(
        name = "Show nothing before a picture from which on the stream is right",
        nick = "clean"
    )]
    Clean,
    #[enum_value(
        name = "Show what there is from the first slice on, flagged as corrupted until it is right",
        nick = "fast"
    )]
    Fast,
}

impl From<Start> for StartPolicy {
    fn from(start: Start) -> Self {
        match start {
            Start::Clean => Self::Clean,
            Start::Fast => Self::Fast,
        }
    }
}

/// What the user asked for; read when the element starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// `device`; `None` = auto.
    pub(super) device: Option<String>,
    /// `low-latency`.
    pub(super) low_latency: bool,
    /// `discard-corrupted`.
    pub(super) discard_corrupted: bool,
    /// `start`.
    pub(super) start: Start,
}

pub(super) static PROPERTIES: LazyLock<[glib::ParamSpec; 5]> = LazyLock::new(|| {
    [
        glib::ParamSpecString::builder("device")
            .nick("Device")
            .blurb(
                "Which decoder: auto (FOURIER_DEVICE where it is set, else the first device found, else software), the \
                 path of a video node (/dev/video1) or media device (/dev/media0), or soft[:OPTIONS] for the software \
                 decoder",
            )
            .default_value(Some("auto"))
            .mutable_ready()
            .build(),
        glib::ParamSpecBoolean::builder("low-latency")
            .nick("Low latency")
            .blurb(
                "Give every picture out as soon as it is decoded where the stream does not say how far it reorders: for \
                 cameras and calls. Pictures of streams that do reorder come in the wrong order",
            )
            .mutable_ready()
            .build(),
        glib::ParamSpecBoolean::builder("discard-corrupted")
            .nick("Discard corrupted frames")
            .blurb(
                "Drop frames that are damaged or predicted from damaged or lost ones, instead of pushing them with \
                 GST_BUFFER_FLAG_CORRUPTED",
            )
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder::<Start>("start")
            .nick("Start")
            .blurb("What to show of a stream that is entered elsewhere than at an IDR picture, after a seek or a late join")
            .mutable_ready()
            .build(),
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb(
                "Structure fourierh264dec-stats: device, and counts since the element started of frames, damaged, \
                 dropped, copies, waits, pool-size, pool-high-water. Also posted as an element message at the end of \
                 the stream",
            )
            .read_only()
            .build(),
    ]
});

impl Settings {
    /// Takes a property; `false` if it is none of these.
    pub(super) fn set(&mut self, name: &str, value: &glib::Value) -> bool {
        match name {
            "device" => self.device = value.get().ok().flatten().filter(|device: &String| device != "auto"),
            "low-latency" => self.low_latency = value.get().unwrap_or_default(),
            "discard-corrupted" => self.discard_corrupted = value.get().unwrap_or_default(),
            "start" => self.start = value.get().unwrap_or_default(),
            _ => return false,
        }
        true
    }

    /// Gives a property; `None` if it is none of these.
    pub(super) fn get(&self, name: &str) -> Option<glib::Value> {
        match name {
            "device" => Some(self.device.as_deref().unwrap_or("auto").to_value()),
            "low-latency" => Some(self.low_latency.to_value()),
            "discard-corrupted" => Some(self.discard_corrupted.to_value()),
            "start" => Some(self.start.to_value()),
            _ => None,
        }
    }
}
