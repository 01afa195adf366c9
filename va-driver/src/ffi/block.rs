//! Memory of a buffer: the application writes and reads it through a pointer, whenever it likes.

use std::alloc::{self, Layout};
use std::ffi::c_void;
use std::ptr::NonNull;

use crate::status::{Failure, Status};

/// As much as the samples of the largest picture take, and more than any slice.
const MAX_BYTES: usize = 256 << 20;
/// Whatever structure is in it.
const ALIGNMENT: usize = 64;

/// Zeroed memory at an address that does not change. It is only ever copied from and to: no reference to it exists, as
/// the application may write it at any time.
#[derive(Debug)]
pub struct Block {
    start: NonNull<u8>,
    layout: Layout,
    length: usize,
}

impl Block {
    /// `length` bytes, all 0.
    ///
    /// # Errors
    /// [`Status::AllocationFailed`] if that is more than any buffer needs, or than there is.
    pub fn new(length: usize) -> Result<Self, Failure> {
        let failed = || Status::AllocationFailed.because(format!("a buffer of {length} bytes"));
        if length > MAX_BYTES {
            return Err(failed());
        }
        let layout = Layout::from_size_align(length.max(1), ALIGNMENT).map_err(|_| failed())?;
        // SAFETY: the layout has at least one byte.
        let start = unsafe { alloc::alloc_zeroed(layout) };
        let start = NonNull::new(start).ok_or_else(failed)?;
        Ok(Self { start, layout, length })
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Where they are, for the application.
    pub fn address(&self) -> *mut c_void {
        self.start.as_ptr().cast()
    }

    /// A copy of `length` bytes from `offset` on; `None` if there are not as many.
    pub fn copy(&self, offset: usize, length: usize) -> Option<Vec<u8>> {
        let end = offset.checked_add(length).filter(|&end| end <= self.length)?;
        let mut bytes = vec![0; end - offset];
        // SAFETY: `offset` is at most `length` of the block.
        let from = unsafe { self.start.add(offset) };
        // SAFETY: `bytes.len()` bytes from `from` on lie in the block; the vector is new and does not overlap it.
        unsafe { from.copy_to_nonoverlapping(NonNull::from(bytes.as_mut_slice()).cast(), bytes.len()) };
        Some(bytes)
    }

    /// Writes `bytes` at `offset`; gives whether there is room for them.
    #[must_use]
    pub fn write(&self, offset: usize, bytes: &[u8]) -> bool {
        let fits = offset.checked_add(bytes.len()).is_some_and(|end| end <= self.length);
        if fits {
            // SAFETY: `offset` is at most `length` of the block.
            let to = unsafe { self.start.add(offset) };
            // SAFETY: `bytes.len()` bytes from `to` on lie in the block, to which no reference exists that `bytes`
            // could be.
            unsafe { to.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
        }
        fits
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: `start` was allocated in `new` with this layout and is freed only here.
        unsafe { alloc::dealloc(self.start.as_ptr(), self.layout) };
    }
}

// SAFETY: the memory belongs to the block, not to a thread.
unsafe impl Send for Block {}
// SAFETY: it is accessed by copies only. That an application writes a buffer while it hands it to another thread is a
// race of its own making over bytes that are checked after they were copied.
unsafe impl Sync for Block {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_copied_back_and_nothing_beyond_the_end() {
        let block = Block::new(16).unwrap();
        assert!(block.write(4, &[1, 2, 3]));
        assert_eq!(block.copy(3, 5).unwrap(), [0, 1, 2, 3, 0]);
        assert!(block.copy(16, 0).is_some());
        for (offset, length) in [(16, 1), (0, 17), (usize::MAX, 2), (2, usize::MAX)] {
            assert!(block.copy(offset, length).is_none(), "{offset} {length}");
        }
        assert!(!block.write(14, &[0; 3]) && !block.write(usize::MAX, &[0; 3]));
    }

    #[test]
    fn a_buffer_beyond_all_measure_is_refused() {
        assert_eq!(Block::new(usize::MAX).unwrap_err().status, Status::AllocationFailed);
        assert_eq!(Block::new(MAX_BYTES + 1).unwrap_err().status, Status::AllocationFailed);
        assert_eq!(Block::new(0).unwrap().len(), 0);
    }
}
