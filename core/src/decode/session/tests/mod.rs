//! The session on the software node, with real pictures.

pub(in crate::decode) mod clip;
mod faults;
mod fields;
mod probe;

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clip::{Clip, Coded, Coding};
use nix::errno::Errno;
use probe::{Call, Fault, Probe, ProbedDevice};

use super::{FrameNeeds, Phase, PictureHandle, ScratchAllocator, Session, Submitted, Ticket};
use crate::decode::Outcome;
use crate::device::DecoderDevice;
use crate::device::allocator::soft_allocator;
use crate::device::soft::{Personality, SoftDevice};
use crate::h264::{PictureId, Sps};
use crate::memory::{FrameAllocator, FrameLayout, FrameMemory};
use crate::pool::{Export, Frame, FramePool, Interrupt, SlotState};
use crate::{Error, Result};

fn soft(options: &str) -> Arc<dyn DecoderDevice> {
    Arc::new(SoftDevice::new(Personality::parse(options).unwrap()))
}

/// A session with a pool, a clip, and the pictures that may be referred to.
struct Player {
    session: Session,
    pool: FramePool,
    clip: Clip,
    probe: Arc<Probe>,
    /// What the DPB holds.
    dpb: HashMap<PictureId, (PictureHandle, Frame)>,
}

impl Player {
    fn new(options: &str, clip: Clip) -> Self {
        let probe = Arc::new(Probe::default());
        let inner = soft(options);
        let device = ProbedDevice {
            inner,
            probe: Arc::clone(&probe),
            opened: Default::default(),
        };
        let session = Session::open(Arc::new(device)).unwrap();
        Self::on(session, probe, clip)
    }

    fn on(session: Session, probe: Arc<Probe>, clip: Clip) -> Self {
        let needs = FrameNeeds {
            dpb: clip.max_references,
            downstream: 2,
        };
        let pool = session.configure(&clip.sps, needs, &Interrupt::new()).unwrap();
        probe.reset();
        Self {
            session,
            pool,
            clip,
            probe,
            dpb: HashMap::new(),
        }
    }

    fn submit_into(&mut self, coding: Coding, target: &Frame) -> Result<Submitted> {
        let coded = self.clip.code(coding);
        let submitted = coded.with_job(&self.clip, |job| self.session.submit(job, target));
        self.keep_references(&coded);
        submitted
    }

    fn submit(&mut self, coding: Coding) -> Result<(PictureId, Ticket, Frame)> {
        let target = self.pool.acquire()?;
        let id = self.clip.next_id();
        let Submitted { ticket, picture } = self.submit_into(coding, &target)?;
        self.dpb.insert(id, (picture, target.clone()));
        Ok((id, ticket, target))
    }

    /// As a sliding window does.
    fn keep_references(&mut self, coded: &Coded) {
        let max = self.clip.max_references as u64;
        self.dpb.retain(|id, _| id.0 + max > coded.id.0);
    }
}

/// The samples of the luma plane at the start of some rows, all equal, or what is wrong.
fn value_of(memory: &Arc<FrameMemory>) -> u8 {
    let access = memory.read().unwrap();
    let (plane, pitch) = (access.plane(0).unwrap(), memory.layout.planes[0].pitch);
    let size = memory.layout.size;
    let rows = (0..size.height as usize).flat_map(|row| &plane[row * pitch..][..size.width as usize]);
    let mut values: Vec<u8> = rows.copied().collect();
    values.dedup();
    assert_eq!(values.len(), 1, "one value everywhere: {values:?}");
    values[0]
}

fn wait_good(submitted: &(PictureId, Ticket, Frame), value: u8) {
    assert_eq!(submitted.1.wait(), Outcome::Good);
    assert_eq!(value_of(submitted.2.memory()), value);
}

