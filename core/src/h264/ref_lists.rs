//! Reference picture lists (8.2.4): initialisation and modification, frames and fields, P and B.
//!
//! Works on the references as the DPB names them, so that it serves whoever has such a list, with or without a DPB.

use std::cmp::Reverse;

use super::reference::{ListEntry, Reference, ReferencePicture};
use super::slice_header::{RefPicListModification, SliceHeader, SliceType};
use super::{Parity, PictureStructure};

/// `RefPicList0` and `RefPicList1`; `None` is "no reference picture".
pub type RefPicLists = [Vec<Option<ListEntry>>; 2];

/// Frames that may be references at once.
const MAX_REFERENCES: usize = 16;
/// The most entries that a list can have before it is cut: both fields of each.
const MAX_INITIAL_ENTRIES: usize = 2 * MAX_REFERENCES;

/// The picture that lists are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentPicture {
    /// Frame or field.
    pub structure: PictureStructure,
    /// `frame_num`.
    pub frame_num: u16,
    /// `MaxFrameNum`.
    pub max_frame_num: i32,
    /// `PicOrderCnt(CurrPic)`.
    pub pic_order_cnt: i32,
    /// `pic_order_cnt_type` is 0: frames that fill gaps have no count, so B slices cannot order them.
    pub pic_order_cnt_type_is_0: bool,
}

/// Builds the lists of one slice from `references`, the numbers of which are those for decoding `current`.
pub fn build(current: &CurrentPicture, references: &[ReferencePicture], header: &SliceHeader) -> RefPicLists {
    let mut lists = match header.slice_type {
        SliceType::P | SliceType::Sp => [initial_p(current, references), Vec::new()],
        SliceType::B => initial_b(current, references),
        SliceType::I | SliceType::Si => [Vec::new(), Vec::new()],
    };
    let sources = header.num_ref_idx_active.iter().zip(&header.ref_pic_list_modification);
    for (list, (&num_ref_idx_active, modifications)) in lists.iter_mut().zip(sources) {
        list.resize(num_ref_idx_active.into(), None);
        modify(current, references, modifications, list);
    }
    lists
}

/// P and SP slices: short-term by descending number, then long-term by ascending number (8.2.4.2.1, 8.2.4.2.2).
fn initial_p(current: &CurrentPicture, references: &[ReferencePicture]) -> Vec<Option<ListEntry>> {
    let mut short = Candidates::select(current, references, short_term_number);
    short
        .as_mut_slice()
        .sort_unstable_by_key(|&(_, number)| Reverse(number));
    join(current, references, [short.as_slice(), &[]])
}

/// B slices: by distance in output order, list 0 looking back first, list 1 ahead (8.2.4.2.3, 8.2.4.2.4).
fn initial_b(current: &CurrentPicture, references: &[ReferencePicture]) -> RefPicLists {
    let counted = |reference: &ReferencePicture| {
        let has_count = !(reference.non_existing && current.pic_order_cnt_type_is_0);
        short_term_number(reference)
            .filter(|_| has_count)
            .map(|_| pic_order_cnt(reference))
    };
    let mut short = Candidates::select(current, references, counted);
    short.as_mut_slice().sort_unstable_by_key(|&(_, count)| count);
    // A field may have the count of the other field of its frame, which then precedes it.
    let split = short
        .as_slice()
        .partition_point(|&(_, count)| count <= current.pic_order_cnt);
    let (before, after) = short.as_mut_slice().split_at_mut(split);
    before.reverse();

    let list0 = join(current, references, [before, after]);
    let mut list1 = join(current, references, [after, before]);
    if list1.len() > 1 && list1 == list0 {
        list1.swap(0, 1);
    }
    [list0, list1]
}

/// A reference by its index, with the number that it is sorted by.
type Candidate = (u8, i32);

/// References to be sorted.
#[derive(Default)]
struct Candidates {
    entries: [Candidate; MAX_REFERENCES],
    count: usize,
}

