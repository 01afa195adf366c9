use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::device::format::NV12;
use crate::memory::{Format, FrameAllocator, PlaneFormat};
use crate::units::Size;

#[derive(Debug, Default)]
struct Knobs {
    allocated: AtomicUsize,
    fenced: AtomicBool,
    fence_polls: AtomicUsize,
    /// Allocations that succeed before they fail; 0 = all.
    allowed: usize,
    drops_exported: bool,
    /// How often another process still has every buffer when one is asked for.
    elsewhere: AtomicUsize,
}

#[derive(Debug)]
struct Source(Arc<Knobs>);

impl FrameSource for Source {
    fn allocate(&self) -> Result<Arc<FrameMemory>> {
        let fewer = |left: usize| left.checked_sub(1);
        if self
            .0
            .elsewhere
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer)
            .is_ok()
        {
            return Err(Error::NeedFrames { needed: 1, limit: 1 });
        }
        let count = self.0.allocated.fetch_add(1, Ordering::Relaxed) + 1;
        if self.0.allowed != 0 && count > self.0.allowed {
            let error = crate::IoctlError::new("VIDIOC_REQBUFS", "test", nix::errno::Errno::ENOMEM);
            return Err(error.into());
        }
        let planes = vec![PlaneFormat {
            bytes_per_line: 64,
            size_image: 64 * 24,
        }];
        let format = Format {
            pixel_format: NV12,
            size: Size { width: 16, height: 16 },
            planes,
        };
        crate::device::allocator::soft_allocator().allocate(&format)
    }

    fn is_idle(&self, _: &FrameMemory) -> bool {
        self.0.fence_polls.fetch_add(1, Ordering::Relaxed);
        !self.0.fenced.load(Ordering::Relaxed)
    }

    fn recycles_exported(&self) -> bool {
        !self.0.drops_exported
    }
}

fn pool_with(knobs: Knobs, total: usize, reserve: usize) -> (FramePool, Arc<Knobs>, Interrupt) {
    let (knobs, interrupt) = (Arc::new(knobs), Interrupt::new());
    let source = Box::new(Source(Arc::clone(&knobs)));
    (
        FramePool::new(
            source,
            PoolLimits {
                total,
                reserve,
                most: 2 * total,
            },
            interrupt.clone(),
        ),
        knobs,
        interrupt,
    )
}

fn pool(total: usize, reserve: usize) -> (FramePool, Arc<Knobs>, Interrupt) {
    pool_with(Knobs::default(), total, reserve)
}

fn decode(frame: &Frame) {
    let timestamp = Timestamp::from_sequence(NonZeroU64::MIN);
    frame.queue(timestamp).unwrap();
    frame.dequeue(timestamp).unwrap();
}

fn address(frame: &Frame) -> *const FrameMemory {
    Arc::as_ptr(frame.memory())
}

#[test]
fn a_frame_comes_home_when_its_last_holder_drops_it() {
    let (pool, knobs, _) = pool(1, 0);
    let frame = pool.acquire().unwrap();
    let (home, other) = (address(&frame), frame.clone());
    drop(frame);
    assert!(matches!(pool.acquire(), Err(Error::NeedFrames { needed: 1, limit: 1 })));
    drop(other);
    assert_eq!(address(&pool.acquire().unwrap()), home);
    assert_eq!(knobs.allocated.load(Ordering::Relaxed), 1);
    assert_eq!(pool.stats().waits, 1);
}

#[test]
fn the_frame_used_longest_ago_comes_first() {
    let (pool, _, _) = pool(3, 0);
    let frames: Vec<_> = (0..3).map(|_| pool.acquire().unwrap()).collect();
    let order: Vec<_> = frames.iter().map(address).collect();
    frames.into_iter().rev().for_each(drop);
    for expected in order.iter().chain(&order) {
        assert_eq!(address(&pool.acquire().unwrap()), *expected);
    }
}

#[test]
fn memories_are_made_only_when_they_are_needed() {
    let (pool, knobs, _) = pool(10, 0);
    for _ in 0..5 {
        drop(pool.acquire().unwrap());
    }
    assert_eq!(knobs.allocated.load(Ordering::Relaxed), 1);
    let held: Vec<_> = (0..4).map(|_| pool.acquire().unwrap()).collect();
    drop(held);
    assert_eq!((pool.stats().frames, pool.stats().high_water), (4, 4));
}

