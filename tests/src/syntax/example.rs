//! Whole streams of what encoders do not make, or not in every format of samples: weights and temporal direct prediction in
//! frames, field pictures and MBAFF frames.

use fourier_core::h264::pps::PpsId;
use fourier_core::h264::slice_header::{
    DecRefPicMarking, PicOrderCnt, PredWeight, PredWeightTable, SliceHeader, SliceType,
};
use fourier_core::h264::sps::{BitstreamRestriction, PicOrderCntType, SpsId, Vui};
use fourier_core::h264::{Parity, PictureStructure, Pps, Sps};

use super::bits::BitWriter;
use super::slice_data::{Macroblock, Pairs, PcmSamples, Prediction, SampleFormat, SliceData};
use super::{pps, slice_header, sps, with_start_code};
use crate::damage::Dice;

const WIDTH_IN_MBS: u32 = 4;
const HEIGHT_IN_MBS: u32 = 4;

/// How the pictures of a stream are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Frames of frame macroblocks.
    Frames,
    /// Pairs of fields.
    Fields,
    /// Fields of one parity, whose frames are never completed.
    LoneFields,
    /// Frames of half the height: slice for slice what the lone fields are.
    HalfFrames,
    /// Frames with pairs of macroblocks, some of them field macroblocks.
    Mbaff,
}

impl Coding {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Frames,
        Self::Fields,
        Self::Mbaff,
        Self::LoneFields,
        Self::HalfFrames,
    ];
}

/// What the pictures of a stream are predicted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// A weight and an offset for each reference.
    ExplicitWeights,
    /// Weights by distance in B pictures.
    ImplicitWeights,
    /// Vectors of what is skipped in B pictures come from the P picture after them.
    TemporalDirect,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ExplicitWeights, Self::ImplicitWeights, Self::TemporalDirect];
}

/// One frame, in decoding order.
#[derive(Clone, Copy)]
struct Picture {
    slice_type: SliceType,
    frame_num: u16,
    /// `PicOrderCnt` of its top field.
    pic_order_cnt_lsb: u16,
    nal_ref_idc: u8,
}

/// What all pictures of a stream have in common.
struct Example {
    tool: Tool,
    coding: Coding,
    format: SampleFormat,
    sps: Sps,
    pps: Pps,
}

/// Two frames of samples as they are, and a P and a B frame that are predicted from them with `tool`.
///
/// The same for the same `seed`.
pub fn predicted(tool: Tool, coding: Coding, format: SampleFormat, seed: u64) -> Vec<u8> {
    const PICTURES: [Picture; 4] = [
        picture(SliceType::I, 0, 0, 3),
        picture(SliceType::I, 1, 8, 2),
        picture(SliceType::P, 2, 16, 2),
        picture(SliceType::B, 3, 12, 0),
    ];
    let mut dice = Dice::new(seed);
    let example = Example {
        tool,
        coding,
        format,
        sps: example_sps(coding, format),
        pps: example_pps(tool),
    };
    let mut stream = [sps::nal(&example.sps), pps::nal(&example.pps, format.chroma_format_idc)]
        .map(|nal| with_start_code(&nal))
        .concat();
    for picture in PICTURES {
        let structures: &[_] = match coding {
            Coding::Frames | Coding::Mbaff | Coding::HalfFrames => &[PictureStructure::Frame],
            Coding::Fields => &[
                PictureStructure::Field(Parity::Top),
                PictureStructure::Field(Parity::Bottom),
            ],
            Coding::LoneFields => &[PictureStructure::Field(Parity::Top)],
        };
        for &structure in structures {
            let nal = slice(&example, picture, structure, &mut dice);
            stream.extend(with_start_code(&nal));
        }
    }
    stream
}

const fn picture(slice_type: SliceType, frame_num: u16, pic_order_cnt_lsb: u16, nal_ref_idc: u8) -> Picture {
    Picture {
        slice_type,
        frame_num,
        pic_order_cnt_lsb,
        nal_ref_idc,
    }
}

