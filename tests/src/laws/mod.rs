//! What holds for every input, however bad. Each law is a function of bytes: `make check` gives it the corpus and seeded
//! inputs, `make fuzz` whatever a fuzzer finds.
//!
//! * [`split`]: a byte stream in any pieces has the same NAL units;
//! * [`syntax`]: what can be read can be written, and reads the same again;
//! * [`stream`]: any bytes come to an end in the whole stream decoder, and leave nothing behind;
//! * [`requests`]: any controls with any slice data come to an end in fourier-soft, twice the same way.
//!
//! [`inputs`] are the corpus and what is made of it, [`watch`] looks after panics and time.

pub mod inputs;
pub mod requests;
pub mod split;
pub mod stream;
pub mod syntax;
pub mod watch;

use crate::Outcome;

/// What the bytes of an input are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A byte stream of annex B, or what looks like one.
    ByteStream,
    /// Controls and slice data of successive requests: [`requests::Script`].
    Requests,
}

/// One law.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Names it, its fuzz target and the folder of what was found to break it.
    pub name: &'static str,
    /// What it takes.
    pub input: InputKind,
    /// Says how an input breaks it; breaking it by a panic or by never returning is up to the caller to notice.
    pub check: fn(&[u8]) -> Outcome,
}

/// Every law there is.
pub const LAWS: [Law; 4] = [
    Law {
        name: "split",
        input: InputKind::ByteStream,
        check: split::any_split_gives_the_same_nal_units,
    },
    Law {
        name: "syntax",
        input: InputKind::ByteStream,
        check: syntax::what_was_read_survives_write_and_parse,
    },
    Law {
        name: "stream",
        input: InputKind::ByteStream,
        check: stream::any_bytes_end_and_leave_nothing_behind,
    },
    Law {
        name: "requests",
        input: InputKind::Requests,
        check: requests::any_requests_end_twice_the_same,
    },
];
