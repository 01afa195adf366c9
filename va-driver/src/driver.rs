//! One display's driver: the device and all objects. Every method may be called from any thread.

use std::ffi::c_int;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use fourier_core::decode::{ScratchAllocator, Session, SessionStats};
use fourier_core::device::{Capabilities, DecoderDevice, discovery};
use fourier_core::units::Size;

use crate::buffer::Buffer;
use crate::config::Config;
use crate::context::Context;
use crate::format::SampleFormat;
use crate::ids::{Kind, Table, lock};
use crate::image::Image;
use crate::status::{Failure, Result, Status};
use crate::surface::Surface;

/// Lists of the application have room for as many.
pub const MAX_PROFILES: c_int = 8;
/// As above.
pub const MAX_ENTRYPOINTS: c_int = 1;
/// As above.
pub const MAX_ATTRIBUTES: c_int = 16;
/// As above.
pub const MAX_IMAGE_FORMATS: c_int = 4;
/// There are none, but libva insists on room for one.
pub const MAX_SUBPICTURE_FORMATS: c_int = 1;
/// As above.
pub const MAX_DISPLAY_ATTRIBUTES: c_int = 1;

/// One display's driver.
#[derive(Debug)]
pub struct Driver {
    pub(crate) device: Arc<dyn DecoderDevice>,
    /// Makes the memory of surfaces, whether or not a context decodes into them, and what else contexts need.
    pub(crate) scratch: ScratchAllocator,
    /// Opened early for the first context: a sandbox may close the door behind `vaInitialize`.
    spare: Mutex<Option<Session>>,
    pub(crate) configs: Table<Config>,
    pub(crate) contexts: Table<Context>,
    pub(crate) surfaces: Table<Surface>,
    pub(crate) buffers: Table<Buffer>,
    pub(crate) images: Table<Image>,
    pub(crate) counters: Counters,
    /// What users were told: the first of each kind is enough.
    told: Mutex<Vec<Status>>,
}

/// What the display has decoded.
#[derive(Debug, Default)]
pub struct Counters {
    /// Frames or fields that the device was given.
    submitted: AtomicU64,
    /// Of these, how many came back damaged.
    damaged: AtomicU64,
    /// Frames or fields that could not be given to the device.
    refused: AtomicU64,
    /// Pictures that were copied because their surface has memory of another layout.
    copied: AtomicU64,
}

impl Counters {
    /// What a session did in its life.
    pub fn add(&self, stats: &SessionStats) {
        self.submitted.fetch_add(stats.submitted, Ordering::Relaxed);
        self.damaged.fetch_add(stats.damaged, Ordering::Relaxed);
    }

    /// A picture that the device was not given.
    pub fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A picture that was copied.
    pub fn copy(&self) {
        self.copied.fetch_add(1, Ordering::Relaxed);
    }
}

/// How much a device decodes: samples of a picture, and formats of them.
fn reach(capabilities: &Capabilities) -> (u64, usize) {
    let Size { width, height } = capabilities.max_size;
    let formats = SampleFormat::of_device(capabilities).count();
    (u64::from(width) * u64::from(height), formats)
}

impl Driver {
    /// Finds the device and opens it.
    ///
    /// # Errors
    /// If there is no decoder: the application goes on without one. The software decoder counts only where
    /// `FOURIER_DEVICE` asks for it.
    pub fn open() -> Result<Self> {
        // One device for all contexts: that of several which decodes most, the first of equals.
        let devices = discovery::open_devices(None)?.into_iter().rev();
        let device = devices.max_by_key(|device| reach(device.capabilities()));
        let device = device.ok_or_else(|| Status::OperationFailed.because("no device and no reason"))?;
        let asked_for = || std::env::var(discovery::ENVIRONMENT).is_ok_and(|name| name.starts_with("soft"));
        if !device.capabilities().hardware && !asked_for() {
            return Err(Status::OperationFailed.because("there is no stateless H.264 decoder"));
        }
        Self::on(device)
    }

    /// The driver of that device, which is opened twice: for surfaces, and for the first context.
    ///
    /// # Errors
    /// What open(2) says.
    pub fn on(device: Arc<dyn DecoderDevice>) -> Result<Self> {
        let scratch = ScratchAllocator::open(Arc::clone(&device))?;
        Ok(Self {
            spare: Mutex::new(Some(Session::open_with(&scratch)?)),
            scratch,
            device,
            configs: Table::new(Kind::Config),
            contexts: Table::new(Kind::Context),
            surfaces: Table::new(Kind::Surface),
            buffers: Table::new(Kind::Buffer),
            images: Table::new(Kind::Image),
            counters: Counters::default(),
            told: Mutex::default(),
        })
    }

    /// Ends what is under way and says what was done. Exports live on.
    pub fn terminate(self) {
        for context in self.contexts.take_all() {
            context.close(&self.counters);
        }
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters {
            submitted,
            damaged,
            refused,
            copied,
        } = &self.counters;
        tracing::info!(
            "terminate: pictures={} damaged={} refused={} copied={}",
            count(submitted),
            count(damaged),
            count(refused),
            count(copied)
        );
    }

    /// A session for a new context.
    ///
    /// # Errors
    /// [`Status::AllocationFailed`] if the device cannot be opened once more: only this context fails.
    pub(crate) fn session(&self) -> Result<Session> {
        if let Some(session) = lock(&self.spare).take() {
            return Ok(session);
        }
        Session::open_with(&self.scratch)
            .map_err(|error| Status::AllocationFailed.because(error.to_string()).for_user())
    }

    /// Whether the user is to be told of `failure`.
    pub(crate) fn must_tell(&self, failure: &Failure) -> bool {
        let mut told = lock(&self.told);
        let is_news = failure.for_user && !told.contains(&failure.status);
        if is_news {
            told.push(failure.status);
        }
        is_news
    }

    pub(crate) fn capabilities(&self) -> &Capabilities {
        self.device.capabilities()
    }

    pub(crate) fn config(&self, id: u32) -> Result<Arc<Config>> {
        self.configs.get(id)
    }

    pub(crate) fn context(&self, id: u32) -> Result<Arc<Context>> {
        self.contexts.get(id)
    }

    pub(crate) fn surface(&self, id: u32) -> Result<Arc<Surface>> {
        self.surfaces.get(id)
    }

    pub(crate) fn buffer(&self, id: u32) -> Result<Arc<Buffer>> {
        self.buffers.get(id)
    }

    pub(crate) fn image(&self, id: u32) -> Result<Arc<Image>> {
        self.images.get(id)
    }
}
