//! The orders in which applications call, as they were recorded: whatever the order, the pictures are the same.

use std::collections::HashMap;

use fourier_core::units::Size;
use fourier_tests::encode::{self, Recipe};
use fourier_tests::vectors::Vector;
use fourier_tests::{Outcome, picture::Digester};
use vaclient::{BufferHabit, Decoder, Display, Habits, Picture, SliceHabit, Status, va};

use crate::Case;
use crate::streams::{self, Reading, digest_picture};

/// Those of which all habits are tried: slices, fields, macroblock pairs, long-term references, scaling lists.
pub const STREAMS: &[&str] = &[
    "slices4_640x360.264",
    "FRExt2_Panasonic.avc",
    "mbaff_slices4_352x288.264",
    "FRExt_MMCO4_Sony_B.264",
    "cqm_jvt_640x360.264",
    "reschange_difsps_aef.264",
];

/// Habits by the name of who has them.
fn named_habits() -> [(&'static str, Habits, Reading); 6] {
    let ffmpeg = Habits {
        order_count_base: 65_536,
        names_render_targets: true,
        ..Habits::default()
    };
    let gstreamer_vaapi = Habits {
        buffers: BufferHabit::MappedAndDestroyedEarly,
        slices: SliceHabit::RenderedOneByOne,
        ..Habits::default()
    };
    let looking = Habits {
        looks_before_decoding: true,
        ..Habits::default()
    };
    let of_slices = |slices| Habits {
        slices,
        ..Habits::default()
    };
    [
        ("as FFmpeg", ffmpeg, Reading::Get),
        ("as gstreamer-vaapi", gstreamer_vaapi, Reading::Get),
        ("into surfaces that were looked at first", looking, Reading::Derive),
        (
            "with all slices in one buffer",
            of_slices(SliceHabit::InOneBuffer),
            Reading::Get,
        ),
        (
            "with the parameters last",
            of_slices(SliceHabit::LastFirst),
            Reading::Get,
        ),
        (
            "with slices in pieces",
            of_slices(SliceHabit::InPieces(100)),
            Reading::Get,
        ),
    ]
}

/// Every habit over the streams.
pub fn habits(vectors: &[Vector]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, habits, reading) in named_habits() {
        let streams = vectors.iter().filter(|vector| STREAMS.contains(&vector.name.as_str()));
        for vector in streams.cloned() {
            cases.push(Case::new(
                format!("{} is bit-exact {name}", vector.title()),
                move || {
                    let stream = std::fs::read(&vector.path)?;
                    let decoded = streams::digest(&Display::x11()?, &stream, habits, reading)?;
                    Ok(decoded.must_equal(&vector.reference())?)
                },
            ));
        }
    }
    cases
}

/// Orders that are no habit of decoding.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("a surface shows a probe before there is a context", probes_come_first).in_valgrind(),
        Case::new(
            "a surface below what the device decodes shows a probe",
            probes_come_first,
        )
        .on("soft:hantro"),
        Case::new(
            "surfaces of another size get their pictures copied",
            other_sizes_are_copied,
        ),
        Case::new(
            "a derived image shows pictures of fields although it was made for frames",
            lent_memory_shows_another_layout,
        ),
        Case::new("surfaces of two sizes live at once", sizes_live_at_once),
        Case::new("pictures of two memory planes are read", clip_is_bit_exact).on("soft:mediatek"),
        Case::new("a device that decodes slice by slice", clip_is_bit_exact).on("soft:cedrus"),
        Case::new("a device without imports is read", clip_is_bit_exact).on("soft:import=off"),
        Case::new(
            "more surfaces take turns than there are frames to copy from",
            many_surfaces_take_turns,
        )
        .on("soft:import=off"),
        Case::new(
            "pixels outlive the context that decoded them",
            pixels_outlive_their_context,
        )
        .in_valgrind(),
        Case::new(
            "a damaged picture is reported once and can be read",
            damage_is_reported_once,
        ),
        Case::new(
            "a reference that is destroyed is still referred to",
            references_outlive_their_ids,
        ),
    ]
}

fn clip_is_bit_exact() -> Outcome {
    let (stream, reference) = streams::clip()?;
    let decoded = streams::digest(&Display::x11()?, &stream, Habits::default(), Reading::Get)?;
    Ok(decoded.must_equal(&reference)?)
}

/// More than any pool of frames has.
fn many_surfaces_take_turns() -> Outcome {
    let (clip, _) = streams::clip()?;
    let stream = clip.repeat(4);
    let device = fourier_core::device::discovery::open_device(Some("soft"))?;
    let (reference, _) = fourier_tests::core_decoder::digest(device, &stream)?;
    let habits = Habits {
        extra_surfaces: 80,
        ..Habits::default()
    };
    let decoded = streams::digest(&Display::x11()?, &stream, habits, Reading::Get)?;
    Ok(decoded.must_equal(&reference)?)
}

