//! The driver's only unsafe ring: libva's structures and calls, and memory that applications have pointers to.
//!
//! [`va`] is what bindgen makes of libva's headers; [`init`] the symbol that libva looks for; `thunks` its call table;
//! `messages` tells users what
//! went wrong; [`Caller`] reads and writes what the application points to; [`Block`] is memory that it maps; [`parameters`] reads
//! the structures that it fills.
#![allow(unsafe_code)]

mod block;
mod caller;
pub mod init;
mod messages;
pub mod parameters;
#[cfg(test)]
mod tests;
mod thunks;

pub use block::Block;
pub use caller::Caller;

/// What bindgen makes of libva's headers.
#[allow(
    missing_docs,
    missing_debug_implementations,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    rust_2018_idioms,
    unreachable_pub,
    dead_code,
    unsafe_op_in_unsafe_fn,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    clippy::missing_safety_doc
)]
pub mod va {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}
