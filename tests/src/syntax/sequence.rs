//! Whole streams picture by picture: parameter sets that a test fills in, and pictures whose every sample it knows.

use fourier_core::h264::pps::PpsId;
use fourier_core::h264::slice_header::{
    DecRefPicMarking, MemoryManagementControlOperation, PicOrderCnt, SliceHeader, SliceType,
};
use fourier_core::h264::sps::{PicOrderCntType, SpsId};
use fourier_core::h264::{Parity, PictureStructure, Pps, Sps};

use super::bits::BitWriter;
use super::slice_data::{Macroblock, Pairs, PcmSamples, Prediction, SliceData};
use super::{pps, slice_header, sps, with_start_code};

/// `nal_ref_idc` of the pictures that are references.
const REFERENCE: u8 = 2;

/// An SPS of frames of so many macroblocks, of Main profile, with 4 bits of `frame_num` and of `pic_order_cnt_lsb`.
pub fn frames_of(width_in_mbs: u16, height_in_mbs: u16) -> Sps {
    Sps {
        profile_idc: 77,
        constraint_set_flags: 0,
        level_idc: 51,
        seq_parameter_set_id: SpsId::default(),
        chroma_format_idc: 1,
        separate_colour_plane_flag: false,
        bit_depth_luma_minus8: 0,
        bit_depth_chroma_minus8: 0,
        qpprime_y_zero_transform_bypass_flag: false,
        scaling_lists: None,
        log2_max_frame_num_minus4: 0,
        pic_order_cnt_type: PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4: 0,
        },
        max_num_ref_frames: 4,
        gaps_in_frame_num_value_allowed_flag: false,
        pic_width_in_mbs_minus1: width_in_mbs - 1,
        pic_height_in_map_units_minus1: height_in_mbs - 1,
        frame_mbs_only_flag: true,
        mb_adaptive_frame_field_flag: false,
        direct_8x8_inference_flag: true,
        frame_cropping: None,
        vui: None,
    }
}

/// The same of field pictures: `height_in_mbs` is that of a field.
pub fn fields_of(width_in_mbs: u16, height_in_mbs: u16) -> Sps {
    Sps {
        frame_mbs_only_flag: false,
        ..frames_of(width_in_mbs, height_in_mbs)
    }
}

