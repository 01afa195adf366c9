//! The entropy stage: slice headers and slice data into syntax elements.

use crate::{Controls, Error, ParsedPicture};

/// Reads slice data; keeps only scratch memory between requests.
#[derive(Debug, Default)]
pub struct EntropyDecoder {}

impl EntropyDecoder {
    /// Parses every slice of one request's OUTPUT buffer into `parsed`, which is cleared first.
    ///
    /// Damage in slice data is no error: it ends the slice and stands in [`ParsedPicture::faults`].
    ///
    /// # Errors
    /// [`Error::Control`] or [`Error::Unsupported`] when the controls cannot be decoded from at all.
    pub fn parse(&mut self, controls: &Controls, bitstream: &[u8], parsed: &mut ParsedPicture) -> Result<(), Error> {
        let _ = (controls, bitstream, parsed);
        Err(Error::Unsupported("everything"))
    }
}
