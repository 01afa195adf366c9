//! Core's only unsafe ring: system calls, shared memory, poll.

/// A shared mapping of a file descriptor, unmapped when dropped.
#[derive(Debug)]
pub struct Mapping {}
