//! How decoded frames become buffers: shared as they are, or copied to default strides.

use std::sync::Arc;

use fourier_core::memory::{FrameLayout, FrameMemory};
use fourier_core::units::Rect;
use gst::glib;
use gst_video::VideoInfo;

use super::downstream::Downstream;
use super::memory;

/// What downstream agreed to, for all frames of a format.
#[derive(Clone, Debug)]
pub(super) struct Presentation {
    /// The visible picture with default strides.
    pub(super) info: VideoInfo,
    /// Where it lies in the coded one.
    pub(super) visible: Rect,
    /// What the next elements can do.
    pub(super) downstream: Downstream,
    /// The caps promise dma-bufs: a copy is none.
    pub(super) is_dmabuf: bool,
}

/// One colour plane seen from a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plane {
    /// Index of the memory in the buffer.
    memory: usize,
    /// The byte and the row of the plane at which the rectangle begins.
    origin: (usize, usize),
    /// From the start of that memory to the first sample of the rectangle.
    offset: usize,
    /// From one row to the next.
    stride: usize,
    /// Bytes of a row, and rows, of the visible picture.
    row: usize,
    rows: usize,
}

impl Presentation {
    /// Whether frames of `layout` can go out without a copy. Caps of system memory promise rows, and an offset cannot
    /// lead into the middle of a tile; dma-bufs say how they are tiled, and must be read by their strides.
    pub(super) fn can_share(&self, layout: &FrameLayout) -> bool {
        let from_origin = self.downstream.crop_meta || (self.visible.x, self.visible.y) == (0, 0);
        match (layout.is_linear(), self.is_dmabuf) {
            (true, _) if !from_origin && !self.begins_with_a_byte() => false,
            (true, true) => self.downstream.video_meta,
            (true, false) => self.downstream.video_meta || self.has_default_strides(layout),
            (false, true) => self.downstream.video_meta && from_origin,
            (false, false) => false,
        }
    }

    /// Without GstVideoMeta samples must lie where GStreamer's defaults say.
    fn has_default_strides(&self, layout: &FrameLayout) -> bool {
        layout.object_lengths.len() == 1
            && self
                .planes(layout)
                .zip(self.info.offset().iter().zip(self.info.stride()))
                .all(|(plane, (&offset, &stride))| {
                    plane.offset == offset && Some(plane.stride) == usize::try_from(stride).ok()
                })
    }

    /// Whether the visible picture begins with a byte of its own, as it does unless samples are packed across bytes.
    fn begins_with_a_byte(&self) -> bool {
        let samples = |i: usize| self.visible.x >> self.info.format_info().w_sub()[i];
        (0..self.info.n_components() as usize).all(|i| (samples(i) * bits_per_sample(&self.info, i)).is_multiple_of(8))
    }

    /// The planes of the visible rectangle.
    fn planes<'a>(&'a self, layout: &'a FrameLayout) -> impl Iterator<Item = Plane> + 'a {
        self.planes_of(layout, self.visible)
    }

    fn planes_of<'a>(&'a self, layout: &'a FrameLayout, rect: Rect) -> impl Iterator<Item = Plane> + 'a {
        let format = self.info.format_info();
        layout.planes.iter().enumerate().map(move |(index, plane)| {
            let components = || (0..format.n_components() as usize).filter(|&i| format.plane()[i] as usize == index);
            // Bytes of as many of its samples as there are in a row of so many columns.
            let bytes = |i: usize, columns: u32| {
                let samples = columns.div_ceil(1 << format.w_sub()[i]);
                (samples * bits_per_sample(&self.info, i)).div_ceil(8) as usize
            };
            // Where several lie in one plane, each row has room for the last sample of each.
            let row = components()
                .map(|i| bytes(i, rect.size.width))
                .max()
                .unwrap_or_default();
            let first = components().next().unwrap_or_default();
            let h_sub = format.h_sub()[first];
            let x = rect.x >> format.w_sub()[first] << format.w_sub()[first];
            let origin = (bytes(first, x), (rect.y >> h_sub) as usize);
            Plane {
                memory: plane.object,
                origin,
                offset: plane.offset + origin.1 * plane.pitch + origin.0,
                stride: plane.pitch,
                row,
                rows: (rect.size.height as usize).div_ceil(1 << h_sub),
            }
        })
    }

