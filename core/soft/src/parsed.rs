//! What the entropy stage makes of one request: reusable arenas, allocated once per size.

use crate::Error;
use crate::macroblock::{Coefficient, Macroblock, Mv};
use crate::picture::PictureParams;
use crate::slice::Slice;

/// Faults that are told of one request: garbage can hold any number of slices.
pub const MAX_FAULTS: usize = 256;

/// The syntax elements of the slices of one request, in decoding order.
///
/// The same value is cleared and filled again for later requests, so that steady state allocates nothing.
#[derive(Debug, Default)]
pub struct ParsedPicture {
    /// The picture's parameters; `None` before the first request.
    pub params: Option<PictureParams>,
    /// Slices in decoding order.
    pub slices: Vec<Slice>,
    /// Macroblocks of all slices; a slice names its range.
    pub macroblocks: Vec<Macroblock>,
    /// `mvd_l0` and `mvd_l1`.
    pub mvds: Vec<Mv>,
    /// Transform coefficient levels, and samples of `I_PCM`.
    pub coefficients: Vec<Coefficient>,
    /// What was wrong with the slice data, first fault first; the macroblocks read before it are kept. At most
    /// [`MAX_FAULTS`] are told.
    pub faults: Vec<Error>,
}

impl ParsedPicture {
    /// Empties the arenas and keeps their memory.
    pub fn clear(&mut self) {
        self.params = None;
        self.slices.clear();
        self.macroblocks.clear();
        self.mvds.clear();
        self.coefficients.clear();
        self.faults.clear();
    }

    /// Tells a fault.
    pub(crate) fn report(&mut self, fault: Error) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
    }

    /// Makes room for the macroblocks of a picture; the arenas whose use depends on the stream grow to their need once.
    pub(crate) fn reserve(&mut self, params: &PictureParams) {
        self.macroblocks
            .reserve((params.width_in_mbs * params.height_in_mbs) as usize);
    }
}
