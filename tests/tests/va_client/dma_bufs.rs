//! Surfaces as dma-bufs: what an application maps of them is what was decoded. Needs a DRM node and memory that is a
//! dma-buf: the test kernel has both.

use fourier_tests::Outcome;
use fourier_tests::vectors::Vector;
use vaclient::{Display, Exported, Habits, Picture, va};

use crate::calls::{SIZE, require};
use crate::streams::{self, Reading};
use crate::{Case, formats, load, open, orders};

/// One stream for each device of tiles.
const OUT_OF_TILES: [&str; 3] = ["FREXT01_JVC_D.264", "HCAFF1_HHI.264", "BA_MW_D.264"];

/// The cases.
pub fn cases(vectors: &[Vector]) -> Vec<Case> {
    let find = |name: &str| vectors.iter().find(|vector| vector.name == name).cloned();
    let rows = orders::STREAMS.iter().chain(&formats::DEEP_STREAMS);
    let rows = rows.filter_map(|name| find(name)).map(|vector| {
        Case::new(format!("{} is bit-exact in dma-bufs", vector.title()), move || {
            is_bit_exact(&vector)
        })
    });
    let tiled = OUT_OF_TILES.iter().zip(formats::TILED);
    let tiled = tiled
        .filter_map(|(name, device)| Some((find(name)?, device)))
        .map(|(vector, device)| {
            let title = format!("{} is bit-exact in dma-bufs of {device}", vector.title());
            Case::new(title, move || is_bit_exact(&vector)).on(device)
        });
    let at_once = load::different(vectors).map(|streams| {
        Case::new("eight different streams decode into dma-bufs at once", move || {
            load::decode_at_once(&open()?, &load::read(&streams)?, [Reading::Get, Reading::Export])
        })
    });
    let probes = Case::new("surfaces are dma-bufs before there is a context", probes);
    rows.chain(tiled).chain(at_once).chain([probes]).collect()
}

/// Exported when the surface is new, and once more when its picture is complete.
fn is_bit_exact(vector: &Vector) -> Outcome {
    let stream = streams::annex_b(&vector.path)?;
    for looks_before_decoding in [false, true] {
        let habits = Habits {
            looks_before_decoding,
            ..Habits::default()
        };
        let decoded = streams::digest(&open()?, &stream, habits, Reading::Export)?;
        decoded.must_equal(&vector.reference())?;
    }
    Ok(())
}

fn export(display: &Display, surface: va::VASurfaceID, flags: u32) -> Outcome<Exported> {
    let prime = va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2;
    Ok(display.export_surface(surface, prime, va::VA_EXPORT_SURFACE_READ_ONLY | flags)?)
}

fn probes() -> Outcome {
    let display = open()?;
    for (rt_format, fourcc, separate) in [
        (va::VA_RT_FORMAT_YUV420, *b"NV12", [*b"R8  ", *b"GR88"]),
        (va::VA_RT_FORMAT_YUV420_10, *b"P010", [*b"R16 ", *b"GR32"]),
    ] {
        let surface = display.create_surfaces(rt_format, SIZE, 1, &[])?[0];
        for (flags, layers) in [
            (va::VA_EXPORT_SURFACE_SEPARATE_LAYERS, &separate[..]),
            (va::VA_EXPORT_SURFACE_COMPOSED_LAYERS, &[fourcc]),
            (0, &[fourcc]),
        ] {
            let Exported { descriptor, objects } = export(&display, surface, flags)?;
            let found = descriptor.layers.iter().take(descriptor.num_layers as usize);
            let found: Vec<_> = found.map(|layer| layer.drm_format.to_le_bytes()).collect();
            require(&format!("layers of {flags}: {found:?}"), found == layers)?;
            require("its own fourcc", descriptor.fourcc.to_le_bytes() == fourcc)?;
            require("one piece", objects.len() == 1)?;
            require("rows", descriptor.objects[0].drm_format_modifier == 0)?;
        }
        let picture = Picture::export(&display, surface)?;
        require("a new surface is empty", picture.bytes.iter().all(|&byte| byte == 0))?;
        let image = display.create_image(u32::from_le_bytes(fourcc), SIZE)?;
        display.fill_buffer(image.buf, &vec![7_u8; image.data_size as usize])?;
        display.put_image(surface, image.image_id, SIZE)?;
        let picture = Picture::export(&display, surface)?;
        let row = &picture.plane(1)[..SIZE.0 as usize];
        require("an export is the surface's memory", row.iter().all(|&byte| byte == 7))?;
    }
    Ok(())
}
