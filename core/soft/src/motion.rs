//! The motion of a decoded picture, kept with its CAPTURE buffer for the temporal direct mode of later ones (8.4.1.2.1).

/// Motion vectors and references of one picture.
#[derive(Debug, Default)]
pub struct MotionField {}
