//! Samples of 8 and of 10 bits: what is offered for each, and what comes of mixing them.

use fourier_tests::Outcome;
use fourier_tests::picture::Planar;
use fourier_tests::vectors::Vector;
use vaclient::{Display, Habits, PROFILE_H264_HIGH10, Picture, Status, va};

use crate::Case;
use crate::calls::{HIGH, SIZE, expect, require};
use crate::streams::{self, Reading};

const HIGH10: (va::VAProfile, va::VAEntrypoint) = (PROFILE_H264_HIGH10, va::VAEntrypointVLD);

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("10 bits have a profile, surfaces and images of their own", ten_bits).in_valgrind(),
        Case::new("a device of 8 bits offers nothing of 10", nothing_of_ten_bits).on("soft:depth=8"),
        Case::new("a surface shows no samples but its own", samples_are_not_mixed).in_valgrind(),
        Case::new("tiles of 4x4 are read and written as rows", tiles_are_rows_to_images).on(TILED[1]),
        Case::new("tiles of 32x32 are read and written as rows", tiles_are_rows_to_images).on(TILED[2]),
        Case::new(
            "tiles of two memory planes are read and written as rows",
            tiles_are_rows_to_images,
        )
        .on(TILED[0]),
        Case::new(
            "samples without gaps are P010 to images",
            dense_samples_are_words_to_images,
        )
        .on(DENSE)
        .in_valgrind(),
    ]
}

/// Of 10 bits, in frames and in macroblock pairs.
pub const DEEP_STREAMS: [&str; 2] = ["part_g_10bit_320x240.264", "high10_mbaff_cavlc_352x288.264"];

/// Streams of 10 bits, read where the surface is, and out of memory that is no P010.
pub fn derived(vectors: &[Vector]) -> Vec<Case> {
    let vectors = vectors
        .iter()
        .filter(|vector| DEEP_STREAMS.contains(&vector.name.as_str()));
    let derived = vectors.clone().cloned().map(|vector| {
        Case::new(
            format!("{} is bit-exact in derived images", vector.title()),
            move || {
                let stream = streams::annex_b(&vector.path)?;
                for looks_before_decoding in [false, true] {
                    let habits = Habits {
                        looks_before_decoding,
                        ..Habits::default()
                    };
                    let decoded = streams::digest(&Display::x11()?, &stream, habits, Reading::Derive)?;
                    decoded.must_equal(&vector.reference())?;
                }
                Ok(())
            },
        )
    });
    let dense = vectors.cloned().map(|vector| {
        Case::new(
            format!("{} is bit-exact out of samples without gaps", vector.title()),
            move || {
                let stream = streams::annex_b(&vector.path)?;
                let copied = Habits {
                    surface_margin: 48,
                    ..Habits::default()
                };
                for habits in [Habits::default(), copied] {
                    let decoded = streams::digest(&Display::x11()?, &stream, habits, Reading::Get)?;
                    decoded.must_equal(&vector.reference())?;
                }
                Ok(())
            },
        )
        .on(DENSE)
    });
    derived.chain(dense).collect()
}

/// Rockchip's memory of 10 bits: what applications take for P010 has to be made of it.
const DENSE: &str = "soft:format=NV15";

/// Devices whose pictures lie in tiles, MediaTek's, Vivante's and Allwinner's; two of them take slices.
pub const TILED: [&str; 3] = [
    "soft:format=MM21",
    "soft:format=VT12,mode=slice,startcode=none",
    "soft:format=ST12,mode=slice,hold=off",
];

