//! Every call with right, wrong and stale arguments, by va.h. NULL is tested in the driver, where there is no libva
//! between.

use std::thread;
use std::time::Duration;

use fourier_tests::Outcome;
use vaclient::{Display, Status, va};

use crate::Case;

type Called<T> = Result<T, Status>;

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("what there is to know before decoding", queries),
        Case::new("each call answers for ids of nothing and of the wrong kind", wrong_ids).in_valgrind(),
        Case::new("an id is an error once it was destroyed", stale_ids).in_valgrind(),
        Case::new("surfaces are what they can be", surfaces),
        Case::new("buffers hold what they were made for", buffers).in_valgrind(),
        Case::new("images are NV12 and lie within their surfaces", images).in_valgrind(),
        Case::new("a picture has a beginning and an end", pictures).in_valgrind(),
        Case::new("a user is told of what is not decoded, once", users_are_told),
        Case::new("a user is told why there is no decoder", users_are_told_why).on("/dev/null"),
        Case::new("all of it from many threads", from_many_threads),
    ]
}

/// `called` must fail with `code`.
pub fn expect<T>(what: &str, called: Called<T>, code: u32) -> Outcome {
    match called {
        Err(status) if status == Status::of(code) => Ok(()),
        Err(status) => Err(format!("{what} is {status}, not {}", Status::of(code)).into()),
        Ok(_) => Err(format!("{what} succeeds: {} is expected", Status::of(code)).into()),
    }
}

/// It must be so.
pub fn require(what: &str, is_so: bool) -> Outcome {
    if is_so { Ok(()) } else { Err(what.into()) }
}

/// The one way to decode.
pub const HIGH: (va::VAProfile, va::VAEntrypoint) = (va::VAProfileH264High, va::VAEntrypointVLD);
/// Of surfaces that are not decoded into.
pub const SIZE: (u32, u32) = (64, 48);

fn surface(display: &Display) -> Called<va::VASurfaceID> {
    Ok(display.create_surfaces(va::VA_RT_FORMAT_YUV420, SIZE, 1, &[])?[0])
}

fn queries() -> Outcome {
    let display = Display::x11()?;
    require(
        "the vendor is fourier",
        display.vendor().starts_with("fourier H.264 V4L2 request driver"),
    )?;
    let profiles = display.profiles()?;
    for profile in [
        va::VAProfileH264ConstrainedBaseline,
        va::VAProfileH264Main,
        va::VAProfileH264High,
    ] {
        require("H.264 has its profiles", profiles.contains(&profile))?;
        require("entrypoint VLD", display.entrypoints(profile)? == [va::VAEntrypointVLD])?;
        let both = (profile, va::VAEntrypointVLD);
        let formats = display.config_attribute(both, va::VAConfigAttribRTFormat)?;
        require("4:2:0", formats & va::VA_RT_FORMAT_YUV420 != 0)?;
        let width = display.config_attribute(both, va::VAConfigAttribMaxPictureWidth)?;
        require("the width has a limit", (1920..=16_384).contains(&width))?;
        let other = display.config_attribute(both, va::VAConfigAttribEncMaxRefFrames)?;
        require(
            "what decoders do not have is not supported",
            other == va::VA_ATTRIB_NOT_SUPPORTED,
        )?;
    }
    let unsupported = va::VA_STATUS_ERROR_UNSUPPORTED_PROFILE;
    for profile in [
        va::VAProfileNone,
        va::VAProfileVP9Profile0,
        va::VAProfileH264StereoHigh,
        9999,
    ] {
        expect("vaQueryConfigEntrypoints", display.entrypoints(profile), unsupported)?;
        let both = (profile, va::VAEntrypointVLD);
        expect("vaCreateConfig", display.create_config(both, &[]), unsupported)?;
        expect(
            "vaGetConfigAttributes",
            display.config_attribute(both, va::VAConfigAttribRTFormat),
            unsupported,
        )?;
    }
    let encode = (va::VAProfileH264High, va::VAEntrypointEncSlice);
    expect(
        "vaCreateConfig",
        display.create_config(encode, &[]),
        va::VA_STATUS_ERROR_UNSUPPORTED_ENTRYPOINT,
    )?;
    let attribute = |value| va::VAConfigAttrib {
        type_: va::VAConfigAttribRTFormat,
        value,
    };
    let grey = display.create_config(HIGH, &[attribute(va::VA_RT_FORMAT_YUV444)]);
    expect(
        "vaCreateConfig of 4:4:4",
        grey,
        va::VA_STATUS_ERROR_UNSUPPORTED_RT_FORMAT,
    )?;
    let config = display.create_config(HIGH, &[attribute(va::VA_RT_FORMAT_YUV420)])?;
    let (profile, attributes) = display.query_config(config)?;
    require("a config keeps its profile", profile == va::VAProfileH264High)?;
    let format = attributes
        .iter()
        .find(|attribute| attribute.type_ == va::VAConfigAttribRTFormat);
    require(
        "a config lists its format",
        format.is_some_and(|format| format.value & va::VA_RT_FORMAT_YUV420 != 0),
    )?;
    let kinds: Vec<_> = display
        .surface_attributes(config)?
        .iter()
        .map(|attribute| attribute.type_)
        .collect();
    for kind in [
        va::VASurfaceAttribPixelFormat,
        va::VASurfaceAttribMaxWidth,
        va::VASurfaceAttribMemoryType,
    ] {
        require("surfaces have their attributes", kinds.contains(&kind))?;
    }
    require(
        "NV12 comes first",
        display.image_formats()?.first() == Some(&va::VA_FOURCC_NV12),
    )?;
    require("no subpictures", display.subpicture_formats()? == 0)?;
    require("no display attributes", display.display_attributes()? == 0)
}

