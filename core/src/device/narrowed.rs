//! A device of which only a part is used: `/dev/video0:mode=slice,startcode=none`. It shows a driver's second choices to
//! the tests, and gets around a driver whose first choice is broken.

use std::sync::Arc;

use super::{Capabilities, DecodeMode, DecoderDevice, DecoderNode, PixelFormat, StartCode};
use crate::{Error, Result};

/// A device that keeps to some of its capabilities.
#[derive(Debug)]
pub(super) struct NarrowedDevice {
    inner: Arc<dyn DecoderDevice>,
    capabilities: Capabilities,
}

impl NarrowedDevice {
    /// Leaves of `inner` what `options` say, `mode=frame|slice`, `startcode=annexb|none` and `format=FOURCC`, separated by
    /// commas.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names an option that is not understood, or that the device does not have.
    pub(super) fn new(inner: Arc<dyn DecoderDevice>, options: &str) -> Result<Self> {
        let mut capabilities = inner.capabilities().clone();
        for option in options.split(',').filter(|option| !option.is_empty()) {
            let has_it = narrow(&mut capabilities, option)
                .ok_or_else(|| Error::Unsupported(format!("device option `{option}`")))?;
            if !has_it {
                let path = &capabilities.path;
                return Err(Error::Unsupported(format!("device {path}: it has no {option}")));
            }
        }
        Ok(Self { inner, capabilities })
    }
}

/// Applies one option; tells whether anything is left. `None` if it is not understood.
fn narrow(capabilities: &mut Capabilities, option: &str) -> Option<bool> {
    fn keep<T: PartialEq>(values: &mut Vec<T>, wanted: &T) -> bool {
        values.retain(|value| value == wanted);
        !values.is_empty()
    }
    match option {
        "mode=frame" => Some(keep(&mut capabilities.decode_modes, &DecodeMode::FrameBased)),
        "mode=slice" => Some(keep(&mut capabilities.decode_modes, &DecodeMode::SliceBased)),
        "startcode=annexb" => Some(keep(&mut capabilities.start_codes, &StartCode::AnnexB)),
        "startcode=none" => Some(keep(&mut capabilities.start_codes, &StartCode::None)),
        _ => {
            let fourcc = option.strip_prefix("format=")?.as_bytes().try_into().ok()?;
            let format = PixelFormat::from_fourcc(fourcc);
            Some(keep(&mut capabilities.capture_formats, &format))
        }
    }
}

impl DecoderDevice for NarrowedDevice {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn open(&self) -> Result<Arc<dyn DecoderNode>> {
        self.inner.open()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::soft::{Personality, SoftDevice};

    fn narrowed(personality: &str, options: &str) -> Result<NarrowedDevice> {
        let device = SoftDevice::new(Personality::parse(personality).unwrap());
        NarrowedDevice::new(Arc::new(device), options)
    }

    #[test]
    fn only_what_is_asked_for_is_left() {
        let device = narrowed("mode=both,startcode=both", "mode=slice,startcode=none").unwrap();
        assert_eq!(device.capabilities().decode_modes, [DecodeMode::SliceBased]);
        assert_eq!(device.capabilities().start_codes, [StartCode::None]);
        assert!(device.open().is_ok());
    }

    #[test]
    fn a_picture_format_is_left_by_its_name() {
        let device = narrowed("", "format=NV12").unwrap();
        assert_eq!(
            device.capabilities().capture_formats,
            [PixelFormat::from_fourcc(*b"NV12")]
        );
        let error = narrowed("", "format=YU12").unwrap_err().to_string();
        assert!(error.contains("it has no format=YU12"), "{error}");
    }

    #[test]
    fn what_the_device_does_not_have_is_refused_by_name() {
        let error = narrowed("mode=frame", "mode=slice").unwrap_err().to_string();
        assert!(error.contains("mode=slice"), "{error}");
        let error = narrowed("", "mode=sideways").unwrap_err().to_string();
        assert!(error.contains("mode=sideways"), "{error}");
    }
}
