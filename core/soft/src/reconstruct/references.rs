//! The reference pictures of a slice: what its indexes name, and what stands in for a picture that is not there.

use super::{Reference, References};
use crate::motion::ListTimestamps;
use crate::picture::{DPB_SIZE, DpbEntry};
use crate::planes::{FrameRef, Sample};
use crate::slice::Slice;
use crate::{MotionField, PictureParams};

/// A reference picture that can be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct RefPicture<'a, S> {
    pub frame: FrameRef<'a, S>,
    pub motion: &'a MotionField,
}

/// The readable pictures of the DPB, in its order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pool<'a, S> {
    pictures: [Option<RefPicture<'a, S>>; DPB_SIZE],
}

impl<'a, S: Sample> Pool<'a, S> {
    /// Takes the references that are as large as the picture: of others there is nothing to read.
    pub(super) fn new(references: &References<'a, S>, width_in_mbs: usize, height_in_mbs: usize) -> Self {
        let pictures = references.0.map(|reference| match reference {
            Some(Reference::Frame { frame, motion }) if frame.holds(width_in_mbs, height_in_mbs) => {
                Some(RefPicture { frame, motion })
            }
            Some(Reference::Frame { .. } | Reference::Target) | None => None,
        });
        Self { pictures }
    }

    /// The picture at a DPB index.
    #[inline(always)]
    pub(super) fn get(&self, dpb_index: u8) -> Option<&RefPicture<'a, S>> {
        self.pictures.get(usize::from(dpb_index))?.as_ref()
    }

    /// The readable DPB entry nearest to a picture order count.
    pub(super) fn nearest(&self, params: &PictureParams, pic_order_cnt: i32) -> Option<u8> {
        let readable = self.pictures.iter().zip(&params.dpb).zip(0u8..);
        readable
            .filter_map(|((picture, entry), index)| picture.is_some().then_some((index, entry.as_ref()?)))
            .min_by_key(|(_, entry)| frame_order_cnt(entry).abs_diff(pic_order_cnt))
            .map(|(index, _)| index)
    }
}

/// `PicOrderCnt` of a frame or complementary field pair (equation 8-1).
pub(super) fn frame_order_cnt(entry: &DpbEntry) -> i32 {
    entry.top_field_order_cnt.min(entry.bottom_field_order_cnt)
}

/// `PicOrderCnt( CurrPic )`.
pub(super) fn current_order_cnt(params: &PictureParams) -> i32 {
    params.top_field_order_cnt.min(params.bottom_field_order_cnt)
}

/// One entry of a reference list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ListEntry {
    /// Where its samples come from; `None` = there is nothing to predict from at all.
    pub dpb_index: Option<u8>,
    /// It is not the picture that the list names, but one that stands in for it.
    pub missing: bool,
    /// `PicOrderCnt` of the picture that the list names, as far as it is known.
    pub pic_order_cnt: i32,
    /// Whether that is a long-term reference.
    pub long_term: bool,
    /// Its `reference_ts`.
    pub timestamp: Option<u64>,
}

/// `RefPicList0` and `RefPicList1`, every index of them filled.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    entries: [[ListEntry; 32]; 2],
}

impl Lists {
    pub(super) fn new<S: Sample>(slice: &Slice, params: &PictureParams, pool: &Pool<'_, S>) -> Self {
        let mut entries = [[ListEntry::default(); 32]; 2];
        for (list, of_list) in entries.iter_mut().enumerate() {
            let active = usize::from(slice.num_ref_idx_active[list]).min(32);
            let names = slice.ref_pic_list[list].iter().take(active);
            for (entry, name) in of_list.iter_mut().zip(names) {
                *entry = list_entry(name.map(|name| name.dpb_index), params, pool);
            }
            of_list[active..].fill(list_entry(None, params, pool));
        }
        Self { entries }
    }

    /// The entry that `ref_idx` names; every value names one.
    #[inline(always)]
    pub(super) fn get(&self, list: usize, ref_idx: i8) -> &ListEntry {
        &self.entries[list][usize::from(ref_idx as u8 & 31)]
    }

    /// The index in `RefPicList0` of a picture, the lowest one (8.4.1.2.3).
    pub(super) fn list_0_index_of(&self, timestamp: u64) -> Option<i8> {
        let index = self.entries[0]
            .iter()
            .position(|entry| entry.timestamp == Some(timestamp))?;
        Some(index as i8)
    }

    /// The pictures of the lists by name.
    pub(super) fn timestamps(&self) -> ListTimestamps {
        self.entries.map(|of_list| of_list.map(|entry| entry.timestamp))
    }
}

fn list_entry<S: Sample>(dpb_index: Option<u8>, params: &PictureParams, pool: &Pool<'_, S>) -> ListEntry {
    let named = dpb_index.and_then(|index| Some((index, params.dpb.get(usize::from(index))?.as_ref()?)));
    let Some((index, entry)) = named else {
        let pic_order_cnt = current_order_cnt(params);
        let dpb_index = pool.nearest(params, pic_order_cnt);
        return ListEntry {
            dpb_index,
            missing: true,
            pic_order_cnt,
            ..ListEntry::default()
        };
    };
    let pic_order_cnt = frame_order_cnt(entry);
    let missing = pool.get(index).is_none();
    ListEntry {
        dpb_index: if missing {
            pool.nearest(params, pic_order_cnt)
        } else {
            // Two entries may name one picture, when it stands in for another; the deblocking filter must see that.
            let same = |other: &Option<DpbEntry>| other.is_some_and(|other| other.reference_ts == entry.reference_ts);
            params
                .dpb
                .iter()
                .zip(0..)
                .find(|(other, _)| same(other))
                .map(|(_, first)| first)
        },
        missing,
        pic_order_cnt,
        long_term: entry.long_term,
        timestamp: Some(entry.reference_ts),
    }
}
