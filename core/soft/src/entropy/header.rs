//! Slice headers as hardware takes them.
//!
//! In frame mode the header is read (7.3.3) with the values of the controls: the picture order count and
//! `dec_ref_pic_marking()` are skipped blindly by the bit sizes that the application gives, the reference lists come from
//! the DPB control. In slice mode the header is skipped and `V4L2_CID_STATELESS_H264_SLICE_PARAMS` says all.
//! This shares nothing with an application's own parser, on purpose: it is what wrong controls show themselves against.

mod slice_params;

use v4l2r::bindings as v4l2;

use super::bits::BitReader;
use super::ref_list::{MAX_LENGTH, Modification, RefListBuilder, RefPicList};
use crate::picture::{ChromaFormat, Parity, Structure};
use crate::slice::{PredWeightTable, Slice, SliceType, Weight};
use crate::{Controls, DecodeMode, Error, PictureParams};

/// `nal_unit_type` of a slice of an IDR picture.
const NAL_SLICE_IDR: u8 = 5;

/// A slice whose data has not been read yet.
#[derive(Debug)]
pub(super) struct SliceHeader {
    /// The slice, without macroblocks and weights.
    pub(super) slice: Slice,
    /// Its explicit weights.
    pub(super) pred_weights: Option<PredWeightTable>,
    /// `SliceQP_Y`.
    pub(super) slice_qp: i32,
    /// `cabac_init_idc`; `None` in I slices.
    pub(super) cabac_init_idc: Option<u8>,
}

/// `slice_type` of the standard or of the control.
fn slice_type(number: u32) -> Option<SliceType> {
    match number {
        0 => Some(SliceType::P),
        1 => Some(SliceType::B),
        2 => Some(SliceType::I),
        _ => None,
    }
}

/// The factor from `first_mb_in_slice` to `CurrMbAddr`.
fn mb_addr_step(params: &PictureParams) -> u32 {
    if params.structure == (Structure::Frame { mbaff: true }) {
        2
    } else {
        1
    }
}

/// Reads or skips the header, NAL header byte included; leaves `bits` at the start of `slice_data()`.
///
/// # Errors
/// [`Error::Slice`] for a header that breaks a rule or contradicts the controls, [`Error::Control`] for such a value in
/// the slice parameters.
pub(super) fn read(
    controls: &Controls,
    params: &PictureParams,
    bits: &mut BitReader<'_>,
) -> Result<SliceHeader, Error> {
    match controls.decode_mode {
        DecodeMode::SliceBased => slice_params::header(controls, params, bits),
        DecodeMode::FrameBased => HeaderReader {
            controls,
            params,
            bits,
            first_mb: 0,
        }
        .read(),
    }
}

/// Whether slices of this type have a `pred_weight_table()`.
fn has_pred_weights(params: &PictureParams, slice_type: SliceType) -> bool {
    match slice_type {
        SliceType::P => params.weighted_pred_flag,
        SliceType::B => params.weighted_bipred_idc == 1,
        SliceType::I => false,
    }
}

/// The least `SliceQP_Y`.
fn qp_min(params: &PictureParams) -> i32 {
    -6 * (i32::from(params.bit_depth_luma) - 8)
}

/// The commands for one list; the standard allows one per index.
#[derive(Debug)]
struct Modifications {
    commands: [Modification; MAX_LENGTH],
    len: usize,
}

/// Reads `slice_header()`.
struct HeaderReader<'a, 'b> {
    controls: &'a Controls,
    params: &'a PictureParams,
    bits: &'a mut BitReader<'b>,
    first_mb: u32,
}

impl HeaderReader<'_, '_> {
    /// A fault in this header.
    fn fault<T>(&self, element: &'static str, reason: &'static str) -> Result<T, Error> {
        Err(Error::Slice {
            mb_addr: self.first_mb,
            element,
            reason,
        })
    }

