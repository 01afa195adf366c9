//! Buffers: parameters and slices on their way in, samples of images on their way out.

use std::ffi::c_void;
use std::sync::{Arc, Mutex};

use fourier_core::memory::CpuAccess;
use fourier_core::pool::Frame;

use crate::driver::Driver;
use crate::ffi::{Block, Caller, va};
use crate::ids::lock;
use crate::status::{Result, Status};
use crate::surface::Surface;

/// What a buffer is made for.
#[derive(Clone, Copy, Debug)]
pub struct BufferRequest {
    /// `VABufferType`.
    pub kind: va::VABufferType,
    /// Bytes of an element.
    pub element_size: usize,
    /// How many elements.
    pub elements: usize,
}

impl BufferRequest {
    fn bytes(&self) -> Result<usize> {
        let bytes = self.element_size.checked_mul(self.elements);
        bytes.ok_or_else(|| Status::AllocationFailed.because("a buffer beyond all measure"))
    }
}

/// A buffer.
#[derive(Debug)]
pub struct Buffer {
    kind: va::VABufferType,
    element_size: usize,
    elements: Mutex<usize>,
    storage: Storage,
}

/// Where its bytes are.
#[derive(Debug)]
enum Storage {
    Own(Block),
    /// In the memory of a surface, for a derived image.
    Surface {
        surface: Arc<Surface>,
        frame: Frame,
        mapping: Mutex<Option<SurfaceMapping>>,
    },
}

/// A surface's memory while it is mapped.
#[derive(Debug)]
struct SurfaceMapping {
    access: CpuAccess,
    /// Applications map what they have mapped already.
    count: usize,
}

impl SurfaceMapping {
    fn address(&mut self) -> Result<*mut c_void> {
        let bytes = self.access.object_mut(0);
        bytes
            .map(|bytes| bytes.as_mut_ptr().cast())
            .ok_or_else(|| Status::OperationFailed.because("a surface without memory"))
    }
}

impl Buffer {
    fn new(request: &BufferRequest) -> Result<Self> {
        Ok(Self {
            kind: request.kind,
            element_size: request.element_size,
            elements: Mutex::new(request.elements),
            storage: Storage::Own(Block::new(request.bytes()?)?),
        })
    }

    /// A buffer for the samples of an image.
    ///
    /// # Errors
    /// [`Status::AllocationFailed`].
    pub fn of_image(bytes: usize) -> Result<Self> {
        Self::new(&BufferRequest {
            kind: va::VAImageBufferType,
            element_size: bytes,
            elements: 1,
        })
    }

    /// A buffer that is the memory of `surface`.
    pub fn of_surface(surface: Arc<Surface>, frame: Frame, bytes: usize) -> Self {
        Self {
            kind: va::VAImageBufferType,
            element_size: bytes,
            elements: Mutex::new(1),
            storage: Storage::Surface {
                surface,
                frame,
                mapping: Mutex::default(),
            },
        }
    }

    /// What it was made for, with as many elements as it has now.
    pub fn request(&self) -> BufferRequest {
        BufferRequest {
            kind: self.kind,
            element_size: self.element_size,
            elements: *lock(&self.elements),
        }
    }

    /// A copy of its elements, as they are now.
    ///
    /// # Errors
    /// [`Status::InvalidBuffer`] for one that an application maps samples with.
    pub fn contents(&self) -> Result<Vec<u8>> {
        let bytes = self.request().bytes()?;
        let copy = self.block().and_then(|block| block.copy(0, bytes));
        copy.ok_or_else(|| Status::InvalidBuffer.because("a buffer of samples where parameters are expected"))
    }

    /// Memory of its own, if it has any.
    pub fn block(&self) -> Option<&Block> {
        match &self.storage {
            Storage::Own(block) => Some(block),
            Storage::Surface { .. } => None,
        }
    }

    /// `vaBufferSetNumElements`.
    ///
    /// # Errors
    /// [`Status::InvalidParameter`] for more than there is room for.
    pub fn set_elements(&self, elements: usize) -> Result {
        let fits = |block: &Block| {
            elements
                .checked_mul(self.element_size)
                .is_some_and(|bytes| bytes <= block.len())
        };
        if !self.block().is_some_and(fits) {
            return Err(Status::InvalidParameter.because(format!("{elements} elements in a buffer for fewer")));
        }
        *lock(&self.elements) = elements;
        Ok(())
    }

    /// `vaMapBuffer`: the address that the application may use until it unmaps the buffer. Waits for the picture of a
    /// derived image.
    ///
    /// # Errors
    /// If the memory cannot be mapped.
    pub fn map(&self) -> Result<*mut c_void> {
        match &self.storage {
            Storage::Own(block) => Ok(block.address()),
            Storage::Surface {
                surface,
                frame,
                mapping,
            } => {
                surface.wait();
                let mut mapping = lock(mapping);
                let mut mapped = match mapping.take() {
                    Some(mapped) => mapped,
                    None => SurfaceMapping {
                        access: frame.memory().write()?,
                        count: 0,
                    },
                };
                mapped.count += 1;
                let address = mapped.address();
                *mapping = Some(mapped);
                address
            }
        }
    }

    /// `vaUnmapBuffer`.
    ///
    /// # Errors
    /// [`Status::OperationFailed`] for a surface that is not mapped.
    pub fn unmap(&self) -> Result {
        match &self.storage {
            Storage::Own(_) => Ok(()),
            Storage::Surface { mapping, .. } => {
                let mut mapping = lock(mapping);
                match mapping.as_mut() {
                    None => Err(Status::OperationFailed.because("the buffer is not mapped")),
                    Some(mapped) if mapped.count > 1 => {
                        mapped.count -= 1;
                        Ok(())
                    }
                    Some(_) => {
                        *mapping = None;
                        Ok(())
                    }
                }
            }
        }
    }
}

impl Driver {
    /// `vaCreateBuffer`, with what is at `data` unless that is NULL.
    ///
    /// # Errors
    /// [`Status::InvalidContext`], [`Status::UnsupportedBufferType`], [`Status::AllocationFailed`].
    pub fn create_buffer(
        &self,
        context: va::VAContextID,
        request: &BufferRequest,
        data: *const u8,
        caller: &Caller,
    ) -> Result<va::VABufferID> {
        self.context(context)?;
        match request.kind {
            va::VAPictureParameterBufferType
            | va::VAIQMatrixBufferType
            | va::VASliceParameterBufferType
            | va::VASliceDataBufferType => {}
            kind => return Err(Status::UnsupportedBufferType.because(format!("buffer type {kind}"))),
        }
        let buffer = Buffer::new(request)?;
        if let Some(block) = buffer.block().filter(|_| !data.is_null()) {
            let written = block.write(0, caller.bytes(data, block.len()));
            debug_assert!(written, "as many bytes as the block has");
        }
        self.buffers.insert(|_| buffer)
    }

    /// `vaDestroyBuffer`.
    ///
    /// # Errors
    /// [`Status::InvalidBuffer`].
    pub fn destroy_buffer(&self, id: va::VABufferID) -> Result {
        self.buffers.remove(id).map(drop)
    }
}
