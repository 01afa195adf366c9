//! Surfaces of memory that the application has: decoded into where the device can, copied to where not, refused where the
//! application is wrong about it.

use std::fs::File;
use std::os::fd::AsRawFd;

use fourier_core::device::discovery::ENVIRONMENT;
use fourier_tests::Outcome;
use fourier_tests::picture::{Digester, Plane};
use vaclient::{ClientMemory, Decoder, Display, External, Habits, MemoryHabit, Picture, Status, va};

use crate::client::{self, Case, FRAMES, Ground};

pub const CASES: &[Case] = &[
    Case {
        name: "pictures are decoded into memory of the application",
        ground: Ground::Any,
        environment: &[],
        run: decoded_into,
    },
    Case {
        name: "what an application says wrongly of its memory is refused",
        ground: Ground::Any,
        environment: &[],
        run: lies_are_refused,
    },
];

/// Rows as the device has them, and rows that are longer: those pictures are copied.
fn decoded_into() -> Outcome {
    let stream = std::fs::read(client::clip()?)?;
    // What visl draws depends on what it is told of times.
    let is_exact = std::env::var(ENVIRONMENT)? == "soft";
    let device = fourier_core::device::discovery::open_device(Some("soft"))?;
    let (reference, _) = fourier_tests::core_decoder::digest(device, &stream)?;
    for memory in [
        MemoryHabit::Prime(16),
        MemoryHabit::Prime2(16),
        MemoryHabit::Prime(1024),
        MemoryHabit::Prime2(1024),
    ] {
        let habits = Habits {
            memory,
            ..Habits::default()
        };
        let mut digester = Digester::default();
        let display = client::display()?;
        Decoder::new(&display, habits).decode(&stream, &mut |shown| {
            let picture = Picture::get(&display, shown.surface, shown.fourcc, shown.size)?;
            if shown.damaged || picture.bytes.iter().all(|&byte| byte == 0) {
                return Err(format!("a picture that is damaged or empty, {memory:?}").into());
            }
            let plane = |n: usize| Plane {
                bytes: picture.plane(n),
                pitch: picture.pitches[n],
            };
            Ok(digester.push(picture.fourcc, &[plane(0), plane(1)], shown.visible)?)
        })?;
        let decoded = digester.finish();
        if is_exact {
            decoded
                .must_equal(&reference)
                .map_err(|error| format!("{memory:?}: {error}"))?;
        } else if decoded.frames != reference.frames {
            return Err(format!("{} pictures of {}", decoded.frames, reference.frames).into());
        }
    }
    let log = std::fs::read_to_string(std::env::var("FOURIER_LOG_FILE")?)?;
    let counted = |copied: u32| log.matches(&format!(" refused=0 copied={copied}\n")).count();
    match (counted(0), counted(FRAMES)) {
        (2, 2) => Ok(()),
        _ => Err(format!("two of four times every picture is to be copied, two times none: {log}").into()),
    }
}

/// Each lie alone; the truth between them is believed.
fn lies_are_refused() -> Outcome {
    const SIZE: (u32, u32) = (192, 144);
    let display = client::display()?;
    let memory = ClientMemory::allocate(SIZE, 64)?;
    let no_memory = File::open("/dev/null")?;
    let closed = 1000;
    let with = |change: &dyn Fn(&mut va::VADRMPRIMESurfaceDescriptor)| {
        let mut descriptor = memory.descriptor();
        change(&mut descriptor);
        External::Prime2(Box::new(descriptor))
    };
    let buffers = |fds: &[usize]| match ClientMemory::prime(&[]) {
        External::Prime(mut buffers, _) => {
            (buffers.width, buffers.height) = SIZE;
            (buffers.pitches[0], buffers.pitches[1]) = (192, 192);
            buffers.offsets[1] = 192 * 144;
            External::Prime(buffers, fds.to_vec())
        }
        other => other,
    };
    let good = memory.fd.as_raw_fd() as usize;
    let invalid = va::VA_STATUS_ERROR_INVALID_PARAMETER;
    let unsupported = va::VA_STATUS_ERROR_UNSUPPORTED_MEMORY_TYPE;
    let lies = [
        (with(&|it| it.objects[0].fd = closed), 1, invalid),
        (with(&|it| it.objects[0].fd = -1), 1, invalid),
        (with(&|it| it.objects[0].fd = no_memory.as_raw_fd()), 1, unsupported),
        (with(&|it| it.objects[0].drm_format_modifier = 1), 1, unsupported),
        (with(&|it| it.num_objects = 5), 1, invalid),
        (with(&|it| it.num_layers = u32::MAX), 1, invalid),
        (with(&|it| it.num_layers = 1), 1, invalid),
        (with(&|it| it.layers[1].num_planes = u32::MAX), 1, invalid),
        (with(&|it| it.layers[1].object_index[0] = 1), 1, invalid),
        (with(&|it| it.layers[1].offset[0] = u32::MAX), 1, invalid),
        (with(&|it| it.layers[0].pitch[0] = u32::MAX), 1, invalid),
        (with(&|it| it.layers[0].pitch[0] = 191), 1, invalid),
        (with(&|it| it.fourcc = va::VA_FOURCC_P010), 1, invalid),
        (with(&|it| it.height = 143), 1, invalid),
        (with(&|_| ()), 2, invalid),
        (buffers(&[good]), 2, invalid),
        (buffers(&[good, closed as usize]), 2, invalid),
        (buffers(&[no_memory.as_raw_fd() as usize]), 1, unsupported),
        (buffers(&[usize::MAX]), 1, invalid),
        (External::Nowhere(va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME), 1, invalid),
        (
            External::Nowhere(va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2),
            1,
            invalid,
        ),
        (
            External::Nowhere(1 << 30 | 1 << 12),
            1,
            va::VA_STATUS_ERROR_ATTR_NOT_SUPPORTED,
        ),
    ];
    for (lie, count, expected) in lies {
        match display.import_surfaces(SIZE, count, &lie) {
            Err(status) if status == Status::of(expected) => {}
            other => return Err(format!("{lie:?} is answered {other:?}, not {}", Status::of(expected)).into()),
        }
    }
    for truth in [
        with(&|it| it.objects[0].drm_format_modifier = 0x00ff_ffff_ffff_ffff),
        buffers(&[good]),
    ] {
        shows_what_is_put(&display, SIZE, &truth)?;
    }
    Ok(())
}

/// Such a surface keeps what is put into it.
fn shows_what_is_put(display: &Display, size: (u32, u32), memory: &External) -> Outcome {
    let surfaces = display.import_surfaces(size, 1, memory)?;
    let image = display.create_image(va::VA_FOURCC_NV12, size)?;
    let bytes: Vec<u8> = (0..image.data_size).map(|n| (n % 251) as u8).collect();
    display.fill_buffer(image.buf, &bytes)?;
    display.put_image(surfaces[0], image.image_id, size)?;
    let picture = Picture::get(display, surfaces[0], va::VA_FOURCC_NV12, size)?;
    display.destroy_image(image.image_id)?;
    display.destroy_surfaces(&surfaces)?;
    match picture.bytes == bytes {
        true => Ok(()),
        false => Err("another picture than was put there".into()),
    }
}
