//! What can be wrong inside slice data: one byte, so that hot paths return it in a register.

use crate::Error;

/// A rule of 7.3.4, 7.3.5 or clause 9 that slice data broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// More macroblocks than the picture has.
    TooManyMacroblocks,
    /// The slice ended inside a macroblock.
    EndOfData,
    /// `mb_type` out of range.
    MbType,
    /// `sub_mb_type` out of range.
    SubMbType,
    /// `ref_idx_lX` out of range.
    RefIdx,
    /// `mvd_lX` out of range.
    Mvd,
    /// `coded_block_pattern` out of range.
    CodedBlockPattern,
    /// `mb_qp_delta` out of range.
    MbQpDelta,
    /// `intra_chroma_pred_mode` out of range.
    IntraChromaPredMode,
    /// `mb_skip_run` out of range.
    MbSkipRun,
    /// No such `coeff_token`, or more coefficients than the block has.
    CoeffToken,
    /// `level_prefix` too long, or a level out of range.
    Level,
    /// More zeros than the block has room for.
    TotalZeros,
    /// `run_before` larger than the zeros that are left.
    RunBefore,
}

impl Fault {
    /// The fault at macroblock `mb_addr`.
    pub(super) fn at(self, mb_addr: u32) -> Error {
        let (element, reason) = match self {
            Self::TooManyMacroblocks => ("slice_data", "goes on after the last macroblock of the picture"),
            Self::EndOfData => ("macroblock_layer", "ends in the middle"),
            Self::MbType => ("mb_type", "out of range"),
            Self::SubMbType => ("sub_mb_type", "out of range"),
            Self::RefIdx => ("ref_idx", "out of range"),
            Self::Mvd => ("mvd", "out of range"),
            Self::CodedBlockPattern => ("coded_block_pattern", "out of range"),
            Self::MbQpDelta => ("mb_qp_delta", "out of range"),
            Self::IntraChromaPredMode => ("intra_chroma_pred_mode", "out of range"),
            Self::MbSkipRun => ("mb_skip_run", "longer than the picture"),
            Self::CoeffToken => ("coeff_token", "no such code"),
            Self::Level => ("coeff_abs_level", "out of range"),
            Self::TotalZeros => ("total_zeros", "no such code"),
            Self::RunBefore => ("run_before", "more zeros than are left"),
        };
        Error::Slice {
            mb_addr,
            element,
            reason,
        }
    }
}
