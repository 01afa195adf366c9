//! Contexts: one open decoder each, and the picture that is being put together.

use std::ffi::c_int;
use std::mem;
use std::sync::{Arc, Mutex, Weak};

use fourier_core::decode::{FrameNeeds, Session};
use fourier_core::device::format;
use fourier_core::h264::Sps;
use fourier_core::pool::{FramePool, Interrupt};

use crate::driver::{Counters, Driver};
use crate::ffi::va;
use crate::h264::{H264, Job};
use crate::ids::lock;
use crate::picture::{ContextId, Picture, Target};
use crate::render::OpenPicture;
use crate::status::{Failure, Result, Status};
use crate::surface::{Surface, dimension};

/// A context.
#[derive(Debug)]
pub struct Context {
    open: Mutex<PictureState>,
    /// Held while a picture is handed to the device, which may wait for earlier ones.
    decoder: Mutex<Decoder>,
}

/// Between which calls it is.
#[derive(Debug, Default)]
enum PictureState {
    /// After `vaEndPicture`.
    #[default]
    Closed,
    /// After `vaBeginPicture`.
    Open(Box<OpenPicture>),
}

/// What decodes.
#[derive(Debug)]
struct Decoder {
    id: ContextId,
    /// `None` after `vaDestroyContext`.
    session: Option<Arc<Session>>,
    /// Frames for pictures whose surface has memory of another layout; empty as long as there are none.
    pool: Option<FramePool>,
    /// The pictures in frames of the pool, in decoding order.
    guests: Vec<Weak<Picture>>,
    h264: H264,
}

/// Pictures beyond the references that may stay in frames of the pool: those that the device is at.
const GUESTS: usize = 6;

impl Decoder {
    /// Lets the oldest pictures that `job` does not refer to leave the frames of the pool, where they are too many.
    fn make_room(&mut self, job: &Job<'_>) {
        self.guests
            .retain(|guest| guest.upgrade().is_some_and(|picture| picture.is_a_guest()));
        while self.guests.len() >= usize::from(job.sps.max_num_ref_frames) + GUESTS {
            let is_free = |guest: &Weak<Picture>| guest.upgrade().is_none_or(|picture| !job.refers_to(picture.id));
            let Some(oldest) = self.guests.iter().position(is_free) else {
                return;
            };
            if let Some(picture) = self.guests.remove(oldest).upgrade() {
                picture.leave_frame();
            }
        }
    }
}

impl Context {
    /// Ends what is under way and closes the device; pixels belong to the surfaces.
    pub fn close(&self, counters: &Counters) {
        let mut decoder = lock(&self.decoder);
        decoder.pool = None;
        if let Some(session) = decoder.session.take() {
            if let Err(error) = session.drain() {
                tracing::warn!("{error}");
            }
            let stats = session.stats();
            tracing::debug!("context {:#x} is closed: {stats:?}", decoder.id.0);
            counters.add(&stats);
        }
    }
}

impl Driver {
    /// `vaCreateContext`. Render targets are checked and otherwise not looked at: most applications give none.
    ///
    /// # Errors
    /// [`Status::InvalidConfig`], [`Status::InvalidSurface`], [`Status::ResolutionNotSupported`],
    /// [`Status::AllocationFailed`].
    pub fn create_context(
        &self,
        config: va::VAConfigID,
        (width, height): (c_int, c_int),
        targets: &[va::VASurfaceID],
    ) -> Result<va::VAContextID> {
        let config = self.config(config)?;
        for &target in targets {
            self.surface(target)?;
        }
        let (width, height) = (dimension(width)?, dimension(height)?);
        let max = self.capabilities().max_size;
        if width > max.width || height > max.height {
            return Err(Status::ResolutionNotSupported.because(format!("{width}x{height}, the device takes {max}")));
        }
        let session = Arc::new(self.session()?);
        self.contexts.insert(|id| Context {
            open: Mutex::default(),
            decoder: Mutex::new(Decoder {
                id: ContextId(id),
                session: Some(session),
                pool: None,
                guests: Vec::new(),
                h264: H264::new(config.profile),
            }),
        })
    }

    /// `vaDestroyContext`: ends what is under way; surfaces keep their pictures.
    ///
    /// # Errors
    /// [`Status::InvalidContext`].
    pub fn destroy_context(&self, id: va::VAContextID) -> Result {
        self.contexts.remove(id)?.close(&self.counters);
        Ok(())
    }

    /// `vaBeginPicture`. A picture that was begun and not ended is given up.
    ///
    /// # Errors
    /// [`Status::InvalidContext`], [`Status::InvalidSurface`].
    pub fn begin_picture(&self, context: va::VAContextID, target: va::VASurfaceID) -> Result {
        let (context, target) = (self.context(context)?, self.surface(target)?);
        *lock(&context.open) = PictureState::Open(Box::new(OpenPicture::new(target)));
        Ok(())
    }

