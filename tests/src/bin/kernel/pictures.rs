//! The pictures that an element gives, as a program's standard output: cropped, packed, planar.

use std::io::Write as _;
use std::path::Path;

use fourier_tests::Outcome;
use fourier_tests::vectors::Container;
use gst::prelude::*;
use gst_app::AppSink;
use gst_video::prelude::*;

/// No picture takes nearly as long.
const DEADLINE: gst::ClockTime = gst::ClockTime::from_seconds(60);

/// Writes all of them.
///
/// # Errors
/// What the pipeline says, and pictures that are no NV12.
pub fn write(decoder: &str, file: &Path) -> Outcome {
    gst::init()?;
    gstfourier::plugin_register_static()?;
    let demuxer = Container::of(file).demuxer();
    let demuxer = demuxer.map(|name| format!("{name} !")).unwrap_or_default();
    let pipeline = gst::parse::launch(&format!(
        "filesrc location=\"{}\" ! {demuxer} h264parse ! {decoder} ! appsink name=sink sync=false max-buffers=2",
        file.display()
    ))?;
    let pipeline = pipeline.downcast::<gst::Pipeline>().map_err(|_| "not a pipeline")?;
    let sink = pipeline.by_name("sink").and_downcast().ok_or("no sink")?;
    // A failure is on the bus, too.
    let _ = pipeline.set_state(gst::State::Playing);
    let written = write_all(&pipeline, &sink);
    pipeline.set_state(gst::State::Null)?;
    written
}

fn write_all(pipeline: &gst::Pipeline, sink: &AppSink) -> Outcome {
    let mut output = std::io::stdout().lock();
    let mut packed = Vec::new();
    while let Some(sample) = sink.try_pull_sample(DEADLINE) {
        packed.clear();
        pack(&sample, &mut packed)?;
        output.write_all(&packed)?;
    }
    let bus = pipeline.bus().ok_or("a pipeline without a bus")?;
    match bus.pop_filtered(&[gst::MessageType::Error]) {
        Some(message) => Err(format!("{message:?}").into()),
        None if sink.is_eos() => Ok(()),
        None => Err(format!("no picture for {DEADLINE}").into()),
    }
}

/// Adds the visible part of an NV12 picture as I420.
fn pack(sample: &gst::Sample, packed: &mut Vec<u8>) -> Outcome {
    let buffer = sample.buffer().ok_or("a sample without a buffer")?;
    let info = gst_video::VideoInfo::from_caps(sample.caps().ok_or("a sample without caps")?)?;
    let crop = buffer.meta::<gst_video::VideoCropMeta>().map(|meta| meta.rect());
    let (x, y, width, height) = crop.unwrap_or((0, 0, info.width(), info.height()));
    let [x, y, width, height] = [x, y, width, height].map(|side| side as usize);
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, &info)
        .map_err(|_| "a picture that cannot be read")?;
    if frame.format() != gst_video::VideoFormat::Nv12 {
        return Err(format!("{:?} instead of NV12", frame.format()).into());
    }
    let row = |plane: usize, y: usize, x: usize, length: usize| -> Outcome<&[u8]> {
        let pitch = frame.plane_stride().get(plane).copied().unwrap_or_default() as usize;
        let start = y * pitch + x;
        let bytes = frame.plane_data(plane as u32)?;
        Ok(bytes.get(start..start + length).ok_or("a plane that is too small")?)
    };
    for y in y..y + height {
        packed.extend_from_slice(row(0, y, x, width)?);
    }
    for component in 0..2 {
        for y in y / 2..y / 2 + height.div_ceil(2) {
            let pairs = row(1, y, x & !1, width.next_multiple_of(2))?;
            packed.extend(pairs.iter().skip(component).step_by(2));
        }
    }
    Ok(())
}
