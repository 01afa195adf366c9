//! The seam: one open decoder context, one method per verb of the stateless uAPI.
//!
//! Semantics are those of `Documentation/userspace-api/media/v4l/dev-stateless-decoder.rst`; two implementations
//! (a kernel node, the software node) are held to them by one suite of contract tests, and everything above cannot
//! tell which it has.
//!
//! [`format`](mod@format) names pixel formats, [`discovery`] opens a device by its name, [`allocator`] makes frame
//! memories with one, [`kernel`] and [`soft`] are the two nodes; [`contract`] and [`fault`] are for tests.

pub mod allocator;
pub mod contract;
pub mod discovery;
pub mod fault;
pub mod format;
pub mod kernel;
mod narrowed;
pub mod soft;

use std::fmt::Debug;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use v4l2r::bindings as v4l2;

use crate::Result;
use crate::memory::MemoryKind;
use crate::sys::Mapping;
use crate::units::{BufferIndex, Size, Timestamp};

pub use crate::memory::{Format, PixelFormat, PlaneFormat};
pub use fourier_soft::{DecodeMode, StartCode};

/// The two queues of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Bitstream goes in.
    Output,
    /// Pictures come out.
    Capture,
}

/// `V4L2_MEMORY_*` of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoryType {
    /// The driver allocates.
    Mmap,
    /// We bring dma-bufs (CAPTURE only).
    DmaBuf,
}

/// What REQBUFS and CREATE_BUFS say about a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCapabilities {
    /// `V4L2_BUF_CAP_SUPPORTS_DMABUF`.
    pub dmabuf: bool,
    /// `V4L2_BUF_CAP_SUPPORTS_M2M_HOLD_CAPTURE_BUF`.
    pub hold_capture: bool,
    /// `V4L2_BUF_CAP_SUPPORTS_REMOVE_BUFS`.
    pub remove_bufs: bool,
    /// How many buffers the queue may have; 32 where the kernel does not say.
    pub max_num_buffers: u32,
}

/// The reply to CREATE_BUFS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatedBuffers {
    /// Index of the first new buffer.
    pub first: BufferIndex,
    /// How many there are; may be fewer than asked for.
    pub count: u32,
    /// What the queue can do.
    pub capabilities: QueueCapabilities,
}

/// A request of one decoder context (`MEDIA_IOC_REQUEST_ALLOC`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub u32);

/// A control with its value, for [`DecoderNode::set_controls`].
#[derive(Clone, Copy, Debug)]
pub enum Control<'a> {
    /// `V4L2_CID_STATELESS_H264_DECODE_MODE`.
    DecodeMode(DecodeMode),
    /// `V4L2_CID_STATELESS_H264_START_CODE`.
    StartCode(StartCode),
    /// `V4L2_CID_STATELESS_H264_SPS`.
    Sps(&'a v4l2::v4l2_ctrl_h264_sps),
    /// `V4L2_CID_STATELESS_H264_PPS`.
    Pps(&'a v4l2::v4l2_ctrl_h264_pps),
    /// `V4L2_CID_STATELESS_H264_SCALING_MATRIX`.
    ScalingMatrix(&'a v4l2::v4l2_ctrl_h264_scaling_matrix),
    /// `V4L2_CID_STATELESS_H264_DECODE_PARAMS`.
    DecodeParams(&'a v4l2::v4l2_ctrl_h264_decode_params),
    /// `V4L2_CID_STATELESS_H264_SLICE_PARAMS`; slice mode only.
    SliceParams(&'a v4l2::v4l2_ctrl_h264_slice_params),
    /// `V4L2_CID_STATELESS_H264_PRED_WEIGHTS`; slice mode only.
    PredWeights(&'a v4l2::v4l2_ctrl_h264_pred_weights),
}

/// What backs a buffer that is queued.
#[derive(Clone, Copy, Debug)]
pub enum BufferMemory<'a> {
    /// The driver's own memory.
    Mmap,
    /// One dma-buf and its length per memory plane.
    DmaBuf(&'a [(BorrowedFd<'a>, usize)]),
}

/// A buffer for QBUF.
#[derive(Clone, Copy, Debug)]
pub struct QueueBuffer<'a> {
    /// Which buffer of the queue.
    pub index: BufferIndex,
    /// Its memory.
    pub memory: BufferMemory<'a>,
    /// Bytes of bitstream; 0 on CAPTURE.
    pub bytes_used: usize,
    /// Copied to the CAPTURE buffer that is decoded from this one; OUTPUT only.
    pub timestamp: Option<Timestamp>,
    /// The request it belongs to; OUTPUT only (CAPTURE: EPERM).
    pub request: Option<RequestId>,
    /// `V4L2_BUF_FLAG_M2M_HOLD_CAPTURE_BUF`; OUTPUT only.
    pub hold_capture: bool,
}

/// A buffer that DQBUF gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DequeuedBuffer {
    /// Which one.
    pub index: BufferIndex,
    /// Its timestamp, where it is one of ours.
    pub timestamp: Option<Timestamp>,
    /// `V4L2_BUF_FLAG_ERROR`.
    pub error: bool,
    /// Bytes used of the first plane.
    pub bytes_used: usize,
}

