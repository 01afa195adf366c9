//! Calls that the driver does not serve, each with the answer that applications know to go on from.
#![allow(non_snake_case, clippy::too_many_arguments)]

use std::ffi::{c_int, c_short, c_uint, c_ushort, c_void};

use super::{Caller, Driver, enter, thunks, va};
use crate::status::{Result, Status};

fn unimplemented(what: &'static str) -> Result {
    Err(Status::Unimplemented.because(what))
}

thunks! {
    vaPutSurface(
        surface: va::VASurfaceID, _draw: *mut c_void, _srcx: c_short, _srcy: c_short, _srcw: c_ushort, _srch: c_ushort,
        _destx: c_short, _desty: c_short, _destw: c_ushort, _desth: c_ushort, _cliprects: *mut va::VARectangle,
        _number_cliprects: c_uint, _flags: c_uint,
    ) |driver, _| driver.surface(surface).and_then(|_| unimplemented("nothing is drawn: export the surface"));

    vaLockSurface(
        surface: va::VASurfaceID, _fourcc: *mut c_uint, _luma_stride: *mut c_uint, _u_stride: *mut c_uint,
        _v_stride: *mut c_uint, _luma_offset: *mut c_uint, _u_offset: *mut c_uint, _v_offset: *mut c_uint,
        _buffer_name: *mut c_uint, _buffer: *mut *mut c_void,
    ) |driver, _| driver.surface(surface).and_then(|_| unimplemented("derive an image instead"));

    vaUnlockSurface(surface: va::VASurfaceID)
        |driver, _| driver.surface(surface).and_then(|_| unimplemented("it was never locked"));

    vaGetSurfaceAttributes(config: va::VAConfigID, _list: *mut va::VASurfaceAttrib, _count: c_uint)
        |driver, _| driver.config(config).and_then(|_| unimplemented("query them instead"));

    vaAcquireBufferHandle(buffer: va::VABufferID, _info: *mut va::VABufferInfo)
        |driver, _| driver.buffer(buffer).and_then(|_| unimplemented("export the surface instead"));

    vaReleaseBufferHandle(buffer: va::VABufferID)
        |driver, _| driver.buffer(buffer).and_then(|_| unimplemented("it was never acquired"));

    vaCreateMFContext(_context: *mut va::VAMFContextID) |_, _| unimplemented("multi-frame encoding");
    vaMFAddContext(_mf: va::VAMFContextID, _context: va::VAContextID) |_, _| unimplemented("multi-frame encoding");
    vaMFReleaseContext(_mf: va::VAMFContextID, _context: va::VAContextID) |_, _| unimplemented("multi-frame encoding");
    vaMFSubmit(_mf: va::VAMFContextID, _contexts: *mut va::VAContextID, _count: c_int)
        |_, _| unimplemented("multi-frame encoding");

    vaCreateBuffer2(
        context: va::VAContextID, _kind: va::VABufferType, _width: c_uint, _height: c_uint, _unit_size: *mut c_uint,
        _pitch: *mut c_uint, _buffer: *mut va::VABufferID,
    ) |driver, _| driver.context(context).and_then(|_| unimplemented("two-dimensional buffers"));

    vaQueryProcessingRate(
        config: va::VAConfigID, _parameter: *mut va::VAProcessingRateParameter, _rate: *mut c_uint,
    ) |driver, _| driver.config(config).and_then(|_| unimplemented("processing rates"));

    vaCopy(_to: *mut va::VACopyObject, _from: *mut va::VACopyObject, _option: va::VACopyOption)
        |_, _| unimplemented("copies between objects");
}
