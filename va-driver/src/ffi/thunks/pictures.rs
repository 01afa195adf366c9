//! Calls about one picture: begin, render, end, and waiting for it.
#![allow(non_snake_case)]

use std::ffi::{c_int, c_void};
use std::time::Duration;

use super::{Caller, Driver, enter, thunks, va};
use crate::status::{Result, Status};

thunks! {
    vaBeginPicture(context: va::VAContextID, target: va::VASurfaceID)
        |driver, _| driver.begin_picture(context, target);

    vaRenderPicture(context: va::VAContextID, buffers: *mut va::VABufferID, count: c_int)
        |driver, caller| driver.render_picture(context, caller.list(buffers, count)?);

    vaEndPicture(context: va::VAContextID) |driver, _| driver.end_picture(context);

    vaSyncSurface(surface: va::VASurfaceID) |driver, _| driver.sync_surface(surface, None);

    vaSyncSurface2(surface: va::VASurfaceID, nanoseconds: u64)
        |driver, _| driver.sync_surface(surface, (nanoseconds != u64::MAX).then(|| Duration::from_nanos(nanoseconds)));

    vaQuerySurfaceStatus(surface: va::VASurfaceID, status: *mut va::VASurfaceStatus)
        |driver, caller| caller.put(status, driver.query_surface_status(surface)?);

    vaQuerySurfaceError(surface: va::VASurfaceID, _status: va::VAStatus, information: *mut *mut c_void)
        |driver, caller| caller.put(information, driver.query_surface_error(surface)?.cast_mut().cast());

    vaSyncBuffer(buffer: va::VABufferID, _nanoseconds: u64)
        |driver, _| driver.buffer(buffer).and_then(|_| Err(Status::Unimplemented.because("only encoders fill buffers")));
}
