//! `RefPicList0` and `RefPicList1` from the DPB control (8.2.4), as hardware builds them that parses slice headers.

use crate::PictureParams;
use crate::picture::{DPB_SIZE, DpbEntry, Parity, Structure};
use crate::slice::{RefPic, SliceType};

/// Longest list.
pub(super) const MAX_LENGTH: usize = 32;

/// A list after modification.
pub(super) type RefPicList = [Option<RefPic>; MAX_LENGTH];

/// One command of `ref_pic_list_modification()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modification {
    /// `modification_of_pic_nums_idc` 0: `abs_diff_pic_num_minus1 + 1` is subtracted.
    Subtract(u32),
    /// `modification_of_pic_nums_idc` 1: `abs_diff_pic_num_minus1 + 1` is added.
    Add(u32),
    /// `modification_of_pic_nums_idc` 2: `long_term_pic_num`.
    LongTerm(u32),
}

/// Orders and finds the reference pictures of the DPB for one picture.
#[derive(Debug)]
pub(super) struct RefListBuilder<'a> {
    dpb: &'a [Option<DpbEntry>; DPB_SIZE],
    /// The current field, if it is one.
    field: Option<Parity>,
    frame_num: i32,
    max_frame_num: i32,
    /// `PicOrderCnt(CurrPic)`.
    pic_order_cnt: i32,
}

/// Reference frames in some order: indices into the DPB.
#[derive(Clone, Copy, Debug, Default)]
struct Frames {
    indices: [u8; DPB_SIZE],
    len: usize,
}

impl Frames {
    fn push(&mut self, index: usize) {
        self.indices[self.len] = index as u8;
        self.len += 1;
    }

    fn as_slice(&self) -> &[u8] {
        &self.indices[..self.len]
    }
}

/// A list being built; one place more than [`MAX_LENGTH`], as modification needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct List {
    entries: [Option<RefPic>; MAX_LENGTH + 1],
    len: usize,
}

impl List {
    const EMPTY: Self = Self {
        entries: [None; MAX_LENGTH + 1],
        len: 0,
    };

    fn push(&mut self, entry: RefPic) {
        if self.len < MAX_LENGTH {
            self.entries[self.len] = Some(entry);
            self.len += 1;
        }
    }
}

impl<'a> RefListBuilder<'a> {
    /// For the picture of `params`, whose `frame_num` counts up to `max_frame_num`.
    pub(super) fn new(params: &'a PictureParams, max_frame_num: i32) -> Self {
        let (field, pic_order_cnt) = match params.structure {
            Structure::Frame { .. } => (None, params.top_field_order_cnt.min(params.bottom_field_order_cnt)),
            Structure::Field(Parity::Top) => (Some(Parity::Top), params.top_field_order_cnt),
            Structure::Field(Parity::Bottom) => (Some(Parity::Bottom), params.bottom_field_order_cnt),
        };
        Self {
            dpb: &params.dpb,
            field,
            frame_num: params.frame_num.into(),
            max_frame_num,
            pic_order_cnt,
        }
    }

    /// List `list` (0 or 1) of a slice with `active` indices, after its modifications.
    pub(super) fn build(
        &self,
        slice_type: SliceType,
        list: usize,
        active: u8,
        modifications: &[Modification],
    ) -> RefPicList {
        let mut entries = self.initial(slice_type, list).entries;
        let active = usize::from(active).min(MAX_LENGTH);
        entries[active..].fill(None);
        self.modify(&mut entries, active, modifications);
        let mut result = [None; MAX_LENGTH];
        result[..active].copy_from_slice(&entries[..active]);
        result
    }

    /// The initial list (8.2.4.2).
    fn initial(&self, slice_type: SliceType, list: usize) -> List {
        match slice_type {
            SliceType::I => List::EMPTY,
            SliceType::P => self.initial_p(),
            SliceType::B => {
                let lists = [self.initial_b(0), self.initial_b(1)];
                let [list0, mut list1] = lists;
                if list1.len > 1 && list0 == list1 {
                    list1.entries.swap(0, 1);
                }
                if list == 0 { list0 } else { list1 }
            }
        }
    }

