//! What a call that failed gives.

use std::fmt;

use crate::ffi::{self, va};

/// A `VAStatus` other than `VA_STATUS_SUCCESS`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Status(pub va::VAStatus);

impl Status {
    /// The status of that number, a `VA_STATUS_ERROR_*` of the headers.
    pub const fn of(code: u32) -> Self {
        Self(code.cast_signed())
    }

    /// The result of a call.
    pub(crate) fn check(code: va::VAStatus) -> Result<(), Self> {
        match code.cast_unsigned() {
            va::VA_STATUS_SUCCESS => Ok(()),
            _ => Err(Self(code)),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:#x})", ffi::error_string(self.0), self.0)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Status {}
