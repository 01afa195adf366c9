//! Subpictures: there are none.

use crate::driver::Driver;
use crate::status::{Result, Status};

impl Driver {
    /// How many image formats can be blended.
    pub fn subpicture_formats(&self) -> usize {
        0
    }

    /// `vaCreateSubpicture`: no image has a format for it.
    ///
    /// # Errors
    /// [`Status::InvalidImage`], [`Status::InvalidImageFormat`].
    pub fn create_subpicture(&self, image: u32) -> Result {
        self.image(image)?;
        Err(Status::InvalidImageFormat.because("nothing is blended"))
    }

    /// Any call on a subpicture: no id names one.
    ///
    /// # Errors
    /// [`Status::InvalidSubpicture`].
    pub fn subpicture(&self, id: u32) -> Result {
        Err(Status::InvalidSubpicture.because(format!("there is no subpicture {id:#x}")))
    }
}
