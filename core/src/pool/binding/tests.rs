use std::num::NonZeroU64;

use super::*;
use crate::memory::{FrameLayout, MemoryKind};
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
    Timestamp::from_sequence(NonZeroU64::new(n).unwrap())
}

fn set(indexes: &[u32]) -> IndexSet {
    let mut set = IndexSet::default();
    indexes.iter().for_each(|&index| set.insert(BufferIndex(index)));
    set
}

/// Three indexes, all bound, used in the order 0, 1, 2.
fn bound() -> (Binding, [Arc<FrameMemory>; 3]) {
    let memories = [memory(), memory(), memory()];
    let mut binding = Binding::new(3);
    for (index, memory) in (0..).zip(&memories) {
        binding.bind(BufferIndex(index), memory, Some(timestamp(u64::from(index) + 1)));
    }
    (binding, memories)
}

#[test]
fn a_binding_sticks() {
    let (binding, memories) = bound();
    for (index, memory) in (0..).map(BufferIndex).zip(&memories) {
        assert_eq!(binding.place(memory, IndexSet::default()), Place::Bound(index));
        assert_eq!(
            binding.place(memory, set(&[0, 1, 2])),
            Place::Bound(index),
            "also while pinned"
        );
    }
}

#[test]
fn dead_memories_are_rebound_first_then_unused_indexes_then_the_least_recently_used() {
    let (mut binding, memories) = bound();
    binding.extend(1);
    let new = memory();
    assert_eq!(
        binding.place(&new, IndexSet::default()),
        Place::Rebind(BufferIndex(3)),
        "never used"
    );
    assert_eq!(
        binding.place(&new, set(&[3])),
        Place::Rebind(BufferIndex(0)),
        "used longest ago"
    );
    let [_first, second, third] = memories;
    binding.bind(BufferIndex(0), &_first, None);
    assert_eq!(
        binding.place(&new, set(&[3])),
        Place::Rebind(BufferIndex(1)),
        "used longest ago now"
    );
    drop(third);
    assert_eq!(
        binding.place(&new, IndexSet::default()),
        Place::Rebind(BufferIndex(2)),
        "dead"
    );
    drop(second);
    assert_eq!(
        binding.place(&new, set(&[2])),
        Place::Rebind(BufferIndex(1)),
        "dead too"
    );
}

#[test]
fn nothing_pinned_is_rebound() {
    let (binding, _memories) = bound();
    assert_eq!(binding.place(&memory(), set(&[0, 2])), Place::Rebind(BufferIndex(1)));
    assert_eq!(binding.place(&memory(), set(&[0, 1, 2])), Place::AllPinned);
}

#[test]
fn a_rebinding_forgets_the_picture_and_the_memory_that_were_there() {
    let (mut binding, memories) = bound();
    assert!(binding.holds_picture(BufferIndex(0), timestamp(1)));
    let new = memory();
    binding.bind(BufferIndex(0), &new, Some(timestamp(9)));
    assert!(!binding.holds_picture(BufferIndex(0), timestamp(1)));
    assert!(binding.holds_picture(BufferIndex(0), timestamp(9)));
    assert_eq!(binding.index_of(&memories[0]), None);
    assert_eq!(binding.index_of(&new), Some(BufferIndex(0)));
}

#[test]
fn a_failed_qbuf_leaves_neither_memory_nor_timestamp() {
    let (mut binding, memories) = bound();
    binding.unbind(BufferIndex(1));
    assert_eq!(binding.index_of(&memories[1]), None);
    assert!(!binding.holds_picture(BufferIndex(1), timestamp(2)));
}

#[test]
fn streamoff_forgets_pictures_and_keeps_memories() {
    let (mut binding, memories) = bound();
    binding.forget_timestamps();
    assert!((0..3).all(|index| !binding.holds_picture(BufferIndex(index), timestamp(u64::from(index) + 1))));
    assert_eq!(binding.index_of(&memories[2]), Some(BufferIndex(2)));
}

#[test]
fn a_new_memory_at_the_address_of_a_dead_one_is_another_memory() {
    let mut binding = Binding::new(1);
    let first = memory();
    binding.bind(BufferIndex(0), &first, Some(timestamp(1)));
    drop(first);
    for _ in 0..100 {
        assert_eq!(binding.index_of(&memory()), None);
    }
}

#[test]
fn vacant_indexes_are_those_without_a_living_memory() {
    let (mut binding, [first, second, _third]) = bound();
    binding.extend(1);
    binding.unbind(BufferIndex(0));
    drop((first, second));
    assert_eq!(
        binding.vacant(IndexSet::default()).collect::<Vec<_>>(),
        [0, 1, 3].map(BufferIndex)
    );
    assert_eq!(binding.vacant(set(&[1])).collect::<Vec<_>>(), [0, 3].map(BufferIndex));
}

#[test]
fn no_more_indexes_are_kept_than_a_set_can_hold() {
    assert_eq!(Binding::new(1000).len(), IndexSet::CAPACITY);
    assert!(!set(&[1000]).contains(BufferIndex(1000)), "and others are in no set");
}

#[test]
fn a_removed_index_is_not_used_until_it_is_restored() {
    let (mut binding, [first, _second, _third]) = bound();
    assert_eq!(binding.dead(IndexSet::default()), None);
    drop(first);
    assert_eq!(binding.dead(set(&[0])), None, "pinned");
    assert_eq!(binding.dead(IndexSet::default()), Some(BufferIndex(0)));
    binding.remove(BufferIndex(0));
    assert_eq!(
        binding.place(&memory(), IndexSet::default()),
        Place::Rebind(BufferIndex(1))
    );
    binding.restore(BufferIndex(0));
    assert_eq!(
        binding.place(&memory(), IndexSet::default()),
        Place::Rebind(BufferIndex(0))
    );
    binding.restore(BufferIndex(5));
    assert_eq!(binding.len(), 6, "a buffer at a new index");
}
