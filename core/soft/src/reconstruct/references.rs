//! The reference pictures of a slice: what its indexes name, and what stands in for a picture that is not there.

use super::{Reference, References};
use crate::motion::{ListNames, PictureName};
use crate::picture::{DPB_SIZE, DpbEntry, Parity, Structure};
use crate::planes::{FrameRef, Sample};
use crate::slice::{RefPic, Slice};
use crate::{MotionField, PictureParams};

/// A frame of the DPB that can be read.
#[derive(Clone, Copy, Debug)]
pub(super) enum RefPicture<'a, S> {
    /// Another frame, with its motion.
    Frame {
        frame: FrameRef<'a, S>,
        motion: &'a MotionField,
    },
    /// The first field of the frame that is being decoded: there is no other of it.
    FirstField { field: FrameRef<'a, S>, parity: Parity },
}

impl<'a, S> RefPicture<'a, S> {
    /// The samples of the frame or of one of its fields.
    #[inline(always)]
    fn picture(&self, parity: Option<Parity>) -> Option<FrameRef<'a, S>>
    where
        S: Copy,
    {
        match (*self, parity) {
            (Self::Frame { frame, .. }, None) => Some(frame),
            (Self::Frame { frame, .. }, Some(parity)) => Some(frame.field(parity)),
            (Self::FirstField { field, parity: own }, Some(parity)) if own == parity => Some(field),
            (Self::FirstField { .. }, _) => None,
        }
    }
}

/// The readable pictures of the DPB, in its order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pool<'a, S> {
    pictures: [Option<RefPicture<'a, S>>; DPB_SIZE],
}

impl<'a, S: Sample> Pool<'a, S> {
    /// Takes the references that are as large as the picture: of others there is nothing to read.
    pub(super) fn new(
        references: &References<'a, S>,
        params: &PictureParams,
        first_field: Option<FrameRef<'a, S>>,
    ) -> Self {
        let (width, height) = (params.width_in_mbs as usize, params.frame_height_in_mbs() as usize);
        let first_parity = params.structure.parity().map(Parity::opposite);
        let pictures = references.0.map(|reference| match reference {
            Some(Reference::Frame { frame, motion }) if frame.holds(params.chroma_format, width, height) => {
                Some(RefPicture::Frame { frame, motion })
            }
            Some(Reference::Target) => match (first_field, first_parity) {
                (Some(field), Some(parity)) => Some(RefPicture::FirstField { field, parity }),
                _ => None,
            },
            Some(Reference::Frame { .. }) | None => None,
        });
        Self { pictures }
    }

    /// The frame at a DPB index.
    pub(super) fn frame(&self, dpb_index: u8) -> Option<&RefPicture<'a, S>> {
        self.pictures.get(usize::from(dpb_index))?.as_ref()
    }

    /// The samples of a picture.
    #[inline(always)]
    pub(super) fn get(&self, picture: RefPic) -> Option<FrameRef<'a, S>> {
        self.frame(picture.dpb_index)?.picture(picture.parity)
    }

    /// The readable picture nearest to a picture order count: a frame, or a field, if possible of that parity.
    pub(super) fn nearest(&self, params: &PictureParams, pic_order_cnt: i32, parity: Option<Parity>) -> Option<RefPic> {
        let readable = self.pictures.iter().zip(&params.dpb).zip(0u8..);
        let nearest = readable
            .filter_map(|((picture, entry), index)| picture.is_some().then_some((index, entry.as_ref()?)))
            .min_by_key(|(_, entry)| frame_order_cnt(entry).abs_diff(pic_order_cnt))?;
        let pictures = [parity, parity.map(Parity::opposite)].map(|parity| RefPic {
            dpb_index: nearest.0,
            parity,
        });
        pictures.into_iter().find(|picture| self.get(*picture).is_some())
    }
}

impl PictureParams {
    /// `FrameHeightInMbs`.
    pub(super) fn frame_height_in_mbs(&self) -> u32 {
        self.height_in_mbs * self.structure.pictures_per_frame() as u32
    }
}

/// `PicOrderCnt` of a frame or complementary field pair (equation 8-1).
pub(super) fn frame_order_cnt(entry: &DpbEntry) -> i32 {
    entry.top_field_order_cnt.min(entry.bottom_field_order_cnt)
}

/// `PicOrderCnt` of a frame of the DPB or of one of its fields.
pub(super) fn order_cnt(entry: &DpbEntry, parity: Option<Parity>) -> i32 {
    match parity {
        None => frame_order_cnt(entry),
        Some(Parity::Top) => entry.top_field_order_cnt,
        Some(Parity::Bottom) => entry.bottom_field_order_cnt,
    }
}

/// `PicOrderCnt( CurrPic )`, or that of one field of the current frame.
pub(super) fn current_order_cnt(params: &PictureParams, parity: Option<Parity>) -> i32 {
    match parity.or(params.structure.parity()) {
        None => params.top_field_order_cnt.min(params.bottom_field_order_cnt),
        Some(Parity::Top) => params.top_field_order_cnt,
        Some(Parity::Bottom) => params.bottom_field_order_cnt,
    }
}

