//! What an application was given of a surface is its own: other descriptors each time, the same memory for the surface's
//! life, and no less when surface, context and display are gone.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use fourier_core::device::discovery::{ENVIRONMENT, open_device};
use fourier_core::units::Size;
use fourier_tests::Outcome;
use fourier_tests::encode::{self, Recipe};
use fourier_tests::picture::{Digester, Plane};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use vaclient::{ClientMemory, Decoder, Display, Export, Habits, Picture, Shown, Status, Vgem, va};

use crate::NODE;
use crate::client::{self, Case, Ground};

pub const CASES: &[Case] = &[
    Case {
        name: "each export has descriptors of its own on the same memory",
        ground: Ground::Any,
        environment: &[],
        run: same_memory,
    },
    Case {
        name: "exports outlive surface, context and display",
        ground: Ground::Any,
        environment: &[],
        run: outlive_all,
    },
    Case {
        name: "an export shows pictures of fields although it was made for frames",
        ground: Ground::Any,
        environment: &[],
        run: another_layout,
    },
    Case {
        name: "a reader that never ends delays decoding for a second",
        ground: Ground::Any,
        environment: &[],
        run: readers_that_stay,
    },
    Case {
        name: "a reader that ends is awaited",
        ground: Ground::Any,
        environment: &[],
        run: readers_that_end,
    },
    Case {
        name: "memory of the application is exported where the device has no dma-bufs",
        ground: Ground::Soft,
        environment: &[],
        run: only_the_applications,
    },
];

/// How many surfaces are enough for any stream of these sizes.
const SURFACES: usize = 18;

/// Whether pictures are decoded, not drawn.
fn is_exact() -> Outcome<bool> {
    Ok(std::env::var(ENVIRONMENT)? == "soft")
}

fn digest(digester: &mut Digester, picture: &Picture, shown: &Shown) -> Outcome {
    let plane = |n: usize| Plane {
        bytes: picture.plane(n),
        pitch: picture.pitches[n],
    };
    Ok(digester.push(picture.fourcc, &[plane(0), plane(1)], shown.visible)?)
}

/// New surfaces, and an export of each.
fn exported(display: &Display, size: (u32, u32)) -> Outcome<(Vec<va::VASurfaceID>, HashMap<va::VASurfaceID, Export>)> {
    let surfaces = display.create_surfaces(va::VA_RT_FORMAT_YUV420, size, SURFACES, &[])?;
    let exports = surfaces.iter().map(|&id| Ok((id, Export::of(display, id)?)));
    let exports = exports.collect::<Result<_, Status>>()?;
    Ok((surfaces, exports))
}

