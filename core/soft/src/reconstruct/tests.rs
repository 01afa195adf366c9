//! Whole pictures from syntax elements made up here: damage, loss and requests in parts.

use super::*;
use crate::macroblock::{Coefficient, Macroblock, MbType, Mv, PredMode, SubMbShape, SubMbType, block};
use crate::picture::{ChromaFormat, DpbEntry, PictureParams, ScalingMatrix, Structure};
use crate::planes::{PlaneMut, PlaneRef};
use crate::slice::{PredWeightTable, RefPic, Slice, SliceType, Weight};

const WIDTH_IN_MBS: usize = 3;
const HEIGHT_IN_MBS: usize = 4;
const COUNT: usize = WIDTH_IN_MBS * HEIGHT_IN_MBS;
const PITCH: usize = WIDTH_IN_MBS * 16;
const WHOLE: PicturePart = PicturePart {
    first: true,
    last: true,
};

/// A frame in memory of exactly its size.
#[derive(Clone, PartialEq)]
struct Frame {
    luma: Vec<u8>,
    chroma: Vec<u8>,
}

impl Frame {
    fn new(value: u8) -> Self {
        let luma = vec![value; PITCH * HEIGHT_IN_MBS * 16];
        Self {
            chroma: vec![value; luma.len() / 2],
            luma,
        }
    }

    fn planes(&self) -> FrameRef<'_, u8> {
        let plane = |data| PlaneRef { data, pitch: PITCH };
        FrameRef {
            luma: plane(&self.luma),
            chroma: plane(&self.chroma),
        }
    }

    fn target(&mut self) -> FrameMut<'_, u8> {
        let plane = |data| PlaneMut { data, pitch: PITCH };
        FrameMut {
            luma: plane(&mut self.luma),
            chroma: plane(&mut self.chroma),
        }
    }

    /// The first luma sample of a macroblock.
    fn at(&self, mb_addr: usize) -> u8 {
        self.luma[mb_addr / WIDTH_IN_MBS * 16 * PITCH + mb_addr % WIDTH_IN_MBS * 16]
    }
}

fn entry(index: i32) -> DpbEntry {
    DpbEntry {
        reference_ts: 1000 + index as u64,
        frame_num: index as u16,
        pic_num: index as u32,
        long_term: false,
        top: true,
        bottom: true,
        top_field_order_cnt: index * 4,
        bottom_field_order_cnt: index * 4,
    }
}

/// A picture at order count 6 whose DPB has pictures at 0, 4 and 8.
fn params() -> PictureParams {
    let mut dpb = [None; DPB_SIZE];
    for (index, slot) in dpb.iter_mut().enumerate().take(3) {
        *slot = Some(entry(index as i32));
    }
    PictureParams {
        structure: Structure::Frame { mbaff: false },
        width_in_mbs: WIDTH_IN_MBS as u32,
        height_in_mbs: HEIGHT_IN_MBS as u32,
        chroma_format: ChromaFormat::Yuv420,
        bit_depth_luma: 8,
        bit_depth_chroma: 8,
        entropy_coding_mode_flag: true,
        transform_8x8_mode_flag: true,
        direct_8x8_inference_flag: true,
        constrained_intra_pred_flag: false,
        weighted_pred_flag: false,
        weighted_bipred_idc: 0,
        chroma_qp_index_offset: [0; 2],
        pic_init_qp: 26,
        scaling: ScalingMatrix {
            lists_4x4: [[16; 16]; 6],
            lists_8x8: [[16; 64]; 2],
        },
        nal_ref_idc: 1,
        idr: false,
        frame_num: 3,
        top_field_order_cnt: 6,
        bottom_field_order_cnt: 6,
        dpb,
    }
}

fn p_skip(mb_addr: usize) -> Macroblock {
    Macroblock {
        mb_addr: mb_addr as u32,
        mb_type: MbType::PSkip,
        mb_field_decoding_flag: false,
        transform_size_8x8_flag: false,
        qp_y: 26,
        coded_block_pattern: 0,
        intra_chroma_pred_mode: 0,
        intra_pred_mode: [0; 16],
        sub_mb_type: [SubMbType::Direct; 4],
        ref_idx: [[-1; 4]; 2],
        mvds: 0,
        coefficients: 0,
        total_coeff: [0; block::COUNT],
    }
}