    /// A buffer over `memory`, which holds a clone of `frame` for as long as anybody has the memory.
    ///
    /// # Errors
    /// GStreamer refuses the memory.
    pub(super) fn share<F>(&self, memory: &Arc<FrameMemory>, frame: &F) -> Result<gst::Buffer, glib::BoolError>
    where
        F: Clone + Send + Sync + 'static,
    {
        let mut buffer = gst::Buffer::new();
        let writable = buffer
            .get_mut()
            .ok_or_else(|| glib::bool_error!("a new buffer is shared already"))?;
        for memory in memory::wrap(memory, frame)? {
            writable.append_memory(memory);
        }
        if self.downstream.video_meta {
            self.describe(writable, &memory.layout)?;
        } else {
            writable.set_size(self.info.size());
        }
        Ok(buffer)
    }

    /// Says where the picture lies: with GstVideoCropMeta where downstream reads it, else by moving the offsets.
    fn describe(&self, buffer: &mut gst::BufferRef, layout: &FrameLayout) -> Result<(), glib::BoolError> {
        let Rect { x, y, size } = self.visible;
        let crop = self.downstream.crop_meta && (x, y) != (0, 0);
        let rect = if crop {
            Rect {
                x: 0,
                y: 0,
                size: layout.size,
            }
        } else {
            self.visible
        };
        let mut starts = vec![0; layout.object_lengths.len()];
        for object in 1..starts.len() {
            starts[object] = starts[object - 1] + layout.object_lengths[object - 1];
        }
        let (mut offsets, mut strides) = (Vec::with_capacity(4), Vec::with_capacity(4));
        for plane in self.planes_of(layout, rect) {
            offsets.push(starts[plane.memory] + plane.offset);
            strides.push(i32::try_from(plane.stride).map_err(|_| glib::bool_error!("stride {}", plane.stride))?);
        }
        let (width, height) = (rect.size.width, rect.size.height);
        let flags = gst_video::VideoFrameFlags::empty();
        gst_video::VideoMeta::add_full(buffer, flags, self.info.format(), width, height, &offsets, &strides)?;
        if crop {
            gst_video::VideoCropMeta::add(buffer, (x, y, size.width, size.height));
        }
        Ok(())
    }

    /// Copies the visible picture of `memory`, tiled or not, to the default strides of `buffer`.
    ///
    /// # Errors
    /// One of them cannot be mapped, or is smaller than its layout says.
    pub(super) fn copy(&self, memory: &Arc<FrameMemory>, buffer: &mut gst::BufferRef) -> Result<(), glib::BoolError> {
        if !self.begins_with_a_byte() {
            return Err(glib::bool_error!("{:?} begins within a byte", self.visible));
        }
        let source = memory.read().map_err(|error| glib::bool_error!("{error}"))?;
        let mut target = buffer.map_writable()?;
        let defaults = self.info.offset().iter().zip(self.info.stride());
        for (index, (plane, (&offset, &stride))) in self.planes(&memory.layout).zip(defaults).enumerate() {
            let cut = || glib::bool_error!("{plane:?} exceeds its memory");
            let stride = stride.unsigned_abs() as usize;
            let to = target.get_mut(offset..).ok_or_else(cut)?;
            for y in 0..plane.rows {
                let to = to
                    .get_mut(y * stride..)
                    .and_then(|row| row.get_mut(..plane.row))
                    .ok_or_else(cut)?;
                let (x, top) = plane.origin;
                source.copy_row(index, (x, top + y), to).ok_or_else(cut)?;
            }
        }
        Ok(())
    }
}

/// From one sample of a component to the next in its row, in bits. Where samples are packed across bytes GStreamer's
/// pixel stride is 0, and those of the components of a plane take turns.
fn bits_per_sample(info: &VideoInfo, component: usize) -> u32 {
    let format = info.format_info();
    match format.pixel_stride()[component].unsigned_abs() {
        0 => {
            let in_plane = format.plane().iter().take(format.n_components() as usize);
            let sharing = in_plane.filter(|&&plane| plane == format.plane()[component]).count();
            format.depth()[component] * sharing as u32
        }
        bytes => bytes * 8,
    }
}

#[cfg(test)]
mod tests;
