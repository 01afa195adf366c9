use super::*;
use crate::h264::nal::NalUnit;
use crate::h264::testing::Random;
use crate::h264::write::sps::nal as write_sps;

/// 1080p High at level 4 with POC type 0, four references, no VUI.
pub(crate) fn example_sps() -> Sps {
    Sps {
        profile_idc: 100,
        constraint_set_flags: 0,
        level_idc: 40,
        seq_parameter_set_id: SpsId(0),
        chroma_format_idc: 1,
        separate_colour_plane_flag: false,
        bit_depth_luma_minus8: 0,
        bit_depth_chroma_minus8: 0,
        qpprime_y_zero_transform_bypass_flag: false,
        scaling_lists: None,
        log2_max_frame_num_minus4: 0,
        pic_order_cnt_type: PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4: 2,
        },
        max_num_ref_frames: 4,
        gaps_in_frame_num_value_allowed_flag: false,
        pic_width_in_mbs_minus1: 119,
        pic_height_in_map_units_minus1: 67,
        frame_mbs_only_flag: true,
        mb_adaptive_frame_field_flag: false,
        direct_8x8_inference_flag: true,
        frame_cropping: Some(FrameCropping {
            left: 0,
            right: 0,
            top: 0,
            bottom: 4,
        }),
        vui: None,
    }
}

fn parse(nal: &[u8]) -> Result<Sps, crate::BitstreamError> {
    Sps::parse(&NalUnit::parse(nal).unwrap())
}

fn random_vui(random: &mut Random) -> Vui {
    let hrd = |random: &mut Random| HrdParameters {
        initial_cpb_removal_delay_length_minus1: random.below(32) as u8,
        cpb_removal_delay_length_minus1: random.below(32) as u8,
        dpb_output_delay_length_minus1: random.below(32) as u8,
        time_offset_length: random.below(32) as u8,
    };
    let video_full_range_flag = random.flag().then(|| random.flag());
    Vui {
        sample_aspect_ratio: random
            .flag()
            .then(|| (random.below(9) as u16 + 1, random.below(9) as u16 + 1)),
        video_full_range_flag,
        colour_description: video_full_range_flag.map(|_| ColourDescription {
            colour_primaries: random.below(256) as u8,
            transfer_characteristics: random.below(256) as u8,
            matrix_coefficients: random.below(256) as u8,
        }),
        chroma_sample_loc_type: random.flag().then(|| (random.below(6) as u8, random.below(6) as u8)),
        timing_info: random.flag().then(|| TimingInfo {
            num_units_in_tick: random.below(u32::MAX),
            time_scale: random.below(u32::MAX),
            fixed_frame_rate_flag: random.flag(),
        }),
        nal_hrd_parameters: random.flag().then(|| hrd(random)),
        vcl_hrd_parameters: random.flag().then(|| hrd(random)),
        pic_struct_present_flag: random.flag(),
        bitstream_restriction: random.flag().then(|| BitstreamRestriction {
            max_num_reorder_frames: random.below(17),
            max_dec_frame_buffering: random.below(17),
        }),
    }
}

/// An SPS of any shape that can be written.
pub(crate) fn random_sps(random: &mut Random) -> Sps {
    let chroma_format_idc = random.below(4) as u8;
    let frame_mbs_only_flag = random.flag();
    Sps {
        profile_idc: 244,
        constraint_set_flags: random.below(64) as u8,
        level_idc: random.below(256) as u8,
        seq_parameter_set_id: SpsId(random.below(32) as u8),
        chroma_format_idc,
        separate_colour_plane_flag: chroma_format_idc == 3 && random.flag(),
        bit_depth_luma_minus8: random.below(7) as u8,
        bit_depth_chroma_minus8: random.below(7) as u8,
        qpprime_y_zero_transform_bypass_flag: random.flag(),
        log2_max_frame_num_minus4: random.below(13) as u8,
        pic_order_cnt_type: match random.below(3) {
            0 => PicOrderCntType::Type0 {
                log2_max_pic_order_cnt_lsb_minus4: random.below(13) as u8,
            },
            1 => PicOrderCntType::Type1 {
                delta_pic_order_always_zero_flag: random.flag(),
                offset_for_non_ref_pic: random.below(2000) as i32 - 1000,
                offset_for_top_to_bottom_field: i32::MIN + 1 + random.below(1000) as i32,
                offset_for_ref_frame: (0..random.below(256)).map(|_| random.below(99) as i32 - 49).collect(),
            },
            _ => PicOrderCntType::Type2,
        },
        max_num_ref_frames: random.below(17) as u8,
        gaps_in_frame_num_value_allowed_flag: random.flag(),
        pic_width_in_mbs_minus1: random.below(256) as u16,
        pic_height_in_map_units_minus1: random.below(512) as u16,
        frame_mbs_only_flag,
        mb_adaptive_frame_field_flag: !frame_mbs_only_flag && random.flag(),
        direct_8x8_inference_flag: random.flag(),
        frame_cropping: random.flag().then(|| FrameCropping {
            left: random.below(9),
            right: random.below(9),
            top: random.below(9),
            bottom: random.below(u32::MAX - 1),
        }),
        vui: random.flag().then(|| random_vui(random)),
        ..example_sps()
    }
}

