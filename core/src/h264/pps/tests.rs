use super::*;
use crate::h264::sps::tests::{example_sps, random_sps};
use crate::h264::testing::Random;
use crate::h264::write::{self, bits::BitWriter};

/// Of a sequence of 4:2:0.
pub(crate) fn write_pps(pps: &Pps) -> Vec<u8> {
    write::pps::nal(pps, 1)
}

/// CABAC, three references, everything else off.
pub(crate) fn example_pps() -> Pps {
    Pps {
        pic_parameter_set_id: PpsId(0),
        seq_parameter_set_id: SpsId(0),
        entropy_coding_mode_flag: true,
        bottom_field_pic_order_in_frame_present_flag: false,
        num_slice_groups_minus1: 0,
        num_ref_idx_l0_default_active_minus1: 2,
        num_ref_idx_l1_default_active_minus1: 0,
        weighted_pred_flag: false,
        weighted_bipred_idc: 0,
        pic_init_qp_minus26: 0,
        pic_init_qs_minus26: 0,
        chroma_qp_index_offset: 0,
        deblocking_filter_control_present_flag: true,
        constrained_intra_pred_flag: false,
        redundant_pic_cnt_present_flag: false,
        transform_8x8_mode_flag: false,
        scaling_matrix: None,
        second_chroma_qp_index_offset: 0,
    }
}

fn random_list<const N: usize>(random: &mut Random) -> ScalingList<N> {
    match random.below(3) {
        0 => ScalingList::NotPresent,
        1 => ScalingList::UseDefault,
        _ => ScalingList::Coded(std::array::from_fn(|_| random.below(255) as u8 + 1)),
    }
}

/// A PPS of any shape that can be written.
pub(crate) fn random_pps(random: &mut Random) -> Pps {
    let transform_8x8_mode_flag = random.flag();
    let mut pps = Pps {
        pic_parameter_set_id: PpsId(random.below(256) as u8),
        seq_parameter_set_id: SpsId(random.below(32) as u8),
        entropy_coding_mode_flag: random.flag(),
        bottom_field_pic_order_in_frame_present_flag: random.flag(),
        num_slice_groups_minus1: 0,
        num_ref_idx_l0_default_active_minus1: random.below(16) as u8,
        num_ref_idx_l1_default_active_minus1: random.below(16) as u8,
        weighted_pred_flag: random.flag(),
        weighted_bipred_idc: random.below(3) as u8,
        pic_init_qp_minus26: random.below(52) as i8 - 26,
        pic_init_qs_minus26: random.below(52) as i8 - 26,
        chroma_qp_index_offset: random.below(25) as i8 - 12,
        deblocking_filter_control_present_flag: random.flag(),
        constrained_intra_pred_flag: random.flag(),
        redundant_pic_cnt_present_flag: random.flag(),
        transform_8x8_mode_flag,
        scaling_matrix: None,
        second_chroma_qp_index_offset: random.below(25) as i8 - 12,
    };
    if random.flag() {
        let mut matrix = PicScalingMatrix {
            lists_4x4: std::array::from_fn(|_| random_list(random)),
            lists_8x8: [const { ScalingList::NotPresent }; 6],
        };
        if transform_8x8_mode_flag {
            matrix.lists_8x8[0] = random_list(random);
            matrix.lists_8x8[1] = random_list(random);
        }
        pps.scaling_matrix = Some(Box::new(matrix));
    }
    pps
}

fn parse(nal: &[u8]) -> Result<Pps, BitstreamError> {
    Pps::parse(&NalUnit::parse(nal).unwrap(), |_| None)
}

#[test]
fn what_was_written_is_parsed_without_the_sps() {
    for seed in 0..2000 {
        let pps = random_pps(&mut Random::new(seed));
        assert_eq!(parse(&write_pps(&pps)), Ok(pps), "seed {seed}");
    }
}

