//! Frame memories: from any decoder device, or from the system's heaps.
//!
//! `FOURIER_ALLOCATOR=heap` asks for memory of the dma-heaps (the system's pages, else contiguous ones) where the device
//! can decode into it: the CPU reads that through its caches, while a device's own memory is often uncached.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use nix::errno::Errno;

use super::format::frame_layout;
use super::{BufferMemory, Control, DecoderDevice, DecoderNode, MemoryType, Queue};
use crate::memory::{Format, FrameAllocator, FrameMemory, Heap, MemoryKind};
use crate::units::BufferIndex;
use crate::{IoctlError, Result};

/// Allocates with the decoder device itself: a buffer of a scratch open is exported and then orphaned, so that it has
/// precisely the layout, contiguity and tail space that the driver wants and outlives the device.
#[derive(Debug)]
pub struct NodeAllocator {
    node: Arc<dyn DecoderNode>,
    kind: MemoryKind,
    cpu_cached: bool,
    path: String,
    /// One allocation at a time: each takes the CAPTURE queue from no buffers to no buffers.
    queue: Mutex<()>,
}

impl NodeAllocator {
    /// Opens a scratch context of `device`.
    ///
    /// # Errors
    /// [`crate::Error::Device`] naming the call that failed.
    pub fn open(device: &dyn DecoderDevice) -> Result<Self> {
        let capabilities = device.capabilities();
        Ok(Self {
            node: device.open()?,
            kind: capabilities.export_kind,
            cpu_cached: !capabilities.hardware,
            path: capabilities.path.clone(),
            queue: Mutex::new(()),
        })
    }

    /// Gives the scratch context the OUTPUT format, the controls (SPS, decode mode, start code) and the CAPTURE format
    /// of the context that will decode into the memories.
    ///
    /// # Errors
    /// [`crate::Error::Device`] naming the call that failed; EINVAL if the device answers with another CAPTURE format.
    pub fn configure(&self, output: &Format, controls: &[Control<'_>], capture: &Format) -> Result<()> {
        let _queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        self.node.set_format(Queue::Output, output)?;
        self.node.set_controls(None, controls)?;
        let answer = self.node.set_format(Queue::Capture, capture)?;
        if answer == *capture {
            Ok(())
        } else {
            Err(self.error("VIDIOC_S_FMT"))
        }
    }

    /// Proves that the device can map a memory that it did not allocate (PREPARE_BUF on the scratch context).
    ///
    /// # Errors
    /// [`crate::Error::Device`]: the driver cannot decode into it.
    pub fn prove(&self, memory: &FrameMemory) -> Result<()> {
        let _queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        self.node.request_buffers(Queue::Capture, MemoryType::DmaBuf, 1)?;
        let lengths = memory.layout.object_lengths.iter().copied();
        let planes: Vec<_> = memory.fds.iter().map(AsFd::as_fd).zip(lengths).collect();
        let proof = self
            .node
            .prepare_buffer(Queue::Capture, BufferIndex(0), BufferMemory::DmaBuf(&planes));
        self.node.request_buffers(Queue::Capture, MemoryType::DmaBuf, 0)?;
        proof
    }

    /// The scratch context, for who knows better how to set it up; it must be left without buffers.
    pub(crate) fn node(&self) -> &dyn DecoderNode {
        self.node.as_ref()
    }

    fn error(&self, call: &'static str) -> crate::Error {
        IoctlError::new(call, &self.path, Errno::EINVAL).into()
    }

    fn export(&self, format: &Format) -> Result<Vec<OwnedFd>> {
        let _queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        // Configured for another stream since.
        if self.node.format(Queue::Capture)? != *format {
            return Err(self.error("VIDIOC_G_FMT"));
        }
        self.node.request_buffers(Queue::Capture, MemoryType::Mmap, 1)?;
        let planes = 0..format.planes.len() as u32;
        let fds = planes
            .map(|plane| self.node.export_buffer(Queue::Capture, BufferIndex(0), plane))
            .collect();
        self.node.request_buffers(Queue::Capture, MemoryType::Mmap, 0)?;
        fds
    }
}

impl FrameAllocator for NodeAllocator {
    /// `format` must be the CAPTURE format that [`NodeAllocator::configure`] set.
    fn allocate(&self, format: &Format) -> Result<Arc<FrameMemory>> {
        let layout = frame_layout(format)?;
        Ok(Arc::new(FrameMemory {
            fds: self.export(format)?,
            kind: self.kind,
            layout,
        }))
    }

    fn cpu_cached(&self) -> bool {
        self.cpu_cached
    }
}

/// Allocates from one of the system's heaps, with the layout of the format.
#[derive(Clone, Copy, Debug)]
pub struct HeapAllocator(pub Heap);

impl FrameAllocator for HeapAllocator {
    fn allocate(&self, format: &Format) -> Result<Arc<FrameMemory>> {
        let layout = frame_layout(format)?;
        let allocate = |&length: &usize| self.0.allocate(length);
        let fds = layout
            .object_lengths
            .iter()
            .map(allocate)
            .collect::<Result<_, IoctlError>>()?;
        Ok(Arc::new(FrameMemory {
            fds,
            kind: self.0.kind(),
            layout,
        }))
    }
}

/// Where a session takes its frames from.
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
}

/// Allocates from dma-heaps what the device proves that it can decode into, and from the device what it does not.
#[derive(Debug)]
pub struct ProvenHeapAllocator {
    device: Arc<NodeAllocator>,
}

impl ProvenHeapAllocator {
    /// `device` proves memories, and makes them where no heap does.
    pub fn new(device: Arc<NodeAllocator>) -> Self {
        Self { device }
    }

    fn of_heap(&self, heap: Heap, format: &Format) -> Result<Arc<FrameMemory>> {
        let memory = HeapAllocator(heap).allocate(format)?;
        self.device.prove(&memory)?;
        Ok(memory)
    }
}

impl FrameAllocator for ProvenHeapAllocator {
    fn allocate(&self, format: &Format) -> Result<Arc<FrameMemory>> {
        for heap in [Heap::DmaHeap, Heap::Cma] {
            match self.of_heap(heap, format) {
                Ok(memory) => return Ok(memory),
                Err(error) => tracing::debug!("no frame memory of {heap:?}: {error}"),
            }
        }
        self.device.allocate(format)
    }
}

/// The allocator for the software decoder: dma-bufs where the system offers them, else memfds.
pub fn soft_allocator() -> HeapAllocator {
    HeapAllocator(Heap::best())
}