impl Candidates {
    /// The references that `key` has a number for; frames need both fields marked, fields any.
    fn select(
        current: &CurrentPicture,
        references: &[ReferencePicture],
        key: impl Fn(&ReferencePicture) -> Option<i32>,
    ) -> Self {
        let usable = |reference: &ReferencePicture| match current.structure {
            PictureStructure::Frame => reference.fields == [true, true],
            PictureStructure::Field(_) => reference.fields != [false, false],
        };
        let mut candidates = Self::default();
        let usable = (0u8..).zip(references).filter(|(_, reference)| usable(reference));
        let numbered = usable.filter_map(|(index, reference)| key(reference).map(|key| (index, key)));
        for (entry, candidate) in candidates.entries.iter_mut().zip(numbered) {
            *entry = candidate;
            candidates.count += 1;
        }
        candidates
    }

    fn as_slice(&self) -> &[Candidate] {
        self.entries.get(..self.count).unwrap_or_default()
    }

    fn as_mut_slice(&mut self) -> &mut [Candidate] {
        self.entries.get_mut(..self.count).unwrap_or_default()
    }
}

/// `PicNum`, or `FrameNumWrap` while a field is decoded.
fn short_term_number(reference: &ReferencePicture) -> Option<i32> {
    match reference.reference {
        Reference::ShortTerm { pic_num, .. } => Some(pic_num),
        Reference::LongTerm { .. } => None,
    }
}

/// `LongTermPicNum`, or `LongTermFrameIdx` while a field is decoded.
fn long_term_number(reference: &ReferencePicture) -> Option<i32> {
    match reference.reference {
        Reference::ShortTerm { .. } => None,
        Reference::LongTerm { long_term_pic_num, .. } => Some(long_term_pic_num.into()),
    }
}

/// `PicOrderCnt(f)` of a frame, field pair or single field (8-1).
fn pic_order_cnt(reference: &ReferencePicture) -> i32 {
    let [top, bottom] = reference.field_order_cnt;
    top.min(bottom)
}

/// The short-term references in the order of both parts, then the long-term ones, each as frames or split into fields.
fn join(current: &CurrentPicture, references: &[ReferencePicture], short: [&[Candidate]; 2]) -> Vec<Option<ListEntry>> {
    let mut long = Candidates::select(current, references, long_term_number);
    long.as_mut_slice().sort_unstable_by_key(|&(_, number)| number);
    let mut list = Vec::with_capacity(MAX_INITIAL_ENTRIES);
    for part in [short, [long.as_slice(), &[]]] {
        let ordered = part.into_iter().flatten().map(|&(reference, _)| reference);
        match current.structure {
            PictureStructure::Frame => {
                list.extend(ordered.map(|reference| {
                    Some(ListEntry {
                        reference,
                        parity: None,
                    })
                }));
            }
            PictureStructure::Field(parity) => alternate(references, ordered, parity, &mut list),
        }
    }
    list
}

/// Takes fields from an ordered list of frames, alternating parity as long as both can be had (8.2.4.2.5).
fn alternate(
    references: &[ReferencePicture],
    frames: impl Iterator<Item = u8> + Clone,
    first: Parity,
    list: &mut Vec<Option<ListEntry>>,
) {
    let fields_of = |parity: Parity| {
        let frames = frames
            .clone()
            .filter(move |&index| has_field(references, index, parity));
        frames.map(move |reference| {
            Some(ListEntry {
                reference,
                parity: Some(parity),
            })
        })
    };
    let (mut same, mut opposite) = (fields_of(first), fields_of(first.opposite()));
    loop {
        let Some(field) = same.next() else {
            list.extend(opposite);
            return;
        };
        list.push(field);
        let Some(field) = opposite.next() else {
            list.extend(same);
            return;
        };
        list.push(field);
    }
}

fn has_field(references: &[ReferencePicture], index: u8, parity: Parity) -> bool {
    references
        .get(usize::from(index))
        .is_some_and(|reference| reference.fields[parity.index()])
}