/// JVT's streams on devices of tiles, by turns.
pub fn tiled(vectors: &[Vector]) -> Vec<Case> {
    let can_be_tiled = |vector: &&Vector| vector.suite.starts_with("jvt-") && vector.planar() == Planar::default();
    let streams = vectors
        .iter()
        .filter(can_be_tiled)
        .cloned()
        .zip(TILED.into_iter().cycle());
    let cases = streams.map(|(vector, device)| {
        let title = format!("{} is bit-exact out of tiles", vector.title());
        let run = move || {
            let stream = streams::annex_b(&vector.path)?;
            let decoded = streams::digest(&Display::x11()?, &stream, Habits::default(), Reading::Get)?;
            Ok(decoded.must_equal(&vector.reference())?)
        };
        Case::new(title, run).on(device)
    });
    cases.collect()
}

fn attribute(value: u32) -> va::VAConfigAttrib {
    va::VAConfigAttrib {
        type_: va::VAConfigAttribRTFormat,
        value,
    }
}

/// The pixel formats of surfaces for a config with that render target format.
fn pixel_formats(display: &Display, both: (va::VAProfile, va::VAEntrypoint), rt_format: u32) -> Outcome<Vec<u32>> {
    let config = display.create_config(both, &[attribute(rt_format)])?;
    let formats = display.pixel_formats(config)?;
    display.destroy_config(config)?;
    Ok(formats)
}

fn ten_bits() -> Outcome {
    let display = Display::x11()?;
    let (eight, ten) = (va::VA_RT_FORMAT_YUV420, va::VA_RT_FORMAT_YUV420_10);
    require("High 10", display.profiles()?.contains(&PROFILE_H264_HIGH10))?;
    let entrypoints = display.entrypoints(PROFILE_H264_HIGH10)?;
    require("entrypoint VLD", entrypoints == [va::VAEntrypointVLD])?;
    let formats = display.config_attribute(HIGH10, va::VAConfigAttribRTFormat)?;
    require("8 and 10 bits of High 10", formats == eight | ten)?;
    let formats = display.config_attribute(HIGH, va::VAConfigAttribRTFormat)?;
    require("8 bits of High", formats == eight)?;
    let refused = va::VA_STATUS_ERROR_UNSUPPORTED_RT_FORMAT;
    expect(
        "vaCreateConfig of High with 10 bits",
        display.create_config(HIGH, &[attribute(ten)]),
        refused,
    )?;
    let (nv12, p010) = (va::VA_FOURCC_NV12, va::VA_FOURCC_P010);
    for (both, rt_format, expected) in [
        (HIGH, eight, &[nv12][..]),
        (HIGH, eight | ten, &[nv12]),
        (HIGH10, ten, &[p010]),
        (HIGH10, eight, &[nv12]),
        (HIGH10, eight | ten, &[p010, nv12]),
    ] {
        let found = pixel_formats(&display, both, rt_format)?;
        require(&format!("surfaces of {both:?} are {found:x?}"), found == expected)?;
    }
    require("both formats of images", display.image_formats()? == [nv12, p010])?;

    let pixel_format = |fourcc| (va::VASurfaceAttribPixelFormat, fourcc);
    let create = |rt_format, attributes: &[_]| display.create_surfaces(rt_format, SIZE, 1, attributes);
    let not_that = va::VA_STATUS_ERROR_ATTR_NOT_SUPPORTED;
    for (rt_format, fourcc) in [(eight, p010), (ten, nv12)] {
        let made = create(rt_format, &[pixel_format(fourcc)]);
        expect("a surface of other samples than its pixel format", made, not_that)?;
    }
    for (rt_format, attributes, fourcc) in [
        (ten, &[][..], p010),
        (ten, &[pixel_format(p010)], p010),
        (eight | ten, &[pixel_format(p010)], p010),
        (eight | ten, &[], nv12),
    ] {
        let surface = create(rt_format, attributes)?;
        let image = display.derive_image(surface[0])?;
        require("a surface derives what it is", image.format.fourcc == fourcc)?;
        display.destroy_image(image.image_id)?;
        display.destroy_surfaces(&surface)?;
    }
    Ok(())
}

