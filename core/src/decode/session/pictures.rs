//! The map from pictures to what the driver finds them by. Pure: no ioctl, no lock.

use crate::decode::SliceJob;
use crate::decode::controls::{DPB_ENTRIES, ReferenceNames};
use crate::h264::PictureId;
use crate::h264::reference::ReferencePicture;
use crate::h264::slice_header::SliceType;
use crate::pool::{Binding, IndexSet};
use crate::units::{BufferIndex, Timestamp};

/// A picture that was submitted and that somebody may still refer to.
#[derive(Clone, Copy, Debug)]
struct Entry {
    picture: PictureId,
    index: BufferIndex,
    timestamp: Timestamp,
    /// [`super::PictureHandle`]s that name it.
    handles: usize,
}

/// All pictures that have a handle.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    entries: Vec<Entry>,
}

/// What the references of one job are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub names: ReferenceNames,
    /// The CAPTURE indexes that they sit at.
    pub indexes: IndexSet,
    /// By index: it was not to be found, another one stands in for it.
    pub missing: [bool; DPB_ENTRIES],
}

impl Resolved {
    /// The samples of `slice` depend on a reference that is missing. Without lists, every reference counts.
    pub fn damages(&self, slice: &SliceJob<'_>) -> bool {
        let is_missing = |index: usize| self.missing.get(index).is_some_and(|&missing| missing);
        match slice.header.slice_type {
            SliceType::I | SliceType::Si => false,
            SliceType::P | SliceType::Sp | SliceType::B => {
                let mut entries = slice.ref_pic_lists.iter().flatten().peekable();
                match entries.peek() {
                    None => self.missing.contains(&true),
                    Some(_) => entries.flatten().any(|entry| is_missing(entry.reference.into())),
                }
            }
        }
    }
}

impl Pictures {
    /// `picture` is (being) decoded at `index`; one more handle names it.
    pub fn insert(&mut self, picture: PictureId, index: BufferIndex, timestamp: Timestamp) {
        match self.entries.iter_mut().find(|entry| entry.picture == picture) {
            Some(entry) => {
                *entry = Entry {
                    index,
                    timestamp,
                    handles: entry.handles + 1,
                    picture,
                }
            }
            None => self.entries.push(Entry {
                picture,
                index,
                timestamp,
                handles: 1,
            }),
        }
    }

    /// A handle of `picture` was dropped.
    pub fn release(&mut self, picture: PictureId) {
        if let Some(at) = self.entries.iter().position(|entry| entry.picture == picture) {
            self.entries[at].handles -= 1;
            if self.entries[at].handles == 0 {
                self.entries.swap_remove(at);
            }
        }
    }

    /// The timestamp that `picture` was submitted with.
    pub fn timestamp(&self, picture: PictureId) -> Option<Timestamp> {
        self.entries
            .iter()
            .find(|entry| entry.picture == picture)
            .map(|entry| entry.timestamp)
    }

    /// Names every reference: by the timestamp of its picture if the driver still has it, else by that of the usable
    /// one nearest in output order; a frame inserted for a gap by nothing.
    pub fn resolve(&self, references: &[ReferencePicture], binding: &Binding) -> Resolved {
        let mut names: ReferenceNames = [None; DPB_ENTRIES];
        let mut indexes = IndexSet::default();
        for (name, reference) in names.iter_mut().zip(references) {
            if let Some(entry) = self.find_usable(reference, binding) {
                *name = Some(entry.timestamp);
                indexes.insert(entry.index);
            }
        }
        let found = names;
        let mut missing = [false; DPB_ENTRIES];
        for (position, reference) in references.iter().enumerate().take(DPB_ENTRIES) {
            if found[position].is_none() && !reference.non_existing {
                missing[position] = true;
                names[position] = stand_in(reference, references, &found);
            }
        }
        Resolved {
            names,
            indexes,
            missing,
        }
    }

    fn find_usable(&self, reference: &ReferencePicture, binding: &Binding) -> Option<&Entry> {
        self.entries
            .iter()
            .filter(|_| !reference.non_existing)
            .find(|entry| entry.picture == reference.picture)
            .filter(|entry| binding.holds_picture(entry.index, entry.timestamp))
    }
}

/// The name of the reference that is nearest to `lost` in output order, of those that have one.
fn stand_in(lost: &ReferencePicture, references: &[ReferencePicture], found: &ReferenceNames) -> Option<Timestamp> {
    let order = |reference: &ReferencePicture| reference.field_order_cnt[0].min(reference.field_order_cnt[1]);
    references
        .iter()
        .zip(found)
        .filter_map(|(reference, name)| Some((order(reference).abs_diff(order(lost)), (*name)?)))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
