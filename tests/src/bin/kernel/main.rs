//! What runs on the test kernel, and what is made of its results. Called by the suites of `tests/kernel`.
//!
//! ```text
//! kernel record [--missing] DECODER FOLDER [STREAM...]   every stream through a GStreamer element, in this process: its
//!                                                        controls as visl traces them, and its frames, to FOLDER
//! kernel compare EXPLAINED [PEERS OURS]...               such folders with those of a peer, field by field;
//!                                                        differences that have a reason are in the list EXPLAINED
//! kernel pictures DECODER FILE                           the pictures of a file, cropped and packed, to standard output
//! kernel calls                                           system calls and processor time of a frame, and the peer's
//! ```
//! Without streams: those of `tests/kernel/streams.txt`, or with `FOURIER_ALL=1` all of the index.

mod calls;
mod comparison;
mod pictures;
mod record;
mod streams;

use std::path::Path;
use std::process::ExitCode;

use fourier_tests::Outcome;
use fourier_tests::kernel::streams::choose;
use fourier_tests::measure::{CHILD, decode_and_report};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kernel: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Outcome {
    match words {
        ["record", "--missing", decoder, folder, names @ ..] => {
            record::record(decoder, Path::new(folder), &choose(names)?, record::Known::Kept)
        }
        ["record", decoder, folder, names @ ..] => {
            record::record(decoder, Path::new(folder), &choose(names)?, record::Known::Replaced)
        }
        ["compare", explained, folders @ ..] => match folders.as_chunks() {
            (pairs @ [_, ..], []) => comparison::compare_folders(Path::new(explained), pairs, &choose(&[])?),
            _ => Err("each folder is compared with that of a peer before it".into()),
        },
        ["pictures", decoder, file] => pictures::write(decoder, Path::new(file)),
        ["calls"] => calls::compare(),
        [calls::CORE_CHILD, file] => calls::decode_with_core(file),
        [CHILD, decoder, file] => decode_and_report(decoder, file),
        _ => Err(
            "usage: kernel record [--missing] DECODER FOLDER [STREAM...] | kernel compare EXPLAINED [PEERS OURS]... | \
             kernel pictures DECODER FILE | kernel calls"
                .into(),
        ),
    }
}
