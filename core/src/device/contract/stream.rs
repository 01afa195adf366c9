//! Pictures that need no media file: one grey I_PCM picture, one that copies its reference (all P_Skip), both CAVLC.

use v4l2r::bindings as v4l2;

use crate::device::{Control, DecodeMode, StartCode};
use crate::units::{Size, Timestamp};

/// What to decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Picture {
    /// Every sample has this value; 1 to 255, so that no start code is emulated.
    Grey(u8),
    /// A copy of the picture that was decoded with this timestamp.
    Copy(Timestamp),
}

/// All that a request takes.
pub(super) struct Submission {
    pub(super) sps: v4l2::v4l2_ctrl_h264_sps,
    pps: v4l2::v4l2_ctrl_h264_pps,
    scaling_matrix: v4l2::v4l2_ctrl_h264_scaling_matrix,
    pub(super) decode_params: v4l2::v4l2_ctrl_h264_decode_params,
    slice_params: v4l2::v4l2_ctrl_h264_slice_params,
    mode: DecodeMode,
    /// What goes into the OUTPUT buffer.
    pub(super) bitstream: Vec<u8>,
}

impl Submission {
    /// A whole picture in one slice.
    pub(super) fn whole(size: Size, picture: Picture, mode: DecodeMode, start_code: StartCode) -> Self {
        Self::part(size, picture, mode, start_code, 0..macroblocks(size))
    }

    /// One slice with some of the macroblocks of a picture.
    pub(super) fn part(
        size: Size,
        picture: Picture,
        mode: DecodeMode,
        start_code: StartCode,
        macroblocks: std::ops::Range<u32>,
    ) -> Self {
        let (slice, header_bits) = slice(picture, &macroblocks);
        let mut bitstream = match start_code {
            StartCode::AnnexB => vec![0, 0, 1],
            StartCode::None => Vec::new(),
        };
        bitstream.extend(slice);
        Self {
            sps: sps(size),
            pps: pps(),
            scaling_matrix: flat_scaling(),
            decode_params: decode_params(picture),
            slice_params: slice_params(picture, header_bits, macroblocks.start),
            mode,
            bitstream,
        }
    }

    /// Every control that the decode mode has.
    pub(super) fn controls(&self) -> Vec<Control<'_>> {
        let mut controls = vec![
            Control::Sps(&self.sps),
            Control::Pps(&self.pps),
            Control::ScalingMatrix(&self.scaling_matrix),
            Control::DecodeParams(&self.decode_params),
        ];
        if self.mode == DecodeMode::SliceBased {
            controls.push(Control::SliceParams(&self.slice_params));
        }
        controls
    }
}

/// Macroblocks of a picture.
pub(super) fn macroblocks(size: Size) -> u32 {
    size.width / 16 * (size.height / 16)
}

/// Baseline, POC type 2, one reference frame.
pub(super) fn sps(size: Size) -> v4l2::v4l2_ctrl_h264_sps {
    v4l2::v4l2_ctrl_h264_sps {
        profile_idc: 66,
        level_idc: 40,
        chroma_format_idc: 1,
        pic_order_cnt_type: 2,
        max_num_ref_frames: 1,
        pic_width_in_mbs_minus1: (size.width / 16 - 1) as u16,
        pic_height_in_map_units_minus1: (size.height / 16 - 1) as u16,
        flags: v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY | v4l2::V4L2_H264_SPS_FLAG_DIRECT_8X8_INFERENCE,
        ..Default::default()
    }
}

fn pps() -> v4l2::v4l2_ctrl_h264_pps {
    v4l2::v4l2_ctrl_h264_pps {
        flags: v4l2::V4L2_H264_PPS_FLAG_DEBLOCKING_FILTER_CONTROL_PRESENT as u16,
        ..Default::default()
    }
}

fn flat_scaling() -> v4l2::v4l2_ctrl_h264_scaling_matrix {
    v4l2::v4l2_ctrl_h264_scaling_matrix {
        scaling_list_4x4: [[16; 16]; 6],
        scaling_list_8x8: [[16; 64]; 6],
    }
}

