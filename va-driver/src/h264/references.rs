//! Reference pictures and picture order counts from VA's.

use std::sync::Arc;

use fourier_core::decode::ReferencePicture;
use fourier_core::h264::reference::Reference;
use fourier_core::h264::{PictureId, PictureStructure, SliceHeader, Sps};

use crate::ffi::va;
use crate::picture::{ContextId, Picture};
use crate::render::RenderedSlice;
use crate::surface::Surface;

/// Names no picture of any context.
const NOBODY: PictureId = PictureId(0);
/// FFmpeg adds this to every count. A stream that begins in its middle cannot be told from one with such counts, so a
/// first count beyond half of it is taken for one with it.
const OFFSET_OF_FFMPEG: i32 = 65_536;

/// What the application adds to picture order counts: of an IDR picture, which has 0, it is seen.
#[derive(Debug, Default)]
pub struct OrderCounts {
    base: Option<i32>,
}

impl OrderCounts {
    /// A picture begins: if it is IDR, or the first, it shows the base.
    pub fn begin(&mut self, first_slice: &SliceHeader, current: &va::VAPictureH264) {
        let lowest = match first_slice.structure.parity() {
            Some(parity) => coded_counts(current)[parity.index()],
            None => current.TopFieldOrderCnt.min(current.BottomFieldOrderCnt),
        };
        let is_idr = first_slice.idr_pic_id.is_some();
        if is_idr || self.base.is_none() {
            let guess = if lowest > OFFSET_OF_FFMPEG / 2 {
                OFFSET_OF_FFMPEG
            } else {
                0
            };
            self.base = Some(if is_idr { lowest } else { guess });
        }
    }

    /// `TopFieldOrderCnt`, `BottomFieldOrderCnt` of the picture that is decoded. Of a field, VA's count of the other one
    /// is whatever: `first_field` has it, if the other one was decoded before.
    pub fn of_current(
        &self,
        structure: PictureStructure,
        first_field: Option<[i32; 2]>,
        current: &va::VAPictureH264,
    ) -> [i32; 2] {
        let counts = coded_counts(current).map(|count| self.strip(count));
        let Some(parity) = structure.parity() else {
            return counts;
        };
        let own = counts[parity.index()];
        let mut both = first_field.unwrap_or([own; 2]);
        both[parity.index()] = own;
        both
    }

    fn strip(&self, count: i32) -> i32 {
        count.wrapping_sub(self.base.unwrap_or(0))
    }
}

fn coded_counts(picture: &va::VAPictureH264) -> [i32; 2] {
    [picture.TopFieldOrderCnt, picture.BottomFieldOrderCnt]
}

/// Which fields VA names; none and both are the frame.
fn fields_of(picture: &va::VAPictureH264) -> [bool; 2] {
    let has = |flag| picture.flags & flag != 0;
    match [
        has(va::VA_PICTURE_H264_TOP_FIELD),
        has(va::VA_PICTURE_H264_BOTTOM_FIELD),
    ] {
        [false, false] => [true, true],
        fields => fields,
    }
}

