//! Calls about configs, surfaces, contexts, buffers and attributes.
#![allow(non_snake_case, clippy::too_many_arguments)]

use std::ffi::{c_int, c_uint, c_void};

use super::{Caller, Driver, enter, thunks, va};
use crate::buffer::BufferRequest;
use crate::status::{Result, Status};
use crate::surface::SurfaceRequest;

thunks! {
    vaQueryConfigProfiles(list: *mut va::VAProfile, count: *mut c_int) |driver, caller| {
        let profiles = driver.profiles();
        caller.put_list(list, &profiles)?;
        caller.put(count, profiles.len() as c_int)
    };

    vaQueryConfigEntrypoints(profile: va::VAProfile, list: *mut va::VAEntrypoint, count: *mut c_int)
        |driver, caller| {
            driver.check_profile(profile)?;
            caller.put_list(list, &[va::VAEntrypointVLD])?;
            caller.put(count, 1)
        };

    vaGetConfigAttributes(
        profile: va::VAProfile, entrypoint: va::VAEntrypoint, list: *mut va::VAConfigAttrib, count: c_int,
    ) |driver, caller| driver.get_config_attributes(profile, entrypoint, caller.list_mut(list, count)?);

    vaCreateConfig(
        profile: va::VAProfile, entrypoint: va::VAEntrypoint, list: *mut va::VAConfigAttrib, count: c_int,
        config: *mut va::VAConfigID,
    ) |driver, caller| {
        let id = driver.create_config(profile, entrypoint, caller.list(list, count)?)?;
        caller.put(config, id).inspect_err(|_| drop(driver.destroy_config(id)))
    };

    vaDestroyConfig(config: va::VAConfigID) |driver, _| driver.destroy_config(config);

    vaQueryConfigAttributes(
        config: va::VAConfigID, profile: *mut va::VAProfile, entrypoint: *mut va::VAEntrypoint,
        list: *mut va::VAConfigAttrib, count: *mut c_int,
    ) |driver, caller| {
        let config = driver.config(config)?;
        let attributes = driver.config_attributes(&config);
        caller.put(profile, config.profile.id())?;
        caller.put(entrypoint, va::VAEntrypointVLD)?;
        caller.put_list(list, &attributes)?;
        caller.put(count, attributes.len() as c_int)
    };

    vaCreateSurfaces(width: c_int, height: c_int, format: c_int, count: c_int, list: *mut va::VASurfaceID)
        |driver, caller| {
            let request = SurfaceRequest::new((width, height), format, driver.capabilities())?;
            driver.create_surfaces(&request, Vec::new(), caller.list_mut(list, count)?)
        };

    vaCreateSurfaces2(
        format: c_uint, width: c_uint, height: c_uint, list: *mut va::VASurfaceID, count: c_uint,
        attributes: *mut va::VASurfaceAttrib, attribute_count: c_uint,
    ) |driver, caller| {
        let mut request = SurfaceRequest::new((width, height), format, driver.capabilities())?;
        for attribute in caller.list(attributes, attribute_count)? {
            request.apply(attribute, caller)?;
        }
        request.settle()?;
        let list = caller.list_mut(list, count)?;
        let imports = request.imports(list.len(), caller)?;
        driver.create_surfaces(&request, imports, list)
    };

    vaDestroySurfaces(list: *mut va::VASurfaceID, count: c_int)
        |driver, caller| driver.destroy_surfaces(caller.list(list, count)?);

    vaQuerySurfaceAttributes(config: va::VAConfigID, list: *mut va::VASurfaceAttrib, count: *mut c_uint)
        |driver, caller| {
            let config = driver.config(config)?;
            let attributes = driver.surface_attributes(&config);
            // Without a list the count is an output only, and may be garbage.
            let room = if list.is_null() { None } else { Some(caller.read(count)?) };
            caller.put(count, attributes.len() as c_uint)?;
            match room {
                None => Ok(()),
                Some(room) if (room as usize) < attributes.len() => {
                    Err(Status::MaxNumExceeded.because("room for too few surface attributes"))
                }
                Some(_) => caller.put_list(list, &attributes),
            }
        };

    vaCreateContext(
        config: va::VAConfigID, width: c_int, height: c_int, _flags: c_int, targets: *mut va::VASurfaceID,
        target_count: c_int, context: *mut va::VAContextID,
    ) |driver, caller| {
        let id = driver.create_context(config, (width, height), caller.list(targets, target_count)?)?;
        caller.put(context, id).inspect_err(|_| drop(driver.destroy_context(id)))
    };

    vaDestroyContext(context: va::VAContextID) |driver, _| driver.destroy_context(context);

    vaCreateBuffer(
        context: va::VAContextID, kind: va::VABufferType, size: c_uint, count: c_uint, data: *mut c_void,
        buffer: *mut va::VABufferID,
    ) |driver, caller| {
        let request = BufferRequest { kind, element_size: size as usize, elements: count as usize };
        let id = driver.create_buffer(context, &request, data.cast_const().cast(), caller)?;
        caller.put(buffer, id).inspect_err(|_| drop(driver.destroy_buffer(id)))
    };

    vaBufferSetNumElements(buffer: va::VABufferID, count: c_uint)
        |driver, _| driver.buffer(buffer)?.set_elements(count as usize);

    vaMapBuffer(buffer: va::VABufferID, address: *mut *mut c_void) |driver, caller| map(driver, caller, buffer, address);

    vaUnmapBuffer(buffer: va::VABufferID) |driver, _| driver.buffer(buffer)?.unmap();

    vaDestroyBuffer(buffer: va::VABufferID) |driver, _| driver.destroy_buffer(buffer);

    vaBufferInfo(buffer: va::VABufferID, kind: *mut va::VABufferType, size: *mut c_uint, count: *mut c_uint)
        |driver, caller| {
            let request = driver.buffer(buffer)?.request();
            caller.put(kind, request.kind)?;
            caller.put(size, request.element_size as c_uint)?;
            caller.put(count, request.elements as c_uint)
        };

    vaQueryDisplayAttributes(_list: *mut va::VADisplayAttribute, count: *mut c_int)
        |driver, caller| caller.put(count, driver.display_attributes() as c_int);

    vaGetDisplayAttributes(list: *mut va::VADisplayAttribute, count: c_int)
        |driver, caller| driver.get_display_attributes(caller.list_mut(list, count)?);

    vaSetDisplayAttributes(list: *mut va::VADisplayAttribute, count: c_int)
        |driver, caller| driver.set_display_attributes(caller.list(list, count)?);
}

// What the buffer is mapped for, which it is for everything here.
#[cfg(has_map_buffer_2)]
thunks! {
    vaMapBuffer2(buffer: va::VABufferID, address: *mut *mut c_void, _flags: u32) |driver, caller|
        map(driver, caller, buffer, address);
}

fn map(driver: &Driver, caller: &Caller, buffer: va::VABufferID, address: *mut *mut c_void) -> Result {
    let buffer = driver.buffer(buffer)?;
    let mapped = buffer.map()?;
    caller.put(address, mapped).inspect_err(|_| drop(buffer.unmap()))
}
