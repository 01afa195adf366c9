//! The software decoder behind the seam: queues, requests and controls as a kernel driver has them; pixels by
//! fourier-soft, which is given what a driver is given and nothing else.
//!
//! `personality` what it pretends to be, `formats` and `controls` what it accepts, `memory`, `queue` and `request` the
//! rules of videobuf2 and the request API, `context` those of v4l2-mem2mem, `job` and `stages` a picture's way through, `unpacked`
//! what is not stored in planes of rows, but `packed` or `tiled`, `worker` the threads, `node` the verbs.

mod context;
mod controls;
mod formats;
mod job;
mod memory;
mod node;
mod packed;
mod personality;
mod queue;
mod request;
mod stages;
#[cfg(test)]
mod tests;
mod tiled;
mod unpacked;
mod worker;

use std::sync::Arc;

use super::{Capabilities, DecoderDevice, DecoderNode};
use crate::Result;
use crate::memory::Heap;

pub use personality::Personality;

/// The software decoder; every open is a context with threads of its own.
#[derive(Debug)]
pub struct SoftDevice {
    capabilities: Capabilities,
    personality: Arc<Personality>,
}

impl SoftDevice {
    /// The software decoder with the constraints of `personality`.
    pub fn new(personality: Personality) -> Self {
        let path = match personality.name {
            "default" => "soft".to_owned(),
            name => format!("soft:{name}"),
        };
        let capabilities = Capabilities {
            driver: "fourier-soft".to_owned(),
            path,
            decode_modes: personality.decode_modes.clone(),
            start_codes: personality.start_codes.clone(),
            hold_capture: personality.hold_capture,
            dmabuf_import: personality.import,
            remove_bufs: personality.remove_bufs,
            interlaced: personality.interlaced,
            max_bit_depth: personality.max_bit_depth,
            chroma_422: personality.chroma_422,
            capture_formats: formats::all_capture_formats(&personality),
            min_size: personality.min_size,
            max_size: personality.max_size,
            max_num_buffers: personality.max_num_buffers,
            export_kind: Heap::best().kind(),
            hardware: false,
        };
        Self {
            capabilities,
            personality: Arc::new(personality),
        }
    }
}

impl Default for SoftDevice {
    /// The software decoder without constraints.
    fn default() -> Self {
        Self::new(Personality::default())
    }
}

impl DecoderDevice for SoftDevice {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn open(&self) -> Result<Arc<dyn DecoderNode>> {
        Ok(Arc::new(node::SoftNode::new(
            &self.capabilities.path,
            &self.personality,
        )))
    }
}
