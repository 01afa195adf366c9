//! Frame memories: from any decoder device, or from the system's heaps.
//!
//! `FOURIER_ALLOCATOR=heap` asks for memory of the dma-heaps (the system's pages, else contiguous ones) where the device
//! can decode into it: the CPU reads that through its caches, while a device's own memory is often uncached. The heaps
//! are opened with the scratch context, because a sandbox may close the door later.

use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use v4l2r::bindings as v4l2;

use super::format::frame_layout;
use super::{BufferMemory, Control, DecodeMode, DecoderDevice, DecoderNode, MemoryType, Queue, StartCode};
use crate::memory::{Format, FrameAllocator, FrameMemory, Heap, MemoryKind, OpenHeap};
use crate::units::BufferIndex;
use crate::{IoctlError, Result};

/// How a scratch context is set up: as the context that will decode into its memories.
#[derive(Clone, Debug)]
pub struct Setup {
    /// OUTPUT format.
    pub output: Format,
    /// `V4L2_CID_STATELESS_H264_DECODE_MODE`.
    pub mode: DecodeMode,
    /// `V4L2_CID_STATELESS_H264_START_CODE`.
    pub start_code: StartCode,
    /// The sequence, by which drivers choose CAPTURE formats.
    pub sps: v4l2::v4l2_ctrl_h264_sps,
    /// CAPTURE format.
    pub capture: Format,
}

/// A scratch context of a decoder device. A buffer of it is exported and then orphaned, so that it has precisely the
/// layout, contiguity and tail space that the driver wants and outlives the device. Streams of different formats may
/// share it.
#[derive(Debug)]
pub struct NodeAllocator {
    node: Arc<dyn DecoderNode>,
    /// Asked before the node, in this order.
    heaps: Vec<OpenHeap>,
    kind: MemoryKind,
    cpu_cached: bool,
    path: String,
    /// What it is set up for. Held over each use: one takes the CAPTURE queue from no buffers to no buffers.
    current: Mutex<Option<Arc<Setup>>>,
}

impl NodeAllocator {
    /// Opens a scratch context of `device`, and the heaps that memory is to come from where they are there.
    ///
    /// # Errors
    /// [`crate::Error::Device`] naming the call that failed.
    pub fn open(device: &dyn DecoderDevice, preference: Preference) -> Result<Self> {
        let capabilities = device.capabilities();
        let open = |&heap: &Heap| {
            let opened = heap.open();
            opened
                .inspect_err(|error| tracing::info!("no frame memory of {heap:?}: {error}"))
                .ok()
        };
        Ok(Self {
            node: device.open()?,
            heaps: preference.heaps().iter().filter_map(open).collect(),
            kind: capabilities.export_kind,
            cpu_cached: !capabilities.hardware,
            path: capabilities.path.clone(),
            current: Mutex::default(),
        })
    }

    /// The allocator for a stream whose context has that setup.
    ///
    /// # Errors
    /// [`crate::Error::Device`] naming the call that failed; EINVAL if the device answers with another CAPTURE format.
    pub fn configure(self: &Arc<Self>, setup: Setup) -> Result<StreamAllocator> {
        let stream = StreamAllocator {
            device: Arc::clone(self),
            setup: Arc::new(setup),
        };
        self.set_up_for(&stream.setup, |_| Ok(()))?;
        Ok(stream)
    }

    /// The allocator for a stream whose setup is found out here: `negotiate` must leave the context without buffers.
    ///
    /// # Errors
    /// Those of `negotiate`.
    pub(crate) fn configure_by(
        self: &Arc<Self>,
        negotiate: impl FnOnce(&dyn DecoderNode) -> Result<Setup>,
    ) -> Result<StreamAllocator> {
        let mut current = self.lock();
        *current = None;
        let setup = Arc::new(negotiate(self.node.as_ref())?);
        *current = Some(Arc::clone(&setup));
        Ok(StreamAllocator {
            device: Arc::clone(self),
            setup,
        })
    }

    /// Whether the CPU reads its memories through its caches.
    pub fn cpu_cached(&self) -> bool {
        self.cpu_cached
    }

    /// Does something with the context while it is set up as `setup` says.
    fn set_up_for<T>(&self, setup: &Arc<Setup>, run: impl FnOnce(&dyn DecoderNode) -> Result<T>) -> Result<T> {
        let mut current = self.lock();
        if !current.as_ref().is_some_and(|current| Arc::ptr_eq(current, setup)) {
            *current = None;
            self.apply(setup)?;
            *current = Some(Arc::clone(setup));
        }
        run(self.node.as_ref())
    }

