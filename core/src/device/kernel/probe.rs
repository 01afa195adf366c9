//! What a decoder of the kernel can do, asked once, before anybody decodes with it; or why it cannot be used.

use v4l2r::bindings as v4l2;

use super::convert;
use crate::device::format::{self, H264_SLICE};
use crate::device::{Capabilities, DecodeMode, QueueCapabilities, StartCode};
use crate::memory::{MemoryKind, PixelFormat};
use crate::sys::{ControlValue, FrameSizeRange, PixFormat, PlanePixFormat, QueueDirection, V4l2MemoryType, VideoNode};
use crate::units::Size;
use crate::{Error, Result};

/// `V4L2_PIX_FMT_H264`: whole access units, for stateful decoders.
const H264: u32 = u32::from_le_bytes(*b"H264");
/// Buffers that a queue has where the kernel does not say.
const VIDEO_MAX_FRAME: u32 = 32;
/// Every decoder has been able to decode that much.
const TRIAL: Size = Size {
    width: 640,
    height: 480,
};
/// Samples and their drivers' names that take frames only, whatever the stream says.
const FRAMES_ONLY: [&str; 2] = ["mtk-vcodec-dec", "mtk-vcodec"];

/// Controls that a decoder must have, with the size of their values here.
const COMPOUND: [(&str, u32, usize); 4] = [
    (
        "V4L2_CID_STATELESS_H264_SPS",
        v4l2::V4L2_CID_STATELESS_H264_SPS,
        size_of::<v4l2::v4l2_ctrl_h264_sps>(),
    ),
    (
        "V4L2_CID_STATELESS_H264_PPS",
        v4l2::V4L2_CID_STATELESS_H264_PPS,
        size_of::<v4l2::v4l2_ctrl_h264_pps>(),
    ),
    (
        "V4L2_CID_STATELESS_H264_SCALING_MATRIX",
        v4l2::V4L2_CID_STATELESS_H264_SCALING_MATRIX,
        size_of::<v4l2::v4l2_ctrl_h264_scaling_matrix>(),
    ),
    (
        "V4L2_CID_STATELESS_H264_DECODE_PARAMS",
        v4l2::V4L2_CID_STATELESS_H264_DECODE_PARAMS,
        size_of::<v4l2::v4l2_ctrl_h264_decode_params>(),
    ),
];

/// Controls that slice mode needs besides.
const OF_SLICES: [(&str, u32, usize); 2] = [
    (
        "V4L2_CID_STATELESS_H264_SLICE_PARAMS",
        v4l2::V4L2_CID_STATELESS_H264_SLICE_PARAMS,
        size_of::<v4l2::v4l2_ctrl_h264_slice_params>(),
    ),
    (
        "V4L2_CID_STATELESS_H264_PRED_WEIGHTS",
        v4l2::V4L2_CID_STATELESS_H264_PRED_WEIGHTS,
        size_of::<v4l2::v4l2_ctrl_h264_pred_weights>(),
    ),
];

/// Everything that is asked once. Leaves `node` without buffers, but with formats and controls of the trials: a context
/// begins with S_FMT(OUTPUT), the modes and an SPS of its own.
///
/// # Errors
/// [`Error::Unsupported`] with the reason, [`Error::Device`] if a call failed.
pub(super) fn capabilities(node: &VideoNode) -> Result<Capabilities> {
    let refuse = |why: String| Error::Unsupported(format!("{}: {why}", node.path().display()));
    let driver = node.capability()?.driver;
    takes_slices(node).map_err(&refuse)?;
    for control in COMPOUND {
        has_control(node, control).map_err(&refuse)?;
    }
    let modes = modes(node)?;
    if modes.decode.is_empty() || modes.start_codes.is_empty() {
        return Err(refuse("it has no decode mode or no start code that we know".to_owned()));
    }
    let sizes = sizes(node)?;
    configure(node, &modes, sizes)?;
    let (output, capture) = queues(node)?;
    let pictures = pictures(node, sizes)?;
    if pictures.formats.is_empty() {
        let offered = node.enum_formats(QueueDirection::Capture)?;
        let offered: Vec<_> = offered.into_iter().map(PixelFormat).collect();
        return Err(refuse(format!("of its picture formats {offered:?} we know none")));
    }
    Ok(Capabilities {
        interlaced: output.hold_capture && !FRAMES_ONLY.contains(&driver.as_str()),
        driver,
        path: node.path().to_string_lossy().into_owned(),
        decode_modes: modes.decode,
        start_codes: modes.start_codes,
        hold_capture: output.hold_capture,
        dmabuf_import: capture.dmabuf,
        remove_bufs: output.remove_bufs && capture.remove_bufs,
        max_bit_depth: pictures.max_bit_depth,
        chroma_422: pictures.chroma_422,
        capture_formats: pictures.formats,
        min_size: size(sizes.min),
        max_size: size(sizes.max),
        max_num_buffers: output.max_num_buffers.min(capture.max_num_buffers),
        export_kind: MemoryKind::DmaBuf,
        hardware: true,
    })
}

