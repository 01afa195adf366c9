//! What can be wrong with controls or slice data.

/// Why a picture cannot be decoded, or why a slice ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A control holds a value that the uAPI or H.264 forbids.
    #[error("{control}.{field} = {value} is not allowed")]
    Control {
        /// The control structure.
        control: &'static str,
        /// The field of it.
        field: &'static str,
        /// What it held.
        value: i64,
    },
    /// A coding tool that this decoder does not have.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// Slice data broke off or broke a rule.
    #[error("slice at macroblock {mb_addr}: {element}: {reason}")]
    Slice {
        /// `CurrMbAddr` where it happened.
        mb_addr: u32,
        /// The syntax element (7.3.3 to 7.3.5).
        element: &'static str,
        /// What was wrong.
        reason: &'static str,
    },
}
