//! `FOURIER_LOG=level[,target=level...]`: what core and driver trace, to standard error or `FOURIER_LOG_FILE`.
//!
//! Off by default. Targets are modules: `FOURIER_LOG=info,fourier_core::decode=trace`.

use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span;
use tracing::{Event, Metadata, Subscriber};

use crate::ids::lock;

const LEVELS: &str = "FOURIER_LOG";
const DESTINATION: &str = "FOURIER_LOG_FILE";

/// Which traces are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Filter {
    default: LevelFilter,
    /// The longest target that fits counts.
    targets: Vec<(String, LevelFilter)>,
}

impl Filter {
    /// Reads `level[,target=level...]`; what is not understood is passed over.
    fn parse(text: &str) -> Self {
        let mut filter = Self {
            default: LevelFilter::OFF,
            targets: Vec::new(),
        };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                None => filter.default = part.parse().unwrap_or(filter.default),
                Some((target, level)) => {
                    if let Ok(level) = level.parse() {
                        filter.targets.push((target.to_owned(), level));
                    }
                }
            }
        }
        filter
            .targets
            .sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
        filter
    }

    fn level_of(&self, target: &str) -> LevelFilter {
        let found = self
            .targets
            .iter()
            .find(|(prefix, _)| target.starts_with(prefix.as_str()));
        found.map_or(self.default, |&(_, level)| level)
    }
}

/// Starts listening if the environment asks for it; once per process, whatever else listens is left alone.
pub fn start() {
    let Ok(levels) = std::env::var(LEVELS) else {
        return;
    };
    let filter = Filter::parse(&levels);
    let destination = std::env::var_os(DESTINATION).and_then(|path| {
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        opened
            .inspect_err(|error| eprintln!("fourier: {}: {error}", path.display()))
            .ok()
    });
    let log = Log {
        filter,
        destination: destination.map(Mutex::new),
        start: Instant::now(),
    };
    // The second display of a process finds the first one's.
    let _ = tracing::subscriber::set_global_default(log);
}

/// Spans are not followed: every event says what it is about.
struct Log {
    filter: Filter,
    destination: Option<Mutex<File>>,
    start: Instant,
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.level_of(metadata.target()) >= *metadata.level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let targets = self.filter.targets.iter().map(|&(_, level)| level);
        targets.chain([self.filter.default]).max()
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(format!(
            "fourier {:.6} {} {}:",
            self.start.elapsed().as_secs_f64(),
            metadata.level(),
            metadata.target()
        ));
        event.record(&mut line);
        line.0.push('\n');
        // One write per line, so that lines of threads and processes do not mix; a log that is full is no reason to stop.
        let _ = match &self.destination {
            Some(file) => lock(file).write_all(line.0.as_bytes()),
            None => std::io::stderr().write_all(line.0.as_bytes()),
        };
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
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_target_that_fits_sets_the_level() {
        let filter = Filter::parse("warn, fourier_core=info,fourier_core::decode=trace,nonsense=loud");
        assert_eq!(filter.level_of("fourier_drv_video::driver"), LevelFilter::WARN);
        assert_eq!(filter.level_of("fourier_core::pool"), LevelFilter::INFO);
        assert_eq!(filter.level_of("fourier_core::decode::session"), LevelFilter::TRACE);
        assert_eq!(filter.targets.len(), 2);
    }

    #[test]
    fn nothing_is_logged_unless_asked_for() {
        for text in ["", "loud", "off"] {
            assert_eq!(Filter::parse(text).level_of("fourier_core"), LevelFilter::OFF, "{text}");
        }
    }
}