#[test]
fn a_wait_ends_when_a_frame_comes_home() {
    let (pool, _, _) = pool(1, 0);
    let frame = pool.acquire().unwrap();
    let waiter = std::thread::spawn({
        let pool = pool.clone();
        // One wait is bounded; a slow machine may need several.
        move || (0..100).find_map(|_| pool.acquire().ok())
    });
    while pool.stats().waits == 0 {
        std::thread::yield_now();
    }
    drop(frame);
    assert!(waiter.join().unwrap().is_some());
}

#[test]
fn a_flush_ends_a_wait() {
    let (pool, _, interrupt) = pool(1, 0);
    let _held = pool.acquire().unwrap();
    interrupt.set();
    assert!(matches!(pool.acquire(), Err(Error::Flushing)));
    interrupt.clear();
    assert!(matches!(pool.acquire(), Err(Error::NeedFrames { .. })));
}

#[test]
fn downstream_never_gets_what_decoding_needs() {
    let (pool, _, _) = pool(5, 3);
    let frames: Vec<_> = (0..5).map(|_| pool.acquire().unwrap()).collect();
    frames.iter().for_each(decode);
    let exports: Vec<_> = frames.iter().map(|frame| frame.export().unwrap()).collect();
    assert_eq!(
        exports,
        [Export::Share, Export::Share, Export::Copy, Export::Copy, Export::Copy]
    );
    assert_eq!(frames[0].export().unwrap(), Export::Share, "it is out already");
    assert_eq!(pool.stats().exported, 2);
    let mut frames = frames.into_iter();
    drop(frames.next());
    assert_eq!(frames.nth(1).unwrap().export().unwrap(), Export::Share, "one came home");
}

#[test]
fn what_downstream_let_go_of_does_not_count_though_the_dpb_has_it() {
    let (pool, _, _) = pool(3, 2);
    let in_dpb = pool.acquire().unwrap();
    decode(&in_dpb);
    let outside = in_dpb.clone();
    assert_eq!(outside.export().unwrap(), Export::Share);
    let also_outside = outside.clone();
    drop(outside);
    assert!(matches!(in_dpb.state(), SlotState::Exported { .. }));
    drop(also_outside);
    assert!(matches!(in_dpb.state(), SlotState::Decoded { .. }));
    assert_eq!(pool.stats().exported, 0);
    let next = pool.acquire().unwrap();
    decode(&next);
    assert_eq!(next.export().unwrap(), Export::Share);
    assert_eq!(in_dpb.export().unwrap(), Export::Copy);
}

#[test]
fn exporting_twice_is_one_export() {
    let (pool, _, _) = pool(3, 0);
    let frame = pool.acquire().unwrap();
    decode(&frame);
    let other = frame.clone();
    for handle in [&frame, &frame, &other] {
        assert_eq!(handle.export().unwrap(), Export::Share);
    }
    assert_eq!(pool.stats().exported, 1);
    drop(frame);
    drop(other);
    assert_eq!(pool.stats().exported, 0);
    assert!(pool.acquire().is_ok());
}

#[test]
fn an_export_waits_a_while_for_downstream_to_let_go() {
    let (pool, _, interrupt) = pool(3, 2);
    let [first, second] = [(), ()].map(|()| pool.acquire().unwrap());
    [&first, &second].into_iter().for_each(decode);
    let _in_dpb = first.clone();
    assert_eq!(first.export().unwrap(), Export::Share);
    assert_eq!(second.export_within(Duration::ZERO).unwrap(), Export::Copy);
    interrupt.set();
    assert!(matches!(
        second.export_within(Duration::from_secs(60)),
        Err(Error::Flushing)
    ));
    interrupt.clear();
    let waits = pool.stats().waits;
    let waiter = std::thread::spawn(move || second.export_within(Duration::from_secs(60)).unwrap());
    while pool.stats().waits == waits {
        std::thread::yield_now();
    }
    drop(first);
    assert_eq!(waiter.join().unwrap(), Export::Share);
}

#[test]
fn a_frame_without_a_picture_cannot_leave() {
    let (pool, _, _) = pool(2, 0);
    assert!(matches!(pool.acquire().unwrap().export(), Err(Error::Bug(_))));
}

#[test]
fn memory_that_a_device_still_reads_is_skipped() {
    let (pool, knobs, _) = pool(2, 0);
    let frame = pool.acquire().unwrap();
    decode(&frame);
    assert_eq!(frame.export().unwrap(), Export::Share);
    let fenced = address(&frame);
    drop(frame);
    knobs.fenced.store(true, Ordering::Relaxed);
    let other = pool.acquire().unwrap();
    assert_ne!(address(&other), fenced);
    assert!(matches!(pool.acquire(), Err(Error::NeedFrames { .. })));
    knobs.fenced.store(false, Ordering::Relaxed);
    assert_eq!(address(&pool.acquire().unwrap()), fenced);
}

