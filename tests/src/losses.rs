//! What a receiver misses of a stream: slices, pictures, parameter sets, the beginning or the end. The same every time.

use std::collections::HashMap;

use fourier_core::h264::slice_header::{PicOrderCnt, SliceHeader};
use fourier_core::h264::{NalUnit, NalUnitType, ParameterSets, Pps, Sps};

use crate::annexb::Nal;
use crate::damage::Dice;

/// A NAL unit of the original that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Its place in the original.
    pub number: usize,
    /// How many of its bytes arrived, start code included.
    pub length: usize,
}

/// A stream of which not everything arrived.
#[derive(Clone, Debug)]
pub struct Reception {
    /// Nothing in what arrived can tell that something is missing.
    pub is_untold: bool,
    /// What was lost.
    pub what: String,
    /// What was not.
    pub arrived: Vec<Arrived>,
}

/// A stream whose NAL units are known to belong to pictures.
#[derive(Clone, Debug)]
pub struct Original<'a> {
    /// All of it.
    pub nals: &'a [Nal],
    /// The first NAL unit with a slice of each picture, ascending.
    pub pictures: &'a [usize],
    /// The numbers of each picture; `None` where they cannot be read.
    numbers: Vec<Option<Numbers>>,
    /// NAL units that give a parameter set other contents than the one before it with its name.
    changes: Vec<usize>,
}

/// What of a picture tells whether others are missing before it.
#[derive(Clone, Debug)]
struct Numbers {
    header: SliceHeader,
    max_frame_num: u32,
}

impl Numbers {
    /// Whether this picture may stand behind `previous`, where in the original `lost` was: as far as `frame_num` tells, and
    /// the count if pictures have one.
    fn may_follow(&self, previous: &Self, lost: &Self) -> bool {
        let steps = u32::from(previous.header.nal_ref_idc != 0);
        let frame_num = (u32::from(previous.header.frame_num) + steps) % self.max_frame_num;
        let counts = (self.header.pic_order_cnt, lost.header.pic_order_cnt);
        let is_counted_on = matches!(counts, (PicOrderCnt::Type2, _)) || counts.0 == counts.1;
        self.header.idr_pic_id.is_none() && u32::from(self.header.frame_num) == frame_num && is_counted_on
    }
}

impl<'a> Original<'a> {
    /// The NAL units of `stream`, and those of them that begin a picture.
    pub fn new(stream: &[u8], nals: &'a [Nal], pictures: &'a [usize]) -> Self {
        let mut sets = ParameterSets::default();
        let mut numbers = Vec::with_capacity(pictures.len());
        let (mut latest, mut changes) = (HashMap::new(), Vec::new());
        for (number, nal) in nals.iter().enumerate() {
            let read = NalUnit::parse(&stream[nal.header..nal.range.end]).ok();
            if pictures.binary_search(&number).is_ok() {
                let header = read.as_ref().and_then(|nal| sets.parse_slice_header(nal).ok());
                numbers.push(header.map(|(header, active)| Numbers {
                    header,
                    max_frame_num: active.sps.max_frame_num(),
                }));
            }
            let name = read.as_ref().and_then(|nal| receive(&mut sets, nal));
            let contents = &stream[nal.header..nal.range.end];
            let before = name.and_then(|name| latest.insert(name, contents));
            if before.is_some_and(|before| before != contents) {
                changes.push(number);
            }
        }
        Self {
            nals,
            pictures,
            numbers,
            changes,
        }
    }
    /// The picture that the NAL unit belongs to, or that came before it; `None` before the first.
    pub fn picture_of(&self, number: usize) -> Option<usize> {
        self.pictures.partition_point(|&first| first <= number).checked_sub(1)
    }

    fn slices_of(&self, picture: usize) -> Vec<usize> {
        let slices = (0..).zip(self.nals).filter(|(_, nal)| nal.is_slice());
        slices
            .map(|(number, _)| number)
            .filter(|&number| self.picture_of(number) == Some(picture))
            .collect()
    }

    fn without(&self, what: String, lost: impl Fn(usize, &Nal) -> bool) -> Reception {
        let all = (0..).zip(self.nals).filter(|(number, nal)| !lost(*number, nal));
        let arrived = all.map(|(number, nal)| Arrived {
            number,
            length: nal.range.len(),
        });
        // Slices may refer to one with its name that was not replaced.
        let lacks_a_change = self.changes.iter().any(|&change| lost(change, &self.nals[change]));
        Reception {
            is_untold: lacks_a_change || self.numbers_go_on_without(&lost),
            what,
            arrived: arrived.collect(),
        }
    }

    /// Whether an IDR picture is among the lost and the numbers behind it go on from those before it: as it happens with
    /// sequences of one length.
    fn numbers_go_on_without(&self, lost: impl Fn(usize, &Nal) -> bool) -> bool {
        let is_lost: Vec<_> = self
            .pictures
            .iter()
            .map(|&first| lost(first, &self.nals[first]))
            .collect();
        let is_idr = |picture: &Option<Numbers>| picture.as_ref().is_some_and(|n| n.header.idr_pic_id.is_some());
        (1..is_lost.len())
            .filter(|&first| is_lost[first] && !is_lost[first - 1])
            .any(|first| {
                let Some(run) = is_lost[first..].iter().position(|&lost| !lost) else {
                    return false;
                };
                let [previous, lost, next] =
                    [first - 1, first, first + run].map(|picture| self.numbers[picture].as_ref());
                let (Some(previous), Some(lost), Some(next)) = (previous, lost, next) else {
                    return false;
                };
                self.numbers[first..first + run].iter().any(is_idr) && next.may_follow(previous, lost)
            })
    }