/// Which memory the first object is.
fn identity(export: &Export) -> Outcome<(u64, u64)> {
    let fd = export.memory().fds.first().ok_or("an export of nothing")?;
    let metadata = File::from(fd.try_clone()?).metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

fn must(what: &str, holds: bool) -> Outcome {
    if holds { Ok(()) } else { Err(what.into()) }
}

/// A surface shows that byte everywhere.
fn fill(display: &Display, surface: va::VASurfaceID, size: (u32, u32), byte: u8) -> Outcome {
    let image = display.create_image(va::VA_FOURCC_NV12, size)?;
    display.fill_buffer(image.buf, &vec![byte; image.data_size as usize])?;
    display.put_image(surface, image.image_id, size)?;
    Ok(display.destroy_image(image.image_id)?)
}

fn same_memory() -> Outcome {
    const SIZE: (u32, u32) = (192, 144);
    let display = client::display()?;
    let surfaces = display.create_surfaces(va::VA_RT_FORMAT_YUV420, SIZE, 2, &[])?;
    let [first, second, other] = [surfaces[0], surfaces[0], surfaces[1]].map(|id| Export::of(&display, id));
    let (first, second, other) = (first?, second?, other?);
    let number = |export: &Export| export.memory().fds.first().map(AsRawFd::as_raw_fd);
    must("descriptors of their own", number(&first) != number(&second))?;
    must("the same memory", identity(&first)? == identity(&second)?)?;
    must("the same layout", first.memory().layout == second.memory().layout)?;
    must(
        "memory of its own for each surface",
        identity(&first)? != identity(&other)?,
    )?;
    fill(&display, surfaces[0], SIZE, 7)?;
    let shows = |export: &Export, byte: u8| -> Outcome<bool> {
        let picture = export.read()?;
        Ok(picture.plane(0)[..SIZE.0 as usize].iter().all(|&sample| sample == byte))
    };
    must("both show what is put there", shows(&first, 7)? && shows(&second, 7)?)?;
    must("the other surface does not", shows(&other, 0)?)?;
    drop(first);
    fill(&display, surfaces[0], SIZE, 9)?;
    must("one lives when the other is closed", shows(&second, 9)?)?;
    let third = Export::of(&display, surfaces[0])?;
    must(
        "a later one is the same memory",
        identity(&second)? == identity(&third)?,
    )
}

fn outlive_all() -> Outcome {
    const SIZE: (u32, u32) = (192, 144);
    let stream = std::fs::read(client::clip()?)?;
    let display = client::display()?;
    let (surfaces, exports) = exported(&display, SIZE)?;
    let mut last = HashMap::new();
    let decoder = Decoder::new(&display, Habits::default()).with_surfaces(&surfaces, SIZE);
    decoder.decode(&stream, &mut |shown| {
        let export = exports.get(&shown.surface).ok_or("a surface without an export")?;
        let (mapped, copied) = (
            export.read()?,
            Picture::get(&display, shown.surface, shown.fourcc, SIZE)?,
        );
        let rows = 0..SIZE.1 as usize;
        let row = |picture: &Picture, y: usize| picture.plane(0)[y * picture.pitches[0]..][..SIZE.0 as usize].to_vec();
        let is_same = rows.into_iter().all(|y| row(&mapped, y) == row(&copied, y));
        must("an export shows what the surface shows", is_same && !shown.damaged)?;
        last.insert(shown.surface, mapped.bytes);
        Ok(())
    })?;
    must("several surfaces took turns", last.len() > 2)?;
    let all_are_as_they_were = |when: &str| -> Outcome {
        for (surface, bytes) in &last {
            let picture = exports.get(surface).ok_or("a surface without an export")?.read()?;
            must(when, picture.bytes == *bytes && bytes.iter().any(|&byte| byte != 0))?;
        }
        Ok(())
    };
    let gone = display.sync_surface(surfaces[0]);
    must("surfaces and context are gone", gone.is_err())?;
    all_are_as_they_were("an export outlives surface and context")?;
    drop(display);
    all_are_as_they_were("an export outlives the display")?;
    // Somebody else decodes meanwhile: the memory is nobody's to be used again.
    let other = client::display()?;
    Decoder::new(&other, Habits::default()).decode(&stream, &mut |_| Ok(()))?;
    all_are_as_they_were("an export is not used again")
}

/// 144 lines of frames are 160 of fields.
fn another_layout() -> Outcome {
    const FRAMES: u32 = 16;
    const SIZE: (u32, u32) = (192, 144);
    let stream = encode::encoded(&Recipe {
        name: "fields",
        size: Size {
            width: SIZE.0,
            height: SIZE.1,
        },
        frames: FRAMES,
        options: "--profile high --tff --bframes 2",
    })?;
    let (reference, _) = fourier_tests::core_decoder::digest(open_device(Some("soft"))?, &stream)?;
    let display = client::display()?;
    let (surfaces, exports) = exported(&display, SIZE)?;
    let (mut mapped, mut copied) = (Digester::default(), Digester::default());
    let decoder = Decoder::new(&display, Habits::default()).with_surfaces(&surfaces, SIZE);
    decoder.decode(&stream, &mut |shown| {
        let export = exports.get(&shown.surface).ok_or("a surface without an export")?;
        digest(&mut mapped, &export.read()?, shown)?;
        let picture = Picture::get(&display, shown.surface, shown.fourcc, shown.size)?;
        digest(&mut copied, &picture, shown)
    })?;
    let (mapped, copied) = (mapped.finish(), copied.finish());
    mapped.must_equal(&copied)?;
    match is_exact()? {
        true => mapped.must_equal(&reference)?,
        false => must("as many pictures", mapped.frames == reference.frames)?,
    }
    drop(display);
    let log = std::fs::read_to_string(std::env::var("FOURIER_LOG_FILE")?)?;
    let is_counted = log.contains(&format!(" refused=0 copied={FRAMES}\n"));
    must(&format!("{FRAMES} pictures are copied: {log}"), is_counted)
}

/// How long decoding into an exported surface waits for those who read it.
const PATIENCE: Duration = Duration::from_secs(1);
/// What the driver says when it waits no longer.
const IMPATIENT: &str = "although it is still being read";

/// Decodes with a job that reads the first surface, and is ended after `lasts`, or when the surface is shown.
fn decode_while_read(lasts: Option<Duration>) -> Outcome<Duration> {
    const SIZE: (u32, u32) = (192, 144);
    let stream = std::fs::read(client::clip()?)?;
    let display = client::display()?;
    let (surfaces, exports) = exported(&display, SIZE)?;
    let read = exports.get(&surfaces[0]).ok_or("a surface without an export")?.memory();
    let vgem = Vgem::open(std::env::var(NODE)?.as_ref())?;
    let fd = read.fds.first().ok_or("an export of nothing")?;
    let (start, job) = (Instant::now(), vgem.begin_reading(fd.as_fd())?);
    must("a job reads the surface", !read.readers_done()?)?;
    let (mut first_shown, mut was_read) = (None, false);
    std::thread::scope(|scope| -> Outcome {
        let ended = lasts.map(|lasts| {
            let (vgem, job) = (&vgem, &job);
            scope.spawn(move || {
                std::thread::sleep(lasts);
                vgem.end_reading(job)
            })
        });
        let decoder = Decoder::new(&display, Habits::default()).with_surfaces(&surfaces, SIZE);
        decoder.decode(&stream, &mut |shown| {
            must("a whole picture", !shown.damaged)?;
            if shown.surface == surfaces[0] && first_shown.is_none() {
                first_shown = Some(start.elapsed());
                was_read = !read.readers_done()?;
                if lasts.is_none() && was_read {
                    vgem.end_reading(&job)?;
                }
            }
            Ok(())
        })?;
        ended.map_or(Ok(()), |ended| ended.join().map_err(|_| "a thread that panicked")?)
    })?;
    let shown_after = first_shown.ok_or("the first surface is never shown")?;
    let log = std::fs::read_to_string(std::env::var("FOURIER_LOG_FILE")?)?;
    let warnings = log.matches(IMPATIENT).count();
    // Whoever did not wait to the end waited to the bound, and says so.
    match (was_read, warnings) {
        (true, 1) if shown_after >= PATIENCE => Ok(shown_after),
        (false, 0) => Ok(shown_after),
        // The job may end just after the bound.
        (false, 1) if shown_after >= PATIENCE => Ok(shown_after),
        _ => Err(format!("shown after {shown_after:?}, read by then: {was_read}, warnings: {warnings}").into()),
    }
}

fn readers_that_stay() -> Outcome {
    let shown_after = decode_while_read(None)?;
    let log = std::fs::read_to_string(std::env::var("FOURIER_LOG_FILE")?)?;
    must("decoding waits for a second", shown_after >= PATIENCE)?;
    // vgem ends the job after ten.
    must("and no longer", log.contains(IMPATIENT))
}

fn readers_that_end() -> Outcome {
    const LASTS: Duration = Duration::from_millis(200);
    let shown_after = decode_while_read(Some(LASTS))?;
    must("decoding waits for a job that reads", shown_after >= LASTS)
}

/// Without udmabuf and dma-heaps the software node's memory is memfds: nothing to export, but the application has dma-bufs.
fn only_the_applications() -> Outcome {
    const SIZE: (u32, u32) = (192, 144);
    let memory = ClientMemory::allocate(SIZE, 64)?;
    // For this process alone.
    unshare(CloneFlags::CLONE_NEWNS)?;
    let (nothing, private) = (None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
    mount(nothing, "/", nothing, private, nothing)?;
    mount(Some("/dev/null"), "/dev/udmabuf", nothing, MsFlags::MS_BIND, nothing)?;
    mount(Some("none"), "/dev/dma_heap", Some("tmpfs"), MsFlags::empty(), nothing)?;

    let display = client::display()?;
    let own = display.create_surfaces(va::VA_RT_FORMAT_YUV420, SIZE, 1, &[])?;
    let unsupported = Status::of(va::VA_STATUS_ERROR_UNSUPPORTED_MEMORY_TYPE);
    let refused = Export::of(&display, own[0]).err() == Some(unsupported);
    must("the driver's memory is no dma-buf here", refused)?;
    let imported = display.import_surfaces(SIZE, 1, &memory.prime_2())?;
    let export = Export::of(&display, imported[0])?;
    let its_own = File::from(memory.fd.try_clone()?).metadata()?;
    must(
        "what is exported is the application's memory",
        identity(&export)? == (its_own.dev(), its_own.ino()),
    )?;
    let stream = std::fs::read(client::clip()?)?;
    let mut surfaces = imported.clone();
    surfaces.extend(display.create_surfaces(va::VA_RT_FORMAT_YUV420, SIZE, SURFACES, &[])?);
    let (reference, _) = fourier_tests::core_decoder::digest(open_device(Some("soft"))?, &stream)?;
    let (mut digester, mut seen) = (Digester::default(), 0);
    let decoder = Decoder::new(&display, Habits::default()).with_surfaces(&surfaces, SIZE);
    decoder.decode(&stream, &mut |shown| match shown.surface == imported[0] {
        true => {
            seen += 1;
            digest(&mut digester, &export.read()?, shown)
        }
        false => digest(
            &mut digester,
            &Picture::get(&display, shown.surface, shown.fourcc, shown.size)?,
            shown,
        ),
    })?;
    must("the surface took its turns", seen > 0)?;
    Ok(digester.finish().must_equal(&reference)?)
}
