//! The session on a device that answers wrongly, late, or not at all.

use nix::errno::Errno;

use super::probe::Fault;
use super::*;

/// The next picture is an IDR picture again and decodes.
fn goes_on(player: &mut Player) {
    player.clip.restart();
    player.dpb.clear();
    let idr = player.submit(Coding::Value(77)).unwrap();
    let copy = player.submit(Coding::CopyOf(idr.0)).unwrap();
    wait_good(&idr, 77);
    wait_good(&copy, 77);
}

#[test]
fn a_failing_call_loses_one_picture_and_nothing_else() {
    for call in [
        Call::SetControls,
        Call::QueueOutput,
        Call::QueueRequest,
        Call::QueueCapture,
    ] {
        for options in ["default", "cedrus"] {
            let mut player = Player::new(options, Clip::new(1, 1));
            let first = player.submit(Coding::Value(10)).unwrap();
            player.probe.fail(call, 0, Fault::Error(Errno::ENOMEM));
            let failed = player.submit(Coding::Value(20));
            assert!(
                matches!(&failed, Err(Error::Device(error)) if error.errno == Errno::ENOMEM),
                "{failed:?}"
            );
            for _ in 0..12 {
                let copy = player.submit(Coding::Value(30)).unwrap();
                wait_good(&copy, 30);
            }
            wait_good(&first, 10);
            assert_eq!(player.session.stats().restarts, 0, "{call:?} of {options}");
            assert!(
                player.pool.stats().frames < 20,
                "the frame of the lost picture came home"
            );
        }
    }
}

#[test]
fn a_device_that_is_unplugged_ends_the_session_at_once() {
    for call in [Call::SetControls, Call::QueueOutput, Call::QueueRequest] {
        let mut player = Player::new("default", Clip::new(1, 1));
        let first = player.submit(Coding::Value(10)).unwrap();
        wait_good(&first, 10);
        player.probe.fail(call, 0, Fault::Error(Errno::ENODEV));
        let gone = player.submit(Coding::Value(20));
        assert!(
            matches!(&gone, Err(Error::Lost(why)) if why.contains("ENODEV")),
            "{gone:?}"
        );
        assert_eq!(player.session.phase(), Phase::Lost);
        assert!(matches!(player.submit(Coding::Value(30)), Err(Error::Lost(_))));
        assert_eq!(value_of(first.2.memory()), 10, "what was decoded stays");
    }
}

#[test]
fn references_survive_a_capture_buffer_that_is_refused() {
    let mut player = Player::new("default", Clip::new(1, 1));
    let first = player.submit(Coding::Value(10)).unwrap();
    player.probe.fail(Call::QueueCapture, 0, Fault::Error(Errno::EFAULT));
    let lost = player.clip.next_id();
    assert!(player.submit(Coding::Value(20)).is_err());
    let good = player.submit(Coding::CopyOf(first.0)).unwrap();
    wait_good(&good, 10);
    let bad = player.submit(Coding::CopyOf(lost)).unwrap();
    assert_eq!(bad.1.wait(), Outcome::Damaged);
    assert_eq!(
        value_of(bad.2.memory()),
        10,
        "the dangling timestamp of the lost picture names nothing"
    );
}

#[test]
fn an_error_flag_on_either_buffer_is_a_damaged_picture() {
    for call in [Call::DequeueOutput, Call::DequeueCapture] {
        let mut player = Player::new("default", Clip::new(1, 1));
        player.probe.fail(call, 1, Fault::Flag);
        let pictures: Vec<_> = (0..3)
            .map(|value| player.submit(Coding::Value(value)).unwrap())
            .collect();
        let outcomes: Vec<_> = pictures.iter().map(|picture| picture.1.wait()).collect();
        assert_eq!(outcomes, [Outcome::Good, Outcome::Damaged, Outcome::Good]);
        assert_eq!(player.session.stats().damaged, 1);
    }
}

#[test]
fn an_error_in_any_slice_is_a_damaged_picture() {
    let mut player = Player::new("cedrus", Clip::new(1, 3).in_slices(3));
    player.probe.fail(Call::DequeueOutput, 1, Fault::Flag);
    let picture = player.submit(Coding::Value(5)).unwrap();
    assert_eq!(picture.1.wait(), Outcome::Damaged);
    let next = player.submit(Coding::Value(6)).unwrap();
    wait_good(&next, 6);
}