#[test]
fn pictures_come_out_as_they_were_coded() {
    for options in [
        "default",
        "threads=1",
        "pitch=256,tail=64",
        "planes=2",
        "cedrus",
        "mode=slice",
        "remove=off",
    ] {
        let mut player = Player::new(options, Clip::new(2, 1));
        let first = player.submit(Coding::Value(200)).unwrap();
        let copy = player.submit(Coding::CopyOf(first.0)).unwrap();
        wait_good(&first, 200);
        wait_good(&copy, 200);
    }
}

#[test]
fn several_pictures_are_in_flight_and_end_in_any_order_of_waiting() {
    let mut player = Player::new("default", Clip::new(2, 2));
    let mut last = player.submit(Coding::Value(7)).unwrap();
    let mut all = Vec::new();
    for _ in 0..20 {
        let next = player.submit(Coding::CopyOf(last.0)).unwrap();
        all.push(std::mem::replace(&mut last, next));
        if all.len() == 4 {
            all.drain(..).rev().for_each(|picture| wait_good(&picture, 7));
        }
    }
    player.session.drain().unwrap();
    assert_eq!(player.session.phase(), Phase::Drained);
    assert_eq!(last.1.outcome(), Some(Outcome::Good), "drained");
}

#[test]
fn threads_that_wait_for_different_pictures_all_get_theirs() {
    let mut player = Player::new("default", Clip::new(2, 2));
    let mut waiters = Vec::new();
    for value in 0..40 {
        let picture = player.submit(Coding::Value(value)).unwrap();
        waiters.push(std::thread::spawn(move || wait_good(&picture, value)));
        if waiters.len() == 4 {
            waiters.drain(..).for_each(|waiter| waiter.join().unwrap());
        }
    }
}

#[test]
fn a_picture_takes_at_most_eight_device_calls() {
    let mut player = Player::new("default", Clip::new(2, 1));
    let mut last = player.submit(Coding::Value(1)).unwrap();
    for _ in 0..10 {
        last = player.submit(Coding::CopyOf(last.0)).unwrap();
    }
    player.session.drain().unwrap();
    player.probe.reset();
    let pictures = 50;
    for _ in 0..pictures {
        last = player.submit(Coding::CopyOf(last.0)).unwrap();
    }
    player.session.drain().unwrap();
    let calls = player.probe.order().len();
    assert!(calls <= 8 * pictures, "{calls} calls for {pictures} pictures");
    wait_good(&last, 1);
}

#[test]
fn the_capture_buffer_is_queued_after_its_request() {
    let mut player = Player::new("default", Clip::new(1, 1));
    player.submit(Coding::Value(1)).unwrap();
    let expected = [
        Call::SetControls,
        Call::QueueOutput,
        Call::QueueRequest,
        Call::QueueCapture,
    ];
    assert_eq!(player.probe.order(), expected);
}

/// 64 memories take turns at 32 indexes while every picture copies the oldest of 16 references.
#[test]
fn a_pinned_index_is_never_rebound() {
    let mut player = Player::new("default", Clip::new(1, 1).with_references(16));
    let memories: Vec<Frame> = {
        let (format, pool) = (player.session.format().unwrap(), &player.pool);
        let allocator = soft_allocator();
        assert!(pool.stats().limit < 64);
        let allocate = |_| player.session.adopt(allocator.allocate(&format).unwrap()).unwrap();
        (0..64).map(allocate).collect()
    };
    let mut values = HashMap::new();
    let mut tickets = Vec::new();
    for n in 0..640_u64 {
        let id = player.clip.next_id();
        let oldest = PictureId(id.0.saturating_sub(16));
        let coding = if n < 16 {
            Coding::Value(100 + n as u8)
        } else {
            Coding::CopyOf(oldest)
        };
        let value = if n < 16 { 100 + n as u8 } else { values[&oldest] };
        values.insert(id, value);
        let target = &memories[n as usize % 64];
        let Submitted { ticket, picture } = player.submit_into(coding, target).unwrap();
        player.dpb.insert(id, (picture, target.clone()));
        tickets.push((ticket, target, value));
        if tickets.len() > 20 {
            let (ticket, target, value) = tickets.remove(0);
            assert_eq!(ticket.wait(), Outcome::Good, "picture {}", n - 20);
            assert_eq!(value_of(target.memory()), value);
        }
    }
    assert_eq!(player.session.stats().damaged, 0);
}