    fn apply(&self, setup: &Setup) -> Result<()> {
        let controls = [
            Control::DecodeMode(setup.mode),
            Control::StartCode(setup.start_code),
            Control::Sps(&setup.sps),
        ];
        self.node.set_format(Queue::Output, &setup.output)?;
        self.node.set_controls(None, &controls)?;
        match self.node.set_format(Queue::Capture, &setup.capture)? == setup.capture {
            true => Ok(()),
            false => Err(self.error("VIDIOC_S_FMT")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Setup>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, call: &'static str) -> crate::Error {
        IoctlError::new(call, &self.path, Errno::EINVAL).into()
    }
}

/// Allocates and proves memories of one stream on a scratch context.
#[derive(Clone, Debug)]
pub struct StreamAllocator {
    device: Arc<NodeAllocator>,
    setup: Arc<Setup>,
}

impl StreamAllocator {
    /// The CAPTURE format of its memories.
    pub fn format(&self) -> &Format {
        &self.setup.capture
    }

    /// Proves that the device can map a memory that it did not allocate (PREPARE_BUF on the scratch context).
    ///
    /// # Errors
    /// [`crate::Error::Device`]: the driver cannot decode into it.
    pub fn prove(&self, memory: &FrameMemory) -> Result<()> {
        let lengths = memory.layout.object_lengths.iter().copied();
        let planes: Vec<_> = memory.fds.iter().map(AsFd::as_fd).zip(lengths).collect();
        self.device.set_up_for(&self.setup, |node| {
            node.request_buffers(Queue::Capture, MemoryType::DmaBuf, 1)?;
            let proof = node.prepare_buffer(Queue::Capture, BufferIndex(0), BufferMemory::DmaBuf(&planes));
            node.request_buffers(Queue::Capture, MemoryType::DmaBuf, 0)?;
            proof
        })
    }

    /// Memory of a heap that the device can decode into.
    fn of_heap(&self, heap: &OpenHeap) -> Result<Arc<FrameMemory>> {
        let memory = allocate_of(heap, &self.setup.capture)?;
        self.prove(&memory)?;
        Ok(memory)
    }

    /// The device's own memory.
    fn of_device(&self) -> Result<Arc<FrameMemory>> {
        let format = &self.setup.capture;
        let layout = frame_layout(format)?;
        let fds = self.device.set_up_for(&self.setup, |node| {
            node.request_buffers(Queue::Capture, MemoryType::Mmap, 1)?;
            let planes = 0..format.planes.len() as u32;
            let fds = planes
                .map(|plane| node.export_buffer(Queue::Capture, BufferIndex(0), plane))
                .collect::<Result<_>>();
            node.request_buffers(Queue::Capture, MemoryType::Mmap, 0)?;
            fds
        })?;
        Ok(Arc::new(FrameMemory {
            fds,
            kind: self.device.kind,
            layout,
        }))
    }
}

impl FrameAllocator for StreamAllocator {
    /// `format` must be [`Self::format`].
    fn allocate(&self, format: &Format) -> Result<Arc<FrameMemory>> {
        if *format != self.setup.capture {
            return Err(self.device.error("VIDIOC_G_FMT"));
        }
        for heap in &self.device.heaps {
            match self.of_heap(heap) {
                Ok(memory) => return Ok(memory),
                Err(error) => tracing::debug!("no frame memory of {heap:?}: {error}"),
            }
        }
        self.of_device()
    }

    fn cpu_cached(&self) -> bool {
        self.device.cpu_cached
    }
}

/// Allocates from one of the system's heaps, with the layout of the format.
#[derive(Debug)]
pub struct HeapAllocator(pub OpenHeap);

impl FrameAllocator for HeapAllocator {
    fn allocate(&self, format: &Format) -> Result<Arc<FrameMemory>> {
        allocate_of(&self.0, format)
    }
}

fn allocate_of(heap: &OpenHeap, format: &Format) -> Result<Arc<FrameMemory>> {
    let layout = frame_layout(format)?;
    let allocate = |&length: &usize| heap.allocate(length);
    let fds = layout
        .object_lengths
        .iter()
        .map(allocate)
        .collect::<Result<_, IoctlError>>()?;
    Ok(Arc::new(FrameMemory {
        fds,
        kind: heap.kind(),
        layout,
    }))
}

/// Where frames are taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preference {
    /// The decoder device.
    #[default]
    Device,
    /// The dma-heaps, and the device where that fails.
    Heap,
}

impl Preference {
    /// The environment variable that says so.
    pub const ENVIRONMENT: &'static str = "FOURIER_ALLOCATOR";

    /// What the environment says: `heap`, or anything else for the device.
    pub fn from_environment() -> Self {
        match std::env::var(Self::ENVIRONMENT).as_deref() {
            Ok("heap") => Self::Heap,
            Ok(_) | Err(_) => Self::Device,
        }
    }

    /// What is asked before the device.
    fn heaps(self) -> &'static [Heap] {
        match self {
            Self::Device => &[],
            Self::Heap => &[Heap::DmaHeap, Heap::Cma],
        }
    }
}

/// The allocator for the software decoder: dma-bufs where the system offers them, else memfds.
pub fn soft_allocator() -> HeapAllocator {
    HeapAllocator(Heap::best().open().unwrap_or(OpenHeap::MemFd))
}
