//! Coding tools that no stateless decoder has: refused by name, whatever made the stream. Made from a Baseline stream of
//! x264 by a few changed bits.

use fourier_core::units::Size;
use fourier_tests::Outcome;
use fourier_tests::annexb::{Nal, nals};
use fourier_tests::encode::{Recipe, encode};
use fourier_tests::laws::stream::{Pieces, story_of};
use libtest_mimic::Trial;

use super::{must_be_refused, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("data partitioning is refused by name".into(), || {
            let stream = rewritten(|nal, unit| {
                if nal.is_slice() {
                    // Partition A has the syntax of a slice up to its end.
                    unit[0] = unit[0] & 0xe0 | 2;
                }
            })?;
            must_be_refused(&story_of(&Pieces::of_stream(&stream))?, "data partition")
        }),
        trial("FMO is refused by name".into(), || {
            let stream = rewritten(|nal, unit| {
                if nal.nal_unit_type == 8 {
                    add_slice_groups(unit);
                }
            })?;
            must_be_refused(&story_of(&Pieces::of_stream(&stream))?, "slice group")
        }),
        trial("arbitrary slice order is refused by name".into(), || {
            let mut slices = Vec::new();
            let stream = rewritten(|nal, unit| match nal.nal_unit_type {
                // Baseline that is not also Main: constraint_set1_flag.
                7 => unit[2] &= !0x40,
                1 | 5 => slices.push(unit.clone()),
                _ => {}
            })?;
            let [first, second, third, ..] = &slices[..] else {
                return Err("x264 made fewer slices than asked for".into());
            };
            let before: Vec<u8> = nals(&stream)
                .into_iter()
                .take_while(|nal| !nal.is_slice())
                .flat_map(|nal| stream[nal.range].to_vec())
                .collect();
            let slices = [first, third, second]
                .map(|slice| [&[0, 0, 1], &slice[..]].concat())
                .concat();
            must_be_refused(
                &story_of(&Pieces::of_stream(&[before, slices].concat()))?,
                "slice order",
            )
        }),
    ]
}

/// A Baseline stream of four slices a picture, each NAL unit (without start code) changed by `change`.
fn rewritten(mut change: impl FnMut(&Nal, &mut Vec<u8>)) -> Outcome<Vec<u8>> {
    let recipe = Recipe {
        name: "four-slices",
        size: Size {
            width: 176,
            height: 144,
        },
        frames: 4,
        options: "--profile baseline --slices 4 --crf 30",
    };
    let file = tempfile::NamedTempFile::new()?;
    encode(&recipe, file.path())?;
    let stream = std::fs::read(file.path())?;
    let mut out = Vec::new();
    for nal in nals(&stream) {
        let mut unit = stream[nal.header..nal.range.end].to_vec();
        change(&nal, &mut unit);
        out.extend([0, 0, 1]);
        out.extend(unit);
    }
    Ok(out)
}

/// Gives a PPS two slice groups of type 0. It has ids 0 and CAVLC, so its first bits are 1, 1, 0, 0 and then
/// `num_slice_groups_minus1`, which is 0.
fn add_slice_groups(pps: &mut Vec<u8>) {
    let bits: String = pps[1..].iter().map(|byte| format!("{byte:08b}")).collect();
    // num_slice_groups_minus1 1, slice_group_map_unit_type 0, run_length_minus1 of both groups 0.
    let bits = bits.replacen("11001", &["1100", "010", "1", "1", "1"].concat(), 1);
    pps.truncate(1);
    pps.extend(bits.as_bytes().chunks(8).map(|byte| {
        let bit = |(place, bit): (usize, &u8)| (bit & 1) << (7 - place);
        byte.iter().enumerate().map(bit).sum::<u8>()
    }));
}