    /// `slice_header()` in the order of the syntax.
    fn read(mut self) -> Result<SliceHeader, Error> {
        let nal = self.bits.bits(8);
        let idr = (nal & 31) as u8 == NAL_SLICE_IDR;
        if idr != self.params.idr {
            return self.fault("nal_unit_type", "not that of DECODE_PARAMS");
        }
        if (nal >> 5 & 3 == 0) != (self.params.nal_ref_idc == 0) {
            return self.fault("nal_ref_idc", "not that of DECODE_PARAMS");
        }
        let slice_type = self.place_and_type()?;
        self.picture_identity()?;
        let pps_flags = u32::from(self.controls.pps.flags);
        if pps_flags & v4l2::V4L2_H264_PPS_FLAG_REDUNDANT_PIC_CNT_PRESENT != 0 && self.bits.ue() > 0 {
            return self.fault("redundant_pic_cnt", "a redundant slice");
        }
        let direct_spatial_mv_pred_flag = slice_type == SliceType::B && self.bits.flag();
        let num_ref_idx_active = self.num_ref_idx_active(slice_type)?;
        let ref_pic_list = self.ref_pic_lists(slice_type, num_ref_idx_active)?;
        let pred_weights = match has_pred_weights(self.params, slice_type) {
            true => Some(self.pred_weight_table(num_ref_idx_active)?),
            false => None,
        };
        if self.params.nal_ref_idc > 0 {
            self.bits
                .skip(self.controls.decode_params.dec_ref_pic_marking_bit_size as usize);
        }
        let cabac_init_idc = self.cabac_init_idc(slice_type)?;
        let slice_qp = self.bits.se().saturating_add(self.params.pic_init_qp.into());
        if !(qp_min(self.params)..=51).contains(&slice_qp) {
            return self.fault("slice_qp_delta", "out of range");
        }
        let (disable_deblocking_filter_idc, [filter_offset_a, filter_offset_b]) = self.deblocking()?;
        if self.bits.overrun() {
            return self.fault("slice_header", "longer than the slice");
        }
        let slice = Slice {
            slice_type,
            first_mb: self.first_mb,
            macroblocks: 0..0,
            num_ref_idx_active,
            ref_pic_list,
            direct_spatial_mv_pred_flag,
            pred_weights: None,
            disable_deblocking_filter_idc,
            filter_offset_a,
            filter_offset_b,
        };
        Ok(SliceHeader {
            slice,
            pred_weights,
            slice_qp,
            cabac_init_idc,
        })
    }

    /// `first_mb_in_slice`, `slice_type`.
    fn place_and_type(&mut self) -> Result<SliceType, Error> {
        let step = mb_addr_step(self.params);
        let first_mb = self.bits.ue().saturating_mul(step);
        if first_mb >= self.params.width_in_mbs * self.params.height_in_mbs {
            return self.fault("first_mb_in_slice", "beyond the picture");
        }
        self.first_mb = first_mb;
        match self.bits.ue() {
            number @ 0..=9 => match slice_type(number % 5) {
                Some(slice_type) => Ok(slice_type),
                None => self.fault("slice_type", "SP and SI slices are not decoded"),
            },
            _ => self.fault("slice_type", "out of range"),
        }
    }

    /// From `pic_parameter_set_id` to the picture order count.
    fn picture_identity(&mut self) -> Result<(), Error> {
        let Controls {
            sps,
            pps,
            decode_params,
            ..
        } = self.controls;
        if self.bits.ue() != u32::from(pps.pic_parameter_set_id) {
            return self.fault("pic_parameter_set_id", "not that of the PPS control");
        }
        if sps.flags & v4l2::V4L2_H264_SPS_FLAG_SEPARATE_COLOUR_PLANE != 0 {
            self.bits.skip(2);
        }
        if self.bits.bits(4 + usize::from(sps.log2_max_frame_num_minus4)) != u32::from(decode_params.frame_num) {
            return self.fault("frame_num", "not that of DECODE_PARAMS");
        }
        if sps.flags & v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY == 0 {
            let parity = self
                .bits
                .flag()
                .then(|| if self.bits.flag() { Parity::Bottom } else { Parity::Top });
            let expected = match self.params.structure {
                Structure::Frame { .. } => None,
                Structure::Field(parity) => Some(parity),
            };
            if parity != expected {
                return self.fault("field_pic_flag", "not that of DECODE_PARAMS");
            }
        }
        if self.params.idr && self.bits.ue() != u32::from(decode_params.idr_pic_id) {
            return self.fault("idr_pic_id", "not that of DECODE_PARAMS");
        }
        self.bits.skip(decode_params.pic_order_cnt_bit_size as usize);
        Ok(())
    }

    /// `num_ref_idx_active_override_flag` and what follows it.
    fn num_ref_idx_active(&mut self, slice_type: SliceType) -> Result<[u8; 2], Error> {
        let pps = &self.controls.pps;
        let lists = lists_of(slice_type);
        let mut active = [
            pps.num_ref_idx_l0_default_active_minus1 + 1,
            pps.num_ref_idx_l1_default_active_minus1 + 1,
        ];
        active[lists..].fill(0);
        if lists > 0 && self.bits.flag() {
            for number in &mut active[..lists] {
                let minus1 = self.bits.ue();
                if minus1 >= MAX_LENGTH as u32 {
                    return self.fault("num_ref_idx_active_minus1", "out of range");
                }
                *number = minus1 as u8 + 1;
            }
        }
        Ok(active)
    }

