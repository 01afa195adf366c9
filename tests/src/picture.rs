//! Planar pictures, cropped and packed, and the digest by which two decoders are compared.

use std::fmt;

use fourier_core::decode::stream::OutputFrame;
use fourier_core::units::{Rect, Size};
use md5::{Digest as _, Md5};

use crate::Outcome;

/// One plane in memory.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// From the first sample on.
    pub bytes: &'a [u8],
    /// Bytes from one row to the next.
    pub pitch: usize,
}

impl<'a> Plane<'a> {
    /// `width` bytes of row `y` from byte `x` on; `None` where the plane is too small.
    fn row(&self, x: usize, y: usize, width: usize) -> Option<&'a [u8]> {
        let start = y.checked_mul(self.pitch)?.checked_add(x)?;
        self.bytes.get(start..start.checked_add(width)?)
    }
}

/// The md5 of all pictures of a stream as packed I420, and how many there were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Number of pictures.
    pub frames: usize,
    /// md5, hexadecimal.
    pub md5: String,
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} frames, md5 {}", self.frames, self.md5)
    }
}

impl Digest {
    /// Of pictures whose every sample is 128.
    pub fn of_grey(size: Size, frames: usize) -> Self {
        let mut digester = Digester::default();
        let picture = vec![128; packed_length(size)];
        (0..frames).for_each(|_| digester.push_packed(&picture, size));
        digester.finish()
    }

    /// The one comparison of the suite.
    ///
    /// # Errors
    /// Says both sides when they differ.
    pub fn must_equal(&self, reference: &Self) -> Result<(), String> {
        if self == reference {
            Ok(())
        } else {
            Err(format!("got {self}; the reference has {reference}"))
        }
    }
}

/// Takes pictures one after another and digests them.
#[derive(Default)]
pub struct Digester {
    md5: Md5,
    frames: usize,
    row: Vec<u8>,
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digester")
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}

impl Digester {
    /// Adds the `visible` part of an NV12 picture, as I420.
    ///
    /// # Errors
    /// Planes that are too small for the rectangle.
    pub fn push_nv12(&mut self, luma: Plane<'_>, chroma: Plane<'_>, visible: Rect) -> Result<(), String> {
        let too_small = || format!("the planes are too small for {visible:?}");
        let Size { width, height } = visible.size;
        let (x, y, width, height) = (visible.x as usize, visible.y as usize, width as usize, height as usize);
        for row in y..y + height {
            self.md5.update(luma.row(x, row, width).ok_or_else(too_small)?);
        }
        for component in 0..2 {
            for row in y / 2..y / 2 + height.div_ceil(2) {
                let pairs = chroma
                    .row(x & !1, row, width.next_multiple_of(2))
                    .ok_or_else(too_small)?;
                self.row.clear();
                self.row.extend(pairs.iter().skip(component).step_by(2));
                self.md5.update(&self.row);
            }
        }
        self.frames += 1;
        Ok(())
    }

    /// Adds the visible part of a decoded frame.
    ///
    /// # Errors
    /// Memory that cannot be mapped, or is too small for its own format.
    pub fn push_frame(&mut self, frame: &OutputFrame) -> Outcome {
        let memory = frame.frame().memory();
        let samples = memory.read()?;
        let plane = |number: usize| -> Outcome<Plane<'_>> {
            let missing = || format!("the frame has no plane {number}");
            Ok(Plane {
                bytes: samples.plane(number).ok_or_else(missing)?,
                pitch: memory.layout.planes.get(number).ok_or_else(missing)?.pitch,
            })
        };
        Ok(self.push_nv12(plane(0)?, plane(1)?, frame.format().visible)?)
    }

    /// Adds packed bytes of whole pictures of `size`.
    pub fn push_packed(&mut self, bytes: &[u8], size: Size) {
        self.md5.update(bytes);
        self.frames += bytes.len() / packed_length(size).max(1);
    }

    /// The digest of everything so far.
    pub fn finish(self) -> Digest {
        let md5 = self.md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Digest {
            frames: self.frames,
            md5,
        }
    }
}