/// mpv and FFmpeg: a surface of some size, an image or an export of it, and only then a config and a context.
fn probes_come_first() -> Outcome {
    let display = Display::x11()?;
    for size in [(128, 128), (16, 16), (640, 368), (1920, 1088)] {
        let probe = display.create_surfaces(va::VA_RT_FORMAT_YUV420, size, 1, &[])?;
        let prime = va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2;
        let exported = display.export_surface(probe[0], prime, va::VA_EXPORT_SURFACE_SEPARATE_LAYERS);
        match exported {
            Ok(exported) if exported.descriptor.num_layers == 2 && !exported.objects.is_empty() => {}
            Err(status) if status == Status::of(va::VA_STATUS_ERROR_UNSUPPORTED_MEMORY_TYPE) => {}
            other => return Err(format!("a probe is answered {other:?}").into()),
        }
        let image = display.derive_image(probe[0])?;
        if (u32::from(image.width), u32::from(image.height)) != size || image.format.fourcc != va::VA_FOURCC_NV12 {
            return Err(format!("a surface of {size:?} derives {image:?}").into());
        }
        display.destroy_image(image.image_id)?;
        if Picture::get(&display, probe[0], va::VA_FOURCC_NV12, size)?
            .bytes
            .iter()
            .any(|&byte| byte != 0)
        {
            return Err("a surface that nothing was decoded into is not empty".into());
        }
        display.destroy_surfaces(&probe)?;
    }
    let (stream, reference) = streams::clip()?;
    let decoded = streams::digest(
        &display,
        &stream[..first_pictures(&stream, 8)],
        Habits::default(),
        Reading::Get,
    )?;
    match decoded.frames > 0 && reference.frames > decoded.frames {
        true => Ok(()),
        false => Err(format!("{} pictures of a few", decoded.frames).into()),
    }
}

/// Where the picture of that number begins: one slice is one picture in the clip.
fn first_pictures(stream: &[u8], count: usize) -> usize {
    let slices = fourier_tests::annexb::nals(stream)
        .into_iter()
        .filter(|nal| nal.is_slice());
    slices.map(|nal| nal.range.start).nth(count).unwrap_or(stream.len())
}

/// A context of one size with surfaces of another.
fn other_sizes_are_copied() -> Outcome {
    let (stream, reference) = streams::clip()?;
    for looks_before_decoding in [false, true] {
        let habits = Habits {
            surface_margin: 48,
            looks_before_decoding,
            ..Habits::default()
        };
        for reading in [Reading::Get, Reading::Derive] {
            let decoded = streams::digest(&Display::x11()?, &stream, habits, reading)?;
            decoded.must_equal(&reference)?;
        }
    }
    let log = std::fs::read_to_string(std::env::var("FOURIER_LOG_FILE")?)?;
    match log.matches(" copied=100").count() {
        4 => Ok(()),
        _ => Err(format!("100 pictures are to be copied four times: {log}").into()),
    }
}

/// 144 lines of frames are 160 of fields. An application that knows only the 144, and has an image of the surface's
/// memory, goes on with that: pictures are decoded elsewhere, and copied.
fn lent_memory_shows_another_layout() -> Outcome {
    const FRAMES: u32 = 16;
    const SIZE: (u32, u32) = (176, 144);
    let stream = encode::encoded(&Recipe {
        name: "fields",
        size: Size {
            width: SIZE.0,
            height: SIZE.1,
        },
        frames: FRAMES,
        options: "--profile high --tff --bframes 2",
    })?;
    let device = fourier_core::device::discovery::open_device(Some("soft"))?;
    let (reference, _) = fourier_tests::core_decoder::digest(device, &stream)?;
    let display = Display::x11()?;
    let surfaces = display.create_surfaces(va::VA_RT_FORMAT_YUV420, SIZE, 18, &[])?;
    let images = surfaces
        .iter()
        .map(|&surface| Ok((surface, display.derive_image(surface)?)));
    let images = images.collect::<Outcome<HashMap<_, _>>>()?;
    let (mut derived, mut copied) = (Digester::default(), Digester::default());
    let decoder = Decoder::new(&display, Habits::default()).with_surfaces(&surfaces, SIZE);
    decoder.decode(&stream, &mut |shown| {
        let image = images.get(&shown.surface).ok_or("a surface without an image")?;
        digest_picture(&mut derived, &Picture::of_image(&display, image)?, shown)?;
        digest_picture(&mut copied, &Reading::Get.read(&display, shown)?, shown)
    })?;
    derived.finish().must_equal(&reference)?;
    copied.finish().must_equal(&reference)?;
    drop(display);
    let log = std::fs::read_to_string(std::env::var("FOURIER_LOG_FILE")?)?;
    match log.contains(&format!(" refused=0 copied={FRAMES}\n")) {
        true => Ok(()),
        false => Err(format!("{FRAMES} pictures are to be copied: {log}").into()),
    }
}

