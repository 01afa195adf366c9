//! What runs on the test kernel, and what it was told: the controls of each decode job as the virtual driver visl traces them, and the comparison
//! of two decoders that were given the same stream.
//!
//! * [`drawn`]: what it drew, read back.
//! * [`strace`]: system calls, counted.
//! * [`streams`]: which are run.
//! * [`trace`]: the text of tracefs, taken apart into jobs.
//! * [`normal`]: what two right decoders must have in common.
//! * [`compare`]: field by field.
//! * [`explained`]: the differences that have a reason.

pub mod compare;
pub mod drawn;
pub mod explained;
pub mod normal;
pub mod strace;
pub mod streams;
pub mod trace;
