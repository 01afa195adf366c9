//! A decoder set up for the small pictures of [`super::stream`], and what the contract tests do with it.

use std::num::NonZeroU64;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stream::{Picture, Submission, sps};
use super::{Failure, ensure};
use crate::device::allocator::{NodeAllocator, Preference, Setup, StreamAllocator};
use crate::device::format::frame_layout;
use crate::device::{
    BufferMemory, Capabilities, Control, DecodeMode, DecoderDevice, DecoderNode, Dequeued, DequeuedBuffer, MemoryType,
    PlaneFormat, Queue, QueueBuffer, RequestId, RequestState, StartCode,
};
use crate::memory::{Format, FrameAllocator, FrameMemory};
use crate::units::{BufferIndex, Size, Timestamp};

/// How many OUTPUT buffers, each with a request.
pub(super) const SLOTS: u32 = 4;
/// Whatever must come has come long before, on a machine with other work too.
const PATIENCE: Duration = Duration::from_secs(30);

/// One open node with formats, OUTPUT buffers and requests.
pub(super) struct Rig<'a> {
    device: &'a dyn DecoderDevice,
    pub(super) node: Arc<dyn DecoderNode>,
    pub(super) size: Size,
    pub(super) output: Format,
    pub(super) capture: Format,
    pub(super) requests: Vec<RequestId>,
}

/// The n-th timestamp of a test.
pub(super) fn timestamp(n: u64) -> Timestamp {
    Timestamp::from_sequence(NonZeroU64::MIN.saturating_add(n))
}

impl<'a> Rig<'a> {
    /// Opens and negotiates; no buffers yet.
    pub(super) fn open(device: &'a dyn DecoderDevice) -> Result<Self, Failure> {
        let min = device.capabilities().min_size;
        Self::open_with(
            device,
            Size {
                width: min.width.max(128),
                height: min.height.max(96),
            },
        )
    }

    /// Opens and negotiates pictures of `size`.
    pub(super) fn open_with(device: &'a dyn DecoderDevice, size: Size) -> Result<Self, Failure> {
        let node = device.open()?;
        let plane = PlaneFormat {
            bytes_per_line: 0,
            size_image: 64 * 1024,
        };
        let pixel_format = node.enum_formats(Queue::Output)?.first().copied();
        let pixel_format = pixel_format.ok_or_else(|| Failure::new("OUTPUT has no format"))?;
        let output = node.set_format(
            Queue::Output,
            &Format {
                pixel_format,
                size,
                planes: vec![plane],
            },
        )?;
        let mut rig = Self {
            device,
            node,
            size,
            capture: output.clone(),
            output,
            requests: Vec::new(),
        };
        rig.node.set_controls(
            None,
            &[Control::DecodeMode(rig.mode()), Control::StartCode(rig.start_code())],
        )?;
        rig.node.set_controls(None, &[Control::Sps(&sps(size))])?;
        rig.negotiate_capture()?;
        Ok(rig)
    }

    /// The device's own CAPTURE format, in the size of the pictures: not every driver takes that from OUTPUT.
    pub(super) fn negotiate_capture(&mut self) -> Result<(), Failure> {
        let mut wanted = self.node.format(Queue::Capture)?;
        wanted.size = self.size;
        self.capture = self.node.set_format(Queue::Capture, &wanted)?;
        Ok(())
    }

    /// Opens with [`SLOTS`] OUTPUT buffers and `captures` CAPTURE buffers, both streaming.
    pub(super) fn streaming(device: &'a dyn DecoderDevice, memory: MemoryType, captures: u32) -> Result<Self, Failure> {
        let mut rig = Self::open(device)?;
        rig.allocate(memory, captures)?;
        rig.start()?;
        Ok(rig)
    }

    pub(super) fn allocate(&mut self, memory: MemoryType, captures: u32) -> Result<(), Failure> {
        let outputs = self.node.request_buffers(Queue::Output, MemoryType::Mmap, SLOTS)?;
        let made = self.node.request_buffers(Queue::Capture, memory, captures)?;
        ensure!(
            outputs.count == SLOTS && made.count == captures,
            "REQBUFS gave {} and {}",
            outputs.count,
            made.count
        );
        while self.requests.len() < SLOTS as usize {
            self.requests.push(self.node.alloc_request()?);
        }
        Ok(())
    }

