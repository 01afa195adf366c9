//! The structures that applications fill: parameter buffers and attributes.

use std::mem::size_of;
use std::os::fd::{BorrowedFd, OwnedFd};

use super::va;
use crate::status::{Result, Status};

/// A parameter buffer of libva.
///
/// # Safety
/// Any bytes are a valid value.
pub unsafe trait Parameters: Copy {}

// SAFETY: numbers, and unions of numbers.
unsafe impl Parameters for va::VAPictureParameterBufferH264 {}
// SAFETY: numbers.
unsafe impl Parameters for va::VAIQMatrixBufferH264 {}
// SAFETY: numbers.
unsafe impl Parameters for va::VASliceParameterBufferH264 {}

/// The structure at the start of `bytes`; `None` if they are too few.
pub fn read<T: Parameters>(bytes: &[u8]) -> Option<T> {
    let bytes = bytes.get(..size_of::<T>())?;
    // SAFETY: `bytes` has as many bytes as `T`, any of which are a valid one.
    Some(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}

/// `seq_fields` of a picture.
pub type SeqFields = va::_VAPictureParameterBufferH264__bindgen_ty_1__bindgen_ty_1;
/// `pic_fields` of a picture.
pub type PicFields = va::_VAPictureParameterBufferH264__bindgen_ty_2__bindgen_ty_1;

/// `seq_fields.bits`.
pub fn seq_fields(picture: &va::VAPictureParameterBufferH264) -> SeqFields {
    // SAFETY: both members of the union are 32 bits of whatever value.
    unsafe { picture.seq_fields.bits }
}

/// `pic_fields.bits`.
pub fn pic_fields(picture: &va::VAPictureParameterBufferH264) -> PicFields {
    // SAFETY: both members of the union are 32 bits of whatever value.
    unsafe { picture.pic_fields.bits }
}

/// A surface attribute without a type of its value: FFmpeg says none.
const TYPE_NOT_SAID: va::VAGenericValueType = 0;

/// The value of a surface attribute that is an integer; `None` if it is none.
pub fn integer(attribute: &va::VASurfaceAttrib) -> Option<i32> {
    // SAFETY: four bytes of whatever value, which the union has.
    let value = unsafe { attribute.value.value.i };
    matches!(attribute.value.type_, va::VAGenericValueTypeInteger | TYPE_NOT_SAID).then_some(value)
}

/// What a surface attribute points to, by its type; NULL if it is no pointer.
fn pointer<T>(attribute: &va::VASurfaceAttrib) -> *const T {
    if attribute.value.type_ != va::VAGenericValueTypePointer {
        return std::ptr::null();
    }
    // SAFETY: its type says that it is a pointer.
    let pointer = unsafe { attribute.value.value.p };
    pointer.cast_const().cast()
}

/// `VASurfaceAttribExternalBufferDescriptor` of memory type `DRM_PRIME`, and the descriptors that it lists.
///
/// # Errors
/// [`Status::InvalidParameter`] if it points nowhere.
pub fn external_buffers(
    attribute: &va::VASurfaceAttrib,
    caller: &super::Caller,
) -> Result<(va::VASurfaceAttribExternalBuffers, Vec<i32>)> {
    let buffers = caller.read(pointer::<va::VASurfaceAttribExternalBuffers>(attribute))?;
    let list = caller.list(buffers.buffers.cast_const(), buffers.num_buffers)?;
    let fds = list.iter().map(|&fd| i32::try_from(fd).unwrap_or(-1)).collect();
    Ok((buffers, fds))
}

/// The same of memory type `DRM_PRIME_2`.
///
/// # Errors
/// As [`external_buffers`].
pub fn prime_descriptor(
    attribute: &va::VASurfaceAttrib,
    caller: &super::Caller,
) -> Result<va::VADRMPRIMESurfaceDescriptor> {
    caller.read(pointer(attribute))
}

/// A duplicate of the file descriptor with that number.
///
/// # Errors
/// [`Status::InvalidParameter`] if none is open.
pub fn duplicate(number: i32) -> Result<OwnedFd> {
    let closed = |error: &str| Status::InvalidParameter.because(format!("file descriptor {number}: {error}"));
    if number < 0 {
        return Err(closed("negative"));
    }
    // SAFETY: it is not -1; whether it is open says fcntl(2), and nothing else is done with it.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    fd.try_clone_to_owned().map_err(|error| closed(&error.to_string()))
}

/// The list of modifiers that a surface attribute points to; `None` if it is no pointer.
pub fn modifiers(attribute: &va::VASurfaceAttrib, caller: &super::Caller) -> Option<Vec<u64>> {
    let list = caller.read(pointer::<va::VADRMFormatModifierList>(attribute)).ok()?;
    Some(caller.list(list.modifiers, list.num_modifiers).ok()?.to_vec())
}

/// A surface attribute that is an integer.
pub fn integer_attribute(kind: va::VASurfaceAttribType, flags: u32, value: i32) -> va::VASurfaceAttrib {
    va::VASurfaceAttrib {
        type_: kind,
        flags,
        value: va::VAGenericValue {
            type_: va::VAGenericValueTypeInteger,
            value: va::_VAGenericValue__bindgen_ty_1 { i: value },
        },
    }
}

/// A surface attribute that applications may give, as a pointer to what it is.
pub fn pointer_attribute(kind: va::VASurfaceAttribType) -> va::VASurfaceAttrib {
    va::VASurfaceAttrib {
        type_: kind,
        flags: va::VA_SURFACE_ATTRIB_SETTABLE,
        value: va::VAGenericValue {
            type_: va::VAGenericValueTypePointer,
            value: va::_VAGenericValue__bindgen_ty_1 {
                p: std::ptr::null_mut(),
            },
        },
    }
}