/// Every call that takes an id, with one that is none of its kind.
fn refuse(display: &Display, id: u32) -> Outcome {
    let config = va::VA_STATUS_ERROR_INVALID_CONFIG;
    expect("vaDestroyConfig", display.destroy_config(id), config)?;
    expect("vaQueryConfigAttributes", display.query_config(id), config)?;
    expect("vaQuerySurfaceAttributes", display.surface_attributes(id), config)?;
    expect("vaCreateContext", display.create_context(id, SIZE, &[]), config)?;
    let context = va::VA_STATUS_ERROR_INVALID_CONTEXT;
    expect("vaDestroyContext", display.destroy_context(id), context)?;
    expect("vaEndPicture", display.end_picture(id), context)?;
    expect("vaRenderPicture", display.render_picture(id, &[]), context)?;
    expect("vaBeginPicture", display.begin_picture(id, id), context)?;
    let kind = va::VASliceDataBufferType;
    expect("vaCreateBuffer", display.create_buffer(id, kind, &[0_u8]), context)?;
    let surface = va::VA_STATUS_ERROR_INVALID_SURFACE;
    expect("vaDestroySurfaces", display.destroy_surfaces(&[id]), surface)?;
    expect("vaSyncSurface", display.sync_surface(id), surface)?;
    expect(
        "vaSyncSurface2",
        display.sync_surface_within(id, Duration::ZERO),
        surface,
    )?;
    expect("vaQuerySurfaceStatus", display.surface_status(id), surface)?;
    expect("vaQuerySurfaceError", display.surface_error(id), surface)?;
    expect("vaDeriveImage", display.derive_image(id), surface)?;
    expect("vaGetImage", display.get_image(id, SIZE, id), surface)?;
    expect("vaPutImage", display.put_image(id, id, SIZE), surface)?;
    let prime = va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2;
    expect("vaExportSurfaceHandle", display.export_surface(id, prime, 5), surface)?;
    let buffer = va::VA_STATUS_ERROR_INVALID_BUFFER;
    expect("vaMapBuffer", display.map_buffer(id), buffer)?;
    expect("vaUnmapBuffer", display.unmap_buffer(id), buffer)?;
    expect("vaDestroyBuffer", display.destroy_buffer(id), buffer)?;
    expect("vaBufferSetNumElements", display.set_elements(id, 1), buffer)?;
    expect("vaBufferInfo", display.buffer_info(id), buffer)?;
    expect("vaAcquireBufferHandle", display.acquire_buffer(id), buffer)?;
    let image = va::VA_STATUS_ERROR_INVALID_IMAGE;
    expect("vaDestroyImage", display.destroy_image(id), image)?;
    expect("vaCreateSubpicture", display.create_subpicture(id), image)
}