#[test]
fn what_was_written_is_parsed() {
    for seed in 0..2000 {
        let sps = random_sps(&mut Random::new(seed));
        assert_eq!(parse(&write_sps(&sps)), Ok(sps), "seed {seed}");
    }
}

#[test]
fn an_sps_cut_off_anywhere_is_an_error_or_loses_only_vui() {
    for seed in 0..200 {
        let sps = random_sps(&mut Random::new(seed));
        let nal = write_sps(&sps);
        for length in 1..nal.len() {
            if let Ok(cut) = parse(&nal[..length]) {
                assert_eq!(
                    Sps { vui: None, ..cut },
                    Sps {
                        vui: None,
                        ..sps.clone()
                    },
                    "seed {seed}, {length} bytes"
                );
            }
        }
    }
}

#[test]
fn any_bytes_are_an_sps_or_an_error() {
    let mut random = Random::new(7);
    for _ in 0..20_000 {
        let length = random.below(60);
        let nal: Vec<u8> = std::iter::once(0x67)
            .chain((0..length).map(|_| random.below(256) as u8))
            .collect();
        if let Ok(sps) = parse(&nal) {
            assert!(sps.max_num_reorder_frames() <= sps.max_dec_frame_buffering());
            assert!(sps.crop_rect().size.width <= sps.coded_size().width);
        }
    }
}

#[test]
fn broken_vui_keeps_what_came_before_it() {
    let mut sps = example_sps();
    let timing_info = TimingInfo {
        num_units_in_tick: 1,
        time_scale: 50,
        fixed_frame_rate_flag: true,
    };
    sps.vui = Some(Vui {
        timing_info: Some(timing_info),
        ..Vui::default()
    });
    let nal = write_sps(&sps);
    let cut = parse(&nal[..nal.len() - 1]).unwrap();
    assert_eq!(cut.vui.unwrap().timing_info, Some(timing_info));
}

#[test]
fn a_frame_that_is_too_large_is_refused() {
    for (width, height, frame_mbs_only_flag) in [(1024, 1024, true), (1025, 1, true), (1, 513, false), (1, 1025, true)]
    {
        let sps = Sps {
            pic_width_in_mbs_minus1: width - 1,
            pic_height_in_map_units_minus1: height - 1,
            frame_mbs_only_flag,
            ..example_sps()
        };
        let error = parse(&write_sps(&sps)).unwrap_err();
        assert!(error.element.starts_with("pic_"), "{error}");
    }
}

#[test]
fn out_of_range_values_name_their_element() {
    let error = parse(&write_sps(&Sps {
        log2_max_frame_num_minus4: 13,
        ..example_sps()
    }))
    .unwrap_err();
    let expected = "seq_parameter_set_data: log2_max_frame_num_minus4: 13 is above 12 (H.264 7.4.2.1.1)";
    assert_eq!(error.to_string(), expected);
    for (sps, element) in [
        (
            Sps {
                seq_parameter_set_id: SpsId(32),
                ..example_sps()
            },
            "seq_parameter_set_id",
        ),
        (
            Sps {
                chroma_format_idc: 4,
                ..example_sps()
            },
            "chroma_format_idc",
        ),
        (
            Sps {
                bit_depth_luma_minus8: 7,
                ..example_sps()
            },
            "bit_depth_luma_minus8",
        ),
        (
            Sps {
                max_num_ref_frames: 17,
                ..example_sps()
            },
            "max_num_ref_frames",
        ),
    ] {
        assert_eq!(parse(&write_sps(&sps)).unwrap_err().element, element);
    }
}