/// A PPS of CAVLC that says nothing in particular.
pub fn plain_pps() -> Pps {
    Pps {
        pic_parameter_set_id: PpsId::default(),
        seq_parameter_set_id: SpsId::default(),
        entropy_coding_mode_flag: false,
        bottom_field_pic_order_in_frame_present_flag: false,
        num_slice_groups_minus1: 0,
        num_ref_idx_l0_default_active_minus1: 0,
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

/// The header of a picture of one slice without deblocking: a frame and short-term reference of picture order count 0.
pub fn header(slice_type: SliceType, frame_num: u32) -> SliceHeader {
    SliceHeader {
        nal_ref_idc: REFERENCE,
        idr_pic_id: None,
        first_mb_in_slice: 0,
        slice_type,
        pic_parameter_set_id: PpsId::default(),
        colour_plane_id: 0,
        frame_num: frame_num as u16,
        structure: PictureStructure::Frame,
        pic_order_cnt: PicOrderCnt::Type2,
        redundant_pic_cnt: 0,
        direct_spatial_mv_pred_flag: true,
        num_ref_idx_active: match slice_type {
            SliceType::P | SliceType::Sp => [1, 0],
            SliceType::B => [1, 1],
            SliceType::I | SliceType::Si => [0, 0],
        },
        num_ref_idx_active_override_flag: false,
        ref_pic_list_modification: [Vec::new(), Vec::new()],
        pred_weight_table: None,
        dec_ref_pic_marking: Some(DecRefPicMarking::SlidingWindow),
        cabac_init_idc: 0,
        slice_qp_delta: 0,
        sp_for_switch_flag: false,
        slice_qs_delta: 0,
        disable_deblocking_filter_idc: 1,
        slice_alpha_c0_offset_div2: 0,
        slice_beta_offset_div2: 0,
        slice_group_change_cycle: 0,
        header_bit_size: 0,
        dec_ref_pic_marking_bit_size: 0,
        pic_order_cnt_bit_size: 0,
    }
}

/// The header of an IDR picture.
pub fn idr(idr_pic_id: u16) -> SliceHeader {
    SliceHeader {
        idr_pic_id: Some(idr_pic_id),
        dec_ref_pic_marking: Some(DecRefPicMarking::Idr {
            no_output_of_prior_pics_flag: false,
            long_term_reference_flag: false,
        }),
        ..header(SliceType::I, 0)
    }
}

/// What a header can be made to say besides.
pub trait SliceHeaderExt: Sized {
    /// `pic_order_cnt_lsb` of type 0.
    fn lsb(self, pic_order_cnt_lsb: u32) -> Self;
    /// A field of this parity.
    fn field(self, parity: Parity) -> Self;
    /// No reference.
    fn for_nobody(self) -> Self;
    /// So many entries of list 0.
    fn choosing_among(self, references: u8) -> Self;
    /// `dec_ref_pic_marking()` with these operations.
    fn marking(self, operations: &[MemoryManagementControlOperation]) -> Self;
}

impl SliceHeaderExt for SliceHeader {
    fn lsb(mut self, pic_order_cnt_lsb: u32) -> Self {
        self.pic_order_cnt = PicOrderCnt::Type0 {
            pic_order_cnt_lsb: pic_order_cnt_lsb as u16,
            delta_pic_order_cnt_bottom: 0,
        };
        self
    }

    fn field(mut self, parity: Parity) -> Self {
        self.structure = PictureStructure::Field(parity);
        self
    }

    fn for_nobody(mut self) -> Self {
        (self.nal_ref_idc, self.dec_ref_pic_marking) = (0, None);
        self
    }

    fn choosing_among(mut self, references: u8) -> Self {
        (self.num_ref_idx_active[0], self.num_ref_idx_active_override_flag) = (references, true);
        self
    }

    fn marking(mut self, operations: &[MemoryManagementControlOperation]) -> Self {
        self.dec_ref_pic_marking = Some(DecRefPicMarking::Adaptive(operations.to_vec()));
        self
    }
}

/// Samples that are all the same, and chroma without colour.
pub fn flat(luma: u8) -> Macroblock {
    Macroblock::Pcm(Box::new(PcmSamples::flat(luma)))
}

/// What the picture at `ref_idx` of list 0 has there.
pub fn copy_of(ref_idx: u8) -> Macroblock {
    Macroblock::Inter16x16([Some(Prediction { ref_idx, mvd: [0, 0] }), None])
}

/// A stream that grows picture by picture.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// Written by [`Sequence::parameter_sets`], and what pictures are written with.
    pub sps: Sps,
    /// Likewise.
    pub pps: Pps,
    /// Annex B.
    pub stream: Vec<u8>,
}

impl Sequence {
    /// Begins with the parameter sets.
    pub fn new(sps: Sps) -> Self {
        let mut sequence = Self {
            sps,
            pps: plain_pps(),
            stream: Vec::new(),
        };
        sequence.parameter_sets();
        sequence
    }

    /// SPS and PPS.
    pub fn parameter_sets(&mut self) {
        self.nal(&sps::nal(&self.sps));
        self.nal(&pps::nal(&self.pps, self.sps.chroma_format_idc));
    }

    /// Any NAL unit.
    pub fn nal(&mut self, nal: &[u8]) {
        self.stream.extend(with_start_code(nal));
    }

    /// A picture of one slice, every macroblock the same.
    pub fn picture(&mut self, header: SliceHeader, macroblock: &Macroblock) {
        let count = self.macroblocks(&header);
        self.slice(header, count, |_| macroblock.clone());
    }

    /// Macroblocks of a picture with this header.
    pub fn macroblocks(&self, header: &SliceHeader) -> u32 {
        let frame = self.sps.pic_width_in_mbs() * self.sps.frame_height_in_mbs();
        frame
            / if header.structure == PictureStructure::Frame {
                1
            } else {
                2
            }
    }

    /// A slice of `count` macroblocks, which are told their places in it.
    pub fn slice(&mut self, mut header: SliceHeader, count: u32, macroblock: impl Fn(u32) -> Macroblock) {
        let mut w = BitWriter::default();
        slice_header::write(&mut w, &mut header, &self.sps, &self.pps);
        let mut data = SliceData::new(&mut w, header.slice_type, header.num_ref_idx_active, Pairs::None);
        for place in 0..count {
            data.macroblock(&macroblock(place), false);
        }
        data.finish();
        let nal = w.nal(header.nal_ref_idc, if header.idr_pic_id.is_some() { 5 } else { 1 });
        self.nal(&nal);
    }
}
