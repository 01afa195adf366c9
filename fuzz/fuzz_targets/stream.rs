//! Any bytes come to an end in the whole stream decoder, and leave nothing behind.
#![no_main]

use fourier_tests::laws::stream::any_bytes_end_and_leave_nothing_behind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Err(broken) = any_bytes_end_and_leave_nothing_behind(input) {
        panic!("{broken}");
    }
});
