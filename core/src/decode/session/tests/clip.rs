//! A stream that tests write picture by picture: I_PCM pictures of one value, and P pictures that copy a reference.

use crate::decode::{DecodeJob, SliceJob};
use crate::h264::reference::{ListEntry, Reference, ReferencePicture};
use crate::h264::slice_header::{PicOrderCnt, RefPicListModification, SliceHeader, SliceType};
use crate::h264::sps::PicOrderCntType;
use crate::h264::write::{self, bits::BitWriter};
use crate::h264::{Parity, PictureId, PictureStructure, Pps, Sps, samples};

/// `frame_num` has this many bits.
const FRAME_NUM_BITS: u32 = 12;

/// What the slices of a picture do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode) enum Coding {
    /// Every sample has this value.
    Value(u8),
    /// Every macroblock is skipped: the samples of this picture.
    CopyOf(PictureId),
}

/// A coded picture with all that its job borrows.
#[derive(Clone, Debug)]
pub(in crate::decode) struct Coded {
    pub id: PictureId,
    pub coding: Coding,
    pub second_field: bool,
    pub references: Vec<ReferencePicture>,
    pub nals: Vec<(SliceHeader, Vec<u8>)>,
}

/// A stream of `width` x `height` macroblocks.
#[derive(Debug)]
pub(in crate::decode) struct Clip {
    pub sps: Sps,
    pub pps: Pps,
    width: u32,
    height: u32,
    /// Slices of a picture; a multiple of macroblock rows each.
    slices: u32,
    next: u64,
    /// The last pictures, newest first: all are references.
    references: Vec<PictureId>,
    pub max_references: usize,
}

impl Clip {
    pub fn new(width: u32, height: u32) -> Self {
        let sps = Sps {
            level_idc: 51,
            log2_max_frame_num_minus4: FRAME_NUM_BITS as u8 - 4,
            pic_order_cnt_type: PicOrderCntType::Type2,
            max_num_ref_frames: 16,
            pic_width_in_mbs_minus1: width as u16 - 1,
            pic_height_in_map_units_minus1: height as u16 - 1,
            ..samples::sps()
        };
        let pps = Pps {
            pic_parameter_set_id: samples::header(0, 0).pic_parameter_set_id,
            seq_parameter_set_id: sps.seq_parameter_set_id,
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
        };
        Self {
            sps,
            pps,
            width,
            height,
            slices: 1,
            next: 0,
            references: Vec::new(),
            max_references: 4,
        }
    }

    /// The same in so many slices.
    pub fn in_slices(self, slices: u32) -> Self {
        Self { slices, ..self }
    }

    /// The same with the last so many pictures as references.
    pub fn with_references(self, max_references: usize) -> Self {
        Self { max_references, ..self }
    }

    /// The same in a sequence that permits fields: its frames are twice as high.
    pub fn interlaced(mut self) -> Self {
        self.sps.frame_mbs_only_flag = false;
        self.sps.direct_8x8_inference_flag = true;
        self
    }

    /// The next picture as two fields of these values. It refers to nothing.
    pub fn code_fields(&mut self, values: [u8; 2]) -> [Coded; 2] {
        let id = PictureId(self.next);
        let fields = [Parity::Top, Parity::Bottom].map(|parity| Coded {
            id,
            coding: Coding::Value(values[parity.index()]),
            second_field: parity == Parity::Bottom,
            references: Vec::new(),
            nals: vec![self.slice(
                Coding::Value(values[parity.index()]),
                PictureStructure::Field(parity),
                0,
                self.width * self.height,
            )],
        });
        self.next += 1;
        fields
    }

    /// The next picture in decoding order. The first must have a value: it is an IDR picture.
    pub fn code(&mut self, coding: Coding) -> Coded {
        let id = PictureId(self.next);
        let references: Vec<_> = self.references.iter().map(|&picture| self.reference(picture)).collect();
        let rows = self.height.div_ceil(self.slices);
        let slice = |first_row: u32| {
            let macroblocks = rows.min(self.height - first_row) * self.width;
            self.slice(coding, PictureStructure::Frame, first_row * self.width, macroblocks)
        };
        let nals = (0..self.height).step_by(rows as usize).map(slice).collect();
        self.references.insert(0, id);
        self.references.truncate(self.max_references);
        self.next += 1;
        Coded {
            id,
            coding,
            second_field: false,
            references,
            nals,
        }
    }

