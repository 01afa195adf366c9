//! Frame memories for streams that no session decodes yet: a scratch context of the device, set up as a session would.

use std::sync::{Arc, Mutex};

use super::configure::{self, Shape, check_support};
use crate::Result;
use crate::device::DecoderDevice;
use crate::device::allocator::NodeAllocator;
use crate::h264::Sps;
use crate::memory::{Format, FrameAllocator, FrameMemory};
use crate::pool::lock;

/// Allocates memories for streams of any format, one format at a time. Every method may be called from any thread.
#[derive(Debug)]
pub struct ScratchAllocator {
    device: Arc<dyn DecoderDevice>,
    allocator: NodeAllocator,
    /// What the scratch context is set up for; held over an allocation, so that no other format comes in between.
    current: Mutex<Option<(Shape, Format)>>,
}

impl ScratchAllocator {
    /// Opens a scratch context of `device`.
    ///
    /// # Errors
    /// [`crate::Error::Device`] with what open(2) says.
    pub fn open(device: Arc<dyn DecoderDevice>) -> Result<Self> {
        Ok(Self {
            allocator: NodeAllocator::open(device.as_ref())?,
            device,
            current: Mutex::default(),
        })
    }

    /// A new, zeroed memory with the layout that a session will decode streams of `sps` into.
    ///
    /// # Errors
    /// [`crate::Error::Unsupported`] naming what the device cannot do, [`crate::Error::Device`] if a call failed.
    pub fn allocate(&self, sps: &Sps) -> Result<Arc<FrameMemory>> {
        let capabilities = self.device.capabilities();
        check_support(sps, capabilities)?;
        let shape = Shape::of(sps);
        let mut current = lock(&self.current);
        let format = match current.take() {
            Some((known, format)) if known == shape => format,
            Some(_) | None => configure::negotiate(self.allocator.node(), capabilities, sps)?.capture,
        };
        let memory = self.allocator.allocate(&format);
        *current = Some((shape, format));
        memory
    }

    /// Whether the CPU reads the memories through its caches.
    pub fn cpu_cached(&self) -> bool {
        self.allocator.cpu_cached()
    }
}