    /// 8.2.4.2.1 and 8.2.4.2.2.
    fn initial_p(&self) -> List {
        let mut short_term = self.select(false, |_| true);
        short_term.indices[..short_term.len].sort_by_key(|&i| std::cmp::Reverse(self.frame_num_wrap(i)));
        self.pictures(short_term.as_slice(), self.long_term().as_slice())
    }

    /// 8.2.4.2.3 and 8.2.4.2.4, but for the exchange of equal lists.
    fn initial_b(&self, list: usize) -> List {
        let current = self.pic_order_cnt;
        // The first field of the current frame may be a reference: it counts as before.
        let is_before = |poc: i32| {
            if self.field.is_some() {
                poc <= current
            } else {
                poc < current
            }
        };
        let mut before = self.select(false, is_before);
        let mut after = self.select(false, |poc| !is_before(poc));
        before.indices[..before.len].sort_by_key(|&i| std::cmp::Reverse(self.poc_of(i)));
        after.indices[..after.len].sort_by_key(|&i| self.poc_of(i));
        let (first, second) = if list == 0 { (before, after) } else { (after, before) };
        let mut short_term = first;
        for &index in second.as_slice() {
            short_term.push(usize::from(index));
        }
        self.pictures(short_term.as_slice(), self.long_term().as_slice())
    }

    /// Long-term references by rising `LongTermPicNum` or `LongTermFrameIdx`.
    fn long_term(&self) -> Frames {
        let mut frames = self.select(true, |_| true);
        frames.indices[..frames.len].sort_by_key(|&i| self.long_term_num(i));
        frames
    }

    /// Frames with a reference that counts for this picture.
    fn select(&self, long_term: bool, poc: impl Fn(i32) -> bool) -> Frames {
        let mut frames = Frames::default();
        for (i, entry) in self.dpb.iter().enumerate() {
            let Some(entry) = entry.filter(|entry| entry.long_term == long_term) else {
                continue;
            };
            let is_reference = if self.field.is_some() {
                entry.top || entry.bottom
            } else {
                entry.top && entry.bottom
            };
            if is_reference && poc(pic_order_cnt(&entry)) {
                frames.push(i);
            }
        }
        frames
    }

    /// The pictures of frames: short-term ones, then long-term ones.
    fn pictures(&self, short_term: &[u8], long_term: &[u8]) -> List {
        let mut list = List::EMPTY;
        for frames in [short_term, long_term] {
            match self.field {
                None => frames.iter().for_each(|&dpb_index| {
                    list.push(RefPic {
                        dpb_index,
                        parity: None,
                    })
                }),
                Some(parity) => self.alternate(frames, parity, &mut list),
            }
        }
        list
    }

    /// The fields of frames, same and opposite parity in turns as long as there are both (8.2.4.2.5).
    fn alternate(&self, frames: &[u8], same: Parity, list: &mut List) {
        let fields = |parity: Parity| {
            frames
                .iter()
                .copied()
                .filter(move |&i| self.has_field(i, parity))
                .map(move |dpb_index| RefPic {
                    dpb_index,
                    parity: Some(parity),
                })
        };
        let (mut next, mut other) = (fields(same), fields(same.opposite()));
        for field in next.by_ref() {
            list.push(field);
            let Some(field) = other.next() else { break };
            list.push(field);
        }
        next.chain(other).for_each(|field| list.push(field));
    }

