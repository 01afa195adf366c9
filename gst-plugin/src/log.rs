//! What the core traces, in GStreamer's log: one category for each of its parts, all of them `fourier*`.

use std::fmt::{self, Write};
use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

/// Categories by the module that speaks; the first prefix that fits counts.
static CATEGORIES: LazyLock<[(&str, gst::DebugCategory); 6]> = LazyLock::new(|| {
    [
        (
            "fourier_core::device",
            category("fourier-device", "Decoder devices and memory"),
        ),
        (
            "fourier_core::pool",
            category("fourier-pool", "Frame memory and bitstream slots"),
        ),
        (
            "fourier_core::h264",
            category("fourier-h264", "Syntax and decoded picture buffer"),
        ),
        (
            "fourier_core::decode",
            category("fourier-decode", "Pictures and requests"),
        ),
        ("fourier_soft", category("fourier-soft", "The software decoder")),
        ("fourier", category("fourier", "The rest of fourier")),
    ]
});

fn category(name: &'static str, description: &'static str) -> gst::DebugCategory {
    gst::DebugCategory::new(name, gst::DebugColorFlags::empty(), Some(description))
}

fn category_of(target: &str) -> Option<gst::DebugCategory> {
    CATEGORIES
        .iter()
        .find(|(prefix, _)| target.starts_with(prefix))
        .map(|&(_, category)| category)
}

const fn level_of(level: Level) -> gst::DebugLevel {
    match level {
        Level::ERROR => gst::DebugLevel::Error,
        Level::WARN => gst::DebugLevel::Warning,
        Level::INFO => gst::DebugLevel::Info,
        Level::DEBUG => gst::DebugLevel::Debug,
        Level::TRACE => gst::DebugLevel::Log,
    }
}

/// Sends this plugin's copy of `tracing` to GStreamer. A program that links the plugin and listens already keeps its
/// own subscriber.
pub(crate) fn forward_to_gst_debug() {
    LazyLock::force(&CATEGORIES);
    if tracing::subscriber::set_global_default(GstSubscriber).is_err() {
        gst::debug!(gst::CAT_RUST, "fourier's traces go to the program's own subscriber");
    }
}

/// Spans are not followed: every event says what it is about.
struct GstSubscriber;

impl Subscriber for GstSubscriber {
    // `GST_DEBUG` can change while the program runs.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match category_of(metadata.target()) {
            Some(_) => Interest::sometimes(),
            None => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        category_of(metadata.target()).is_some_and(|category| category.above_threshold(level_of(*metadata.level())))
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let Some(category) = category_of(metadata.target()) else {
            return;
        };
        let mut line = Line::default();
        event.record(&mut line);
        category.log(
            gst::Object::NONE,
            level_of(*metadata.level()),
            glib::GString::from(metadata.file().unwrap_or_default()).as_gstr(),
            metadata.module_path().unwrap_or_default(),
            metadata.line().unwrap_or_default(),
            format_args!("{}", line.0),
        );
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}
    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}
    fn enter(&self, _span: &span::Id) {}
    fn exit(&self, _span: &span::Id) {}
}

/// An event as one line: the message, then `name=value` of the other fields.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, "{name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_core_speaks_in_its_own_category() {
        gst::init().unwrap();
        assert_eq!(
            category_of("fourier_core::decode::session").map(|c| c.name()),
            Some("fourier-decode")
        );
        assert_eq!(category_of("fourier_core::sys").map(|c| c.name()), Some("fourier"));
        assert!(category_of("somebody_else").is_none());
    }

    #[test]
    fn a_trace_of_the_core_reaches_the_log_with_its_fields() {
        gst::init().unwrap();
        LazyLock::force(&CATEGORIES);
        category_of("fourier_core::pool")
            .unwrap()
            .set_threshold(gst::DebugLevel::Warning);
        let (sender, heard) = std::sync::mpsc::channel();
        let listener = gst::log::add_log_function(move |category, level, _, _, _, _, message| {
            if category.name() == "fourier-pool" {
                let _ = sender.send((level, message.get().map(|text| text.to_string())));
            }
        });
        tracing::subscriber::with_default(GstSubscriber, || {
            tracing::warn!(target: "fourier_core::pool", limit = 7, path = "soft", "no memory");
            tracing::debug!(target: "fourier_core::pool", "not heard");
        });
        gst::log::remove_log_function(listener);
        let (level, text) = heard.try_recv().unwrap();
        assert_eq!(level, gst::DebugLevel::Warning);
        assert_eq!(text.as_deref(), Some("no memory limit=7 path=soft"));
        assert!(heard.try_recv().is_err());
    }
}
