//! Layouts of every kind, shared and copied, compared with GStreamer's own reading of them.

use super::*;
use fourier_core::memory::{MemoryKind, PlaneLayout};
use fourier_core::units::Size;
use gst_video::prelude::*;
use std::io::Write;

const CODED: Size = Size { width: 64, height: 48 };

/// NV12 in which every luma byte is `x + 100 * (y & 1)`, and every chroma byte is 7.
fn frame(pitch: usize, objects: usize) -> Arc<FrameMemory> {
    let (luma, chroma) = (pitch * CODED.height as usize, pitch * CODED.height as usize / 2);
    let mut bytes = vec![7; luma + chroma];
    for (y, row) in bytes[..luma].chunks_mut(pitch).enumerate() {
        for (x, sample) in row.iter_mut().enumerate() {
            *sample = x as u8 + 100 * (y & 1) as u8;
        }
    }
    let parts = if objects == 1 {
        vec![&bytes[..]]
    } else {
        vec![&bytes[..luma], &bytes[luma..]]
    };
    let memfd = |part: &&[u8]| {
        let fd = fourier_core::sys::memfd_create(part.len()).unwrap();
        std::fs::File::from(fd.try_clone().unwrap()).write_all(part).unwrap();
        fd
    };
    let chroma_at = if objects == 1 { (0, luma) } else { (1, 0) };
    Arc::new(FrameMemory {
        fds: parts.iter().map(memfd).collect(),
        kind: MemoryKind::MemFd,
        layout: FrameLayout {
            fourcc: u32::from_le_bytes(*b"NV12"),
            modifier: Some(0),
            size: CODED,
            planes: [(0, 0), chroma_at]
                .map(|(object, offset)| PlaneLayout { object, offset, pitch })
                .to_vec(),
            object_lengths: parts.iter().map(|part| part.len()).collect(),
        },
    })
}

fn presentation(visible: Rect, downstream: Downstream) -> Presentation {
    gst::init().unwrap();
    let Size { width, height } = visible.size;
    let info = VideoInfo::builder(gst_video::VideoFormat::Nv12, width, height)
        .build()
        .unwrap();
    Presentation {
        info,
        visible,
        downstream,
        is_dmabuf: false,
    }
}

const ALL: Rect = Rect {
    x: 0,
    y: 0,
    size: CODED,
};
const CROPPED: Rect = Rect {
    x: 4,
    y: 6,
    size: Size { width: 36, height: 30 },
};
const PLAIN: Downstream = Downstream {
    video_meta: false,
    crop_meta: false,
    min_buffers: 0,
};
const STRIDES: Downstream = Downstream {
    video_meta: true,
    ..PLAIN
};
const CROPS: Downstream = Downstream {
    crop_meta: true,
    ..STRIDES
};

/// Luma of the visible picture as a reader of GstVideoMeta sees it.
fn luma(presentation: &Presentation, buffer: gst::Buffer) -> Vec<Vec<u8>> {
    let frame = gst_video::VideoFrame::from_buffer_readable(buffer, &presentation.info).unwrap();
    let stride = frame.plane_stride()[0] as usize;
    let rows = frame
        .plane_data(0)
        .unwrap()
        .chunks(stride)
        .take(frame.height() as usize);
    rows.map(|row| row[..frame.width() as usize].to_vec()).collect()
}

fn expected_luma(rect: Rect) -> Vec<Vec<u8>> {
    let row = |y: u32| {
        (rect.x..rect.x + rect.size.width)
            .map(|x| x as u8 + 100 * (y & 1) as u8)
            .collect()
    };
    (rect.y..rect.y + rect.size.height).map(row).collect()
}

#[test]
fn a_shared_picture_is_read_through_its_strides_and_offsets() {
    for (objects, rect) in [(1, ALL), (1, CROPPED), (2, CROPPED)] {
        let presentation = presentation(rect, STRIDES);
        let memory = frame(80, objects);
        assert!(presentation.can_share(&memory.layout));
        let buffer = presentation.share(&memory, &()).unwrap();
        assert_eq!(
            luma(&presentation, buffer),
            expected_luma(rect),
            "{objects} objects, {rect:?}"
        );
    }
}

