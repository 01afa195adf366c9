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

/// The md5 of all pictures of a stream, packed and planar, and how many there were.
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
    /// Of pictures whose every sample is half of the range.
    pub fn of_grey(format: Planar, size: Size, frames: usize) -> Self {
        let mut digester = Digester::default();
        let picture = match format.is_deep {
            false => vec![128; format.packed_length(size)],
            true => 512u16.to_le_bytes().repeat(format.packed_length(size) / 2),
        };
        (0..frames).for_each(|_| digester.push_packed(&picture, format, size));
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
    /// Adds the `visible` part of a picture of DRM's format `fourcc`, planar: samples of 10 bits as FFmpeg has them.
    ///
    /// # Errors
    /// A format that is not known, or planes that are too small for the rectangle.
    pub fn push(&mut self, fourcc: u32, planes: &[Plane<'_>], visible: Rect) -> Result<(), String> {
        let components = components(fourcc).ok_or_else(|| format!("pictures of format {fourcc:#x}"))?;
        for component in &components {
            self.push_component(component, planes, visible)
                .ok_or_else(|| format!("the planes are too small for {visible:?}"))?;
        }
        self.frames += 1;
        Ok(())
    }

    fn push_component(&mut self, component: &Component, planes: &[Plane<'_>], visible: Rect) -> Option<()> {
        let Component {
            plane,
            first,
            step,
            subsampling: (columns, rows),
            is_deep,
        } = *component;
        let (x, y) = (visible.x as usize / columns, visible.y as usize / rows);
        let width = (visible.size.width as usize).div_ceil(columns);
        let height = (visible.size.height as usize).div_ceil(rows);
        for row in y..y + height {
            let length = (width - 1) * step + if is_deep { 2 } else { 1 };
            let row = planes.get(plane)?.row(x * step + first, row, length)?;
            if step == 1 {
                self.md5.update(row);
                continue;
            }
            self.row.clear();
            match is_deep {
                false => self.row.extend(row.iter().step_by(step)),
                // The 10 bits are the upper ones of 16.
                true => self.row.extend(
                    row.chunks(step)
                        .flat_map(|sample| (u16::from_le_bytes([sample[0], sample[1]]) >> 6).to_le_bytes()),
                ),
            }
            self.md5.update(&self.row);
        }
        Some(())
    }

    /// Adds the visible part of a decoded frame.
    ///
    /// # Errors
    /// Memory that cannot be mapped, or is too small for its own format.
    pub fn push_frame(&mut self, frame: &OutputFrame) -> Outcome {
        let memory = frame.frame().memory();
        let samples = memory.read()?;
        let planes = memory.layout.planes.iter().enumerate().map(|(number, layout)| {
            Some(Plane {
                bytes: samples.plane(number)?,
                pitch: layout.pitch,
            })
        });
        let planes: Vec<_> = planes.collect::<Option<_>>().ok_or("a frame without its planes")?;
        Ok(self.push(memory.layout.fourcc, &planes, frame.format().visible)?)
    }

    /// Adds packed bytes of whole pictures of `size`.
    pub fn push_packed(&mut self, bytes: &[u8], format: Planar, size: Size) {
        self.md5.update(bytes);
        self.frames += bytes.len() / format.packed_length(size).max(1);
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

/// Where the samples of one component of a picture are.
struct Component {
    plane: usize,
    /// Bytes before the first one of a row, and from one to the next.
    first: usize,
    step: usize,
    /// Luma columns and rows that one sample stands for.
    subsampling: (usize, usize),
    /// 10 bits in two bytes.
    is_deep: bool,
}

/// Y, Cb and Cr of DRM's format `fourcc`.
fn components(fourcc: u32) -> Option<[Component; 3]> {
    let of = |is_deep: bool, chroma_rows: usize, [y, cb, cr]: [(usize, usize, usize); 3]| {
        let component = |(plane, first, step), subsampling| Component {
            plane,
            first,
            step,
            subsampling,
            is_deep,
        };
        [
            component(y, (1, 1)),
            component(cb, (2, chroma_rows)),
            component(cr, (2, chroma_rows)),
        ]
    };
    match &fourcc.to_le_bytes() {
        b"NV12" => Some(of(false, 2, [(0, 0, 1), (1, 0, 2), (1, 1, 2)])),
        b"NV16" => Some(of(false, 1, [(0, 0, 1), (1, 0, 2), (1, 1, 2)])),
        b"P010" => Some(of(true, 2, [(0, 0, 2), (1, 0, 4), (1, 2, 4)])),
        b"Y210" => Some(of(true, 1, [(0, 0, 4), (0, 2, 8), (0, 6, 8)])),
        _ => None,
    }
}

/// A planar format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planar {
    /// As many rows of chroma as of luma: 4:2:2, else 4:2:0.
    pub is_422: bool,
    /// 10 bits in two bytes, else 8 in one.
    pub is_deep: bool,
}

impl Planar {
    /// The format of FFmpeg's name, 8-bit 4:2:0 where it is none of ours.
    pub fn of_ffmpeg(name: &str) -> Self {
        Self {
            is_422: name.starts_with("yuv422p"),
            is_deep: name.ends_with("10le"),
        }
    }

    /// GStreamer's name of it.
    pub fn gstreamer(self) -> &'static str {
        match (self.is_422, self.is_deep) {
            (false, false) => "I420",
            (false, true) => "I420_10LE",
            (true, false) => "Y42B",
            (true, true) => "I422_10LE",
        }
    }

    fn sample_bytes(self) -> usize {
        if self.is_deep { 2 } else { 1 }
    }

    fn chroma_rows(self, height: usize) -> usize {
        if self.is_422 { height } else { height.div_ceil(2) }
    }

    /// Bytes of one packed picture.
    pub fn packed_length(self, size: Size) -> usize {
        let (width, height) = (size.width as usize, size.height as usize);
        (width * height + 2 * width.div_ceil(2) * self.chroma_rows(height)) * self.sample_bytes()
    }

    /// Bytes of a row of luma and of chroma, and rows of both, as GStreamer lays them out by default: rows of a multiple of
    /// 4 bytes, an even number of luma rows where chroma has half of them.
    fn padded(self, size: Size) -> [(usize, usize); 2] {
        let (width, height) = (size.width as usize, size.height as usize);
        let pitch = |width: usize| (width * self.sample_bytes()).next_multiple_of(4);
        let rows = if self.is_422 {
            height
        } else {
            height.next_multiple_of(2)
        };
        [
            (pitch(width), rows),
            (pitch(width.div_ceil(2)), self.chroma_rows(height)),
        ]
    }

    /// Bytes of one picture with GStreamer's default strides.
    pub fn padded_length(self, size: Size) -> usize {
        let [luma, chroma] = self.padded(size).map(|(pitch, rows)| pitch * rows);
        luma + 2 * chroma
    }

    /// Takes the row padding out of pictures as GStreamer lays them out by default.
    pub fn pack_gstreamer(self, padded: &[u8], size: Size) -> Vec<u8> {
        let (width, height) = (size.width as usize, size.height as usize);
        let [(pitch, rows), (chroma_pitch, chroma_rows)] = self.padded(size);
        let chroma = (
            chroma_pitch,
            width.div_ceil(2) * self.sample_bytes(),
            chroma_rows,
            chroma_rows,
        );
        let planes = [(pitch, width * self.sample_bytes(), rows, height), chroma, chroma];
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
}

#[cfg(test)]
mod tests {
    use super::*;

    const I420: Planar = Planar {
        is_422: false,
        is_deep: false,
    };

    fn fourcc(name: &[u8; 4]) -> u32 {
        u32::from_le_bytes(*name)
    }

    fn digest_of(packed: &[u8], size: Size) -> Digest {
        let mut digester = Digester::default();
        digester.push_packed(packed, I420, size);
        digester.finish()
    }

    /// 4x4 luma 0..16 in rows of 6 bytes, and its chroma in rows of 6.
    fn nv12() -> [Vec<u8>; 2] {
        let luma = (0..4u8).flat_map(|y| (0..6).map(move |x| y * 4 + x)).collect();
        let chroma = (0..2u8)
            .flat_map(|y| [y * 40, 100 + y, y * 40 + 1, 110 + y, 255, 255])
            .collect();
        [luma, chroma]
    }

    #[test]
    fn a_cropped_nv12_picture_digests_like_its_packed_i420_twin() {
        let size = Size { width: 2, height: 2 };
        let mut digester = Digester::default();
        let planes = nv12();
        let planes = planes.each_ref().map(|bytes| Plane { bytes, pitch: 6 });
        digester
            .push(fourcc(b"NV12"), &planes, Rect { x: 2, y: 2, size })
            .unwrap();
        assert_eq!(digester.finish(), digest_of(&[10, 11, 14, 15, 41, 111], size));
    }

    #[test]
    fn pictures_of_10_bits_digest_like_their_planar_twins() {
        let size = Size { width: 2, height: 2 };
        let visible = Rect { x: 0, y: 0, size };
        let words =
            |values: &[u16]| -> Vec<u8> { values.iter().flat_map(|value| (value << 6).to_le_bytes()).collect() };
        let planar = |values: &[u16], is_422| {
            let mut digester = Digester::default();
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            digester.push_packed(&bytes, Planar { is_422, is_deep: true }, size);
            digester.finish()
        };
        let (luma, chroma) = (words(&[1, 2, 1023, 4]), words(&[500, 600]));
        let planes = [&luma, &chroma].map(|bytes| Plane { bytes, pitch: 4 });
        let mut digester = Digester::default();
        digester.push(fourcc(b"P010"), &planes, visible).unwrap();
        assert_eq!(digester.finish(), planar(&[1, 2, 1023, 4, 500, 600], false));

        let packed = words(&[1, 500, 2, 600, 1023, 501, 4, 601]);
        let mut digester = Digester::default();
        let plane = Plane {
            bytes: &packed,
            pitch: 8,
        };
        digester.push(fourcc(b"Y210"), &[plane], visible).unwrap();
        assert_eq!(digester.finish(), planar(&[1, 2, 1023, 4, 500, 501, 600, 601], true));
    }

    #[test]
    fn a_rectangle_outside_of_the_planes_is_an_error() {
        let planes = nv12();
        let planes = planes.each_ref().map(|bytes| Plane { bytes, pitch: 6 });
        let visible = Rect {
            x: 0,
            y: 2,
            size: Size { width: 4, height: 4 },
        };
        assert!(Digester::default().push(fourcc(b"NV12"), &planes, visible).is_err());
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
        assert_eq!(padded.len(), I420.padded_length(size));
        assert_eq!(I420.pack_gstreamer(&twice, size), [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
    }
}