    /// `ref_pic_list_modification()`, and the lists that come of it.
    fn ref_pic_lists(&mut self, slice_type: SliceType, active: [u8; 2]) -> Result<[RefPicList; 2], Error> {
        let max_frame_num = 1 << (4 + self.controls.sps.log2_max_frame_num_minus4);
        let builder = RefListBuilder::new(self.params, max_frame_num);
        let mut result = [[None; MAX_LENGTH]; 2];
        for list in 0..lists_of(slice_type) {
            let modifications = self.modifications()?;
            let commands = &modifications.commands[..modifications.len];
            result[list] = builder.build(slice_type, list, active[list], commands);
        }
        Ok(result)
    }

    /// The commands for one list.
    fn modifications(&mut self) -> Result<Modifications, Error> {
        let mut modifications = Modifications {
            commands: [Modification::LongTerm(0); MAX_LENGTH],
            len: 0,
        };
        if !self.bits.flag() {
            return Ok(modifications);
        }
        loop {
            let idc = self.bits.ue();
            if idc == 3 {
                return Ok(modifications);
            }
            let value = self.bits.ue();
            let command = match idc {
                0 => Modification::Subtract(value.saturating_add(1)),
                1 => Modification::Add(value.saturating_add(1)),
                2 => Modification::LongTerm(value),
                _ => return self.fault("modification_of_pic_nums_idc", "out of range"),
            };
            let Some(place) = modifications.commands.get_mut(modifications.len) else {
                return self.fault("ref_pic_list_modification", "more commands than indices");
            };
            *place = command;
            modifications.len += 1;
        }
    }

    /// `pred_weight_table()`.
    fn pred_weight_table(&mut self, active: [u8; 2]) -> Result<PredWeightTable, Error> {
        let chroma = self.params.chroma_format != ChromaFormat::Monochrome;
        let luma_denom = self.bits.ue();
        let chroma_denom = if chroma { self.bits.ue() } else { 0 };
        if luma_denom > 7 || chroma_denom > 7 {
            return self.fault("log2_weight_denom", "out of range");
        }
        let default = Weight {
            weight: [1 << luma_denom, 1 << chroma_denom, 1 << chroma_denom],
            offset: [0; 3],
        };
        let mut weights = [[default; MAX_LENGTH]; 2];
        for (weights, active) in weights.iter_mut().zip(active) {
            for weight in &mut weights[..active.into()] {
                if self.bits.flag() {
                    (weight.weight[0], weight.offset[0]) = self.weight_and_offset()?;
                }
                if chroma && self.bits.flag() {
                    for component in 1..3 {
                        (weight.weight[component], weight.offset[component]) = self.weight_and_offset()?;
                    }
                }
            }
        }
        Ok(PredWeightTable {
            luma_log2_weight_denom: luma_denom as u8,
            chroma_log2_weight_denom: chroma_denom as u8,
            weights,
        })
    }

    /// A weight and its offset.
    fn weight_and_offset(&mut self) -> Result<(i16, i16), Error> {
        match (self.bits.se(), self.bits.se()) {
            (weight @ -128..=127, offset @ -128..=127) => Ok((weight as i16, offset as i16)),
            _ => self.fault("pred_weight_table", "a weight or offset is out of range"),
        }
    }

    /// `cabac_init_idc`, where there is one.
    fn cabac_init_idc(&mut self, slice_type: SliceType) -> Result<Option<u8>, Error> {
        if !self.params.entropy_coding_mode_flag || slice_type == SliceType::I {
            return Ok(None);
        }
        match self.bits.ue() {
            idc @ 0..=2 => Ok(Some(idc as u8)),
            _ => self.fault("cabac_init_idc", "out of range"),
        }
    }

    /// `disable_deblocking_filter_idc` and the two offsets.
    fn deblocking(&mut self) -> Result<(u8, [i8; 2]), Error> {
        let flags = u32::from(self.controls.pps.flags);
        if flags & v4l2::V4L2_H264_PPS_FLAG_DEBLOCKING_FILTER_CONTROL_PRESENT == 0 {
            return Ok((0, [0; 2]));
        }
        match self.bits.ue() {
            1 => Ok((1, [0; 2])),
            idc @ (0 | 2) => match (self.bits.se(), self.bits.se()) {
                (a @ -6..=6, b @ -6..=6) => Ok((idc as u8, [2 * a as i8, 2 * b as i8])),
                _ => self.fault("slice_alpha_c0_offset_div2", "one of the two offsets is out of range"),
            },
            _ => self.fault("disable_deblocking_filter_idc", "out of range"),
        }
    }
}

/// How many lists a slice type uses.
fn lists_of(slice_type: SliceType) -> usize {
    match slice_type {
        SliceType::I => 0,
        SliceType::P => 1,
        SliceType::B => 2,
    }
}

#[cfg(test)]
mod tests;
