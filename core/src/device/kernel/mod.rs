//! A decoder of the kernel behind the seam: a media device for requests, a video node for everything else.
//!
//! `probe` what it can do, or why it cannot be used; `convert` our terms and the uAPI's; `requests` the descriptors of
//! one context's requests; `node` the verbs. Nothing but the video node is opened after [`KernelDevice::open`], and that
//! not for the first context: a process may close its sandbox then, if that lets the node through for what comes after.

mod convert;
mod node;
mod probe;
mod requests;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Capabilities, DecoderDevice, DecoderNode};
use crate::sys::{MediaDevice, VideoNode};
use crate::{Error, Result};

/// A stateless H.264 decoder of the kernel.
#[derive(Debug)]
pub struct KernelDevice {
    media: Arc<MediaDevice>,
    capabilities: Capabilities,
    /// What was probed, for the first context.
    probed: Mutex<Option<VideoNode>>,
}

impl KernelDevice {
    /// Opens the video node at `video`, which belongs to `media`, and finds out what it can do.
    ///
    /// # Errors
    /// [`Error::Unsupported`] says why it cannot be used, [`Error::Device`] which call failed.
    pub fn open(media: Arc<MediaDevice>, video: &Path) -> Result<Self> {
        let node = VideoNode::open(video)?;
        let capabilities = probe::capabilities(&node)?;
        // Requests are the heart of it: a device that makes none is found out here and not at the first picture.
        media
            .alloc_request()
            .map_err(|error| Error::Unsupported(format!("{}: it takes no requests ({error})", video.display())))?;
        Ok(Self {
            media,
            capabilities,
            probed: Mutex::new(Some(node)),
        })
    }
}

impl DecoderDevice for KernelDevice {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn open(&self) -> Result<Arc<dyn DecoderNode>> {
        let probed = self.probed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let video = match probed {
            Some(video) => video,
            None => VideoNode::open(Path::new(&self.capabilities.path))?,
        };
        let max_num_buffers = self.capabilities.max_num_buffers;
        Ok(Arc::new(node::KernelNode::new(
            Arc::clone(&self.media),
            video,
            max_num_buffers,
        )))
    }
}