#[test]
fn a_pps_cut_off_anywhere_does_not_panic() {
    for seed in 0..200 {
        let nal = write_pps(&random_pps(&mut Random::new(seed)));
        for length in 1..nal.len() {
            let _ = parse(&nal[..length]);
        }
        assert!(parse(&nal[..3]).is_err());
    }
}

#[test]
fn any_bytes_are_a_pps_or_an_error() {
    let mut random = Random::new(8);
    for _ in 0..20_000 {
        let length = random.below(40);
        let nal: Vec<u8> = std::iter::once(0x68)
            .chain((0..length).map(|_| random.below(256) as u8))
            .collect();
        if let Ok(pps) = parse(&nal) {
            pps.scaling_lists(&random_sps(&mut random));
        }
    }
}

#[test]
fn a_4_4_4_sps_brings_six_8x8_lists() {
    let sps = Sps {
        chroma_format_idc: 3,
        ..example_sps()
    };
    let mut w = BitWriter::default();
    write::pps::after_slice_groups(w.ue(0).ue(0).flag(true).flag(false).ue(0), &example_pps(), 1);
    w.flag(true).flag(true).u(6 + 5, 0).flag(true).se(-8).se(3);
    let nal = w.trailing_bits().nal(3, 8);
    let pps = Pps::parse(&NalUnit::parse(&nal).unwrap(), |_| Some(&sps)).unwrap();
    assert_eq!(pps.scaling_matrix.unwrap().lists_8x8[5], ScalingList::UseDefault);
    assert_eq!(pps.second_chroma_qp_index_offset, 3);
}

#[test]
fn slice_groups_are_recognised_and_what_follows_them_is_read() {
    let pps = Pps {
        num_slice_groups_minus1: 2,
        ..example_pps()
    };
    for map_type in 0..=6 {
        let mut w = BitWriter::default();
        w.ue(0).ue(0).flag(true).flag(false).ue(2).ue(map_type);
        match map_type {
            0 => w.ue(98).ue(0).ue(7),
            2 => w.ue(0).ue(9).ue(20).ue(31),
            3..=5 => w.flag(true).ue(11),
            6 => w.ue(98).u(32, 0).u(32, 0).u(32, 0).u(32, 0).u(32, 0).u(32, 0).u(6, 0),
            _ => &mut w,
        };
        write::pps::after_slice_groups(&mut w, &pps, 1);
        assert_eq!(
            parse(&w.trailing_bits().nal(3, 8)),
            Ok(pps.clone()),
            "slice_group_map_type {map_type}"
        );
    }
}

#[test]
fn a_slice_group_map_of_a_gigantic_picture_is_refused() {
    let nal = BitWriter::default()
        .ue(0)
        .ue(0)
        .flag(true)
        .flag(false)
        .ue(1)
        .ue(6)
        .ue(1 << 30)
        .trailing_bits()
        .nal(3, 8);
    assert_eq!(parse(&nal).unwrap_err().element, "pic_size_in_map_units_minus1");
}

#[test]
fn lists_of_the_sps_hold_unless_the_pps_has_its_own() {
    let flat = ScalingLists {
        lists_4x4: [[16; 16]; 6],
        lists_8x8: [[16; 64]; 6],
    };
    let sps = Sps {
        scaling_lists: Some(Box::new(flat.clone())),
        ..example_sps()
    };
    assert_eq!(example_pps().scaling_lists(&example_sps()), None);
    assert_eq!(example_pps().scaling_lists(&sps), Some(flat.clone()));
    let mut pps = example_pps();
    pps.scaling_matrix = Some(Box::new(PicScalingMatrix {
        lists_4x4: [const { ScalingList::Coded([3; 16]) }; 6],
        lists_8x8: [const { ScalingList::NotPresent }; 6],
    }));
    let expected = ScalingLists {
        lists_4x4: [[3; 16]; 6],
        ..flat
    };
    assert_eq!(pps.scaling_lists(&sps), Some(expected));
}
