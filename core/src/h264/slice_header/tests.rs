use super::*;
use crate::BitstreamError;
use crate::h264::Parity;
use crate::h264::nal::NalUnit;
use crate::h264::pps::tests::{example_pps, random_pps};
use crate::h264::sps::tests::{example_sps, random_sps};
use crate::h264::sps::{PicOrderCntType, Sps};
use crate::h264::testing::Random;
use crate::h264::write::{self, bits::BitWriter};
use MemoryManagementControlOperation as Operation;

fn parse(nal: &[u8], sps: &Sps, pps: &Pps) -> Result<SliceHeader, BitstreamError> {
    SliceHeader::parse(&NalUnit::parse(nal).unwrap(), sps, pps)
}

/// The NAL unit of a slice with `header`, which gets the sizes that it comes to have.
fn write_slice(header: &mut SliceHeader, sps: &Sps, pps: &Pps) -> Vec<u8> {
    let mut w = BitWriter::default();
    write::slice_header::write(&mut w, header, sps, pps);
    let nal_unit_type = if header.idr_pic_id.is_some() { 5 } else { 1 };
    w.u(20, 0x5_5555).trailing_bits().nal(header.nal_ref_idc, nal_unit_type)
}

/// A P slice of a frame as most encoders make them.
fn example_slice() -> SliceHeader {
    SliceHeader {
        nal_ref_idc: 2,
        idr_pic_id: None,
        first_mb_in_slice: 0,
        slice_type: SliceType::P,
        pic_parameter_set_id: PpsId(0),
        colour_plane_id: 0,
        frame_num: 5,
        structure: PictureStructure::Frame,
        pic_order_cnt: PicOrderCnt::Type0 {
            pic_order_cnt_lsb: 10,
            delta_pic_order_cnt_bottom: 0,
        },
        redundant_pic_cnt: 0,
        direct_spatial_mv_pred_flag: false,
        num_ref_idx_active: [3, 0],
        num_ref_idx_active_override_flag: false,
        ref_pic_list_modification: [vec![], vec![]],
        pred_weight_table: None,
        dec_ref_pic_marking: Some(DecRefPicMarking::SlidingWindow),
        cabac_init_idc: 0,
        slice_qp_delta: -3,
        sp_for_switch_flag: false,
        slice_qs_delta: 0,
        disable_deblocking_filter_idc: 0,
        slice_alpha_c0_offset_div2: 0,
        slice_beta_offset_div2: 0,
        slice_group_change_cycle: 0,
        header_bit_size: 0,
        dec_ref_pic_marking_bit_size: 0,
        pic_order_cnt_bit_size: 0,
    }
}

fn random_modifications(random: &mut Random, length: u8) -> Vec<RefPicListModification> {
    let one = |random: &mut Random| match random.below(3) {
        0 => RefPicListModification::Subtract(random.below(16)),
        1 => RefPicListModification::Add(random.below(16)),
        _ => RefPicListModification::LongTerm(random.below(32)),
    };
    (0..random.below(u32::from(length) + 1)).map(|_| one(random)).collect()
}

fn random_operation(random: &mut Random) -> Operation {
    match random.below(6) {
        0 => Operation::UnmarkShortTerm {
            difference_of_pic_nums_minus1: random.below(16),
        },
        1 => Operation::UnmarkLongTerm {
            long_term_pic_num: random.below(32),
        },
        2 => Operation::AssignLongTerm {
            difference_of_pic_nums_minus1: random.below(16),
            long_term_frame_idx: random.below(16),
        },
        3 => Operation::SetMaxLongTermFrameIdx {
            max_long_term_frame_idx_plus1: random.below(17),
        },
        4 => Operation::UnmarkAll,
        _ => Operation::MarkCurrentLongTerm {
            long_term_frame_idx: random.below(16),
        },
    }
}