/// OUTPUT takes `V4L2_PIX_FMT_H264_SLICE`.
fn takes_slices(node: &VideoNode) -> Result<(), String> {
    let formats = node
        .enum_formats(QueueDirection::Output)
        .map_err(|error| error.to_string())?;
    if formats.contains(&H264_SLICE.0) {
        return Ok(());
    }
    let known: Vec<_> = formats.iter().map(|&format| PixelFormat(format)).collect();
    Err(match formats.contains(&H264) {
        true => "it decodes H.264 with a state of its own (V4L2_PIX_FMT_H264), not by requests".to_owned(),
        false => format!("it decodes no H.264, but {known:?}"),
    })
}

/// The node has the control, and its values have the size that they have here.
fn has_control(node: &VideoNode, (name, id, size): (&str, u32, usize)) -> Result<(), String> {
    match node.query_control(id) {
        Ok(Some(info)) if info.elem_size as usize == size => Ok(()),
        Ok(Some(info)) => Err(format!(
            "{name} has {} bytes instead of {size}: a uAPI from before Linux 5.11",
            info.elem_size
        )),
        Ok(None) => Err(format!("it lacks {name}: a uAPI from before Linux 5.11")),
        Err(error) => Err(error.to_string()),
    }
}

/// How slices may come in.
struct Modes {
    decode: Vec<DecodeMode>,
    start_codes: Vec<StartCode>,
}

fn modes(node: &VideoNode) -> Result<Modes> {
    let mut modes = Modes {
        decode: Vec::new(),
        start_codes: Vec::new(),
    };
    let slices = OF_SLICES.iter().all(|&control| has_control(node, control).is_ok());
    for mode in [DecodeMode::FrameBased, DecodeMode::SliceBased] {
        let (id, item) = (
            v4l2::V4L2_CID_STATELESS_H264_DECODE_MODE,
            convert::decode_mode_item(mode),
        );
        if has_item(node, id, item)? && (mode == DecodeMode::FrameBased || slices) {
            modes.decode.push(mode);
        }
    }
    for code in [StartCode::AnnexB, StartCode::None] {
        let (id, item) = (v4l2::V4L2_CID_STATELESS_H264_START_CODE, convert::start_code_item(code));
        if has_item(node, id, item)? {
            modes.start_codes.push(code);
        }
    }
    Ok(modes)
}

fn has_item(node: &VideoNode, id: u32, item: u32) -> Result<bool> {
    match node.query_control(id)? {
        Some(info) if (info.minimum..=info.maximum).contains(&i64::from(item)) => Ok(node.has_menu_item(id, item)?),
        Some(_) | None => Ok(false),
    }
}

/// From VIDIOC_ENUM_FRAMESIZES, or what S_FMT makes of a very small and a very large picture.
fn sizes(node: &VideoNode) -> Result<FrameSizeRange> {
    if let Some(range) = node.frame_sizes(H264_SLICE.0)? {
        return Ok(range);
    }
    let made_of = |side| {
        node.try_format(
            QueueDirection::Output,
            &slices_of(Size {
                width: side,
                height: side,
            }),
        )
    };
    let (least, most) = (made_of(1)?, made_of(16_384)?);
    Ok(FrameSizeRange {
        min: (least.width, least.height),
        max: (most.width, most.height),
    })
}

fn size((width, height): (u32, u32)) -> Size {
    Size { width, height }
}

/// An OUTPUT format.
fn slices_of(size: Size) -> PixFormat {
    PixFormat {
        pixel_format: H264_SLICE.0,
        width: size.width,
        height: size.height,
        planes: vec![PlanePixFormat {
            bytes_per_line: 0,
            size_image: 1 << 20,
        }],
    }
}

/// The size to try things with.
fn trial_size(sizes: FrameSizeRange) -> Size {
    Size {
        width: TRIAL.width.clamp(sizes.min.0, sizes.max.0.max(sizes.min.0)),
        height: TRIAL.height.clamp(sizes.min.1, sizes.max.1.max(sizes.min.1)),
    }
}

