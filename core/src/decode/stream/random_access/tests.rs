use super::*;
use crate::h264::reference::Reference;

const IDR: Candidate = Candidate {
    is_idr: true,
    is_intra: true,
    recovery_point: None,
    frame_num: 0,
    max_frame_num: 16,
};
const INTER: Candidate = Candidate {
    is_idr: false,
    is_intra: false,
    ..IDR
};
const INTRA: Candidate = Candidate {
    is_intra: true,
    ..INTER
};

fn recovery(recovery_frame_cnt: u16, candidate: Candidate) -> Candidate {
    let point = RecoveryPoint {
        recovery_frame_cnt,
        exact_match_flag: true,
        broken_link_flag: false,
    };
    Candidate {
        recovery_point: Some(point),
        ..candidate
    }
}

fn at(frame_num: u16, candidate: Candidate) -> Candidate {
    Candidate { frame_num, ..candidate }
}

/// A machine in each state.
fn in_state(state: DecodingState) -> RandomAccess {
    let mut machine = RandomAccess::default();
    match state {
        DecodingState::AwaitingParameterSets => {}
        DecodingState::AwaitingIdr => machine.parameter_sets_found(),
        DecodingState::Recovering => {
            machine.parameter_sets_found();
            machine.admit(&recovery(3, INTER)).unwrap();
            machine.place(0, false);
        }
        DecodingState::Decoding => {
            machine.parameter_sets_found();
            machine.admit(&IDR).unwrap();
            machine.place(0, true);
        }
    }
    assert_eq!(machine.state(), state);
    machine
}

#[test]
fn every_verb_in_every_state_leads_where_it_should() {
    use DecodingState::{AwaitingIdr, AwaitingParameterSets, Decoding, Recovering};
    type Verb = fn(&mut RandomAccess);
    let verbs: [Verb; 6] = [
        RandomAccess::parameter_sets_found,
        RandomAccess::reset,
        |machine| _ = machine.admit(&IDR),
        |machine| _ = machine.admit(&INTRA),
        |machine| _ = machine.admit(&recovery(2, INTER)),
        |machine| _ = machine.admit(&INTER),
    ];
    let table = [
        (
            AwaitingParameterSets,
            [
                AwaitingIdr,
                AwaitingParameterSets,
                Decoding,
                Decoding,
                Recovering,
                AwaitingParameterSets,
            ],
        ),
        (
            AwaitingIdr,
            [AwaitingIdr, AwaitingIdr, Decoding, Decoding, Recovering, AwaitingIdr],
        ),
        (
            Recovering,
            [Recovering, AwaitingIdr, Decoding, Recovering, Recovering, Recovering],
        ),
        (
            Decoding,
            [Decoding, AwaitingIdr, Decoding, Decoding, Decoding, Decoding],
        ),
    ];
    for (from, expected) in table {
        for (n, (verb, to)) in verbs.iter().zip(expected).enumerate() {
            let mut machine = in_state(from);
            verb(&mut machine);
            assert_eq!(machine.state(), to, "verb {n} in {from:?}");
        }
    }
}

#[test]
fn an_inter_picture_is_no_beginning() {
    let mut machine = in_state(DecodingState::AwaitingIdr);
    assert_eq!(machine.admit(&INTER), Err(DropReason::AwaitingKeyframe));
}

#[test]
fn nothing_is_shown_before_the_recovery_frame_even_if_that_is_lost() {
    let mut machine = in_state(DecodingState::AwaitingIdr);
    let hidden = |machine: &mut RandomAccess, frame_num, count| {
        machine
            .admit(&if count == 0 {
                recovery(3, at(frame_num, INTER))
            } else {
                at(frame_num, INTER)
            })
            .unwrap();
        machine.place(count, false).hidden
    };
    assert_eq!(hidden(&mut machine, 14, 0), Some(DropReason::NotRecovered));
    assert_eq!(hidden(&mut machine, 15, 2), Some(DropReason::NotRecovered));
    // frame_num 1 = 14 + 3 - 16 is lost.
    assert_eq!(hidden(&mut machine, 2, 8), None);
    assert_eq!(hidden(&mut machine, 2, 7), Some(DropReason::Leading));
}

