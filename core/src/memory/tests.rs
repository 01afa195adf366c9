//! Frame memories over memfds.

use super::*;

fn memory(lengths: &[usize]) -> Arc<FrameMemory> {
    let layout = FrameLayout {
        fourcc: u32::from_le_bytes(*b"NV12"),
        modifier: Some(0),
        size: Size { width: 16, height: 16 },
        planes: vec![
            PlaneLayout {
                object: 0,
                offset: 0,
                pitch: 16,
            },
            PlaneLayout {
                object: lengths.len() - 1,
                offset: 256,
                pitch: 16,
            },
        ],
        object_lengths: lengths.to_vec(),
    };
    let fds = lengths
        .iter()
        .map(|&length| Heap::MemFd.allocate(length).unwrap())
        .collect();
    Arc::new(FrameMemory {
        fds,
        kind: MemoryKind::MemFd,
        layout,
    })
}

#[test]
fn what_is_written_is_read_back_plane_by_plane() {
    let memory = memory(&[384]);
    let mut access = memory.write().unwrap();
    access.object_mut(0).unwrap()[256] = 9;
    drop(access);
    let access = memory.read().unwrap();
    assert_eq!(access.plane(1).unwrap(), &[&[9][..], &[0; 127]].concat());
    assert!(access.plane(2).is_none() && access.object(1).is_none());
}

#[test]
fn read_access_does_not_write() {
    let memory = memory(&[384, 384]);
    let mut access = memory.read().unwrap();
    assert!(access.object_mut(0).is_none());
    assert!(access.object(1).is_some());
}

#[test]
fn access_outlives_the_last_other_holder() {
    let memory = memory(&[384]);
    let access = memory.read().unwrap();
    drop(memory);
    assert!(access.object(0).unwrap().iter().all(|&byte| byte == 0));
}

#[test]
fn nobody_reads_a_memfd_behind_our_back() {
    assert!(memory(&[384]).readers_done().unwrap());
}

#[test]
fn an_object_shorter_than_its_layout_claims_is_refused() {
    let mut short = Arc::into_inner(memory(&[384])).unwrap();
    short.layout.object_lengths = vec![1 << 20];
    assert!(matches!(Arc::new(short).read(), Err(crate::Error::Device(_))));
}

#[test]
fn every_heap_gives_what_it_says_or_an_error() {
    for heap in [Heap::Udmabuf, Heap::DmaHeap, Heap::Cma, Heap::MemFd, Heap::best()] {
        if let Ok(fd) = heap.allocate(5_000) {
            assert_eq!(crate::sys::object::kind(fd.as_fd()).unwrap(), heap.kind());
            assert!(crate::sys::object::length(fd.as_fd()).unwrap() >= 5_000);
        }
    }
    assert!(Heap::MemFd.allocate(5_000).is_ok());
    assert!(Heap::MemFd.allocate(usize::MAX).is_err());
}
