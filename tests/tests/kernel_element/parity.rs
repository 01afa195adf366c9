//! What an application sees of a stream is the same over the kernel's decoder and over the software node.

use fourier_tests::Outcome;
use fourier_tests::show::show;
use fourier_tests::vectors::Vector;

use crate::Ground;

/// Streams at whose end h264parse gives up: how many frames are out before its error ends the pipeline is a matter of
/// time.
const CUT_BY_H264PARSE: &[&str] = &["FRExt2_Panasonic.avc"];

/// Frames, order, times, fields and caps are equal, and so is how it ends.
pub fn is_equal(ground: &Ground, vector: &Vector) -> Outcome {
    let play = |device: &str| {
        show(
            &vector.path,
            vector.container,
            &format!("fourierh264dec device={device}"),
        )
    };
    let (mut ours, mut soft) = (play(&ground.path)?, play("soft")?);
    if CUT_BY_H264PARSE.contains(&vector.name.as_str()) {
        let both = ours.times.len().min(soft.times.len());
        ours.times.truncate(both);
        soft.times.truncate(both);
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
