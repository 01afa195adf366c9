//! Parameter sets that are lost and come again, or change what they say under the same id where no IDR picture is.

use super::*;

fn is_parameter_set(nal: &[u8]) -> bool {
    matches!(nal[0] & 31, 7 | 8)
}

fn parameter_sets(stream: &[u8]) -> Vec<&[u8]> {
    let first = access_units(stream).swap_remove(0);
    first.into_iter().filter(|nal| is_parameter_set(nal)).collect()
}

/// Access units of `OPEN_GOP` from `first` on, in decoding order, with parameter sets before them.
fn open_gop_from(first: usize) -> impl Iterator<Item = Vec<&'static [u8]>> {
    let mut units = access_units(OPEN_GOP).split_off(first);
    units[0].retain(|nal| !is_parameter_set(nal));
    units[0].splice(0..0, parameter_sets(OPEN_GOP));
    units.into_iter()
}

fn widths(got: &Got) -> Vec<u32> {
    got.formats.iter().map(|format| format.coded_size.width).collect()
}

#[test]
fn parameter_sets_that_come_again_let_decoding_begin_at_the_recovery_point_behind_them() {
    let whole = decode_access_units(access_units(OPEN_GOP));
    let mut before = access_units(OPEN_GOP);
    before.truncate(5);
    before[0].retain(|nal| !is_parameter_set(nal));
    let got = decode_access_units(before.into_iter().chain(open_gop_from(5)));
    assert_eq!(got.dropped_as(DropReason::AwaitingParameterSets), [0, 1, 2, 3, 4]);
    assert_eq!(got.dropped_as(DropReason::Leading), [6]);
    assert_eq!(got.damaged(), []);
    assert_eq!(got.samples(), whole.samples()[6..]);
}

#[test]
fn another_size_at_a_recovery_point_is_shown_from_there() {
    let whole = decode_access_units(access_units(OPEN_GOP));
    let small = decode_access_units(access_units(SMALL));
    let got = decode_access_units(access_units(SMALL).into_iter().chain(open_gop_from(5)));
    assert_eq!(widths(&got), [32, 64]);
    assert_eq!(got.dropped_as(DropReason::Leading), [5]);
    assert_eq!(got.damaged(), []);
    assert_eq!(got.samples(), [&small.samples()[..], &whole.samples()[6..]].concat());
}

#[test]
fn another_size_at_a_predicted_picture_waits_for_the_recovery_point() {
    let whole = decode_access_units(access_units(OPEN_GOP));
    let small = decode_access_units(access_units(SMALL));
    let got = decode_access_units(access_units(SMALL).into_iter().chain(open_gop_from(1)));
    assert_eq!(got.dropped_as(DropReason::AwaitingKeyframe), [4, 5, 6, 7]);
    assert_eq!(got.dropped_as(DropReason::Leading), [9]);
    assert_eq!(got.damaged(), []);
    assert_eq!(got.samples(), [&small.samples()[..], &whole.samples()[6..]].concat());
}

#[test]
fn parameter_sets_replaced_before_a_slice_refers_to_them_change_nothing() {
    let whole = decode_access_units(access_units(OPEN_GOP));
    let replaced = [parameter_sets(SMALL), parameter_sets(OPEN_GOP)].concat();
    for place in 1..14 {
        let mut units = access_units(OPEN_GOP);
        units[place].splice(0..0, replaced.iter().copied());
        let got = decode_access_units(units);
        assert_eq!(widths(&got), [64], "before picture {place}");
        assert_eq!(got.tags(), whole.tags(), "before picture {place}");
        assert_eq!(got.damaged(), [], "before picture {place}");
        assert_eq!(got.samples(), whole.samples(), "before picture {place}");
    }
}
