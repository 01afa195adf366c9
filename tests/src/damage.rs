//! Everything that can happen to a stream on its way: cut, lost, repeated, swapped, stuffed and flipped. The same every
//! time.

mod seeded;

use crate::annexb::{Nal, nals, without};

pub use self::seeded::seeded;

/// A damaged stream.
#[derive(Clone, Debug)]
pub struct Damaged {
    /// What was done to it.
    pub what: String,
    /// What is left: Annex B.
    pub bytes: Vec<u8>,
}

/// A generator that looks random and is always the same (xorshift64*).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Different for every `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`; 0 for 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(high).unwrap_or(0) % bound.max(1)
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

/// Every damage that the suite knows, done to `stream`.
pub fn all(stream: &[u8]) -> Vec<Damaged> {
    [
        truncations(stream),
        losses(stream),
        disorders(stream),
        garbage(stream),
        flips(stream),
    ]
    .concat()
}

fn damaged(what: impl Into<String>, bytes: Vec<u8>) -> Damaged {
    Damaged {
        what: what.into(),
        bytes,
    }
}

/// Cut at every fiftieth, and around the borders of the first NAL units.
pub fn truncations(stream: &[u8]) -> Vec<Damaged> {
    let borders = nals(stream).into_iter().take(6).flat_map(|nal| {
        let (start, header) = (nal.range.start, nal.header);
        [start + 1, header, header + 1, header + 2, header + 5]
    });
    let fiftieths = (0..50).map(|part| stream.len() * part / 50);
    let cut = |end: usize| damaged(format!("cut at byte {end}"), stream[..end.min(stream.len())].to_vec());
    fiftieths.chain(borders).map(cut).collect()
}

/// NAL units that do not arrive: parameter sets, every n-th, slices alone, references alone, all up to some point.
pub fn losses(stream: &[u8]) -> Vec<Damaged> {
    let lose =
        |what: &str, lost: &dyn Fn(usize, &Nal) -> bool| damaged(format!("without {what}"), without(stream, lost));
    let mut losses = vec![
        lose("SPS", &|_, nal| nal.nal_unit_type == 7),
        lose("PPS", &|_, nal| nal.nal_unit_type == 8),
        lose("the first NAL unit", &|number, _| number == 0),
        lose("IDR slices", &|_, nal| nal.nal_unit_type == 5),
        lose("all slices", &|_, nal| nal.is_slice()),
        lose("every second reference", &|number, nal| {
            nal.is_slice() && nal.nal_ref_idc > 0 && number % 2 == 1
        }),
    ];
    for every in [2, 3, 5, 7, 11] {
        losses.push(lose(&format!("every {every}th NAL unit"), &|number, _| {
            number % every == every - 1
        }));
        losses.push(lose(&format!("every {every}th slice"), &|number, nal| {
            nal.is_slice() && number % every == 0
        }));
    }
    let count = nals(stream).len();
    for tenth in 1..10 {
        // What a receiver has that joins late: parameter sets are sent again, slices are not.
        let joined = count * tenth / 10;
        losses.push(lose(&format!("slices before NAL unit {joined}"), &|number, nal| {
            nal.is_slice() && number < joined
        }));
        losses.push(lose(&format!("anything before NAL unit {joined}"), &|number, _| {
            number < joined
        }));
    }
    losses
}

/// NAL units that arrive twice, late or in another order.
pub fn disorders(stream: &[u8]) -> Vec<Damaged> {
    let pieces: Vec<&[u8]> = nals(stream).into_iter().map(|nal| &stream[nal.range]).collect();
    let twice = pieces.iter().flat_map(|piece| [*piece, *piece]).collect::<Vec<_>>();
    let backwards = pieces.iter().rev().copied().collect::<Vec<_>>();
    let in_pairs = pieces
        .chunks(2)
        .flat_map(|pair| pair.iter().rev().copied())
        .collect::<Vec<_>>();
    let mut shuffled = pieces.clone();
    let mut dice = Dice::new(17);
    for last in (1..shuffled.len()).rev() {
        shuffled.swap(last, dice.below(last + 1));
    }
    vec![
        damaged("each NAL unit twice", twice.concat()),
        damaged("backwards", backwards.concat()),
        damaged("neighbours swapped", in_pairs.concat()),
        damaged("shuffled", shuffled.concat()),
    ]
}