#[test]
fn few_buffers_for_many_references_are_refused_by_name() {
    let mut player = Player::new("buffers=4", Clip::new(1, 1).with_references(8));
    let refused = (0..8)
        .map(|value| player.submit(Coding::Value(value)))
        .find_map(Result::err);
    let Some(Error::Unsupported(why)) = refused else {
        panic!("{refused:?}")
    };
    assert!(why.contains("4 buffers"), "{why}");
}

#[test]
fn a_reference_that_is_gone_is_replaced_by_the_nearest_and_the_picture_is_damaged() {
    let mut player = Player::new("default", Clip::new(1, 1));
    let first = player.submit(Coding::Value(10)).unwrap();
    let second = player.submit(Coding::Value(20)).unwrap();
    let third = player.submit(Coding::Value(30)).unwrap();
    player.dpb.remove(&second.0);
    let copy = player.submit(Coding::CopyOf(second.0)).unwrap();
    assert_eq!(copy.1.wait(), Outcome::Damaged);
    assert_ne!(value_of(copy.2.memory()), 20, "its memory is not found by any name");
    wait_good(&first, 10);
    wait_good(&third, 30);
}

#[test]
fn a_picture_over_a_reference_makes_the_reference_unusable() {
    let mut player = Player::new("default", Clip::new(1, 1));
    let first = player.submit(Coding::Value(10)).unwrap();
    assert_eq!(first.1.wait(), Outcome::Good);
    // As a program may do that decodes into a surface which is still listed as a reference.
    let id = player.clip.next_id();
    let over = player.submit_into(Coding::Value(20), &first.2).unwrap();
    player.dpb.insert(id, (over.picture, first.2.clone()));
    let copy = player.submit(Coding::CopyOf(first.0)).unwrap();
    assert_eq!(copy.1.wait(), Outcome::Damaged);
}

#[test]
fn memory_that_nobody_holds_is_taken_off_the_queue_where_the_device_can() {
    for (options, created) in [("default", 3), ("remove=off", 0)] {
        let mut player = Player::new(options, Clip::new(1, 1).with_references(1));
        let format = player.session.format().unwrap();
        for value in 0..3 {
            let memory = soft_allocator().allocate(&format).unwrap();
            let target = player.session.adopt(Arc::clone(&memory)).unwrap();
            let submitted = player.submit_into(Coding::Value(value), &target).unwrap();
            assert_eq!(submitted.ticket.wait(), Outcome::Good);
        }
        // The last job pins its own memory until the one after the next.
        for value in 0..6 {
            let picture = player.submit(Coding::Value(value)).unwrap();
            wait_good(&picture, value);
        }
        assert_eq!(player.probe.count(Call::CreateBuffers), created);
    }
}

#[test]
fn no_picture_is_lost_where_dead_memory_cannot_be_taken_off_the_queue() {
    for call in [Call::RemoveBuffer, Call::CreateBuffers] {
        let mut player = Player::new("default", Clip::new(1, 1).with_references(1));
        let format = player.session.format().unwrap();
        let memory = soft_allocator().allocate(&format).unwrap();
        let target = player.session.adopt(memory).unwrap();
        player.submit_into(Coding::Value(1), &target).unwrap().ticket.wait();
        drop(target);
        player.probe.fail(call, 0, Fault::Error(Errno::EBUSY));
        for value in 0..6 {
            let picture = player.submit(Coding::Value(value)).unwrap();
            wait_good(&picture, value);
        }
        assert_eq!(player.probe.count(call), 1, "{call:?} is not tried again");
    }
}

