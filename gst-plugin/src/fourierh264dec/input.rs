//! Sink caps: how NAL units are told apart, and where a picture ends.

use fourier_core::h264::avcc::{self, AvcDecoderConfiguration, LengthSize};
use fourier_core::h264::{NalUnit, annexb};
use gst::glib;

use fourier_core::decode::stream::AccessUnitBytes;

/// What upstream sends.
#[derive(Clone, Debug)]
pub(super) struct Input {
    framing: Framing,
    /// `avcC`, where the caps bring it.
    pub(super) codec_data: Option<gst::Buffer>,
    /// A buffer is a NAL unit (`alignment=nal`), not an access unit.
    pub(super) is_nal_aligned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    StartCodes,
    Lengths(LengthSize),
}

impl Input {
    /// Reads caps that fit the sink template.
    ///
    /// # Errors
    /// `stream-format=avc` without, or with broken `codec_data`.
    pub(super) fn from_caps(caps: &gst::CapsRef) -> Result<Self, glib::BoolError> {
        let fields = caps.structure(0).ok_or_else(|| glib::bool_error!("empty caps"))?;
        let codec_data = fields.get_optional::<gst::Buffer>("codec_data").ok().flatten();
        let framing = match (fields.get_optional::<&str>("stream-format").ok().flatten(), &codec_data) {
            (Some("byte-stream"), _) | (None, None) => Framing::StartCodes,
            (_, Some(codec_data)) => Framing::Lengths(length_size(codec_data)?),
            (Some(format), None) => return Err(glib::bool_error!("stream-format={format} without codec_data")),
        };
        let is_nal_aligned = fields
            .get_optional::<&str>("alignment")
            .is_ok_and(|alignment| alignment == Some("nal"));
        Ok(Self {
            framing,
            codec_data: codec_data.filter(|_| framing != Framing::StartCodes),
            is_nal_aligned,
        })
    }

    /// `data` with what tells its NAL units apart.
    pub(super) fn frame<'a>(&self, data: &'a [u8]) -> AccessUnitBytes<'a> {
        match self.framing {
            Framing::StartCodes => AccessUnitBytes::AnnexB(data),
            Framing::Lengths(length_size) => AccessUnitBytes::Avcc { length_size, data },
        }
    }

    /// There is a slice in `data`.
    pub(super) fn has_slice(&self, data: &[u8]) -> bool {
        let is_slice = |bytes: &[u8]| NalUnit::parse(bytes).is_ok_and(|nal| nal.nal_unit_type.is_slice());
        match self.framing {
            Framing::StartCodes => annexb::nal_units(data).any(is_slice),
            Framing::Lengths(size) => avcc::nal_units(data, size).map_while(Result::ok).any(is_slice),
        }
    }

    /// No other picture refers to this access unit: it may be left out when time is short.
    pub(super) fn is_disposable(&self, data: &[u8]) -> bool {
        match self.framing {
            Framing::StartCodes => are_disposable(annexb::nal_units(data)),
            Framing::Lengths(size) => are_disposable(avcc::nal_units(data, size).map_while(Result::ok)),
        }
    }
}

fn length_size(codec_data: &gst::Buffer) -> Result<LengthSize, glib::BoolError> {
    let bytes = codec_data.map_readable()?;
    let configuration = AvcDecoderConfiguration::parse(&bytes).map_err(|error| glib::bool_error!("{error}"))?;
    Ok(configuration.length_size)
}

/// There is a slice, every slice has `nal_ref_idc` 0, and nothing else is lost with them.
fn are_disposable<'a>(nal_units: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut has_slice = false;
    for bytes in nal_units {
        let Ok(nal) = NalUnit::parse(bytes) else { return false };
        if nal.nal_ref_idc != 0 {
            return false;
        }
        has_slice |= nal.nal_unit_type.is_slice();
    }
    has_slice
}

#[cfg(test)]
mod tests {
    use super::*;

    const AVCC: &[u8] = &[1, 100, 0, 30, 0xff, 0xe0, 0];

    fn caps(stream_format: &str, codec_data: Option<&'static [u8]>) -> gst::Caps {
        gst::init().unwrap();
        gst::Caps::builder("video/x-h264")
            .field("stream-format", stream_format)
            .field("alignment", "au")
            .field_if_some("codec_data", codec_data.map(gst::Buffer::from_slice))
            .build()
    }

    #[test]
    fn each_stream_format_is_told_apart_in_its_way() {
        let byte_stream = Input::from_caps(&caps("byte-stream", None)).unwrap();
        assert_eq!(byte_stream.framing, Framing::StartCodes);
        for format in ["avc", "avc3"] {
            let lengths = Input::from_caps(&caps(format, Some(AVCC))).unwrap();
            assert_eq!(lengths.framing, Framing::Lengths(LengthSize::Four));
        }
    }

    #[test]
    fn avc_without_a_readable_configuration_is_refused() {
        for codec_data in [None, Some(&[][..]), Some(&[9, 9, 9][..])] {
            let error = Input::from_caps(&caps("avc", codec_data)).unwrap_err().to_string();
            assert!(
                error.contains("codec_data") || error.contains("AVCDecoderConfiguration"),
                "{error}"
            );
        }
    }

    #[test]
    fn only_an_access_unit_that_nothing_refers_to_is_disposable() {
        let input = Input::from_caps(&caps("byte-stream", None)).unwrap();
        for (nal_units, disposable) in [
            (&[0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x01, 0x88][..], true),
            (&[0, 0, 1, 0x41, 0x88], false),
            (&[0, 0, 1, 0x67, 0x42, 0, 0, 1, 0x01, 0x88], false),
            (&[0, 0, 1, 0x09, 0xf0], false),
            (&[], false),
        ] {
            assert_eq!(input.is_disposable(nal_units), disposable, "{nal_units:x?}");
        }
    }
}
