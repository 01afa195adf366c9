//! `fourier_drv_video.so`: a libva driver over fourier's core. libva loads it and calls `__vaDriverInit_1_0`.
//!
//! * `ffi`: the only unsafe ring: libva's structures, its call table, and memory that applications write through
//!   pointers;
//! * `driver`: one display's worth of objects, found by their ids (`ids`);
//! * one file per object: `config`, `surface`, `context`, `buffer`, `image`; `subpicture` and
//!   `display_attributes` answer that there are none;
//! * `picture`: what was decoded into a surface; `render`: what an application hands over for one picture;
//!   `h264`: what core makes of that; `export`: surfaces as dma-bufs;
//! * `format`: what samples there are; `samples`: their way between surfaces and images;
//! * `status`: errors; `log`: `FOURIER_LOG`.
//!
//! No lock is held across a wait for the device, but one: a context's own, by whoever submits to it.

mod buffer;
mod config;
mod context;
mod display_attributes;
mod driver;
mod export;
mod ffi;
mod format;
mod h264;
mod ids;
mod image;
mod import;
mod log;
mod picture;
mod render;
mod samples;
mod status;
mod subpicture;
mod surface;

pub use ffi::init::__vaDriverInit_1_0;
