//! `/dev/video*`: one open of a memory-to-memory device, its formats and streaming; v4l2r makes the ioctls.
//!
//! Single-planar and multi-planar queues look alike from outside.
#![allow(unsafe_code)]

use std::fs::OpenOptions;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use v4l2r::bindings as v4l2;
use v4l2r::ioctl::{self, IntoErrno};
use v4l2r::{PixelFormat, QueueClass, QueueDirection, QueueType};

use crate::IoctlError;

/// `V4L2_DEC_CMD_FLUSH` with nothing else in it.
const FLUSH: u32 = v4l2::V4L2_DEC_CMD_FLUSH;

nix::ioctl_readwrite!(vidioc_decoder_cmd, b'V', 96, v4l2::v4l2_decoder_cmd);

/// What VIDIOC_QUERYCAP says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoCapability {
    /// Name of the driver.
    pub driver: String,
    /// Name of the device.
    pub card: String,
    /// `V4L2_CAP_*` of this node.
    pub device_caps: u32,
}

/// `bytesperline` and `sizeimage` of one memory plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanePixFormat {
    /// Bytes from one row to the next.
    pub bytes_per_line: u32,
    /// Bytes of the plane.
    pub size_image: u32,
}

/// `v4l2_pix_format` or `v4l2_pix_format_mplane`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PixFormat {
    /// `V4L2_PIX_FMT_*`.
    pub pixel_format: u32,
    /// Luma samples in a row.
    pub width: u32,
    /// Luma rows.
    pub height: u32,
    /// Memory planes, at most `VIDEO_MAX_PLANES`; one on single-planar queues.
    pub planes: Vec<PlanePixFormat>,
}

/// The sizes between the two, in steps or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameSizeRange {
    /// Least width and height.
    pub min: (u32, u32),
    /// Greatest width and height.
    pub max: (u32, u32),
}

/// One open of a memory-to-memory video node, non-blocking.
#[derive(Debug)]
pub struct VideoNode {
    pub(super) fd: OwnedFd,
    pub(super) path: PathBuf,
    class: QueueClass,
}

/// The errno of a failed call of v4l2r.
pub(super) fn errno(error: impl IntoErrno) -> Errno {
    Errno::from_raw(error.into_errno())
}

/// The answer to `call`, which a signal may interrupt while it waits for a lock of the driver: nothing was done then.
pub(super) fn retried<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            answer => return answer,
        }
    }
}

/// A string of the kernel, up to its NUL.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// open(2) with `O_RDWR | O_CLOEXEC`.
pub(super) fn open(path: &Path, flags: i32) -> Result<OwnedFd, IoctlError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(flags);
    let error =
        |e: std::io::Error| IoctlError::new("open", path, Errno::from_raw(e.raw_os_error().unwrap_or_default()));
    options.open(path).map(OwnedFd::from).map_err(error)
}

impl VideoNode {
    /// Opens `path` and finds out whether its queues are single-planar or multi-planar.
    ///
    /// # Errors
    /// What open(2) and VIDIOC_QUERYCAP say; ENODEV if it is no streaming memory-to-memory device.
    pub fn open(path: &Path) -> Result<Self, IoctlError> {
        let mut node = Self {
            fd: open(path, OFlag::O_NONBLOCK.bits())?,
            path: path.to_owned(),
            class: QueueClass::Video,
        };
        let caps = node.capability()?.device_caps;
        let has = |bit: u32| caps & bit != 0;
        node.class = match (has(v4l2::V4L2_CAP_VIDEO_M2M_MPLANE), has(v4l2::V4L2_CAP_VIDEO_M2M)) {
            (true, _) => QueueClass::VideoMplane,
            (false, true) => QueueClass::Video,
            (false, false) => return Err(node.error("VIDIOC_QUERYCAP", Errno::ENODEV)),
        };
        if has(v4l2::V4L2_CAP_STREAMING) {
            Ok(node)
        } else {
            Err(node.error("VIDIOC_QUERYCAP", Errno::ENODEV))
        }
    }

    /// Its queues are multi-planar.
    pub fn is_multi_planar(&self) -> bool {
        self.class == QueueClass::VideoMplane
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn error(&self, call: &'static str, errno: Errno) -> IoctlError {
        IoctlError::new(call, &self.path, errno)
    }

    pub(super) fn queue_type(&self, queue: QueueDirection) -> QueueType {
        QueueType::from_dir_and_class(queue, self.class)
    }

    /// VIDIOC_QUERYCAP.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn capability(&self) -> Result<VideoCapability, IoctlError> {
        let found: v4l2::v4l2_capability = retried(|| ioctl::querycap(&self.fd).map_err(errno))
            .map_err(|errno| self.error("VIDIOC_QUERYCAP", errno))?;
        let of_node = found.capabilities & v4l2::V4L2_CAP_DEVICE_CAPS != 0;
        Ok(VideoCapability {
            driver: text(&found.driver),
            card: text(&found.card),
            device_caps: if of_node { found.device_caps } else { found.capabilities },
        })
    }

