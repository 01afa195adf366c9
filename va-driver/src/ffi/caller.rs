//! What the application points to.

use std::slice;

use crate::status::{Failure, Status};

/// Elements of a list that an application gives: more is a mistake.
const MAX_ELEMENTS: usize = 1 << 16;

/// Stands for the promise that pointers are what va.h says; exists only inside a call of libva.
#[derive(Debug)]
pub struct Caller(());

impl Caller {
    /// Trusts the application.
    ///
    /// # Safety
    /// Every pointer that the methods are given is NULL, or came with this call of libva and points to as many elements,
    /// alive and initialised where va.h calls them an input, as the call says.
    pub(super) unsafe fn trust() -> Self {
        Self(())
    }

    /// `count` elements at `list`, which may be NULL if there are none.
    ///
    /// # Errors
    /// [`Status::InvalidParameter`] for NULL or an impossible count.
    pub fn list<T>(&self, list: *const T, count: impl TryInto<usize>) -> Result<&[T], Failure> {
        let count = element_count(count)?;
        match (list.is_null(), count) {
            (_, 0) => Ok(&[]),
            (true, _) => Err(null()),
            // SAFETY: the promise of `trust`; the list lives as long as the call, and so does `self`.
            (false, _) => Ok(unsafe { slice::from_raw_parts(list, count) }),
        }
    }

    /// The same, to be changed.
    ///
    /// # Errors
    /// As [`Self::list`].
    #[expect(clippy::mut_from_ref, reason = "the pointer is the application's, not behind self")]
    pub fn list_mut<T>(&self, list: *mut T, count: impl TryInto<usize>) -> Result<&mut [T], Failure> {
        let count = element_count(count)?;
        match (list.is_null(), count) {
            (_, 0) => Ok(&mut []),
            (true, _) => Err(null()),
            // SAFETY: the promise of `trust`; each list of a call is asked for once.
            (false, _) => Ok(unsafe { slice::from_raw_parts_mut(list, count) }),
        }
    }

    /// `length` bytes at `data`, which is not NULL.
    pub fn bytes(&self, data: *const u8, length: usize) -> &[u8] {
        if data.is_null() {
            return &[];
        }
        // SAFETY: the promise of `trust`: the application gives as much data as it makes the buffer for.
        unsafe { slice::from_raw_parts(data, length) }
    }

    /// A copy of what `place` points to.
    ///
    /// # Errors
    /// [`Status::InvalidParameter`] for NULL.
    pub fn read<T: Copy>(&self, place: *const T) -> Result<T, Failure> {
        if place.is_null() {
            return Err(null());
        }
        // SAFETY: the promise of `trust`. Unaligned, because an application may put its structures anywhere.
        Ok(unsafe { place.read_unaligned() })
    }

    /// Writes `value` to `place`.
    ///
    /// # Errors
    /// [`Status::InvalidParameter`] for NULL.
    pub fn put<T: Copy>(&self, place: *mut T, value: T) -> Result<(), Failure> {
        if place.is_null() {
            return Err(null());
        }
        // SAFETY: the promise of `trust`.
        unsafe { place.write_unaligned(value) };
        Ok(())
    }

    /// Writes all of `values`, for which va.h promises room.
    ///
    /// # Errors
    /// [`Status::InvalidParameter`] for NULL.
    pub fn put_list<T: Copy>(&self, list: *mut T, values: &[T]) -> Result<(), Failure> {
        if list.is_null() {
            return Err(null());
        }
        // SAFETY: the promise of `trust`: the list has room for as many as the maxima that the driver announced.
        unsafe { list.copy_from_nonoverlapping(values.as_ptr(), values.len()) };
        Ok(())
    }
}

fn element_count(count: impl TryInto<usize>) -> Result<usize, Failure> {
    match count.try_into() {
        Ok(count) if count <= MAX_ELEMENTS => Ok(count),
        Ok(_) | Err(_) => Err(Status::InvalidParameter.because("a list with an impossible number of elements")),
    }
}

fn null() -> Failure {
    Status::InvalidParameter.because("a NULL pointer")
}
