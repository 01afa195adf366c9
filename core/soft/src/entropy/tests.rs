//! Slices written bit by bit; damage of every kind.

use super::testing::{self, BitWriter};
use super::*;
use crate::macroblock::{MbType, block};
use crate::slice::SliceType;

/// The header of a P slice of [`testing::controls`].
fn p_slice(first_mb: u32) -> BitWriter {
    BitWriter::default()
        .u(8, 0x21)
        .ue(first_mb)
        .ue(0)
        .ue(0)
        .u(4, 3)
        .u(1, 0)
        .u(1, 0)
        .u(1, 0)
        .se(0)
}

/// The header of an I slice.
fn i_slice(first_mb: u32) -> BitWriter {
    BitWriter::default()
        .u(8, 0x21)
        .ue(first_mb)
        .ue(2)
        .ue(0)
        .u(4, 3)
        .u(1, 0)
        .se(0)
}

/// `I_16x16_0_0_0` without any level.
fn flat_macroblock(slice: BitWriter) -> BitWriter {
    slice.ue(1).ue(0).se(0).u(1, 1)
}

fn parse(controls: &Controls, bitstream: &[u8]) -> ParsedPicture {
    let mut parsed = ParsedPicture::default();
    EntropyDecoder::default()
        .parse(controls, bitstream, &mut parsed)
        .unwrap();
    parsed
}

#[test]
fn a_run_of_skipped_macroblocks_fills_a_picture() {
    let parsed = parse(&testing::controls(3, 2), &p_slice(0).ue(6).nal());
    assert_eq!(parsed.faults, []);
    assert_eq!(parsed.macroblocks.len(), 6);
    assert!(
        parsed
            .macroblocks
            .iter()
            .all(|mb| mb.mb_type == MbType::PSkip && mb.ref_idx == [[-1; 4]; 2])
    );
    assert_eq!(parsed.slices[0].macroblocks, 0..6);
    assert_eq!(parsed.slices[0].slice_type, SliceType::P);
}

#[test]
fn a_run_longer_than_the_picture_is_a_fault_and_what_fits_is_kept() {
    let parsed = parse(&testing::controls(3, 2), &p_slice(4).ue(1_000_000).nal());
    assert_eq!(parsed.macroblocks.len(), 2);
    assert_eq!(
        parsed.faults[0].to_string(),
        "slice at macroblock 6: slice_data: goes on after the last macroblock of the picture"
    );
}

#[test]
fn slices_follow_one_another_and_damage_ends_only_its_own() {
    let good = flat_macroblock(flat_macroblock(i_slice(0))).nal();
    let damaged = flat_macroblock(i_slice(2)).ue(26).nal();
    let last = flat_macroblock(i_slice(4)).nal();
    let parsed = parse(&testing::controls(3, 2), &[good, damaged, last].concat());
    assert_eq!(
        parsed.macroblocks.iter().map(|mb| mb.mb_addr).collect::<Vec<_>>(),
        [0, 1, 2, 4]
    );
    assert_eq!(
        parsed
            .slices
            .iter()
            .map(|slice| slice.macroblocks.clone())
            .collect::<Vec<_>>(),
        [0..2, 2..3, 3..4]
    );
    assert_eq!(parsed.faults.len(), 1);
    assert_eq!(
        parsed.faults[0].to_string(),
        "slice at macroblock 3: mb_type: out of range"
    );
}

#[test]
fn a_slice_that_goes_back_is_left_out() {
    let first = flat_macroblock(flat_macroblock(i_slice(2))).nal();
    let back = flat_macroblock(i_slice(3)).nal();
    let parsed = parse(&testing::controls(3, 2), &[first, back].concat());
    assert_eq!(parsed.macroblocks.len(), 2);
    assert_eq!(
        parsed.faults[0].to_string(),
        "slice at macroblock 3: first_mb_in_slice: lies in an earlier slice"
    );
}

#[test]
fn pcm_samples_are_kept_as_they_are() {
    let mut slice = i_slice(0).ue(25);
    while !slice.len().is_multiple_of(8) {
        slice = slice.u(1, 0);
    }
    let slice = (0..384).fold(slice, |slice, i| slice.u(8, i * 7 % 256));
    let parsed = parse(&testing::controls(1, 1), &slice.nal());
    assert_eq!(parsed.faults, []);
    assert_eq!(
        (parsed.macroblocks[0].mb_type, parsed.macroblocks[0].qp_y),
        (MbType::IPcm, 0)
    );
    assert!(
        parsed
            .coefficients
            .iter()
            .map(|sample| sample.0)
            .eq((0..384).map(|i| i * 7 % 256))
    );
}