    pub(super) fn start(&self) -> Result<(), Failure> {
        self.node.stream_on(Queue::Output)?;
        Ok(self.node.stream_on(Queue::Capture)?)
    }

    /// Closes the node; what is left compares memories that outlive it.
    pub(super) fn close(self) -> Result<Self, Failure> {
        Ok(Self {
            node: self.device.open()?,
            ..self
        })
    }

    pub(super) fn capabilities(&self) -> &Capabilities {
        self.device.capabilities()
    }

    pub(super) fn mode(&self) -> DecodeMode {
        self.capabilities().decode_modes.first().copied().unwrap_or_default()
    }

    pub(super) fn start_code(&self) -> StartCode {
        self.capabilities().start_codes.first().copied().unwrap_or_default()
    }

    /// A whole picture for this device.
    pub(super) fn whole(&self, picture: Picture) -> Submission {
        Submission::whole(self.size, picture, self.mode(), self.start_code())
    }

    /// The OUTPUT buffer of a slot, filled.
    pub(super) fn fill(&self, slot: u32, bitstream: &[u8]) -> Result<(), Failure> {
        let mut mapping = self.node.map_buffer(Queue::Output, BufferIndex(slot), 0)?;
        let room = mapping.bytes_mut().get_mut(..bitstream.len());
        room.ok_or_else(|| Failure::new("the OUTPUT buffer is too small"))?
            .copy_from_slice(bitstream);
        Ok(())
    }