fn random_pred_weight_table(random: &mut Random, lengths: [u8; 2], has_chroma: bool) -> PredWeightTable {
    let luma_log2_weight_denom = random.below(8) as u8;
    let chroma_log2_weight_denom = if has_chroma { random.below(8) as u8 } else { 0 };
    let (luma, chroma) = (1 << luma_log2_weight_denom, 1 << chroma_log2_weight_denom);
    let weights = lengths.map(|length| {
        let mut list = vec![
            PredWeight {
                weight: [luma, chroma, chroma],
                offset: [0; 3]
            };
            if length == 0 { 0 } else { 32 }
        ];
        for entry in list.iter_mut().take(usize::from(length)) {
            let planes = if !random.flag() {
                0
            } else if has_chroma {
                3
            } else {
                1
            };
            for plane in 0..planes {
                entry.weight[plane] = random.below(256) as i16 - 128;
                entry.offset[plane] = random.below(256) as i16 - 128;
            }
        }
        list
    });
    PredWeightTable {
        luma_log2_weight_denom,
        chroma_log2_weight_denom,
        weights,
    }
}

/// Any slice header that these parameter sets allow.
fn random_slice(random: &mut Random, sps: &Sps, pps: &Pps) -> SliceHeader {
    let slice_type = [SliceType::P, SliceType::B, SliceType::I, SliceType::Sp, SliceType::Si][random.below(5) as usize];
    let idr_pic_id = random.flag().then(|| random.below(65_536) as u16);
    let nal_ref_idc = if idr_pic_id.is_some() { 3 } else { random.below(2) as u8 };
    let structure = match random.below(3) {
        _ if sps.frame_mbs_only_flag => PictureStructure::Frame,
        0 => PictureStructure::Frame,
        1 => PictureStructure::Field(Parity::Top),
        _ => PictureStructure::Field(Parity::Bottom),
    };
    let has_bottom = pps.bottom_field_pic_order_in_frame_present_flag && structure == PictureStructure::Frame;
    let mut delta = |is_coded: bool| if is_coded { random.below(2001) as i32 - 1000 } else { 0 };
    let pic_order_cnt = match &sps.pic_order_cnt_type {
        PicOrderCntType::Type0 { .. } => PicOrderCnt::Type0 {
            pic_order_cnt_lsb: 9,
            delta_pic_order_cnt_bottom: delta(has_bottom),
        },
        PicOrderCntType::Type1 {
            delta_pic_order_always_zero_flag: zero,
            ..
        } => PicOrderCnt::Type1 {
            delta_pic_order_cnt: [delta(!zero), delta(!zero && has_bottom)],
        },
        PicOrderCntType::Type2 => PicOrderCnt::Type2,
    };
    let is_b = slice_type == SliceType::B;
    let is_inter = is_b || matches!(slice_type, SliceType::P | SliceType::Sp);
    let is_coded = is_inter && random.flag();
    let defaults = [
        pps.num_ref_idx_l0_default_active_minus1 + 1,
        pps.num_ref_idx_l1_default_active_minus1 + 1,
    ];
    let max = if structure == PictureStructure::Frame { 16 } else { 32 };
    let mut lengths = if is_coded {
        [0; 2].map(|_: u8| random.below(max) as u8 + 1)
    } else {
        defaults
    };
    if !is_inter {
        lengths = [0; 2];
    } else if !is_b {
        lengths[1] = 0;
    }
    let is_weighted = if is_b {
        pps.weighted_bipred_idc == 1
    } else {
        is_inter && pps.weighted_pred_flag
    };
    let has_chroma = sps.chroma_array_type() != 0;
    let is_sp = matches!(slice_type, SliceType::Sp | SliceType::Si);
    let disable_deblocking_filter_idc = if pps.deblocking_filter_control_present_flag {
        random.below(3) as u8
    } else {
        0
    };
    let has_offsets = pps.deblocking_filter_control_present_flag && disable_deblocking_filter_idc != 1;
    let mut offset = || if has_offsets { random.below(13) as i8 - 6 } else { 0 };
    SliceHeader {
        nal_ref_idc,
        idr_pic_id,
        slice_type,
        slice_alpha_c0_offset_div2: offset(),
        slice_beta_offset_div2: offset(),
        first_mb_in_slice: random.below(sps.pic_width_in_mbs()),
        pic_parameter_set_id: pps.pic_parameter_set_id,
        colour_plane_id: if sps.separate_colour_plane_flag {
            random.below(3) as u8
        } else {
            0
        },
        frame_num: random.below(16) as u16,
        structure,
        pic_order_cnt,
        redundant_pic_cnt: if pps.redundant_pic_cnt_present_flag {
            random.below(128) as u8
        } else {
            0
        },
        direct_spatial_mv_pred_flag: is_b && random.flag(),
        num_ref_idx_active: lengths,
        num_ref_idx_active_override_flag: is_coded,
        ref_pic_list_modification: lengths.map(|length| random_modifications(random, length)),
        pred_weight_table: is_weighted.then(|| Box::new(random_pred_weight_table(random, lengths, has_chroma))),
        dec_ref_pic_marking: match random.below(2) {
            _ if nal_ref_idc == 0 => None,
            _ if idr_pic_id.is_some() => Some(DecRefPicMarking::Idr {
                no_output_of_prior_pics_flag: random.flag(),
                long_term_reference_flag: random.flag(),
            }),
            0 => Some(DecRefPicMarking::SlidingWindow),
            _ => {
                let count = random.below(20);
                Some(DecRefPicMarking::Adaptive(
                    (0..count).map(|_| random_operation(random)).collect(),
                ))
            }
        },
        cabac_init_idc: if pps.entropy_coding_mode_flag && is_inter {
            random.below(3) as u8
        } else {
            0
        },
        slice_qp_delta: random.below(52) as i8 - 26 - pps.pic_init_qp_minus26,
        sp_for_switch_flag: slice_type == SliceType::Sp && random.flag(),
        slice_qs_delta: if is_sp {
            random.below(52) as i8 - 26 - pps.pic_init_qs_minus26
        } else {
            0
        },
        disable_deblocking_filter_idc,
        ..example_slice()
    }
}

