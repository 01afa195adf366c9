//! What a device offers a choice of: decode mode, start code, picture format.

use std::path::Path;

use fourier_core::device::discovery::open_device;
use fourier_core::device::format::info;
use fourier_core::device::{DecodeMode, Queue, StartCode};
use fourier_tests::Outcome;
use fourier_tests::annexb::nals;
use fourier_tests::core_decoder::{Ending, decode};
use gst_video::prelude::*;

use crate::clips::{self, Clip};
use crate::playing::{Playing, all_of};
use crate::{Case, Ground};

pub const CASES: &[Case] = &[
    ("every_decode_mode_goes_with_every_start_code", every_mode),
    ("every_picture_format_on_offer_gives_the_same_pictures", every_format),
];

/// OUTPUT buffers that the driver is through with, as the kernel counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Jobs {
    count: usize,
    bytes: usize,
}

fn every_mode(ground: &Ground) -> Outcome {
    let clip = clips::sliced()?;
    let stream = std::fs::read(&clip.path)?;
    for (mode, mode_name) in [(DecodeMode::FrameBased, "frame"), (DecodeMode::SliceBased, "slice")] {
        for (start_code, code_name) in [(StartCode::AnnexB, "annexb"), (StartCode::None, "none")] {
            let options = format!("mode={mode_name},startcode={code_name}");
            let device = open_device(Some(&format!("{}:{options}", ground.path)))?;
            let (ending, jobs) = traced(|| decode(device, &stream, |_| Ok(())))?;
            undisturbed(&ending, &clip)?;
            let expected = expected_jobs(&stream, &clip, mode, start_code);
            if jobs != expected {
                return Err(format!("{options}: {jobs:?}, not {expected:?}").into());
            }
        }
    }
    Ok(())
}

/// One job a picture or one a slice, with every byte of the slices and three of a start code before each.
fn expected_jobs(stream: &[u8], clip: &Clip, mode: DecodeMode, start_code: StartCode) -> Jobs {
    let slices: Vec<_> = nals(stream).into_iter().filter(|nal| nal.is_slice()).collect();
    let prefix = match start_code {
        StartCode::None => 0,
        StartCode::AnnexB => 3,
    };
    Jobs {
        count: match mode {
            DecodeMode::FrameBased => clip.frames,
            DecodeMode::SliceBased => slices.len(),
        },
        bytes: slices.iter().map(|nal| nal.range.end - nal.header + prefix).sum(),
    }
}

/// Runs it with the kernel's own account of what the driver was given.
fn traced<T>(run: impl FnOnce() -> Outcome<T>) -> Outcome<(T, Jobs)> {
    /// `V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE`.
    const OUTPUT_ONLY: &str = "type == 10";
    let set = |file: &str, value: &str| {
        let path = Path::new("/sys/kernel/tracing").join(file);
        std::fs::write(&path, value).map_err(|error| format!("{}: {error}", path.display()))
    };
    let event = "events/vb2/vb2_buf_done";
    set(&format!("{event}/filter"), OUTPUT_ONLY)?;
    set("trace", "")?;
    set(&format!("{event}/enable"), "1")?;
    let result = run();
    set(&format!("{event}/enable"), "0")?;
    set(&format!("{event}/filter"), "0")?;
    let trace = std::fs::read_to_string("/sys/kernel/tracing/trace")?;
    let bytes: Vec<usize> = trace
        .lines()
        .filter_map(|line| {
            line.split_once("bytesused = ")?
                .1
                .split(',')
                .next()?
                .trim()
                .parse()
                .ok()
        })
        .collect();
    let jobs = Jobs {
        count: bytes.len(),
        bytes: bytes.iter().sum(),
    };
    Ok((result?, jobs))
}

