//! Where frames lie: memory of the device or of a heap, and that it outlives everything else.

use std::os::fd::AsRawFd;
use std::process::Command;

use fourier_core::device::allocator::Preference;
use fourier_core::device::discovery::ENVIRONMENT;
use fourier_core::memory::MemoryKind;

use super::{GROUPS, access_units, decode, on_device};

/// Who made a dma-buf, by its own account.
fn exporter(fd: &impl AsRawFd) -> String {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).unwrap();
    let name = info.lines().find_map(|line| line.strip_prefix("exp_name:")).unwrap();
    name.trim().to_owned()
}

#[test]
fn frames_are_dma_bufs_that_hold_the_picture() {
    on_device(|device| {
        let mut frames = 0;
        decode(device, &access_units(GROUPS), |frame| {
            let memory = frame.frame().memory();
            assert_eq!(memory.kind, MemoryKind::DmaBuf);
            assert!(memory.layout.planes.iter().all(|plane| plane.pitch >= 96));
            assert!(memory.read().is_ok());
            frames += 1;
        });
        assert_eq!(frames, 40);
    });
}

#[test]
fn frames_outlive_decoder_and_device() {
    on_device(|device| {
        let mut kept = Vec::new();
        decode(device, &access_units(GROUPS)[..8], |frame| kept.push(frame));
        assert_eq!(kept.len(), 8);
        let mut memories: Vec<_> = kept.iter().map(|frame| frame.frame().memory().clone()).collect();
        drop(kept);
        memories.dedup_by_key(|memory| std::sync::Arc::as_ptr(memory));
        assert_eq!(memories.len(), 8, "frames that are held are not used again");
        for memory in memories {
            assert!(memory.read().unwrap().object(0).is_some_and(|bytes| !bytes.is_empty()));
        }
    });
}

/// Runs in a process of its own, with the environment that asks for heaps.
#[test]
fn frames_lie_in_the_heap_if_asked_for() {
    on_device(|device| {
        if Preference::from_environment() == Preference::Device {
            let path = &device.capabilities().path;
            let status = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "memory::frames_lie_in_the_heap_if_asked_for", "--nocapture"])
                .env(Preference::ENVIRONMENT, "heap")
                .env(ENVIRONMENT, path)
                .status()
                .unwrap();
            assert!(status.success());
            return;
        }
        let mut frames = 0;
        let got = decode(device, &access_units(GROUPS), |frame| {
            assert_eq!(exporter(&frame.frame().memory().fds[0]), "system");
            frames += 1;
        });
        assert_eq!((frames, got.good().len()), (40, 40));
    });
}
