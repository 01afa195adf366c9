//! Streams at the edges of what the standard permits and a little beyond, written picture by picture: each test knows every
//! picture and its place, and libavcodec is asked too where it agrees with the standard.
//!
//! * [`order`]: picture order counts of every type, their wraps, and streams that say nothing or lie about their order;
//! * [`references`]: as many long-term references as there can be;
//! * [`numbers`]: runs in which every number wraps;
//! * [`sizes`]: sizes that levels, cropping and slices are wrong or extreme about;
//! * [`changes`]: parameter sets that change where no IDR picture is;
//! * [`units`]: NAL units where nobody expects them;
//! * [`refusals`]: what no stateless decoder decodes.

mod changes;
mod numbers;
mod order;
mod references;
mod refusals;
mod sizes;
mod units;

use fourier_core::decode::stream::OutputFrame;
use fourier_core::device::discovery::open_device;
use fourier_core::units::Size;
use fourier_tests::Outcome;
use fourier_tests::core_decoder::{Ending, decode, picture_md5s};
use fourier_tests::encode::libavcodec_md5s;

/// The software decoder in both decode modes.
const DEVICES: [&str; 2] = ["soft", "soft:cedrus"];

/// A picture as it was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    size: Size,
    /// The first luma sample of the upper two rows.
    first: [u8; 2],
}

fn shown(frame: &OutputFrame) -> Outcome<Shown> {
    let memory = frame.frame().memory();
    let samples = memory.read()?;
    let pitch = memory.layout.planes.first().map(|plane| plane.pitch);
    let (luma, pitch) = samples.plane(0).zip(pitch).ok_or("a frame without luma")?;
    let visible = frame.format().visible;
    let first_of = |row: usize| {
        let place = (visible.y as usize + row) * pitch + visible.x as usize;
        luma.get(place).copied().ok_or("a plane that is too small")
    };
    Ok(Shown {
        size: visible.size,
        first: [first_of(0)?, first_of(1)?],
    })
}

/// Decodes to the end, and gives the pictures as they were shown.
fn pictures(device: &str, stream: &[u8]) -> Outcome<(Vec<Shown>, Ending)> {
    let mut pictures = Vec::new();
    let ending = decode(open_device(Some(device))?, stream, |frame| {
        pictures.push(shown(frame)?);
        Ok(())
    })?;
    Ok((pictures, ending))
}

/// The first sample of each picture is as expected, in both decode modes, and nothing was wrong.
fn must_show(name: &str, stream: &[u8], expected: &[u8]) -> Outcome {
    for device in DEVICES {
        let (pictures, ending) = pictures(device, stream)?;
        let values: Vec<u8> = pictures.iter().map(|picture| picture.first[0]).collect();
        let sound = Ending {
            frames: expected.len(),
            ..Ending::default()
        };
        if values != expected || ending != sound {
            let place = values
                .iter()
                .zip(expected)
                .position(|(value, expected)| value != expected);
            return Err(format!(
                "{name}, {device}: {ending:?}, first difference at {place:?}: {values:?}, not {expected:?}"
            )
            .into());
        }
    }
    Ok(())
}

/// Every sample of every picture is what libavcodec makes of it.
fn must_equal_libavcodec(name: &str, stream: &[u8]) -> Outcome {
    must_equal_libavcodec_on("soft", name, stream)
}

/// The same, on this device.
fn must_equal_libavcodec_on(device: &str, name: &str, stream: &[u8]) -> Outcome {
    let file = tempfile::NamedTempFile::with_suffix(".264")?;
    std::fs::write(file.path(), stream)?;
    let expected = libavcodec_md5s(file.path())?;
    let md5s = picture_md5s(open_device(Some(device))?, stream)?;
    match md5s.iter().zip(&expected).position(|(md5, expected)| md5 != expected) {
        None if md5s.len() == expected.len() => Ok(()),
        place => Err(format!(
            "{name}: {} pictures, libavcodec has {}; first difference at {place:?}",
            md5s.len(),
            expected.len()
        )
        .into()),
    }
}

/// A sample that tells picture `number` from those around it, however many there are.
fn value(number: usize) -> u8 {
    (16 + number * 37 % 211) as u8
}
