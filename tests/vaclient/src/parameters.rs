//! A picture in VA's terms: the structures that go into its parameter buffers.

use fourier_core::decode::job::{ListEntry, Reference, ReferencePicture};
use fourier_core::h264::slice_header::{PredWeight, SliceType};
use fourier_core::h264::sps::PicOrderCntType;
use fourier_core::h264::{Parity, PictureStructure, Pps, SliceHeader, Sps};

use crate::ffi::va;

/// Entries of `ReferenceFrames`.
const MAX_REFERENCES: usize = 16;

/// A picture as the decoder knows it, and how to name surfaces.
#[derive(Debug)]
pub struct Coded<'a> {
    /// Active SPS.
    pub sps: &'a Sps,
    /// Active PPS of the first slice.
    pub pps: &'a Pps,
    /// The first slice.
    pub first: &'a SliceHeader,
    /// Where it is decoded.
    pub target: va::VASurfaceID,
    /// `TopFieldOrderCnt`, `BottomFieldOrderCnt`.
    pub field_order_cnt: [i32; 2],
    /// What it may refer to.
    pub references: &'a [ReferencePicture],
    /// The surfaces of these.
    pub surfaces: Vec<va::VASurfaceID>,
    /// Added to every count.
    pub order_count_base: i32,
}

/// No picture.
fn nothing() -> va::VAPictureH264 {
    va::VAPictureH264 {
        picture_id: va::VA_INVALID_SURFACE,
        flags: va::VA_PICTURE_H264_INVALID,
        ..Default::default()
    }
}

fn field_flag(parity: Parity) -> u32 {
    match parity {
        Parity::Top => va::VA_PICTURE_H264_TOP_FIELD,
        Parity::Bottom => va::VA_PICTURE_H264_BOTTOM_FIELD,
    }
}

