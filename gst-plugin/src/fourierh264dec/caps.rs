//! Caps: what the element takes and gives.

use std::sync::LazyLock;

/// The caps feature of memory that other devices can import.
pub(super) const FEATURE_DMABUF: &str = "memory:DMABuf";

/// GStreamer 1.24 and later name dma-bufs by DRM's format and modifier (`format=DMA_DRM`).
pub(super) fn has_dma_drm() -> bool {
    let (major, minor, _, _) = gst::version();
    (major, minor) >= (1, 24)
}

fn sink_caps() -> gst::Caps {
    gst::Caps::builder("video/x-h264")
        .field("stream-format", gst::List::new(["avc", "avc3", "byte-stream"]))
        .field("alignment", gst::List::new(["au", "nal"]))
        .build()
}

fn src_caps() -> gst::Caps {
    let raw = || gst_video::VideoCapsBuilder::new();
    let dmabuf = if has_dma_drm() {
        raw().features([FEATURE_DMABUF]).field("format", "DMA_DRM").build()
    } else {
        raw()
            .features([FEATURE_DMABUF])
            .format(gst_video::VideoFormat::Nv12)
            .build()
    };
    let mut caps = dmabuf;
    caps.merge(raw().format(gst_video::VideoFormat::Nv12).build());
    caps
}

/// Always pads `sink` and `src`.
pub(super) static PAD_TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
    let always = |name, direction, caps: &gst::Caps| {
        gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps).into_iter()
    };
    always("sink", gst::PadDirection::Sink, &sink_caps())
        .chain(always("src", gst::PadDirection::Src, &src_caps()))
        .collect()
});