#[test]
fn a_recovery_may_take_nearly_as_long_as_frame_num_does_to_come_round() {
    let mut machine = in_state(DecodingState::AwaitingIdr);
    machine.admit(&recovery(15, at(4, INTER))).unwrap();
    for step in 1..15 {
        machine.admit(&at((4 + step) % 16, INTER)).unwrap();
        assert_eq!(machine.state(), DecodingState::Recovering, "{step} of 15");
        // Pictures that are no reference have the number of the next one.
        machine.admit(&at((4 + step) % 16, INTER)).unwrap();
        assert_eq!(machine.state(), DecodingState::Recovering, "{step} of 15");
    }
    machine.admit(&at(3, INTER)).unwrap();
    assert_eq!(machine.state(), DecodingState::Decoding);
}

#[test]
fn a_recovery_goes_on_when_frame_num_is_reset() {
    let mut machine = in_state(DecodingState::AwaitingIdr);
    machine.admit(&recovery(6, at(4, INTER))).unwrap();
    machine.admit(&at(7, INTER)).unwrap();
    machine.place(0, true);
    machine.admit(&at(1, INTER)).unwrap();
    assert_eq!(machine.state(), DecodingState::Recovering);
    machine.admit(&at(3, INTER)).unwrap();
    assert_eq!(machine.state(), DecodingState::Decoding);
}

#[test]
fn an_idr_picture_may_bring_a_smaller_max_frame_num() {
    let mut machine = in_state(DecodingState::Decoding);
    let wide = |frame_num| Candidate {
        max_frame_num: 1 << 16,
        ..at(frame_num, INTER)
    };
    machine.admit(&wide(60_000)).unwrap();
    assert_eq!(machine.admit(&IDR), Ok(()));
    assert_eq!(machine.state(), DecodingState::Decoding);
}

#[test]
fn what_precedes_the_first_picture_in_output_order_is_dropped_until_an_idr_picture() {
    let mut machine = in_state(DecodingState::AwaitingIdr);
    machine.admit(&recovery(0, INTRA)).unwrap();
    assert_eq!(machine.place(20, false).hidden, None);
    machine.admit(&at(1, INTER)).unwrap();
    assert_eq!(machine.place(16, false).hidden, Some(DropReason::Leading));
    machine.admit(&at(1, INTER)).unwrap();
    assert_eq!(machine.place(24, false).hidden, None);
    machine.admit(&IDR).unwrap();
    assert_eq!(machine.place(0, true).hidden, None);
    machine.admit(&at(1, INTER)).unwrap();
    assert_eq!(machine.place(-2, false).hidden, None);
}

#[test]
fn a_recovery_point_ends_old_damage_but_not_for_what_precedes_it() {
    let mut machine = in_state(DecodingState::Decoding);
    machine.admit(&at(1, INTER)).unwrap();
    let before = machine.place(4, false);
    machine.admit(&recovery(0, at(2, INTRA))).unwrap();
    let entry = machine.place(12, false);
    machine.admit(&at(3, INTER)).unwrap();
    let leading = machine.place(8, false);
    machine.admit(&at(3, INTER)).unwrap();
    let after = machine.place(16, false);
    assert!(entry.trusts_since > before.epoch && after.trusts_since > before.epoch);
    assert!(leading.trusts_since <= before.epoch, "it may refer to what came before");
    assert!(after.trusts_since > leading.epoch, "nothing after refers to it");
    assert!(after.trusts_since <= entry.epoch, "what is damaged from here on counts");
}

#[test]
fn damage_on_the_way_to_recovery_outlasts_it() {
    let mut machine = in_state(DecodingState::Decoding);
    machine.admit(&recovery(2, at(1, INTER))).unwrap();
    let on_the_way = machine.place(2, false);
    assert_eq!(on_the_way.hidden, None, "it was decoding already");
    machine.admit(&at(3, INTER)).unwrap();
    let recovered = machine.place(6, false);
    assert!(recovered.trusts_since <= on_the_way.epoch);
    assert!(recovered.trusts_since > on_the_way.trusts_since);
}

