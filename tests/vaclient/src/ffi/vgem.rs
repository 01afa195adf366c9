//! vgem, a DRM device without a GPU: its jobs do nothing, and last as long as one wants (`drm/vgem_drm.h`).

use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

use crate::Outcome;

/// `struct drm_prime_handle` of `drm/drm.h`.
#[repr(C)]
struct PrimeHandle {
    handle: u32,
    flags: u32,
    fd: i32,
}

/// `struct drm_vgem_fence_attach`.
#[repr(C)]
struct FenceAttach {
    handle: u32,
    /// 0: the job reads.
    flags: u32,
    out_fence: u32,
    pad: u32,
}

/// `struct drm_vgem_fence_signal`.
#[repr(C)]
struct FenceSignal {
    fence: u32,
    flags: u32,
}

nix::ioctl_readwrite!(prime_fd_to_handle, b'd', 0x2e, PrimeHandle);
nix::ioctl_readwrite!(fence_attach, b'd', 0x41, FenceAttach);
nix::ioctl_write_ptr!(fence_signal, b'd', 0x42, FenceSignal);

/// The device, opened.
#[derive(Debug)]
pub struct Vgem(File);

/// A job that reads a dma-buf. vgem ends it by itself after ten seconds.
#[derive(Debug)]
pub struct Reading {
    fence: u32,
}

impl Vgem {
    /// Opens the device at that node.
    ///
    /// # Errors
    /// What open(2) says.
    pub fn open(node: &Path) -> Outcome<Self> {
        Ok(Self(File::options().read(true).write(true).open(node)?))
    }

    /// A job begins that reads `memory`.
    ///
    /// # Errors
    /// Names the ioctl that failed: the device is another one, or `memory` no dma-buf.
    pub fn begin_reading(&self, memory: BorrowedFd<'_>) -> Outcome<Reading> {
        let mut prime = PrimeHandle {
            handle: 0,
            flags: 0,
            fd: memory.as_raw_fd(),
        };
        // SAFETY: a live `drm_prime_handle`, in which the ioctl writes the handle.
        unsafe { prime_fd_to_handle(self.0.as_raw_fd(), &raw mut prime) }
            .map_err(|errno| format!("DRM_IOCTL_PRIME_FD_TO_HANDLE: {errno}"))?;
        let mut attach = FenceAttach {
            handle: prime.handle,
            flags: 0,
            out_fence: 0,
            pad: 0,
        };
        // SAFETY: a live `drm_vgem_fence_attach`, in which the ioctl writes the fence.
        unsafe { fence_attach(self.0.as_raw_fd(), &raw mut attach) }
            .map_err(|errno| format!("DRM_IOCTL_VGEM_FENCE_ATTACH: {errno}"))?;
        Ok(Reading {
            fence: attach.out_fence,
        })
    }

    /// The job is done.
    ///
    /// # Errors
    /// If vgem ended it before.
    pub fn end_reading(&self, reading: &Reading) -> Outcome {
        let signal = FenceSignal {
            fence: reading.fence,
            flags: 0,
        };
        // SAFETY: a live `drm_vgem_fence_signal`, which the ioctl only reads.
        unsafe { fence_signal(self.0.as_raw_fd(), &raw const signal) }
            .map_err(|errno| format!("DRM_IOCTL_VGEM_FENCE_SIGNAL: {errno}"))?;
        Ok(())
    }
}
