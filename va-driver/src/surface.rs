//! Surfaces: one frame memory each, for life, made when it is first needed. [`SurfaceRequest`] is what applications ask for.

mod request;

use std::ffi::c_int;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fourier_core::decode::{Outcome, ScratchAllocator, Session};
use fourier_core::h264::Sps;
use fourier_core::memory::{FrameLayout, FrameMemory, MemoryKind, Readers};
use fourier_core::pool::{Frame, FramePool};
use fourier_core::units::Size;

use crate::driver::Driver;
use crate::ffi::va;
use crate::format::SampleFormat;
use crate::h264;
use crate::ids::lock;
use crate::picture::{Picture, Progress, Target};
use crate::status::{Failure, Result, Status};

pub use request::{IMPORTED_TYPES, SurfaceRequest};

/// How long the GPU may go on reading a surface that is to be decoded into again.
const READERS_PATIENCE: Duration = Duration::from_secs(1);
/// No picture is larger in one direction.
const MAX_SIDE: u32 = 16_384;

/// A surface.
#[derive(Debug)]
pub struct Surface {
    /// As it was asked for; what applications are told.
    pub size: Size,
    /// What it can show.
    pub format: SampleFormat,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    frame: Option<Frame>,
    /// An application may look at the memory without asking: it must stay the surface's own.
    is_lent: bool,
    origin: Origin,
    picture: Option<Arc<Picture>>,
}

/// Whose memory it is.
#[derive(Debug, Default)]
enum Origin {
    /// The device's.
    #[default]
    Device,
    /// The application's; the device cannot decode pictures of that layout into it.
    Application { refused: Option<FrameLayout> },
}

impl State {
    /// Sees memory of the application as the device lays its pictures out, if it can decode into it.
    fn prove(&mut self, layout: &FrameLayout, session: &Session) {
        let (Origin::Application { refused }, Some(frame)) = (&mut self.origin, &self.frame) else {
            return;
        };
        if frame.memory().layout == *layout || refused.as_ref() == Some(layout) {
            return;
        }
        let memory = frame.memory().with_layout(layout);
        match memory.and_then(|memory| session.adopt(Arc::new(memory))) {
            Ok(frame) => self.frame = Some(frame),
            Err(error) => {
                tracing::debug!("pictures are copied to memory of the application: {error}");
                *refused = Some(layout.clone());
            }
        }
    }
}

impl Surface {
    fn new(size: Size, format: SampleFormat) -> Self {
        Self {
            size,
            format,
            state: Mutex::default(),
        }
    }

    /// A surface of memory of the application, which may look at it whenever it likes.
    fn imported(size: Size, format: SampleFormat, memory: Arc<FrameMemory>) -> Self {
        Self {
            size,
            format,
            state: Mutex::new(State {
                frame: Some(Frame::adopt(memory)),
                is_lent: true,
                origin: Origin::Application { refused: None },
                picture: None,
            }),
        }
    }

    /// Its memory; a new one for a surface that nothing was done with yet.
    ///
    /// # Errors
    /// Those of [`ScratchAllocator::allocate`].
    pub fn frame(&self, scratch: &ScratchAllocator) -> Result<Frame> {
        let mut state = lock(&self.state);
        match &state.frame {
            Some(frame) => Ok(frame.clone()),
            None => {
                let frame = self.allocate(scratch)?;
                state.frame = Some(frame.clone());
                Ok(frame)
            }
        }
    }

    /// The same, for an application that looks at it whenever it likes.
    ///
    /// # Errors
    /// As [`Self::frame`].
    pub fn lend(&self, scratch: &ScratchAllocator) -> Result<Frame> {
        let frame = self.frame(scratch)?;
        let mut state = lock(&self.state);
        state.is_lent = true;
        // Between the two locks a picture may have come with memory of another layout.
        Ok(state.frame.clone().unwrap_or(frame))
    }

    /// Memory for any picture of its size, or of the least that the device decodes.
    fn allocate(&self, scratch: &ScratchAllocator) -> Result<Frame, fourier_core::Error> {
        let min = scratch.capabilities().min_size;
        let size = Size {
            width: self.size.width.max(min.width),
            height: self.size.height.max(min.height),
        };
        let memory = scratch.allocate(&h264::placeholder_sps(size, self.format))?;
        Ok(Frame::adopt(memory))
    }

