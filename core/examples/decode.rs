//! Decodes an H.264 elementary stream to planar YUV 4:2:0 in display order.
//!
//! ```text
//! cargo run --release -p fourier-core --example decode -- [--device SPEC] [-v] IN.264 [OUT.yuv]
//! ```
//! Without OUT nothing is written; `-v` tells
//! every event.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::time::Instant;

use fourier_core::decode::Outcome;
use fourier_core::decode::stream::{
    AccessUnitBytes, Alignment, DropReason, Event, FrameTag, OutputFrame, StreamConfig, StreamDecoder,
};
use fourier_core::device::discovery::open_device;
use fourier_core::h264::annexb::nal_units;

/// What the command line says.
#[derive(Default)]
struct Options {
    device: Option<String>,
    verbose: bool,
    input: String,
    output: Option<String>,
}

/// What came out.
#[derive(Default)]
struct Totals {
    frames: u64,
    damaged: u64,
    dropped: u64,
    warnings: u64,
}

fn main() -> ExitCode {
    match parse_arguments().and_then(|options| decode(&options)) {
        Ok(totals) => {
            let Totals {
                frames,
                damaged,
                dropped,
                warnings,
            } = totals;
            eprintln!("{frames} frames, {damaged} damaged, {dropped} dropped, {warnings} warnings");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn parse_arguments() -> Result<Options, Box<dyn Error>> {
    let mut options = Options::default();
    let mut files = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--device" => options.device = Some(arguments.next().ok_or("--device wants a name")?),
            "-v" => options.verbose = true,
            _ => files.push(argument),
        }
    }
    let mut files = files.into_iter();
    options.input = files
        .next()
        .ok_or("usage: decode [--device SPEC] [-v] IN.264 [OUT.yuv]")?;
    options.output = files.next();
    Ok(options)
}

fn decode(options: &Options) -> Result<Totals, Box<dyn Error>> {
    let stream = std::fs::read(&options.input).map_err(|error| format!("{}: {error}", options.input))?;
    let mut output = match &options.output {
        Some(path) => Some(BufWriter::new(File::create(path)?)),
        None => None,
    };
    let config = StreamConfig {
        alignment: Alignment::Nal,
        ..StreamConfig::default()
    };
    let mut decoder = StreamDecoder::new(open_device(options.device.as_deref())?, config)?;
    let mut totals = Totals::default();
    let begin = Instant::now();
    for (tag, nal) in (0..).map(FrameTag).zip(nal_units(&stream)) {
        // A NAL unit alone has no start code; with a length of its own it needs none.
        let start = [&[0, 0, 1], nal].concat();
        let result = decoder.decode(AccessUnitBytes::AnnexB(&start), tag);
        take_events(&mut decoder, options, &mut output, &mut totals)?;
        result?;
    }
    let result = decoder.drain();
    take_events(&mut decoder, options, &mut output, &mut totals)?;
    result?;
    eprintln!("{:.1} frames/s", totals.frames as f64 / begin.elapsed().as_secs_f64());
    Ok(totals)
}

fn take_events(
    decoder: &mut StreamDecoder,
    options: &Options,
    output: &mut Option<BufWriter<File>>,
    totals: &mut Totals,
) -> Result<(), Box<dyn Error>> {
    while let Some(event) = decoder.next_event() {
        if options.verbose {
            eprintln!("{event:?}");
        }
        match event {
            Event::Format(format) => eprintln!("{} of {}", format.visible.size, format.coded_size),
            Event::Frame(frame) => {
                totals.frames += 1;
                totals.damaged += u64::from(frame.wait() == Outcome::Damaged);
                if let Some(output) = output {
                    write_i420(&frame, output)?;
                }
            }
            Event::Dropped {
                reason: DropReason::NoPicture | DropReason::SecondField,
                ..
            } => {}
            Event::Dropped { tag, reason } => {
                totals.dropped += 1;
                eprintln!("NAL unit {} gives no frame: {reason:?}", tag.0);
            }
            Event::Warning(error) => {
                totals.warnings += 1;
                eprintln!("{error}");
            }
        }
    }
    Ok(())
}

/// Writes the visible part of an NV12 frame, tiled or not.
fn write_i420(frame: &OutputFrame, output: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let memory = frame.frame().memory();
    let samples = memory.read()?;
    let visible = frame.format().visible;
    let (x, y) = (visible.x as usize, visible.y as usize);
    let (width, height) = (visible.size.width as usize, visible.size.height as usize);
    let rows = |plane: usize, x: usize, y: usize, width: usize, height: usize| {
        let mut rows = vec![0; width * height];
        for (n, row) in rows.chunks_exact_mut(width).enumerate() {
            samples
                .copy_row(plane, (x, y + n), row)
                .ok_or("a frame that is smaller than its format")?;
        }
        Ok::<_, Box<dyn Error>>(rows)
    };
    output.write_all(&rows(0, x, y, width, height)?)?;
    let both = rows(1, x / 2 * 2, y / 2, width.div_ceil(2) * 2, height.div_ceil(2))?;
    let chroma = |component| both.iter().copied().skip(component).step_by(2).collect::<Vec<u8>>();
    output.write_all(&chroma(0))?;
    output.write_all(&chroma(1))?;
    Ok(())
}