    /// What the next picture will be called.
    pub fn next_id(&self) -> PictureId {
        PictureId(self.next)
    }

    /// The next picture refers to nothing before it.
    pub fn restart(&mut self) {
        self.references.clear();
        self.next = self.next.next_multiple_of(1 << FRAME_NUM_BITS);
    }

    fn frame_num(&self, id: u64) -> u16 {
        (id % (1 << FRAME_NUM_BITS)) as u16
    }

    fn reference(&self, picture: PictureId) -> ReferencePicture {
        let frame_num = self.frame_num(picture.0);
        let order = 2 * picture.0 as i32;
        ReferencePicture {
            picture,
            reference: Reference::ShortTerm {
                frame_num,
                pic_num: frame_num.into(),
            },
            fields: [true, true],
            coded_as_fields: false,
            field_order_cnt: [order, order],
            non_existing: false,
            lost: false,
        }
    }

    fn slice(
        &self,
        coding: Coding,
        structure: PictureStructure,
        first_mb: u32,
        macroblocks: u32,
    ) -> (SliceHeader, Vec<u8>) {
        let frame_num = self.frame_num(self.next);
        let idr = frame_num == 0;
        let kind = if idr {
            samples::idr(0)
        } else {
            samples::header(frame_num, 0)
        };
        let mut header = SliceHeader {
            first_mb_in_slice: first_mb,
            structure,
            pic_order_cnt: PicOrderCnt::Type2,
            disable_deblocking_filter_idc: 1,
            ..kind
        };
        (header.slice_type, header.num_ref_idx_active) = (SliceType::I, [0, 0]);
        if let Coding::CopyOf(picture) = coding {
            let abs_diff_pic_num = u32::from(frame_num - self.frame_num(picture.0));
            (header.slice_type, header.num_ref_idx_active) = (SliceType::P, [1, 0]);
            header.ref_pic_list_modification[0] = vec![RefPicListModification::Subtract(abs_diff_pic_num - 1)];
        }
        let mut w = BitWriter::default();
        write::slice_header::write(&mut w, &mut header, &self.sps, &self.pps);
        match coding {
            Coding::CopyOf(_) => {
                w.ue(macroblocks);
            }
            Coding::Value(value) => {
                for _ in 0..macroblocks {
                    w.ue(25);
                    w.align(false);
                    for _ in 0..384 {
                        w.u(8, value.into());
                    }
                }
            }
        }
        let nal_unit_type = if idr { 5 } else { 1 };
        (header, w.trailing_bits().nal(1, nal_unit_type))
    }
}

impl Coded {
    /// The same as both fields of a picture, as far as the session can tell: it looks at headers, never at samples.
    pub fn into_fields(mut self) -> [Self; 2] {
        self.nals
            .iter_mut()
            .for_each(|(header, _)| header.structure = PictureStructure::Field(Parity::Top));
        let mut second = self.clone();
        second.second_field = true;
        second
            .nals
            .iter_mut()
            .for_each(|(header, _)| header.structure = PictureStructure::Field(Parity::Bottom));
        [self, second]
    }

    /// The job of this picture.
    pub fn with_job<'a, T>(&'a self, clip: &Clip, use_job: impl FnOnce(&DecodeJob<'_>) -> T) -> T {
        let list = match self.coding {
            Coding::Value(_) => Vec::new(),
            Coding::CopyOf(picture) => {
                let position = self
                    .references
                    .iter()
                    .position(|reference| reference.picture == picture);
                vec![position.map(|reference| ListEntry {
                    reference: reference as u8,
                    parity: None,
                })]
            }
        };
        let slice = |(header, nal): &'a (SliceHeader, Vec<u8>)| SliceJob {
            pps: None,
            header: header.clone(),
            nal,
            ref_pic_lists: [list.clone(), Vec::new()],
        };
        let slices: Vec<_> = self.nals.iter().map(slice).collect();
        let order = 2 * self.id.0 as i32;
        use_job(&DecodeJob {
            picture: self.id,
            second_field: self.second_field,
            sps: &clip.sps,
            pps: &clip.pps,
            field_order_cnt: [order, order],
            references: &self.references,
            slices: &slices,
        })
    }
}
