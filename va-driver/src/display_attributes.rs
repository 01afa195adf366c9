//! Display attributes: there are none.

use crate::driver::Driver;
use crate::ffi::va;
use crate::status::{Result, Status};

impl Driver {
    /// How many there are.
    pub fn display_attributes(&self) -> usize {
        0
    }

    /// `vaGetDisplayAttributes`: none can be read.
    ///
    /// # Errors
    /// [`Status::AttributeNotSupported`] if any is asked for.
    pub fn get_display_attributes(&self, list: &mut [va::VADisplayAttribute]) -> Result {
        for attribute in list.iter_mut() {
            attribute.flags = 0;
        }
        none_of(list)
    }

    /// `vaSetDisplayAttributes`: none can be set.
    ///
    /// # Errors
    /// [`Status::AttributeNotSupported`] if any is given.
    pub fn set_display_attributes(&self, list: &[va::VADisplayAttribute]) -> Result {
        none_of(list)
    }
}

fn none_of(list: &[va::VADisplayAttribute]) -> Result {
    match list.first() {
        None => Ok(()),
        Some(attribute) => Err(Status::AttributeNotSupported.because(format!("display attribute {}", attribute.type_))),
    }
}
