//! Behaviour of the buffer as a whole; a picture is told by its `frame_num` and count, an event by a short text.

use super::*;
use crate::h264::Parity;
use crate::h264::reference::Reference;
use crate::h264::samples;
use crate::h264::slice_header::PicOrderCnt;
use crate::h264::sps::{BitstreamRestriction, Vui};

use MemoryManagementControlOperation as Mmco;

mod fields;
mod marking;
mod output;

/// A buffer with the SPS that its pictures use.
struct Stream {
    dpb: Dpb,
    sps: Sps,
}

impl Stream {
    fn new(sps: Sps) -> Self {
        Self {
            dpb: Dpb::new(OutputPolicy::Standard),
            sps,
        }
    }

    /// A stream that shows every picture at once, so that only references stay.
    fn without_reordering(max_num_ref_frames: u8) -> Self {
        Self::new(Sps {
            max_num_ref_frames,
            ..sps_with_reorder(0, 4)
        })
    }

    fn decode(&mut self, header: &SliceHeader) -> StartedPicture {
        let started = self.dpb.start_picture(&self.sps, header);
        self.dpb.finish_picture(header);
        started
    }

    /// Decodes a sequence of P frames by `frame_num`, the first being an IDR picture if it is 0.
    fn decode_frames(&mut self, frame_nums: impl IntoIterator<Item = u16>) {
        for frame_num in frame_nums {
            let header = if frame_num == 0 {
                samples::idr(0)
            } else {
                frame(frame_num, 2 * frame_num)
            };
            self.decode(&header);
        }
    }

    /// Starts a picture and tells its references: `s` short-term and PicNum, or `L` and LongTermPicNum, each with
    /// the fields that are marked, `!` where they never existed, `?` where they were lost.
    fn references(&mut self, header: &SliceHeader) -> String {
        self.dpb.start_picture(&self.sps, header);
        self.dpb
            .references()
            .iter()
            .map(reference_text)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// All events up to now: `o` output with its count, `d` discarded, `r` released with the name, `!` a violation.
    fn events(&mut self) -> String {
        std::iter::from_fn(|| self.dpb.next_event())
            .map(|event| event_text(&event))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The counts that were output up to now.
    fn output(&mut self) -> Vec<i32> {
        std::iter::from_fn(|| self.dpb.next_event())
            .filter_map(|event| match event {
                DpbEvent::Output { pic_order_cnt, .. } => Some(pic_order_cnt),
                DpbEvent::Discarded { .. }
                | DpbEvent::Unpaired { .. }
                | DpbEvent::Released { .. }
                | DpbEvent::Violation(_) => None,
            })
            .collect()
    }
}

fn reference_text(reference: &ReferencePicture) -> String {
    let number = match reference.reference {
        Reference::ShortTerm { pic_num, .. } => format!("s{pic_num}"),
        Reference::LongTerm { long_term_pic_num, .. } => format!("L{long_term_pic_num}"),
    };
    let fields = match reference.fields {
        [true, true] => "",
        [true, false] => "t",
        [false, true] => "b",
        [false, false] => "none",
    };
    let gap = if reference.non_existing { "!" } else { "" };
    let lost = if reference.lost { "?" } else { "" };
    format!("{number}{fields}{gap}{lost}")
}

fn event_text(event: &DpbEvent) -> String {
    match event {
        DpbEvent::Output { pic_order_cnt, .. } => format!("o{pic_order_cnt}"),
        DpbEvent::Discarded { picture } => format!("d{}", picture.0),
        DpbEvent::Unpaired { picture } => format!("u{}", picture.0),
        DpbEvent::Released { picture } => format!("r{}", picture.0),
        DpbEvent::Violation(violation) => format!("!{}", violation.element),
    }
}

fn sps_with_reorder(max_num_reorder_frames: u32, max_dec_frame_buffering: u32) -> Sps {
    let restriction = BitstreamRestriction {
        max_num_reorder_frames,
        max_dec_frame_buffering,
    };
    Sps {
        log2_max_frame_num_minus4: 0,
        pic_order_cnt_type: PicOrderCntType::Type0 {
            log2_max_pic_order_cnt_lsb_minus4: 4,
        },
        vui: Some(Vui {
            bitstream_restriction: Some(restriction),
            ..Vui::default()
        }),
        ..samples::sps()
    }
}

/// A reference P frame.
fn frame(frame_num: u16, pic_order_cnt_lsb: u16) -> SliceHeader {
    samples::header(frame_num, pic_order_cnt_lsb)
}

/// A B frame that is no reference.
fn b_frame(frame_num: u16, pic_order_cnt_lsb: u16) -> SliceHeader {
    SliceHeader {
        nal_ref_idc: 0,
        dec_ref_pic_marking: None,
        ..frame(frame_num, pic_order_cnt_lsb)
    }
}

fn field(parity: Parity, header: SliceHeader) -> SliceHeader {
    SliceHeader {
        structure: PictureStructure::Field(parity),
        ..header
    }
}

fn with_mmco(operations: &[Mmco], header: SliceHeader) -> SliceHeader {
    SliceHeader {
        dec_ref_pic_marking: Some(DecRefPicMarking::Adaptive(operations.to_vec())),
        ..header
    }
}

#[test]
fn is_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<Dpb>();
}

#[test]
fn picture_names_are_never_reused() {
    let mut stream = Stream::without_reordering(1);
    let first = stream.decode(&samples::idr(0)).picture;
    stream.dpb.flush();
    let second = stream.decode(&samples::idr(0)).picture;
    stream.dpb.end_sequence();
    let third = stream.decode(&samples::idr(1)).picture;
    assert!(first < second && second < third);
}

#[test]
fn finishing_without_a_started_picture_does_nothing() {
    let mut stream = Stream::without_reordering(1);
    stream.dpb.finish_picture(&frame(0, 0));
    assert_eq!(stream.dpb.ref_pic_lists(&frame(0, 0)), [vec![], vec![]]);
    assert_eq!(stream.events(), "");
}

#[test]
fn lists_are_built_from_the_references_of_the_started_picture() {
    let mut stream = Stream::without_reordering(4);
    stream.decode_frames([0, 1, 2]);
    let header = frame(3, 6);
    stream.dpb.start_picture(&stream.sps, &header);
    let [list0, _] = stream.dpb.ref_pic_lists(&header);
    let names: Vec<_> = list0
        .iter()
        .map(|entry| entry.map(|entry| stream.dpb.references()[usize::from(entry.reference)].picture.0))
        .collect();
    assert_eq!(names, [Some(2), Some(1), Some(0), None]);
}