/// A slice of the given type over a range of `macroblocks`; list 0 is DPB entries 0, 1, 2, list 1 the other way round.
fn slice(slice_type: SliceType, macroblocks: std::ops::Range<usize>) -> Slice {
    let mut ref_pic_list = [[None; 32]; 2];
    for i in 0..3u8 {
        ref_pic_list[0][usize::from(i)] = Some(RefPic {
            dpb_index: i,
            parity: None,
        });
        ref_pic_list[1][usize::from(i)] = Some(RefPic {
            dpb_index: 2 - i,
            parity: None,
        });
    }
    Slice {
        slice_type,
        first_mb: macroblocks.start as u32,
        macroblocks,
        num_ref_idx_active: [3, 3],
        ref_pic_list,
        direct_spatial_mv_pred_flag: true,
        pred_weights: None,
        disable_deblocking_filter_idc: 1,
        filter_offset_a: 0,
        filter_offset_b: 0,
    }
}

/// A P picture whose macroblocks are all skipped, in one slice.
fn skipped() -> ParsedPicture {
    ParsedPicture {
        params: Some(params()),
        slices: vec![slice(SliceType::P, 0..COUNT)],
        macroblocks: (0..COUNT).map(p_skip).collect(),
        ..ParsedPicture::default()
    }
}

/// What pictures are predicted from: three frames of one value each.
struct Dpb {
    frames: [Frame; 3],
    motion: MotionField,
}

impl Dpb {
    fn new() -> Self {
        Self {
            frames: [10, 20, 30].map(Frame::new),
            motion: MotionField::default(),
        }
    }

    fn references(&self) -> References<'_, u8> {
        let mut references = References([None; DPB_SIZE]);
        for (slot, frame) in references.0.iter_mut().zip(&self.frames) {
            *slot = Some(Reference::Frame {
                frame: frame.planes(),
                motion: &self.motion,
            });
        }
        references
    }
}

fn decode(parsed: &ParsedPicture, references: &References<'_, u8>) -> (Frame, Outcome) {
    let mut frame = Frame::new(0);
    let mut motion = MotionField::default();
    let outcome = Reconstructor::default().reconstruct(parsed, WHOLE, &mut frame.target(), &mut motion, references);
    (frame, outcome)
}

#[test]
fn a_skipped_picture_repeats_the_first_of_list_0() {
    let dpb = Dpb::new();
    let (frame, outcome) = decode(&skipped(), &dpb.references());
    assert!(frame == dpb.frames[0]);
    assert_eq!(outcome, Outcome::default());
}

#[test]
fn macroblocks_that_no_slice_delivers_are_copied_and_counted() {
    let dpb = Dpb::new();
    let mut parsed = skipped();
    // Before, between and after what is delivered.
    parsed.macroblocks.retain(|mb| matches!(mb.mb_addr, 2 | 5 | 6));
    parsed.slices[0].macroblocks = 0..3;
    parsed.slices[0].ref_pic_list[0][0] = Some(RefPic {
        dpb_index: 1,
        parity: None,
    });
    let (frame, outcome) = decode(&parsed, &dpb.references());
    assert_eq!(
        outcome,
        Outcome {
            concealed_macroblocks: 9,
            missing_reference: false
        }
    );
    // A gap before a macroblock takes its slice's first reference, the end takes the nearest in time.
    let expected = [20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20];
    assert_eq!(std::array::from_fn(|i| frame.at(i)), expected);
}

#[test]
fn without_slices_the_nearest_picture_in_time_is_shown() {
    let dpb = Dpb::new();
    let mut parsed = ParsedPicture {
        params: Some(params()),
        ..ParsedPicture::default()
    };
    parsed
        .params
        .iter_mut()
        .for_each(|params| (params.top_field_order_cnt, params.bottom_field_order_cnt) = (9, 9));
    let (frame, outcome) = decode(&parsed, &dpb.references());
    assert!(frame == dpb.frames[2]);
    assert_eq!(outcome.concealed_macroblocks, COUNT as u32);
    let (frame, _) = decode(&parsed, &References([None; DPB_SIZE]));
    assert!(frame == Frame::new(128), "grey without any reference");
}

#[test]
fn the_nearest_picture_stands_in_for_a_missing_reference() {
    let dpb = Dpb::new();
    let mut references = dpb.references();
    references.0[0] = None;
    let (frame, outcome) = decode(&skipped(), &references);
    assert!(frame == dpb.frames[1]);
    assert!(outcome.missing_reference);
}

#[test]
fn a_reference_of_another_size_is_missing() {
    let dpb = Dpb::new();
    let mut references = dpb.references();
    let mut planes = dpb.frames[0].planes();
    planes.luma.data = &planes.luma.data[1..];
    references.0[0] = Some(Reference::Frame {
        frame: planes,
        motion: &dpb.motion,
    });
    assert!(decode(&skipped(), &references).1.missing_reference);
}

