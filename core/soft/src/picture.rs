//! The validated view of the picture-level controls.

/// Size of the DPB in the uAPI (`V4L2_H264_NUM_DPB_ENTRIES`).
pub const DPB_SIZE: usize = 16;

/// A field's parity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// Top field.
    Top,
    /// Bottom field.
    Bottom,
}

impl Parity {
    /// The other one.
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Top => Self::Bottom,
            Self::Bottom => Self::Top,
        }
    }

    /// The parity of the field that a reference index of a field macroblock of this parity names (8.4.2.1).
    pub(crate) fn of_field_ref_idx(self, ref_idx: usize) -> Self {
        if ref_idx.is_multiple_of(2) {
            self
        } else {
            self.opposite()
        }
    }
}

/// What is coded in this picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// A frame.
    Frame {
        /// `MbaffFrameFlag`.
        mbaff: bool,
    },
    /// One field.
    Field(Parity),
}

impl Structure {
    /// The parity of a field.
    pub(crate) fn parity(self) -> Option<Parity> {
        match self {
            Self::Frame { .. } => None,
            Self::Field(parity) => Some(parity),
        }
    }

    /// How many pictures of this structure make a frame.
    pub(crate) fn pictures_per_frame(self) -> usize {
        match self {
            Self::Frame { .. } => 1,
            Self::Field(_) => 2,
        }
    }

    /// `MbaffFrameFlag`.
    pub(crate) fn is_mbaff(self) -> bool {
        self == Self::Frame { mbaff: true }
    }
}

/// `chroma_format_idc` that this crate has types for; 4:4:4 is never decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChromaFormat {
    /// 4:0:0; output planes get mid-grey chroma.
    Monochrome,
    /// 4:2:0.
    Yuv420,
    /// 4:2:2.
    Yuv422,
}

impl ChromaFormat {
    /// `MbHeightC`: rows of chroma in a macroblock; without chroma those of the grey that stands there.
    #[inline(always)]
    pub fn mb_height_c(self) -> usize {
        match self {
            Self::Monochrome | Self::Yuv420 => 8,
            Self::Yuv422 => 16,
        }
    }
}

/// One entry of `v4l2_ctrl_h264_decode_params.dpb` that is valid and active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DpbEntry {
    /// `reference_ts`, which names the CAPTURE buffer.
    pub reference_ts: u64,
    /// `FrameNum`; `LongTermFrameIdx` of a long-term entry.
    pub frame_num: u16,
    /// `PicNum` or `LongTermPicNum`, as the application gave it.
    pub pic_num: u32,
    /// Long-term reference.
    pub long_term: bool,
    /// The top field is a reference.
    pub top: bool,
    /// The bottom field is a reference.
    pub bottom: bool,
    /// `TopFieldOrderCnt`.
    pub top_field_order_cnt: i32,
    /// `BottomFieldOrderCnt`.
    pub bottom_field_order_cnt: i32,
}

/// Scaling lists in the order of the uAPI: 4x4 Y, Cb, Cr intra, then inter; 8x8 intra Y, inter Y; each in raster order,
/// as `v4l2_ctrl_h264_scaling_matrix` is documented (after the inverse scan, not in the order of the syntax).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalingMatrix {
    /// `ScalingList4x4`.
    pub lists_4x4: [[u8; 16]; 6],
    /// `ScalingList8x8`, intra Y and inter Y (4:4:4 would have six).
    pub lists_8x8: [[u8; 64]; 2],
}

/// All that holds for every slice of a picture, checked against the limits of this crate.
#[derive(Clone, Debug)]
pub struct PictureParams {
    /// Frame, MBAFF frame or field.
    pub structure: Structure,
    /// `PicWidthInMbs`.
    pub width_in_mbs: u32,
    /// `PicHeightInMbs` of this picture (half a frame's for a field).
    pub height_in_mbs: u32,
    /// Chroma sampling.
    pub chroma_format: ChromaFormat,
    /// `BitDepth_Y`.
    pub bit_depth_luma: u8,
    /// `BitDepth_C`.
    pub bit_depth_chroma: u8,
    /// `entropy_coding_mode_flag`.
    pub entropy_coding_mode_flag: bool,
    /// `transform_8x8_mode_flag`.
    pub transform_8x8_mode_flag: bool,
    /// `direct_8x8_inference_flag`.
    pub direct_8x8_inference_flag: bool,
    /// `constrained_intra_pred_flag`.
    pub constrained_intra_pred_flag: bool,
    /// `weighted_pred_flag`.
    pub weighted_pred_flag: bool,
    /// `weighted_bipred_idc`, 0 to 2.
    pub weighted_bipred_idc: u8,
    /// `chroma_qp_index_offset` of Cb and Cr.
    pub chroma_qp_index_offset: [i8; 2],
    /// `26 + pic_init_qp_minus26`.
    pub pic_init_qp: i8,
    /// The scaling lists in force (flat 16 without a matrix).
    pub scaling: ScalingMatrix,
    /// `nal_ref_idc`.
    pub nal_ref_idc: u8,
    /// `IdrPicFlag`.
    pub idr: bool,
    /// `frame_num`.
    pub frame_num: u16,
    /// `TopFieldOrderCnt`.
    pub top_field_order_cnt: i32,
    /// `BottomFieldOrderCnt`.
    pub bottom_field_order_cnt: i32,
    /// The DPB as the application gave it; `None` where an entry is not valid or not active.
    pub dpb: [Option<DpbEntry>; DPB_SIZE],
}