fn wrong_ids() -> Outcome {
    let display = Display::x11()?;
    for id in [0, 1, u32::MAX, 0x0500_0000 - 1, 0x0001_0000] {
        refuse(&display, id)?;
    }
    let config = display.create_config(HIGH, &[])?;
    let target = surface(&display)?;
    let context = display.create_context(config, SIZE, &[target])?;
    let buffer = display.create_buffer(context, va::VASliceDataBufferType, &[0_u8; 4])?;
    let invalid_surface = va::VA_STATUS_ERROR_INVALID_SURFACE;
    for id in [config, context, buffer] {
        expect("vaSyncSurface", display.sync_surface(id), invalid_surface)?;
        expect("vaBeginPicture", display.begin_picture(context, id), invalid_surface)?;
        expect(
            "vaCreateContext",
            display.create_context(config, SIZE, &[target, id]),
            invalid_surface,
        )?;
    }
    for id in [config, target, buffer] {
        expect(
            "vaEndPicture",
            display.end_picture(id),
            va::VA_STATUS_ERROR_INVALID_CONTEXT,
        )?;
    }
    for id in [config, target, context] {
        expect(
            "vaMapBuffer",
            display.map_buffer(id),
            va::VA_STATUS_ERROR_INVALID_BUFFER,
        )?;
        expect(
            "vaGetImage",
            display.get_image(target, SIZE, id),
            va::VA_STATUS_ERROR_INVALID_IMAGE,
        )?;
    }
    // Those of another display are nothing here.
    let other = Display::x11()?;
    let foreign = [display.create_config(HIGH, &[])?, display.create_config(HIGH, &[])?];
    foreign.iter().try_for_each(|&id| refuse(&other, id))
}

fn stale_ids() -> Outcome {
    let display = Display::x11()?;
    let config = display.create_config(HIGH, &[])?;
    let target = surface(&display)?;
    let context = display.create_context(config, SIZE, &[])?;
    let buffer = display.create_buffer(context, va::VASliceDataBufferType, &[0_u8; 4])?;
    let image = display.create_image(va::VA_FOURCC_NV12, SIZE)?;
    display.destroy_image(image.image_id)?;
    display.destroy_buffer(buffer)?;
    display.destroy_context(context)?;
    display.destroy_surfaces(&[target])?;
    display.destroy_config(config)?;
    for id in [config, target, context, buffer, image.image_id, image.buf] {
        refuse(&display, id)?;
    }
    // Some of a list may be stale: the others are destroyed.
    let alive = surface(&display)?;
    let destroyed = display.destroy_surfaces(&[target, alive]);
    expect("vaDestroySurfaces", destroyed, va::VA_STATUS_ERROR_INVALID_SURFACE)?;
    expect(
        "vaSyncSurface",
        display.sync_surface(alive),
        va::VA_STATUS_ERROR_INVALID_SURFACE,
    )
}