fn example_sps(coding: Coding, format: SampleFormat) -> Sps {
    let frame_mbs_only_flag = matches!(coding, Coding::Frames | Coding::HalfFrames);
    let height_in_map_units = HEIGHT_IN_MBS / if coding == Coding::Frames { 1 } else { 2 };
    Sps {
        profile_idc: match (format.chroma_format_idc, format.bit_depth) {
            (2, _) => 122,
            (_, 10) => 110,
            (0, _) => 100,
            _ => 77,
        },
        constraint_set_flags: 0,
        level_idc: 30,
        seq_parameter_set_id: SpsId::default(),
        chroma_format_idc: format.chroma_format_idc,
        separate_colour_plane_flag: false,
        bit_depth_luma_minus8: format.bit_depth - 8,
        bit_depth_chroma_minus8: format.bit_depth - 8,
        qpprime_y_zero_transform_bypass_flag: false,
        scaling_lists: None,
        log2_max_frame_num_minus4: 0,
        pic_order_cnt_type: PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4: 4,
        },
        max_num_ref_frames: 4,
        gaps_in_frame_num_value_allowed_flag: false,
        pic_width_in_mbs_minus1: (WIDTH_IN_MBS - 1) as u16,
        pic_height_in_map_units_minus1: (height_in_map_units - 1) as u16,
        frame_mbs_only_flag,
        mb_adaptive_frame_field_flag: coding == Coding::Mbaff,
        direct_8x8_inference_flag: true,
        frame_cropping: None,
        vui: Some(Vui {
            bitstream_restriction: Some(BitstreamRestriction {
                max_num_reorder_frames: 2,
                max_dec_frame_buffering: 4,
            }),
            ..Vui::default()
        }),
    }
}