#[test]
fn a_crop_goes_out_as_crop_meta_where_downstream_reads_it() {
    let buffer = presentation(CROPPED, CROPS).share(&frame(80, 1), &()).unwrap();
    assert_eq!(
        buffer.meta::<gst_video::VideoCropMeta>().unwrap().rect(),
        (4, 6, 36, 30)
    );
    let meta = buffer.meta::<gst_video::VideoMeta>().unwrap();
    assert_eq!(
        (meta.width(), meta.height(), meta.offset()),
        (64, 48, &[0, 80 * 48][..])
    );
    let uncropped = presentation(ALL, CROPS).share(&frame(80, 1), &()).unwrap();
    assert!(uncropped.meta::<gst_video::VideoCropMeta>().is_none());
}

#[test]
fn without_video_meta_only_default_strides_are_shared() {
    assert!(presentation(ALL, PLAIN).can_share(&frame(64, 1).layout));
    assert!(!presentation(ALL, PLAIN).can_share(&frame(80, 1).layout));
    assert!(!presentation(ALL, PLAIN).can_share(&frame(64, 2).layout));
    assert!(!presentation(CROPPED, PLAIN).can_share(&frame(64, 1).layout));
    let buffer = presentation(ALL, PLAIN).share(&frame(64, 1), &()).unwrap();
    assert_eq!(buffer.size(), 64 * 48 * 3 / 2);
}

#[test]
fn a_copy_has_default_strides_and_only_the_visible_picture() {
    for objects in [1, 2] {
        let presentation = presentation(CROPPED, PLAIN);
        let mut buffer = gst::Buffer::with_size(presentation.info.size()).unwrap();
        presentation
            .copy(&frame(80, objects), buffer.get_mut().unwrap())
            .unwrap();
        assert_eq!(buffer.map_readable().unwrap()[presentation.info.offset()[1]], 7);
        assert_eq!(luma(&presentation, buffer), expected_luma(CROPPED));
    }
}

/// The same picture in tiles of 4x4, as dma-bufs or not.
fn tiled_frame() -> Arc<FrameMemory> {
    let rows = Arc::into_inner(frame(64, 1)).unwrap();
    let memory = Arc::new(rows);
    let linear = memory.read().unwrap().object(0).unwrap().to_vec();
    let mut tiled = Vec::with_capacity(linear.len());
    // Luma and chroma have the same tiles, and luma ends with a whole row of them.
    for top in (0..linear.len() / 64).step_by(4) {
        for left in (0..64).step_by(4) {
            (top..top + 4).for_each(|y| tiled.extend(&linear[y * 64 + left..][..4]));
        }
    }
    let fd = memory.fds[0].try_clone().unwrap();
    let mut file = std::fs::File::from(fd);
    std::io::Seek::rewind(&mut file).unwrap();
    file.write_all(&tiled).unwrap();
    let memory = Arc::into_inner(memory).unwrap();
    let layout = FrameLayout {
        modifier: Some(fourier_core::memory::tile::MODIFIER_VIVANTE_TILED),
        ..memory.layout
    };
    Arc::new(FrameMemory { layout, ..memory })
}

#[test]
fn tiles_are_shared_as_dma_bufs_only_and_else_copied_into_rows() {
    let tiled = tiled_frame();
    for rect in [ALL, CROPPED] {
        for downstream in [PLAIN, STRIDES, CROPS] {
            let mut presentation = presentation(rect, downstream);
            assert!(!presentation.can_share(&tiled.layout));
            let mut buffer = gst::Buffer::with_size(presentation.info.size()).unwrap();
            presentation.copy(&tiled, buffer.get_mut().unwrap()).unwrap();
            assert_eq!(luma(&presentation, buffer), expected_luma(rect));
            presentation.is_dmabuf = true;
            let is_described = downstream.video_meta && (rect == ALL || downstream.crop_meta);
            assert_eq!(
                presentation.can_share(&tiled.layout),
                is_described,
                "{rect:?} {downstream:?}"
            );
        }
    }
}

#[test]
fn a_layout_that_exceeds_its_memory_is_an_error() {
    let memory = Arc::into_inner(frame(80, 1)).unwrap();
    let mut layout = memory.layout.clone();
    layout.planes[1].offset += 80 * 20;
    let memory = Arc::new(FrameMemory { layout, ..memory });
    let presentation = presentation(ALL, PLAIN);
    let mut buffer = gst::Buffer::with_size(presentation.info.size()).unwrap();
    presentation.copy(&memory, buffer.get_mut().unwrap()).unwrap_err();
}

