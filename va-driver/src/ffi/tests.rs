//! The call table as libva uses it: right, wrong, stale and NULL arguments.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Arc, Once};

use fourier_core::device::DecoderDevice;

use super::init::__vaDriverInit_1_0;
use super::{init, thunks, va};
use crate::driver::Driver;
use crate::status::Status;

const SUCCESS: va::VAStatus = va::VA_STATUS_SUCCESS as va::VAStatus;
/// No object has such an id.
const NOBODY: u32 = 0x0300_ffff;

/// Calls through the table.
macro_rules! call {
    ($display:expr, $name:ident $(, $argument:expr)*) => {{
        let function = $display.vtable.$name.unwrap();
        // SAFETY: the context of an open display; the arguments are NULL or point to as much as the call says.
        unsafe { function(&raw mut *$display.context $(, $argument)*) }
    }};
}

mod fields;

/// A display as libva makes one.
struct Display {
    context: Box<va::VADriverContext>,
    vtable: Box<va::VADriverVTable>,
}

impl Display {
    fn open() -> Self {
        static ENVIRONMENT: Once = Once::new();
        // SAFETY: before any display is opened, and nothing else in this crate's tests reads the environment.
        ENVIRONMENT.call_once(|| unsafe { std::env::set_var("FOURIER_DEVICE", "soft") });
        let mut vtable = Box::<va::VADriverVTable>::default();
        let mut context = Box::<va::VADriverContext>::default();
        context.vtable = &raw mut *vtable;
        // SAFETY: the context and its call table are alive and zeroed.
        let status = unsafe { __vaDriverInit_1_0(&raw mut *context) };
        assert_eq!(status, SUCCESS);
        Self { context, vtable }
    }

    /// With a device that the driver would not find.
    fn on(device: Arc<dyn DecoderDevice>) -> Self {
        let mut vtable = Box::new(thunks::vtable());
        let mut context = Box::<va::VADriverContext>::default();
        context.vtable = &raw mut *vtable;
        init::put(Driver::on(device).unwrap(), &mut context);
        Self { context, vtable }
    }

    fn terminate(&mut self) -> va::VAStatus {
        let terminate = self.vtable.vaTerminate.unwrap();
        // SAFETY: the context of this display; no other call is under way.
        unsafe { terminate(&raw mut *self.context) }
    }

    fn config(&mut self) -> va::VAConfigID {
        let mut id = 0;
        let status = call!(
            self,
            vaCreateConfig,
            va::VAProfileH264High,
            va::VAEntrypointVLD,
            null_mut(),
            0,
            &mut id
        );
        assert_eq!(status, SUCCESS);
        id
    }

    fn surface(&mut self, width: i32, height: i32) -> va::VASurfaceID {
        let mut id = 0;
        assert_eq!(call!(self, vaCreateSurfaces, width, height, 1, 1, &mut id), SUCCESS);
        id
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.terminate();
    }
}

#[test]
fn every_slot_is_filled() {
    let display = Display::open();
    let slots = std::mem::offset_of!(va::VADriverVTable, reserved) / size_of::<usize>();
    let table = (&raw const *display.vtable).cast::<usize>();
    for slot in 0..slots {
        // SAFETY: within the table, which is an array of pointers up to `reserved`.
        let place = unsafe { table.add(slot) };
        // SAFETY: as above; a pointer to a function, or NULL, is a number.
        assert_ne!(unsafe { place.read() }, 0, "slot {slot}");
    }
}

#[test]
fn libva_finds_room_for_all_that_it_insists_on() {
    let display = Display::open();
    let context = &display.context;
    for maximum in [
        context.max_profiles,
        context.max_entrypoints,
        context.max_attributes,
        context.max_image_formats,
        context.max_subpic_formats,
    ] {
        assert!(maximum > 0);
    }
    assert!(!context.str_vendor.is_null());
}