fn decode_params(picture: Picture) -> v4l2::v4l2_ctrl_h264_decode_params {
    let mut params = v4l2::v4l2_ctrl_h264_decode_params {
        nal_ref_idc: 1,
        ..Default::default()
    };
    match picture {
        Picture::Grey(_) => {
            params.flags = v4l2::V4L2_H264_DECODE_PARAM_FLAG_IDR_PIC;
            params.dec_ref_pic_marking_bit_size = 2;
        }
        Picture::Copy(of) => {
            params.frame_num = 1;
            params.top_field_order_cnt = 2;
            params.bottom_field_order_cnt = 2;
            params.flags = v4l2::V4L2_H264_DECODE_PARAM_FLAG_PFRAME;
            params.dec_ref_pic_marking_bit_size = 1;
            params.dpb[0] = v4l2::v4l2_h264_dpb_entry {
                reference_ts: of.as_nanos(),
                fields: v4l2::V4L2_H264_FRAME_REF as u8,
                flags: v4l2::V4L2_H264_DPB_ENTRY_FLAG_VALID | v4l2::V4L2_H264_DPB_ENTRY_FLAG_ACTIVE,
                ..Default::default()
            };
        }
    }
    params
}

fn slice_params(picture: Picture, header_bit_size: u32, first_mb: u32) -> v4l2::v4l2_ctrl_h264_slice_params {
    let mut params = v4l2::v4l2_ctrl_h264_slice_params {
        header_bit_size,
        first_mb_in_slice: first_mb,
        disable_deblocking_filter_idc: 1,
        slice_type: match picture {
            Picture::Grey(_) => v4l2::V4L2_H264_SLICE_TYPE_I as u8,
            Picture::Copy(_) => v4l2::V4L2_H264_SLICE_TYPE_P as u8,
        },
        ..Default::default()
    };
    params.ref_pic_list0[0].fields = v4l2::V4L2_H264_FRAME_REF as u8;
    params
}

/// The NAL unit of a slice and the bits before its `slice_data()`.
fn slice(picture: Picture, macroblocks: &std::ops::Range<u32>) -> (Vec<u8>, u32) {
    let mut bits = BitWriter::default();
    let (nal_unit_type, slice_type, frame_num) = match picture {
        Picture::Grey(_) => (5, 7, 0),
        Picture::Copy(_) => (1, 5, 1),
    };
    bits.u(8, 1 << 5 | nal_unit_type); // nal_ref_idc, nal_unit_type
    bits.ue(macroblocks.start); // first_mb_in_slice
    bits.ue(slice_type);
    bits.ue(0); // pic_parameter_set_id
    bits.u(4, frame_num);
    match picture {
        Picture::Grey(_) => {
            bits.ue(0); // idr_pic_id
            bits.u(2, 0); // no_output_of_prior_pics_flag, long_term_reference_flag
        }
        Picture::Copy(_) => {
            bits.u(1, 0); // num_ref_idx_active_override_flag
            bits.u(1, 0); // ref_pic_list_modification_flag_l0
            bits.u(1, 0); // adaptive_ref_pic_marking_mode_flag
        }
    }
    bits.ue(0); // slice_qp_delta
    bits.ue(1); // disable_deblocking_filter_idc
    let header_bits = bits.length();
    match picture {
        Picture::Grey(value) => macroblocks.clone().for_each(|_| {
            bits.ue(25); // mb_type I_PCM
            bits.align();
            (0..384).for_each(|_| bits.u(8, u32::from(value)));
        }),
        Picture::Copy(_) => bits.ue(macroblocks.len() as u32), // mb_skip_run
    }
    bits.u(1, 1); // rbsp_stop_one_bit
    bits.align();
    (bits.bytes, header_bits)
}

/// Writes syntax elements, first bit first.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    /// Bits used of the last byte; 0 = it is full.
    used: u32,
}

impl BitWriter {
    fn u(&mut self, count: u32, value: u32) {
        for bit in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (7 - self.used);
            }
            self.used = (self.used + 1) % 8;
        }
    }

    fn ue(&mut self, value: u32) {
        let length = (value + 1).ilog2();
        self.u(length, 0);
        self.u(length + 1, value + 1);
    }

    fn align(&mut self) {
        while self.used != 0 {
            self.u(1, 0);
        }
    }

    fn length(&self) -> u32 {
        let full = self.bytes.len() as u32 * 8;
        if self.used == 0 { full } else { full - 8 + self.used }
    }
}