/// Everything that is "used for reference", as VA lists it.
pub fn find(
    picture: &va::VAPictureParameterBufferH264,
    slices: &[RenderedSlice<'_>],
    (sps, first_slice): (&Sps, &SliceHeader),
    (context, counts): (ContextId, &OrderCounts),
    find: impl Fn(va::VASurfaceID) -> Option<Arc<Surface>>,
) -> Vec<ReferencePicture> {
    let entries = entries(picture, slices).into_iter();
    entries
        .map(|entry| {
            let decoded = find(entry.picture_id).and_then(|surface| surface.picture());
            let decoded = decoded.filter(|decoded| decoded.context == context);
            let fields = fields_of(entry);
            let single_field = fields != [true, true];
            let field_order_cnt = match coded_counts(entry).map(|count| counts.strip(count)) {
                [top, _] if fields == [true, false] => [top, top],
                [_, bottom] if fields == [false, true] => [bottom, bottom],
                both => both,
            };
            let is_there = |decoded: &Arc<Picture>| is_long_term(entry) || decoded.frame_num == number(entry);
            let lost = !decoded.as_ref().is_some_and(is_there);
            ReferencePicture {
                picture: decoded.as_ref().map_or(NOBODY, |decoded| decoded.id),
                reference: reference(entry, sps, first_slice),
                fields,
                coded_as_fields: decoded
                    .as_ref()
                    .map_or(single_field, |decoded| decoded.structure != PictureStructure::Frame),
                field_order_cnt,
                // Where the stream may leave frames out, applications fill the gap with whatever surface.
                non_existing: lost && sps.gaps_in_frame_num_value_allowed_flag,
                lost,
            }
        })
        .collect()
}

/// The entries of `ReferenceFrames`, and those of the lists that are missing there: FFmpeg lists a surface once, even if
/// it stands for a frame and for a gap after it.
fn entries<'a>(
    picture: &'a va::VAPictureParameterBufferH264,
    slices: &[RenderedSlice<'a>],
) -> Vec<&'a va::VAPictureH264> {
    let lists = slices.iter().flat_map(|slice| {
        let slice = slice.parameters;
        let (l0, l1) = match slice.slice_type % 5 {
            0 | 3 => (usize::from(slice.num_ref_idx_l0_active_minus1) + 1, 0),
            1 => (
                usize::from(slice.num_ref_idx_l0_active_minus1) + 1,
                usize::from(slice.num_ref_idx_l1_active_minus1) + 1,
            ),
            _ => (0, 0),
        };
        slice
            .RefPicList0
            .iter()
            .take(l0)
            .chain(slice.RefPicList1.iter().take(l1))
    });
    let mut entries: Vec<&va::VAPictureH264> = Vec::with_capacity(picture.ReferenceFrames.len());
    for entry in picture.ReferenceFrames.iter().chain(lists) {
        let is_valid = entry.flags & va::VA_PICTURE_H264_INVALID == 0 && entry.picture_id != va::VA_INVALID_SURFACE;
        let name = |entry: &va::VAPictureH264| (is_long_term(entry), number(entry));
        let is_known = entries.iter().any(|known| name(known) == name(entry));
        if is_valid && !is_known && entries.len() < picture.ReferenceFrames.len() {
            entries.push(entry);
        }
    }
    entries
}

fn is_long_term(entry: &va::VAPictureH264) -> bool {
    entry.flags & va::VA_PICTURE_H264_LONG_TERM_REFERENCE != 0
}

/// `FrameNum` or `LongTermFrameIdx`.
fn number(entry: &va::VAPictureH264) -> u16 {
    entry.frame_idx as u16
}

fn reference(entry: &va::VAPictureH264, sps: &Sps, first_slice: &SliceHeader) -> Reference {
    let number = number(entry);
    if is_long_term(entry) {
        return Reference::LongTerm {
            long_term_frame_idx: number,
            long_term_pic_num: number,
        };
    }
    // FrameNumWrap (8-27), which of a frame is its PicNum.
    let wraps = number > first_slice.frame_num;
    let wrapped = if wraps { sps.max_frame_num().cast_signed() } else { 0 };
    Reference::ShortTerm {
        frame_num: number,
        pic_num: i32::from(number) - wrapped,
    }
}

#[cfg(test)]
mod tests {
    use fourier_core::h264::Parity;

    use super::*;

    #[test]
    fn a_second_field_has_the_order_count_of_the_first_whatever_the_application_says_of_it() {
        let current = va::VAPictureH264 {
            TopFieldOrderCnt: 0,
            BottomFieldOrderCnt: 7,
            ..Default::default()
        };
        let counts = OrderCounts::default();
        let bottom = PictureStructure::Field(Parity::Bottom);
        assert_eq!(counts.of_current(bottom, None, &current), [7, 7]);
        assert_eq!(counts.of_current(bottom, Some([6, 6]), &current), [6, 7]);
        assert_eq!(counts.of_current(PictureStructure::Frame, None, &current), [0, 7]);
    }
}
