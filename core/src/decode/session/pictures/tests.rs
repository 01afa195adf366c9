use std::num::NonZeroU64;
use std::sync::Arc;

use super::*;
use crate::h264::reference::{ListEntry, Reference};
use crate::h264::samples;
use crate::memory::{FrameLayout, FrameMemory, MemoryKind};
use crate::units::Size;

fn memory() -> Arc<FrameMemory> {
    let size = Size::default();
    let layout = FrameLayout {
        fourcc: 0,
        modifier: None,
        size,
        planes: Vec::new(),
        object_lengths: Vec::new(),
    };
    Arc::new(FrameMemory {
        fds: Vec::new(),
        kind: MemoryKind::MemFd,
        layout,
    })
}

fn timestamp(n: u64) -> Timestamp {
    Timestamp::from_sequence(NonZeroU64::new(n + 1).unwrap())
}

fn reference(picture: u64) -> ReferencePicture {
    let order = 2 * picture as i32;
    ReferencePicture {
        picture: PictureId(picture),
        reference: Reference::ShortTerm {
            frame_num: picture as u16,
            pic_num: picture as i32,
        },
        fields: [true, true],
        coded_as_fields: false,
        field_order_cnt: [order, order + 1],
        non_existing: false,
        lost: false,
    }
}

/// Pictures 0..4 at the indexes 0..4.
fn decoded() -> (Pictures, Binding, Vec<Arc<FrameMemory>>) {
    let (mut pictures, mut binding) = (Pictures::default(), Binding::new(4));
    let memories: Vec<_> = (0..4).map(|_| memory()).collect();
    for (n, memory) in (0..).zip(&memories) {
        binding.bind(BufferIndex(n), memory, Some(timestamp(n.into())));
        pictures.insert(PictureId(n.into()), BufferIndex(n), timestamp(n.into()));
    }
    (pictures, binding, memories)
}

fn p_slice(list: &[Option<u8>]) -> SliceJob<'static> {
    let entry = |reference: &Option<u8>| {
        reference.map(|reference| ListEntry {
            reference,
            parity: None,
        })
    };
    let list = list.iter().map(entry).collect();
    SliceJob {
        pps: None,
        header: samples::header(1, 0),
        nal: &[],
        ref_pic_lists: [list, Vec::new()],
    }
}

#[test]
fn references_are_named_by_the_timestamps_of_their_pictures() {
    let (pictures, binding, _memories) = decoded();
    let resolved = pictures.resolve(&[reference(3), reference(1)], &binding);
    assert_eq!(resolved.names[..3], [Some(timestamp(3)), Some(timestamp(1)), None]);
    assert!(resolved.indexes.contains(BufferIndex(3)) && resolved.indexes.contains(BufferIndex(1)));
    assert!(!resolved.indexes.contains(BufferIndex(0)));
    assert_eq!(resolved.missing, [false; DPB_ENTRIES]);
}

#[test]
fn a_missing_reference_is_replaced_by_the_nearest_in_output_order() {
    let (mut pictures, mut binding, _memories) = decoded();
    pictures.release(PictureId(1));
    binding.unbind(BufferIndex(2));
    let resolved = pictures.resolve(&[reference(0), reference(1), reference(2), reference(3)], &binding);
    let names = [0, 0, 3, 3].map(|n| Some(timestamp(n)));
    assert_eq!(resolved.names[..4], names);
    assert_eq!(resolved.missing[..4], [false, true, true, false]);
}

#[test]
fn a_frame_inserted_for_a_gap_names_no_picture() {
    let (pictures, binding, _memories) = decoded();
    let gap = ReferencePicture {
        non_existing: true,
        ..reference(2)
    };
    let resolved = pictures.resolve(&[reference(0), gap], &binding);
    assert_eq!(resolved.names[..2], [Some(timestamp(0)), None]);
    assert_eq!(resolved.missing, [false; DPB_ENTRIES]);
}

#[test]
fn with_nothing_left_references_name_nothing() {
    let (pictures, mut binding, _memories) = decoded();
    binding.forget_timestamps();
    let resolved = pictures.resolve(&[reference(0), reference(1)], &binding);
    assert_eq!(resolved.names, [None; DPB_ENTRIES]);
    assert_eq!(resolved.missing[..3], [true, true, false]);
}

#[test]
fn only_slices_that_refer_to_a_missing_picture_are_damaged() {
    let (mut pictures, binding, _memories) = decoded();
    pictures.release(PictureId(1));
    let resolved = pictures.resolve(&[reference(0), reference(1)], &binding);
    assert!(resolved.damages(&p_slice(&[Some(0), Some(1)])));
    assert!(!resolved.damages(&p_slice(&[Some(0), None])));
    assert!(
        resolved.damages(&p_slice(&[])),
        "lists that nobody made may hold anything"
    );
    let intra = SliceJob {
        pps: None,
        header: samples::idr(0),
        ..p_slice(&[])
    };
    assert!(!resolved.damages(&intra));
}

#[test]
fn a_picture_is_known_until_its_last_handle_goes() {
    let (mut pictures, binding, _memories) = decoded();
    // A second field.
    pictures.insert(PictureId(2), BufferIndex(2), timestamp(2));
    pictures.release(PictureId(2));
    assert_eq!(pictures.timestamp(PictureId(2)), Some(timestamp(2)));
    assert!(!pictures.resolve(&[reference(2)], &binding).missing[0]);
    pictures.release(PictureId(2));
    assert_eq!(pictures.timestamp(PictureId(2)), None);
    pictures.release(PictureId(2));
    assert!(pictures.resolve(&[reference(2)], &binding).missing[0]);
}
