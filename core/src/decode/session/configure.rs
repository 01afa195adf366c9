//! Formats and buffers: what the device must be able to do, the order it wants to be asked in, and the way back.

use std::os::fd::AsFd;
use std::sync::Arc;

use super::capture::QueueFrames;
use super::pictures::Pictures;
use super::recover::stop_streaming;
use super::submit::check_layout;
use super::{FrameNeeds, RING_SLOTS, Shared, Stream};
use crate::decode::controls;
use crate::decode::request::Request;
use crate::device::allocator::{NodeAllocator, Preference, Setup, StreamAllocator};
use crate::device::{
    Capabilities, Control, DecodeMode, DecoderNode, MemoryType, Queue, StartCode,
    format::{self, H264_SLICE},
};
use crate::h264::Sps;
use crate::memory::{Format, FrameAllocator, FrameMemory, PixelFormat, PlaneFormat};
use crate::pool::{Binding, BitstreamRing, Frame, FramePool, FrameSource, IndexSet, Interrupt, PoolLimits, lock};
use crate::sys::object;
use crate::units::Size;
use crate::{Error, Result};

/// CAPTURE buffers to import into: 16 references, a target and the requests in flight fit with room to spare.
const CAPTURE_BUFFERS: u32 = 32;

/// What of an SPS decides about formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    size: Size,
    chroma_format_idc: u8,
    bit_depth_luma_minus8: u8,
    bit_depth_chroma_minus8: u8,
}

impl Shape {
    pub fn of(sps: &Sps) -> Self {
        Self {
            size: sps.coded_size(),
            chroma_format_idc: sps.chroma_format_idc,
            bit_depth_luma_minus8: sps.bit_depth_luma_minus8,
            bit_depth_chroma_minus8: sps.bit_depth_chroma_minus8,
        }
    }
}

/// What node and session agreed on.
#[derive(Debug)]
pub(super) struct Agreement {
    mode: DecodeMode,
    start_code: StartCode,
    output: Format,
    capture: Format,
}

impl Agreement {
    /// The same for a scratch context.
    pub fn setup(&self, sps: &Sps) -> Setup {
        Setup {
            output: self.output.clone(),
            mode: self.mode,
            start_code: self.start_code,
            sps: controls::sps(sps),
            capture: self.capture.clone(),
        }
    }
}

impl Shared {
    pub(super) fn configure(
        self: &Arc<Self>,
        sps: &Sps,
        needs: FrameNeeds,
        interrupt: &Interrupt,
    ) -> Result<FramePool> {
        let capabilities = self.device.capabilities();
        check_support(sps, capabilities)?;
        let _turn = lock(&self.submitting);
        self.drain()?;
        self.release_stream()?;
        let agreement = negotiate(self.node.as_ref(), capabilities, sps)?;
        let frame_bytes = agreement
            .capture
            .planes
            .iter()
            .map(|plane| u64::from(plane.size_image))
            .sum();
        let mut limits = PoolLimits::new(needs.dpb, RING_SLOTS as usize, needs.downstream, frame_bytes)?;
        let ring = BitstreamRing::allocate(&self.node, agreement.output.clone(), RING_SLOTS)?;
        let allocator = capabilities
            .dmabuf_import
            .then(|| self.allocator(&agreement, sps))
            .transpose()?;
        if allocator.is_none() {
            let buffers = capabilities.max_num_buffers.min(IndexSet::CAPACITY) as usize;
            limits = limits.at_most(buffers, needs.dpb)?;
        }
        let mut state = lock(&self.state);
        state.generation += 1;
        let source: Box<dyn FrameSource> = match &allocator {
            Some(allocator) => Box::new(AllocatedFrames(allocator.clone())),
            None => Box::new(QueueFrames::new(self, state.generation)),
        };
        state.stream = Some(self.stream(agreement, Shape::of(sps), ring, allocator)?);
        state.phase.negotiate().map_err(|error| Error::Bug(error.to_string()))?;
        self.node.stream_on(Queue::Output)?;
        self.node.stream_on(Queue::Capture)?;
        state.phase.start().map_err(|error| Error::Bug(error.to_string()))?;
        Ok(FramePool::new(source, limits, interrupt.clone()))
    }