/// One entry of a reference list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ListEntry {
    /// Where its samples come from; `None` = there is nothing to predict from at all.
    pub picture: Option<RefPic>,
    /// It is not the picture that the list names, but one that stands in for it.
    pub missing: bool,
    /// `PicOrderCnt` of the picture that the list names, as far as it is known.
    pub pic_order_cnt: i32,
    /// Whether that is a long-term reference.
    pub long_term: bool,
    /// What the list names.
    pub name: Option<PictureName>,
}

/// `RefPicList0` and `RefPicList1`, every index of them filled.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    entries: [[ListEntry; 32]; 2],
    /// The parity of the macroblocks that use them; `None` = frame macroblocks.
    pub parity: Option<Parity>,
}

impl Lists {
    /// The lists of a slice.
    pub(super) fn new<S: Sample>(slice: &Slice, params: &PictureParams, pool: &Pool<'_, S>) -> Self {
        Self::with(slice, params, pool, params.structure.parity(), |list, ref_idx| {
            *slice.ref_pic_list[list].get(ref_idx)?
        })
    }

    /// The lists of the field macroblocks of one parity in an MBAFF frame: the fields of the frames (8.4.2.1).
    pub(super) fn of_field_macroblocks<S: Sample>(
        slice: &Slice,
        params: &PictureParams,
        pool: &Pool<'_, S>,
        parity: Parity,
    ) -> Self {
        Self::with(slice, params, pool, Some(parity), |list, ref_idx| {
            let frame = (*slice.ref_pic_list[list].get(ref_idx / 2)?)?;
            Some(RefPic {
                parity: Some(parity.of_field_ref_idx(ref_idx)),
                ..frame
            })
        })
    }

    fn with<S: Sample>(
        slice: &Slice,
        params: &PictureParams,
        pool: &Pool<'_, S>,
        parity: Option<Parity>,
        named: impl Fn(usize, usize) -> Option<RefPic>,
    ) -> Self {
        let in_fields_of_frames = parity.is_some() && matches!(params.structure, Structure::Frame { .. });
        let mut entries = [[ListEntry::default(); 32]; 2];
        for (list, of_list) in entries.iter_mut().enumerate() {
            let active = usize::from(slice.num_ref_idx_active[list]) << u8::from(in_fields_of_frames);
            let active = active.min(32);
            for (ref_idx, entry) in of_list.iter_mut().enumerate().take(active) {
                *entry = list_entry(named(list, ref_idx), params, pool, parity);
            }
            of_list[active..].fill(list_entry(None, params, pool, parity));
        }
        Self { entries, parity }
    }

    /// The entry that `ref_idx` names; every value names one.
    #[inline(always)]
    pub(super) fn get(&self, list: usize, ref_idx: i8) -> &ListEntry {
        &self.entries[list][usize::from(ref_idx as u8 & 31)]
    }

    /// The index in `RefPicList0` of a picture, the lowest one (8.4.1.2.3).
    pub(super) fn list_0_index_of(&self, name: PictureName) -> Option<i8> {
        let index = self.entries[0].iter().position(|entry| entry.name == Some(name))?;
        Some(index as i8)
    }

    /// The pictures of the lists by name.
    pub(super) fn names(&self) -> ListNames {
        self.entries.map(|of_list| of_list.map(|entry| entry.name))
    }
}

fn list_entry<S: Sample>(
    named: Option<RefPic>,
    params: &PictureParams,
    pool: &Pool<'_, S>,
    parity: Option<Parity>,
) -> ListEntry {
    let entry = named.and_then(|named| Some((named, params.dpb.get(usize::from(named.dpb_index))?.as_ref()?)));
    let Some((named, entry)) = entry else {
        let pic_order_cnt = current_order_cnt(params, parity);
        return ListEntry {
            picture: pool.nearest(params, pic_order_cnt, parity),
            missing: true,
            pic_order_cnt,
            ..ListEntry::default()
        };
    };
    let pic_order_cnt = order_cnt(entry, named.parity);
    let missing = pool.get(named).is_none();
    ListEntry {
        picture: if missing {
            pool.nearest(params, pic_order_cnt, named.parity)
        } else {
            // Two entries may name one picture, when it stands in for another; the deblocking filter must see that.
            let same = |other: &Option<DpbEntry>| other.is_some_and(|other| other.reference_ts == entry.reference_ts);
            let first = params.dpb.iter().zip(0..).find(|(other, _)| same(other));
            first.map(|(_, dpb_index)| RefPic { dpb_index, ..named })
        },
        missing,
        pic_order_cnt,
        long_term: entry.long_term,
        name: Some(PictureName {
            timestamp: entry.reference_ts,
            parity: named.parity,
        }),
    }
}
