//! The entropy stage: slice headers and slice data into syntax elements.
//!
//! * `nal`, `bits`: from an OUTPUT buffer to bits;
//! * `params`, `header`, `ref_list`: controls and slice headers;
//! * `slice_data`, `mbaff`, `inter`, `residual`, `mb_types`: the syntax of macroblocks (7.3.4, 7.3.5), written once over
//!   the trait of `elements`;
//! * `cavlc`, `cabac`: the two codings of its elements (clause 9).

mod bits;
mod cabac;
mod cavlc;
mod elements;
mod fault;
mod header;
mod inter;
mod mb_types;
mod mbaff;
mod nal;
mod params;
mod ref_list;
mod residual;
mod slice_data;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::fmt;

use self::bits::BitReader;
use self::cabac::Cabac;
use self::cavlc::Cavlc;
use self::header::SliceHeader;
use self::slice_data::{Scratch, SliceContext};
use crate::picture::{ChromaFormat, Structure};
use crate::slice::PredWeightTable;
use crate::{Controls, DecodeMode, Error, ParsedPicture, PictureParams};

/// Reads slice data; keeps only scratch memory between requests.
#[derive(Default)]
pub struct EntropyDecoder {
    rbsp: Vec<u8>,
    /// Tables of earlier slices, to be used again.
    #[expect(clippy::vec_box, reason = "the boxes are what is kept: slices hold them")]
    spare_weights: Vec<Box<PredWeightTable>>,
    scratch: Scratch,
}

impl fmt::Debug for EntropyDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntropyDecoder").finish_non_exhaustive()
    }
}

impl EntropyDecoder {
    /// Parses every slice of one request's OUTPUT buffer into `parsed`, which is cleared first.
    ///
    /// Damage in slice data is no error: it ends the slice and stands in [`ParsedPicture::faults`].
    ///
    /// # Errors
    /// [`Error::Control`] or [`Error::Unsupported`] when the controls cannot be decoded from at all.
    pub fn parse(&mut self, controls: &Controls, bitstream: &[u8], parsed: &mut ParsedPicture) -> Result<(), Error> {
        // Boxes that the picture before used: steady state allocates nothing.
        self.spare_weights
            .extend(parsed.slices.iter_mut().filter_map(|slice| slice.pred_weights.take()));
        parsed.clear();
        let params = PictureParams::from_controls(controls)?;
        parsed.reserve(&params);
        let mut next_mb = 0;
        for nal in nal::nal_units(bitstream, controls.start_code) {
            if !matches!(nal.first().map(|byte| byte & 31), Some(1 | 5)) {
                continue;
            }
            nal::unescape(nal, &mut self.rbsp);
            let mut bits = BitReader::new(&self.rbsp);
            match header::read(controls, &params, &mut bits) {
                Ok(header) if header.slice.first_mb < next_mb => parsed.report(Error::Slice {
                    mb_addr: header.slice.first_mb,
                    element: "first_mb_in_slice",
                    reason: "lies in an earlier slice",
                }),
                Ok(mut header) => {
                    let weights = header.pred_weights.take();
                    header.slice.pred_weights = weights.map(|table| boxed(self.spare_weights.pop(), table));
                    next_mb = slice(&params, header, bits, &mut self.scratch, parsed);
                }
                Err(fault @ Error::Slice { .. }) => parsed.report(fault),
                Err(error) => return Err(error),
            }
            if controls.decode_mode == DecodeMode::SliceBased {
                break;
            }
        }
        parsed.params = Some(params);
        Ok(())
    }
}

/// Moves a table into memory that earlier slices left, if there is any.
fn boxed(spare: Option<Box<PredWeightTable>>, table: PredWeightTable) -> Box<PredWeightTable> {
    match spare {
        Some(mut place) => {
            *place = table;
            place
        }
        None => Box::new(table),
    }
}

/// Reads the data of one slice; returns the address after its last macroblock.
fn slice(
    params: &PictureParams,
    header: SliceHeader,
    mut bits: BitReader<'_>,
    scratch: &mut Scratch,
    parsed: &mut ParsedPicture,
) -> u32 {
    let SliceHeader {
        mut slice,
        slice_qp,
        cabac_init_idc,
        ..
    } = header;
    let context = SliceContext {
        first_mb: slice.first_mb,
        num_ref_idx_active: slice.num_ref_idx_active,
        slice_qp,
        ..SliceContext::new(params, slice.slice_type)
    };
    let monochrome = params.chroma_format == ChromaFormat::Monochrome;
    let start = parsed.macroblocks.len();
    let result = if params.entropy_coding_mode_flag {
        bits.align();
        let format = cabac::Format {
            is_field: matches!(params.structure, Structure::Field(_)),
            monochrome,
        };
        let elements = Cabac::new(bits, cabac_init_idc, slice_qp, format);
        slice_data::parse(&context, elements, scratch, parsed)
    } else {
        let elements = Cavlc::new(bits, monochrome);
        slice_data::parse(&context, elements, scratch, parsed)
    };
    let next_mb = match result {
        Ok(next_mb) => next_mb,
        Err((fault, mb_addr)) => {
            parsed.report(fault.at(mb_addr));
            mb_addr
        }
    };
    slice.macroblocks = start..parsed.macroblocks.len();
    if !slice.macroblocks.is_empty() {
        parsed.slices.push(slice);
    }
    next_mb
}