/// After a change of size the surfaces of before are shown still: their pixels stay.
fn sizes_live_at_once() -> Outcome {
    const OPTIONS: [(u32, u32, &str); 4] = [
        (176, 144, "--profile high --bframes 2"),
        (320, 240, "--profile high --tff --bframes 2"),
        (176, 144, "--profile baseline"),
        (208, 160, "--profile main --bff"),
    ];
    let folder = tempfile::tempdir()?;
    let mut stream = Vec::new();
    for (n, (width, height, options)) in OPTIONS.into_iter().enumerate() {
        let file = folder.path().join(n.to_string());
        let size = Size { width, height };
        let recipe = Recipe {
            name: "one of several sizes",
            size,
            frames: 12,
            options,
        };
        encode::encode(&recipe, &file)?;
        stream.extend(std::fs::read(&file)?);
    }
    let device = fourier_core::device::discovery::open_device(Some("soft"))?;
    let (reference, _) = fourier_tests::core_decoder::digest(device, &stream)?;
    let display = Display::x11()?;
    for reading in [Reading::Get, Reading::Derive] {
        let habits = Habits {
            keeps_surfaces: true,
            ..Habits::default()
        };
        let mut digester = Digester::default();
        // What was last shown in each surface.
        let mut pixels = HashMap::new();
        let mut looked_back = 0;
        Decoder::new(&display, habits).decode(&stream, &mut |shown| {
            let picture = reading.read(&display, shown)?;
            digest_picture(&mut digester, &picture, shown)?;
            pixels.insert(shown.surface, (*shown, picture.bytes));
            for (earlier, bytes) in pixels.values().filter(|(earlier, _)| earlier.size != shown.size) {
                looked_back += 1;
                if reading.read(&display, earlier)?.bytes != *bytes {
                    return Err(format!("{earlier:?} has changed when {shown:?} was shown").into());
                }
            }
            Ok(())
        })?;
        digester.finish().must_equal(&reference)?;
        if looked_back < 36 {
            return Err(format!("{looked_back} pictures of before: no two sizes were there at once").into());
        }
    }
    Ok(())
}

/// All surfaces of a stream are read when display, decoder and context of it are gone but the display.
fn pixels_outlive_their_context() -> Outcome {
    let (stream, _) = streams::clip()?;
    let stream = &stream[..first_pictures(&stream, 6)];
    let display = Display::x11()?;
    let mut digests = Vec::new();
    // The last pictures come when the context is destroyed: with either way of reading they must be the same.
    for reading in [Reading::Get, Reading::Derive] {
        let mut digester = Digester::default();
        Decoder::new(&display, Habits::default()).decode(stream, &mut |shown| {
            digest_picture(&mut digester, &reading.read(&display, shown)?, shown)
        })?;
        digests.push(digester.finish());
    }
    let device = fourier_core::device::discovery::open_device(Some("soft"))?;
    let (reference, _) = fourier_tests::core_decoder::digest(device, stream)?;
    digests.iter().try_for_each(|digest| Ok(digest.must_equal(&reference)?))
}

fn damage_is_reported_once() -> Outcome {
    let (mut stream, reference) = streams::clip()?;
    let slices = fourier_tests::annexb::nals(&stream)
        .into_iter()
        .filter(|nal| nal.is_slice());
    let tenth = slices.map(|nal| nal.range).nth(10).ok_or("a clip without slices")?;
    let middle = tenth.start + (tenth.end - tenth.start) / 2;
    stream[middle..tenth.end].fill(0xff);
    let display = Display::x11()?;
    let (mut damaged, mut shown_at_all) = (0, 0);
    Decoder::new(&display, Habits::default()).decode(&stream, &mut |shown| {
        shown_at_all += 1;
        if shown.damaged {
            damaged += 1;
            // Once said is enough; what there is can be read, and asked about again.
            display.sync_surface(shown.surface)?;
            if display.surface_error(shown.surface)?.is_empty() {
                return Err("a damaged picture without macroblocks in error".into());
            }
        } else if display.surface_error(shown.surface).is_ok() {
            return Err("errors of a picture that is whole".into());
        }
        Picture::get(&display, shown.surface, shown.fourcc, shown.size).map(drop)
    })?;
    match damaged > 0 && shown_at_all == reference.frames {
        true => Ok(()),
        false => Err(format!("{damaged} damaged pictures of {shown_at_all}").into()),
    }
}

/// Surfaces are destroyed, and made again, while the pictures in them are references.
fn references_outlive_their_ids() -> Outcome {
    let (stream, reference) = streams::clip()?;
    let display = Display::x11()?;
    let mut digester = Digester::default();
    let mut others = Vec::new();
    Decoder::new(&display, Habits::default()).decode(&stream, &mut |shown| {
        // Churn: ids and memory come and go, none of which the pictures may notice.
        others.extend(display.create_surfaces(va::VA_RT_FORMAT_YUV420, shown.size, 2, &[])?);
        let last = others.last().copied().ok_or("no surface")?;
        Picture::get(&display, last, shown.fourcc, shown.size)?;
        if others.len() > 6 {
            display.destroy_surfaces(&std::mem::take(&mut others))?;
        }
        digest_picture(&mut digester, &Reading::Get.read(&display, shown)?, shown)
    })?;
    Ok(digester.finish().must_equal(&reference)?)
}
