//! [`PictureParams`] from the control structures: every value that later code relies on is checked here.

use v4l2r::bindings as v4l2;

use crate::picture::{ChromaFormat, DPB_SIZE, DpbEntry, Parity, ScalingMatrix, Structure};
use crate::{Controls, Error, PictureParams};

/// `MaxFS` of level 6.2 (table A-1).
const MAX_FRAME_SIZE_IN_MBS: u32 = 139_264;

/// The largest width or height in macroblocks at that frame size: the root of 8 `MaxFS` (A.3.1).
const MAX_DIMENSION_IN_MBS: u32 = 1055;

/// [`check`] of a field that has the name of its syntax element.
macro_rules! check_field {
    ($control:expr, $structure:ident.$field:ident, $allowed:expr) => {
        $crate::entropy::params::check($control, stringify!($field), $structure.$field, $allowed)
    };
}
pub(super) use check_field;

impl PictureParams {
    /// The picture that `controls` describe.
    ///
    /// # Errors
    /// [`Error::Control`] for a value that the uAPI or H.264 forbids, [`Error::Unsupported`] for what this crate cannot
    /// decode.
    pub fn from_controls(controls: &Controls) -> Result<Self, Error> {
        let Controls {
            sps,
            pps,
            decode_params: picture,
            ..
        } = controls;
        check_decodable(controls)?;
        let structure = structure(controls);
        let [width_in_mbs, height_in_mbs] = size_in_mbs(sps, structure)?;
        check_ranges(controls)?;
        let pps_flag = |flag: u32| u32::from(pps.flags) & flag != 0;
        Ok(Self {
            structure,
            width_in_mbs,
            height_in_mbs,
            chroma_format: chroma_format(sps)?,
            bit_depth_luma: 8 + sps.bit_depth_luma_minus8,
            bit_depth_chroma: 8 + sps.bit_depth_chroma_minus8,
            entropy_coding_mode_flag: pps_flag(v4l2::V4L2_H264_PPS_FLAG_ENTROPY_CODING_MODE),
            transform_8x8_mode_flag: pps_flag(v4l2::V4L2_H264_PPS_FLAG_TRANSFORM_8X8_MODE),
            direct_8x8_inference_flag: sps.flags & v4l2::V4L2_H264_SPS_FLAG_DIRECT_8X8_INFERENCE != 0,
            constrained_intra_pred_flag: pps_flag(v4l2::V4L2_H264_PPS_FLAG_CONSTRAINED_INTRA_PRED),
            weighted_pred_flag: pps_flag(v4l2::V4L2_H264_PPS_FLAG_WEIGHTED_PRED),
            weighted_bipred_idc: pps.weighted_bipred_idc,
            chroma_qp_index_offset: [pps.chroma_qp_index_offset, pps.second_chroma_qp_index_offset],
            pic_init_qp: 26 + pps.pic_init_qp_minus26,
            scaling: scaling(controls),
            nal_ref_idc: picture.nal_ref_idc as u8,
            idr: picture.flags & v4l2::V4L2_H264_DECODE_PARAM_FLAG_IDR_PIC != 0,
            frame_num: picture.frame_num,
            top_field_order_cnt: picture.top_field_order_cnt,
            bottom_field_order_cnt: picture.bottom_field_order_cnt,
            dpb: dpb(&picture.dpb),
        })
    }
}

/// Whether the numbers that nothing else looks at are in their ranges.
fn check_ranges(controls: &Controls) -> Result<(), Error> {
    let Controls {
        sps,
        pps,
        decode_params: picture,
        ..
    } = controls;
    let least_init_qp = -26 - 6 * i64::from(sps.bit_depth_luma_minus8);
    check_field!("PPS", pps.weighted_bipred_idc, 0..=2)?;
    check_field!("PPS", pps.num_ref_idx_l0_default_active_minus1, 0..=31)?;
    check_field!("PPS", pps.num_ref_idx_l1_default_active_minus1, 0..=31)?;
    check_field!("PPS", pps.chroma_qp_index_offset, -12..=12)?;
    check_field!("PPS", pps.second_chroma_qp_index_offset, -12..=12)?;
    check_field!("PPS", pps.pic_init_qp_minus26, least_init_qp..=25)?;
    check_field!("SPS", sps.log2_max_frame_num_minus4, 0..=12)?;
    check_field!("DECODE_PARAMS", picture.nal_ref_idc, 0..=3)
}