    /// VIDIOC_ENUM_FMT, all of them.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn enum_formats(&self, queue: QueueDirection) -> Result<Vec<u32>, IoctlError> {
        let mut formats = Vec::new();
        // Bounded: a driver that counts without end must not hang us.
        for index in 0..256 {
            let queue = self.queue_type(queue);
            match retried(|| ioctl::enum_fmt::<v4l2::v4l2_fmtdesc>(&self.fd, queue, index).map_err(errno)) {
                Ok(found) => formats.push(found.pixelformat),
                Err(Errno::EINVAL) => break,
                Err(errno) => return Err(self.error("VIDIOC_ENUM_FMT", errno)),
            }
        }
        Ok(formats)
    }

    /// VIDIOC_ENUM_FRAMESIZES of a pixel format: what lies between the least and the greatest of all entries; `None`
    /// where the driver does not tell.
    ///
    /// # Errors
    /// What the ioctl says, but for ENOTTY and EINVAL.
    pub fn frame_sizes(&self, pixel_format: u32) -> Result<Option<FrameSizeRange>, IoctlError> {
        let mut range: Option<FrameSizeRange> = None;
        for index in 0..256 {
            let format = PixelFormat::from_u32(pixel_format);
            let ask = || ioctl::enum_frame_sizes::<v4l2::v4l2_frmsizeenum>(&self.fd, index, format).map_err(errno);
            let found = match retried(ask) {
                Ok(found) => frame_size(&found),
                Err(Errno::EINVAL | Errno::ENOTTY) => break,
                Err(errno) => return Err(self.error("VIDIOC_ENUM_FRAMESIZES", errno)),
            };
            range = Some(range.map_or(found, |range| FrameSizeRange {
                min: (range.min.0.min(found.min.0), range.min.1.min(found.min.1)),
                max: (range.max.0.max(found.max.0), range.max.1.max(found.max.1)),
            }));
        }
        Ok(range)
    }

    /// VIDIOC_G_FMT.
    ///
    /// # Errors
    /// What the ioctl says; EPROTO for an answer that is no format.
    pub fn format(&self, queue: QueueDirection) -> Result<PixFormat, IoctlError> {
        const CALL: &str = "VIDIOC_G_FMT";
        let ask = || ioctl::g_fmt(&self.fd, self.queue_type(queue)).map_err(errno);
        let found = retried(ask).map_err(|errno| self.error(CALL, errno))?;
        self.read_format(CALL, &found)
    }

    /// VIDIOC_S_FMT: the driver answers with what it made of `format`.
    ///
    /// # Errors
    /// What the ioctl says; EPROTO for an answer that is no format.
    pub fn set_format(&self, queue: QueueDirection, format: &PixFormat) -> Result<PixFormat, IoctlError> {
        const CALL: &str = "VIDIOC_S_FMT";
        let wanted = self.write_format(queue, format);
        let set = || ioctl::s_fmt(&mut self.fd.as_raw_fd(), wanted).map_err(errno);
        let found = retried(set).map_err(|errno| self.error(CALL, errno))?;
        self.read_format(CALL, &found)
    }

    /// VIDIOC_TRY_FMT: as [`Self::set_format`], without doing it.
    ///
    /// # Errors
    /// As [`Self::set_format`].
    pub fn try_format(&self, queue: QueueDirection, format: &PixFormat) -> Result<PixFormat, IoctlError> {
        const CALL: &str = "VIDIOC_TRY_FMT";
        let wanted = self.write_format(queue, format);
        let ask = || ioctl::try_fmt(&self.fd, wanted).map_err(errno);
        let found = retried(ask).map_err(|errno| self.error(CALL, errno))?;
        self.read_format(CALL, &found)
    }

    /// VIDIOC_STREAMON.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn stream_on(&self, queue: QueueDirection) -> Result<(), IoctlError> {
        retried(|| ioctl::streamon(&self.fd, self.queue_type(queue)).map_err(errno))
            .map_err(|errno| self.error("VIDIOC_STREAMON", errno))
    }

    /// VIDIOC_STREAMOFF.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn stream_off(&self, queue: QueueDirection) -> Result<(), IoctlError> {
        retried(|| ioctl::streamoff(&self.fd, self.queue_type(queue)).map_err(errno))
            .map_err(|errno| self.error("VIDIOC_STREAMOFF", errno))
    }

    /// VIDIOC_DECODER_CMD with `V4L2_DEC_CMD_FLUSH`, which v4l2r has no name for.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn flush(&self) -> Result<(), IoctlError> {
        let mut command = v4l2::v4l2_decoder_cmd {
            cmd: FLUSH,
            ..Default::default()
        };
        // SAFETY: `command` is a live `v4l2_decoder_cmd`, which the ioctl reads and writes; the node is open.
        let done = retried(|| unsafe { vidioc_decoder_cmd(self.fd.as_raw_fd(), &mut command) });
        done.map(drop).map_err(|errno| self.error("VIDIOC_DECODER_CMD", errno))
    }

    pub(super) fn write_format(&self, queue: QueueDirection, format: &PixFormat) -> v4l2::v4l2_format {
        let mut raw = v4l2::v4l2_format {
            type_: self.queue_type(queue) as u32,
            ..Default::default()
        };
        if self.is_multi_planar() {
            let mut pix = v4l2::v4l2_pix_format_mplane {
                width: format.width,
                height: format.height,
                pixelformat: format.pixel_format,
                field: v4l2::v4l2_field_V4L2_FIELD_NONE,
                ..Default::default()
            };
            for (raw, plane) in pix.plane_fmt.iter_mut().zip(&format.planes) {
                raw.bytesperline = plane.bytes_per_line;
                raw.sizeimage = plane.size_image;
                pix.num_planes += 1;
            }
            raw.fmt.pix_mp = pix;
        } else {
            let plane = format.planes.first().copied().unwrap_or_default();
            raw.fmt.pix = v4l2::v4l2_pix_format {
                width: format.width,
                height: format.height,
                pixelformat: format.pixel_format,
                field: v4l2::v4l2_field_V4L2_FIELD_NONE,
                bytesperline: plane.bytes_per_line,
                sizeimage: plane.size_image,
                ..Default::default()
            };
        }
        raw
    }

    fn read_format(&self, call: &'static str, raw: &v4l2::v4l2_format) -> Result<PixFormat, IoctlError> {
        if !self.is_multi_planar() {
            // SAFETY: every byte of a `v4l2_format` is initialised, and any bytes are a `v4l2_pix_format`.
            let pix = unsafe { raw.fmt.pix };
            let plane = PlanePixFormat {
                bytes_per_line: pix.bytesperline,
                size_image: pix.sizeimage,
            };
            return Ok(PixFormat {
                pixel_format: pix.pixelformat,
                width: pix.width,
                height: pix.height,
                planes: vec![plane],
            });
        }
        // SAFETY: every byte of a `v4l2_format` is initialised, and any bytes are a `v4l2_pix_format_mplane`.
        let pix = unsafe { raw.fmt.pix_mp };
        let plane_fmt = pix.plane_fmt;
        let planes = plane_fmt
            .get(..usize::from(pix.num_planes))
            .filter(|planes| !planes.is_empty());
        let planes = planes.ok_or_else(|| self.error(call, Errno::EPROTO))?.iter();
        let plane = |raw: &v4l2::v4l2_plane_pix_format| PlanePixFormat {
            bytes_per_line: raw.bytesperline,
            size_image: raw.sizeimage,
        };
        Ok(PixFormat {
            pixel_format: pix.pixelformat,
            width: pix.width,
            height: pix.height,
            planes: planes.map(plane).collect(),
        })
    }
}

impl AsFd for VideoNode {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn frame_size(found: &v4l2::v4l2_frmsizeenum) -> FrameSizeRange {
    if found.type_ == v4l2::v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE {
        // SAFETY: every byte of a `v4l2_frmsizeenum` is initialised, and any bytes are a `v4l2_frmsize_discrete`.
        let size = unsafe { found.__bindgen_anon_1.discrete };
        let size = (size.width, size.height);
        return FrameSizeRange { min: size, max: size };
    }
    // SAFETY: every byte of a `v4l2_frmsizeenum` is initialised, and any bytes are a `v4l2_frmsize_stepwise`.
    let steps = unsafe { found.__bindgen_anon_1.stepwise };
    FrameSizeRange {
        min: (steps.min_width, steps.min_height),
        max: (steps.max_width, steps.max_height),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_a_signal_interrupts_is_made_again() {
        let mut answers = [Err(Errno::EINTR), Err(Errno::EINTR), Ok(3)].into_iter();
        assert_eq!(retried(|| answers.next().unwrap()), Ok(3));
        let mut answers = [Err(Errno::EBUSY), Ok(3)].into_iter();
        assert_eq!(retried(|| answers.next().unwrap()), Err(Errno::EBUSY));
    }
}
