//! Weights from tables and from distances.

use super::*;
use crate::slice::Weight;

fn entry(pic_order_cnt: i32) -> ListEntry {
    ListEntry {
        pic_order_cnt,
        ..ListEntry::default()
    }
}

fn table(weight: i16, offset: i16) -> PredWeightTable {
    let weight = Weight {
        weight: [weight; 3],
        offset: [offset; 3],
    };
    PredWeightTable {
        luma_log2_weight_denom: 5,
        chroma_log2_weight_denom: 5,
        weights: [[weight; 32]; 2],
    }
}

fn explicit_of(table: &PredWeightTable) -> Weights<'_> {
    Weights::Explicit {
        table,
        of_field_macroblocks: false,
    }
}

#[test]
fn both_fields_of_a_frame_have_its_weights_in_field_macroblocks() {
    let mut table = table(32, 0);
    table.weights[0][1].weight = [7; 3];
    let weights = Weights::Explicit {
        table: &table,
        of_field_macroblocks: true,
    };
    let weight = |ref_idx| weights.of([ref_idx, -1], 8).map(|weights| weights.luma.weight[0][0]);
    assert_eq!([0, 1, 2, 3].map(weight), [None, None, Some(7), Some(7)]);
}

#[test]
fn the_nearer_picture_weighs_more() {
    // A picture at 2 between 0 and 8: a quarter of the way.
    assert_eq!(implicit_weight(2, &entry(0), &entry(8)), 16);
    assert_eq!(implicit_weight(4, &entry(0), &entry(8)), 32);
    assert_eq!(implicit_weight(6, &entry(0), &entry(8)), 48);
}

#[test]
fn extrapolation_keeps_within_its_limits() {
    assert_eq!(implicit_weight(12, &entry(0), &entry(8)), 96);
    assert_eq!(
        implicit_weight(40, &entry(0), &entry(8)),
        32,
        "beyond 128 both weigh the same"
    );
    assert_eq!(implicit_weight(i32::MAX, &entry(i32::MIN), &entry(1)), 64);
}

#[test]
fn long_term_and_simultaneous_pictures_weigh_the_same() {
    assert_eq!(implicit_weight(2, &entry(8), &entry(8)), 32);
    assert_eq!(
        implicit_weight(
            2,
            &ListEntry {
                long_term: true,
                ..entry(0)
            },
            &entry(8)
        ),
        32
    );
}

#[test]
fn weights_that_change_nothing_are_left_out() {
    assert_eq!(explicit_of(&table(32, 0)).of([0, 0], 8), None);
    assert_eq!(explicit_of(&table(32, 0)).of([0, -1], 8), None);
    assert!(explicit_of(&table(31, 0)).of([0, -1], 8).is_some());
    assert!(explicit_of(&table(32, 1)).of([-1, 0], 8).is_some());
}

#[test]
fn offsets_of_both_lists_are_averaged_and_scaled_to_the_depth() {
    let table = table(40, 3);
    let weighting = |ref_idx, depth| explicit_of(&table).of(ref_idx, depth).unwrap().luma;
    assert_eq!(weighting([0, 0], 8).offset, [3; 2]);
    assert_eq!(weighting([0, -1], 10).offset, [12; 2]);
    let mut odd = table.clone();
    odd.weights[1][0].offset = [2; 3];
    let averaged = |depth| explicit_of(&odd).of([0, 0], depth).unwrap().luma.offset;
    assert_eq!((averaged(8), averaged(10)), ([3; 2], [10; 2]));
    assert_eq!(weighting([0, 0], 8).weight, [[40; 2]; 2]);
}

#[test]
fn implicit_weights_are_for_two_lists_only() {
    let weights = Weights::Implicit(Box::new([[20; 32]; 32]));
    assert_eq!(weights.of([0, -1], 8), None);
    assert_eq!(weights.of([0, 0], 8).unwrap().luma.weight, [[44; 2], [20; 2]]);
}
