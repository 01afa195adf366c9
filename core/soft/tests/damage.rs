//! Damaged streams: whatever is in the slice data, decoding ends, and its outcome does not depend on chance.

mod common;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::{fs, io};

use fourier_soft::DecodeMode;

/// Small streams with every coding tool among them.
const STREAMS: [&str; 8] = [
    "synthetic/cavlc_baseline_320x240.264",
    "synthetic/cavlc_main_b3_temporal_weightb_352x288.264",
    "synthetic/high_8x8dct_cavlc_640x480.264",
    "synthetic/cqm_custom_640x360.264",
    "synthetic/slicemaxmbs_320x240.264",
    "jcodec/cabac_test_bi_mix_ref.264",
    "jcodec/cavlc_test_b_4x4_cavlc.264",
    "openh264/QCIF_2P_I_allIPCM.264",
];

/// Damaged copies of each stream.
const ROUNDS: u32 = 12;

#[test]
fn damage_anywhere_in_slices_neither_stops_nor_hangs_decoding() -> io::Result<()> {
    let Some(folder) = common::vectors() else {
        eprintln!("0 streams damaged: FOURIER_VECTORS names no folder with an INDEX.tsv");
        return Ok(());
    };
    let mut seed = 7_u32;
    let mut noise = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize
    };
    let mut faults = 0;
    for name in STREAMS {
        let whole = fs::read(folder.join(name))?;
        let frames = common::decode::<u8>(&whole, DecodeMode::FrameBased, |_| {}).frames;
        for round in 0..ROUNDS {
            let mut stream = whole.clone();
            // Parameter sets come first and stay whole; from a few bytes to one in a hundred.
            for _ in 0..=stream.len() / 100 * round as usize / ROUNDS as usize {
                let at = 200 + noise() % stream.len().saturating_sub(200).max(1);
                if let Some(byte) = stream.get_mut(at) {
                    *byte = noise() as u8;
                }
            }
            let mode = if round % 2 == 0 {
                DecodeMode::FrameBased
            } else {
                DecodeMode::SliceBased
            };
            let [mut first, mut again] = [DefaultHasher::new(), DefaultHasher::new()];
            let report = common::decode::<u8>(&stream, mode, |frame| frame.planar().hash(&mut first));
            common::decode::<u8>(&stream, mode, |frame| frame.planar().hash(&mut again));
            assert_eq!(first.finish(), again.finish(), "{name}: the same damage, other pixels");
            faults += report.faults.len();
            assert!(
                report.frames <= 4 * frames,
                "{name}: {} frames of {frames}",
                report.frames
            );
        }
    }
    assert!(
        faults > 100,
        "only {faults} faults: the damage did not reach the slices"
    );
    Ok(())
}