impl Coded<'_> {
    /// `VAPictureParameterBufferH264`.
    pub fn picture(&self) -> va::VAPictureParameterBufferH264 {
        let (sps, pps) = (self.sps, self.pps);
        let mut reference_frames = [nothing(); MAX_REFERENCES];
        for (n, frame) in reference_frames.iter_mut().enumerate() {
            *frame = self.reference(n, None);
        }
        va::VAPictureParameterBufferH264 {
            CurrPic: self.current(),
            ReferenceFrames: reference_frames,
            picture_width_in_mbs_minus1: sps.pic_width_in_mbs_minus1,
            picture_height_in_mbs_minus1: (sps.frame_height_in_mbs() - 1) as u16,
            bit_depth_luma_minus8: sps.bit_depth_luma_minus8,
            bit_depth_chroma_minus8: sps.bit_depth_chroma_minus8,
            num_ref_frames: sps.max_num_ref_frames,
            seq_fields: va::_VAPictureParameterBufferH264__bindgen_ty_1 { bits: seq_fields(sps) },
            pic_init_qp_minus26: pps.pic_init_qp_minus26,
            pic_init_qs_minus26: pps.pic_init_qs_minus26,
            chroma_qp_index_offset: pps.chroma_qp_index_offset,
            second_chroma_qp_index_offset: pps.second_chroma_qp_index_offset,
            pic_fields: va::_VAPictureParameterBufferH264__bindgen_ty_2 {
                bits: pic_fields(pps, self.first),
            },
            frame_num: self.first.frame_num,
            ..Default::default()
        }
    }

    fn current(&self) -> va::VAPictureH264 {
        let is_reference = self.first.nal_ref_idc != 0;
        let parity = self.first.structure.parity();
        let reference_flag = if is_reference {
            va::VA_PICTURE_H264_SHORT_TERM_REFERENCE
        } else {
            0
        };
        let [top, bottom] = self
            .field_order_cnt
            .map(|count| count.wrapping_add(self.order_count_base));
        va::VAPictureH264 {
            picture_id: self.target,
            frame_idx: self.first.frame_num.into(),
            flags: reference_flag | parity.map_or(0, field_flag),
            TopFieldOrderCnt: top,
            BottomFieldOrderCnt: bottom,
            ..Default::default()
        }
    }

    /// The reference of that number, or a field of it.
    fn reference(&self, n: usize, parity: Option<Parity>) -> va::VAPictureH264 {
        let (Some(reference), Some(&surface)) = (self.references.get(n), self.surfaces.get(n)) else {
            return nothing();
        };
        let (frame_idx, kind) = match reference.reference {
            Reference::ShortTerm { frame_num, .. } => (frame_num, va::VA_PICTURE_H264_SHORT_TERM_REFERENCE),
            Reference::LongTerm {
                long_term_frame_idx, ..
            } => (long_term_frame_idx, va::VA_PICTURE_H264_LONG_TERM_REFERENCE),
        };
        let fields = match (parity, reference.fields) {
            (Some(parity), _) => field_flag(parity),
            (None, [true, false]) => va::VA_PICTURE_H264_TOP_FIELD,
            (None, [false, true]) => va::VA_PICTURE_H264_BOTTOM_FIELD,
            (None, _) => 0,
        };
        let [top, bottom] = reference
            .field_order_cnt
            .map(|count| count.wrapping_add(self.order_count_base));
        va::VAPictureH264 {
            picture_id: surface,
            frame_idx: frame_idx.into(),
            flags: kind | fields,
            TopFieldOrderCnt: top,
            BottomFieldOrderCnt: bottom,
            ..Default::default()
        }
    }

    /// `VAIQMatrixBufferH264`: flat lists where the stream has none.
    pub fn matrices(&self) -> va::VAIQMatrixBufferH264 {
        let mut matrices = va::VAIQMatrixBufferH264 {
            ScalingList4x4: [[16; 16]; 6],
            ScalingList8x8: [[16; 64]; 2],
            ..Default::default()
        };
        if let Some(lists) = self.pps.scaling_lists(self.sps) {
            matrices.ScalingList4x4 = lists.lists_4x4.map(|list| raster::<16, 4>(&list));
            let [intra, inter, ..] = lists.lists_8x8;
            matrices.ScalingList8x8 = [raster::<64, 8>(&intra), raster::<64, 8>(&inter)];
        }
        matrices
    }

    /// `VASliceParameterBufferH264`, but for where its data is.
    pub fn slice(&self, header: &SliceHeader, lists: &[Vec<Option<ListEntry>>; 2]) -> va::VASliceParameterBufferH264 {
        let [l0, l1] = lists;
        let active_minus1 = |list: usize| header.num_ref_idx_active[list].saturating_sub(1);
        let mut slice = va::VASliceParameterBufferH264 {
            slice_data_bit_offset: header.header_bit_size as u16,
            first_mb_in_slice: header.first_mb_in_slice as u16,
            slice_type: match header.slice_type {
                SliceType::P => 0,
                SliceType::B => 1,
                SliceType::I => 2,
                SliceType::Sp => 3,
                SliceType::Si => 4,
            },
            direct_spatial_mv_pred_flag: header.direct_spatial_mv_pred_flag.into(),
            num_ref_idx_l0_active_minus1: active_minus1(0),
            num_ref_idx_l1_active_minus1: active_minus1(1),
            cabac_init_idc: header.cabac_init_idc,
            slice_qp_delta: header.slice_qp_delta,
            disable_deblocking_filter_idc: header.disable_deblocking_filter_idc,
            slice_alpha_c0_offset_div2: header.slice_alpha_c0_offset_div2,
            slice_beta_offset_div2: header.slice_beta_offset_div2,
            RefPicList0: self.list(l0),
            RefPicList1: self.list(l1),
            ..Default::default()
        };
        weigh(&mut slice, header);
        slice
    }

    fn list(&self, entries: &[Option<ListEntry>]) -> [va::VAPictureH264; 32] {
        let mut list = [nothing(); 32];
        for (place, entry) in list.iter_mut().zip(entries) {
            if let Some(entry) = entry {
                *place = self.reference(entry.reference.into(), entry.parity);
            }
        }
        list
    }
}

fn seq_fields(sps: &Sps) -> va::_VAPictureParameterBufferH264__bindgen_ty_1__bindgen_ty_1 {
    let mut bits = va::_VAPictureParameterBufferH264__bindgen_ty_1__bindgen_ty_1::default();
    bits.set_chroma_format_idc(sps.chroma_format_idc.into());
    bits.set_residual_colour_transform_flag(sps.separate_colour_plane_flag.into());
    bits.set_gaps_in_frame_num_value_allowed_flag(sps.gaps_in_frame_num_value_allowed_flag.into());
    bits.set_frame_mbs_only_flag(sps.frame_mbs_only_flag.into());
    bits.set_mb_adaptive_frame_field_flag(sps.mb_adaptive_frame_field_flag.into());
    bits.set_direct_8x8_inference_flag(sps.direct_8x8_inference_flag.into());
    // A.3.3.2: from level 3.1 on.
    bits.set_MinLumaBiPredSize8x8((sps.level_idc >= 31).into());
    bits.set_log2_max_frame_num_minus4(sps.log2_max_frame_num_minus4.into());
    match sps.pic_order_cnt_type {
        PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4,
        } => bits.set_log2_max_pic_order_cnt_lsb_minus4(log2_max_pic_order_cnt_lsb_minus4.into()),
        PicOrderCntType::Type1 {
            delta_pic_order_always_zero_flag,
            ..
        } => {
            bits.set_pic_order_cnt_type(1);
            bits.set_delta_pic_order_always_zero_flag(delta_pic_order_always_zero_flag.into());
        }
        PicOrderCntType::Type2 => bits.set_pic_order_cnt_type(2),
    }
    bits
}

