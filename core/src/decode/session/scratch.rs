//! Frame memories for streams that no session decodes yet: a scratch context of the device, set up as a session would.

use std::sync::{Arc, Mutex};

use super::configure::{self, Shape, check_support};
use crate::Result;
use crate::device::allocator::{NodeAllocator, Preference, StreamAllocator};
use crate::device::{Capabilities, DecoderDevice, DecoderNode};
use crate::h264::Sps;
use crate::memory::{FrameAllocator, FrameMemory};
use crate::pool::lock;

/// Allocates memories for streams of any format. Every method may be called from any thread.
#[derive(Debug)]
pub struct ScratchAllocator {
    pub(super) device: Arc<dyn DecoderDevice>,
    pub(super) node: Arc<NodeAllocator>,
    /// For the stream that was asked for last.
    last: Mutex<Option<(Shape, StreamAllocator)>>,
}

impl ScratchAllocator {
    /// Opens a scratch context of `device`, and the heaps if `FOURIER_ALLOCATOR` asks for them: nothing is opened later.
    ///
    /// # Errors
    /// [`crate::Error::Device`] with what open(2) says.
    pub fn open(device: Arc<dyn DecoderDevice>) -> Result<Self> {
        let node = NodeAllocator::open(device.as_ref(), Preference::from_environment())?;
        Ok(Self {
            node: Arc::new(node),
            device,
            last: Mutex::default(),
        })
    }

    /// A new, zeroed memory with the layout that a session will decode streams of `sps` into.
    ///
    /// # Errors
    /// [`crate::Error::Unsupported`] naming what the device cannot do, [`crate::Error::Device`] if a call failed.
    pub fn allocate(&self, sps: &Sps) -> Result<Arc<FrameMemory>> {
        let stream = self.stream(sps)?;
        stream.allocate(stream.format())
    }

    /// What the device can do.
    pub fn capabilities(&self) -> &Capabilities {
        self.device.capabilities()
    }

    /// Whether the CPU reads the memories through its caches.
    pub fn cpu_cached(&self) -> bool {
        self.node.cpu_cached()
    }

    fn stream(&self, sps: &Sps) -> Result<StreamAllocator> {
        let capabilities = self.device.capabilities();
        check_support(sps, capabilities)?;
        let shape = Shape::of(sps);
        let mut last = lock(&self.last);
        if let Some((known, stream)) = &*last
            && *known == shape
        {
            return Ok(stream.clone());
        }
        let negotiate = |node: &dyn DecoderNode| Ok(configure::negotiate(node, capabilities, sps)?.setup(sps));
        let stream = self.node.configure_by(negotiate)?;
        *last = Some((shape, stream.clone()));
        Ok(stream)
    }
}
