//! The memory behind one buffer of the software node: its own (MMAP) or imported.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use nix::errno::Errno;

use crate::IoctlError;
use crate::memory::Heap;
use crate::sys::{self, CpuAccessKind, Mapping, MemoryKind, ObjectId, SyncPhase, object};

/// One memory plane, mapped as long as it is bound to a buffer.
#[derive(Debug)]
struct Plane {
    file: File,
    kind: MemoryKind,
    id: ObjectId,
    length: usize,
    mapping: RwLock<Mapping>,
}

/// The memory planes of one buffer.
#[derive(Debug)]
pub(super) struct BufferMemory {
    planes: Vec<Plane>,
}

/// One or two memory planes, locked for reading.
pub(super) type ReadPlanes<'a> = [Option<RwLockReadGuard<'a, Mapping>>; 2];
/// One or two memory planes, locked for writing.
pub(super) type WritePlanes<'a> = [Option<RwLockWriteGuard<'a, Mapping>>; 2];

impl Plane {
    fn new(fd: OwnedFd, length: usize) -> Result<Self, IoctlError> {
        Ok(Self {
            kind: object::kind(fd.as_fd())?,
            id: object::identity(fd.as_fd())?,
            length,
            mapping: RwLock::new(Mapping::new(fd.as_fd(), length)?),
            file: File::from(fd),
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, Mapping> {
        self.mapping.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Mapping> {
        self.mapping.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A descriptor for somebody else. It and all its duplicates and mappings, in any process, share one lock on the
    /// memfd, so that [`Self::in_use`] can tell whether any of them is left.
    fn export(&self) -> Result<OwnedFd, Errno> {
        let errno = |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32));
        match self.kind {
            MemoryKind::DmaBuf => self.file.try_clone().map(OwnedFd::from).map_err(errno),
            MemoryKind::MemFd => {
                let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
                let file = OpenOptions::new().read(true).write(true).open(path).map_err(errno)?;
                file.try_lock_shared().map_err(|_| Errno::EAGAIN)?;
                Ok(file.into())
            }
        }
    }

    /// Whether an export or a mapping of one is alive.
    fn in_use(&self) -> bool {
        match self.kind {
            // Our descriptor and our mapping.
            MemoryKind::DmaBuf => sys::dma_buf_users(self.file.as_fd()).is_none_or(|users| users > 2),
            MemoryKind::MemFd => match self.file.try_lock() {
                Ok(()) => {
                    let unlocked = self.file.unlock();
                    debug_assert!(unlocked.is_ok(), "flock(LOCK_UN) of a lock that is held");
                    false
                }
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
            },
        }
    }
}

impl BufferMemory {
    /// New, zeroed memory of the node's own: one plane per length.
    pub(super) fn allocate(lengths: &[usize]) -> Result<Self, Errno> {
        let heap = Heap::best();
        let plane = |&length: &usize| Plane::new(heap.allocate(length)?, length);
        let planes = lengths
            .iter()
            .map(plane)
            .collect::<Result<_, IoctlError>>()
            .map_err(|error| error.errno)?;
        Ok(Self { planes })
    }

    /// Attaches memory that somebody else made; `lengths` are what the format needs.
    ///
    /// # Errors
    /// EINVAL for the wrong number of planes, a plane that is too short, or something that is no shared memory; EFAULT
    /// for a length beyond the end of the memory.
    pub(super) fn import(planes: &[(BorrowedFd<'_>, usize)], lengths: &[usize]) -> Result<Self, Errno> {
        if planes.len() != lengths.len() {
            return Err(Errno::EINVAL);
        }
        let attach = |(&(fd, length), &needed): (&(BorrowedFd<'_>, usize), &usize)| {
            let length = claimed_length(fd, length)?;
            if length < needed {
                return Err(Errno::EINVAL);
            }
            if object::length(fd).map_err(|_| Errno::EINVAL)? < length {
                return Err(Errno::EFAULT);
            }
            let fd = fd.try_clone_to_owned().map_err(|_| Errno::EMFILE)?;
            Plane::new(fd, length).map_err(|_| Errno::EINVAL)
        };
        Ok(Self {
            planes: planes.iter().zip(lengths).map(attach).collect::<Result<_, _>>()?,
        })
    }

    /// Whether `planes` name this very memory with the same lengths, so that QBUF need not attach it anew.
    pub(super) fn is(&self, planes: &[(BorrowedFd<'_>, usize)]) -> bool {
        let same = |(plane, &(fd, length)): (&Plane, &(BorrowedFd<'_>, usize))| {
            object::identity(fd).is_ok_and(|id| id == plane.id)
                && claimed_length(fd, length).is_ok_and(|length| length == plane.length)
        };
        planes.len() == self.planes.len() && self.planes.iter().zip(planes).all(same)
    }

    /// EXPBUF of one plane.
    pub(super) fn export(&self, plane: u32) -> Result<OwnedFd, Errno> {
        self.planes.get(plane as usize).ok_or(Errno::EINVAL)?.export()
    }

    /// mmap(2) of one plane; counts as a use of it.
    pub(super) fn map(&self, plane: u32) -> Result<Mapping, Errno> {
        let length = self.planes.get(plane as usize).ok_or(Errno::EINVAL)?.length;
        Mapping::new(self.export(plane)?.as_fd(), length).map_err(|error| error.errno)
    }

    /// Whether an export or a mapping of any plane is alive (`V4L2_BUF_FLAG_MAPPED`).
    pub(super) fn in_use(&self) -> bool {
        self.planes.iter().any(Plane::in_use)
    }

    /// Locks its planes for reading.
    pub(super) fn read(&self) -> ReadPlanes<'_> {
        [
            self.planes.first().map(Plane::read),
            self.planes.get(1).map(Plane::read),
        ]
    }

    /// Locks its planes for writing.
    pub(super) fn write(&self) -> WritePlanes<'_> {
        [
            self.planes.first().map(Plane::write),
            self.planes.get(1).map(Plane::write),
        ]
    }

    /// Opens or closes a bracket of CPU writes, where it is a dma-buf.
    pub(super) fn sync(&self, phase: SyncPhase) -> Result<(), IoctlError> {
        let mut dma_bufs = self.planes.iter().filter(|plane| plane.kind == MemoryKind::DmaBuf);
        dma_bufs.try_for_each(|plane| sys::dma_buf_sync(plane.file.as_fd(), CpuAccessKind::ReadWrite, phase))
    }
}

/// The length of an imported plane: what QBUF says, or the whole object where it says 0.
fn claimed_length(fd: BorrowedFd<'_>, length: usize) -> Result<usize, Errno> {
    match length {
        0 => object::length(fd).map_err(|error| error.errno),
        length => Ok(length),
    }
}