    /// The CAPTURE queue and what we keep about all of it.
    fn stream(
        &self,
        agreement: Agreement,
        shape: Shape,
        ring: BitstreamRing,
        allocator: Option<StreamAllocator>,
    ) -> Result<Stream> {
        let capabilities = self.device.capabilities();
        let (capture_memory, wanted) = match &allocator {
            Some(_) => (MemoryType::DmaBuf, capabilities.max_num_buffers.min(CAPTURE_BUFFERS)),
            // STREAMON wants one; the others are made one by one, as frames are asked for.
            None => (MemoryType::Mmap, 1),
        };
        let count = self.node.request_buffers(Queue::Capture, capture_memory, wanted)?.count;
        tracing::info!(
            "{}: {:?} {} on {:?}, {} OUTPUT and {count} CAPTURE buffers",
            capabilities.path,
            agreement.capture.pixel_format,
            agreement.capture.size,
            agreement.mode,
            ring.len()
        );
        Ok(Stream {
            shape,
            mode: agreement.mode,
            start_code: match agreement.start_code {
                StartCode::None => &[],
                StartCode::AnnexB => &[0, 0, 1],
            },
            hold_capture: capabilities.hold_capture,
            remove_bufs: capabilities.remove_bufs,
            capture_layout: format::frame_layout(&agreement.capture)?,
            capture_format: agreement.capture,
            capture_memory,
            requests: vec![Request::default(); ring.len()],
            ring,
            binding: Binding::new(count),
            last_job: IndexSet::default(),
            allocator,
        })
    }

    /// STREAMOFF, and REQBUFS(0) on **both** queues: S_FMT is refused as long as either has buffers. The caller has
    /// drained the session.
    pub(super) fn release_stream(&self) -> Result<()> {
        let mut state = lock(&self.state);
        state.check_alive()?;
        if state.stream.is_some() {
            drop(state);
            let stopped = stop_streaming(&self.node);
            state = lock(&self.state);
            if let Err(error) = stopped {
                state.lose(&error);
                return Err(error);
            }
        }
        state.phase.release().map_err(|error| Error::Bug(error.to_string()))?;
        state.pictures = Pictures::default();
        // Unmaps the OUTPUT buffers and closes their requests.
        state.stream = None;
        drop(state);
        // Also after a configuration that failed half-way and left buffers.
        self.node.request_buffers(Queue::Output, MemoryType::Mmap, 0)?;
        self.node.request_buffers(Queue::Capture, MemoryType::Mmap, 0)?;
        Ok(())
    }

    /// An allocator with the formats of this context; a scratch context is opened once in the life of a session, if it
    /// was not given one.
    fn allocator(&self, agreement: &Agreement, sps: &Sps) -> Result<StreamAllocator> {
        let mut scratch = lock(&self.scratch);
        let node = match &*scratch {
            Some(node) => Arc::clone(node),
            None => {
                let opened = NodeAllocator::open(self.device.as_ref(), Preference::from_environment())?;
                Arc::clone(scratch.insert(Arc::new(opened)))
            }
        };
        drop(scratch);
        node.configure(agreement.setup(sps))
    }

    pub(super) fn adopt(&self, memory: Arc<FrameMemory>) -> Result<Frame> {
        let (layout, allocator) = {
            let state = lock(&self.state);
            let stream = state
                .stream
                .as_ref()
                .ok_or_else(|| Error::Bug("a session without a format".into()))?;
            (stream.capture_layout.clone(), stream.allocator.clone())
        };
        check_layout(&memory, &layout)?;
        for (fd, &length) in memory.fds.iter().zip(&memory.layout.object_lengths) {
            let actual = object::length(fd.as_fd())?;
            if actual < length {
                let why = format!("a frame memory of {actual} bytes that claims to have {length}");
                return Err(Error::Unsupported(why));
            }
        }
        match allocator {
            Some(allocator) => allocator.prove(&memory)?,
            None => return Err(Error::Unsupported("the device imports no memory".into())),
        }
        Ok(Frame::adopt(memory))
    }
}

/// Frames that live on when the session is gone, for devices that import them.
#[derive(Debug)]
struct AllocatedFrames(StreamAllocator);

impl FrameSource for AllocatedFrames {
    fn allocate(&self) -> Result<Arc<FrameMemory>> {
        self.0.allocate(self.0.format())
    }

    fn is_idle(&self, memory: &FrameMemory) -> bool {
        readers_done(memory)
    }
}

/// No read fence is pending on `memory`. If nobody can tell, it is written rather than never used again.
pub(super) fn readers_done(memory: &FrameMemory) -> bool {
    memory.readers_done().unwrap_or_else(|error| {
        tracing::debug!("{error}");
        true
    })
}

