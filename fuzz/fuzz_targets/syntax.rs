//! What can be read of a byte stream can be written, and reads the same again.
#![no_main]

use fourier_tests::laws::syntax::what_was_read_survives_write_and_parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Err(broken) = what_was_read_survives_write_and_parse(input) {
        panic!("{broken}");
    }
});
