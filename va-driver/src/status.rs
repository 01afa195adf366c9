//! What goes wrong, as libva numbers it.

use std::borrow::Cow;

use fourier_core::Error;

use crate::ffi::va;

/// The result of every entry point.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

/// `VA_STATUS_ERROR_*`, as far as the driver gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    OperationFailed = va::VA_STATUS_ERROR_OPERATION_FAILED,
    AllocationFailed = va::VA_STATUS_ERROR_ALLOCATION_FAILED,
    InvalidDisplay = va::VA_STATUS_ERROR_INVALID_DISPLAY,
    InvalidConfig = va::VA_STATUS_ERROR_INVALID_CONFIG,
    InvalidContext = va::VA_STATUS_ERROR_INVALID_CONTEXT,
    InvalidSurface = va::VA_STATUS_ERROR_INVALID_SURFACE,
    InvalidBuffer = va::VA_STATUS_ERROR_INVALID_BUFFER,
    InvalidImage = va::VA_STATUS_ERROR_INVALID_IMAGE,
    InvalidSubpicture = va::VA_STATUS_ERROR_INVALID_SUBPICTURE,
    AttributeNotSupported = va::VA_STATUS_ERROR_ATTR_NOT_SUPPORTED,
    MaxNumExceeded = va::VA_STATUS_ERROR_MAX_NUM_EXCEEDED,
    UnsupportedProfile = va::VA_STATUS_ERROR_UNSUPPORTED_PROFILE,
    UnsupportedEntrypoint = va::VA_STATUS_ERROR_UNSUPPORTED_ENTRYPOINT,
    UnsupportedRtFormat = va::VA_STATUS_ERROR_UNSUPPORTED_RT_FORMAT,
    UnsupportedBufferType = va::VA_STATUS_ERROR_UNSUPPORTED_BUFFERTYPE,
    InvalidParameter = va::VA_STATUS_ERROR_INVALID_PARAMETER,
    ResolutionNotSupported = va::VA_STATUS_ERROR_RESOLUTION_NOT_SUPPORTED,
    Unimplemented = va::VA_STATUS_ERROR_UNIMPLEMENTED,
    InvalidImageFormat = va::VA_STATUS_ERROR_INVALID_IMAGE_FORMAT,
    DecodingError = va::VA_STATUS_ERROR_DECODING_ERROR,
    HwBusy = va::VA_STATUS_ERROR_HW_BUSY,
    UnsupportedMemoryType = va::VA_STATUS_ERROR_UNSUPPORTED_MEMORY_TYPE,
    TimedOut = va::VA_STATUS_ERROR_TIMEDOUT,
}

impl Status {
    /// The number that libva's caller gets.
    pub fn code(self) -> va::VAStatus {
        self as u32 as va::VAStatus
    }

    /// This error, and why.
    pub fn because(self, reason: impl Into<Cow<'static, str>>) -> Failure {
        Failure {
            status: self,
            reason: reason.into(),
            for_user: false,
        }
    }
}

/// An error of an entry point: the number for the application, the reason for the log.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What the application is told.
    pub status: Status,
    /// What the log is told.
    pub reason: Cow<'static, str>,
    /// Not the application's doing, nor the stream's: somebody in front of the screen should know.
    pub for_user: bool,
}

impl Failure {
    /// The same, for the user's eyes too.
    pub fn for_user(self) -> Self {
        Self { for_user: true, ..self }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        use nix_errno::{EBUSY, EMFILE, ENFILE, ENOMEM};
        let status = match &error {
            Error::Unsupported(_) => Status::UnsupportedProfile,
            Error::Bitstream(_) => Status::DecodingError,
            Error::Device(call) => match call.errno as i32 {
                ENOMEM | EMFILE | ENFILE => Status::AllocationFailed,
                EBUSY => Status::HwBusy,
                _ => Status::OperationFailed,
            },
            Error::NeedFrames { .. } => Status::AllocationFailed,
            Error::Flushing => Status::TimedOut,
            Error::Lost(_) | Error::Bug(_) => Status::OperationFailed,
            _ => Status::OperationFailed,
        };
        let for_user = match &error {
            Error::Unsupported(_) | Error::Device(_) | Error::NeedFrames { .. } | Error::Lost(_) => true,
            Error::Bitstream(_) | Error::Flushing | Error::Bug(_) => false,
            _ => false,
        };
        Failure {
            for_user,
            ..status.because(error.to_string())
        }
    }
}

/// The errno that have a meaning of their own here; the same on every Linux.
mod nix_errno {
    pub const ENOMEM: i32 = 12;
    pub const EBUSY: i32 = 16;
    pub const ENFILE: i32 = 23;
    pub const EMFILE: i32 = 24;
}
