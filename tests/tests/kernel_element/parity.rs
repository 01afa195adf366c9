//! What an application sees of a stream is the same over the kernel's decoder and over the software node.

use fourier_tests::Outcome;
use fourier_tests::show::show;
use fourier_tests::vectors::{Oddity, Vector};

use crate::Ground;

/// The type of the element under test.
const ELEMENT: &str = "FourierH264Dec";

/// Samples as every decoder has them.
const USUAL_SAMPLES: &[&str] = &["yuv420p", "yuvj420p", "gray"];

/// Frames, order, times, fields and caps are equal, and so is how it ends; unless the device says that it does not take
/// such streams, and that is so.
pub fn is_equal(ground: &Ground, vector: &Vector) -> Outcome {
    let play = |device: &str| {
        show(
            &vector.path,
            vector.container,
            &format!("fourierh264dec device={device}"),
        )
    };
    let mut ours = play(&ground.path)?;
    if ours.times.is_empty() && ours.failed_element() == Some(ELEMENT) && may_be_refused(ground, vector) {
        return Ok(());
    }
    let mut soft = play("soft")?;
    // Few devices have the samples that it goes over to: the frames before them are compared.
    let refuses_the_rest = vector.changes_bit_depth() && ours.failed_element() == Some(ELEMENT) && soft.error.is_none();
    if refuses_the_rest {
        soft.times.truncate(ours.times.len());
        soft.caps.truncate(ours.caps.len());
        soft.error.clone_from(&ours.error);
    }
    // How many frames are out before the parser's error ends the pipeline is a matter of time.
    if vector.oddity() == Some(Oddity::GivenUpByParser) {
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

/// The stream has a size or samples that the device does not have.
fn may_be_refused(ground: &Ground, vector: &Vector) -> bool {
    let capabilities = ground.device.capabilities();
    let (min, max) = (capabilities.min_size, capabilities.max_size);
    let has_the_size = vector.size.is_none_or(|size| {
        (min.width..=max.width).contains(&size.width) && (min.height..=max.height).contains(&size.height)
    });
    !has_the_size || !USUAL_SAMPLES.contains(&vector.pixel_format.as_str())
}
