//! libva's call table: for each call a C function that finds the driver, ends panics and gives errors their numbers.

mod objects;
mod pictures;
mod samples;
mod unsupported;

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::caller::Caller;
use super::{init, messages, va};
use crate::driver::Driver;
use crate::status::{Result, Status};

/// Calls `body` with the driver of `display`.
///
/// # Safety
/// libva's contract: `display` is the context of a display that was initialised by this driver; every pointer that `body` hands to
/// its [`Caller`] came with the call.
unsafe fn enter(
    display: va::VADriverContextP,
    call: &'static str,
    body: impl FnOnce(&Driver, &Caller) -> Result,
) -> va::VAStatus {
    // SAFETY: libva's contract.
    let Some(display) = (unsafe { display.as_ref() }) else {
        return Status::InvalidDisplay.code();
    };
    // SAFETY: it is what `__vaDriverInit_1_0` put there, or NULL.
    let Some(driver) = (unsafe { display.pDriverData.cast::<Driver>().as_ref() }) else {
        return Status::InvalidDisplay.code();
    };
    // SAFETY: the caller's promise.
    let caller = unsafe { Caller::trust() };
    match catch_unwind(AssertUnwindSafe(|| body(driver, &caller))) {
        Ok(Ok(())) => {
            tracing::trace!("{call}");
            va::VA_STATUS_SUCCESS as va::VAStatus
        }
        Ok(Err(failure)) => {
            tracing::debug!("{call}: {:?}: {}", failure.status, failure.reason);
            if driver.must_tell(&failure) {
                messages::error(display, &failure.reason);
            }
            failure.status.code()
        }
        Err(panic) => init::panicked(call, panic.as_ref()),
    }
}

/// `fn NAME(display, arguments..) -> VAStatus` around a closure over the driver and the caller.
macro_rules! thunks {
    ($($name:ident($($argument:ident: $kind:ty),* $(,)?) |$driver:pat_param, $caller:pat_param| $body:expr;)*) => { $(
        pub(super) unsafe extern "C" fn $name(display: va::VADriverContextP $(, $argument: $kind)*) -> va::VAStatus {
            let body = move |$driver: &Driver, $caller: &Caller| -> Result { $body };
            // SAFETY: libva's contract: all of it came with this call.
            unsafe { enter(display, stringify!($name), body) }
        }
    )* };
}
use thunks;

/// Every slot that libva has; a later one may have more, for which it has a way of its own where they are empty.
pub(super) fn vtable() -> va::VADriverVTable {
    va::VADriverVTable {
        #[cfg(has_map_buffer_2)]
        vaMapBuffer2: Some(objects::vaMapBuffer2),
        vaTerminate: Some(init::terminate),
        vaQueryConfigProfiles: Some(objects::vaQueryConfigProfiles),
        vaQueryConfigEntrypoints: Some(objects::vaQueryConfigEntrypoints),
        vaGetConfigAttributes: Some(objects::vaGetConfigAttributes),
        vaCreateConfig: Some(objects::vaCreateConfig),
        vaDestroyConfig: Some(objects::vaDestroyConfig),
        vaQueryConfigAttributes: Some(objects::vaQueryConfigAttributes),
        vaCreateSurfaces: Some(objects::vaCreateSurfaces),
        vaDestroySurfaces: Some(objects::vaDestroySurfaces),
        vaCreateContext: Some(objects::vaCreateContext),
        vaDestroyContext: Some(objects::vaDestroyContext),
        vaCreateBuffer: Some(objects::vaCreateBuffer),
        vaBufferSetNumElements: Some(objects::vaBufferSetNumElements),
        vaMapBuffer: Some(objects::vaMapBuffer),
        vaUnmapBuffer: Some(objects::vaUnmapBuffer),
        vaDestroyBuffer: Some(objects::vaDestroyBuffer),
        vaBeginPicture: Some(pictures::vaBeginPicture),
        vaRenderPicture: Some(pictures::vaRenderPicture),
        vaEndPicture: Some(pictures::vaEndPicture),
        vaSyncSurface: Some(pictures::vaSyncSurface),
        vaQuerySurfaceStatus: Some(pictures::vaQuerySurfaceStatus),
        vaQuerySurfaceError: Some(pictures::vaQuerySurfaceError),
        vaPutSurface: Some(unsupported::vaPutSurface),
        vaQueryImageFormats: Some(samples::vaQueryImageFormats),
        vaCreateImage: Some(samples::vaCreateImage),
        vaDeriveImage: Some(samples::vaDeriveImage),
        vaDestroyImage: Some(samples::vaDestroyImage),
        vaSetImagePalette: Some(samples::vaSetImagePalette),
        vaGetImage: Some(samples::vaGetImage),
        vaPutImage: Some(samples::vaPutImage),
        vaQuerySubpictureFormats: Some(samples::vaQuerySubpictureFormats),
        vaCreateSubpicture: Some(samples::vaCreateSubpicture),
        vaDestroySubpicture: Some(samples::vaDestroySubpicture),
        vaSetSubpictureImage: Some(samples::vaSetSubpictureImage),
        vaSetSubpictureChromakey: Some(samples::vaSetSubpictureChromakey),
        vaSetSubpictureGlobalAlpha: Some(samples::vaSetSubpictureGlobalAlpha),
        vaAssociateSubpicture: Some(samples::vaAssociateSubpicture),
        vaDeassociateSubpicture: Some(samples::vaDeassociateSubpicture),
        vaQueryDisplayAttributes: Some(objects::vaQueryDisplayAttributes),
        vaGetDisplayAttributes: Some(objects::vaGetDisplayAttributes),
        vaSetDisplayAttributes: Some(objects::vaSetDisplayAttributes),
        vaBufferInfo: Some(objects::vaBufferInfo),
        vaLockSurface: Some(unsupported::vaLockSurface),
        vaUnlockSurface: Some(unsupported::vaUnlockSurface),
        vaGetSurfaceAttributes: Some(unsupported::vaGetSurfaceAttributes),
        vaCreateSurfaces2: Some(objects::vaCreateSurfaces2),
        vaQuerySurfaceAttributes: Some(objects::vaQuerySurfaceAttributes),
        vaAcquireBufferHandle: Some(unsupported::vaAcquireBufferHandle),
        vaReleaseBufferHandle: Some(unsupported::vaReleaseBufferHandle),
        vaCreateMFContext: Some(unsupported::vaCreateMFContext),
        vaMFAddContext: Some(unsupported::vaMFAddContext),
        vaMFReleaseContext: Some(unsupported::vaMFReleaseContext),
        vaMFSubmit: Some(unsupported::vaMFSubmit),
        vaCreateBuffer2: Some(unsupported::vaCreateBuffer2),
        vaQueryProcessingRate: Some(unsupported::vaQueryProcessingRate),
        vaExportSurfaceHandle: Some(samples::vaExportSurfaceHandle),
        vaSyncSurface2: Some(pictures::vaSyncSurface2),
        vaSyncBuffer: Some(pictures::vaSyncBuffer),
        vaCopy: Some(unsupported::vaCopy),
        ..Default::default()
    }
}