fn nothing_of_ten_bits() -> Outcome {
    let display = Display::x11()?;
    require("no High 10", !display.profiles()?.contains(&PROFILE_H264_HIGH10))?;
    let unsupported = va::VA_STATUS_ERROR_UNSUPPORTED_PROFILE;
    expect("vaCreateConfig", display.create_config(HIGH10, &[]), unsupported)?;
    let surface = display.create_surfaces(va::VA_RT_FORMAT_YUV420_10, SIZE, 1, &[]);
    expect("a surface", surface, va::VA_STATUS_ERROR_UNSUPPORTED_RT_FORMAT)?;
    require("NV12 alone", display.image_formats()? == [va::VA_FOURCC_NV12])?;
    let image = display.create_image(va::VA_FOURCC_P010, SIZE);
    expect("an image", image, va::VA_STATUS_ERROR_INVALID_IMAGE_FORMAT)
}

/// A picture of that bit depth into a surface of that format, in a context of High 10.
fn decode(display: &Display, bit_depth: u8, rt_format: u32) -> Result<(), Status> {
    let config = display.create_config(HIGH10, &[])?;
    let context = display.create_context(config, SIZE, &[])?;
    let target = display.create_surfaces(rt_format, SIZE, 1, &[])?[0];
    let mut sequence = va::_VAPictureParameterBufferH264__bindgen_ty_1__bindgen_ty_1::default();
    sequence.set_chroma_format_idc(1);
    sequence.set_frame_mbs_only_flag(1);
    let mut picture = va::VAPictureParameterBufferH264 {
        seq_fields: va::_VAPictureParameterBufferH264__bindgen_ty_1 { bits: sequence },
        bit_depth_luma_minus8: bit_depth - 8,
        bit_depth_chroma_minus8: bit_depth - 8,
        picture_width_in_mbs_minus1: 3,
        picture_height_in_mbs_minus1: 2,
        ..Default::default()
    };
    picture.CurrPic.picture_id = target;
    let data = [0x65_u8, 0xb8, 0x40, 0xff, 0xff];
    let slice = va::VASliceParameterBufferH264 {
        slice_data_size: data.len() as u32,
        slice_type: 2,
        ..Default::default()
    };
    let buffers = [
        display.create_buffer(context, va::VAPictureParameterBufferType, &[picture])?,
        display.create_buffer(context, va::VASliceParameterBufferType, &[slice])?,
        display.create_buffer(context, va::VASliceDataBufferType, &data)?,
    ];
    display.begin_picture(context, target)?;
    display.render_picture(context, &buffers)?;
    display.end_picture(context)
}

fn samples_are_not_mixed() -> Outcome {
    let display = Display::x11()?;
    let (eight, ten) = (va::VA_RT_FORMAT_YUV420, va::VA_RT_FORMAT_YUV420_10);
    let other_samples = va::VA_STATUS_ERROR_UNSUPPORTED_RT_FORMAT;
    expect("10 bits into 8", decode(&display, 10, eight), other_samples)?;
    expect("8 bits into 10", decode(&display, 8, ten), other_samples)?;
    // 14 bits are High 4:4:4 Predictive.
    let unsupported = va::VA_STATUS_ERROR_UNSUPPORTED_PROFILE;
    expect("14 bits", decode(&display, 14, ten), unsupported)?;
    decode(&display, 10, ten)?;
    decode(&display, 8, eight)?;

    let surface = display.create_surfaces(ten, SIZE, 1, &[])?[0];
    let image = display.create_image(va::VA_FOURCC_NV12, SIZE)?;
    let no_conversion = va::VA_STATUS_ERROR_INVALID_IMAGE_FORMAT;
    let id = image.image_id;
    expect("vaGetImage", display.get_image(surface, SIZE, id), no_conversion)?;
    expect("vaPutImage", display.put_image(surface, id, SIZE), no_conversion)?;

    let image = display.create_image(va::VA_FOURCC_P010, SIZE)?;
    let samples: Vec<u8> = (0..image.data_size).map(|n| (n % 251) as u8).collect();
    display.fill_buffer(image.buf, &samples)?;
    display.put_image(surface, image.image_id, SIZE)?;
    let back = Picture::get(&display, surface, va::VA_FOURCC_P010, SIZE)?;
    // Rows of 64 samples fill their pitch.
    require("what is put into a surface is there", back.bytes == samples)
}