fn surfaces() -> Outcome {
    let display = Display::x11()?;
    let nv12 = (va::VASurfaceAttribPixelFormat, va::VA_FOURCC_NV12);
    let own = (va::VASurfaceAttribMemoryType, va::VA_SURFACE_ATTRIB_MEM_TYPE_VA);
    let hint = (va::VASurfaceAttribUsageHint, va::VA_SURFACE_ATTRIB_USAGE_HINT_DECODER);
    let create = |format, size, attributes: &[_]| display.create_surfaces(format, size, 4, attributes);
    let yuv420 = va::VA_RT_FORMAT_YUV420;
    for attributes in [&[][..], &[nv12], &[nv12, own, hint], &[hint]] {
        let made = create(yuv420, SIZE, attributes)?;
        for &surface in &made {
            require(
                "a new surface is ready",
                display.surface_status(surface)? == va::VASurfaceReady,
            )?;
            display.sync_surface(surface)?;
            display.sync_surface_within(surface, Duration::ZERO)?;
            let nothing_wrong = display.surface_error(surface);
            expect(
                "vaQuerySurfaceError",
                nothing_wrong,
                va::VA_STATUS_ERROR_INVALID_PARAMETER,
            )?;
        }
        display.destroy_surfaces(&made)?;
    }
    let rgb = (va::VASurfaceAttribPixelFormat, va::VA_FOURCC_BGRX);
    let refused = va::VA_STATUS_ERROR_ATTR_NOT_SUPPORTED;
    expect("a surface of BGRX", create(yuv420, SIZE, &[rgb]), refused)?;
    let user = (va::VASurfaceAttribMemoryType, va::VA_SURFACE_ATTRIB_MEM_TYPE_USER_PTR);
    expect("a surface in user memory", create(yuv420, SIZE, &[user]), refused)?;
    let format = va::VA_STATUS_ERROR_UNSUPPORTED_RT_FORMAT;
    expect("a surface of 4:4:4", create(va::VA_RT_FORMAT_YUV444, SIZE, &[]), format)?;
    expect("a surface of nothing", create(0, SIZE, &[]), format)?;
    for size in [(0, 48), (64, 0), (64, u32::MAX), (1 << 20, 48)] {
        let size_error = va::VA_STATUS_ERROR_RESOLUTION_NOT_SUPPORTED;
        expect("a surface beyond all measure", create(yuv420, size, &[]), size_error)?;
    }
    let config = display.create_config(HIGH, &[])?;
    let large = display.create_context(config, (16_000, 16_000), &[]);
    expect(
        "a context beyond the device",
        large,
        va::VA_STATUS_ERROR_RESOLUTION_NOT_SUPPORTED,
    )?;
    let none = display.create_context(config, (0, 16), &[]);
    expect("a context of nothing", none, va::VA_STATUS_ERROR_INVALID_PARAMETER)
}

fn buffers() -> Outcome {
    let display = Display::x11()?;
    let config = display.create_config(HIGH, &[])?;
    let context = display.create_context(config, SIZE, &[])?;
    let data = va::VASliceDataBufferType;
    let buffer = display.create_buffer(context, data, &[1_u8, 2, 3, 4])?;
    require(
        "a buffer is what it was made",
        display.buffer_info(buffer)? == (data, 1, 4),
    )?;
    require(
        "a buffer has its contents",
        display.read_buffer(buffer)? == [1, 2, 3, 4],
    )?;
    display.fill_buffer(buffer, &[9_u8, 8])?;
    require("a buffer is written", display.read_buffer(buffer)? == [9, 8, 3, 4])?;
    require(
        "an address stays",
        display.map_buffer(buffer)? == display.map_buffer(buffer)?,
    )?;
    display.unmap_buffer(buffer)?;
    display.set_elements(buffer, 2)?;
    require("fewer elements", display.read_buffer(buffer)? == [9, 8])?;
    display.set_elements(buffer, 4)?;
    for count in [5, u32::MAX] {
        let more = display.set_elements(buffer, count);
        expect(
            "more elements than there is room for",
            more,
            va::VA_STATUS_ERROR_INVALID_PARAMETER,
        )?;
    }
    let empty = display.create_empty_buffer(context, data, (16, 2))?;
    require("a new buffer is empty", display.read_buffer(empty)? == [0; 32])?;
    let huge = display.create_empty_buffer(context, data, (u32::MAX, u32::MAX));
    expect(
        "a buffer beyond all measure",
        huge,
        va::VA_STATUS_ERROR_ALLOCATION_FAILED,
    )?;
    for kind in [va::VAEncCodedBufferType, va::VAImageBufferType, 9999] {
        let other = display.create_empty_buffer(context, kind, (16, 1));
        expect(
            "a buffer that no decoder has",
            other,
            va::VA_STATUS_ERROR_UNSUPPORTED_BUFFERTYPE,
        )?;
    }
    expect(
        "vaAcquireBufferHandle",
        display.acquire_buffer(buffer),
        va::VA_STATUS_ERROR_UNIMPLEMENTED,
    )?;
    display.destroy_context(context)?;
    // Buffers belong to the display.
    display.destroy_buffer(buffer)?;
    Ok(display.destroy_buffer(empty)?)
}

