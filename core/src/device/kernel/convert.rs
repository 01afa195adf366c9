//! Our terms and the uAPI's.

use v4l2r::bindings as v4l2;

use crate::device::{Control, DecodeMode, DequeuedBuffer, MemoryType, Queue, QueueCapabilities, StartCode};
use crate::memory::{Format, PixelFormat, PlaneFormat};
use crate::sys::{BufferInfo, Buffers, ControlValue, PixFormat, PlanePixFormat, QueueDirection, V4l2MemoryType};
use crate::units::{BufferIndex, Size, Timestamp};

/// `V4L2_BUF_CAP_SUPPORTS_REMOVE_BUFS` of Linux 6.10.
const SUPPORTS_REMOVE_BUFS: u32 = 1 << 8;

pub(super) fn direction(queue: Queue) -> QueueDirection {
    match queue {
        Queue::Output => QueueDirection::Output,
        Queue::Capture => QueueDirection::Capture,
    }
}

pub(super) fn memory(memory: MemoryType) -> V4l2MemoryType {
    match memory {
        MemoryType::Mmap => V4l2MemoryType::Mmap,
        MemoryType::DmaBuf => V4l2MemoryType::DmaBuf,
    }
}

/// A queue without a limit of its own has `otherwise`.
pub(super) fn queue_capabilities(buffers: &Buffers, otherwise: u32) -> QueueCapabilities {
    let has = |bit: u32| buffers.capabilities & bit != 0;
    QueueCapabilities {
        dmabuf: has(v4l2::V4L2_BUF_CAP_SUPPORTS_DMABUF),
        hold_capture: has(v4l2::V4L2_BUF_CAP_SUPPORTS_M2M_HOLD_CAPTURE_BUF),
        remove_bufs: has(SUPPORTS_REMOVE_BUFS),
        max_num_buffers: buffers.max_num_buffers.unwrap_or(otherwise),
    }
}

pub(super) fn format(pix: &PixFormat) -> Format {
    let plane = |plane: &PlanePixFormat| PlaneFormat {
        bytes_per_line: plane.bytes_per_line,
        size_image: plane.size_image,
    };
    Format {
        pixel_format: PixelFormat(pix.pixel_format),
        size: Size {
            width: pix.width,
            height: pix.height,
        },
        planes: pix.planes.iter().map(plane).collect(),
    }
}

pub(super) fn pix_format(format: &Format) -> PixFormat {
    let plane = |plane: &PlaneFormat| PlanePixFormat {
        bytes_per_line: plane.bytes_per_line,
        size_image: plane.size_image,
    };
    PixFormat {
        pixel_format: format.pixel_format.0,
        width: format.size.width,
        height: format.size.height,
        planes: format.planes.iter().map(plane).collect(),
    }
}

/// The item of the menu `V4L2_CID_STATELESS_H264_DECODE_MODE`.
pub(super) fn decode_mode_item(mode: DecodeMode) -> u32 {
    match mode {
        DecodeMode::SliceBased => v4l2::v4l2_stateless_h264_decode_mode_V4L2_STATELESS_H264_DECODE_MODE_SLICE_BASED,
        DecodeMode::FrameBased => v4l2::v4l2_stateless_h264_decode_mode_V4L2_STATELESS_H264_DECODE_MODE_FRAME_BASED,
    }
}

/// The item of the menu `V4L2_CID_STATELESS_H264_START_CODE`.
pub(super) fn start_code_item(code: StartCode) -> u32 {
    match code {
        StartCode::None => v4l2::v4l2_stateless_h264_start_code_V4L2_STATELESS_H264_START_CODE_NONE,
        StartCode::AnnexB => v4l2::v4l2_stateless_h264_start_code_V4L2_STATELESS_H264_START_CODE_ANNEX_B,
    }
}

/// A copy of the control, for the kernel to write back to.
pub(super) fn control(control: &Control<'_>) -> ControlValue {
    match *control {
        Control::DecodeMode(mode) => {
            let item = decode_mode_item(mode).cast_signed();
            ControlValue::Menu(v4l2::V4L2_CID_STATELESS_H264_DECODE_MODE, item)
        }
        Control::StartCode(code) => {
            let item = start_code_item(code).cast_signed();
            ControlValue::Menu(v4l2::V4L2_CID_STATELESS_H264_START_CODE, item)
        }
        Control::Sps(sps) => ControlValue::Sps(*sps),
        Control::Pps(pps) => ControlValue::Pps(*pps),
        Control::ScalingMatrix(matrix) => ControlValue::ScalingMatrix(*matrix),
        Control::DecodeParams(params) => ControlValue::DecodeParams(*params),
        Control::SliceParams(params) => ControlValue::SliceParams(*params),
        Control::PredWeights(weights) => ControlValue::PredWeights(*weights),
    }
}

pub(super) fn dequeued(info: &BufferInfo) -> DequeuedBuffer {
    DequeuedBuffer {
        index: BufferIndex(info.index),
        timestamp: Timestamp::from_timeval(info.timestamp.0, info.timestamp.1),
        error: info.flags & v4l2::V4L2_BUF_FLAG_ERROR != 0,
        bytes_used: info.bytes_used as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_survives_the_way_to_the_uapi_and_back() {
        let plane = |bytes_per_line, size_image| PlaneFormat {
            bytes_per_line,
            size_image,
        };
        let there = Format {
            pixel_format: PixelFormat::from_fourcc(*b"NM12"),
            size: Size { width: 64, height: 48 },
            planes: vec![plane(64, 3072), plane(64, 1536)],
        };
        assert_eq!(format(&pix_format(&there)), there);
    }

    #[test]
    fn a_queue_can_what_its_bits_say() {
        let mut buffers = Buffers {
            index: 0,
            count: 0,
            capabilities: 0x115,
            max_num_buffers: None,
        };
        let capabilities = queue_capabilities(&buffers, 32);
        assert_eq!((capabilities.dmabuf, capabilities.remove_bufs), (true, true));
        assert_eq!((capabilities.hold_capture, capabilities.max_num_buffers), (false, 32));
        buffers.capabilities = v4l2::V4L2_BUF_CAP_SUPPORTS_M2M_HOLD_CAPTURE_BUF;
        buffers.max_num_buffers = Some(64);
        let capabilities = queue_capabilities(&buffers, 32);
        assert_eq!((capabilities.hold_capture, capabilities.max_num_buffers), (true, 64));
    }
}
