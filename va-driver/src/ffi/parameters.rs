//! The structures that applications fill: parameter buffers and attributes.

use std::mem::size_of;

use super::va;

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

/// The list of modifiers that a surface attribute points to; `None` if it is no pointer.
pub fn modifiers(attribute: &va::VASurfaceAttrib, caller: &super::Caller) -> Option<Vec<u64>> {
    if attribute.value.type_ != va::VAGenericValueTypePointer {
        return None;
    }
    // SAFETY: its type says that it is a pointer.
    let list = unsafe { attribute.value.value.p };
    let list = caller.read(list.cast::<va::VADRMFormatModifierList>()).ok()?;
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
