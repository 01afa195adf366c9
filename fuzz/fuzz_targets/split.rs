//! A byte stream in any pieces has the same NAL units.
#![no_main]

use fourier_tests::laws::split::any_split_gives_the_same_nal_units;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Err(broken) = any_split_gives_the_same_nal_units(input) {
        panic!("{broken}");
    }
});