#[test]
fn a_display_is_terminated_once_and_then_is_none() {
    let mut display = Display::open();
    assert_eq!(display.terminate(), SUCCESS);
    assert_eq!(display.terminate(), Status::InvalidDisplay.code());
    assert_eq!(call!(display, vaSyncSurface, 1), Status::InvalidDisplay.code());
}

#[test]
fn an_id_that_names_nothing_is_the_right_error() {
    let mut display = Display::open();
    let surface = display.surface(64, 48);
    assert_eq!(call!(display, vaDestroySurfaces, &mut { surface }, 1), SUCCESS);
    for stale in [surface, NOBODY, 0, u32::MAX] {
        assert_eq!(call!(display, vaSyncSurface, stale), Status::InvalidSurface.code());
        assert_eq!(
            call!(display, vaDestroySurfaces, &mut { stale }, 1),
            Status::InvalidSurface.code()
        );
        let mut image = va::VAImage::default();
        assert_eq!(
            call!(display, vaDeriveImage, stale, &mut image),
            Status::InvalidSurface.code()
        );
        assert_eq!(
            call!(display, vaBeginPicture, stale, stale),
            Status::InvalidContext.code()
        );
        assert_eq!(call!(display, vaEndPicture, stale), Status::InvalidContext.code());
        assert_eq!(call!(display, vaDestroyContext, stale), Status::InvalidContext.code());
        assert_eq!(call!(display, vaUnmapBuffer, stale), Status::InvalidBuffer.code());
        assert_eq!(call!(display, vaDestroyBuffer, stale), Status::InvalidBuffer.code());
        assert_eq!(call!(display, vaDestroyImage, stale), Status::InvalidImage.code());
        assert_eq!(call!(display, vaDestroyConfig, stale), Status::InvalidConfig.code());
        assert_eq!(
            call!(display, vaDestroySubpicture, stale),
            Status::InvalidSubpicture.code()
        );
    }
}

#[test]
fn null_where_a_result_goes_is_refused() {
    let mut display = Display::open();
    let invalid = Status::InvalidParameter.code();
    let config = display.config();
    let surface = display.surface(64, 48);
    assert_eq!(call!(display, vaQueryConfigProfiles, null_mut(), null_mut()), invalid);
    assert_eq!(
        call!(display, vaCreateContext, config, 64, 48, 1, null_mut(), 0, null_mut()),
        invalid
    );
    assert_eq!(
        call!(display, vaCreateContext, config, 64, 48, 1, null_mut(), -1, &mut 0),
        invalid
    );
    assert_eq!(call!(display, vaCreateSurfaces, 64, 48, 1, 1, null_mut()), invalid);
    assert_eq!(call!(display, vaDeriveImage, surface, null_mut()), invalid);
    assert_eq!(
        call!(display, vaCreateImage, null_mut(), 64, 48, &mut va::VAImage::default()),
        invalid
    );
    assert_eq!(call!(display, vaQuerySurfaceStatus, surface, null_mut()), invalid);
    assert_eq!(
        call!(display, vaQuerySurfaceAttributes, config, null_mut(), null_mut()),
        invalid
    );
}

#[test]
fn profiles_and_entrypoints_that_are_not_decoded_are_refused() {
    let mut display = Display::open();
    let mut id = 0;
    for (profile, entrypoint, status) in [
        (-1, va::VAEntrypointVLD, Status::UnsupportedProfile),
        (-1, 10, Status::UnsupportedProfile),
        (va::VAProfileH264High, 10, Status::UnsupportedEntrypoint),
        (
            va::VAProfileH264StereoHigh,
            va::VAEntrypointVLD,
            Status::UnsupportedProfile,
        ),
    ] {
        assert_eq!(
            call!(display, vaCreateConfig, profile, entrypoint, null_mut(), 0, &mut id),
            status.code()
        );
    }
    let (mut entrypoints, mut count) = ([0], 0);
    let refused = call!(
        display,
        vaQueryConfigEntrypoints,
        -1,
        entrypoints.as_mut_ptr(),
        &mut count
    );
    assert_eq!(refused, Status::UnsupportedProfile.code());
}