/// OUTPUT format, decode mode and start code, as for decoding: what else can be had depends on them.
fn configure(node: &VideoNode, modes: &Modes, sizes: FrameSizeRange) -> Result<()> {
    node.set_format(QueueDirection::Output, &slices_of(trial_size(sizes)))?;
    let mut values = Vec::with_capacity(2);
    if let Some(&mode) = modes.decode.first() {
        values.push(convert::control(&crate::device::Control::DecodeMode(mode)));
    }
    if let Some(&code) = modes.start_codes.first() {
        values.push(convert::control(&crate::device::Control::StartCode(code)));
    }
    Ok(node.set_controls(None, &mut values)?)
}

/// What OUTPUT and CAPTURE can do.
fn queues(node: &VideoNode) -> Result<(QueueCapabilities, QueueCapabilities)> {
    let of = |queue| -> Result<_> {
        let format = node.format(queue)?;
        let asked = node.create_buffers(queue, V4l2MemoryType::Mmap, 0, &format)?;
        Ok((convert::queue_capabilities(&asked, VIDEO_MAX_FRAME), asked.capabilities))
    };
    let (output, bits) = of(QueueDirection::Output)?;
    if bits & v4l2::V4L2_BUF_CAP_SUPPORTS_REQUESTS == 0 {
        let path = node.path().display();
        return Err(Error::Unsupported(format!(
            "{path}: its OUTPUT queue takes no requests"
        )));
    }
    Ok((output, of(QueueDirection::Capture)?.0))
}

/// What pictures may be made of.
struct Pictures {
    formats: Vec<PixelFormat>,
    max_bit_depth: u8,
    chroma_422: bool,
}

/// Tries SPSs that a decoder may refuse, and looks which CAPTURE formats it offers with each: it takes a kind of stream
/// only if there is a format that can hold it.
fn pictures(node: &VideoNode, sizes: FrameSizeRange) -> Result<Pictures> {
    let mut pictures = Pictures {
        formats: Vec::new(),
        max_bit_depth: 8,
        chroma_422: false,
    };
    for (chroma_format_idc, bit_depth) in [(1, 10), (2, 8), (2, 10), (1, 8)] {
        let sps = trial_sps(trial_size(sizes), chroma_format_idc, bit_depth);
        let is_usual = (chroma_format_idc, bit_depth) == (1, 8);
        match node.set_controls(None, &mut [ControlValue::Sps(sps)]) {
            Ok(()) => {}
            Err(error) if is_usual => return Err(error.into()),
            Err(_) => continue,
        }
        let offered = node.enum_formats(QueueDirection::Capture)?;
        let holds = |info: &&format::FormatInfo| {
            offered.contains(&info.pixel_format.0)
                && info.chroma.is_420() == (chroma_format_idc == 1)
                && (info.bits_per_column > 8) == (bit_depth > 8)
        };
        let mut found = format::FORMATS.iter().filter(holds).peekable();
        if found.peek().is_some() {
            pictures.max_bit_depth = pictures.max_bit_depth.max(bit_depth);
            pictures.chroma_422 |= chroma_format_idc == 2;
        }
        let known = std::mem::take(&mut pictures.formats);
        let new = found
            .map(|info| info.pixel_format)
            .filter(|format| !known.contains(format));
        pictures.formats = new.collect();
        pictures.formats.extend(known);
    }
    Ok(pictures)
}

/// High 4:2:2 of that sampling and depth; for 8-bit 4:2:0 Main, which every decoder has.
fn trial_sps(size: Size, chroma_format_idc: u8, bit_depth: u8) -> v4l2::v4l2_ctrl_h264_sps {
    let is_usual = (chroma_format_idc, bit_depth) == (1, 8);
    v4l2::v4l2_ctrl_h264_sps {
        profile_idc: if is_usual { 77 } else { 122 },
        level_idc: 40,
        chroma_format_idc,
        bit_depth_luma_minus8: bit_depth - 8,
        bit_depth_chroma_minus8: bit_depth - 8,
        max_num_ref_frames: 1,
        pic_width_in_mbs_minus1: (size.width.div_ceil(16) - 1) as u16,
        pic_height_in_map_units_minus1: (size.height.div_ceil(16) - 1) as u16,
        flags: v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY | v4l2::V4L2_H264_SPS_FLAG_DIRECT_8X8_INFERENCE,
        ..Default::default()
    }
}