#[test]
fn cropping_is_in_luma_samples_whatever_the_chroma_format() {
    let frame_cropping = Some(FrameCropping {
        left: 1,
        right: 2,
        top: 3,
        bottom: 4,
    });
    for (chroma_format_idc, frame_mbs_only_flag, x, y) in [
        (0, true, 1, 1),
        (1, true, 2, 2),
        (1, false, 2, 4),
        (2, true, 2, 1),
        (2, false, 2, 2),
        (3, true, 1, 1),
    ] {
        let sps = Sps {
            chroma_format_idc,
            frame_mbs_only_flag,
            frame_cropping,
            ..example_sps()
        };
        let coded = sps.coded_size();
        let size = Size {
            width: coded.width - 3 * x,
            height: coded.height - 7 * y,
        };
        assert_eq!(sps.crop_rect(), Rect { x, y: 3 * y, size });
    }
}

#[test]
fn cropping_that_leaves_nothing_is_ignored() {
    for (left, right) in [(960, 0), (0, 960), (480, 480), (u32::MAX - 1, 0), (0, u32::MAX - 1)] {
        let frame_cropping = Some(FrameCropping {
            left,
            right,
            top: 0,
            bottom: 0,
        });
        let sps = Sps {
            frame_cropping,
            ..example_sps()
        };
        assert_eq!(
            sps.crop_rect(),
            Rect {
                x: 0,
                y: 0,
                size: sps.coded_size()
            }
        );
    }
}

#[test]
fn the_dpb_holds_what_table_a_1_says() {
    let qcif = Sps {
        pic_width_in_mbs_minus1: 10,
        pic_height_in_map_units_minus1: 8,
        profile_idc: 77,
        ..example_sps()
    };
    for (level_idc, constraint_set_flags, frames) in [(10, 0, 4), (11, 0, 9), (11, 8, 4), (12, 0, 16), (99, 0, 16)] {
        let sps = Sps {
            level_idc,
            constraint_set_flags,
            ..qcif.clone()
        };
        assert_eq!(sps.max_dpb_frames(), frames, "level {level_idc}");
    }
    assert_eq!(
        Sps {
            level_idc: 11,
            constraint_set_flags: 8,
            profile_idc: 100,
            ..qcif
        }
        .max_dpb_frames(),
        9
    );
    assert_eq!(example_sps().max_dpb_frames(), 4);
    assert_eq!(
        Sps {
            level_idc: 10,
            ..example_sps()
        }
        .max_dpb_frames(),
        1
    );
}

#[test]
fn a_lying_bitstream_restriction_is_ignored() {
    let with = |max_num_reorder_frames, max_dec_frame_buffering| {
        let restriction = BitstreamRestriction {
            max_num_reorder_frames,
            max_dec_frame_buffering,
        };
        let vui = Vui {
            bitstream_restriction: Some(restriction),
            ..Vui::default()
        };
        let sps = Sps {
            vui: Some(vui),
            max_num_ref_frames: 2,
            ..example_sps()
        };
        (sps.max_num_reorder_frames(), sps.max_dec_frame_buffering())
    };
    assert_eq!(with(1, 3), (1, 3));
    assert_eq!(with(0, 2), (0, 2));
    assert_eq!(with(2, 5), (2, 4), "more than the level allows");
    assert_eq!(with(1, 1), (1, 4), "fewer than max_num_ref_frames");
    assert_eq!(with(4, 3), (3, 3), "more reordering than frames");
}

#[test]
fn reordering_is_inferred_where_the_stream_says_nothing() {
    assert_eq!(example_sps().max_num_reorder_frames(), 4);
    let type2 = Sps {
        pic_order_cnt_type: PicOrderCntType::Type2,
        ..example_sps()
    };
    assert_eq!(
        (type2.max_num_reorder_frames(), type2.max_dec_frame_buffering()),
        (0, 4)
    );
    let intra = Sps {
        profile_idc: 110,
        constraint_set_flags: 8,
        max_num_ref_frames: 0,
        ..example_sps()
    };
    assert_eq!(
        (intra.max_num_reorder_frames(), intra.max_dec_frame_buffering()),
        (0, 0)
    );
}