#[test]
fn a_recovery_heals_what_was_lost_before_it_began_even_while_the_one_before_lasts() {
    let mut machine = in_state(DecodingState::Decoding);
    let mut standings = Vec::new();
    for frame_num in 1..12 {
        let candidate = at(frame_num, INTER);
        machine
            .admit(&match frame_num {
                1 | 5 => recovery(6, candidate),
                _ => candidate,
            })
            .unwrap();
        // A reference is lost between 3 and 4: in the first recovery, before the second.
        if frame_num == 4 {
            machine.lose_references();
        }
        standings.push(machine.place(2 * i32::from(frame_num), false));
    }
    let suffers: Vec<_> = standings
        .iter()
        .map(|standing| standing.lost_references.is_some())
        .collect();
    let expected = (1..12)
        .map(|frame_num| (4..11).contains(&frame_num))
        .collect::<Vec<_>>();
    assert_eq!(suffers, expected, "the first ends at 7, the second at 11");
}

#[test]
fn a_loss_before_a_recovery_point_is_healed_by_it_and_one_after_it_is_not() {
    for (lost_before, suffers) in [(1, false), (2, true), (4, true)] {
        let mut machine = in_state(DecodingState::Decoding);
        for frame_num in 1..=4 {
            let candidate = at(frame_num, INTER);
            machine
                .admit(&if frame_num == 1 {
                    recovery(3, candidate)
                } else {
                    candidate
                })
                .unwrap();
            if frame_num == lost_before {
                machine.lose_references();
            }
            let standing = machine.place(2 * i32::from(frame_num), false);
            if frame_num == 4 {
                assert_eq!(standing.lost_references.is_some(), suffers, "lost before {lost_before}");
            }
        }
    }
}

#[test]
fn a_loss_is_forgotten_when_nothing_refers_to_what_precedes_an_intra_picture() {
    let reference = |picture| ReferencePicture {
        picture: PictureId(picture),
        reference: Reference::ShortTerm {
            frame_num: 0,
            pic_num: 0,
        },
        fields: [true, true],
        coded_as_fields: false,
        field_order_cnt: [0, 0],
        non_existing: false,
        lost: false,
    };
    let mut machine = in_state(DecodingState::Decoding);
    let mut suffers = |picture, candidate: Candidate, lost, references: &[u64]| {
        machine.admit(&candidate).unwrap();
        if lost {
            machine.lose_references();
        }
        let references: Vec<_> = references.iter().map(|&id| reference(id)).collect();
        machine.note_references(PictureId(picture), candidate.is_intra, &references);
        machine.place(0, false).lost_references.is_some()
    };
    assert!(suffers(3, at(3, INTER), true, &[0, 1]));
    assert!(suffers(4, at(4, INTRA), false, &[1, 3]));
    assert!(suffers(5, at(5, INTER), false, &[3, 4]));
    assert!(!suffers(6, at(6, INTER), false, &[4, 5]));
}

#[test]
fn a_broken_link_drops_what_precedes_it() {
    let mut machine = in_state(DecodingState::Decoding);
    let mut broken = recovery(0, at(1, INTRA));
    broken.recovery_point = broken.recovery_point.map(|point| RecoveryPoint {
        broken_link_flag: true,
        ..point
    });
    machine.admit(&broken).unwrap();
    machine.place(12, false);
    machine.admit(&at(2, INTER)).unwrap();
    assert_eq!(machine.place(8, false).hidden, Some(DropReason::Leading));
}

#[test]
fn a_fast_start_shows_what_is_not_right_yet_and_says_so() {
    let mut machine = RandomAccess::new(StartPolicy::Fast);
    machine.parameter_sets_found();
    machine.admit(&at(13, INTER)).unwrap();
    let early = machine.place(0, false);
    machine.admit(&recovery(1, at(14, INTER))).unwrap();
    let on_the_way = machine.place(2, false);
    machine.admit(&at(15, INTER)).unwrap();
    let recovered = machine.place(4, false);
    for standing in [early, on_the_way] {
        assert_eq!((standing.hidden, standing.is_unproven), (None, true));
        assert!(
            standing.trusts_since < recovered.trusts_since,
            "it ends with the recovery"
        );
    }
    assert_eq!((recovered.hidden, recovered.is_unproven), (None, false));
    assert!(recovered.trusts_since <= on_the_way.epoch, "a loss on the way does not");
}

#[test]
fn a_reset_keeps_the_policy() {
    let mut machine = RandomAccess::new(StartPolicy::Fast);
    machine.parameter_sets_found();
    machine.admit(&IDR).unwrap();
    machine.reset();
    assert_eq!(machine.admit(&INTER), Ok(()));
    assert_eq!(machine.state(), DecodingState::AwaitingIdr);
}
