//! Caps: what the element takes and gives.

use std::sync::LazyLock;

use fourier_core::decode::stream::StreamFormat;
use fourier_core::memory::FrameLayout;
use fourier_core::units::{Rect, Size};
use gst::glib;
use gst::prelude::*;
use gst_video::{VideoCapsBuilder, VideoColorMatrix, VideoColorimetry, VideoFormat, VideoInfo};

use super::colour;
use super::fields::Fields;

/// The caps feature of memory that other devices can import.
const FEATURE_DMABUF: &str = "memory:DMABuf";
/// `DRM_FORMAT_MOD_LINEAR`.
const LINEAR: u64 = 0;

/// Samples of a macroblock's side.
const MACROBLOCK: u32 = 16;

/// Formats of frame memory that GStreamer has a name for; DRM's fourcc first.
const FORMATS: &[([u8; 4], VideoFormat)] = &[
    (*b"NV12", VideoFormat::Nv12),
    (*b"P010", VideoFormat::P01010le),
    (*b"NV16", VideoFormat::Nv16),
    (*b"Y210", VideoFormat::Y210),
    (*b"YU12", VideoFormat::I420),
    (*b"NV15", VideoFormat::Nv1210le40),
];

/// Caps fields, besides colours, in which upstream is right if it says anything: the container or the application
/// knows better.
const UPSTREAM_KNOWS: [&str; 8] = [
    "framerate",
    "pixel-aspect-ratio",
    "chroma-site",
    "interlace-mode",
    "field-order",
    "multiview-mode",
    "multiview-flags",
    "views",
];

/// GStreamer 1.24 and later name dma-bufs by DRM's format and modifier (`format=DMA_DRM`).
fn has_dma_drm() -> bool {
    let (major, minor, _, _) = gst::version();
    (major, minor) >= (1, 24)
}

/// Access units first: a parser or depayloader that can choose gives what fits the base class best.
fn sink_caps() -> gst::Caps {
    let aligned = |alignment: &str| {
        gst::Caps::builder("video/x-h264")
            .field("stream-format", gst::List::new(["avc", "avc3", "byte-stream"]))
            .field("alignment", alignment)
            .build()
    };
    let mut caps = aligned("au");
    caps.merge(aligned("nal"));
    caps
}

fn src_caps(dma_drm: bool) -> gst::Caps {
    let formats = || FORMATS.iter().map(|&(_, format)| format);
    let dmabuf = VideoCapsBuilder::new().features([FEATURE_DMABUF]);
    let mut caps = match dma_drm {
        true => dmabuf.field("format", "DMA_DRM").build(),
        false => dmabuf.format_list(formats()).build(),
    };
    caps.merge(VideoCapsBuilder::new().format_list(formats()).build());
    caps
}

/// Always pads `sink` and `src`.
pub(super) static PAD_TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
    let always = |name, direction, caps: &gst::Caps| {
        gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps).into_iter()
    };
    always("sink", gst::PadDirection::Sink, &sink_caps())
        .chain(always("src", gst::PadDirection::Src, &src_caps(has_dma_drm())))
        .collect()
});

/// GStreamer's name for the samples of `layout` when they lie in rows, as they do or as they are copied out of tiles that
/// we know.
pub(super) fn video_format(layout: &FrameLayout) -> Option<VideoFormat> {
    let fourcc = layout.fourcc.to_le_bytes();
    let known_tiling = (0..layout.planes.len()).all(|plane| layout.tiling(plane).is_some());
    FORMATS
        .iter()
        .find(|&&(known, _)| known_tiling && known == fourcc)
        .map(|&(_, format)| format)
}

/// The part of the picture to show: as the stream says, unless the container takes off less than a macroblock more at the
/// right and the bottom, as cameras do that do not code a cropping rectangle.
pub(super) fn visible(stream: &StreamFormat, upstream: &gst::CapsRef) -> Rect {
    let Rect { x, y, size } = stream.visible;
    let said = |name, shown: u32| {
        let said = upstream.structure(0)?.get::<i32>(name).ok()?;
        let said = u32::try_from(said).ok().filter(|&said| said <= shown)?;
        (said.div_ceil(MACROBLOCK) == shown.div_ceil(MACROBLOCK)).then_some(said)
    };
    match (said("width", size.width), said("height", size.height)) {
        (Some(width), Some(height)) if (x, y) == (0, 0) => Rect {
            x,
            y,
            size: Size { width, height },
        },
        _ => stream.visible,
    }
}