/// What DQBUF found; an empty queue is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dequeued {
    /// A finished buffer.
    Buffer(DequeuedBuffer),
    /// EAGAIN: nothing is finished.
    NotReady,
}

/// What QUERYBUF tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferState {
    /// `V4L2_BUF_FLAG_MAPPED`: somebody has it mapped or holds an export.
    pub mapped: bool,
    /// `V4L2_BUF_FLAG_QUEUED`.
    pub queued: bool,
    /// `V4L2_BUF_FLAG_DONE`.
    pub done: bool,
    /// Length of the first plane in bytes.
    pub length: usize,
}

/// What polling a request found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// POLLPRI: it is complete.
    Complete,
    /// Time ran out.
    Pending,
}

/// A decoder that can be opened any number of times; every open is a context of its own.
pub trait DecoderDevice: Debug + Send + Sync {
    /// What it can do; probed once.
    fn capabilities(&self) -> &Capabilities;

    /// Opens a context.
    ///
    /// # Errors
    /// [`crate::Error::Device`] with the errno of open(2).
    fn open(&self) -> Result<Arc<dyn DecoderNode>>;
}

/// What a decoder can do, immutable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Driver name (`hantro-vpu`), `fourier-soft` for the software node.
    pub driver: String,
    /// Path of the video node, `soft` for the software node.
    pub path: String,
    /// Decode modes it has.
    pub decode_modes: Vec<DecodeMode>,
    /// Start codes it has.
    pub start_codes: Vec<StartCode>,
    /// It can share one CAPTURE buffer between requests.
    pub hold_capture: bool,
    /// It imports dma-bufs on CAPTURE.
    pub dmabuf_import: bool,
    /// It takes single buffers off a queue.
    pub remove_bufs: bool,
    /// It decodes field pictures and MBAFF frames.
    pub interlaced: bool,
    /// Highest bit depth.
    pub max_bit_depth: u8,
    /// It decodes 4:2:2.
    pub chroma_422: bool,
    /// The formats that its pictures may have, of those that we know.
    pub capture_formats: Vec<PixelFormat>,
    /// Smallest coded size.
    pub min_size: Size,
    /// Largest coded size.
    pub max_size: Size,
    /// Buffers a queue may have.
    pub max_num_buffers: u32,
    /// What EXPBUF gives.
    pub export_kind: MemoryKind,
    /// It is silicon (or a kernel driver), not the software node.
    pub hardware: bool,
}

