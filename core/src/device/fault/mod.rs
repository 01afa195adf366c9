//! For tests: a device that fails where it is told to and counts its calls, around any other device.
//!
//! ```
//! # use fourier_core::device::fault::{Fault, FaultyDevice, Occasion, Verb};
//! # use fourier_core::device::{DecoderDevice, DecoderNode, soft::SoftDevice};
//! # use std::sync::Arc;
//! # fn main() -> fourier_core::Result<()> {
//! let device = FaultyDevice::new(Arc::new(SoftDevice::default()));
//! device.inject(Fault::Errno(Verb::AllocRequest, nix::errno::Errno::EMFILE), Occasion::Nth(2));
//! let node = device.open()?;
//! assert!(node.alloc_request().is_ok());
//! assert!(node.alloc_request().is_err());
//! assert!(node.alloc_request().is_ok());
//! # Ok(())
//! # }
//! ```

mod node;
mod plan;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use super::{Capabilities, DecoderDevice, DecoderNode};
use crate::Result;

use node::FaultyNode;
use plan::Plan;
pub use plan::{Fault, Occasion, Verb};

/// A device that does as the one inside, except for what is injected. All its opens share one plan.
#[derive(Debug)]
pub struct FaultyDevice {
    inner: Arc<dyn DecoderDevice>,
    plan: Arc<Mutex<Plan>>,
}

impl FaultyDevice {
    /// A device without faults, so far.
    pub fn new(inner: Arc<dyn DecoderDevice>) -> Self {
        Self {
            inner,
            plan: Arc::default(),
        }
    }

    /// Plans a fault; calls and frames are counted from now on.
    pub fn inject(&self, fault: Fault, occasion: Occasion) {
        self.plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(fault, occasion);
    }

    /// How many faults have happened.
    pub fn happened(&self) -> u32 {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).happened()
    }

    /// How often that call was made, on all opens together; failed ones count.
    pub fn calls(&self, verb: Verb) -> u32 {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).calls(verb)
    }
}

impl DecoderDevice for FaultyDevice {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    fn open(&self) -> Result<Arc<dyn DecoderNode>> {
        let path = self.capabilities().path.clone();
        Ok(Arc::new(FaultyNode::new(
            self.inner.open()?,
            path,
            Arc::clone(&self.plan),
        )))
    }
}