fn images() -> Outcome {
    let display = Display::x11()?;
    let invalid = va::VA_STATUS_ERROR_INVALID_PARAMETER;
    for fourcc in [va::VA_FOURCC_BGRX, va::VA_FOURCC_444P, 0] {
        let image = display.create_image(fourcc, SIZE);
        expect("vaCreateImage", image, va::VA_STATUS_ERROR_INVALID_IMAGE_FORMAT)?;
    }
    for size in [(0, 48), (64, 0), (u32::MAX, 48), (1 << 20, 1 << 20)] {
        expect("vaCreateImage", display.create_image(va::VA_FOURCC_NV12, size), invalid)?;
    }
    let target = surface(&display)?;
    let image = display.create_image(va::VA_FOURCC_NV12, SIZE)?;
    let bytes: Vec<_> = (0..image.data_size).map(|n| n as u8).collect();
    display.fill_buffer(image.buf, &bytes)?;
    display.put_image(target, image.image_id, SIZE)?;
    let back = display.create_image(va::VA_FOURCC_NV12, SIZE)?;
    display.get_image(target, SIZE, back.image_id)?;
    let rows = |image: &va::VAImage| -> Outcome<Vec<u8>> {
        let bytes = display.read_buffer(image.buf)?;
        let planes = [
            (image.offsets[0], image.pitches[0], 48),
            (image.offsets[1], image.pitches[1], 24),
        ];
        let row = |offset: u32, pitch: u32, y: u32| (offset + y * pitch) as usize;
        let rows = planes
            .iter()
            .flat_map(|&(offset, pitch, height)| (0..height).map(move |y| row(offset, pitch, y)));
        Ok(rows.flat_map(|start| bytes[start..start + 64].to_vec()).collect())
    };
    require("what goes into a surface comes out", rows(&image)? == rows(&back)?)?;
    let derived = display.derive_image(target)?;
    require("and is its memory", rows(&derived)? == rows(&image)?)?;
    for size in [(66, 48), (64, 50), (0, 48), (u32::MAX, 2)] {
        expect("vaGetImage", display.get_image(target, size, back.image_id), invalid)?;
    }
    let small = display.create_image(va::VA_FOURCC_NV12, (32, 32))?;
    expect("vaGetImage", display.get_image(target, SIZE, small.image_id), invalid)?;
    let into_derived = display.get_image(target, SIZE, derived.image_id);
    expect("vaGetImage", into_derived, va::VA_STATUS_ERROR_INVALID_IMAGE)?;
    expect(
        "vaUnmapBuffer",
        display.unmap_buffer(derived.buf),
        va::VA_STATUS_ERROR_OPERATION_FAILED,
    )?;
    // The image keeps the memory, whatever becomes of the surface.
    display.destroy_surfaces(&[target])?;
    require("an image outlives its surface", rows(&derived)? == rows(&image)?)?;
    display.destroy_buffer(back.buf)?;
    for id in [image, back, derived, small] {
        display.destroy_image(id.image_id)?;
    }
    Ok(())
}