    /// QBUF of OUTPUT for a submission.
    pub(super) fn output_buffer(&self, slot: u32, bytes_used: usize, timestamp: Timestamp) -> QueueBuffer<'static> {
        QueueBuffer {
            index: BufferIndex(slot),
            memory: BufferMemory::Mmap,
            bytes_used,
            timestamp: Some(timestamp),
            request: self.requests.get(slot as usize).copied(),
            hold_capture: false,
        }
    }

    /// Controls, OUTPUT buffer, REQUEST_QUEUE.
    pub(super) fn submit_part(
        &self,
        slot: u32,
        part: &Submission,
        timestamp: Timestamp,
        hold_capture: bool,
    ) -> Result<(), Failure> {
        let request = self.requests[slot as usize];
        self.node.set_controls(Some(request), &part.controls())?;
        self.fill(slot, &part.bitstream)?;
        let buffer = self.output_buffer(slot, part.bitstream.len(), timestamp);
        self.node
            .queue_buffer(Queue::Output, &QueueBuffer { hold_capture, ..buffer })?;
        Ok(self.node.queue_request(request)?)
    }

    pub(super) fn submit(&self, slot: u32, picture: Picture, timestamp: Timestamp) -> Result<(), Failure> {
        self.submit_part(slot, &self.whole(picture), timestamp, false)
    }

    /// QBUF of an MMAP CAPTURE buffer.
    pub(super) fn queue_capture(&self, index: u32) -> Result<(), Failure> {
        Ok(self
            .node
            .queue_buffer(Queue::Capture, &capture_buffer(index, BufferMemory::Mmap))?)
    }

    /// QBUF of imported memory.
    pub(super) fn queue_import(&self, index: u32, memory: &FrameMemory) -> crate::Result<()> {
        let lengths = memory.layout.object_lengths.iter().copied();
        let planes: Vec<_> = memory.fds.iter().map(AsFd::as_fd).zip(lengths).collect();
        self.node
            .queue_buffer(Queue::Capture, &capture_buffer(index, BufferMemory::DmaBuf(&planes)))
    }

    /// An allocator of memories for this rig's CAPTURE format.
    pub(super) fn allocator(&self) -> Result<StreamAllocator, Failure> {
        Ok(
            Arc::new(NodeAllocator::open(self.device, Preference::Device)?).configure(Setup {
                output: self.output.clone(),
                mode: self.mode(),
                start_code: self.start_code(),
                sps: sps(self.size),
                capture: self.capture.clone(),
            })?,
        )
    }

    /// Memories that this device allocated on a scratch open.
    pub(super) fn memories(&self, count: usize) -> Result<Vec<Arc<FrameMemory>>, Failure> {
        let allocator = self.allocator()?;
        Ok((0..count)
            .map(|_| allocator.allocate(&self.capture))
            .collect::<Result<_, _>>()?)
    }

    pub(super) fn wait(&self, slot: u32) -> Result<(), Failure> {
        let state = self.node.poll_request(self.requests[slot as usize], PATIENCE)?;
        ensure!(
            state == RequestState::Complete,
            "request {slot} is not complete after {PATIENCE:?}"
        );
        Ok(())
    }

    /// A request that has to wait for something stays pending.
    pub(super) fn stays_pending(&self, slot: u32) -> Result<(), Failure> {
        let state = self
            .node
            .poll_request(self.requests[slot as usize], Duration::from_millis(20))?;
        ensure!(state == RequestState::Pending, "request {slot} did not wait");
        Ok(())
    }

    /// DQBUF that must find something, now or soon.
    pub(super) fn dequeue(&self, queue: Queue) -> Result<DequeuedBuffer, Failure> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Dequeued::Buffer(buffer) = self.node.dequeue_buffer(queue)? {
                return Ok(buffer);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(Failure::new(format!("nothing to dequeue on {queue:?}")))
    }

    /// Waits for a slot's request, takes both buffers off and makes the request ready for the next picture.
    pub(super) fn collect(&self, slot: u32) -> Result<DequeuedBuffer, Failure> {
        self.wait(slot)?;
        let output = self.dequeue(Queue::Output)?;
        ensure!(
            output.index.0 == slot,
            "OUTPUT {} came back instead of {slot}",
            output.index
        );
        self.node.reinit_request(self.requests[slot as usize])?;
        self.dequeue(Queue::Capture)
    }

    /// Decodes a picture into the next CAPTURE buffer.
    pub(super) fn decode(&self, picture: Picture, timestamp: Timestamp) -> Result<DequeuedBuffer, Failure> {
        self.submit(0, picture, timestamp)?;
        let buffer = self.collect(0)?;
        ensure!(
            buffer.timestamp == Some(timestamp),
            "timestamp {:?} instead of {timestamp}",
            buffer.timestamp
        );
        Ok(buffer)
    }

    /// Whether this device's pictures can be compared: visl draws test patterns.
    pub(super) fn shows_pictures(&self) -> bool {
        self.capabilities().driver != "visl"
    }

    /// Every sample of an MMAP CAPTURE buffer is `value`.
    pub(super) fn expect_grey(&self, index: BufferIndex, value: u8) -> Result<(), Failure> {
        let planes = 0..self.capture.planes.len() as u32;
        let maps = planes.map(|plane| self.node.map_buffer(Queue::Capture, index, plane));
        let maps = maps.collect::<crate::Result<Vec<_>>>()?;
        self.compare(&|object| maps.get(object).map(|map| map.bytes()), value)
    }

    /// Every sample of a memory is `value`.
    pub(super) fn expect_grey_memory(&self, memory: &Arc<FrameMemory>, value: u8) -> Result<(), Failure> {
        let access = memory.read()?;
        self.compare(&|object| access.object(object), value)
    }

    fn compare<'b>(&self, object: &dyn Fn(usize) -> Option<&'b [u8]>, value: u8) -> Result<(), Failure> {
        if !self.shows_pictures() {
            return Ok(());
        }
        let layout = frame_layout(&self.capture)?;
        for (plane, place) in layout.planes.iter().enumerate() {
            let rows = (self.size.height as usize) >> plane.min(1);
            let bytes = object(place.object).and_then(|bytes| bytes.get(place.offset..));
            let (bytes, tiling) = (bytes.unwrap_or_default(), layout.tiling(plane));
            let mut samples = vec![0; self.size.width as usize];
            for row in 0..rows {
                let copied = tiling.and_then(|tiling| tiling.copy_row(bytes, place.pitch, (0, row), &mut samples));
                let right = copied.is_some() && samples.iter().all(|&sample| sample == value);
                ensure!(
                    right,
                    "plane {plane}, row {row}: {:?}.. instead of {value}",
                    samples.first()
                );
            }
        }
        Ok(())
    }
}

/// QBUF of CAPTURE.
pub(super) fn capture_buffer(index: u32, memory: BufferMemory<'_>) -> QueueBuffer<'_> {
    QueueBuffer {
        index: BufferIndex(index),
        memory,
        bytes_used: 0,
        timestamp: None,
        request: None,
        hold_capture: false,
    }
}