/// The visible picture as GStreamer describes it: with the strides that it has where nothing else is said.
///
/// # Errors
/// GStreamer refuses the combination.
pub(super) fn video_info(
    format: VideoFormat,
    stream: &StreamFormat,
    fields_so_far: Fields,
    upstream: &gst::CapsRef,
) -> Result<VideoInfo, glib::BoolError> {
    let Size { width, height } = visible(stream, upstream).size;
    let par = stream
        .vui
        .sample_aspect_ratio
        .map(|(h, v)| gst::Fraction::new(h.into(), v.into()));
    let mut caps = VideoCapsBuilder::new()
        .format(format)
        .width(width.cast_signed())
        .height(height.cast_signed())
        .framerate(frame_rate(stream).unwrap_or_else(|| gst::Fraction::new(0, 1)))
        .pixel_aspect_ratio_if_some(par)
        .build();
    let fields = caps.make_mut();
    if let Some(site) = colour::chroma_site(&stream.vui) {
        fields.set("chroma-site", site);
    }
    let (mode, order) = fields_so_far.caps();
    fields.set("interlace-mode", mode.to_str());
    if let Some(order) = order.filter(|_| !says(upstream, "interlace-mode")) {
        fields.set("field-order", order.to_str());
    }
    // Always something: where it is missing GStreamer guesses, and the chroma position with it.
    let usual = VideoInfo::from_caps(fields)?.colorimetry();
    let colours = match colorimetry(stream, upstream) {
        Some(known) if known.matrix() != VideoColorMatrix::Unknown => known,
        // GStreamer takes no colours without a matrix: it would guess the range, too, which the stream has said.
        Some(known) => colour::complete(&known, &usual),
        None => usual,
    };
    fields.set("colorimetry", colours.to_string());
    copy_fields(upstream, fields, &UPSTREAM_KNOWS);
    VideoInfo::from_caps(fields)
}

/// What upstream knows of the colours, completed by what the stream says; `None` if neither says anything.
fn colorimetry(stream: &StreamFormat, upstream: &gst::CapsRef) -> Option<VideoColorimetry> {
    let upstream = upstream
        .structure(0)
        .and_then(|fields| fields.get::<&str>("colorimetry").ok());
    let upstream = upstream.and_then(|text| text.parse::<VideoColorimetry>().ok());
    match (upstream, colour::colorimetry(&stream.vui)) {
        (Some(upstream), Some(stream)) => Some(colour::complete(&upstream, &stream)),
        (upstream, stream) => upstream.or(stream),
    }
}

/// Frames a second, if the stream says so and GStreamer can say it.
fn frame_rate(stream: &StreamFormat) -> Option<gst::Fraction> {
    let (numer, denom) = stream.frame_rate()?;
    Some(gst::Fraction::new(
        i32::try_from(numer).ok()?,
        i32::try_from(denom).ok()?,
    ))
}

fn says(caps: &gst::CapsRef, field: &str) -> bool {
    caps.structure(0).is_some_and(|fields| fields.has_field(field))
}

fn copy_fields(from: &gst::CapsRef, to: &mut gst::CapsRef, names: &[&str]) {
    let Some(from) = from.structure(0) else { return };
    for &name in names {
        if let Ok(value) = from.value(name) {
            to.set_value(name, value.to_send_value());
        }
    }
}

/// Output caps in system memory.
///
/// # Errors
/// GStreamer refuses the combination.
pub(super) fn system(
    info: &VideoInfo,
    stream: &StreamFormat,
    upstream: &gst::CapsRef,
) -> Result<gst::Caps, glib::BoolError> {
    let mut caps = info.to_caps()?;
    let fields = caps.make_mut();
    if colorimetry(stream, upstream).is_none() {
        // A guess by the size of the picture is not what the stream says.
        fields
            .iter_mut()
            .for_each(|structure| structure.remove_field("colorimetry"));
    }
    if let Some(volume) = &stream.mastering_display {
        fields.set("mastering-display-info", colour::mastering_display_info(volume));
    }
    if let Some(level) = &stream.content_light_level {
        fields.set("content-light-level", colour::content_light_level(level));
    }
    copy_fields(upstream, fields, &["mastering-display-info", "content-light-level"]);
    Ok(caps)
}