    /// `vaRenderPicture`: copies the buffers.
    ///
    /// # Errors
    /// [`Status::InvalidContext`], [`Status::InvalidBuffer`]; [`Status::OperationFailed`] without a picture.
    pub fn render_picture(&self, context: va::VAContextID, buffers: &[va::VABufferID]) -> Result {
        let context = self.context(context)?;
        let buffers = buffers.iter().map(|&id| self.buffer(id)).collect::<Result<Vec<_>>>()?;
        match &mut *lock(&context.open) {
            PictureState::Closed => Err(no_picture()),
            PictureState::Open(picture) => buffers.iter().try_for_each(|buffer| picture.render(buffer)),
        }
    }

    /// `vaEndPicture`: hands the picture to the device. Waits for it only where the surface was exported.
    ///
    /// # Errors
    /// [`Status::InvalidContext`], [`Status::OperationFailed`] without a picture, [`Status::InvalidBuffer`] if something
    /// is missing, [`Status::UnsupportedRtFormat`] if the surface is for other samples, [`Status::DecodingError`] if
    /// nothing of it can be decoded, and what the device says.
    pub fn end_picture(&self, id: va::VAContextID) -> Result {
        let context = self.context(id)?;
        let mut open = match mem::take(&mut *lock(&context.open)) {
            PictureState::Closed => return Err(no_picture()),
            PictureState::Open(open) => open,
        };
        let joined = open.join_pieces();
        let decoded = joined.and_then(|()| self.decode(&mut lock(&context.decoder), &open));
        decoded.inspect_err(|failure| {
            self.counters.refuse();
            tracing::warn!("a picture is lost: {}", failure.reason);
        })?;
        // Of a first field, what there is: the second one follows.
        if let Some(picture) = open.target.picture().filter(|_| open.target.is_lent()) {
            picture.wait_for_device();
        }
        Ok(())
    }

    fn decode(&self, decoder: &mut Decoder, open: &OpenPicture) -> Result {
        let Some(session) = decoder.session.clone() else {
            return Err(Status::InvalidContext.because("the context is being destroyed"));
        };
        let find = |id| self.surface(id).ok();
        let job = decoder.h264.job(decoder.id, open, find)?;
        let picture = self.picture_for(decoder, &session, open, &job)?;
        let Some(frame) = picture.frame() else {
            return Err(Status::OperationFailed.because("a second field of a picture that was given up"));
        };
        match session.submit(&job.decode_job(picture.id), &frame) {
            Ok(submitted) => picture.submitted(submitted),
            Err(error) => {
                picture.failed();
                open.target.show(picture);
                return Err(error.into());
            }
        }
        open.target.show(picture);
        Ok(())
    }

    /// The picture that `job` decodes: the one in the surface if it is the second field of that, else a new one.
    fn picture_for(
        &self,
        decoder: &mut Decoder,
        session: &Arc<Session>,
        open: &OpenPicture,
        job: &Job<'_>,
    ) -> Result<Arc<Picture>> {
        if job.second_field
            && let Some(first) = open.target.picture()
        {
            return Ok(first);
        }
        decoder.make_room(job);
        let target = self.target(decoder, session, &open.target, &job.sps)?;
        let is_a_guest = target.copy_to.is_some();
        let id = (decoder.id, decoder.h264.next_picture());
        let first = (job.structure, job.frame_num, job.field_order_cnt);
        let picture = Arc::new(Picture::new(id, first, target, session));
        if is_a_guest {
            self.counters.copy();
            decoder.guests.push(Arc::downgrade(&picture));
        }
        Ok(picture)
    }

    fn target(
        &self,
        decoder: &mut Decoder,
        session: &Arc<Session>,
        surface: &Arc<Surface>,
        sps: &Sps,
    ) -> Result<Target> {
        surface.must_show(sps)?;
        if !session.is_configured_for(sps) {
            let needs = FrameNeeds {
                dpb: usize::from(sps.max_num_ref_frames) + 1,
                // Where pictures are decoded elsewhere and copied.
                downstream: GUESTS,
            };
            decoder.pool = Some(session.configure(sps, needs, &Interrupt::new())?);
        }
        let (Some(pool), Some(capture)) = (&decoder.pool, session.format()) else {
            return Err(Status::OperationFailed.because("a session without a format"));
        };
        // Another context may still decode into it, or somebody read it.
        if let Some(before) = surface.picture().filter(|before| before.context != decoder.id) {
            before.wait();
        }
        surface.wait_for_readers();
        let layout = format::frame_layout(&capture)?;
        Ok(surface.target((sps, &layout), self, (session, pool))?)
    }
}

fn no_picture() -> Failure {
    Status::OperationFailed.because("no picture was begun")
}