/// Refuses what no part of this crate decodes; the one place that knows.
fn check_decodable(controls: &Controls) -> Result<(), Error> {
    let Controls { sps, pps, .. } = controls;
    check_field!("SPS", sps.bit_depth_luma_minus8, 0..=6)?;
    check_field!("SPS", sps.bit_depth_chroma_minus8, 0..=6)?;
    let refused = [
        (sps.chroma_format_idc == 3, "4:4:4"),
        (
            sps.bit_depth_luma_minus8 != sps.bit_depth_chroma_minus8 || ![0, 2].contains(&sps.bit_depth_luma_minus8),
            "anything but 8 or 10 bits per sample",
        ),
        (
            sps.flags & v4l2::V4L2_H264_SPS_FLAG_QPPRIME_Y_ZERO_TRANSFORM_BYPASS != 0,
            "lossless coding (qpprime_y_zero_transform_bypass_flag)",
        ),
        (
            pps.num_slice_groups_minus1 > 0,
            "flexible macroblock ordering (more than one slice group)",
        ),
    ];
    match refused.iter().find(|(is_so, _)| *is_so) {
        Some(&(_, feature)) => Err(Error::Unsupported(feature)),
        None => Ok(()),
    }
}

/// `value`, if it is in the range that H.264 allows.
pub(super) fn check<T: Into<i64>>(
    control: &'static str,
    field: &'static str,
    value: T,
    allowed: std::ops::RangeInclusive<i64>,
) -> Result<(), Error> {
    let value = value.into();
    if allowed.contains(&value) {
        Ok(())
    } else {
        Err(Error::Control { control, field, value })
    }
}

/// Frame, MBAFF frame or field.
fn structure(controls: &Controls) -> Structure {
    let flags = controls.decode_params.flags;
    if flags & v4l2::V4L2_H264_DECODE_PARAM_FLAG_FIELD_PIC == 0 {
        const FLAGS: u32 = v4l2::V4L2_H264_SPS_FLAG_MB_ADAPTIVE_FRAME_FIELD | v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY;
        let mbaff = controls.sps.flags & FLAGS == v4l2::V4L2_H264_SPS_FLAG_MB_ADAPTIVE_FRAME_FIELD;
        return Structure::Frame { mbaff };
    }
    let bottom = flags & v4l2::V4L2_H264_DECODE_PARAM_FLAG_BOTTOM_FIELD != 0;
    Structure::Field(if bottom { Parity::Bottom } else { Parity::Top })
}

/// `PicWidthInMbs` and `PicHeightInMbs`.
fn size_in_mbs(sps: &v4l2::v4l2_ctrl_h264_sps, structure: Structure) -> Result<[u32; 2], Error> {
    let frame_mbs_only = sps.flags & v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY != 0;
    let width = u32::from(sps.pic_width_in_mbs_minus1) + 1;
    let map_units = u32::from(sps.pic_height_in_map_units_minus1) + 1;
    let frame_height = if frame_mbs_only { map_units } else { 2 * map_units };
    if width > MAX_DIMENSION_IN_MBS {
        let value = i64::from(sps.pic_width_in_mbs_minus1);
        return Err(Error::Control {
            control: "SPS",
            field: "pic_width_in_mbs_minus1",
            value,
        });
    }
    if frame_height > MAX_DIMENSION_IN_MBS || width * frame_height > MAX_FRAME_SIZE_IN_MBS {
        let value = i64::from(sps.pic_height_in_map_units_minus1);
        return Err(Error::Control {
            control: "SPS",
            field: "pic_height_in_map_units_minus1",
            value,
        });
    }
    match structure {
        Structure::Frame { .. } => Ok([width, frame_height]),
        Structure::Field(_) => Ok([width, frame_height / 2]),
    }
}

/// Chroma sampling.
fn chroma_format(sps: &v4l2::v4l2_ctrl_h264_sps) -> Result<ChromaFormat, Error> {
    match sps.chroma_format_idc {
        0 => Ok(ChromaFormat::Monochrome),
        1 => Ok(ChromaFormat::Yuv420),
        2 => Ok(ChromaFormat::Yuv422),
        idc => Err(Error::Control {
            control: "SPS",
            field: "chroma_format_idc",
            value: idc.into(),
        }),
    }
}

/// The scaling lists in force.
fn scaling(controls: &Controls) -> ScalingMatrix {
    if u32::from(controls.pps.flags) & v4l2::V4L2_H264_PPS_FLAG_SCALING_MATRIX_PRESENT == 0 {
        return ScalingMatrix {
            lists_4x4: [[16; 16]; 6],
            lists_8x8: [[16; 64]; 2],
        };
    }
    let [intra_y, inter_y, ..] = controls.scaling_matrix.scaling_list_8x8;
    ScalingMatrix {
        lists_4x4: controls.scaling_matrix.scaling_list_4x4,
        lists_8x8: [intra_y, inter_y],
    }
}