#[test]
fn a_queue_with_fewer_buffers_than_the_dpb_is_refused_rather_than_waited_for() {
    let session = Session::open(soft("import=off,buffers=4")).unwrap();
    let needs = FrameNeeds { dpb: 3, downstream: 0 };
    let configured = session.configure(&Clip::new(1, 1).sps, needs, &Interrupt::new());
    assert!(
        matches!(configured, Err(Error::NeedFrames { needed: 1, limit: 4 })),
        "{configured:?}"
    );
}

#[test]
fn memory_of_another_format_or_with_planes_elsewhere_is_not_adopted() {
    let player = Player::new("default", Clip::new(2, 1));
    let format = player.session.format().unwrap();
    let changes: [fn(&mut FrameLayout); 4] = [
        |layout| layout.fourcc = u32::from_le_bytes(*b"P010"),
        |layout| layout.modifier = Some(1),
        |layout| layout.planes[1].offset += 64,
        |layout| layout.planes[1].pitch *= 2,
    ];
    for change in changes {
        let mut memory = Arc::into_inner(soft_allocator().allocate(&format).unwrap()).unwrap();
        change(&mut memory.layout);
        let adopted = player.session.adopt(Arc::new(memory));
        assert!(matches!(adopted, Err(Error::Unsupported(_))), "{adopted:?}");
    }
}

#[test]
fn memory_that_does_not_fit_is_not_adopted() {
    let player = Player::new("default", Clip::new(2, 1));
    let format = player.session.format().unwrap();
    let small = Clip::new(1, 1);
    let other = Session::open(soft("default")).unwrap();
    other
        .configure(&small.sps, FrameNeeds::default(), &Interrupt::new())
        .unwrap();
    let of_another_size = soft_allocator().allocate(&other.format().unwrap()).unwrap();
    assert!(matches!(
        player.session.adopt(of_another_size),
        Err(Error::Unsupported(_))
    ));
    let fitting = soft_allocator().allocate(&format).unwrap();
    let liar = Arc::new(FrameMemory {
        fds: vec![File::open("/dev/null").unwrap().into()],
        kind: fitting.kind,
        layout: fitting.layout.clone(),
    });
    assert!(
        player.session.adopt(liar).is_err(),
        "its length is looked at, not believed"
    );
    assert!(player.session.adopt(fitting).is_ok());
}

#[test]
fn submitting_allocates_nothing_once_it_has_begun() {
    let mut player = Player::new("default", Clip::new(1, 1));
    let targets: Vec<_> = (0..8).map(|_| player.pool.acquire().unwrap()).collect();
    let coded: Vec<_> = (0..40).map(|value| player.clip.code(Coding::Value(value))).collect();
    let mut dpb = VecDeque::with_capacity(8);
    for (n, (coded, target)) in coded.iter().zip(targets.iter().cycle()).enumerate() {
        player.probe.reset();
        let allocations = coded.with_job(&player.clip, |job| {
            allocation_counter::measure(|| {
                let Submitted { ticket, picture } = player.session.submit(job, target).unwrap();
                if n % 2 == 1 {
                    assert_eq!(ticket.wait(), Outcome::Good);
                }
                dpb.push_back(picture);
                dpb.truncate(5);
            })
        });
        assert!(n < 20 || allocations.count_total == 0, "picture {n}: {allocations:?}");
    }
}

#[test]
fn memory_of_a_scratch_allocator_is_decoded_into() {
    for options in ["default", "pitch=256,tail=64", "planes=2", "cedrus"] {
        let mut player = Player::new(options, Clip::new(2, 1));
        let scratch = ScratchAllocator::open(soft(options)).unwrap();
        // Of another size in between: the scratch context is set up anew.
        let other = Clip::new(4, 3).sps;
        assert_ne!(
            scratch.allocate(&other).unwrap().layout,
            scratch.allocate(&player.clip.sps).unwrap().layout
        );
        let target = Frame::adopt(scratch.allocate(&player.clip.sps).unwrap());
        let submitted = player.submit_into(Coding::Value(77), &target).unwrap();
        assert_eq!(submitted.ticket.wait(), Outcome::Good, "{options}");
        assert_eq!(value_of(target.memory()), 77);
    }
}

