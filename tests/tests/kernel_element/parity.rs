//! What an application sees of a stream is the same over the kernel's decoder and over the software node.

use fourier_tests::Outcome;
use fourier_tests::show::{Shown, show};
use fourier_tests::vectors::{Unsupported, Vector};

use crate::Ground;

/// Streams of which h264parse hands over fewer frames than there are, and how many: it takes what follows the end of
/// stream NAL unit for damage.
const CUT_BY_H264PARSE: &[(&str, usize)] = &[("FRExt2_Panasonic.avc", 14)];

/// Frames, order, times and caps are equal; where the software node refuses the stream, there are as many frames as the
/// index has.
pub fn is_equal(ground: &Ground, vector: &Vector) -> Outcome {
    let play = |device: &str| {
        show(
            &vector.path,
            vector.container,
            &format!("fourierh264dec device={device}"),
        )
    };
    let (ours, soft) = (play(&ground.path)?, play("soft")?);
    let refused_by = |shown: &Shown| shown.failed_element() == Some("FourierH264Dec");
    if let Some((_, why)) = soft.error.as_ref().filter(|_| refused_by(&soft) && !refused_by(&ours)) {
        vector.must_name_an_unsupported_tool(why)?;
        return only_more(&ours, vector);
    }
    if ours.failed_element() != soft.failed_element() {
        return Err(format!("ends with {:?}, the software node with {:?}", ours.error, soft.error).into());
    }
    ours.must_have_the_times_of(&soft)?;
    match ours.caps == soft.caps {
        true => Ok(()),
        false => Err(format!("{:?}, not {:?}", ours.caps, soft.caps).into()),
    }
}

/// The device decodes what the software node does not: fields.
fn only_more(ours: &Shown, vector: &Vector) -> Outcome {
    let cut = CUT_BY_H264PARSE.iter().find(|(name, _)| *name == vector.name);
    let (frames, expected) = (ours.times.len(), cut.map_or(vector.frames, |(_, frames)| *frames));
    match vector.unsupported_tools().as_slice() {
        [Unsupported::Interlaced] if frames == expected => Ok(()),
        [Unsupported::Interlaced] => Err(format!("{frames} frames, not {expected}").into()),
        tools => Err(format!("{tools:?} were not refused").into()),
    }
}