/// The active entries of the DPB.
fn dpb(entries: &[v4l2::v4l2_h264_dpb_entry; DPB_SIZE]) -> [Option<DpbEntry>; DPB_SIZE] {
    const IN_USE: u32 = v4l2::V4L2_H264_DPB_ENTRY_FLAG_VALID | v4l2::V4L2_H264_DPB_ENTRY_FLAG_ACTIVE;
    entries.map(|entry| {
        (entry.flags & IN_USE == IN_USE).then(|| DpbEntry {
            reference_ts: entry.reference_ts,
            frame_num: entry.frame_num,
            pic_num: entry.pic_num,
            long_term: entry.flags & v4l2::V4L2_H264_DPB_ENTRY_FLAG_LONG_TERM != 0,
            top: u32::from(entry.fields) & v4l2::V4L2_H264_TOP_FIELD_REF != 0,
            bottom: u32::from(entry.fields) & v4l2::V4L2_H264_BOTTOM_FIELD_REF != 0,
            top_field_order_cnt: entry.top_field_order_cnt,
            bottom_field_order_cnt: entry.bottom_field_order_cnt,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One macroblock, 4:2:0, frames only.
    fn smallest() -> Controls {
        let mut controls = Controls::default();
        controls.sps.chroma_format_idc = 1;
        controls.sps.flags = v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY;
        controls
    }

    #[test]
    fn without_the_pps_flag_scaling_is_flat_whatever_the_matrix_holds() {
        let mut controls = smallest();
        controls.scaling_matrix.scaling_list_4x4[3][7] = 99;
        assert_eq!(
            PictureParams::from_controls(&controls).unwrap().scaling.lists_4x4,
            [[16; 16]; 6]
        );
        controls.pps.flags = v4l2::V4L2_H264_PPS_FLAG_SCALING_MATRIX_PRESENT as u16;
        assert_eq!(
            PictureParams::from_controls(&controls).unwrap().scaling.lists_4x4[3][7],
            99
        );
    }

    #[test]
    fn a_frame_of_an_interlaced_sequence_has_two_map_units_per_macroblock_row() {
        let mut controls = smallest();
        controls.sps.pic_height_in_map_units_minus1 = 8;
        assert_eq!(PictureParams::from_controls(&controls).unwrap().height_in_mbs, 9);
        controls.sps.flags = 0;
        assert_eq!(PictureParams::from_controls(&controls).unwrap().height_in_mbs, 18);
    }

    #[test]
    fn a_dpb_entry_counts_only_if_valid_and_active() {
        let mut controls = smallest();
        controls.decode_params.dpb[0].flags = v4l2::V4L2_H264_DPB_ENTRY_FLAG_VALID;
        controls.decode_params.dpb[5].flags =
            v4l2::V4L2_H264_DPB_ENTRY_FLAG_VALID | v4l2::V4L2_H264_DPB_ENTRY_FLAG_ACTIVE;
        let dpb = PictureParams::from_controls(&controls).unwrap().dpb;
        assert_eq!(dpb.map(|entry| entry.is_some()).iter().position(|used| *used), Some(5));
    }

    #[test]
    fn what_is_not_decoded_is_named() {
        let refused = |change: fn(&mut Controls)| {
            let mut controls = smallest();
            change(&mut controls);
            PictureParams::from_controls(&controls).unwrap_err().to_string()
        };
        assert_eq!(refused(|c| c.sps.chroma_format_idc = 3), "4:4:4 is not supported");
        assert!(refused(|c| c.sps.bit_depth_luma_minus8 = 2).contains("8 or 10 bits"));
        assert!(refused(|c| c.pps.num_slice_groups_minus1 = 1).contains("slice group"));
    }

    #[test]
    fn an_illegal_value_names_its_control_and_field() {
        let mut controls = smallest();
        controls.pps.weighted_bipred_idc = 3;
        let error = PictureParams::from_controls(&controls).unwrap_err();
        assert_eq!(error.to_string(), "PPS.weighted_bipred_idc = 3 is not allowed");
        controls = smallest();
        controls.sps.pic_width_in_mbs_minus1 = 1055;
        let error = PictureParams::from_controls(&controls).unwrap_err();
        assert_eq!(error.to_string(), "SPS.pic_width_in_mbs_minus1 = 1055 is not allowed");
    }
}
