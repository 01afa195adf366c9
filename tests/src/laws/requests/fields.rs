//! Every field of the control structures, in the order of the uAPI, for one visitor that reads and one that writes.

use fourier_soft::Controls;

/// A number of a control structure, little endian.
pub trait Number: Copy {
    /// Takes it off the front of `bytes`, which are followed by zeros.
    fn take(bytes: &mut &[u8]) -> Self;
    /// Adds it to `bytes`.
    fn put(self, bytes: &mut Vec<u8>);
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Number for $number {
            fn take(bytes: &mut &[u8]) -> Self {
                let mut value = [0; size_of::<$number>()];
                let there = value.len().min(bytes.len());
                let (front, rest) = bytes.split_at(there);
                value[..there].copy_from_slice(front);
                *bytes = rest;
                Self::from_le_bytes(value)
            }

            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
        }
    )*};
}
numbers!(u8, i8, u16, i16, u32, i32, u64);

/// Sees every field.
pub trait Visitor {
    /// One of them.
    fn visit<N: Number>(&mut self, field: &mut N);

    /// All of an array.
    fn all<'a, N: Number + 'a>(&mut self, fields: impl IntoIterator<Item = &'a mut N>)
    where
        Self: Sized,
    {
        fields.into_iter().for_each(|field| self.visit(field));
    }
}

/// Fills fields from bytes.
#[derive(Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl Visitor for Reader<'_> {
    fn visit<N: Number>(&mut self, field: &mut N) {
        *field = N::take(&mut self.0);
    }
}

/// Adds fields to bytes.
#[derive(Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Visitor for Writer {
    fn visit<N: Number>(&mut self, field: &mut N) {
        field.put(&mut self.0);
    }
}

/// Which of the controls a request brings; the others keep their values, as those of a device do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// `V4L2_CID_STATELESS_H264_SPS`.
    Sps,
    /// `V4L2_CID_STATELESS_H264_PPS`.
    Pps,
    /// `V4L2_CID_STATELESS_H264_SCALING_MATRIX`.
    ScalingMatrix,
    /// `V4L2_CID_STATELESS_H264_DECODE_PARAMS`.
    DecodeParams,
    /// `V4L2_CID_STATELESS_H264_SLICE_PARAMS`.
    SliceParams,
    /// `V4L2_CID_STATELESS_H264_PRED_WEIGHTS`.
    PredWeights,
}

impl Control {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Sps,
        Self::Pps,
        Self::ScalingMatrix,
        Self::DecodeParams,
        Self::SliceParams,
        Self::PredWeights,
    ];

    /// Shows `visitor` the fields of this control.
    pub fn fields(self, controls: &mut Controls, visitor: &mut impl Visitor) {
        match self {
            Self::Sps => sps(controls, visitor),
            Self::Pps => pps(controls, visitor),
            Self::ScalingMatrix => {
                visitor.all(controls.scaling_matrix.scaling_list_4x4.as_flattened_mut());
                visitor.all(controls.scaling_matrix.scaling_list_8x8.as_flattened_mut());
            }
            Self::DecodeParams => decode_params(controls, visitor),
            Self::SliceParams => slice_params(controls, visitor),
            Self::PredWeights => pred_weights(controls, visitor),
        }
    }
}

fn sps(controls: &mut Controls, v: &mut impl Visitor) {
    let sps = &mut controls.sps;
    v.visit(&mut sps.profile_idc);
    v.visit(&mut sps.constraint_set_flags);
    v.visit(&mut sps.level_idc);
    v.visit(&mut sps.seq_parameter_set_id);
    v.visit(&mut sps.chroma_format_idc);
    v.visit(&mut sps.bit_depth_luma_minus8);
    v.visit(&mut sps.bit_depth_chroma_minus8);
    v.visit(&mut sps.log2_max_frame_num_minus4);
    v.visit(&mut sps.pic_order_cnt_type);
    v.visit(&mut sps.log2_max_pic_order_cnt_lsb_minus4);
    v.visit(&mut sps.max_num_ref_frames);
    v.visit(&mut sps.num_ref_frames_in_pic_order_cnt_cycle);
    // The offsets of the cycle are for drivers that count themselves; fourier-soft is not one.
    v.visit(&mut sps.offset_for_non_ref_pic);
    v.visit(&mut sps.offset_for_top_to_bottom_field);
    v.visit(&mut sps.pic_width_in_mbs_minus1);
    v.visit(&mut sps.pic_height_in_map_units_minus1);
    v.visit(&mut sps.flags);
}

