//! Many at once, and the same again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use fourier_tests::Outcome;
use fourier_tests::picture::Digest;
use fourier_tests::resources::Resources;
use fourier_tests::vectors::Vector;
use vaclient::{Decoder, Display, Habits, Status, va};

use crate::Case;
use crate::streams::{self, Reading};

/// Contexts at once.
const CONTEXTS: usize = 8;
/// Rounds of creating, decoding and destroying.
const ROUNDS: usize = 500;
/// Rounds until everything was allocated that stays.
const WARMING_UP: usize = 50;
/// What the allocator may keep.
const SLACK_KIB: usize = 8 << 10;

/// As different as streams can be: size, profile, bit depth, fields, cropping, sizes that change.
const DIFFERENT: [&str; CONTEXTS] = [
    "NRF_MW_E.264",
    "HCAFF1_HHI.264",
    "mbaff_tff_cabac_720x576.264",
    "high10_mbaff_cavlc_352x288.264",
    "croprect_320x240.264",
    "reschange_difsps_aef.264",
    "slices4_640x360.264",
    "mbaff_1920x1080.264",
];

/// The cases.
pub fn cases(vectors: &[Vector]) -> Vec<Case> {
    let readings = [Reading::Get, Reading::Derive];
    let of_different = different(vectors).map(|vectors| {
        Case::new("eight different streams decode while contexts come and go", move || {
            decode_at_once(&Display::x11()?, &read(&vectors)?, readings)
        })
    });
    let others = [
        Case::new("eight contexts decode while others come and go", move || {
            decode_at_once(&Display::x11()?, &vec![streams::clip()?; CONTEXTS], readings)
        }),
        Case::new("five hundred rounds leave nothing behind", rounds_leave_nothing_behind),
        Case::new("displays come and go", displays_come_and_go).in_valgrind(),
    ];
    of_different.into_iter().chain(others).collect()
}

/// The streams of [`DIFFERENT`]; `None` without test vectors.
pub fn different(vectors: &[Vector]) -> Option<Vec<Vector>> {
    let find = |name: &&str| vectors.iter().find(|vector| vector.name == *name).cloned();
    DIFFERENT.iter().map(find).collect()
}

/// Streams, and the digests of their pictures.
pub fn read(vectors: &[Vector]) -> Outcome<Vec<(Vec<u8>, Digest)>> {
    let read = |vector: &Vector| Ok((streams::annex_b(&vector.path)?, vector.reference()));
    vectors.iter().map(read).collect()
}

/// Streams on one display, each twice with a context of its own, and threads that export, derive, create and destroy all
/// the while.
pub fn decode_at_once(display: &Display, streams: &[(Vec<u8>, Digest)], readings: [Reading; 2]) -> Outcome {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let noise: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| -> Outcome<usize> {
                    let mut rounds = 0;
                    while !done.load(Ordering::Relaxed) {
                        disturb(display)?;
                        rounds += 1;
                    }
                    Ok(rounds)
                })
            })
            .collect();
        let decoders: Vec<_> = streams
            .iter()
            .enumerate()
            .map(|(n, (stream, reference))| {
                scope.spawn(move || -> Outcome {
                    let habits = Habits {
                        looks_before_decoding: n % 2 == 0,
                        names_render_targets: n % 3 == 0,
                        ..Habits::default()
                    };
                    for reading in readings {
                        streams::digest(display, stream, habits, reading)?.must_equal(reference)?;
                    }
                    Ok(())
                })
            })
            .collect();
        let decoded: Vec<_> = decoders.into_iter().map(join).collect();
        done.store(true, Ordering::Relaxed);
        for (n, right) in decoded.into_iter().enumerate() {
            right.map_err(|error| format!("stream {n}: {error}"))?;
        }
        for rounds in noise.into_iter().map(join) {
            if rounds? == 0 {
                return Err("nothing was created and destroyed meanwhile".into());
            }
        }
        Ok(())
    })
}

/// A context and surfaces that nobody decodes with.
fn disturb(display: &Display) -> Outcome {
    let config = display.create_config((va::VAProfileH264High, va::VAEntrypointVLD), &[])?;
    let surfaces = display.create_surfaces(va::VA_RT_FORMAT_YUV420, (320, 240), 3, &[])?;
    let context = display.create_context(config, (320, 240), &surfaces)?;
    for &surface in &surfaces {
        match display.export_surface(surface, va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2, 5) {
            Ok(_) => {}
            Err(status) if status == Status::of(va::VA_STATUS_ERROR_UNSUPPORTED_MEMORY_TYPE) => {}
            Err(status) => return Err(status.into()),
        }
        let image = display.derive_image(surface)?;
        display.map_buffer(image.buf)?;
        display.unmap_buffer(image.buf)?;
        display.destroy_image(image.image_id)?;
    }
    display.destroy_context(context)?;
    display.destroy_surfaces(&surfaces)?;
    Ok(display.destroy_config(config)?)
}

fn join<T>(handle: thread::ScopedJoinHandle<'_, Outcome<T>>) -> Outcome<T> {
    handle.join().map_err(|_| "a thread panicked")?
}

fn rounds_leave_nothing_behind() -> Outcome {
    let (stream, _) = streams::clip()?;
    let slices = fourier_tests::annexb::nals(&stream)
        .into_iter()
        .filter(|nal| nal.is_slice());
    let end = slices
        .map(|nal| nal.range.start)
        .nth(2)
        .ok_or("a clip without slices")?;
    let display = Display::x11()?;
    let mut before = None;
    for round in 0..ROUNDS {
        let mut shown = 0;
        Decoder::new(&display, Habits::default()).decode(&stream[..end], &mut |picture| {
            shown += 1;
            Reading::Get.read(&display, picture).map(drop)
        })?;
        if shown != 2 {
            return Err(format!("{shown} pictures of 2 in round {round}").into());
        }
        if round == WARMING_UP {
            before = Some(Resources::now()?);
        }
    }
    let before = before.ok_or("too few rounds")?;
    before.must_come_back(SLACK_KIB)
}

/// Several displays at once, and one after another.
fn displays_come_and_go() -> Outcome {
    drop(Display::x11()?);
    let before = Resources::now()?;
    for _ in 0..5 {
        let displays = [Display::x11()?, Display::x11()?, Display::x11()?];
        for display in &displays {
            disturb(display)?;
        }
    }
    before.must_come_back(4 * SLACK_KIB)
}
