//! What an application sees of a stream is the same over the kernel's decoder and over the software node.

use fourier_tests::Outcome;
use fourier_tests::show::show;
use fourier_tests::vectors::Vector;

use crate::Ground;

/// Frames, order, times, fields and caps are equal, and so is how it ends.
pub fn is_equal(ground: &Ground, vector: &Vector) -> Outcome {
    let play = |device: &str| {
        show(
            &vector.path,
            vector.container,
            &format!("fourierh264dec device={device}"),
        )
    };
    let (ours, soft) = (play(&ground.path)?, play("soft")?);
    if ours.failed_element() != soft.failed_element() {
        return Err(format!("ends with {:?}, the software node with {:?}", ours.error, soft.error).into());
    }
    ours.must_have_the_times_of(&soft)?;
    match ours.caps == soft.caps {
        true => Ok(()),
        false => Err(format!("{:?}, not {:?}", ours.caps, soft.caps).into()),
    }
}
