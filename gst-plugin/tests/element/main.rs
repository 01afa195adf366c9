//! The element in real pipelines, on the software decoder.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod alignment;
mod bus;
mod flow;
mod frames;
mod harness;
mod memory;
mod players;
mod random_access;
