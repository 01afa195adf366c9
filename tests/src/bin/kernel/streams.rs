//! Where the results of a stream lie.

use std::path::{Path, PathBuf};

use fourier_tests::vectors::Vector;

/// The controls of a stream, traced.
pub fn trace_of(folder: &Path, vector: &Vector) -> PathBuf {
    folder.join(&vector.suite).join(format!("{}.trace.gz", vector.name))
}

/// The frames of a stream: one line for each, and how it ended.
pub fn frames_of(folder: &Path, vector: &Vector) -> PathBuf {
    folder.join(&vector.suite).join(format!("{}.frames", vector.name))
}