/// `P010` made by GStreamer of what is in `buffer`.
fn converted(presentation: &Presentation, buffer: &gst::Buffer) -> Vec<u16> {
    let info = &presentation.info;
    let p010 = VideoInfo::builder(gst_video::VideoFormat::P01010le, info.width(), info.height())
        .build()
        .unwrap();
    let mut config = gst_video::VideoConverterConfig::new();
    config.set_dither_method(gst_video::VideoDitherMethod::None);
    let converter = gst_video::VideoConverter::new(info, &p010, Some(config)).unwrap();
    let source = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, info).unwrap();
    let mut target = gst::Buffer::with_size(p010.size()).unwrap();
    let mut writable = gst_video::VideoFrameRef::from_buffer_ref_writable(target.get_mut().unwrap(), &p010).unwrap();
    converter.frame_ref(&source, &mut writable);
    drop(writable);
    let bytes = target.map_readable().unwrap();
    bytes
        .chunks(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]) >> 6)
        .collect()
}

/// NV15 of 48x16 in rows of 64 bytes: the sample in column `x` of row `y` of luma, and of the rows of chroma after
/// them, is `17 * x + 31 * y` of ten bits.
fn packed_frame() -> Arc<FrameMemory> {
    const PITCH: usize = 64;
    let mut bytes = vec![0; PITCH * 24];
    for (y, row) in bytes.chunks_mut(PITCH).enumerate() {
        for x in 0..48 {
            let sample = packed_sample(x, y);
            let (byte, shift) = (x * 10 / 8, x * 10 % 8);
            row[byte] |= (sample << shift) as u8;
            row[byte + 1] |= (sample >> (8 - shift)) as u8;
        }
    }
    let fd = fourier_core::sys::memfd_create(bytes.len()).unwrap();
    std::fs::File::from(fd.try_clone().unwrap()).write_all(&bytes).unwrap();
    let plane = |offset| PlaneLayout {
        object: 0,
        offset,
        pitch: PITCH,
    };
    Arc::new(FrameMemory {
        fds: vec![fd],
        kind: MemoryKind::MemFd,
        layout: FrameLayout {
            fourcc: u32::from_le_bytes(*b"NV15"),
            modifier: Some(0),
            size: Size { width: 48, height: 16 },
            planes: vec![plane(0), plane(PITCH * 16)],
            object_lengths: vec![bytes.len()],
        },
    })
}

fn packed_sample(x: usize, y: usize) -> u16 {
    (17 * x + 31 * y) as u16 & 0x3FF
}

/// A rectangle of [`packed_frame`], 42x12 from `x` and row 2 on.
fn packed_presentation(x: u32, downstream: Downstream) -> Presentation {
    gst::init().unwrap();
    let size = Size { width: 42, height: 12 };
    Presentation {
        info: VideoInfo::builder(gst_video::VideoFormat::Nv1210le40, size.width, size.height)
            .build()
            .unwrap(),
        visible: Rect { x, y: 2, size },
        ..presentation(ALL, downstream)
    }
}

#[test]
fn ten_bits_packed_across_bytes_are_shared_and_copied_as_gstreamer_reads_them() {
    let memory = packed_frame();
    let row = |y: usize| (4..46).map(move |x| packed_sample(x, y));
    // Two rows of luma are cut off, and one of chroma, which begins after the 16 of luma.
    let expected: Vec<u16> = (2..14).chain(17..23).flat_map(row).collect();
    let presentation = packed_presentation(4, STRIDES);
    assert!(presentation.can_share(&memory.layout));
    let shared = presentation.share(&memory, &()).unwrap();
    assert_eq!(converted(&presentation, &shared), expected);
    let mut copy = gst::Buffer::with_size(presentation.info.size()).unwrap();
    presentation.copy(&memory, copy.get_mut().unwrap()).unwrap();
    assert_eq!(converted(&presentation, &copy), expected);
}

#[test]
fn a_crop_within_a_byte_goes_out_as_crop_meta_only() {
    let memory = packed_frame();
    let presentation = packed_presentation(2, STRIDES);
    assert!(!presentation.can_share(&memory.layout));
    let mut copy = gst::Buffer::with_size(presentation.info.size()).unwrap();
    presentation.copy(&memory, copy.get_mut().unwrap()).unwrap_err();
    assert!(packed_presentation(2, CROPS).can_share(&memory.layout));
}