/// Moves the pictures that the slice header names to the front, one after the other (8.2.4.3).
fn modify(
    current: &CurrentPicture,
    references: &[ReferencePicture],
    modifications: &[RefPicListModification],
    list: &mut Vec<Option<ListEntry>>,
) {
    let (max_pic_num, curr_pic_num) = match current.structure {
        PictureStructure::Frame => (current.max_frame_num, i32::from(current.frame_num)),
        PictureStructure::Field(_) => (2 * current.max_frame_num, 2 * i32::from(current.frame_num) + 1),
    };
    let difference = |abs_diff_pic_num_minus1: u32| {
        // More than a whole turn is possible only in broken streams; the remainder names a picture or none.
        i32::try_from(abs_diff_pic_num_minus1 % max_pic_num.unsigned_abs()).unwrap_or(0) + 1
    };
    let mut pic_num_pred = curr_pic_num;
    for (ref_idx, modification) in modifications.iter().enumerate().take(list.len()) {
        let entry = match *modification {
            RefPicListModification::Subtract(abs_diff_pic_num_minus1) => {
                pic_num_pred = (pic_num_pred - difference(abs_diff_pic_num_minus1)).rem_euclid(max_pic_num);
                find_short_term(
                    current,
                    references,
                    unwrap_pic_num(pic_num_pred, curr_pic_num, max_pic_num),
                )
            }
            RefPicListModification::Add(abs_diff_pic_num_minus1) => {
                pic_num_pred = (pic_num_pred + difference(abs_diff_pic_num_minus1)).rem_euclid(max_pic_num);
                find_short_term(
                    current,
                    references,
                    unwrap_pic_num(pic_num_pred, curr_pic_num, max_pic_num),
                )
            }
            RefPicListModification::LongTerm(long_term_pic_num) => {
                find_long_term(current, references, long_term_pic_num)
            }
        };
        move_to(list, ref_idx, entry);
    }
}

/// `picNumLX` from `picNumLXNoWrap` (8-36).
fn unwrap_pic_num(no_wrap: i32, curr_pic_num: i32, max_pic_num: i32) -> i32 {
    if no_wrap > curr_pic_num {
        no_wrap - max_pic_num
    } else {
        no_wrap
    }
}

/// Inserts `entry` at `ref_idx` and takes its later double out; the length stays (8-37, 8-38).
fn move_to(list: &mut Vec<Option<ListEntry>>, ref_idx: usize, entry: Option<ListEntry>) {
    let double = list
        .iter()
        .skip(ref_idx)
        .position(|other| entry.is_some() && *other == entry);
    match double {
        Some(offset) => drop(list.remove(ref_idx + offset)),
        None => drop(list.pop()),
    }
    list.insert(ref_idx, entry);
}

/// The short-term picture with this `PicNum`.
fn find_short_term(current: &CurrentPicture, references: &[ReferencePicture], pic_num: i32) -> Option<ListEntry> {
    find(current, references, pic_num, short_term_number)
}

/// The long-term picture with this `LongTermPicNum`.
fn find_long_term(current: &CurrentPicture, references: &[ReferencePicture], number: u32) -> Option<ListEntry> {
    find(current, references, i32::try_from(number).ok()?, long_term_number)
}

/// The picture with this number; of fields, odd numbers are of the current parity (8.2.4.1).
fn find(
    current: &CurrentPicture,
    references: &[ReferencePicture],
    number: i32,
    number_of: impl Fn(&ReferencePicture) -> Option<i32>,
) -> Option<ListEntry> {
    let (wanted, parity) = match current.structure {
        PictureStructure::Frame => (number, None),
        PictureStructure::Field(same) if number & 1 == 1 => (number >> 1, Some(same)),
        PictureStructure::Field(same) => (number >> 1, Some(same.opposite())),
    };
    let (reference, _) = (0u8..).zip(references).find(|(index, reference)| {
        let marked = match parity {
            None => reference.fields == [true, true],
            Some(parity) => has_field(references, *index, parity),
        };
        marked && number_of(reference) == Some(wanted)
    })?;
    Some(ListEntry { reference, parity })
}

#[cfg(test)]
mod tests;
