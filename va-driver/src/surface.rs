//! Surfaces: one frame memory each, for life, made when it is first needed.

use std::ffi::c_int;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fourier_core::decode::{Outcome, ScratchAllocator, Session};
use fourier_core::h264::Sps;
use fourier_core::memory::{FrameLayout, FrameMemory, MemoryKind, Readers};
use fourier_core::pool::{Frame, FramePool};
use fourier_core::units::Size;

use crate::driver::Driver;
use crate::ffi::{Caller, parameters, va};
use crate::format::SampleFormat;
use crate::h264;
use crate::ids::lock;
use crate::import::Description;
use crate::picture::{Picture, Progress, Target};
use crate::status::{Failure, Result, Status};

/// How long the GPU may go on reading a surface that is to be decoded into again.
const READERS_PATIENCE: Duration = Duration::from_secs(1);
/// No picture is larger in one direction.
const MAX_SIDE: u32 = 16_384;

/// What `vaCreateSurfaces` is asked for.
#[derive(Clone, Debug)]
pub struct SurfaceRequest {
    size: Size,
    /// The first one is made.
    formats: Vec<SampleFormat>,
    /// `VA_SURFACE_ATTRIB_MEM_TYPE_*`.
    memory_type: u32,
    /// Those that there may be besides the driver's own.
    imported_types: &'static [u32],
    /// `VASurfaceAttribExternalBufferDescriptor`.
    descriptor: Option<va::VASurfaceAttrib>,
}

/// Memory types of the application, where surfaces are dma-bufs.
pub const IMPORTED_TYPES: &[u32] = &[
    va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME,
    va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2,
];

impl SurfaceRequest {
    /// A surface of `format`, a `VA_RT_FORMAT_*`; `known` is what the device gives.
    ///
    /// # Errors
    /// [`Status::UnsupportedRtFormat`], [`Status::ResolutionNotSupported`].
    pub fn new<T: TryInto<u32>>(
        (width, height): (T, T),
        format: T,
        known: impl Iterator<Item = SampleFormat>,
    ) -> Result<Self> {
        let number = |value: T| value.try_into().ok();
        let format = number(format);
        let is_asked_for = |known: &SampleFormat| format.is_some_and(|format| format & known.rt_format() != 0);
        let formats: Vec<_> = known.filter(is_asked_for).collect();
        if formats.is_empty() {
            return Err(Status::UnsupportedRtFormat.because(format!("render target format {format:x?}")));
        }
        let side = |value: T| number(value).filter(|side| (1..=MAX_SIDE).contains(side));
        match (side(width), side(height)) {
            (Some(width), Some(height)) => Ok(Self {
                size: Size { width, height },
                formats,
                memory_type: va::VA_SURFACE_ATTRIB_MEM_TYPE_VA,
                imported_types: &[],
                descriptor: None,
            }),
            (width, height) => {
                Err(Status::ResolutionNotSupported.because(format!("a surface of {width:?} by {height:?} samples")))
            }
        }
    }

    /// Takes an attribute into account. Its flags are not looked at: applications leave them 0.
    ///
    /// # Errors
    /// [`Status::AttributeNotSupported`] for what the surface cannot be.
    pub fn apply(&mut self, attribute: &va::VASurfaceAttrib, caller: &Caller) -> Result {
        let value = parameters::integer(attribute).map(i32::cast_unsigned);
        let refuse = |what: &str| Err(Status::AttributeNotSupported.because(format!("{what}: {value:x?}")));
        match attribute.type_ {
            va::VASurfaceAttribPixelFormat => {
                self.formats.retain(|format| value == Some(format.fourcc()));
                match self.formats.is_empty() {
                    true => refuse("a pixel format that such surfaces do not have"),
                    false => Ok(()),
                }
            }
            va::VASurfaceAttribMemoryType => {
                let is_known =
                    |kind: &u32| *kind == va::VA_SURFACE_ATTRIB_MEM_TYPE_VA || self.imported_types.contains(kind);
                let Some(kind) = value.filter(is_known) else {
                    return refuse("a type of memory");
                };
                self.memory_type = kind;
                Ok(())
            }
            va::VASurfaceAttribExternalBufferDescriptor => {
                self.descriptor = Some(*attribute);
                Ok(())
            }
            va::VASurfaceAttribDRMFormatModifiers => match parameters::modifiers(attribute, caller) {
                Some(list) if list.contains(&0) => Ok(()),
                Some(_) | None => refuse("modifiers without DRM_FORMAT_MOD_LINEAR"),
            },
            // What it is for makes no difference.
            _ => Ok(()),
        }
    }

    /// The memory of `count` surfaces, where it is the application's; none where it is the driver's.
    ///
    /// # Errors
    /// [`Status::InvalidParameter`] without a descriptor, and those of [`Description`].
    pub fn imports(&self, count: usize, caller: &Caller) -> Result<Vec<Arc<FrameMemory>>> {
        let invalid = |why: &str| Status::InvalidParameter.because(why.to_owned());
        let descriptor = || {
            let descriptor = self.descriptor.as_ref();
            descriptor.ok_or_else(|| invalid("memory of the application without a descriptor"))
        };
        let descriptions = match self.memory_type {
            va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME => {
                let (buffers, fds) = parameters::external_buffers(descriptor()?, caller)?;
                let fds = fds.get(..count).ok_or_else(|| invalid("fewer buffers than surfaces"))?;
                let all = fds.iter().map(|&fd| Description::of_buffers(&buffers, fd));
                all.collect::<Result<Vec<_>>>()?
            }
            va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2 if count == 1 => {
                let descriptor = parameters::prime_descriptor(descriptor()?, caller)?;
                vec![Description::of_prime(&descriptor)?]
            }
            va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2 => return Err(invalid("one descriptor is one surface")),
            // The driver's own; a descriptor says nothing then.
            _ => Vec::new(),
        };
        let memories = descriptions.into_iter();
        memories
            .map(|description| description.into_memory(self.format(), self.size))
            .collect()
    }

    fn format(&self) -> SampleFormat {
        self.formats.first().copied().unwrap_or(SampleFormat::Nv12)
    }
}

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
                let frame = Frame::adopt(scratch.allocate(&h264::placeholder_sps(self.size, self.format))?);
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
                let frame = Frame::adopt(scratch.allocate(&h264::placeholder_sps(self.size, self.format))?);
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
    /// What `vaCreateSurfaces` is asked for, without its attributes.
    ///
    /// # Errors
    /// Those of [`SurfaceRequest::new`].
    pub fn surface_request<T: TryInto<u32>>(&self, size: (T, T), format: T) -> Result<SurfaceRequest> {
        let capabilities = self.capabilities();
        let request = SurfaceRequest::new(size, format, SampleFormat::of_device(capabilities))?;
        Ok(SurfaceRequest {
            imported_types: match capabilities.export_kind {
                MemoryKind::DmaBuf => IMPORTED_TYPES,
                MemoryKind::MemFd => &[],
            },
            ..request
        })
    }

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
