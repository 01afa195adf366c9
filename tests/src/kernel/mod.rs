//! What the kernel was told: the controls of each decode job as the virtual driver visl traces them, and the comparison
//! of two decoders that were given the same stream.
//!
//! * [`trace`]: the text of tracefs, taken apart into jobs.
//! * [`normal`]: what two right decoders must have in common.
//! * [`compare`]: field by field.
//! * [`explained`]: the differences that have a reason.

pub mod compare;
pub mod explained;
pub mod normal;
pub mod trace;