    /// A picture of `sps` can be decoded into it.
    ///
    /// # Errors
    /// [`Status::UnsupportedRtFormat`] if such a picture has other samples.
    pub fn must_show(&self, sps: &Sps) -> Result {
        match SampleFormat::of_sps(sps) {
            format if format == self.format => Ok(()),
            format => {
                let why = format!("a picture of {format:?} into a surface of {:?}", self.format);
                Err(Status::UnsupportedRtFormat.because(why))
            }
        }
    }

    /// What its memory is; `None` as long as it has none.
    pub fn memory_kind(&self) -> Option<MemoryKind> {
        lock(&self.state).frame.as_ref().map(|frame| frame.memory().kind)
    }

    /// Somebody outside may read the memory at any time.
    pub fn is_lent(&self) -> bool {
        lock(&self.state).is_lent
    }

    /// What was decoded into it last.
    pub fn picture(&self) -> Option<Arc<Picture>> {
        lock(&self.state).picture.clone()
    }

    /// `picture` is what it shows from now on.
    pub fn show(&self, picture: Arc<Picture>) {
        let before = lock(&self.state).picture.replace(picture);
        // Dropped without the lock: it tells its session.
        drop(before);
    }

    /// Waits until its samples can be read.
    pub fn wait(&self) -> Outcome {
        self.picture().map_or(Outcome::Good, |picture| picture.wait())
    }

    /// Where to decode a picture of `sps`, which the device lays out as `layout`: its own memory if that fits and the
    /// device can import it, else a frame of `pool`, to be copied.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn target(
        &self,
        (sps, layout): (&Sps, &FrameLayout),
        driver: &Driver,
        (session, pool): (&Session, &FramePool),
    ) -> Result<Target, fourier_core::Error> {
        let scratch = &driver.scratch;
        let mut state = lock(&self.state);
        state.prove(layout, session);
        let covers = layout.size.width >= self.size.width && layout.size.height >= self.size.height;
        let own = match state.frame.clone() {
            Some(frame) if frame.memory().layout == *layout || state.is_lent || !covers => frame,
            // Nobody has seen it yet: the surface may have memory of the right layout instead.
            Some(_) | None if covers => {
                let frame = Frame::adopt(scratch.allocate(sps)?);
                state.frame = Some(frame.clone());
                frame
            }
            Some(frame) => frame,
            None => {
                let frame = self.allocate(scratch)?;
                state.frame = Some(frame.clone());
                frame
            }
        };
        drop(state);
        if driver.capabilities().dmabuf_import && own.memory().layout == *layout {
            return Ok(Target {
                frame: own,
                copy_to: None,
            });
        }
        Ok(Target {
            frame: pool.acquire()?,
            copy_to: Some(Arc::clone(own.memory())),
        })
    }

    /// Waits for devices that still read what is to be written.
    pub fn wait_for_readers(&self) {
        let frame = {
            let state = lock(&self.state);
            state.frame.clone().filter(|_| state.is_lent)
        };
        let Some(frame) = frame else {
            return;
        };
        match frame.memory().wait_for_readers(READERS_PATIENCE) {
            Ok(Readers::Done) => {}
            Ok(Readers::Pending) => tracing::warn!("a surface is decoded into although it is still being read"),
            Err(error) => tracing::warn!("{error}"),
        }
    }
}

impl Driver {
    /// `vaCreateSurfaces2`: fills `list`, with the memories of `imports` if there are any. All or none.
    ///
    /// # Errors
    /// [`Status::AllocationFailed`].
    pub fn create_surfaces(
        &self,
        request: &SurfaceRequest,
        imports: Vec<Arc<FrameMemory>>,
        list: &mut [va::VASurfaceID],
    ) -> Result {
        let (size, format) = (request.size, request.format());
        let mut imports = imports.into_iter();
        for index in 0..list.len() {
            let surface = match imports.next() {
                Some(memory) => Surface::imported(size, format, memory),
                None => Surface::new(size, format),
            };
            match self.surfaces.insert(|_| surface) {
                Ok(id) => list[index] = id,
                Err(failure) => {
                    let made = list.get(..index).unwrap_or_default();
                    return self.destroy_surfaces(made).and(Err(failure));
                }
            }
        }
        Ok(())
    }