#[test]
fn a_target_that_is_too_small_is_left_alone() {
    let dpb = Dpb::new();
    let mut frame = Frame::new(77);
    let mut target = frame.target();
    target.chroma.data = &mut target.chroma.data[1..];
    let mut motion = MotionField::default();
    let outcome = Reconstructor::default().reconstruct(&skipped(), WHOLE, &mut target, &mut motion, &dpb.references());
    assert_eq!(outcome.concealed_macroblocks, COUNT as u32);
    assert!(frame == Frame::new(77));
}

#[test]
fn monochrome_pictures_have_grey_chroma() {
    let dpb = Dpb::new();
    let mut parsed = skipped();
    parsed
        .params
        .iter_mut()
        .for_each(|params| params.chroma_format = ChromaFormat::Monochrome);
    let (frame, _) = decode(&parsed, &dpb.references());
    assert!(frame.luma == dpb.frames[0].luma && frame.chroma == Frame::new(128).chroma);
}

/// Numbers without a pattern.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 24
    }

    fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    fn mode(&mut self) -> PredMode {
        self.one_of(&[PredMode::L0, PredMode::L1, PredMode::Bi])
    }

    fn mb_type(&mut self) -> MbType {
        match self.below(12) {
            0 => MbType::INxN,
            1 => MbType::I16x16 {
                pred_mode: self.next() as u8,
            },
            2 => MbType::IPcm,
            3 => MbType::PSkip,
            4 => MbType::BSkip,
            5 => MbType::Direct16x16,
            6 => MbType::Inter16x16(self.mode()),
            7 => MbType::Inter16x8([self.mode(), self.mode()]),
            8 => MbType::Inter8x16([self.mode(), self.mode()]),
            _ => MbType::Inter8x8,
        }
    }

    fn sub_mb_type(&mut self) -> SubMbType {
        let shapes = [SubMbShape::S8x8, SubMbShape::S8x4, SubMbShape::S4x8, SubMbShape::S4x4];
        match self.below(5) {
            0 => SubMbType::Direct,
            _ => SubMbType::Inter(self.one_of(&shapes), self.mode()),
        }
    }

    /// A macroblock whose every field holds anything, within reason for half of the pictures.
    fn macroblock(&mut self, mb_addr: usize, wild: bool) -> Macroblock {
        let mut total_coeff = [0; block::COUNT];
        total_coeff
            .iter_mut()
            .for_each(|count| *count = self.below(if wild { 40 } else { 3 }) as u8);
        let mut ref_idx = [[0; 4]; 2];
        let refs = if wild { 256 } else { 3 };
        ref_idx
            .iter_mut()
            .flatten()
            .for_each(|ref_idx| *ref_idx = self.below(refs) as i8);
        Macroblock {
            mb_addr: if wild && self.below(9) == 0 {
                self.below(20) as u32
            } else {
                mb_addr as u32
            },
            mb_type: self.mb_type(),
            mb_field_decoding_flag: self.below(2) == 0,
            transform_size_8x8_flag: self.below(2) == 0,
            qp_y: if wild { self.next() as i8 } else { self.below(52) as i8 },
            coded_block_pattern: self.next() as u8,
            intra_chroma_pred_mode: self.next() as u8,
            intra_pred_mode: std::array::from_fn(|_| self.next() as u8),
            sub_mb_type: std::array::from_fn(|_| self.sub_mb_type()),
            ref_idx,
            mvds: self.below(600) as u32,
            coefficients: self.below(6000) as u32,
            total_coeff,
        }
    }

    fn slice(&mut self, macroblocks: std::ops::Range<usize>, wild: bool) -> Slice {
        let weight = |noise: &mut Self| Weight {
            weight: std::array::from_fn(|_| noise.next() as i16),
            offset: std::array::from_fn(|_| noise.next() as i16),
        };
        let table = PredWeightTable {
            luma_log2_weight_denom: self.next() as u8,
            chroma_log2_weight_denom: self.next() as u8,
            weights: std::array::from_fn(|_| std::array::from_fn(|_| weight(self))),
        };
        let mut slice = slice(
            self.one_of(&[SliceType::I, SliceType::P, SliceType::B, SliceType::B]),
            macroblocks,
        );
        slice.direct_spatial_mv_pred_flag = self.below(2) == 0;
        slice.disable_deblocking_filter_idc = self.below(4) as u8;
        slice.pred_weights = (self.below(2) == 0).then(|| Box::new(table));
        if wild {
            slice.num_ref_idx_active = [self.next() as u8, self.next() as u8];
            let names = [None, Some(200), Some(5), Some(1)].map(|index| {
                index.map(|dpb_index| RefPic {
                    dpb_index,
                    parity: None,
                })
            });
            slice
                .ref_pic_list
                .iter_mut()
                .flatten()
                .for_each(|name| *name = self.one_of(&names));
            (slice.filter_offset_a, slice.filter_offset_b) = (self.next() as i8, self.next() as i8);
        }
        slice
    }

    /// A picture of two slices with anything in it.
    fn picture(&mut self) -> ParsedPicture {
        let wild = self.below(2) == 0;
        let mut params = params();
        params.weighted_bipred_idc = self.below(3) as u8;
        params.direct_8x8_inference_flag = self.below(2) == 0;
        params.constrained_intra_pred_flag = self.below(2) == 0;
        params.chroma_qp_index_offset = [self.next() as i8, self.next() as i8];
        if wild {
            for entry in params.dpb.iter_mut().flatten() {
                entry.top_field_order_cnt = self.one_of(&[i32::MIN, -1, 0, i32::MAX]);
                entry.bottom_field_order_cnt = entry.top_field_order_cnt;
                entry.long_term = self.below(3) == 0;
            }
            params.top_field_order_cnt = self.one_of(&[i32::MIN, 0, i32::MAX]);
            params.bottom_field_order_cnt = params.top_field_order_cnt;
        }
        let vector = |noise: &mut Self| match wild {
            true => Mv {
                x: noise.next() as i16,
                y: noise.next() as i16,
            },
            false => Mv {
                x: noise.below(40) as i16 - 20,
                y: noise.below(40) as i16 - 20,
            },
        };
        let middle = self.below(COUNT as u64) as usize;
        ParsedPicture {
            params: Some(params),
            slices: vec![self.slice(0..middle, wild), self.slice(middle..COUNT, wild)],
            macroblocks: (0..COUNT).map(|mb_addr| self.macroblock(mb_addr, wild)).collect(),
            mvds: (0..500).map(|_| vector(self)).collect(),
            coefficients: (0..5000)
                .map(|_| {
                    Coefficient(if wild {
                        self.next() as i32
                    } else {
                        self.below(2000) as i32 - 1000
                    })
                })
                .collect(),
            ..ParsedPicture::default()
        }
    }
}

