//! Calls about one picture: begin, render, end, and waiting for it.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::time::Duration;

use super::{Display, input, va};
use crate::Status;

impl Display {
    /// `vaBeginPicture`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn begin_picture(&self, context: va::VAContextID, target: va::VASurfaceID) -> Result<(), Status> {
        // SAFETY: an initialised display; any numbers.
        Status::check(unsafe { va::vaBeginPicture(self.raw, context, target) })
    }

    /// `vaRenderPicture`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn render_picture(&self, context: va::VAContextID, buffers: &[va::VABufferID]) -> Result<(), Status> {
        let (list, count) = (input(buffers), buffers.len() as c_int);
        // SAFETY: a list of as many ids as said.
        Status::check(unsafe { va::vaRenderPicture(self.raw, context, list, count) })
    }

    /// `vaEndPicture`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn end_picture(&self, context: va::VAContextID) -> Result<(), Status> {
        // SAFETY: an initialised display; any number.
        Status::check(unsafe { va::vaEndPicture(self.raw, context) })
    }

    /// `vaSyncSurface`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn sync_surface(&self, surface: va::VASurfaceID) -> Result<(), Status> {
        // SAFETY: an initialised display; any number.
        Status::check(unsafe { va::vaSyncSurface(self.raw, surface) })
    }

    /// `vaSyncSurface2`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn sync_surface_within(&self, surface: va::VASurfaceID, patience: Duration) -> Result<(), Status> {
        let nanoseconds = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        // SAFETY: an initialised display; any numbers.
        Status::check(unsafe { va::vaSyncSurface2(self.raw, surface, nanoseconds) })
    }

    /// `vaQuerySurfaceStatus`.
    ///
    /// # Errors
    /// What the driver says.
    pub fn surface_status(&self, surface: va::VASurfaceID) -> Result<va::VASurfaceStatus, Status> {
        let mut status = 0;
        // SAFETY: a place for a number.
        let called = unsafe { va::vaQuerySurfaceStatus(self.raw, surface, &raw mut status) };
        Status::check(called).map(|()| status)
    }

    /// `vaQuerySurfaceError`: the macroblocks that it lists, first to last.
    ///
    /// # Errors
    /// What the driver says.
    pub fn surface_error(&self, surface: va::VASurfaceID) -> Result<Vec<(u32, u32)>, Status> {
        let mut list: *mut c_void = ptr::null_mut();
        let error = va::VA_STATUS_ERROR_DECODING_ERROR.cast_signed();
        // SAFETY: a place for an address.
        let status = unsafe { va::vaQuerySurfaceError(self.raw, surface, error, &raw mut list) };
        Status::check(status)?;
        let mut errors = Vec::new();
        let mut place = list.cast::<va::VASurfaceDecodeMBErrors>().cast_const();
        loop {
            // SAFETY: va.h: an array that ends with an entry of status -1, and `place` is not beyond it.
            let entry = unsafe { place.read() };
            if entry.status == -1 {
                return Ok(errors);
            }
            errors.push((entry.start_mb, entry.end_mb));
            // SAFETY: another entry follows, as this one was not the last.
            place = unsafe { place.add(1) };
        }
    }
}