/// One open decoder context. Calls may come from several threads.
///
/// Every error names the ioctl and the errno that a kernel node would give.
pub trait DecoderNode: Debug + Send + Sync {
    /// VIDIOC_ENUM_FMT.
    fn enum_formats(&self, queue: Queue) -> Result<Vec<PixelFormat>>;
    /// VIDIOC_G_FMT.
    fn format(&self, queue: Queue) -> Result<Format>;
    /// VIDIOC_S_FMT: the driver answers with what it made of `format`. On OUTPUT it resets the CAPTURE format. EBUSY
    /// while the queue has buffers.
    fn set_format(&self, queue: Queue, format: &Format) -> Result<Format>;
    /// VIDIOC_S_EXT_CTRLS, all in one call; without a request they hold at once, with one when it is queued.
    fn set_controls(&self, request: Option<RequestId>, controls: &[Control<'_>]) -> Result<()>;

    /// MEDIA_IOC_REQUEST_ALLOC.
    fn alloc_request(&self) -> Result<RequestId>;
    /// MEDIA_REQUEST_IOC_QUEUE: ENOENT without a buffer, EINVAL with more than one, EBUSY if already queued.
    fn queue_request(&self, request: RequestId) -> Result<()>;
    /// MEDIA_REQUEST_IOC_REINIT: EBUSY while it is queued.
    fn reinit_request(&self, request: RequestId) -> Result<()>;
    /// poll(POLLPRI) on the request; one that is not queued has POLLERR, which is EINVAL here.
    fn poll_request(&self, request: RequestId, timeout: Duration) -> Result<RequestState>;
    /// close(2) on the request.
    fn close_request(&self, request: RequestId);

    /// VIDIOC_REQBUFS; `count` 0 frees the queue (exports live on). Gives the number of buffers and capabilities.
    fn request_buffers(&self, queue: Queue, memory: MemoryType, count: u32) -> Result<CreatedBuffers>;
    /// VIDIOC_CREATE_BUFS for buffers of `format`; `count` 0 only asks for capabilities.
    fn create_buffers(&self, queue: Queue, memory: MemoryType, count: u32, format: &Format) -> Result<CreatedBuffers>;
    /// VIDIOC_REMOVE_BUFS of one buffer.
    fn remove_buffer(&self, queue: Queue, index: BufferIndex) -> Result<()>;
    /// VIDIOC_QUERYBUF.
    fn query_buffer(&self, queue: Queue, index: BufferIndex) -> Result<BufferState>;
    /// VIDIOC_PREPARE_BUF: proves that the driver can map the memory, decodes nothing. Binds as QBUF does; EINVAL a
    /// second time before QBUF or STREAMOFF.
    fn prepare_buffer(&self, queue: Queue, index: BufferIndex, memory: BufferMemory<'_>) -> Result<()>;
    /// VIDIOC_QBUF. On CAPTURE another dma-buf than the bound one unbinds that and loses its timestamp, even on failure.
    /// OUTPUT without a request is EBADR.
    fn queue_buffer(&self, queue: Queue, buffer: &QueueBuffer<'_>) -> Result<()>;
    /// VIDIOC_DQBUF, never blocking.
    fn dequeue_buffer(&self, queue: Queue) -> Result<Dequeued>;
    /// VIDIOC_EXPBUF of one memory plane, `O_RDWR | O_CLOEXEC`.
    fn export_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<OwnedFd>;
    /// mmap(2) of one memory plane of an MMAP buffer.
    fn map_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<Mapping>;

    /// VIDIOC_STREAMON.
    fn stream_on(&self, queue: Queue) -> Result<()>;
    /// VIDIOC_STREAMOFF: returns every buffer, forgets their timestamps, completes or cancels queued requests.
    fn stream_off(&self, queue: Queue) -> Result<()>;
    /// VIDIOC_DECODER_CMD(V4L2_DEC_CMD_FLUSH): lets go of a held CAPTURE buffer, unless another is queued behind it: the
    /// kernel looks at the last one only.
    fn flush(&self) -> Result<()>;
}