#[test]
fn qp_wraps_and_deltas_beyond_half_of_its_range_are_faults() {
    let with_delta = |delta| i_slice(0).ue(1).ue(0).se(delta).u(1, 1).nal();
    let controls = testing::controls(1, 1);
    assert_eq!(parse(&controls, &with_delta(-26)).macroblocks[0].qp_y, 0);
    assert_eq!(parse(&controls, &with_delta(25)).macroblocks[0].qp_y, 51);
    assert_eq!(
        parse(&controls, &with_delta(26)).faults[0].to_string(),
        "slice at macroblock 0: mb_qp_delta: out of range"
    );
}

#[test]
fn levels_stand_with_their_index_highest_frequency_first() {
    // Intra16x16DCLevel: two coefficients, one trailing one (-1), level 3, total_zeros 2, run_before 1.
    let slice = i_slice(0).ue(1).ue(0).se(0);
    let slice = slice.u(6, 0b000100).u(1, 1).u(3, 0b001).u(3, 0b101).u(2, 0b01);
    let parsed = parse(&testing::controls(1, 1), &slice.nal());
    assert_eq!(parsed.faults, []);
    assert_eq!(parsed.macroblocks[0].total_coeff[block::LUMA_DC], 2);
    let levels: Vec<_> = parsed
        .coefficients
        .iter()
        .map(|level| (level.index(), level.level()))
        .collect();
    assert_eq!(levels, [(3, -1), (1, 3)]);
}

#[test]
fn a_picture_parsed_twice_with_one_decoder_is_the_same_twice() {
    let controls = testing::controls(3, 2);
    let stream = p_slice(0).ue(6).nal();
    let (mut decoder, mut parsed) = (EntropyDecoder::default(), ParsedPicture::default());
    for _ in 0..2 {
        decoder.parse(&controls, &stream, &mut parsed).unwrap();
        assert_eq!(
            (parsed.macroblocks.len(), parsed.slices.len(), parsed.faults.len()),
            (6, 1, 0)
        );
    }
}

#[test]
fn noise_in_any_slice_ends_within_the_picture() {
    let mut seed = 1_u32;
    let mut noise = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 24
    };
    for round in 0..3000_u32 {
        let mut controls = testing::controls(5, 4);
        controls.sps.chroma_format_idc = u8::from(round % 5 != 0);
        controls.pps.transform_flags(round);
        let slice_type = [0, 1, 2][round as usize % 3];
        let header = BitWriter::default()
            .u(8, 0x21)
            .ue(round % 20)
            .ue(slice_type)
            .ue(0)
            .u(4, 3);
        let stream = (0..noise()).fold(header, |stream, _| stream.u(8, noise())).nal();
        let parsed = parse(&controls, &stream);
        assert!(parsed.macroblocks.len() <= 20);
        assert!(parsed.coefficients.len() <= 20 * 384);
        assert!(parsed.mvds.len() <= 21 * 32);
        for (previous, next) in parsed.macroblocks.iter().zip(parsed.macroblocks.iter().skip(1)) {
            assert!(previous.mb_addr < next.mb_addr);
        }
    }
}

/// Coding tools by the bits of a number.
trait TransformFlags {
    fn transform_flags(&mut self, bits: u32);
}

impl TransformFlags for v4l2r::bindings::v4l2_ctrl_h264_pps {
    fn transform_flags(&mut self, bits: u32) {
        use v4l2r::bindings as v4l2;
        let tools = [
            v4l2::V4L2_H264_PPS_FLAG_ENTROPY_CODING_MODE,
            v4l2::V4L2_H264_PPS_FLAG_TRANSFORM_8X8_MODE,
            v4l2::V4L2_H264_PPS_FLAG_WEIGHTED_PRED,
        ];
        for (i, tool) in tools.into_iter().enumerate() {
            self.flags |= if bits >> i & 1 != 0 { tool as u16 } else { 0 };
        }
        self.num_ref_idx_l0_default_active_minus1 = (bits % 7) as u8;
    }
}