    /// `vaDestroySurfaces`: the ids go; memory that somebody still needs stays.
    ///
    /// # Errors
    /// [`Status::InvalidSurface`] if one of them is none; the others are destroyed.
    pub fn destroy_surfaces(&self, list: &[va::VASurfaceID]) -> Result {
        let mut result = Ok(());
        for &id in list {
            if let Err(failure) = self.surfaces.remove(id) {
                result = Err(failure);
            }
        }
        result
    }

    /// `vaSyncSurface`, `vaSyncSurface2`: waits for what was decoded into it.
    ///
    /// # Errors
    /// [`Status::DecodingError`], once for a picture that is damaged; [`Status::TimedOut`].
    pub fn sync_surface(&self, id: va::VASurfaceID, timeout: Option<Duration>) -> Result {
        let Some(picture) = self.surface(id)?.picture() else {
            return Ok(());
        };
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let progress = match deadline {
            Some(deadline) => picture.wait_until(deadline),
            None => Progress::Done(picture.wait()),
        };
        match progress {
            Progress::Decoding => Err(Status::TimedOut.because(format!("surface {id:#x} is still being decoded"))),
            Progress::Done(outcome) if picture.must_report_damage(outcome) => {
                Err(Status::DecodingError.because(format!("the picture in surface {id:#x} is damaged")))
            }
            Progress::Done(_) => Ok(()),
        }
    }

    /// `vaQuerySurfaceStatus`.
    ///
    /// # Errors
    /// [`Status::InvalidSurface`].
    pub fn query_surface_status(&self, id: va::VASurfaceID) -> Result<va::VASurfaceStatus> {
        let picture = self.surface(id)?.picture();
        let progress = picture.map(|picture| picture.progress());
        Ok(match progress {
            Some(Progress::Decoding) => va::VASurfaceRendering,
            Some(Progress::Done(_)) | None => va::VASurfaceReady,
        })
    }

    /// `vaQuerySurfaceError`: the macroblocks of a damaged picture that are wrong, as a list of libva; drivers do not
    /// say, so it is all of them.
    ///
    /// # Errors
    /// [`Status::InvalidSurface`]; [`Status::InvalidParameter`] if nothing is wrong.
    pub fn query_surface_error(&self, id: va::VASurfaceID) -> Result<*const va::VASurfaceDecodeMBErrors> {
        /// `VADecodeSliceMissing`; the list ends with status -1.
        static ERRORS: [MbErrors; 2] = [MbErrors::all(), MbErrors::end()];
        let surface = self.surface(id)?;
        match surface.wait() {
            Outcome::Damaged => Ok(ERRORS.as_ptr().cast()),
            Outcome::Good => Err(no_error(id)),
        }
    }
}

fn no_error(id: va::VASurfaceID) -> Failure {
    Status::InvalidParameter.because(format!("nothing is wrong with surface {id:#x}"))
}

/// `VASurfaceDecodeMBErrors`, as a constant.
#[repr(C)]
struct MbErrors {
    status: i32,
    start_mb: u32,
    end_mb: u32,
    decode_error_type: va::VADecodeErrorType,
    num_mb: u32,
    reserved: [u32; 3],
}

impl MbErrors {
    const fn all() -> Self {
        Self {
            status: 1,
            start_mb: 0,
            end_mb: u32::MAX,
            decode_error_type: va::VADecodeMBError,
            num_mb: u32::MAX,
            reserved: [0; 3],
        }
    }

    const fn end() -> Self {
        Self {
            status: -1,
            ..Self::all()
        }
    }
}

const _: () = assert!(size_of::<MbErrors>() == size_of::<va::VASurfaceDecodeMBErrors>());

/// A number that an application gave as `int`.
pub fn dimension(value: c_int) -> Result<u32> {
    u32::try_from(value)
        .ok()
        .filter(|side| (1..=MAX_SIDE).contains(side))
        .ok_or_else(|| Status::InvalidParameter.because(format!("a size of {value}")))
}