fn pic_fields(pps: &Pps, first: &SliceHeader) -> va::_VAPictureParameterBufferH264__bindgen_ty_2__bindgen_ty_1 {
    let mut bits = va::_VAPictureParameterBufferH264__bindgen_ty_2__bindgen_ty_1::default();
    bits.set_entropy_coding_mode_flag(pps.entropy_coding_mode_flag.into());
    bits.set_weighted_pred_flag(pps.weighted_pred_flag.into());
    bits.set_weighted_bipred_idc(pps.weighted_bipred_idc.into());
    bits.set_transform_8x8_mode_flag(pps.transform_8x8_mode_flag.into());
    bits.set_field_pic_flag((first.structure != PictureStructure::Frame).into());
    bits.set_constrained_intra_pred_flag(pps.constrained_intra_pred_flag.into());
    bits.set_pic_order_present_flag(pps.bottom_field_pic_order_in_frame_present_flag.into());
    bits.set_deblocking_filter_control_present_flag(pps.deblocking_filter_control_present_flag.into());
    bits.set_redundant_pic_cnt_present_flag(pps.redundant_pic_cnt_present_flag.into());
    bits.set_reference_pic_flag((first.nal_ref_idc != 0).into());
    bits
}

/// The prediction weights of a slice that has any.
fn weigh(slice: &mut va::VASliceParameterBufferH264, header: &SliceHeader) {
    let Some(table) = &header.pred_weight_table else {
        return;
    };
    slice.luma_log2_weight_denom = table.luma_log2_weight_denom;
    slice.chroma_log2_weight_denom = table.chroma_log2_weight_denom;
    let [l0, l1] = &table.weights;
    let luma = |of: fn(&PredWeight) -> i16, list: &[PredWeight]| array(list, of);
    slice.luma_weight_l0_flag = 1;
    slice.chroma_weight_l0_flag = 1;
    slice.luma_weight_l0 = luma(|entry| entry.weight[0], l0);
    slice.luma_offset_l0 = luma(|entry| entry.offset[0], l0);
    slice.chroma_weight_l0 = array(l0, |entry| [entry.weight[1], entry.weight[2]]);
    slice.chroma_offset_l0 = array(l0, |entry| [entry.offset[1], entry.offset[2]]);
    if header.slice_type == SliceType::B {
        slice.luma_weight_l1_flag = 1;
        slice.chroma_weight_l1_flag = 1;
        slice.luma_weight_l1 = luma(|entry| entry.weight[0], l1);
        slice.luma_offset_l1 = luma(|entry| entry.offset[0], l1);
        slice.chroma_weight_l1 = array(l1, |entry| [entry.weight[1], entry.weight[2]]);
        slice.chroma_offset_l1 = array(l1, |entry| [entry.offset[1], entry.offset[2]]);
    }
}

fn array<T: Copy + Default>(list: &[PredWeight], of: impl Fn(&PredWeight) -> T) -> [T; 32] {
    let mut array = [T::default(); 32];
    for (place, entry) in array.iter_mut().zip(list) {
        *place = of(entry);
    }
    array
}

/// A list in zig-zag order, put into raster order (6.4.x, figure 6-8): along the diagonals, up and down in turn.
fn raster<const LENGTH: usize, const SIDE: usize>(zig_zag: &[u8; LENGTH]) -> [u8; LENGTH] {
    let mut raster = [0; LENGTH];
    let diagonals = (0..2 * SIDE - 1).flat_map(|sum| {
        let on_it = (0..SIDE).filter(move |&y| sum >= y && sum - y < SIDE);
        let down: Vec<_> = on_it.map(|y| y * SIDE + (sum - y)).collect();
        let up: Vec<_> = down.iter().rev().copied().collect();
        if sum % 2 == 0 { up } else { down }
    });
    for (&value, place) in zig_zag.iter().zip(diagonals) {
        raster[place] = value;
    }
    raster
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zig_zag_scan_begins_to_the_right_and_ends_in_the_last_corner() {
        let numbers: [u8; 16] = std::array::from_fn(|n| n as u8);
        let rows = [[0, 1, 5, 6], [2, 4, 7, 12], [3, 8, 11, 13], [9, 10, 14, 15]];
        assert_eq!(raster::<16, 4>(&numbers), *rows.as_flattened());
    }
}