#[test]
fn sessions_of_several_sizes_share_a_scratch_context() {
    for options in ["default", "cedrus"] {
        let probe = Arc::new(Probe::default());
        let device = Arc::new(ProbedDevice {
            inner: soft(options),
            probe: Arc::clone(&probe),
            opened: Default::default(),
        });
        let scratch = ScratchAllocator::open(device.clone()).unwrap();
        let mut players: Vec<_> = [(2, 1), (3, 2)]
            .into_iter()
            .map(|(width, height)| {
                let session = Session::open_with(&scratch).unwrap();
                Player::on(session, Arc::clone(&probe), Clip::new(width, height))
            })
            .collect();
        for value in [40, 90, 140] {
            for player in &mut players {
                let picture = player.submit(Coding::Value(value)).unwrap();
                wait_good(&picture, value);
            }
        }
        let opened = *device.opened.lock().unwrap();
        assert_eq!(opened, 3, "{options}: one scratch context and two sessions");
    }
}

#[test]
fn a_scratch_allocator_refuses_by_name_what_the_device_cannot_decode() {
    let scratch = ScratchAllocator::open(soft("default")).unwrap();
    let mut sps = Clip::new(2, 1).sps;
    sps.chroma_format_idc = 3;
    assert!(matches!(scratch.allocate(&sps), Err(Error::Unsupported(what)) if what.contains("4:4:4")));
}

