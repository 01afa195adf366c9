//! Prints every decoder of the kernel and what it can do, and for each that cannot be used, why.
//!
//! ```text
//! cargo run -p fourier-core --example devices
//! ```

use std::process::ExitCode;

use fourier_core::device::discovery::{ENVIRONMENT, Found, open_devices, survey};
use fourier_core::device::{Capabilities, DecodeMode, DecoderDevice, StartCode};

fn main() -> ExitCode {
    let found = survey();
    if found.is_empty() {
        println!("no media device: the kernel has no stateless decoder, or its driver is not loaded");
    }
    for found in &found {
        print_found(found);
    }
    match open_devices(None) {
        Ok(devices) => {
            let paths: Vec<_> = devices
                .iter()
                .map(|device| device.capabilities().path.as_str())
                .collect();
            println!("auto: {}", paths.join(", then "));
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("auto ({ENVIRONMENT}={:?}): {error}", std::env::var_os(ENVIRONMENT));
            ExitCode::FAILURE
        }
    }
}

fn print_found(found: &Found) {
    let media = found.media.display();
    match &found.info {
        Some(info) => println!("{media}  {} ({}, {})", info.model, info.driver, info.bus_info),
        None => println!("{media}"),
    }
    match &found.device {
        Ok(device) => print_capabilities(device.capabilities()),
        Err(error) => println!("  cannot be used: {error}"),
    }
    println!();
}

fn print_capabilities(capabilities: &Capabilities) {
    let mode = |mode: &DecodeMode| match mode {
        DecodeMode::FrameBased => "frame",
        DecodeMode::SliceBased => "slice",
    };
    let code = |code: &StartCode| match code {
        StartCode::AnnexB => "annex B",
        StartCode::None => "none",
    };
    let formats: Vec<_> = capabilities
        .capture_formats
        .iter()
        .map(|format| format!("{format:?}"))
        .collect();
    let yes = |has: bool| if has { "yes" } else { "no" };
    let chroma = if capabilities.chroma_422 {
        "4:2:0 and 4:2:2"
    } else {
        "4:2:0"
    };
    let rows = [
        ("video node", capabilities.path.clone()),
        ("driver", capabilities.driver.clone()),
        ("decode modes", join(capabilities.decode_modes.iter().map(mode))),
        ("start codes", join(capabilities.start_codes.iter().map(code))),
        (
            "size",
            format!("{} to {}", capabilities.min_size, capabilities.max_size),
        ),
        (
            "samples",
            format!("{chroma}, up to {} bits", capabilities.max_bit_depth),
        ),
        ("pictures", formats.join(", ")),
        ("interlaced", yes(capabilities.interlaced).to_owned()),
        ("holds CAPTURE", yes(capabilities.hold_capture).to_owned()),
        ("imports dma-bufs", yes(capabilities.dmabuf_import).to_owned()),
        ("REMOVE_BUFS", yes(capabilities.remove_bufs).to_owned()),
        ("buffers", format!("{} in a queue", capabilities.max_num_buffers)),
    ];
    for (name, value) in rows {
        println!("  {name:<17} {value}");
    }
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
