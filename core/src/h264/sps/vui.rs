//! `vui_parameters()` and `hrd_parameters()` (E.1.1, E.1.2).

use super::{BitstreamRestriction, ColourDescription, HrdParameters, TimingInfo, Vui};
use crate::BitstreamError;
use crate::h264::bit_reader::{BitReader, Structure};

const VUI: Structure = Structure {
    name: "vui_parameters",
    clause: "E.2.1",
};
const HRD: Structure = Structure {
    name: "hrd_parameters",
    clause: "E.2.2",
};

/// `aspect_ratio_idc` that says that the ratio is coded.
const EXTENDED_SAR: u8 = 255;

/// Sample aspect ratios by `aspect_ratio_idc` from 1 on (table E-1).
const SAMPLE_ASPECT_RATIOS: [(u16, u16); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

/// Reads the VUI; where it is cut off or senseless, what came before stays: pictures do not depend on it.
pub(super) fn parse_vui(r: &mut BitReader<'_>) -> Vui {
    let mut vui = Vui::default();
    r.enter(VUI);
    if let Err(error) = read_vui(r, &mut vui) {
        tracing::warn!("the rest of the VUI is ignored: {error}");
    }
    vui
}

fn read_vui(r: &mut BitReader<'_>, vui: &mut Vui) -> Result<(), BitstreamError> {
    if r.flag("aspect_ratio_info_present_flag")? {
        vui.sample_aspect_ratio = sample_aspect_ratio(r)?;
    }
    if r.flag("overscan_info_present_flag")? {
        r.flag("overscan_appropriate_flag")?;
    }
    if r.flag("video_signal_type_present_flag")? {
        r.skip(3, "video_format")?;
        vui.video_full_range_flag = Some(r.flag("video_full_range_flag")?);
        if r.flag("colour_description_present_flag")? {
            vui.colour_description = Some(ColourDescription {
                colour_primaries: r.bits(8, "colour_primaries")?,
                transfer_characteristics: r.bits(8, "transfer_characteristics")?,
                matrix_coefficients: r.bits(8, "matrix_coefficients")?,
            });
        }
    }
    if r.flag("chroma_loc_info_present_flag")? {
        let top = r.ue_max(5, "chroma_sample_loc_type_top_field")?;
        let bottom = r.ue_max(5, "chroma_sample_loc_type_bottom_field")?;
        vui.chroma_sample_loc_type = Some((top, bottom));
    }
    if r.flag("timing_info_present_flag")? {
        vui.timing_info = Some(TimingInfo {
            num_units_in_tick: r.bits(32, "num_units_in_tick")?,
            time_scale: r.bits(32, "time_scale")?,
            fixed_frame_rate_flag: r.flag("fixed_frame_rate_flag")?,
        });
    }
    if r.flag("nal_hrd_parameters_present_flag")? {
        vui.nal_hrd_parameters = Some(hrd_parameters(r)?);
    }
    if r.flag("vcl_hrd_parameters_present_flag")? {
        vui.vcl_hrd_parameters = Some(hrd_parameters(r)?);
    }
    if vui.nal_hrd_parameters.or(vui.vcl_hrd_parameters).is_some() {
        r.flag("low_delay_hrd_flag")?;
    }
    vui.pic_struct_present_flag = r.flag("pic_struct_present_flag")?;
    if r.flag("bitstream_restriction_flag")? {
        vui.bitstream_restriction = Some(bitstream_restriction(r)?);
    }
    Ok(())
}

fn sample_aspect_ratio(r: &mut BitReader<'_>) -> Result<Option<(u16, u16)>, BitstreamError> {
    match r.bits(8, "aspect_ratio_idc")? {
        EXTENDED_SAR => {
            let ratio = (r.bits(16, "sar_width")?, r.bits(16, "sar_height")?);
            Ok(Some(ratio).filter(|&(width, height)| width != 0 && height != 0))
        }
        idc => Ok(usize::from(idc)
            .checked_sub(1)
            .and_then(|index| SAMPLE_ASPECT_RATIOS.get(index))
            .copied()),
    }
}

fn hrd_parameters(r: &mut BitReader<'_>) -> Result<HrdParameters, BitstreamError> {
    r.enter(HRD);
    let cpb_cnt_minus1 = r.ue_max(31_u8, "cpb_cnt_minus1")?;
    r.skip(4, "bit_rate_scale")?;
    r.skip(4, "cpb_size_scale")?;
    for _ in 0..=cpb_cnt_minus1 {
        r.ue("bit_rate_value_minus1")?;
        r.ue("cpb_size_value_minus1")?;
        r.flag("cbr_flag")?;
    }
    let hrd = HrdParameters {
        initial_cpb_removal_delay_length_minus1: r.bits(5, "initial_cpb_removal_delay_length_minus1")?,
        cpb_removal_delay_length_minus1: r.bits(5, "cpb_removal_delay_length_minus1")?,
        dpb_output_delay_length_minus1: r.bits(5, "dpb_output_delay_length_minus1")?,
        time_offset_length: r.bits(5, "time_offset_length")?,
    };
    r.enter(VUI);
    Ok(hrd)
}

fn bitstream_restriction(r: &mut BitReader<'_>) -> Result<BitstreamRestriction, BitstreamError> {
    r.flag("motion_vectors_over_pic_boundaries_flag")?;
    r.ue("max_bytes_per_pic_denom")?;
    r.ue("max_bits_per_mb_denom")?;
    r.ue("log2_max_mv_length_horizontal")?;
    r.ue("log2_max_mv_length_vertical")?;
    Ok(BitstreamRestriction {
        max_num_reorder_frames: r.ue("max_num_reorder_frames")?,
        max_dec_frame_buffering: r.ue("max_dec_frame_buffering")?,
    })
}