#[test]
fn what_was_written_is_parsed_with_its_sizes() {
    for seed in 0..5000 {
        let mut random = Random::new(seed);
        let (sps, pps) = (random_sps(&mut random), random_pps(&mut random));
        let mut header = random_slice(&mut random, &sps, &pps);
        let nal = write_slice(&mut header, &sps, &pps);
        assert_eq!(parse(&nal, &sps, &pps), Ok(header), "seed {seed}");
        let id = SliceHeader::parse_pic_parameter_set_id(&NalUnit::parse(&nal).unwrap());
        assert_eq!(id, Ok(pps.pic_parameter_set_id), "seed {seed}");
    }
}

#[test]
fn a_header_cut_off_anywhere_is_an_error() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let (sps, pps) = (random_sps(&mut random), random_pps(&mut random));
        let mut header = random_slice(&mut random, &sps, &pps);
        let nal = write_slice(&mut header, &sps, &pps);
        for length in 1..header.header_bit_size as usize / 8 {
            assert!(
                parse(&nal[..length], &sps, &pps).is_err(),
                "seed {seed}, {length} bytes"
            );
        }
    }
}

#[test]
fn any_bytes_are_a_header_or_an_error() {
    let mut random = Random::new(9);
    for _ in 0..50_000 {
        let (sps, pps) = (random_sps(&mut random), random_pps(&mut random));
        let nal: Vec<u8> = std::iter::once(0x41)
            .chain((0..24).map(|_| random.below(256) as u8))
            .collect();
        let _ = parse(&nal, &sps, &pps);
    }
}

