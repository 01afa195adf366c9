//! Damage by the roll of dice: one to three accidents to a stream, the same for the same seed.

use std::ops::Range;

use fourier_core::h264::slice_header::{DecRefPicMarking, PicOrderCnt, SliceHeader};
use fourier_core::h264::sps::{BitstreamRestriction, FrameCropping, PicOrderCntType};
use fourier_core::h264::{Pps, Sps};

use super::{Damaged, Dice, damaged};
use crate::annexb::nals;
use crate::syntax::rewrite::{Unit, rewrite};

/// An accident: what it is called, and how it happens.
type Accident = (&'static str, fn(&[u8], &[u8], &mut Dice) -> Vec<u8>);

const ACCIDENTS: [Accident; 10] = [
    ("bits flipped", |stream, _, dice| flip(stream, 0..stream.len(), dice)),
    ("bits of one NAL unit flipped", |stream, _, dice| {
        let range = some_nal(stream, dice);
        flip(stream, range, dice)
    }),
    ("bytes overwritten", overwrite),
    ("cut", |stream, _, dice| stream[..dice.below(stream.len() + 1)].to_vec()),
    ("begun late", |stream, _, dice| {
        stream[dice.below(stream.len() + 1)..].to_vec()
    }),
    ("NAL units lost", |stream, _, dice| {
        by_nal(stream, dice, |dice, nal| vec![nal; usize::from(dice.below(8) > 0)])
    }),
    ("NAL units repeated", |stream, _, dice| {
        by_nal(stream, dice, |dice, nal| vec![nal; 1 + usize::from(dice.below(8) == 0)])
    }),
    ("NAL units reordered", reorder),
    ("spliced with another stream", splice),
    ("syntax elements edited", edit),
];

/// What `seed` does to `stream`; `other` is a stream that it may be spliced with.
pub fn seeded(stream: &[u8], other: &[u8], seed: u64) -> Damaged {
    let mut dice = Dice::new(seed);
    let (mut bytes, mut what) = (stream.to_vec(), format!("seed {seed}:"));
    for _ in 0..=dice.below(3) {
        let (name, accident) = ACCIDENTS[dice.below(ACCIDENTS.len())];
        bytes = accident(&bytes, other, &mut dice);
        what = format!("{what} {name}");
    }
    damaged(what, bytes)
}

/// One bit to one in forty bytes.
fn flip(stream: &[u8], range: Range<usize>, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = stream.to_vec();
    let most = range.len() / 40 + 1;
    for _ in 0..=dice.below(most) {
        if let Some(byte) = bytes.get_mut(range.start + dice.below(range.len())) {
            *byte ^= 1 << dice.below(8);
        }
    }
    bytes
}

fn some_nal(stream: &[u8], dice: &mut Dice) -> Range<usize> {
    let nals = nals(stream);
    match nals.get(dice.below(nals.len())) {
        // A header is short, and worth as much as the rest.
        Some(nal) if dice.below(2) == 0 => nal.header..nal.range.end.min(nal.header + 12),
        Some(nal) => nal.header..nal.range.end,
        None => 0..stream.len(),
    }
}

fn overwrite(stream: &[u8], _: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = stream.to_vec();
    let from = dice.below(bytes.len());
    let to = bytes.len().min(from + 1 + dice.below(40));
    let value = [0, 0xff, 0x80, 1][dice.below(4)];
    let is_noise = dice.below(2) == 0;
    for byte in bytes.get_mut(from..to).unwrap_or_default() {
        *byte = if is_noise { dice.below(256) as u8 } else { value };
    }
    bytes
}

/// Each NAL unit as often as `times` makes it.
fn by_nal<'a>(stream: &'a [u8], dice: &mut Dice, times: fn(&mut Dice, &'a [u8]) -> Vec<&'a [u8]>) -> Vec<u8> {
    let pieces = nals(stream).into_iter().flat_map(|nal| times(dice, &stream[nal.range]));
    pieces.collect::<Vec<_>>().concat()
}

fn reorder(stream: &[u8], _: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut pieces: Vec<&[u8]> = nals(stream).into_iter().map(|nal| &stream[nal.range]).collect();
    for _ in 0..=dice.below(4) {
        if !pieces.is_empty() {
            let moved = pieces.remove(dice.below(pieces.len()));
            pieces.insert(dice.below(pieces.len() + 1), moved);
        }
    }
    pieces.concat()
}

/// From a NAL unit of one stream on, or in the middle of one, the other goes on.
fn splice(stream: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let place = |bytes: &[u8], dice: &mut Dice| {
        let nals = nals(bytes);
        match nals.get(dice.below(nals.len())) {
            Some(nal) if dice.below(3) > 0 => nal.range.start,
            Some(_) | None => dice.below(bytes.len() + 1),
        }
    };
    let (end, begin) = (place(stream, dice), place(other, dice));
    [&stream[..end], &other[begin..]].concat()
}

/// The syntax stays whole; what it says does not fit any more.
fn edit(stream: &[u8], _: &[u8], dice: &mut Dice) -> Vec<u8> {
    let every = 1 + dice.below(6);
    rewrite(stream, |unit| match unit {
        Unit::Sps(sps) if dice.below(2) == 0 => edit_sps(sps, dice),
        Unit::Pps(pps) if dice.below(2) == 0 => edit_pps(pps, dice),
        Unit::Slice(header) if dice.below(every) == 0 => edit_slice(header, dice),
        Unit::Sps(_) | Unit::Pps(_) | Unit::Slice(_) => {}
    })
}

/// A size in macroblocks: mostly small, because large ones only take longer.
fn side(dice: &mut Dice) -> u16 {
    let below = [2, 12, 12, 40][dice.below(4)];
    dice.below(below) as u16
}

fn edit_sps(sps: &mut Sps, dice: &mut Dice) {
    match dice.below(14) {
        0 => sps.pic_width_in_mbs_minus1 = side(dice),
        1 => sps.pic_height_in_map_units_minus1 = side(dice),
        2 => sps.max_num_ref_frames = dice.below(17) as u8,
        3 => sps.log2_max_frame_num_minus4 = dice.below(13) as u8,
        4 => sps.level_idc = [9, 10, 11, 30, 51, 255][dice.below(6)],
        5 => sps.profile_idc = [66, 77, 88, 100, 110, 122, 244, 44][dice.below(8)],
        6 => sps.constraint_set_flags = dice.below(64) as u8,
        7 => sps.frame_mbs_only_flag = !sps.frame_mbs_only_flag,
        8 => sps.mb_adaptive_frame_field_flag = !sps.mb_adaptive_frame_field_flag,
        9 => sps.gaps_in_frame_num_value_allowed_flag = !sps.gaps_in_frame_num_value_allowed_flag,
        10 => sps.direct_8x8_inference_flag = !sps.direct_8x8_inference_flag,
        11 => {
            let mut offset = || [0, 1, 7, 1 << 20][dice.below(4)];
            sps.frame_cropping = Some(FrameCropping {
                left: offset(),
                right: offset(),
                top: offset(),
                bottom: offset(),
            });
        }
        12 => sps.pic_order_cnt_type = some_pic_order_cnt_type(dice),
        _ => {
            let vui = sps.vui.get_or_insert_default();
            vui.bitstream_restriction = Some(BitstreamRestriction {
                max_num_reorder_frames: dice.below(18) as u32,
                max_dec_frame_buffering: dice.below(18) as u32,
            });
        }
    }
}

fn some_pic_order_cnt_type(dice: &mut Dice) -> PicOrderCntType {
    let offset = |dice: &mut Dice| [0, 1, -2, i32::MAX, -i32::MAX][dice.below(5)];
    match dice.below(3) {
        0 => PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4: dice.below(13) as u8,
        },
        1 => PicOrderCntType::Type1 {
            delta_pic_order_always_zero_flag: dice.below(2) == 0,
            offset_for_non_ref_pic: offset(dice),
            offset_for_top_to_bottom_field: offset(dice),
            offset_for_ref_frame: (0..dice.below(6)).map(|_| offset(dice)).collect(),
        },
        _ => PicOrderCntType::Type2,
    }
}