    fn cut_in(&self, cut: usize, length: usize) -> Reception {
        let mut reception = self.without(format!("NAL unit {cut} behind byte {length}"), |_, _| false);
        if let Some(arrived) = reception.arrived.get_mut(cut) {
            arrived.length = arrived.length.min(length);
        }
        reception
    }
}

/// Takes a parameter set; gives its type and id. `None` = it is none that can be read.
fn receive(sets: &mut ParameterSets, nal: &NalUnit<'_>) -> Option<(u8, u8)> {
    match nal.nal_unit_type {
        NalUnitType::Sps => {
            sets.receive_sps(nal).ok()?;
            Some((7, Sps::parse(nal).ok()?.seq_parameter_set_id.get()))
        }
        NalUnitType::Pps => {
            sets.receive_pps(nal).ok()?;
            let pps = Pps::parse(nal, |id| sets.sps(id).map(AsRef::as_ref)).ok()?;
            Some((8, pps.pic_parameter_set_id.get()))
        }
        _ => None,
    }
}

/// A way to lose something: what may arrive.
type Loss = fn(&Original<'_>, &mut Dice) -> Vec<Reception>;

const LOSSES: [Loss; 7] = [
    one_slice,
    whole_pictures,
    slices_here_and_there,
    burst,
    late_join,
    cut_in_a_nal_unit,
    parameter_sets,
];

/// `rounds` of every kind of loss; `seed` makes others.
pub fn receptions(original: &Original<'_>, seed: u64, rounds: usize) -> Vec<Reception> {
    let mut dice = Dice::new(seed);
    let all = (0..rounds).flat_map(|_| LOSSES);
    all.flat_map(|loss| loss(original, &mut dice)).collect()
}

fn one_slice(original: &Original<'_>, dice: &mut Dice) -> Vec<Reception> {
    vec![
        lost_slice(original, dice, "a slice", |slices, dice| {
            slices[dice.below(slices.len())]
        }),
        lost_slice(original, dice, "the first slice", |slices, _| slices[0]),
        lost_slice(original, dice, "the last slice", |slices, _| slices[slices.len() - 1]),
    ]
}

/// Not the first one: it is where decoding begins in most streams, and losing it is [`late_join`].
fn whole_pictures(original: &Original<'_>, dice: &mut Dice) -> Vec<Reception> {
    let lengths = [1, 2, 1 + dice.below(20)];
    let reception = |pictures| {
        let first = 1 + dice.below(original.pictures.len().saturating_sub(1));
        let lost = first..first + pictures;
        original.without(format!("pictures {lost:?}"), |number, nal| {
            let picture = original.picture_of(number);
            nal.is_slice() && picture.is_some_and(|picture| lost.contains(&picture))
        })
    };
    lengths.map(reception).into()
}

fn slices_here_and_there(original: &Original<'_>, dice: &mut Dice) -> Vec<Reception> {
    let reception = |one_in| {
        let nals = original.nals.iter();
        let lost: Vec<_> = nals.map(|nal| nal.is_slice() && dice.below(one_in) == 0).collect();
        original.without(format!("one slice in {one_in}"), |number, _| lost[number])
    };
    [4, 12, 40].map(reception).into()
}

fn burst(original: &Original<'_>, dice: &mut Dice) -> Vec<Reception> {
    let first = dice.below(original.nals.len());
    let lost = first..first + 1 + dice.below(12);
    vec![original.without(format!("NAL units {lost:?}"), |number, _| lost.contains(&number))]
}

fn late_join(original: &Original<'_>, dice: &mut Dice) -> Vec<Reception> {
    let joined = dice.below(original.nals.len());
    vec![
        original.without(format!("anything before NAL unit {joined}"), |number, _| {
            number < joined
        }),
        original.without(
            format!("anything but parameter sets before NAL unit {joined}"),
            |number, nal| !matches!(nal.nal_unit_type, 7 | 8) && number < joined,
        ),
    ]
}

fn cut_in_a_nal_unit(original: &Original<'_>, dice: &mut Dice) -> Vec<Reception> {
    let slices: Vec<_> = numbers_of(original, Nal::is_slice);
    let Some(&cut) = slices.get(dice.below(slices.len())) else {
        return Vec::new();
    };
    let length = original.nals[cut].range.len();
    let middle = original.cut_in(cut, length / 2 + dice.below(length / 2));
    let mut end = original.cut_in(cut, 8 + dice.below(length));
    end.arrived.truncate(cut + 1);
    end.what = format!("anything behind the middle of NAL unit {cut}");
    vec![middle, end]
}

fn parameter_sets(original: &Original<'_>, dice: &mut Dice) -> Vec<Reception> {
    let sets = numbers_of(original, |nal| matches!(nal.nal_unit_type, 7 | 8));
    let Some(&first) = sets.get(dice.below(sets.len())) else {
        return Vec::new();
    };
    let many = 1 + dice.below(2);
    vec![original.without(
        format!("{many} parameter sets from NAL unit {first} on"),
        |number, _| sets.contains(&number) && (first..first + many).contains(&number),
    )]
}

fn numbers_of(original: &Original<'_>, is_one: impl Fn(&Nal) -> bool) -> Vec<usize> {
    let nals = original.nals.iter().enumerate();
    nals.filter(|(_, nal)| is_one(nal)).map(|(number, _)| number).collect()
}

fn lost_slice(
    original: &Original<'_>,
    dice: &mut Dice,
    which: &str,
    choose: impl Fn(&[usize], &mut Dice) -> usize,
) -> Reception {
    let picture = dice.below(original.pictures.len());
    let slices = original.slices_of(picture);
    let lost = choose(&slices, dice);
    original.without(format!("{which} of picture {picture}: NAL unit {lost}"), |number, _| {
        number == lost
    })
}
