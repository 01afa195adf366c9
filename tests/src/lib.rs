//! What the test programs share.

pub mod long_streams;

use std::path::PathBuf;

/// What a test or a helper gives back: a failure is a sentence.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The folder of the workspace.
pub fn project_root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
