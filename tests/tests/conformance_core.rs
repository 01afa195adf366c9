//! The test vectors through core's stream decoder, on the software node and on what it pretends to be.

use std::sync::Arc;

use fourier_core::device::DecoderDevice;
use fourier_core::device::discovery::open_device;
use fourier_core::device::fault::{Fault, FaultyDevice, Occasion};
use fourier_tests::core_decoder::digest;
use fourier_tests::vectors::{self, Container, Expectation, Vector};
use fourier_tests::{Outcome, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};

/// Devices with the constraints of real drivers: slices with and without start codes and held buffers, odd pitches, two memory planes,
/// memory that cannot be imported, few buffers.
const DEVICES: &[&str] = &[
    "soft:threads=1",
    "soft:hantro",
    "soft:rkvdec",
    "soft:cedrus",
    "soft:mediatek",
    "soft:visl",
    "soft:import=off",
    "soft:mode=slice,startcode=annexb,hold=on",
    "soft:mode=slice,hold=off",
    "soft:pitch=200,height=48,planes=2",
];

/// What these devices decode: each of a few pictures, and all coding tools among them.
const STREAMS_FOR_DEVICES: &[&str] = &[
    "BA1_FT_C.264",
    "MR1_BT_A.h264",
    "HCAFR3_HHI.264",
    "FRExt1_Panasonic.avc",
    "CVFC1_Sony_C.jsv",
    "cabac_i8x8_64x64_2.264",
    "slices8_cavlc_640x360.264",
    "slicemaxmbs_320x240.264",
    "cqm_custom_640x360.264",
    "reschange_difsps_aef.264",
    "opengop_320x240.264",
    "size_1920x1080.264",
];

/// Those among them that decode fields: with slices and frames, with CAPTURE buffers held and not.
const DEVICES_FOR_FIELDS: &[&str] = &[
    "soft:threads=1",
    "soft:cedrus",
    "soft:visl",
    "soft:import=off",
    "soft:hold=off",
    "soft:mode=slice,startcode=annexb,hold=on",
    "soft:pitch=400,planes=2",
];

/// Field pictures, MBAFF frames, and both in one stream.
const STREAMS_IN_FIELDS: &[&str] = &[
    "HCAFF1_HHI.264",
    "HCAMFF1_HHI.264",
    "FRExt2_Panasonic.avc",
    "mbaff_cavlc_temporal_352x288.264",
];

/// Devices for pictures of 10 bits and of 4:2:2: with slices that share a picture, with two memory planes where there can
/// be two, with memory of their own.
const DEVICES_FOR_DEPTHS: &[&str] = &[
    "soft:threads=1",
    "soft:mode=slice,hold=off",
    "soft:mode=slice,startcode=none",
    "soft:pitch=400,planes=2",
    "soft:import=off",
];

/// Both depths, both samplings, frames and MBAFF frames.
const STREAMS_OF_DEPTHS: &[&str] = &[
    "high10_mbaff_cavlc_352x288.264",
    "high422_8bit_320x240.264",
    "high422_10bit_cabac_320x240.264",
    "reschange_depth_aga.264",
];

fn main() -> Outcome {
    let arguments = two_at_a_time(Arguments::from_args());
    let elementary: Vec<_> = vectors::load()?
        .into_iter()
        .filter(|v| v.container == Container::Elementary)
        .collect();
    vectors::report(&elementary);
    let mut trials = Vec::new();
    for vector in elementary {
        let title = vector.title();
        match vector.expectation() {
            Expectation::BitExact => {
                let (grey, twin) = (vector.clone(), vector.clone());
                if STREAMS_FOR_DEVICES.contains(&vector.name.as_str()) {
                    trials.extend(DEVICES.iter().map(|spec| on_device(spec, &vector)));
                }
                if STREAMS_IN_FIELDS.contains(&vector.name.as_str()) {
                    trials.extend(DEVICES_FOR_FIELDS.iter().map(|spec| on_device(spec, &vector)));
                }
                if STREAMS_OF_DEPTHS.contains(&vector.name.as_str()) {
                    trials.extend(DEVICES_FOR_DEPTHS.iter().map(|spec| on_device(spec, &vector)));
                }
                trials.push(trial(format!("{title} is bit-exact"), move || {
                    is_bit_exact("soft", &twin)
                }));
                if !vector.is_grey() {
                    trials.push(trial(format!("{title} is not grey"), move || grey_is_told_apart(&grey)));
                }
            }
            Expectation::Refused => trials.push(trial(format!("{title} is refused"), move || is_refused(&vector))),
            Expectation::Survives => trials.push(trial(format!("{title} ends"), move || ends_twice_the_same(&vector))),
        }
    }
    libtest_mimic::run(&arguments, trials).exit()
}

fn trial(name: String, run: impl FnOnce() -> Outcome + Send + 'static) -> Trial {
    Trial::test(name, move || run().map_err(|error| Failed::from(error.to_string())))
}

fn on_device(spec: &'static str, vector: &Vector) -> Trial {
    let vector = vector.clone();
    trial(format!("{} is bit-exact on {spec}", vector.title()), move || {
        is_bit_exact(spec, &vector)
    })
}

fn is_bit_exact(spec: &str, vector: &Vector) -> Outcome {
    let (digest, ending) = digest(open_device(Some(spec))?, &std::fs::read(&vector.path)?)?;
    match ending.refusal {
        Some(refusal) => Err(refusal.into()),
        None => Ok(digest.must_equal(&vector.reference())?),
    }
}

/// The suite's own control: a decoder that decodes nothing must not pass.
fn grey_is_told_apart(vector: &Vector) -> Outcome {
    let device = FaultyDevice::new(open_device(Some("soft"))?);
    device.inject(Fault::Grey, Occasion::Every);
    let device: Arc<dyn DecoderDevice> = Arc::new(device);
    let (grey, _) = digest(device, &std::fs::read(&vector.path)?)?;
    match grey.must_equal(&vector.reference()) {
        Ok(()) => Err("grey pictures pass for the right ones".into()),
        Err(_) => Ok(()),
    }
}

fn is_refused(vector: &Vector) -> Outcome {
    let (digest, ending) = digest(open_device(Some("soft"))?, &std::fs::read(&vector.path)?)?;
    let refusal = ending.refusal.ok_or_else(|| format!("not refused: {digest}"))?;
    if digest.frames > 0 && !vector.changes_format() {
        return Err(format!("refused only after {} frames", digest.frames).into());
    }
    vector.must_name_an_unsupported_tool(&refusal)
}

fn ends_twice_the_same(vector: &Vector) -> Outcome {
    let stream = std::fs::read(&vector.path)?;
    let first = digest(open_device(Some("soft"))?, &stream)?;
    let second = digest(open_device(Some("soft"))?, &stream)?;
    match first == second {
        true => Ok(()),
        false => Err(format!("first {first:?}, then {second:?}").into()),
    }
}
