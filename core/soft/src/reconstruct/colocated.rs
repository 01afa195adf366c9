//! The colocated macroblock of direct prediction (8.4.1.2.1), across frames, MBAFF frames and fields.

use super::partition::Area;
use super::picture::{MbContext, Picture, SliceContext};
use super::references::{RefPicture, current_order_cnt};
use crate::MotionField;
use crate::macroblock::{Mv, SubMbShape};
use crate::motion::{Coding, MbMotion, PictureName};
use crate::picture::{Parity, Structure};
use crate::planes::Sample;
use crate::slice::RefPic;

/// `mvCol` and `refIdxCol` of a 4x4 block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Colocated {
    pub mv: Mv,
    /// Negative if intra.
    pub ref_idx: i8,
    /// The picture that it refers to.
    pub reference: Option<PictureName>,
}

/// `vertMvScale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VertMvScale {
    /// `One_To_One`.
    OneToOne,
    /// `Frm_To_Fld`: the colocated macroblock is of a frame, the current one of a field.
    FrameToField,
    /// `Fld_To_Frm`.
    FieldToFrame,
}

impl VertMvScale {
    /// `mvCol` as temporal direct prediction uses it.
    pub(super) fn vector(self, mv: Mv) -> Mv {
        let y = match self {
            Self::OneToOne => mv.y,
            Self::FrameToField => mv.y / 2,
            Self::FieldToFrame => mv.y.wrapping_mul(2),
        };
        Mv { y, ..mv }
    }

    /// The picture that `refIdxL0` refers to (8.4.1.2.3), where `refPicCol` is the one that the colocated block refers to
    /// and `parity` that of the current macroblock, if it is of a field.
    pub(super) fn reference(self, ref_pic_col: PictureName, parity: Option<Parity>) -> PictureName {
        let parity = match self {
            Self::OneToOne => ref_pic_col.parity,
            Self::FrameToField => parity,
            Self::FieldToFrame => None,
        };
        PictureName { parity, ..ref_pic_col }
    }
}

/// Motion of the part of `colPic` at the same place as a macroblock.
pub(super) struct ColocatedMb<'a> {
    field: Option<&'a MotionField>,
    /// The parity of `colPic` where it is a field, or of the field macroblock of it.
    parity: Option<Parity>,
    /// `mbAddrCol`: one macroblock twice, or the upper and the lower one.
    motion: [&'a MbMotion; 2],
    pub scale: VertMvScale,
    /// With [`VertMvScale::FieldToFrame`]: the current macroblock lies beside the lower half.
    lower_half: bool,
    direct_8x8_inference_flag: bool,
}

impl<'a> ColocatedMb<'a> {
    /// What stands for one that is not there: intra.
    fn missing(direct_8x8_inference_flag: bool) -> Self {
        Self {
            field: None,
            parity: None,
            motion: [&MbMotion::INTRA; 2],
            scale: VertMvScale::OneToOne,
            lower_half: false,
            direct_8x8_inference_flag,
        }
    }

    /// The parts of a quarter that each look at one colocated block.
    pub(super) fn areas(&self, quarter: usize) -> impl Iterator<Item = Area> + use<> {
        Area::parts(
            quarter,
            if self.direct_8x8_inference_flag {
                SubMbShape::S8x8
            } else {
                SubMbShape::S4x4
            },
        )
    }

    /// What counts for a 4x4 block: with `direct_8x8_inference_flag` the corner of its quarter.
    #[inline(always)]
    pub(super) fn at(&self, x: usize, y: usize) -> Colocated {
        let corner = |i: usize| if i < 2 { 0 } else { 3 };
        let (column, row) = if self.direct_8x8_inference_flag {
            (corner(x), corner(y))
        } else {
            (x, y)
        };
        // yM (table 8-8), in 4x4 blocks.
        let (motion, row) = match self.scale {
            VertMvScale::OneToOne => (self.motion[0], row),
            VertMvScale::FrameToField => (self.motion[y / 2], 2 * row % 4),
            VertMvScale::FieldToFrame => (self.motion[0], 2 * usize::from(self.lower_half) + y / 2),
        };
        let quarter = row / 2 * 2 + column / 2;
        let list = usize::from(motion.ref_idx[0][quarter] < 0);
        let ref_idx = motion.ref_idx[list][quarter];
        if ref_idx < 0 {
            return Colocated {
                mv: Mv::default(),
                ref_idx,
                reference: None,
            };
        }
        Colocated {
            mv: motion.mv[list][row * 4 + column],
            ref_idx,
            reference: self
                .field
                .and_then(|field| field.reference(self.parity, motion, list, ref_idx)),
        }
    }
}

