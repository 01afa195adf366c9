//! What the test programs share.
//!
//! * [`vectors`]: the index of test streams and what is expected of each.
//! * [`picture`]: planar pictures and their digest, the one thing that every comparison uses.
//! * [`core_decoder`]: a file through core's stream decoder.
//! * [`launch`]: a file through a `gst-launch-1.0` process of its own.
//! * [`show`]: a file through a pipeline in this process.
//! * [`va`]: programs that decode through libva.
//! * [`encode`]: streams made on the spot with x264.
//! * [`annexb`]: NAL units of a byte stream, to be lost and damaged.
//! * [`recipes`]: which ones.
//! * [`damage`]: everything that can happen to a stream.
//! * [`syntax`]: writes parameter sets, slice headers and macroblocks.
//! * [`laws`]: what holds for every input, and the inputs.
//! * [`losses`]: what a receiver misses of a stream.
//! * [`kernel`]: what a kernel's decoder was told, and how two decoders compare in that.
//! * [`long_streams`]: the streams that speed is measured with.
//! * [`measure`]: speed and memory of one decoder over one stream.
//! * [`resources`]: what this process holds: file descriptors, threads, memory.

pub mod annexb;
pub mod core_decoder;
pub mod damage;
pub mod encode;
pub mod kernel;
pub mod launch;
pub mod laws;
pub mod long_streams;
pub mod losses;
pub mod measure;
pub mod picture;
pub mod recipes;
pub mod resources;
pub mod show;
pub mod syntax;
pub mod va;
pub mod vectors;

use std::path::PathBuf;

/// What a test or a helper gives back: a failure is a sentence.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The folder of the workspace.
pub fn project_root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// Two tests at a time unless the command line says otherwise: each has threads or processes of its own.
pub fn two_at_a_time(arguments: libtest_mimic::Arguments) -> libtest_mimic::Arguments {
    libtest_mimic::Arguments {
        test_threads: arguments.test_threads.or(Some(2)),
        ..arguments
    }
}