fn edit_pps(pps: &mut Pps, dice: &mut Dice) {
    match dice.below(10) {
        0 => pps.entropy_coding_mode_flag = !pps.entropy_coding_mode_flag,
        1 => pps.num_ref_idx_l0_default_active_minus1 = dice.below(32) as u8,
        2 => pps.num_ref_idx_l1_default_active_minus1 = dice.below(32) as u8,
        3 => pps.weighted_pred_flag = !pps.weighted_pred_flag,
        4 => pps.weighted_bipred_idc = dice.below(3) as u8,
        5 => pps.pic_init_qp_minus26 = dice.below(88) as i8 - 62,
        6 => pps.chroma_qp_index_offset = dice.below(25) as i8 - 12,
        7 => pps.constrained_intra_pred_flag = !pps.constrained_intra_pred_flag,
        8 => pps.transform_8x8_mode_flag = !pps.transform_8x8_mode_flag,
        _ => pps.bottom_field_pic_order_in_frame_present_flag = !pps.bottom_field_pic_order_in_frame_present_flag,
    }
}

fn edit_slice(header: &mut SliceHeader, dice: &mut Dice) {
    match dice.below(9) {
        0 => header.frame_num = header.frame_num.wrapping_add(dice.below(20) as u16),
        1 => header.first_mb_in_slice = dice.below(40) as u32,
        2 => header.slice_qp_delta = dice.below(80) as i8 - 40,
        3 => header.cabac_init_idc = dice.below(3) as u8,
        4 => header.disable_deblocking_filter_idc = dice.below(3) as u8,
        5 => header.direct_spatial_mv_pred_flag = !header.direct_spatial_mv_pred_flag,
        6 if header.nal_ref_idc != 0 && header.idr_pic_id.is_none() => {
            header.dec_ref_pic_marking = Some(DecRefPicMarking::Adaptive(some_marking(dice)));
        }
        7 => {
            if let Some(idr_pic_id) = &mut header.idr_pic_id {
                *idr_pic_id ^= 1;
            }
        }
        _ => {
            if let PicOrderCnt::Type0 { pic_order_cnt_lsb, .. } = &mut header.pic_order_cnt {
                *pic_order_cnt_lsb = dice.below(1 << 16) as u16;
            }
        }
    }
}

fn some_marking(dice: &mut Dice) -> Vec<fourier_core::h264::slice_header::MemoryManagementControlOperation> {
    use fourier_core::h264::slice_header::MemoryManagementControlOperation as Operation;
    let mut operation = |_| match dice.below(6) {
        0 => Operation::UnmarkShortTerm {
            difference_of_pic_nums_minus1: dice.below(6) as u32,
        },
        1 => Operation::UnmarkLongTerm {
            long_term_pic_num: dice.below(4) as u32,
        },
        2 => Operation::AssignLongTerm {
            difference_of_pic_nums_minus1: dice.below(4) as u32,
            long_term_frame_idx: dice.below(4) as u32,
        },
        3 => Operation::SetMaxLongTermFrameIdx {
            max_long_term_frame_idx_plus1: dice.below(5) as u32,
        },
        4 => Operation::UnmarkAll,
        _ => Operation::MarkCurrentLongTerm {
            long_term_frame_idx: dice.below(4) as u32,
        },
    };
    (0..3).map(&mut operation).collect()
}