#[test]
fn looking_again_and_again_sees_a_picture_end() {
    let mut player = Player::new("default", Clip::new(2, 1));
    let (_, ticket, _) = player.submit(Coding::Value(9)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while ticket.wait_until(Instant::now()).is_none() {
        assert!(Instant::now() < deadline, "nobody but us collects");
        std::thread::yield_now();
    }
    assert_eq!(ticket.outcome(), Some(Outcome::Good));
    let (_, later, _) = player.submit(Coding::Value(10)).unwrap();
    assert_eq!(later.wait_until(deadline), Some(Outcome::Good));
    drop(player);
    assert_eq!(later.wait_until(Instant::now()), Some(Outcome::Good));
}

#[test]
fn frames_outlive_session_and_device() {
    let mut player = Player::new("default", Clip::new(2, 1));
    let (_, ticket, frame) = player.submit(Coding::Value(33)).unwrap();
    drop(player);
    assert_eq!(
        ticket.wait(),
        Outcome::Good,
        "a session that ends waits for what is under way"
    );
    assert_eq!(value_of(frame.memory()), 33);
}

#[test]
fn a_new_size_leaves_old_frames_whole() {
    let mut player = Player::new("default", Clip::new(2, 1));
    let old = player.submit(Coding::Value(50)).unwrap();
    let stray = player.pool.acquire().unwrap();
    assert!(player.session.is_configured_for(&player.clip.sps));
    player.clip = Clip::new(3, 2);
    assert!(!player.session.is_configured_for(&player.clip.sps));
    let old_pool = std::mem::replace(&mut player.pool, {
        let needs = FrameNeeds { dpb: 4, downstream: 0 };
        player
            .session
            .configure(&player.clip.sps, needs, &Interrupt::new())
            .unwrap()
    });
    player.dpb.clear();
    let new = player.submit(Coding::Value(60)).unwrap();
    wait_good(&old, 50);
    wait_good(&new, 60);
    assert_eq!(old_pool.acquire().unwrap().memory().layout, stray.memory().layout);
    assert!(
        matches!(player.submit_into(Coding::Value(1), &stray), Err(Error::Unsupported(_))),
        "another layout"
    );
}

#[test]
fn slices_share_a_held_capture_buffer() {
    for (rows, slices) in [(4, 4), (9, 9), (3, 2)] {
        let mut player = Player::new("cedrus", Clip::new(2, rows).in_slices(slices));
        let first = player.submit(Coding::Value(90)).unwrap();
        let copy = player.submit(Coding::CopyOf(first.0)).unwrap();
        let again = player.submit(Coding::CopyOf(first.0)).unwrap();
        wait_good(&again, 90);
        wait_good(&copy, 90);
        wait_good(&first, 90);
        assert_eq!(player.probe.count(Call::QueueCapture), 3);
        assert_eq!(
            player.probe.count(Call::QueueRequest),
            3 * u64::from(rows.div_ceil(rows.div_ceil(slices)))
        );
    }
}

#[test]
fn a_device_that_imports_nothing_lends_its_own_buffers() {
    let mut player = Player::new("import=off,buffers=12", Clip::new(2, 1));
    let mut last = player.submit(Coding::Value(44)).unwrap();
    for _ in 0..30 {
        last = player.submit(Coding::CopyOf(last.0)).unwrap();
    }
    wait_good(&last, 44);
    assert_eq!(last.2.export().unwrap(), Export::Share);
    let outside = Arc::clone(last.2.memory());
    drop(last);
    for round in 0..5 {
        let values = (0..5).map(|n| 10 * round + n);
        let pictures: Vec<_> = values
            .map(|value| (value, player.submit(Coding::Value(value)).unwrap()))
            .collect();
        pictures.iter().for_each(|(value, picture)| wait_good(picture, *value));
    }
    assert_eq!(
        value_of(&outside),
        44,
        "a buffer that is still mapped elsewhere is not written"
    );
}

#[test]
fn a_picture_larger_than_its_slot_makes_the_slot_grow() {
    for options in ["default", "remove=off"] {
        let mut player = Player::new(options, Clip::new(40, 32));
        let (small, large) = (
            player.submit(Coding::Value(1)).unwrap(),
            player.submit(Coding::Value(0)).unwrap(),
        );
        assert!(
            player.probe.count(Call::CreateBuffers) > 0,
            "slots of 320 KiB are too small for 480 KiB of I_PCM"
        );
        wait_good(&small, 1);
        wait_good(&large, 0);
    }
}

#[test]
fn what_the_device_cannot_decode_is_refused_by_name() {
    let base = Clip::new(2, 2).sps;
    let session = Session::open(soft("max=1024x1024,fields=off,depth=8,422=off")).unwrap();
    let interlaced = Sps {
        frame_mbs_only_flag: false,
        mb_adaptive_frame_field_flag: true,
        ..base.clone()
    };
    let deep = Sps {
        profile_idc: 110,
        bit_depth_luma_minus8: 2,
        ..base.clone()
    };
    let chroma_422 = Sps {
        profile_idc: 122,
        chroma_format_idc: 2,
        ..base.clone()
    };
    let chroma_444 = Sps {
        profile_idc: 244,
        chroma_format_idc: 3,
        ..base.clone()
    };
    let large = Sps {
        pic_width_in_mbs_minus1: 64,
        ..base.clone()
    };
    let lossless = Sps {
        profile_idc: 244,
        qpprime_y_zero_transform_bypass_flag: true,
        ..base
    };
    for (sps, feature) in [
        (interlaced, "interlaced"),
        (deep, "10 bits"),
        (chroma_422, "4:2:2"),
        (chroma_444, "4:4:4"),
        (large, "1040x32"),
        (lossless, "lossless"),
    ] {
        let refused = session.configure(&sps, FrameNeeds::default(), &Interrupt::new());
        let Err(Error::Unsupported(why)) = refused else {
            panic!("{refused:?}")
        };
        assert!(why.contains(feature), "{why}");
        assert_eq!(session.phase(), Phase::Unconfigured);
    }
}

#[test]
fn public_types_are_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<Session>();
    check::<Ticket>();
    check::<PictureHandle>();
    check::<Frame>();
    check::<FramePool>();
}