fn pps(controls: &mut Controls, v: &mut impl Visitor) {
    let pps = &mut controls.pps;
    v.visit(&mut pps.pic_parameter_set_id);
    v.visit(&mut pps.seq_parameter_set_id);
    v.visit(&mut pps.num_slice_groups_minus1);
    v.visit(&mut pps.num_ref_idx_l0_default_active_minus1);
    v.visit(&mut pps.num_ref_idx_l1_default_active_minus1);
    v.visit(&mut pps.weighted_bipred_idc);
    v.visit(&mut pps.pic_init_qp_minus26);
    v.visit(&mut pps.pic_init_qs_minus26);
    v.visit(&mut pps.chroma_qp_index_offset);
    v.visit(&mut pps.second_chroma_qp_index_offset);
    v.visit(&mut pps.flags);
}

fn decode_params(controls: &mut Controls, v: &mut impl Visitor) {
    let params = &mut controls.decode_params;
    for entry in &mut params.dpb {
        v.visit(&mut entry.reference_ts);
        v.visit(&mut entry.pic_num);
        v.visit(&mut entry.frame_num);
        v.visit(&mut entry.fields);
        v.visit(&mut entry.top_field_order_cnt);
        v.visit(&mut entry.bottom_field_order_cnt);
        v.visit(&mut entry.flags);
    }
    v.visit(&mut params.nal_ref_idc);
    v.visit(&mut params.frame_num);
    v.visit(&mut params.top_field_order_cnt);
    v.visit(&mut params.bottom_field_order_cnt);
    v.visit(&mut params.idr_pic_id);
    v.visit(&mut params.pic_order_cnt_lsb);
    v.visit(&mut params.delta_pic_order_cnt_bottom);
    v.visit(&mut params.delta_pic_order_cnt0);
    v.visit(&mut params.delta_pic_order_cnt1);
    v.visit(&mut params.dec_ref_pic_marking_bit_size);
    v.visit(&mut params.pic_order_cnt_bit_size);
    v.visit(&mut params.slice_group_change_cycle);
    v.visit(&mut params.flags);
}

fn slice_params(controls: &mut Controls, v: &mut impl Visitor) {
    let params = &mut controls.slice_params;
    v.visit(&mut params.header_bit_size);
    v.visit(&mut params.first_mb_in_slice);
    v.visit(&mut params.slice_type);
    v.visit(&mut params.colour_plane_id);
    v.visit(&mut params.redundant_pic_cnt);
    v.visit(&mut params.cabac_init_idc);
    v.visit(&mut params.slice_qp_delta);
    v.visit(&mut params.slice_qs_delta);
    v.visit(&mut params.disable_deblocking_filter_idc);
    v.visit(&mut params.slice_alpha_c0_offset_div2);
    v.visit(&mut params.slice_beta_offset_div2);
    v.visit(&mut params.num_ref_idx_l0_active_minus1);
    v.visit(&mut params.num_ref_idx_l1_active_minus1);
    for entry in params.ref_pic_list0.iter_mut().chain(&mut params.ref_pic_list1) {
        v.visit(&mut entry.fields);
        v.visit(&mut entry.index);
    }
    v.visit(&mut params.flags);
}

fn pred_weights(controls: &mut Controls, v: &mut impl Visitor) {
    let weights = &mut controls.pred_weights;
    v.visit(&mut weights.luma_log2_weight_denom);
    v.visit(&mut weights.chroma_log2_weight_denom);
    for factors in &mut weights.weight_factors {
        v.all(&mut factors.luma_weight);
        v.all(&mut factors.luma_offset);
        v.all(factors.chroma_weight.as_flattened_mut());
        v.all(factors.chroma_offset.as_flattened_mut());
    }
}
