//! Colour, chroma position and light levels: from H.264's numbers to caps fields.

use fourier_core::h264::sei::{ContentLightLevel, MasteringDisplayColourVolume};
use fourier_core::h264::sps::Vui;
use gst_video::{VideoColorMatrix, VideoColorPrimaries, VideoColorRange, VideoColorimetry, VideoTransferFunction};

/// What the VUI says about colour; `None` if it is silent.
pub(super) fn colorimetry(vui: &Vui) -> Option<VideoColorimetry> {
    if vui.video_full_range_flag.is_none() && vui.colour_description.is_none() {
        return None;
    }
    let range = match vui.video_full_range_flag {
        Some(true) => VideoColorRange::Range0_255,
        // E.2.1 infers 0 where it is not coded.
        Some(false) | None => VideoColorRange::Range16_235,
    };
    let Some(colour) = vui.colour_description else {
        let (matrix, transfer) = (VideoColorMatrix::Unknown, VideoTransferFunction::Unknown);
        return Some(VideoColorimetry::new(
            range,
            matrix,
            transfer,
            VideoColorPrimaries::Unknown,
        ));
    };
    let matrix = match VideoColorMatrix::from_iso(colour.matrix_coefficients.into()) {
        // For 4:4:4 only.
        VideoColorMatrix::Rgb => VideoColorMatrix::Unknown,
        matrix => matrix,
    };
    let transfer = VideoTransferFunction::from_iso(colour.transfer_characteristics.into());
    let primaries = VideoColorPrimaries::from_iso(colour.colour_primaries.into());
    Some(VideoColorimetry::new(range, matrix, transfer, primaries))
}

/// What `first` says, and where that is unknown what `then` says.
pub(super) fn complete(first: &VideoColorimetry, then: &VideoColorimetry) -> VideoColorimetry {
    fn known<T: PartialEq>(first: T, unknown: &T, then: T) -> T {
        if first == *unknown { then } else { first }
    }
    VideoColorimetry::new(
        known(first.range(), &VideoColorRange::Unknown, then.range()),
        known(first.matrix(), &VideoColorMatrix::Unknown, then.matrix()),
        known(first.transfer(), &VideoTransferFunction::Unknown, then.transfer()),
        known(first.primaries(), &VideoColorPrimaries::Unknown, then.primaries()),
    )
}

/// The name of `chroma_sample_loc_type_top_field`; type 0 where the stream is silent (E.2.1). `None`: GStreamer has no
/// name for it.
pub(super) fn chroma_site(vui: &Vui) -> Option<&'static str> {
    match vui.chroma_sample_loc_type.map_or(0, |(top, _)| top) {
        0 => Some("mpeg2"),
        1 => Some("jpeg"),
        2 => Some("cosited"),
        3 => Some("v-cosited"),
        _ => None,
    }
}

/// The caps field `mastering-display-info`: red, green, blue, white, luminance. The SEI message begins with green.
pub(super) fn mastering_display_info(volume: &MasteringDisplayColourVolume) -> String {
    let [green, blue, red] = volume.display_primaries;
    let point = |(x, y): (u16, u16)| format!("{x}:{y}");
    format!(
        "{}:{}:{}:{}:{}:{}",
        point(red),
        point(green),
        point(blue),
        point(volume.white_point),
        volume.max_display_mastering_luminance,
        volume.min_display_mastering_luminance
    )
}

/// The caps field `content-light-level`.
pub(super) fn content_light_level(level: &ContentLightLevel) -> String {
    format!(
        "{}:{}",
        level.max_content_light_level, level.max_pic_average_light_level
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use fourier_core::h264::sps::ColourDescription;
    use std::str::FromStr;

    fn named(name: &str) -> VideoColorimetry {
        gst::init().unwrap();
        VideoColorimetry::from_str(name).unwrap()
    }

    #[test]
    fn a_silent_stream_has_no_colours() {
        assert_eq!(colorimetry(&Vui::default()), None);
    }

    #[test]
    fn colours_are_what_the_stream_says_and_no_more() {
        let bt709 = ColourDescription {
            colour_primaries: 1,
            transfer_characteristics: 1,
            matrix_coefficients: 1,
        };
        let vui = Vui {
            video_full_range_flag: Some(false),
            colour_description: Some(bt709),
            ..Vui::default()
        };
        assert_eq!(colorimetry(&vui), Some(named("bt709")));
        let unspecified = ColourDescription {
            matrix_coefficients: 2,
            ..bt709
        };
        let vui = Vui {
            video_full_range_flag: Some(true),
            colour_description: Some(unspecified),
            ..Vui::default()
        };
        let mixed = colorimetry(&vui).unwrap();
        assert_eq!(mixed.range(), VideoColorRange::Range0_255);
        assert_eq!(mixed.matrix(), VideoColorMatrix::Unknown);
        assert_eq!(mixed.primaries(), VideoColorPrimaries::Bt709);
    }

    #[test]
    fn what_one_side_does_not_know_the_other_says() {
        let range_unknown = VideoColorimetry::new(
            VideoColorRange::Unknown,
            VideoColorMatrix::Bt709,
            VideoTransferFunction::Unknown,
            VideoColorPrimaries::Bt709,
        );
        let completed = complete(&range_unknown, &named("bt601"));
        assert_eq!(completed.range(), VideoColorRange::Range16_235);
        assert_eq!(completed.matrix(), VideoColorMatrix::Bt709);
        assert_eq!(completed.transfer(), VideoTransferFunction::Bt601);
    }

    #[test]
    fn light_levels_are_what_gstreamer_reads() {
        gst::init().unwrap();
        let volume = MasteringDisplayColourVolume {
            display_primaries: [(13250, 34500), (7500, 3000), (34000, 16000)],
            white_point: (15635, 16450),
            max_display_mastering_luminance: 10_000_000,
            min_display_mastering_luminance: 500,
        };
        let text = mastering_display_info(&volume);
        assert_eq!(text, "34000:16000:13250:34500:7500:3000:15635:16450:10000000:500");
        let read = gst_video::VideoMasteringDisplayInfo::from_str(&text).unwrap();
        assert_eq!(read.max_display_mastering_luminance(), 10_000_000);
        let level = ContentLightLevel {
            max_content_light_level: 1000,
            max_pic_average_light_level: 400,
        };
        let read = gst_video::VideoContentLightLevel::from_str(&content_light_level(&level)).unwrap();
        assert_eq!(
            (read.max_content_light_level(), read.max_frame_average_light_level()),
            (1000, 400)
        );
    }
}
