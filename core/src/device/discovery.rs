//! Which decoder: `auto`, `soft`, `soft:OPTIONS` or the path of a video node.

use std::sync::Arc;

use super::DecoderDevice;
use super::soft::{Personality, SoftDevice};
use crate::{Error, Result};

/// The environment variable that names the device where nobody else does.
pub const ENVIRONMENT: &str = "FOURIER_DEVICE";

/// Opens the device that `spec` names; `None` or `auto` asks `FOURIER_DEVICE`, and without that the system.
///
/// `soft` is the software decoder, `soft:OPTIONS` with the constraints that [`Personality::parse`] describes.
///
/// # Errors
/// [`Error::Unsupported`] if the name is not understood or there is no such decoder.
pub fn open_device(spec: Option<&str>) -> Result<Arc<dyn DecoderDevice>> {
    match spec {
        None | Some("" | "auto") => named(&std::env::var(ENVIRONMENT).unwrap_or_default()),
        Some(spec) => named(spec),
    }
}

fn named(spec: &str) -> Result<Arc<dyn DecoderDevice>> {
    let personality = match spec {
        // No kernel device is looked for yet: the software decoder is what is always there.
        "" | "auto" | "soft" => Personality::default(),
        _ => match spec.strip_prefix("soft:") {
            Some(options) => Personality::parse(options)?,
            None => {
                return Err(Error::Unsupported(format!(
                    "device {spec}: kernel video nodes are not opened yet"
                )));
            }
        },
    };
    let device = SoftDevice::new(personality);
    tracing::info!("decoding with {}", device.capabilities().path);
    Ok(Arc::new(device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_opens_what_it_names() {
        for (spec, path) in [
            ("soft", "soft"),
            ("soft:cedrus,threads=1", "soft:cedrus"),
            ("soft:threads=1", "soft"),
        ] {
            assert_eq!(open_device(Some(spec)).unwrap().capabilities().path, path);
        }
    }

    #[test]
    fn a_name_that_is_not_understood_says_so() {
        for spec in ["/dev/video0", "soft:nonsense", "softy"] {
            let error = open_device(Some(spec)).unwrap_err().to_string();
            assert!(error.contains(spec.trim_start_matches("soft:")), "{error}");
        }
    }
}