    /// Applies modifications (8.2.4.3); a picture that is not there leaves an empty place.
    fn modify(&self, entries: &mut [Option<RefPic>; MAX_LENGTH + 1], active: usize, modifications: &[Modification]) {
        let (max_pic_num, curr_pic_num) = match self.field {
            None => (self.max_frame_num, self.frame_num),
            Some(_) => (2 * self.max_frame_num, 2 * self.frame_num + 1),
        };
        let mut predicted = curr_pic_num;
        for (at, modification) in modifications.iter().take(active).enumerate() {
            let picture = match *modification {
                Modification::LongTerm(number) => self.find_long_term(number),
                Modification::Add(difference) | Modification::Subtract(difference) => {
                    let difference = (i64::from(difference) % i64::from(max_pic_num)) as i32;
                    let signed = if matches!(modification, Modification::Add(_)) {
                        difference
                    } else {
                        -difference
                    };
                    predicted = (predicted + signed).rem_euclid(max_pic_num);
                    self.find_short_term(if predicted > curr_pic_num {
                        predicted - max_pic_num
                    } else {
                        predicted
                    })
                }
            };
            entries[at..=active].rotate_right(1);
            entries[at] = picture;
            if picture.is_some() {
                remove_after(entries, at, active, picture);
            }
        }
    }

    /// The short-term picture with `PicNum` `pic_num`.
    fn find_short_term(&self, pic_num: i32) -> Option<RefPic> {
        self.find(false, pic_num, |index| self.frame_num_wrap(index))
    }

    /// The long-term picture with `LongTermPicNum` `number`.
    fn find_long_term(&self, number: u32) -> Option<RefPic> {
        self.find(true, i32::try_from(number).ok()?, |index| self.long_term_num(index))
    }

    /// The picture whose frame has the number that `number_of` tells; fields count twice, plus one if of the same parity.
    fn find(&self, long_term: bool, number: i32, number_of: impl Fn(u8) -> i32) -> Option<RefPic> {
        let (frame_number, parity) = match self.field {
            None => (number, None),
            Some(same) => (number >> 1, Some(if number & 1 != 0 { same } else { same.opposite() })),
        };
        let frames = self.select(long_term, |_| true);
        let dpb_index = frames.as_slice().iter().copied().find(|&index| {
            number_of(index) == frame_number && parity.is_none_or(|parity| self.has_field(index, parity))
        })?;
        Some(RefPic { dpb_index, parity })
    }

    /// The entry; callers have its index from [`Self::select`].
    fn entry(&self, index: u8) -> Option<&DpbEntry> {
        self.dpb[usize::from(index) % DPB_SIZE].as_ref()
    }

    fn has_field(&self, index: u8, parity: Parity) -> bool {
        self.entry(index)
            .is_some_and(|entry| if parity == Parity::Top { entry.top } else { entry.bottom })
    }

    /// `FrameNumWrap` (8.2.4.1).
    fn frame_num_wrap(&self, index: u8) -> i32 {
        let frame_num = self.entry(index).map_or(0, |entry| i32::from(entry.frame_num));
        if frame_num > self.frame_num {
            frame_num - self.max_frame_num
        } else {
            frame_num
        }
    }

    /// `LongTermPicNum` of a frame, `LongTermFrameIdx` where fields are decoded.
    fn long_term_num(&self, index: u8) -> i32 {
        self.entry(index).map_or(0, |entry| match self.field {
            None => entry.pic_num as i32,
            Some(_) => entry.frame_num.into(),
        })
    }

    fn poc_of(&self, index: u8) -> i32 {
        self.entry(index).map_or(0, pic_order_cnt)
    }
}

/// Closes the gap of the entry that was moved to `at`, up to one place beyond the list (the end of 8.2.4.3.1).
fn remove_after(entries: &mut [Option<RefPic>; MAX_LENGTH + 1], at: usize, active: usize, moved: Option<RefPic>) {
    let mut to = at + 1;
    for from in at + 1..=active {
        if entries[from] != moved {
            entries[to] = entries[from];
            to += 1;
        }
    }
}

/// `PicOrderCnt` of the fields of an entry that are references.
fn pic_order_cnt(entry: &DpbEntry) -> i32 {
    match (entry.top, entry.bottom) {
        (true, false) => entry.top_field_order_cnt,
        (false, true) => entry.bottom_field_order_cnt,
        _ => entry.top_field_order_cnt.min(entry.bottom_field_order_cnt),
    }
}

#[cfg(test)]
mod tests;
