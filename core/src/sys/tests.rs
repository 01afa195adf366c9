//! What the ring promises, with memfds (every system has them).

use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;

use super::*;

#[test]
fn two_mappings_of_one_memory_see_the_same_bytes() {
    let memory = memfd_create(10_000).unwrap();
    let mut writer = Mapping::new(memory.as_fd(), 10_000).unwrap();
    let duplicate = memory.try_clone().unwrap();
    let reader = Mapping::new(duplicate.as_fd(), 5_000).unwrap();
    assert!(reader.bytes().iter().all(|&byte| byte == 0), "new memory is zeroed");
    writer.bytes_mut()[4_999] = 7;
    assert_eq!((reader.len(), reader.bytes()[4_999]), (5_000, 7));
}

#[test]
fn a_mapping_beyond_the_object_is_refused() {
    let memory = memfd_create(4096).unwrap();
    for length in [0, 4097, usize::MAX] {
        assert_eq!(Mapping::new(memory.as_fd(), length).unwrap_err().errno, Errno::EINVAL);
    }
}

#[test]
fn memory_that_may_shrink_is_never_mapped() {
    let unsealed =
        nix::sys::memfd::memfd_create(c"unsealed", nix::sys::memfd::MemFdCreateFlag::MFD_ALLOW_SEALING).unwrap();
    nix::unistd::ftruncate(&unsealed, 4096).unwrap();
    assert_eq!(Mapping::new(unsealed.as_fd(), 4096).unwrap_err().errno, Errno::EINVAL);
    let file = std::fs::File::open("/proc/self/exe").unwrap();
    assert_eq!(Mapping::new(file.as_fd(), 4096).unwrap_err().errno, Errno::EINVAL);
}

#[test]
fn a_memfd_can_neither_shrink_nor_grow() {
    let memory = memfd_create(4096).unwrap();
    assert_eq!(nix::unistd::ftruncate(&memory, 0), Err(Errno::EPERM));
    assert_eq!(nix::unistd::ftruncate(&memory, 8192), Err(Errno::EPERM));
    assert_eq!(object::kind(memory.as_fd()).unwrap(), MemoryKind::MemFd);
    assert_eq!(object::length(memory.as_fd()).unwrap(), 4096);
}

#[test]
fn duplicates_are_the_same_object_and_others_are_not() {
    let (one, other) = (memfd_create(4096).unwrap(), memfd_create(4096).unwrap());
    let duplicate = one.try_clone().unwrap();
    assert_eq!(
        object::identity(one.as_fd()).unwrap(),
        object::identity(duplicate.as_fd()).unwrap()
    );
    assert_ne!(
        object::identity(one.as_fd()).unwrap(),
        object::identity(other.as_fd()).unwrap()
    );
}

#[test]
fn dma_buf_calls_on_something_else_fail_cleanly() {
    let memory = memfd_create(4096).unwrap();
    let sync = dma_buf_sync(memory.as_fd(), CpuAccessKind::Read, SyncPhase::Start);
    assert_eq!(sync.unwrap_err().errno, Errno::ENOTTY);
    assert_eq!(dma_buf_users(memory.as_fd()), None);
}

#[test]
fn a_dma_buf_over_a_memfd_shares_its_pages() {
    let length = page_size();
    let memory = memfd_create(length).unwrap();
    match Udmabuf::open() {
        Ok(device) => {
            let dma_buf = device.create(memory.as_fd(), length).unwrap();
            Mapping::new(memory.as_fd(), length).unwrap().bytes_mut()[0] = 9;
            assert_eq!(object::kind(dma_buf.as_fd()).unwrap(), MemoryKind::DmaBuf);
            assert_eq!(Mapping::new(dma_buf.as_fd(), length).unwrap().bytes()[0], 9);
            assert!(dma_buf_readers_done(dma_buf.as_fd()).unwrap());
            assert_eq!(device.create(memory.as_fd(), 1).unwrap_err().errno, Errno::EINVAL);
        }
        Err(error) => assert_eq!((error.call, error.path.to_str()), ("open", Some("/dev/udmabuf"))),
    }
}

#[test]
fn polling_ends_when_time_runs_out() {
    let (reader, _writer) = std::io::pipe().unwrap();
    let found = poll_fd(reader.as_fd(), PollFlags::POLLIN, Duration::from_micros(10)).unwrap();
    assert_eq!(found, PollFlags::empty());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(writer);
    assert_eq!(
        poll_fd(reader.as_fd(), PollFlags::POLLIN, Duration::MAX).unwrap(),
        PollFlags::POLLHUP
    );
}
