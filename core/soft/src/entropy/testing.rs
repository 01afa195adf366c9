//! What the tests of this module write bitstreams with.

use v4l2r::bindings as v4l2;

use super::bits::PADDING;
use crate::Controls;

/// Writes an RBSP bit by bit.
#[derive(Clone, Debug, Default)]
pub(super) struct BitWriter {
    bits: Vec<bool>,
}

impl BitWriter {
    /// `u(count)`.
    pub(super) fn u(mut self, count: usize, value: u32) -> Self {
        self.bits.extend((0..count).rev().map(|i| value >> i & 1 != 0));
        self
    }

    /// `ue(v)`.
    pub(super) fn ue(self, value: u32) -> Self {
        let length = (value + 1).ilog2() as usize;
        self.u(length, 0).u(length + 1, value + 1)
    }

    /// `se(v)`.
    pub(super) fn se(self, value: i32) -> Self {
        let code = if value > 0 { 2 * value - 1 } else { -2 * value };
        self.ue(code as u32)
    }

    /// Bits so far.
    pub(super) fn len(&self) -> usize {
        self.bits.len()
    }

    /// `rbsp_trailing_bits()`: whole bytes.
    pub(super) fn bytes(mut self) -> Vec<u8> {
        self.bits.push(true);
        let mut bytes = vec![0; self.bits.len().div_ceil(8)];
        for (i, &bit) in self.bits.iter().enumerate() {
            bytes[i / 8] |= u8::from(bit) << (7 - i % 8);
        }
        bytes
    }

    /// [`Self::bytes`] with the padding that readers want.
    pub(super) fn padded(self) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes.resize(bytes.len() + PADDING, 0);
        bytes
    }

    /// [`Self::bytes`] as a NAL unit with a start code.
    pub(super) fn nal(self) -> Vec<u8> {
        let mut nal = vec![0, 0, 1];
        for byte in self.bytes() {
            if nal.len() > 4 && nal.ends_with(&[0, 0]) && byte <= 3 {
                nal.push(3);
            }
            nal.push(byte);
        }
        nal
    }
}

/// Controls of an I or P frame of `width` x `height` macroblocks, 4:2:0, CAVLC, not IDR, `frame_num` 3 of 16.
pub(super) fn controls(width: u16, height: u16) -> Controls {
    let mut controls = Controls::default();
    controls.sps.chroma_format_idc = 1;
    controls.sps.flags = v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY;
    controls.sps.pic_width_in_mbs_minus1 = width - 1;
    controls.sps.pic_height_in_map_units_minus1 = height - 1;
    controls.decode_params.nal_ref_idc = 1;
    controls.decode_params.frame_num = 3;
    controls.decode_params.dec_ref_pic_marking_bit_size = 1;
    controls
}

/// A short-term frame in the DPB.
pub(super) fn short_term(frame_num: u16, pic_order_cnt: i32) -> v4l2::v4l2_h264_dpb_entry {
    v4l2::v4l2_h264_dpb_entry {
        frame_num,
        fields: v4l2::V4L2_H264_FRAME_REF as u8,
        top_field_order_cnt: pic_order_cnt,
        bottom_field_order_cnt: pic_order_cnt,
        flags: v4l2::V4L2_H264_DPB_ENTRY_FLAG_VALID | v4l2::V4L2_H264_DPB_ENTRY_FLAG_ACTIVE,
        ..Default::default()
    }
}

/// A long-term frame in the DPB.
pub(super) fn long_term(index: u16) -> v4l2::v4l2_h264_dpb_entry {
    let mut entry = short_term(index, 1000);
    entry.pic_num = index.into();
    entry.flags |= v4l2::V4L2_H264_DPB_ENTRY_FLAG_LONG_TERM;
    entry
}
