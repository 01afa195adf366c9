//! The symbol that libva looks for.

use std::any::Any;
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{messages, thunks, va};
use crate::driver::{self, Driver};
use crate::log;
use crate::status::Status;

/// Told to everybody who asks; some applications know drivers by it.
const VENDOR: &CStr = match CStr::from_bytes_with_nul(
    concat!("fourier H.264 V4L2 request driver ", env!("CARGO_PKG_VERSION"), "\0").as_bytes(),
) {
    Ok(vendor) => vendor,
    Err(_) => c"fourier",
};

/// Makes a driver for a display.
///
/// # Safety
/// libva's contract: `context` is a context whose call tables it allocated, zeroed.
#[unsafe(no_mangle)]
#[allow(non_snake_case)]
pub unsafe extern "C" fn __vaDriverInit_1_0(context: va::VADriverContextP) -> va::VAStatus {
    let opened = catch_unwind(AssertUnwindSafe(|| {
        log::start();
        Driver::open()
    }));
    let driver = match opened {
        Ok(Ok(driver)) => driver,
        Ok(Err(failure)) => {
            tracing::info!("no driver: {}", failure.reason);
            // SAFETY: libva's contract.
            if let Some(context) = unsafe { context.as_ref() } {
                messages::info(context, &failure.reason);
            }
            return failure.status.code();
        }
        Err(panic) => return panicked("vaInitialize", panic.as_ref()),
    };
    // SAFETY: libva's contract; nobody else has it during initialisation.
    let Some(context) = (unsafe { context.as_mut() }) else {
        return Status::InvalidDisplay.code();
    };
    // SAFETY: libva's contract; as above.
    let Some(vtable) = (unsafe { context.vtable.as_mut() }) else {
        return Status::InvalidDisplay.code();
    };
    *vtable = thunks::vtable();
    put(driver, context);
    va::VA_STATUS_SUCCESS as va::VAStatus
}

/// What a context says of its driver, and the driver itself.
pub(super) fn put(driver: Driver, context: &mut va::VADriverContext) {
    context.version_major = 1;
    context.version_minor = 17;
    context.max_profiles = driver::MAX_PROFILES;
    context.max_entrypoints = driver::MAX_ENTRYPOINTS;
    context.max_attributes = driver::MAX_ATTRIBUTES;
    context.max_image_formats = driver::MAX_IMAGE_FORMATS;
    context.max_subpic_formats = driver::MAX_SUBPICTURE_FORMATS;
    context.max_display_attributes = driver::MAX_DISPLAY_ATTRIBUTES;
    context.str_vendor = VENDOR.as_ptr();
    context.pDriverData = Box::into_raw(Box::new(driver)).cast();
}

/// Takes the driver of a display back.
///
/// # Safety
/// libva's contract: `context` was given to [`__vaDriverInit_1_0`], and no other call is under way or will come.
pub(super) unsafe extern "C" fn terminate(context: va::VADriverContextP) -> va::VAStatus {
    // SAFETY: libva's contract.
    let Some(context) = (unsafe { context.as_mut() }) else {
        return Status::InvalidDisplay.code();
    };
    let driver = std::mem::replace(&mut context.pDriverData, std::ptr::null_mut()).cast::<Driver>();
    if driver.is_null() {
        return Status::InvalidDisplay.code();
    }
    // SAFETY: `pDriverData` is what `__vaDriverInit_1_0` put there, and it is taken only once.
    let driver = unsafe { Box::from_raw(driver) };
    match catch_unwind(AssertUnwindSafe(|| driver.terminate())) {
        Ok(()) => va::VA_STATUS_SUCCESS as va::VAStatus,
        Err(panic) => panicked("vaTerminate", panic.as_ref()),
    }
}

/// A panic ends here: it must not cross into C, nor take the application down.
pub(super) fn panicked(call: &str, panic: &(dyn Any + Send)) -> va::VAStatus {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!("{call} panicked: {}", text.unwrap_or("no reason"));
    Status::OperationFailed.code()
}
