//! Any controls with any slice data come to an end in fourier-soft, twice the same way.
#![no_main]

use fourier_tests::laws::requests::any_requests_end_twice_the_same;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Err(broken) = any_requests_end_twice_the_same(input) {
        panic!("{broken}");
    }
});