#[test]
fn room_for_too_few_surface_attributes_is_told_how_many_there_are() {
    let mut display = Display::open();
    let config = display.config();
    // As garbage as applications leave it.
    let mut count = 32_654;
    assert_eq!(
        call!(display, vaQuerySurfaceAttributes, config, null_mut(), &mut count),
        SUCCESS
    );
    let mut list = vec![va::VASurfaceAttrib::default(); count as usize];
    let mut room = count - 1;
    let status = call!(display, vaQuerySurfaceAttributes, config, list.as_mut_ptr(), &mut room);
    assert_eq!((status, room), (Status::MaxNumExceeded.code(), count));
    assert_eq!(
        call!(display, vaQuerySurfaceAttributes, config, list.as_mut_ptr(), &mut room),
        SUCCESS
    );
}

#[test]
fn a_surface_that_was_never_decoded_into_is_ready_and_derives_an_image_of_zeroes() {
    let mut display = Display::open();
    for (width, height) in [(128, 128), (16, 16), (640, 368), (18, 34)] {
        let surface = display.surface(width, height);
        let mut status = 0;
        assert_eq!(call!(display, vaQuerySurfaceStatus, surface, &mut status), SUCCESS);
        assert_eq!(status, va::VASurfaceReady);
        assert_eq!(call!(display, vaSyncSurface, surface), SUCCESS);
        let mut image = va::VAImage::default();
        assert_eq!(call!(display, vaDeriveImage, surface, &mut image), SUCCESS);
        assert_eq!((image.width, image.height), (width as u16, height as u16));
        let mut address: *mut c_void = null_mut();
        assert_eq!(call!(display, vaMapBuffer, image.buf, &mut address), SUCCESS);
        // SAFETY: the buffer is mapped and has `data_size` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(address.cast::<u8>(), image.data_size as usize) };
        assert!(bytes.iter().all(|&byte| byte == 0));
        assert_eq!(call!(display, vaUnmapBuffer, image.buf), SUCCESS);
        assert_eq!(call!(display, vaUnmapBuffer, image.buf), Status::OperationFailed.code());
        assert_eq!(call!(display, vaDestroyImage, image.image_id), SUCCESS);
        assert_eq!(call!(display, vaDestroySurfaces, &mut { surface }, 1), SUCCESS);
    }
}

#[test]
fn memory_that_is_no_dma_buf_is_neither_exported_nor_offered() {
    if fourier_core::memory::Heap::best().kind() != fourier_core::memory::MemoryKind::MemFd {
        return;
    }
    let mut display = Display::open();
    let surface = display.surface(64, 48);
    let mut descriptor = va::VADRMPRIMESurfaceDescriptor::default();
    let place = (&raw mut descriptor).cast::<c_void>();
    let prime_2 = va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2;
    let unsupported = Status::UnsupportedMemoryType.code();
    assert_eq!(
        call!(display, vaExportSurfaceHandle, surface, prime_2, 5, place),
        unsupported
    );
    assert_eq!(call!(display, vaExportSurfaceHandle, surface, 1, 5, place), unsupported);
    assert_eq!(
        call!(display, vaExportSurfaceHandle, NOBODY, prime_2, 5, place),
        Status::InvalidSurface.code()
    );
}