#[test]
fn anything_in_a_picture_is_reconstructed_without_a_panic() {
    let dpb = Dpb::new();
    let mut reconstructor = Reconstructor::default();
    let mut motions = [MotionField::default(), MotionField::default()];
    for seed in 0..3000 {
        let parsed = Noise(seed).picture();
        let mut references = dpb.references();
        let [motion, earlier] = &mut motions;
        if let Some(Reference::Frame { motion, .. }) = &mut references.0[2] {
            *motion = earlier;
        }
        let mut frame = Frame::new(0);
        let outcome = reconstructor.reconstruct(&parsed, WHOLE, &mut frame.target(), motion, &references);
        assert!(outcome.concealed_macroblocks <= COUNT as u32);
        motions.swap(0, 1);
    }
}

#[test]
fn slice_by_slice_gives_the_same_picture_as_all_at_once() {
    let dpb = Dpb::new();
    let references = dpb.references();
    for seed in 0..300 {
        let parsed = Noise(seed).picture();
        let (whole, outcome) = decode(&parsed, &references);
        let mut frame = Frame::new(0);
        let mut motion = MotionField::default();
        let mut reconstructor = Reconstructor::default();
        let mut concealed_macroblocks = 0;
        for (i, slice) in parsed.slices.iter().enumerate() {
            let part = PicturePart {
                first: i == 0,
                last: i == 1,
            };
            let one = ParsedPicture {
                params: parsed.params.clone(),
                slices: vec![slice.clone()],
                macroblocks: parsed.macroblocks.clone(),
                mvds: parsed.mvds.clone(),
                coefficients: parsed.coefficients.clone(),
                ..ParsedPicture::default()
            };
            let outcome = reconstructor.reconstruct(&one, part, &mut frame.target(), &mut motion, &references);
            concealed_macroblocks += outcome.concealed_macroblocks;
        }
        assert!(frame == whole, "seed {seed}");
        assert_eq!(concealed_macroblocks, outcome.concealed_macroblocks);
    }
}