/// `system` caps as caps for dma-bufs of `layout`; `None` if this GStreamer has no name for it.
pub(super) fn dmabuf(system: &gst::Caps, layout: &FrameLayout) -> Option<gst::Caps> {
    dmabuf_for(system, layout, has_dma_drm())
}

fn dmabuf_for(system: &gst::Caps, layout: &FrameLayout, dma_drm: bool) -> Option<gst::Caps> {
    let mut caps = system.clone();
    let fields = caps.make_mut();
    fields.set_features_simple(Some(gst::CapsFeatures::new([FEATURE_DMABUF])));
    if dma_drm {
        fields.set("format", "DMA_DRM");
        fields.set("drm-format", drm_format(layout)?);
    } else if !layout.is_linear() || video_format(layout).is_none() {
        return None;
    }
    Some(caps)
}

/// DRM's fourcc, and the modifier unless it is linear.
fn drm_format(layout: &FrameLayout) -> Option<String> {
    let fourcc = layout.fourcc.to_le_bytes();
    let fourcc = std::str::from_utf8(&fourcc).ok()?;
    match layout.modifier? {
        LINEAR => Some(fourcc.to_string()),
        modifier => Some(format!("{fourcc}:{modifier:#018x}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourier_core::h264::sps::{TimingInfo, Vui};
    use fourier_core::memory::MemoryKind;
    use gst_video::{VideoColorRange, VideoFieldOrder};

    fn stream(vui: Vui) -> StreamFormat {
        gst::init().unwrap();
        let visible = Rect {
            x: 0,
            y: 0,
            size: Size {
                width: 320,
                height: 240,
            },
        };
        StreamFormat {
            coded_size: visible.size,
            visible,
            layout: layout(Some(LINEAR)),
            memory_kind: MemoryKind::MemFd,
            profile_idc: 100,
            level_idc: 30,
            bit_depth: 8,
            chroma_format_idc: 1,
            vui,
            mastering_display: None,
            content_light_level: None,
            preferred_transfer_characteristics: None,
            reorder_frames: 0,
            dpb_frames: 4,
        }
    }

    fn layout(modifier: Option<u64>) -> FrameLayout {
        FrameLayout {
            fourcc: u32::from_le_bytes(*b"NV12"),
            modifier,
            size: Size {
                width: 320,
                height: 240,
            },
            planes: Vec::new(),
            object_lengths: Vec::new(),
        }
    }

    fn system_caps(stream: &StreamFormat, upstream: &str) -> String {
        caps_with(stream, Fields::Progressive, upstream)
    }

    fn caps_with(stream: &StreamFormat, fields: Fields, upstream: &str) -> String {
        let upstream = upstream.parse::<gst::Caps>().unwrap();
        let info = video_info(VideoFormat::Nv12, stream, fields, &upstream).unwrap();
        system(&info, stream, &upstream).unwrap().to_string()
    }

    #[test]
    fn what_the_stream_says_is_in_the_caps() {
        let timing = TimingInfo {
            num_units_in_tick: 1001,
            time_scale: 60000,
            fixed_frame_rate_flag: true,
        };
        let vui = Vui {
            sample_aspect_ratio: Some((4, 3)),
            timing_info: Some(timing),
            ..Vui::default()
        };
        let caps = system_caps(&stream(vui), "video/x-h264");
        for field in [
            "width=(int)320, height=(int)240",
            "framerate=(fraction)30000/1001",
            "pixel-aspect-ratio=(fraction)4/3",
            "interlace-mode=(string)progressive",
            "chroma-site=(string)mpeg2",
        ] {
            assert!(caps.contains(field), "{field} is not in {caps}");
        }
        assert!(!caps.contains("colorimetry"), "{caps}");
    }

    #[test]
    fn full_range_survives_though_the_stream_says_no_more_of_its_colours() {
        let vui = Vui {
            video_full_range_flag: Some(true),
            ..Vui::default()
        };
        let caps = system_caps(&stream(vui), "video/x-h264");
        let info = VideoInfo::from_caps(&caps.parse::<gst::Caps>().unwrap()).unwrap();
        assert_eq!(info.colorimetry().range(), VideoColorRange::Range0_255, "{caps}");
    }

    #[test]
    fn what_upstream_says_wins() {
        let vui = Vui {
            sample_aspect_ratio: Some((4, 3)),
            ..Vui::default()
        };
        let caps = system_caps(
            &stream(vui),
            "video/x-h264, framerate=24/1, pixel-aspect-ratio=1/1, colorimetry=bt709, chroma-site=jpeg, \
             content-light-level=(string)1000:400, width=999",
        );
        for field in [
            "width=(int)320",
            "framerate=(fraction)24/1",
            "pixel-aspect-ratio=(fraction)1/1",
            "colorimetry=(string)bt709",
            "chroma-site=(string)jpeg",
            "content-light-level=(string)1000:400",
        ] {
            assert!(caps.contains(field), "{field} is not in {caps}");
        }
    }

    #[test]
    fn field_order_is_part_of_the_mode_that_it_comes_with() {
        let stream = stream(Vui::default());
        let fields = Fields::Interleaved(VideoFieldOrder::BottomFieldFirst);
        let caps = caps_with(&stream, fields, "video/x-h264");
        assert!(caps.contains("interlace-mode=(string)interleaved"), "{caps}");
        assert!(caps.contains("field-order=(string)bottom-field-first"), "{caps}");
        let caps = caps_with(&stream, fields, "video/x-h264, interlace-mode=mixed");
        assert!(caps.contains("interlace-mode=(string)mixed"), "{caps}");
        assert!(!caps.contains("field-order"), "{caps}");
    }

    #[test]
    fn a_container_may_take_off_less_than_a_macroblock() {
        let stream = StreamFormat {
            visible: Rect {
                x: 0,
                y: 0,
                size: Size {
                    width: 1920,
                    height: 1088,
                },
            },
            ..stream(Vui::default())
        };
        for (upstream, shown) in [
            ("video/x-h264, width=1920, height=1080", (1920, 1080)),
            ("video/x-h264, width=1920, height=1072", (1920, 1088)),
            ("video/x-h264, width=1920, height=1090", (1920, 1088)),
            ("video/x-h264, width=960, height=540", (1920, 1088)),
            ("video/x-h264", (1920, 1088)),
        ] {
            let size = visible(&stream, &upstream.parse::<gst::Caps>().unwrap()).size;
            assert_eq!((size.width, size.height), shown, "{upstream}");
        }
    }

    #[test]
    fn absurd_timing_is_no_frame_rate() {
        for (num_units_in_tick, time_scale) in [(0, 50), (1, 0), (u32::MAX, 1), (1, u32::MAX)] {
            let timing = TimingInfo {
                num_units_in_tick,
                time_scale,
                fixed_frame_rate_flag: false,
            };
            let vui = Vui {
                timing_info: Some(timing),
                ..Vui::default()
            };
            assert_eq!(frame_rate(&stream(vui)), None);
        }
    }

    #[test]
    fn dma_bufs_are_named_as_each_version_of_gstreamer_does() {
        let stream = stream(Vui::default());
        let system = system_caps(&stream, "video/x-h264").parse::<gst::Caps>().unwrap();
        let named = |modifier, dma_drm| dmabuf_for(&system, &layout(modifier), dma_drm).map(|caps| caps.to_string());
        let old = named(Some(LINEAR), false).unwrap();
        assert!(
            old.starts_with("video/x-raw(memory:DMABuf), format=(string)NV12"),
            "{old}"
        );
        let new = named(Some(LINEAR), true).unwrap();
        assert!(
            new.contains("format=(string)DMA_DRM") && new.contains("drm-format=(string)NV12"),
            "{new}"
        );
        let tiled = named(Some(0x0100_0000_0000_0001), true).unwrap();
        assert!(tiled.contains("drm-format=(string)NV12:0x0100000000000001"), "{tiled}");
        assert_eq!(named(Some(0x0100_0000_0000_0001), false), None);
        assert_eq!(named(None, true), None);
    }

    #[test]
    fn output_caps_fit_the_template() {
        gst::init().unwrap();
        for dma_drm in [false, true] {
            let stream = stream(Vui::default());
            let system = system_caps(&stream, "video/x-h264").parse::<gst::Caps>().unwrap();
            let template = src_caps(dma_drm);
            assert!(system.is_subset(&template));
            assert!(
                dmabuf_for(&system, &layout(Some(LINEAR)), dma_drm)
                    .unwrap()
                    .is_subset(&template)
            );
        }
    }
}