#[test]
fn out_of_range_values_name_their_element() {
    fn mark(header: &mut SliceHeader, operation: Operation) {
        header.dec_ref_pic_marking = Some(DecRefPicMarking::Adaptive(vec![operation]));
    }
    type Spoil = fn(&mut SliceHeader);
    let cases: [(&str, Spoil); 9] = [
        ("first_mb_in_slice", |header| header.first_mb_in_slice = 120 * 68),
        ("slice_qp_delta", |header| header.slice_qp_delta = 26),
        ("slice_qp_delta", |header| header.slice_qp_delta = -27),
        ("cabac_init_idc", |header| header.cabac_init_idc = 3),
        ("slice_beta_offset_div2", |header| header.slice_beta_offset_div2 = 7),
        ("num_ref_idx_l0_active_minus1", |header| {
            header.num_ref_idx_active_override_flag = true;
            header.num_ref_idx_active = [17, 0];
        }),
        ("modification_of_pic_nums_idc", |header| {
            header.ref_pic_list_modification[0] = vec![RefPicListModification::LongTerm(0); 4];
        }),
        ("difference_of_pic_nums_minus1", |header| {
            mark(
                header,
                Operation::UnmarkShortTerm {
                    difference_of_pic_nums_minus1: 16,
                },
            );
        }),
        ("long_term_frame_idx", |header| {
            mark(
                header,
                Operation::MarkCurrentLongTerm {
                    long_term_frame_idx: 16,
                },
            )
        }),
    ];
    for (element, spoil) in cases {
        let mut header = example_slice();
        spoil(&mut header);
        let nal = write_slice(&mut header, &example_sps(), &example_pps());
        assert_eq!(
            parse(&nal, &example_sps(), &example_pps()).unwrap_err().element,
            element
        );
    }
}

#[test]
fn a_default_of_the_pps_that_a_frame_cannot_have_is_an_error_for_a_frame_only() {
    let sps = Sps {
        frame_mbs_only_flag: false,
        pic_height_in_map_units_minus1: 33,
        ..example_sps()
    };
    let pps = Pps {
        num_ref_idx_l0_default_active_minus1: 31,
        ..example_pps()
    };
    let mut frame = SliceHeader {
        num_ref_idx_active: [32, 0],
        ..example_slice()
    };
    let nal = write_slice(&mut frame, &sps, &pps);
    assert_eq!(
        parse(&nal, &sps, &pps).unwrap_err().element,
        "num_ref_idx_l0_active_minus1"
    );
    let mut field = SliceHeader {
        structure: PictureStructure::Field(Parity::Top),
        ..frame
    };
    let nal = write_slice(&mut field, &sps, &pps);
    assert_eq!(parse(&nal, &sps, &pps), Ok(field));
}

#[test]
fn operations_without_end_are_an_error() {
    let operations = vec![Operation::UnmarkAll; 67];
    let mut header = SliceHeader {
        dec_ref_pic_marking: Some(DecRefPicMarking::Adaptive(operations)),
        ..example_slice()
    };
    let nal = write_slice(&mut header, &example_sps(), &example_pps());
    let error = parse(&nal, &example_sps(), &example_pps()).unwrap_err();
    assert_eq!(
        (error.structure, error.element),
        ("dec_ref_pic_marking", "memory_management_control_operation")
    );
}

#[test]
fn what_no_stateless_decoder_can_do_is_named() {
    let (pps, header) = (example_pps(), example_slice());
    let feature = |nal_unit_type, pps: &Pps, slice_type| {
        unsupported_feature(
            nal_unit_type,
            pps,
            &SliceHeader {
                slice_type,
                ..header.clone()
            },
        )
        .unwrap_or_default()
    };
    assert_eq!(feature(NalUnitType::NonIdrSlice, &pps, SliceType::P), "");
    assert!(feature(NalUnitType::DataPartitionA, &pps, SliceType::P).contains("partitioning"));
    assert!(feature(NalUnitType::NonIdrSlice, &pps, SliceType::Sp).starts_with("SP"));
    assert!(feature(NalUnitType::NonIdrSlice, &pps, SliceType::Si).starts_with("SI"));
    let fmo = Pps {
        num_slice_groups_minus1: 1,
        ..example_pps()
    };
    assert!(feature(NalUnitType::NonIdrSlice, &fmo, SliceType::P).contains("macroblock ordering"));
}