fn tiles_are_rows_to_images() -> Outcome {
    let display = Display::x11()?;
    // Of no whole number of tiles.
    let size = (200, 90);
    let target = display.create_surfaces(va::VA_RT_FORMAT_YUV420, size, 1, &[])?[0];
    let no_rows = va::VA_STATUS_ERROR_OPERATION_FAILED;
    expect("vaDeriveImage of tiles", display.derive_image(target), no_rows)?;
    let empty = Picture::get(&display, target, va::VA_FOURCC_NV12, size)?;
    require("a new surface is empty", empty.bytes.iter().all(|&byte| byte == 0))?;
    let image = display.create_image(va::VA_FOURCC_NV12, size)?;
    let samples: Vec<u8> = (0..image.data_size).map(|n| (n % 251) as u8).collect();
    display.fill_buffer(image.buf, &samples)?;
    display.put_image(target, image.image_id, size)?;
    let back = Picture::get(&display, target, va::VA_FOURCC_NV12, size)?;
    for (plane, rows) in [(0, size.1 as usize), (1, size.1 as usize / 2)] {
        let row =
            |bytes: &[u8], y: usize| bytes[back.offsets[plane] + y * back.pitches[plane]..][..size.0 as usize].to_vec();
        for y in 0..rows {
            require("rows come back", row(&back.bytes, y) == row(&samples, y))?;
        }
    }
    // Pictures for surfaces of another size are copied, tiles to tiles.
    let (stream, reference) = streams::clip()?;
    let habits = Habits {
        surface_margin: 48,
        ..Habits::default()
    };
    for habits in [Habits::default(), habits] {
        streams::digest(&display, &stream, habits, Reading::Get)?.must_equal(&reference)?;
    }
    Ok(())
}

fn dense_samples_are_words_to_images() -> Outcome {
    let display = Display::x11()?;
    let ten = va::VA_RT_FORMAT_YUV420_10;
    require("High 10", display.profiles()?.contains(&PROFILE_H264_HIGH10))?;
    require("P010", pixel_formats(&display, HIGH10, ten)? == [va::VA_FOURCC_P010])?;
    // Rows of 200 samples are no whole number of 64 bytes.
    let size = (200, 90);
    let target = display.create_surfaces(ten, size, 1, &[])?[0];
    let no_words = va::VA_STATUS_ERROR_OPERATION_FAILED;
    expect("vaDeriveImage of NV15", display.derive_image(target), no_words)?;
    let empty = Picture::get(&display, target, va::VA_FOURCC_P010, size)?;
    require("a new surface is empty", empty.bytes.iter().all(|&byte| byte == 0))?;
    let image = display.create_image(va::VA_FOURCC_P010, size)?;
    let words = 0..image.data_size / 2;
    // What is not in the upper ten bits has no place.
    let samples: Vec<u8> = words.flat_map(|n| ((n * 7 % 1024) as u16 * 64).to_le_bytes()).collect();
    display.fill_buffer(image.buf, &samples)?;
    display.put_image(target, image.image_id, size)?;
    let back = Picture::get(&display, target, va::VA_FOURCC_P010, size)?;
    for (plane, rows) in [(0, size.1 as usize), (1, size.1 as usize / 2)] {
        for y in 0..rows {
            let start = back.offsets[plane] + y * back.pitches[plane];
            let row = start..start + 2 * size.0 as usize;
            require("rows come back", back.bytes[row.clone()] == samples[row])?;
        }
    }
    Ok(())
}
