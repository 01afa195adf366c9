//! What an application hands over for one picture, in whatever order.

use std::sync::Arc;

use crate::buffer::Buffer;
use crate::ffi::{parameters, va};
use crate::status::{Failure, Result, Status};
use crate::surface::Surface;

/// A picture between `vaBeginPicture` and `vaEndPicture`. Buffers are copied: applications destroy them early.
#[derive(Debug)]
pub struct OpenPicture {
    /// Where it is to be decoded.
    pub target: Arc<Surface>,
    /// The picture parameters; the last ones count.
    pub picture: Option<va::VAPictureParameterBufferH264>,
    /// The scaling lists.
    pub matrices: Option<va::VAIQMatrixBufferH264>,
    /// Slice parameters, one entry per buffer.
    parameters: Vec<Vec<va::VASliceParameterBufferH264>>,
    /// Slice data, one entry per buffer.
    data: Vec<Vec<u8>>,
}

/// One slice as the application has it.
#[derive(Debug)]
pub struct RenderedSlice<'a> {
    /// Its parameters.
    pub parameters: &'a va::VASliceParameterBufferH264,
    /// Its NAL unit, the header byte first, without start code.
    pub nal: &'a [u8],
}

impl OpenPicture {
    /// A picture of which nothing is known yet.
    pub fn new(target: Arc<Surface>) -> Self {
        Self {
            target,
            picture: None,
            matrices: None,
            parameters: Vec::new(),
            data: Vec::new(),
        }
    }

    /// Takes a buffer's contents.
    ///
    /// # Errors
    /// [`Status::InvalidBuffer`] if they are too few, [`Status::UnsupportedBufferType`].
    pub fn render(&mut self, buffer: &Buffer) -> Result {
        let request = buffer.request();
        let too_short = || Status::InvalidBuffer.because(format!("a buffer of {request:?} is too short for its type"));
        match request.kind {
            va::VAPictureParameterBufferType => {
                self.picture = Some(parameters::read(&buffer.contents()?).ok_or_else(too_short)?);
            }
            va::VAIQMatrixBufferType => {
                self.matrices = Some(parameters::read(&buffer.contents()?).ok_or_else(too_short)?);
            }
            va::VASliceParameterBufferType => {
                let contents = buffer.contents()?;
                let slices = slice_parameters(&contents, request.element_size).ok_or_else(too_short)?;
                self.parameters.push(slices);
            }
            va::VASliceDataBufferType => self.data.push(buffer.contents()?),
            kind => return Err(Status::UnsupportedBufferType.because(format!("buffer type {kind}"))),
        }
        Ok(())
    }

    /// Puts slices together that came in pieces, so that the data of each is in one place.
    ///
    /// # Errors
    /// As [`Self::slices`], and [`Status::InvalidBuffer`] for pieces without their beginning or end.
    pub fn join_pieces(&mut self) -> Result {
        let is_piece = |parameters: &va::VASliceParameterBufferH264| Piece::of(parameters) != Piece::WHOLE;
        if !self.parameters.iter().flatten().any(is_piece) {
            return Ok(());
        }
        let (mut parameters, mut data) = (Vec::new(), Vec::new());
        let mut open: Option<(va::VASliceParameterBufferH264, Vec<u8>)> = None;
        for piece in self.slices()? {
            let Piece { begins, ends } = Piece::of(piece.parameters);
            let mut slice = match (open.take(), begins) {
                (None, true) => (*piece.parameters, Vec::new()),
                (Some(slice), false) => slice,
                (Some(_), true) => return Err(out_of_turn("a slice begins within another one")),
                (None, false) => return Err(out_of_turn("a piece of a slice that never began")),
            };
            slice.1.extend_from_slice(piece.nal);
            if !ends {
                open = Some(slice);
                continue;
            }
            let (slice, nal) = slice;
            parameters.push(vec![va::VASliceParameterBufferH264 {
                slice_data_offset: 0,
                slice_data_size: nal.len() as u32,
                slice_data_flag: va::VA_SLICE_DATA_FLAG_ALL,
                ..slice
            }]);
            data.push(nal);
        }
        if open.is_some() {
            return Err(out_of_turn("a slice without its last piece"));
        }
        (self.parameters, self.data) = (parameters, data);
        Ok(())
    }

    /// Slices with their data. As many parameter buffers as data buffers belong together in their order; otherwise all
    /// parameters belong to the only data buffer, or each element of the only parameter buffer to a data buffer.
    ///
    /// # Errors
    /// [`Status::InvalidBuffer`] if they do not match, or a slice lies outside of its data.
    pub fn slices(&self) -> Result<Vec<RenderedSlice<'_>>> {
        let mut slices = Vec::new();
        match (self.parameters.as_slice(), self.data.as_slice()) {
            (parameters, data) if parameters.len() == data.len() => {
                for (parameters, data) in parameters.iter().zip(data) {
                    for parameters in parameters {
                        slices.push(cut(parameters, data)?);
                    }
                }
            }
            (parameters, [data]) => {
                for parameters in parameters.iter().flatten() {
                    slices.push(cut(parameters, data)?);
                }
            }
            ([parameters], data) if parameters.len() == data.len() => {
                for (parameters, data) in parameters.iter().zip(data) {
                    slices.push(cut(parameters, data)?);
                }
            }
            (parameters, data) => {
                let (parameters, data) = (parameters.len(), data.len());
                let why = format!("{parameters} buffers of slice parameters for {data} of slice data");
                return Err(Status::InvalidBuffer.because(why));
            }
        }
        Ok(slices)
    }
}

/// Which part of a slice some data is, by `slice_data_flag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    begins: bool,
    ends: bool,
}

impl Piece {
    const WHOLE: Self = Self {
        begins: true,
        ends: true,
    };

    fn of(parameters: &va::VASliceParameterBufferH264) -> Self {
        let has = |flag: u32| parameters.slice_data_flag & flag != 0;
        match parameters.slice_data_flag {
            va::VA_SLICE_DATA_FLAG_ALL => Self::WHOLE,
            _ => Self {
                begins: has(va::VA_SLICE_DATA_FLAG_BEGIN),
                ends: has(va::VA_SLICE_DATA_FLAG_END),
            },
        }
    }
}

fn out_of_turn(what: &'static str) -> Failure {
    Status::InvalidBuffer.because(what)
}

/// The elements of a buffer: of the size it was created with, or all in one element.
fn slice_parameters(contents: &[u8], element_size: usize) -> Option<Vec<va::VASliceParameterBufferH264>> {
    let own = size_of::<va::VASliceParameterBufferH264>();
    let stride = match element_size {
        size if size > own && size == contents.len() && size % own == 0 => own,
        size => size,
    };
    if stride < own {
        return None;
    }
    contents.chunks_exact(stride).map(parameters::read).collect()
}

fn cut<'a>(parameters: &'a va::VASliceParameterBufferH264, data: &'a [u8]) -> Result<RenderedSlice<'a>, Failure> {
    let (start, length) = (parameters.slice_data_offset, parameters.slice_data_size);
    let end = (start as usize).checked_add(length as usize);
    let nal = end
        .and_then(|end| data.get(start as usize..end))
        .filter(|nal| !nal.is_empty());
    match nal {
        Some(nal) => Ok(RenderedSlice { parameters, nal }),
        None => {
            let why = format!("a slice of {length} bytes at {start} of {}", data.len());
            Err(Status::InvalidBuffer.because(why))
        }
    }
}