fn pictures() -> Outcome {
    let display = Display::x11()?;
    let config = display.create_config(HIGH, &[])?;
    let context = display.create_context(config, SIZE, &[])?;
    let target = surface(&display)?;
    let failed = va::VA_STATUS_ERROR_OPERATION_FAILED;
    expect(
        "vaEndPicture before vaBeginPicture",
        display.end_picture(context),
        failed,
    )?;
    let data = display.create_buffer(context, va::VASliceDataBufferType, &[0x65_u8, 0x88])?;
    expect(
        "vaRenderPicture before vaBeginPicture",
        display.render_picture(context, &[data]),
        failed,
    )?;
    display.begin_picture(context, target)?;
    let invalid_buffer = va::VA_STATUS_ERROR_INVALID_BUFFER;
    expect(
        "a buffer of nothing",
        display.render_picture(context, &[target]),
        invalid_buffer,
    )?;
    expect("an empty picture", display.end_picture(context), invalid_buffer)?;
    // Begun twice: the first is given up.
    display.begin_picture(context, target)?;
    display.begin_picture(context, target)?;
    let image = display.create_image(va::VA_FOURCC_NV12, SIZE)?;
    let unsupported = va::VA_STATUS_ERROR_UNSUPPORTED_BUFFERTYPE;
    expect(
        "samples as a parameter",
        display.render_picture(context, &[image.buf]),
        unsupported,
    )?;
    let picture = va::VAPictureParameterBufferH264 {
        picture_width_in_mbs_minus1: u16::MAX,
        picture_height_in_mbs_minus1: u16::MAX,
        ..Default::default()
    };
    let parameters = display.create_buffer(context, va::VAPictureParameterBufferType, &[picture])?;
    display.render_picture(context, &[parameters, data])?;
    expect(
        "a picture of no size",
        display.end_picture(context),
        va::VA_STATUS_ERROR_INVALID_PARAMETER,
    )?;
    // What went wrong is no reason to hang or to be in use for ever.
    display.sync_surface(target)?;
    display.destroy_surfaces(&[target])?;
    Ok(display.destroy_context(context)?)
}

/// An IDR slice of a picture that no profile on offer has.
fn users_are_told() -> Outcome {
    let display = Display::x11()?;
    let config = display.create_config(HIGH, &[])?;
    let context = display.create_context(config, SIZE, &[])?;
    let target = surface(&display)?;
    let mut picture = va::VAPictureParameterBufferH264 {
        bit_depth_luma_minus8: 2,
        bit_depth_chroma_minus8: 2,
        picture_width_in_mbs_minus1: 3,
        picture_height_in_mbs_minus1: 2,
        ..Default::default()
    };
    picture.CurrPic.picture_id = target;
    let before = display.messages().len();
    for _ in 0..3 {
        let parameters = display.create_buffer(context, va::VAPictureParameterBufferType, &[picture])?;
        let data = [0x65_u8, 0xb8, 0x40, 0xff, 0xff];
        let slice = va::VASliceParameterBufferH264 {
            slice_data_size: data.len() as u32,
            slice_type: 2,
            ..Default::default()
        };
        let slice = display.create_buffer(context, va::VASliceParameterBufferType, &[slice])?;
        let data = display.create_buffer(context, va::VASliceDataBufferType, &data)?;
        display.begin_picture(context, target)?;
        display.render_picture(context, &[parameters, slice, data])?;
        expect(
            "10 bits as High",
            display.end_picture(context),
            va::VA_STATUS_ERROR_UNSUPPORTED_PROFILE,
        )?;
    }
    let messages = display.messages().split_off(before);
    match messages.as_slice() {
        [only] if only.contains("more than 8 bits") => Ok(()),
        other => Err(format!("a user is told {other:?}").into()),
    }
}

/// By the info callback: the application goes on alone, which is no error.
fn users_are_told_why() -> Outcome {
    let Err(error) = Display::x11() else {
        return Err("vaInitialize succeeds without a decoder".into());
    };
    let text = error.to_string();
    let of_driver = text.lines().filter(|line| line.starts_with("fourier: ")).count();
    require(&format!("one line of the driver's: {text}"), of_driver == 1)?;
    require(&format!("it names the device: {text}"), text.contains("/dev/null"))
}

fn from_many_threads() -> Outcome {
    let all: [fn() -> Outcome; 6] = [queries, wrong_ids, stale_ids, surfaces, buffers, images];
    let shared = Display::x11()?;
    thread::scope(|scope| {
        let own = all.map(|run| scope.spawn(run));
        let of_one_display: Vec<_> = (0..4)
            .map(|n| {
                let shared = &shared;
                scope.spawn(move || -> Outcome {
                    for _ in 0..20 {
                        refuse(shared, 0x00ff_0000 + n)?;
                        let target = surface(shared)?;
                        let image = shared.derive_image(target)?;
                        shared.destroy_surfaces(&[target])?;
                        refuse(shared, target)?;
                        shared.destroy_image(image.image_id)?;
                    }
                    Ok(())
                })
            })
            .collect();
        for thread in own.into_iter().chain(of_one_display) {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(())
    })
}