fn example_pps(tool: Tool) -> Pps {
    Pps {
        pic_parameter_set_id: PpsId::default(),
        seq_parameter_set_id: SpsId::default(),
        entropy_coding_mode_flag: false,
        bottom_field_pic_order_in_frame_present_flag: true,
        num_slice_groups_minus1: 0,
        num_ref_idx_l0_default_active_minus1: 0,
        num_ref_idx_l1_default_active_minus1: 0,
        weighted_pred_flag: tool == Tool::ExplicitWeights,
        weighted_bipred_idc: match tool {
            Tool::ExplicitWeights => 1,
            Tool::ImplicitWeights => 2,
            Tool::TemporalDirect => 0,
        },
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

/// The NAL unit of the only slice of a frame or field.
fn slice(example: &Example, picture: Picture, structure: PictureStructure, dice: &mut Dice) -> Vec<u8> {
    let mut header = header(example, picture, structure, dice);
    let mut w = BitWriter::default();
    slice_header::write(&mut w, &mut header, &example.sps, &example.pps);
    let pairs = match example.coding {
        Coding::Mbaff => Pairs::Mbaff,
        _ => Pairs::None,
    };
    let is_half = matches!(example.coding, Coding::Fields | Coding::LoneFields | Coding::HalfFrames);
    let macroblocks = WIDTH_IN_MBS * HEIGHT_IN_MBS / if is_half { 2 } else { 1 };
    let mut data = SliceData::new(&mut w, header.slice_type, header.num_ref_idx_active, pairs);
    let mut is_field = false;
    for mb_addr in 0..macroblocks {
        if mb_addr % 2 == 0 {
            is_field = pairs == Pairs::Mbaff && dice.below(2) == 0;
        }
        data.macroblock(&macroblock(&header, example.format, is_field, dice), is_field);
    }
    data.finish();
    w.nal(header.nal_ref_idc, if header.idr_pic_id.is_some() { 5 } else { 1 })
}

fn header(example: &Example, picture: Picture, structure: PictureStructure, dice: &mut Dice) -> SliceHeader {
    // The second field of an IDR picture is none itself.
    let is_idr = picture.frame_num == 0 && structure != PictureStructure::Field(Parity::Bottom);
    let is_bottom = structure == PictureStructure::Field(Parity::Bottom);
    // Temporal direct wants all in list 0 that the P picture refers to, its own first field too.
    let (active, before_b) = if example.coding == Coding::Fields {
        (4, 6)
    } else {
        (2, 2)
    };
    let num_ref_idx_active = match picture.slice_type {
        SliceType::P => [active, 0],
        SliceType::B => [before_b, active],
        SliceType::I | SliceType::Sp | SliceType::Si => [0, 0],
    };
    let is_inter = num_ref_idx_active != [0, 0];
    SliceHeader {
        nal_ref_idc: picture.nal_ref_idc,
        idr_pic_id: is_idr.then_some(0),
        first_mb_in_slice: 0,
        slice_type: picture.slice_type,
        pic_parameter_set_id: PpsId::default(),
        colour_plane_id: 0,
        frame_num: picture.frame_num,
        structure,
        pic_order_cnt: PicOrderCnt::Type0 {
            pic_order_cnt_lsb: picture.pic_order_cnt_lsb + u16::from(is_bottom),
            delta_pic_order_cnt_bottom: i32::from(structure == PictureStructure::Frame),
        },
        redundant_pic_cnt: 0,
        direct_spatial_mv_pred_flag: example.tool != Tool::TemporalDirect,
        num_ref_idx_active,
        num_ref_idx_active_override_flag: is_inter,
        ref_pic_list_modification: [Vec::new(), Vec::new()],
        pred_weight_table: (is_inter && example.tool == Tool::ExplicitWeights)
            .then(|| Box::new(weights(num_ref_idx_active, dice))),
        dec_ref_pic_marking: match (picture.nal_ref_idc, is_idr) {
            (0, _) => None,
            (_, false) => Some(DecRefPicMarking::SlidingWindow),
            (_, true) => Some(DecRefPicMarking::Idr {
                no_output_of_prior_pics_flag: false,
                long_term_reference_flag: false,
            }),
        },
        cabac_init_idc: 0,
        slice_qp_delta: 0,
        sp_for_switch_flag: false,
        slice_qs_delta: 0,
        disable_deblocking_filter_idc: dice.below(2) as u8,
        slice_alpha_c0_offset_div2: 0,
        slice_beta_offset_div2: 0,
        slice_group_change_cycle: 0,
        header_bit_size: 0,
        dec_ref_pic_marking_bit_size: 0,
        pic_order_cnt_bit_size: 0,
    }
}

/// Another weight and offset for each reference and component; the sum of two weights stays in the range of 8.4.2.3.
fn weights(num_ref_idx_active: [u8; 2], dice: &mut Dice) -> PredWeightTable {
    let mut around = |middle: i16, most: usize| middle + dice.below(2 * most + 1) as i16 - most as i16;
    let weights = num_ref_idx_active.map(|length| {
        let entry = |_| PredWeight {
            weight: [around(32, 24), around(16, 12), around(16, 12)],
            offset: [around(0, 30), around(0, 20), around(0, 20)],
        };
        (0..length).map(entry).collect()
    });
    PredWeightTable {
        luma_log2_weight_denom: 5,
        chroma_log2_weight_denom: 4,
        weights,
    }
}

fn macroblock(header: &SliceHeader, format: SampleFormat, is_field: bool, dice: &mut Dice) -> Macroblock {
    if header.slice_type == SliceType::I || dice.below(16) == 0 {
        return Macroblock::Pcm(Box::new(texture(format, dice)));
    }
    let is_temporal = header.slice_type == SliceType::B && !header.direct_spatial_mv_pred_flag;
    if dice.below(if is_temporal { 2 } else { 5 }) == 0 {
        return Macroblock::Skip;
    }
    let mut predictions = header.num_ref_idx_active.map(|active| {
        let references = usize::from(active) * if is_field { 2 } else { 1 };
        (active > 0).then(|| Prediction {
            ref_idx: dice.below(references) as u8,
            mvd: [dice.below(33) as i32 - 16, dice.below(33) as i32 - 16],
        })
    });
    if header.slice_type == SliceType::B
        && let Some(unused) = predictions.get_mut(dice.below(3))
    {
        *unused = None;
    }
    Macroblock::Inter16x16(predictions)
}

/// A slope with a little noise: flat samples would hide a wrong vector, noise a wrong weight.
fn texture(format: SampleFormat, dice: &mut Dice) -> PcmSamples {
    let [base, across, down] = [40 + dice.below(120), dice.below(6), dice.below(6)];
    let mut sample = |place: usize, width: usize| {
        let value = base + place % width * across + place / width * down;
        let (value, noise) = (value.clamp(1, 250) << (format.bit_depth - 8), dice.below(4));
        (value + noise) as u16
    };
    PcmSamples {
        bit_depth: format.bit_depth,
        luma: std::array::from_fn(|place| sample(place, 16)),
        chroma: std::array::from_fn(|_| (0..format.chroma_samples()).map(|place| sample(place, 8)).collect()),
    }
}
