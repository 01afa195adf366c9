//! What a consumer must know of a stream before its first frame.

use crate::Result;
use crate::device::Capabilities;
use crate::device::format::frame_layout;
use crate::h264::Sps;
use crate::h264::dpb::DpbLimits;
use crate::h264::sei::{ContentLightLevel, MasteringDisplayColourVolume};
use crate::h264::sps::{TimingInfo, Vui};
use crate::memory::{Format, FrameLayout, MemoryKind};
use crate::units::{Rect, Size};

use super::sei::StaticMetadata;

/// The format of the frames of a coded video sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFormat {
    /// Whole macroblocks.
    pub coded_size: Size,
    /// The part of them that is to be shown.
    pub visible: Rect,
    /// Where the samples lie; what a driver that is free to choose gave to the frames of this sequence.
    pub layout: FrameLayout,
    /// What a frame's file descriptors are.
    pub memory_kind: MemoryKind,
    /// `profile_idc`.
    pub profile_idc: u8,
    /// `level_idc`.
    pub level_idc: u8,
    /// Bits of a luma sample.
    pub bit_depth: u8,
    /// `chroma_format_idc`.
    pub chroma_format_idc: u8,
    /// Sample aspect ratio, timing, colour; all unspecified where the stream has no VUI.
    pub vui: Vui,
    /// `mastering_display_colour_volume()`.
    pub mastering_display: Option<MasteringDisplayColourVolume>,
    /// `content_light_level_info()`.
    pub content_light_level: Option<ContentLightLevel>,
    /// `preferred_transfer_characteristics`, to be used instead of the VUI's by who knows it.
    pub preferred_transfer_characteristics: Option<u8>,
    /// Frames by which output may lag behind input: the latency in frames.
    pub reorder_frames: usize,
    /// Frames that the DPB holds.
    pub dpb_frames: usize,
}

impl StreamFormat {
    /// Describes the sequence of `sps`, the frames of which the device decodes as `capture`.
    ///
    /// # Errors
    /// [`crate::Error::Unsupported`] if nobody knows how frames of that pixel format lie in memory.
    pub(super) fn new(
        sps: &Sps,
        limits: DpbLimits,
        (capture, capabilities): (&Format, &Capabilities),
        metadata: StaticMetadata,
    ) -> Result<Self> {
        Ok(Self {
            coded_size: sps.coded_size(),
            visible: sps.crop_rect(),
            layout: frame_layout(capture)?,
            memory_kind: capabilities.export_kind,
            profile_idc: sps.profile_idc,
            level_idc: sps.level_idc,
            bit_depth: sps.bit_depth_luma(),
            chroma_format_idc: sps.chroma_format_idc,
            vui: sps.vui.clone().unwrap_or_default(),
            mastering_display: metadata.mastering_display,
            content_light_level: metadata.content_light_level,
            preferred_transfer_characteristics: metadata.preferred_transfer_characteristics,
            reorder_frames: limits.max_num_reorder_frames,
            dpb_frames: limits.max_dec_frame_buffering,
        })
    }

    /// Frames per second as numerator and denominator, if the stream says so: two ticks are a frame (E.2.1).
    pub fn frame_rate(&self) -> Option<(u32, u32)> {
        let TimingInfo {
            num_units_in_tick,
            time_scale,
            ..
        } = self.vui.timing_info?;
        let denominator = num_units_in_tick.checked_mul(2)?;
        (denominator != 0 && time_scale != 0).then_some((time_scale, denominator))
    }
}