impl<S: Sample> Picture<'_, S> {
    /// The macroblock of the first picture of list 1; without one it counts as intra.
    pub(super) fn colocated(&self, at: &MbContext<'_>, slice: &SliceContext<'_>) -> ColocatedMb<'_> {
        let direct_8x8_inference_flag = self.params.direct_8x8_inference_flag;
        let missing = ColocatedMb::missing(direct_8x8_inference_flag);
        let Some(picture) = slice.lists.get(1, 0).picture else {
            return missing;
        };
        let field = match self.pool.frame(picture.dpb_index) {
            Some(RefPicture::Frame { motion, .. }) => motion,
            Some(RefPicture::FirstField { .. }) => &*self.motion,
            None => return missing,
        };
        let width = self.state.width_in_mbs;
        let frame_size = width * self.params.frame_height_in_mbs() as usize;
        let Some(coding) = field.coding(width, frame_size) else {
            return missing;
        };
        let one = |parity: Option<Parity>, addr: usize| ColocatedMb {
            field: Some(field),
            parity,
            motion: [field.of(parity.filter(|_| coding == Coding::Fields), addr); 2],
            ..ColocatedMb::missing(direct_8x8_inference_flag)
        };
        let of_field = |parity: Parity, addr: usize, lower_half: bool| ColocatedMb {
            scale: VertMvScale::FieldToFrame,
            lower_half,
            ..one(Some(parity), addr)
        };
        let of_frame = |upper: usize, lower: usize| ColocatedMb {
            motion: [field.of(None, upper), field.of(None, lower)],
            scale: VertMvScale::FrameToField,
            ..one(None, upper)
        };
        let (addr, x, y) = (at.mb_addr, at.mb_addr % width, at.mb_addr / width);
        match (self.params.structure, at.place.parity, coding) {
            (Structure::Frame { mbaff: false }, _, Coding::Frame) => one(None, addr),
            (Structure::Frame { mbaff: false }, _, Coding::Fields) => {
                of_field(self.nearer_field(picture), y / 2 * width + x, y % 2 == 1)
            }
            (Structure::Field(_), _, Coding::Fields) => one(picture.parity, addr),
            (Structure::Field(_), _, Coding::Frame) => {
                let upper = 2 * width * y + x;
                of_frame(upper, upper + width)
            }
            (Structure::Field(parity), _, Coding::Mbaff) => match field.of(None, 2 * addr).field {
                false => of_frame(2 * addr, 2 * addr + 1),
                true => one(Some(parity), 2 * addr + usize::from(parity == Parity::Bottom)),
            },
            (Structure::Frame { mbaff: true }, None, Coding::Fields) => {
                of_field(self.nearer_field(picture), addr / 2, addr % 2 == 1)
            }
            (Structure::Frame { mbaff: true }, Some(parity), Coding::Fields) => one(Some(parity), addr / 2),
            (Structure::Frame { mbaff: true }, parity, Coding::Mbaff) => {
                let top = addr & !1;
                match (parity, field.of(None, addr).field) {
                    (None, false) | (Some(_), true) => one(parity, addr),
                    (None, true) => {
                        let nearer = self.nearer_field(picture);
                        of_field(nearer, top + usize::from(nearer == Parity::Bottom), addr % 2 == 1)
                    }
                    (Some(_), false) => of_frame(top, top + 1),
                }
            }
            (Structure::Frame { mbaff: false }, _, Coding::Mbaff)
            | (Structure::Frame { mbaff: true }, _, Coding::Frame) => missing,
        }
    }

    /// Of a complementary field pair, the field nearer in time to the current frame (table 8-6).
    fn nearer_field(&self, picture: RefPic) -> Parity {
        let current = current_order_cnt(self.params, None);
        let Some(Some(entry)) = self.params.dpb.get(usize::from(picture.dpb_index)) else {
            return Parity::Bottom;
        };
        let top = entry.top_field_order_cnt.abs_diff(current);
        let bottom = entry.bottom_field_order_cnt.abs_diff(current);
        if top < bottom { Parity::Top } else { Parity::Bottom }
    }
}
