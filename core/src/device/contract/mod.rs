//! For tests: what every implementation of the seam is held to, as functions over any [`DecoderDevice`].
//!
//! The suite needs no media file and panics nowhere; a runner calls each of [`CASES`] and reports. What a device cannot
//! do (hold a CAPTURE buffer, import) is [`Verdict::NotApplicable`]. `queues` holds the rules of videobuf2, `requests`
//! those of the request API, `memory` import, export and references, `pictures` decoding.

mod memory;
mod pictures;
mod queues;
mod requests;
mod rig;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;

use nix::errno::Errno;

use super::DecoderDevice;
use crate::Error;

/// One rule.
#[derive(Clone, Copy)]
pub struct Case {
    /// The rule as a sentence.
    pub name: &'static str,
    /// Tries it on a device.
    pub run: fn(&dyn DecoderDevice) -> Result<Verdict, Failure>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// How a case ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The device keeps the rule.
    Held,
    /// The device lacks what the rule is about.
    NotApplicable(&'static str),
}

/// How a device breaks a rule.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

/// Fails the case unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::device::contract::Failure::new(format!($($message)+)));
        }
    };
}
use ensure;

/// A call must fail, and with this errno.
fn expect_errno<T: fmt::Debug>(result: crate::Result<T>, errno: Errno) -> Result<(), Failure> {
    match result {
        Err(Error::Device(error)) if error.errno == errno => Ok(()),
        Err(Error::Device(error)) => Err(Failure::new(format!("{error} instead of {errno}"))),
        Err(error) => Err(error.into()),
        Ok(value) => Err(Failure::new(format!("{value:?} instead of {errno}"))),
    }
}

/// The table of cases from the functions' names.
macro_rules! cases {
    ($($module:ident :: $case:ident),+ $(,)?) => {
        &[$(Case { name: stringify!($case), run: $module::$case }),+]
    };
}

/// The whole suite.
pub const CASES: &[Case] = cases![
    queues::a_format_is_fixed_while_its_queue_has_buffers,
    queues::streaming_needs_buffers,
    queues::a_queue_is_not_reallocated_while_it_streams,
    queues::a_buffer_is_queued_once_and_only_if_it_exists,
    queues::dequeueing_needs_streaming_and_never_blocks,
    queues::stream_off_returns_every_buffer,
    queues::freeing_the_output_queue_empties_its_requests,
    queues::stream_off_forgets_references,
    queues::larger_bitstream_buffers_join_while_streaming,
    queues::a_queue_has_no_more_buffers_than_the_device_says,
    queues::a_removed_buffer_is_gone_and_its_queue_stays_busy,
    requests::a_request_needs_exactly_one_buffer,
    requests::a_queued_request_takes_nothing_more,
    requests::capture_belongs_to_no_request,
    requests::output_belongs_to_a_request_once_one_was_used,
    requests::a_control_that_the_device_lacks_is_refused_whole,
    requests::an_undecodable_sps_is_refused,
    requests::the_controls_of_a_request_persist,
    requests::stream_off_completes_queued_requests,
    requests::a_request_closed_in_flight_is_still_decoded,
    requests::a_reinitialised_request_lets_its_buffer_go,
    memory::an_orphaned_export_stays_readable,
    memory::memory_of_one_open_is_decoded_into_by_another,
    memory::memory_that_is_too_short_is_refused,
    memory::a_requeued_memory_stays_a_reference,
    memory::a_rebinding_qbuf_loses_the_reference_at_once,
    memory::a_failed_qbuf_loses_the_reference_at_once,
    memory::an_export_shows_as_mapped_until_it_is_dropped,
    memory::output_is_not_imported,
    memory::a_proof_leaves_the_allocator_as_it_was,
    pictures::pictures_are_right_and_references_are_found_by_timestamp,
    pictures::capture_buffers_are_taken_first_in_first_out,
    pictures::a_request_waits_for_a_capture_buffer,
    pictures::the_first_index_with_the_timestamp_wins,
    pictures::a_missing_reference_is_an_error,
    pictures::damaged_slice_data_is_an_error_of_its_picture_alone,
    pictures::a_held_capture_buffer_takes_several_requests,
    pictures::a_held_capture_buffer_is_let_go_by_the_next_picture,
    pictures::a_held_capture_buffer_that_nothing_follows_is_let_go_by_flush,
    pictures::without_hold_a_capture_buffer_that_is_queued_again_takes_the_next_slice,
    pictures::opens_are_independent,
    pictures::another_size_follows_without_closing,
];
