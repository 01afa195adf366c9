//! Two fields of a picture: two jobs, one CAPTURE buffer: what is queued, when it ends and where it is found.

use super::*;

impl Player {
    fn submit_coded(&mut self, coded: &Coded, target: &Frame) -> Submitted {
        coded
            .with_job(&self.clip, |job| self.session.submit(job, target))
            .unwrap()
    }
}

#[test]
fn both_fields_are_decoded_into_one_held_capture_buffer() {
    let mut player = Player::new("default", Clip::new(1, 1));
    let [first, second] = player.clip.code(Coding::Value(9)).into_fields();
    let target = player.pool.acquire().unwrap();
    let top = player.submit_coded(&first, &target);
    top.ticket.wait();
    assert!(top.ticket.outcome().is_some(), "complete when its request is");
    assert!(
        matches!(target.state(), SlotState::InDecode { .. }),
        "the driver keeps it"
    );
    let bottom = player.submit_coded(&second, &target);
    bottom.ticket.wait();
    assert!(matches!(target.state(), SlotState::Decoded { .. }));
    assert_eq!(player.probe.count(Call::QueueCapture), 1);
    let next = player.submit(Coding::Value(10)).unwrap();
    wait_good(&next, 10);
    assert_eq!(
        player.probe.count(Call::Flush),
        0,
        "nothing is held after the second field"
    );
    assert_eq!(player.session.stats().restarts, 0);
}

#[test]
fn an_unpaired_field_is_let_go_of_by_the_next_picture() {
    let mut player = Player::new("default", Clip::new(1, 1));
    let [field, _] = player.clip.code(Coding::Value(9)).into_fields();
    let target = player.pool.acquire().unwrap();
    let unpaired = player.submit_coded(&field, &target);
    let next = player.submit(Coding::Value(10)).unwrap();
    wait_good(&next, 10);
    assert!(unpaired.ticket.outcome().is_some());
    assert!(matches!(target.state(), SlotState::Decoded { .. }));
    assert_eq!(player.probe.count(Call::Flush), 1);
}

#[test]
fn an_unpaired_field_is_let_go_of_by_a_drain() {
    let mut player = Player::new("default", Clip::new(1, 1));
    let [field, _] = player.clip.code(Coding::Value(9)).into_fields();
    let target = player.pool.acquire().unwrap();
    player.submit_coded(&field, &target);
    player.session.drain().unwrap();
    assert!(matches!(target.state(), SlotState::Decoded { .. }));
    assert_eq!(player.session.stats().restarts, 0);
}

#[test]
fn without_hold_capture_the_second_field_waits_for_the_first() {
    let mut player = Player::new("hold=off", Clip::new(1, 1));
    let [first, second] = player.clip.code(Coding::Value(9)).into_fields();
    let target = player.pool.acquire().unwrap();
    let top = player.submit_coded(&first, &target);
    let bottom = player.submit_coded(&second, &target);
    assert!(top.ticket.outcome().is_some());
    bottom.ticket.wait();
    assert_eq!(player.probe.count(Call::QueueCapture), 2);
    // Both have one timestamp: the picture is found whichever field comes last.
    player.dpb.insert(first.id, (bottom.picture, target.clone()));
    let copy = player.submit(Coding::CopyOf(first.id)).unwrap();
    assert_eq!(copy.1.wait(), Outcome::Good);
}

/// The luma samples of the first rows.
fn first_rows(frame: &Frame) -> [u8; 4] {
    let memory = frame.memory();
    let plane = &memory.layout.planes[0];
    let samples = memory.read().unwrap();
    [0, 1, 2, 3].map(|y| samples.object(plane.object).unwrap()[plane.offset + y * plane.pitch])
}

#[test]
fn two_fields_share_the_rows_of_a_frame() {
    for options in ["default", "hold=off", "mode=slice"] {
        let mut player = Player::new(options, Clip::new(1, 1).interlaced());
        let [first, second] = player.clip.code_fields([9, 200]);
        let target = player.pool.acquire().unwrap();
        let top = player.submit_coded(&first, &target);
        let bottom = player.submit_coded(&second, &target);
        assert_eq!(
            [top.ticket.wait(), bottom.ticket.wait()],
            [Outcome::Good; 2],
            "{options}"
        );
        assert_eq!(first_rows(&target), [9, 200, 9, 200], "{options}");
    }
}

#[test]
fn an_unpaired_field_is_shown_in_the_rows_of_both() {
    for field in [0, 1] {
        let mut player = Player::new("default", Clip::new(1, 1).interlaced());
        let mut lone = player.clip.code_fields([9, 200])[field].clone();
        lone.second_field = false;
        let target = player.pool.acquire().unwrap();
        let ticket = player.submit_coded(&lone, &target).ticket;
        player.session.drain().unwrap();
        assert_eq!(ticket.wait(), Outcome::Good);
        assert_eq!(first_rows(&target), [[9; 4], [200; 4]][field]);
    }
}