#[test]
fn a_picture_out_of_turn_or_without_its_parameters_is_refused() {
    let mut display = Display::open();
    let (config, surface) = (display.config(), display.surface(64, 48));
    let mut context = 0;
    assert_eq!(
        call!(display, vaCreateContext, config, 64, 48, 1, null_mut(), 0, &mut context),
        SUCCESS
    );
    assert_eq!(call!(display, vaEndPicture, context), Status::OperationFailed.code());
    let mut buffer = 0;
    let slices = va::VASliceDataBufferType;
    let data = [0x65_u8; 4].as_mut_ptr().cast();
    assert_eq!(
        call!(display, vaCreateBuffer, context, slices, 4, 1, data, &mut buffer),
        SUCCESS
    );
    assert_eq!(
        call!(display, vaRenderPicture, context, &mut buffer, 1),
        Status::OperationFailed.code()
    );
    assert_eq!(call!(display, vaBeginPicture, context, surface), SUCCESS);
    assert_eq!(
        call!(display, vaRenderPicture, context, &mut { NOBODY }, 1),
        Status::InvalidBuffer.code()
    );
    assert_eq!(call!(display, vaRenderPicture, context, &mut buffer, 1), SUCCESS);
    assert_eq!(call!(display, vaEndPicture, context), Status::InvalidBuffer.code());
    // A parameter buffer that is too short for what it should hold.
    let mut short = 0;
    let kind = va::VAPictureParameterBufferType;
    assert_eq!(
        call!(display, vaCreateBuffer, context, kind, 8, 1, null_mut(), &mut short),
        SUCCESS
    );
    assert_eq!(call!(display, vaBeginPicture, context, surface), SUCCESS);
    assert_eq!(
        call!(display, vaRenderPicture, context, &mut short, 1),
        Status::InvalidBuffer.code()
    );
    assert_eq!(
        call!(
            display,
            vaCreateBuffer,
            context,
            kind,
            u32::MAX,
            9,
            null_mut(),
            &mut short
        ),
        Status::AllocationFailed.code()
    );
    assert_eq!(call!(display, vaDestroyContext, context), SUCCESS);
    assert_eq!(
        call!(display, vaCreateBuffer, context, kind, 8, 1, null_mut(), &mut short),
        Status::InvalidContext.code()
    );
}

#[test]
fn an_image_goes_into_a_surface_and_comes_back() {
    let mut display = Display::open();
    let surface = display.surface(32, 16);
    let mut format = va::VAImageFormat {
        fourcc: va::VA_FOURCC_NV12,
        ..Default::default()
    };
    let mut images = [va::VAImage::default(); 2];
    for image in &mut images {
        assert_eq!(call!(display, vaCreateImage, &mut format, 32, 16, image), SUCCESS);
    }
    let [from, to] = images;
    let mut address: *mut c_void = null_mut();
    assert_eq!(call!(display, vaMapBuffer, from.buf, &mut address), SUCCESS);
    // SAFETY: the buffer is mapped and has `data_size` bytes.
    unsafe { address.cast::<u8>().write_bytes(7, from.data_size as usize) };
    assert_eq!(
        call!(display, vaPutImage, surface, from.image_id, 0, 0, 32, 16, 0, 0, 32, 16),
        SUCCESS
    );
    let scaled = call!(display, vaPutImage, surface, from.image_id, 0, 0, 32, 16, 0, 0, 16, 16);
    assert_eq!(scaled, Status::InvalidParameter.code());
    assert_eq!(call!(display, vaGetImage, surface, 0, 0, 32, 16, to.image_id), SUCCESS);
    assert_eq!(
        call!(display, vaGetImage, surface, 0, 0, 34, 16, to.image_id),
        Status::InvalidParameter.code()
    );
    assert_eq!(call!(display, vaMapBuffer, to.buf, &mut address), SUCCESS);
    let chroma = to.offsets[1] as usize;
    // SAFETY: the buffer is mapped, and chroma begins within it.
    let chroma = unsafe { address.cast::<u8>().add(chroma) };
    // SAFETY: the first row of chroma has 32 bytes.
    let row = unsafe { std::slice::from_raw_parts(chroma, 32) };
    assert_eq!(row, [7; 32]);
    // An image whose buffer the application destroyed first.
    assert_eq!(call!(display, vaDestroyBuffer, to.buf), SUCCESS);
    assert_eq!(
        call!(display, vaGetImage, surface, 0, 0, 32, 16, to.image_id),
        Status::InvalidImage.code()
    );
    assert_eq!(call!(display, vaDestroyImage, to.image_id), SUCCESS);
}