/// Bytes of one packed I420 picture.
pub fn packed_length(size: Size) -> usize {
    let (width, height) = (size.width as usize, size.height as usize);
    width * height + 2 * width.div_ceil(2) * height.div_ceil(2)
}

/// Takes the row padding out of I420 pictures as GStreamer lays them out by default (rows of a multiple of 4 bytes).
pub fn pack_gstreamer_i420(padded: &[u8], size: Size) -> Vec<u8> {
    let (width, height) = (size.width as usize, size.height as usize);
    let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
    let (pitch, chroma_pitch) = (width.next_multiple_of(4), chroma_width.next_multiple_of(4));
    let planes = [
        (pitch, width, height.next_multiple_of(2), height),
        (chroma_pitch, chroma_width, chroma_height, chroma_height),
        (chroma_pitch, chroma_width, chroma_height, chroma_height),
    ];
    let mut packed = Vec::with_capacity(padded.len());
    let mut rest = padded;
    'pictures: loop {
        for (pitch, width, rows, visible_rows) in planes {
            let Some((plane, behind)) = rest.split_at_checked(pitch * rows) else {
                break 'pictures;
            };
            for row in plane.chunks_exact(pitch).take(visible_rows) {
                packed.extend_from_slice(&row[..width]);
            }
            rest = behind;
        }
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 4x4 luma 0..16 in rows of 6 bytes, and its chroma in rows of 6.
    fn nv12() -> (Vec<u8>, Vec<u8>) {
        let luma = (0..4u8).flat_map(|y| (0..6).map(move |x| y * 4 + x)).collect();
        let chroma = (0..2u8)
            .flat_map(|y| [y * 40, 100 + y, y * 40 + 1, 110 + y, 255, 255])
            .collect();
        (luma, chroma)
    }

    fn digest_of(packed: &[u8], size: Size) -> Digest {
        let mut digester = Digester::default();
        digester.push_packed(packed, size);
        digester.finish()
    }

    #[test]
    fn a_cropped_nv12_picture_digests_like_its_packed_i420_twin() {
        let (luma, chroma) = nv12();
        let size = Size { width: 2, height: 2 };
        let mut digester = Digester::default();
        let (luma, chroma) = (
            Plane { bytes: &luma, pitch: 6 },
            Plane {
                bytes: &chroma,
                pitch: 6,
            },
        );
        digester.push_nv12(luma, chroma, Rect { x: 2, y: 2, size }).unwrap();
        assert_eq!(digester.finish(), digest_of(&[10, 11, 14, 15, 41, 111], size));
    }

    #[test]
    fn a_rectangle_outside_of_the_planes_is_an_error() {
        let (luma, chroma) = nv12();
        let (luma, chroma) = (
            Plane { bytes: &luma, pitch: 6 },
            Plane {
                bytes: &chroma,
                pitch: 6,
            },
        );
        let visible = Rect {
            x: 0,
            y: 2,
            size: Size { width: 4, height: 4 },
        };
        assert!(Digester::default().push_nv12(luma, chroma, visible).is_err());
    }

    #[test]
    fn one_sample_or_one_frame_makes_another_digest() {
        let size = Size { width: 2, height: 2 };
        let reference = digest_of(&[1, 2, 3, 4, 5, 6], size);
        assert!(digest_of(&[1, 2, 3, 4, 5, 7], size).must_equal(&reference).is_err());
        assert!(digest_of(&[], size).must_equal(&reference).is_err());
        assert!(digest_of(&[1, 2, 3, 4, 5, 6], size).must_equal(&reference).is_ok());
    }

    #[test]
    fn the_row_padding_of_gstreamer_is_taken_out() {
        let size = Size { width: 2, height: 2 };
        let padded = [1, 2, 0, 0, 3, 4, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0];
        let twice = [padded, padded].concat();
        assert_eq!(pack_gstreamer_i420(&twice, size), [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
    }
}