/// Bytes that belong to nothing, between NAL units and instead of them.
pub fn garbage(stream: &[u8]) -> Vec<Damaged> {
    let stuffed = |seed: u64, longest: usize| {
        let mut dice = Dice::new(seed);
        let pieces = nals(stream).into_iter().flat_map(|nal| {
            let length = dice.below(longest);
            [stream[nal.range].to_vec(), dice.bytes(length)].concat()
        });
        damaged(
            format!("up to {longest} bytes of garbage behind each NAL unit"),
            pieces.collect(),
        )
    };
    let headers = (0..=255u8)
        .flat_map(|header| [0, 0, 1, header, 0x9a, 0x4c])
        .collect::<Vec<_>>();
    vec![
        stuffed(1, 4),
        stuffed(2, 300),
        damaged("nothing", Vec::new()),
        damaged("zeros", vec![0; 4096]),
        damaged("start codes", [0, 0, 1].repeat(500)),
        damaged("noise", Dice::new(3).bytes(20_000)),
        damaged("noise behind the parameter sets", {
            let sets = without(stream, |_, nal| !matches!(nal.nal_unit_type, 7 | 8));
            [sets, Dice::new(4).bytes(20_000)].concat()
        }),
        damaged(
            "every NAL unit type, cut short, then the stream",
            [headers, stream.to_vec()].concat(),
        ),
    ]
}

/// Bits that turn over: few, some, many; anywhere, in headers only, in slice data only.
pub fn flips(stream: &[u8]) -> Vec<Damaged> {
    let nals = nals(stream);
    let mut flips = Vec::new();
    for (seed, bits_per_10_000_bytes) in [(1, 1), (2, 1), (3, 10), (4, 10), (5, 10), (6, 100), (7, 1000)] {
        let mut bytes = stream.to_vec();
        let mut dice = Dice::new(seed);
        for _ in 0..(bytes.len() * bits_per_10_000_bytes / 10_000).max(1) {
            let place = dice.below(bytes.len());
            bytes[place] ^= 1 << dice.below(8);
        }
        flips.push(damaged(
            format!("{bits_per_10_000_bytes} bits in 10,000 bytes flipped (seed {seed})"),
            bytes,
        ));
    }
    let mut flip_in = |what: &str, seed: u64, is_meant: &dyn Fn(&Nal) -> bool, from: usize, to: usize| {
        let mut bytes = stream.to_vec();
        let mut dice = Dice::new(seed);
        for nal in nals.iter().filter(|nal| is_meant(nal)) {
            let (first, end) = (nal.header + from, nal.range.end.min(nal.header + to));
            if first < end && dice.below(2) == 0 {
                bytes[first + dice.below(end - first)] ^= 1 << dice.below(8);
            }
        }
        flips.push(damaged(format!("a bit flipped in {what} (seed {seed})"), bytes));
    };
    for seed in 10..14 {
        flip_in("parameter sets", seed, &|nal| matches!(nal.nal_unit_type, 7 | 8), 1, 40);
        flip_in("NAL unit headers", seed, &|_| true, 0, 1);
        flip_in("slice headers", seed, &Nal::is_slice, 1, 6);
        flip_in("slice data", seed, &Nal::is_slice, 6, usize::MAX / 2);
    }
    flips
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: [u8; 20] = [0, 0, 0, 1, 0x67, 9, 9, 0, 0, 1, 0x68, 8, 0, 0, 1, 0x65, 7, 7, 7, 7];

    #[test]
    fn damage_is_the_same_every_time_and_no_two_are_alike() {
        let bytes = |damaged: Damaged| (damaged.what, damaged.bytes);
        let once: Vec<_> = all(&STREAM).into_iter().map(bytes).collect();
        assert_eq!(once, all(&STREAM).into_iter().map(bytes).collect::<Vec<_>>());
        assert!(once.len() > 100);
    }

    #[test]
    fn a_seed_does_the_same_every_time_and_seeds_do_not_agree() {
        let once = |seed| seeded(&STREAM, &[0, 0, 1, 0x41, 1], seed).bytes;
        let damages: Vec<_> = (0..200).map(once).collect();
        assert_eq!(damages, (0..200).map(once).collect::<Vec<_>>());
        let different: std::collections::BTreeSet<_> = damages.iter().collect();
        assert!(different.len() > 100, "{}", different.len());
    }

    #[test]
    fn what_is_lost_is_gone_and_the_rest_is_there() {
        let without_sps = &losses(&STREAM)[0];
        assert_eq!(without_sps.bytes, STREAM[7..]);
    }

    #[test]
    fn dice_fall_below_their_bound_and_not_always_alike() {
        let mut dice = Dice::new(1);
        let falls: Vec<_> = (0..100).map(|_| dice.below(6)).collect();
        assert!(falls.iter().all(|&fall| fall < 6));
        assert!((0..6).all(|face| falls.contains(&face)));
        assert_eq!(dice.below(0), 0);
    }
}
