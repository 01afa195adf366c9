use super::*;

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