/// Whatever the format, core gives every frame in it, and the element the same pictures at the same times.
fn every_format(ground: &Ground) -> Outcome {
    let clip = clips::sliced()?;
    let stream = std::fs::read(&clip.path)?;
    let offered = ground.device.open()?.enum_formats(Queue::Capture)?;
    let mut usual: Option<Vec<Picture>> = None;
    for &format in &offered {
        let narrowed = Ground::at(&format!("{}:format={format:?}", ground.path))?;
        let info = info(format).ok_or_else(|| format!("{format:?} is not known"))?;
        let mut fourccs = Vec::new();
        let ending = decode(narrowed.device.clone(), &stream, |frame| {
            fourccs.push(frame.frame().memory().layout.fourcc);
            Ok(())
        })?;
        undisturbed(&ending, &clip)?;
        if fourccs.iter().any(|other| other.to_le_bytes() != info.fourcc) {
            return Err(format!("{format:?}: the frames are {fourccs:x?}").into());
        }
        let pictures = pictures(&narrowed, &clip)?;
        all_of(&clip, pictures.len())?;
        let name = match &info.fourcc {
            b"YU12" => gst_video::VideoFormat::I420,
            fourcc => gst_video::VideoFormat::from_fourcc(u32::from_le_bytes(*fourcc)),
        };
        if let Some(other) = pictures.iter().find(|picture| picture.format != name) {
            return Err(format!("{format:?}: the element gives {:?}", other.format).into());
        }
        let usual = usual.get_or_insert_with(|| pictures.clone());
        let differs = |(ours, usual): &(&Picture, &Picture)| ours.pts != usual.pts || ours.planes != usual.planes;
        if let Some(number) = pictures.iter().zip(usual.iter()).position(|pair| differs(&pair)) {
            return Err(format!("{format:?}: picture {number} is not that of {:?}", offered[0]).into());
        }
    }
    match offered.len() {
        0 => Err("no picture format is offered".into()),
        _ => Ok(()),
    }
}

/// A frame of the element.
#[derive(Clone, Debug)]
struct Picture {
    format: gst_video::VideoFormat,
    pts: Option<gst::ClockTime>,
    /// Samples of Y, Cb and Cr.
    planes: [Vec<u8>; 3],
}

fn pictures(ground: &Ground, clip: &Clip) -> Outcome<Vec<Picture>> {
    let playing = Playing::start(ground, clip, "max-buffers=2")?;
    let mut pictures = Vec::new();
    while let Some(sample) = playing.next()? {
        let info = gst_video::VideoInfo::from_caps(sample.caps().ok_or("a sample without caps")?)?;
        let buffer = sample.buffer_owned().ok_or("a sample without a buffer")?;
        let pts = buffer.pts();
        let frame =
            gst_video::VideoFrame::from_buffer_readable(buffer, &info).map_err(|_| "a frame that cannot be mapped")?;
        pictures.push(Picture {
            format: info.format(),
            pts,
            planes: [component(&frame, 0)?, component(&frame, 1)?, component(&frame, 2)?],
        });
    }
    Ok(pictures)
}

/// The samples of one component, row after row, however they lie.
fn component(frame: &gst_video::VideoFrame<gst_video::video_frame::Readable>, number: u8) -> Outcome<Vec<u8>> {
    let (width, height) = (frame.comp_width(number.into()), frame.comp_height(number.into()));
    let step = usize::try_from(frame.comp_pstride(number.into()))?;
    let stride = usize::try_from(frame.comp_stride(number.into()))?;
    let bytes = frame.comp_data(number.into())?;
    let rows = bytes.chunks(stride).take(height as usize);
    let samples = rows.flat_map(|row| row.iter().step_by(step).take(width as usize).copied());
    Ok(samples.collect())
}

/// Every frame, and nothing to complain about.
pub fn undisturbed(ending: &Ending, clip: &Clip) -> Outcome {
    let expected = Ending {
        frames: clip.frames,
        ..Ending::default()
    };
    match *ending == expected {
        true => Ok(()),
        false => Err(format!("{ending:?}").into()),
    }
}