/// Refuses, by name, what the device cannot decode.
pub(super) fn check_support(sps: &Sps, capabilities: &Capabilities) -> Result<()> {
    let (size, min, max) = (sps.coded_size(), capabilities.min_size, capabilities.max_size);
    let bit_depth = sps.bit_depth_luma().max(sps.bit_depth_chroma());
    let refused = if sps.chroma_format_idc == 3 {
        Some("4:4:4 sampling".to_owned())
    } else if sps.chroma_format_idc == 2 && !capabilities.chroma_422 {
        Some("4:2:2 sampling".to_owned())
    } else if bit_depth > capabilities.max_bit_depth || ![8, 10].contains(&bit_depth) {
        Some(format!("{bit_depth} bits per sample"))
    } else if sps.bit_depth_luma() != sps.bit_depth_chroma() {
        let (luma, chroma) = (sps.bit_depth_luma(), sps.bit_depth_chroma());
        Some(format!("{luma} bits of luma and {chroma} bits of chroma per sample"))
    } else if sps.qpprime_y_zero_transform_bypass_flag {
        Some("lossless coding (qpprime_y_zero_transform_bypass_flag)".to_owned())
    } else if sps.mb_adaptive_frame_field_flag && !capabilities.interlaced {
        Some("interlaced coding (mb_adaptive_frame_field_flag)".to_owned())
    } else if size.width > max.width || size.height > max.height || size.width < min.width || size.height < min.height {
        Some(format!("a picture of {size}, it takes {min} to {max},"))
    } else {
        None
    };
    match refused {
        None => Ok(()),
        Some(what) => Err(Error::Unsupported(format!(
            "{what} by {} ({})",
            capabilities.driver, capabilities.path
        ))),
    }
}

/// S_FMT(OUTPUT) -> decode mode and start code -> SPS -> CAPTURE format: each decides what the next may be.
pub(super) fn negotiate(node: &dyn DecoderNode, capabilities: &Capabilities, sps: &Sps) -> Result<Agreement> {
    let size = sps.coded_size();
    let wanted = PlaneFormat {
        bytes_per_line: 0,
        size_image: bitstream_size(size),
    };
    let output = Format {
        pixel_format: H264_SLICE,
        size,
        planes: vec![wanted],
    };
    let output = node.set_format(Queue::Output, &output)?;
    if output.pixel_format != H264_SLICE || output.size.width < size.width || output.size.height < size.height {
        return Err(Error::Unsupported(format!(
            "a coded picture of {size}: the device made {output:?} of it"
        )));
    }
    let mode = preferred(&capabilities.decode_modes, DecodeMode::FrameBased)?;
    let start_code = preferred(&capabilities.start_codes, StartCode::AnnexB)?;
    node.set_controls(None, &[Control::DecodeMode(mode), Control::StartCode(start_code)])?;
    // Without a request: drivers choose the CAPTURE formats by it, and check it at STREAMON.
    node.set_controls(None, &[Control::Sps(&controls::sps(sps))])?;
    let capture = negotiate_capture(node, capabilities, sps)?;
    Ok(Agreement {
        mode,
        start_code,
        output,
        capture,
    })
}

/// The first CAPTURE format by our order that the device offers and that can hold the samples.
fn negotiate_capture(node: &dyn DecoderNode, capabilities: &Capabilities, sps: &Sps) -> Result<Format> {
    let size = sps.coded_size();
    let deep = sps.bit_depth_luma().max(sps.bit_depth_chroma()) > 8;
    let is_420 = sps.chroma_format_idc < 2;
    let mut offered = node.enum_formats(Queue::Capture)?;
    offered.retain(|format| capabilities.capture_formats.contains(format));
    let fits = |info: &&format::FormatInfo| {
        offered.contains(&info.pixel_format) && (info.bits_per_column > 8) == deep && info.chroma.is_420() == is_420
    };
    let info = format::FORMATS.iter().find(fits).ok_or_else(|| {
        let offered: &[PixelFormat] = &offered;
        Error::Unsupported(format!(
            "chroma_format_idc {} to any of {offered:?}",
            sps.chroma_format_idc
        ))
    })?;
    // The driver has the last word.
    let bytes_per_line = info.wanted_pitch(size.width);
    let planes = vec![
        PlaneFormat {
            bytes_per_line,
            size_image: 0
        };
        info.memory_planes
    ];
    let capture = node.set_format(
        Queue::Capture,
        &Format {
            pixel_format: info.pixel_format,
            size,
            planes,
        },
    )?;
    if capture.pixel_format != info.pixel_format || capture.size.width < size.width || capture.size.height < size.height
    {
        return Err(Error::Unsupported(format!(
            "a picture of {size}: the device made {capture:?} of it"
        )));
    }
    format::frame_layout(&capture)?;
    Ok(capture)
}

/// `wanted` if it is there, else what there is.
fn preferred<T: Copy + PartialEq>(offered: &[T], wanted: T) -> Result<T> {
    let found = offered.iter().find(|&&mode| mode == wanted).or(offered.first());
    found
        .copied()
        .ok_or_else(|| Error::Unsupported("a device without decode modes or start codes".into()))
}

/// Bytes for one coded picture to start with: one per luma sample, of which few pictures take a tenth.
fn bitstream_size(size: Size) -> u32 {
    size.width.saturating_mul(size.height).clamp(256 << 10, 4 << 20)
}
