//! What a device offers a choice of: decode mode, start code, picture format.

use std::path::Path;

use fourier_core::device::discovery::open_device;
use fourier_core::device::format::info;
use fourier_core::device::{DecodeMode, Queue, StartCode};
use fourier_tests::Outcome;
use fourier_tests::annexb::nals;
use fourier_tests::core_decoder::{Ending, decode};

use crate::clips::{self, Clip};
use crate::{Case, Ground};

pub const CASES: &[Case] = &[
    ("every_decode_mode_goes_with_every_start_code", every_mode),
    ("every_picture_format_is_decoded_to_or_refused_by_name", every_format),
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

/// Those that core knows are decoded to; each other one is refused by its name.
fn every_format(ground: &Ground) -> Outcome {
    let clip = clips::sliced()?;
    let stream = std::fs::read(&clip.path)?;
    let offered = ground.device.open()?.enum_formats(Queue::Capture)?;
    let mut decoded = 0;
    for &format in &offered {
        let option = format!("format={format:?}");
        let device = match open_device(Some(&format!("{}:{option}", ground.path))) {
            Ok(device) => device,
            Err(error) if info(format).is_none() && error.to_string().contains(&option) => continue,
            Err(error) => return Err(error.into()),
        };
        let fourcc = u32::from_le_bytes(info(format).ok_or("an unknown format was taken")?.fourcc);
        let mut fourccs = Vec::new();
        let ending = decode(device, &stream, |frame| {
            fourccs.push(frame.frame().memory().layout.fourcc);
            Ok(())
        })?;
        undisturbed(&ending, &clip)?;
        if fourccs.iter().any(|&other| other != fourcc) {
            return Err(format!("{format:?}: the frames are {fourccs:x?}").into());
        }
        decoded += 1;
    }
    match decoded {
        0 => Err(format!("none of {offered:?} was decoded to").into()),
        _ => Ok(()),
    }
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
