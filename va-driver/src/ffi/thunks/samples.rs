//! Calls about samples: images, subpictures, exports.
#![allow(non_snake_case, clippy::too_many_arguments)]

use std::ffi::{c_int, c_short, c_uchar, c_uint, c_ushort, c_void};

use super::{Caller, Driver, enter, thunks, va};
use crate::image::Region;
use crate::status::{Result, Status};

thunks! {
    vaQueryImageFormats(list: *mut va::VAImageFormat, count: *mut c_int) |driver, caller| {
        let formats = driver.image_formats();
        caller.put_list(list, &formats)?;
        caller.put(count, formats.len() as c_int)
    };

    vaCreateImage(format: *mut va::VAImageFormat, width: c_int, height: c_int, image: *mut va::VAImage)
        |driver, caller| {
            let created = driver.create_image(&caller.read(format)?, width, height)?;
            caller.put(image, created).inspect_err(|_| drop(driver.destroy_image(created.image_id)))
        };

    vaDeriveImage(surface: va::VASurfaceID, image: *mut va::VAImage) |driver, caller| {
        let derived = driver.derive_image(surface)?;
        caller.put(image, derived).inspect_err(|_| drop(driver.destroy_image(derived.image_id)))
    };

    vaDestroyImage(image: va::VAImageID) |driver, _| driver.destroy_image(image);

    vaSetImagePalette(image: va::VAImageID, _palette: *mut c_uchar)
        |driver, _| driver.image(image).and_then(|_| Err(Status::InvalidImage.because("it has no palette")));

    vaGetImage(surface: va::VASurfaceID, x: c_int, y: c_int, width: c_uint, height: c_uint, image: va::VAImageID)
        |driver, _| driver.get_image(surface, Region::new(x, y, width, height)?, image);

    vaPutImage(
        surface: va::VASurfaceID, image: va::VAImageID, src_x: c_int, src_y: c_int, src_width: c_uint,
        src_height: c_uint, dest_x: c_int, dest_y: c_int, dest_width: c_uint, dest_height: c_uint,
    ) |driver, _| {
        let from = Region::new(src_x, src_y, src_width, src_height)?;
        driver.put_image(surface, image, from, Region::new(dest_x, dest_y, dest_width, dest_height)?)
    };

    vaQuerySubpictureFormats(_list: *mut va::VAImageFormat, _flags: *mut c_uint, count: *mut c_uint)
        |driver, caller| caller.put(count, driver.subpicture_formats() as c_uint);

    vaCreateSubpicture(image: va::VAImageID, _subpicture: *mut va::VASubpictureID)
        |driver, _| driver.create_subpicture(image);

    vaDestroySubpicture(subpicture: va::VASubpictureID) |driver, _| driver.subpicture(subpicture);

    vaSetSubpictureImage(subpicture: va::VASubpictureID, _image: va::VAImageID)
        |driver, _| driver.subpicture(subpicture);

    vaSetSubpictureChromakey(subpicture: va::VASubpictureID, _min: c_uint, _max: c_uint, _mask: c_uint)
        |driver, _| driver.subpicture(subpicture);

    vaSetSubpictureGlobalAlpha(subpicture: va::VASubpictureID, _alpha: f32) |driver, _| driver.subpicture(subpicture);

    vaAssociateSubpicture(
        subpicture: va::VASubpictureID, _surfaces: *mut va::VASurfaceID, _count: c_int, _src_x: c_short,
        _src_y: c_short, _src_width: c_ushort, _src_height: c_ushort, _dest_x: c_short, _dest_y: c_short,
        _dest_width: c_ushort, _dest_height: c_ushort, _flags: c_uint,
    ) |driver, _| driver.subpicture(subpicture);

    vaDeassociateSubpicture(subpicture: va::VASubpictureID, _surfaces: *mut va::VASurfaceID, _count: c_int)
        |driver, _| driver.subpicture(subpicture);

    vaExportSurfaceHandle(surface: va::VASurfaceID, memory_type: u32, flags: u32, descriptor: *mut c_void)
        |driver, caller| {
            let export = driver.export_surface(surface, memory_type, flags)?;
            caller.put(descriptor.cast(), export.descriptor())?;
            export.hand_over();
            Ok(())
        };
}