#[test]
fn memory_that_never_left_the_process_has_no_fence_to_poll() {
    let (pool, knobs, _) = pool(2, 0);
    for _ in 0..10 {
        decode(&pool.acquire().unwrap());
    }
    assert_eq!(knobs.fence_polls.load(Ordering::Relaxed), 0);
}

#[test]
fn a_source_that_reuses_nothing_makes_a_new_memory_for_one_that_left() {
    let (pool, knobs, _) = pool_with(
        Knobs {
            drops_exported: true,
            ..Knobs::default()
        },
        2,
        0,
    );
    let frame = pool.acquire().unwrap();
    decode(&frame);
    frame.export().unwrap();
    let outside = Arc::downgrade(frame.memory());
    drop(frame);
    drop(pool.acquire().unwrap());
    assert!(outside.upgrade().is_none(), "we keep no descriptor of it");
    assert_eq!((knobs.allocated.load(Ordering::Relaxed), pool.stats().frames), (2, 1));
}

#[test]
fn a_pool_that_cannot_grow_goes_on_with_what_it_has() {
    let (pool, _, _) = pool_with(
        Knobs {
            allowed: 3,
            ..Knobs::default()
        },
        10,
        2,
    );
    let held: Vec<_> = (0..3).map(|_| pool.acquire().unwrap()).collect();
    assert!(matches!(pool.acquire(), Err(Error::NeedFrames { .. })));
    drop(held);
    assert!(pool.acquire().is_ok());
    assert_eq!(pool.stats().limit, 3, "downstream may have one of these, not eight");
}

#[test]
fn a_consumer_that_says_how_much_it_holds_gets_it() {
    let (pool, _, _) = pool(5, 3);
    pool.allow_downstream(1);
    assert_eq!(pool.stats().limit, 10, "twice as many are the most here");
    pool.allow_downstream(0);
    assert_eq!(pool.stats().limit, 10, "never fewer");
}

#[test]
fn a_pool_that_cannot_even_start_says_what_failed() {
    let (pool, _, _) = pool_with(
        Knobs {
            allowed: 1,
            ..Knobs::default()
        },
        10,
        2,
    );
    let _held = pool.acquire().unwrap();
    assert!(matches!(pool.acquire(), Err(Error::Device(_))));
}

#[test]
fn frames_outlive_their_pool() {
    let (pool, _, _) = pool(1, 0);
    let frame = pool.acquire().unwrap();
    decode(&frame);
    drop(pool);
    assert_eq!(frame.export().unwrap(), Export::Share);
    assert!(frame.memory().read().is_ok());
}

#[test]
fn limits_follow_dpb_downstream_and_memory() {
    let limits = |memory, dpb, downstream, bytes| PoolLimits::within(memory, dpb, 5, downstream, bytes);
    let mib = 1 << 20;
    assert_eq!(
        limits(512 * mib, 4, 2, 3 * mib).unwrap(),
        PoolLimits {
            total: 27,
            reserve: 10,
            most: 64
        }
    );
    assert_eq!(limits(512 * mib, 16, 60, 1).unwrap().total, 64, "never more");
    assert_eq!(
        limits(512 * mib, 16, 2, 14 * mib).unwrap(),
        PoolLimits {
            total: 36,
            reserve: 22,
            most: 36
        }
    );
    assert_eq!(
        limits(8 * mib, 4, 2, mib).unwrap(),
        PoolLimits {
            total: 8,
            reserve: 8,
            most: 8
        },
        "all frames are copied out"
    );
    assert!(matches!(
        limits(5 * mib, 4, 2, mib),
        Err(Error::NeedFrames { needed: 1, limit: 5 })
    ));
}

#[test]
fn sizes_are_read_with_their_unit() {
    for (text, bytes) in [
        ("1048576", 1 << 20),
        ("256M", 256 << 20),
        (" 2g", 2 << 30),
        ("64K", 64 << 10),
    ] {
        assert_eq!(parse_bytes(text), Some(bytes));
    }
    for text in ["", "M", "lots", "-1", "99999999999999999999", "18446744073709551615G"] {
        assert_eq!(parse_bytes(text), None, "{text}");
    }
}

#[test]
fn a_buffer_that_another_process_lets_go_of_is_found_without_being_told() {
    let knobs = Knobs {
        drops_exported: true,
        elsewhere: AtomicUsize::new(3),
        ..Knobs::default()
    };
    let (pool, ..) = pool_with(knobs, 4, 2);
    assert!(pool.acquire().is_ok());
    assert_eq!(pool.stats().waits, 1);
}