#[test]
fn an_answer_for_another_picture_restarts_the_queues() {
    for call in [Call::DequeueOutput, Call::DequeueCapture] {
        let mut player = Player::new("default", Clip::new(1, 1));
        player.probe.fail(call, 2, Fault::WrongTimestamp);
        let pictures: Vec<_> = (0..5)
            .map(|value| player.submit(Coding::Value(value)).unwrap())
            .collect();
        let outcomes: Vec<_> = pictures.iter().map(|picture| picture.1.wait()).collect();
        assert_eq!(outcomes[..2], [Outcome::Good, Outcome::Good]);
        assert_eq!(outcomes[2..], [Outcome::Damaged; 3]);
        assert_eq!(player.session.stats().restarts, 1);
        for (_, _, frame) in &pictures {
            assert!(frame.export().is_ok(), "{frame:?} cannot be shown");
        }
        goes_on(&mut player);
    }
}

#[test]
fn a_stuck_request_restarts_the_queues() {
    let mut player = Player::new("default", Clip::new(1, 1));
    let stuck = player.submit(Coding::Value(1)).unwrap();
    player.probe.fail(Call::Poll, 0, Fault::Pending);
    assert_eq!(stuck.1.wait(), Outcome::Damaged);
    assert_eq!(player.session.stats().restarts, 1);
    goes_on(&mut player);
}

#[test]
fn a_stuck_slice_ends_its_picture() {
    let mut player = Player::new("cedrus", Clip::new(1, 9).in_slices(9));
    player.probe.fail(Call::Poll, 0, Fault::Pending);
    let stuck = player.submit(Coding::Value(1)).unwrap();
    assert_eq!(stuck.1.wait(), Outcome::Damaged);
    assert!(stuck.2.export().is_ok(), "{:?} cannot be shown", stuck.2);
    goes_on(&mut player);
}

#[test]
fn queues_that_could_not_be_switched_on_are_set_up_anew() {
    for queue in 0..2 {
        let mut player = Player::new("default", Clip::new(1, 1));
        let needs = FrameNeeds { dpb: 2, downstream: 2 };
        player.probe.fail(Call::StreamOn, queue, Fault::Error(Errno::ENOMEM));
        let configure = |player: &Player| player.session.configure(&player.clip.sps, needs, &Interrupt::new());
        assert!(matches!(configure(&player), Err(Error::Device(_))));
        assert!(!player.session.is_configured_for(&player.clip.sps));
        player.pool = configure(&player).unwrap();
        goes_on(&mut player);
    }
}

#[test]
fn a_slice_that_fails_midway_lets_go_of_the_held_buffer() {
    let mut player = Player::new("cedrus", Clip::new(1, 3).in_slices(3));
    player.probe.fail(Call::QueueRequest, 1, Fault::Error(Errno::EIO));
    assert!(matches!(player.submit(Coding::Value(1)), Err(Error::Device(_))));
    goes_on(&mut player);
    assert_eq!(player.probe.count(Call::Flush), 1);
    assert_eq!(player.session.stats().restarts, 0);
}

#[test]
fn a_refused_capture_buffer_of_several_slices_is_let_go_of() {
    let mut player = Player::new("cedrus", Clip::new(1, 3).in_slices(3));
    player.probe.fail(Call::QueueCapture, 0, Fault::Error(Errno::ENOMEM));
    assert!(matches!(player.submit(Coding::Value(1)), Err(Error::Device(_))));
    goes_on(&mut player);
    assert_eq!(player.probe.count(Call::Flush), 1, "the spare memory was held");
    assert_eq!(player.session.stats().restarts, 0);
}

#[test]
fn a_device_that_hangs_in_streamoff_is_lost_and_the_process_lives() {
    let mut player = Player::new("default", Clip::new(1, 1));
    let stuck = player.submit(Coding::Value(1)).unwrap();
    let behind = player.submit(Coding::Value(2)).unwrap();
    player.probe.fail(Call::Poll, 0, Fault::Pending);
    player.probe.fail(Call::Poll, 0, Fault::Pending);
    player.probe.fail(Call::StreamOff, 0, Fault::Hang);
    assert_eq!(behind.1.wait(), Outcome::Damaged);
    assert_eq!(stuck.1.wait(), Outcome::Damaged);
    assert_eq!(player.session.phase(), Phase::Lost);
    assert!(matches!(player.submit(Coding::Value(3)), Err(Error::Lost(_))));
    let needs = FrameNeeds { dpb: 4, downstream: 0 };
    let configured = player.session.configure(&player.clip.sps, needs, &Interrupt::new());
    assert!(matches!(configured, Err(Error::Lost(_))), "{configured:?}");
}

#[test]
fn no_spare_for_a_refused_buffer_restarts_the_queues() {
    let mut player = Player::new("default", Clip::new(1, 1));
    player.submit(Coding::Value(1)).unwrap();
    player.probe.fail(Call::QueueCapture, 0, Fault::Error(Errno::ENOMEM));
    player.probe.fail(Call::QueueCapture, 0, Fault::Error(Errno::ENOMEM));
    assert!(player.submit(Coding::Value(2)).is_err());
    assert_eq!(player.session.stats().restarts, 1);
    goes_on(&mut player);
}
