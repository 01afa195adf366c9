//! The client's only unsafe ring: libva's functions, and a DRM device that reads what they give.
//!
//! [`va`] is what bindgen makes of libva's headers; `display` opens and closes displays; `objects`, `pictures` and
//! `samples` have the calls, as methods of [`Display`]; `vgem` has jobs that read a dma-buf.
#![allow(unsafe_code)]

mod display;
mod objects;
mod pictures;
mod samples;
mod vgem;

pub use display::Display;
pub use objects::{External, Parameters};
pub use samples::Exported;
pub use vgem::{Reading, Vgem};

use std::ffi::CStr;

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

/// What libva calls a status.
pub fn error_string(status: va::VAStatus) -> &'static str {
    // SAFETY: takes any number.
    let text = unsafe { va::vaErrorStr(status) };
    // SAFETY: libva gives a string constant for every number, and is never unloaded.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().unwrap_or("an error without a name")
}

/// A pointer to a list that C does not change, though it does not say so.
fn input<T>(list: &[T]) -> *mut T {
    list.as_ptr().cast_mut()
}
