//! A device that answers at once and decodes nothing. Formats and memory are the software node's.

use std::collections::VecDeque;
use std::hint::black_box;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fourier_core::Result;
use fourier_core::device::discovery::open_device;
use fourier_core::device::{
    BufferMemory, BufferState, Capabilities, Control, CreatedBuffers, DecoderDevice, DecoderNode, Dequeued,
    DequeuedBuffer, Format, MemoryType, PixelFormat, Queue, QueueBuffer, RequestId, RequestState,
};
use fourier_core::sys::Mapping;
use fourier_core::units::BufferIndex;

/// The software device with nodes that do not decode.
#[derive(Debug)]
pub struct InstantDevice {
    soft: Arc<dyn DecoderDevice>,
}

impl InstantDevice {
    /// # Errors
    /// What opening the software device fails with.
    pub fn new() -> Result<Self> {
        Ok(Self {
            soft: open_device(Some("soft:threads=1"))?,
        })
    }
}

impl DecoderDevice for InstantDevice {
    fn capabilities(&self) -> &Capabilities {
        self.soft.capabilities()
    }

    fn open(&self) -> Result<Arc<dyn DecoderNode>> {
        Ok(Arc::new(InstantNode {
            soft: self.soft.open()?,
            requests: AtomicU32::new(0),
            queues: Mutex::default(),
        }))
    }
}

/// Buffers that are queued, and those that are done.
#[derive(Debug, Default)]
struct Queues {
    waiting: VecDeque<DequeuedBuffer>,
    output: VecDeque<DequeuedBuffer>,
    capture: VecDeque<DequeuedBuffer>,
}

#[derive(Debug)]
struct InstantNode {
    soft: Arc<dyn DecoderNode>,
    requests: AtomicU32,
    queues: Mutex<Queues>,
}

impl InstantNode {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DecoderNode for InstantNode {
    fn enum_formats(&self, queue: Queue) -> Result<Vec<PixelFormat>> {
        self.soft.enum_formats(queue)
    }

    fn format(&self, queue: Queue) -> Result<Format> {
        self.soft.format(queue)
    }

    fn set_format(&self, queue: Queue, format: &Format) -> Result<Format> {
        self.soft.set_format(queue, format)
    }

    fn set_controls(&self, request: Option<RequestId>, controls: &[Control<'_>]) -> Result<()> {
        match request {
            Some(_) => {
                black_box(controls);
                Ok(())
            }
            None => self.soft.set_controls(None, controls),
        }
    }

    fn alloc_request(&self) -> Result<RequestId> {
        Ok(RequestId(self.requests.fetch_add(1, Ordering::Relaxed)))
    }

    fn queue_request(&self, _: RequestId) -> Result<()> {
        Ok(())
    }

    fn reinit_request(&self, _: RequestId) -> Result<()> {
        Ok(())
    }

    fn poll_request(&self, _: RequestId, _: Duration) -> Result<RequestState> {
        Ok(RequestState::Complete)
    }

    fn close_request(&self, _: RequestId) {}

    fn request_buffers(&self, queue: Queue, memory: MemoryType, count: u32) -> Result<CreatedBuffers> {
        self.soft.request_buffers(queue, memory, count)
    }

    fn create_buffers(&self, queue: Queue, memory: MemoryType, count: u32, format: &Format) -> Result<CreatedBuffers> {
        self.soft.create_buffers(queue, memory, count, format)
    }

    fn remove_buffer(&self, queue: Queue, index: BufferIndex) -> Result<()> {
        self.soft.remove_buffer(queue, index)
    }

    fn query_buffer(&self, queue: Queue, index: BufferIndex) -> Result<BufferState> {
        self.soft.query_buffer(queue, index)
    }

    fn prepare_buffer(&self, queue: Queue, index: BufferIndex, memory: BufferMemory<'_>) -> Result<()> {
        self.soft.prepare_buffer(queue, index, memory)
    }

    /// A CAPTURE buffer takes the timestamp of the OUTPUT buffer that waits longest, and both are done.
    fn queue_buffer(&self, queue: Queue, buffer: &QueueBuffer<'_>) -> Result<()> {
        let mut queues = self.queues();
        let done = DequeuedBuffer {
            index: buffer.index,
            timestamp: buffer.timestamp,
            error: false,
            bytes_used: buffer.bytes_used,
        };
        match queue {
            Queue::Output => queues.waiting.push_back(done),
            Queue::Capture => {
                let output = queues.waiting.pop_front();
                queues.capture.push_back(DequeuedBuffer {
                    timestamp: output.and_then(|output| output.timestamp),
                    ..done
                });
                queues.output.extend(output);
            }
        }
        Ok(())
    }

    fn dequeue_buffer(&self, queue: Queue) -> Result<Dequeued> {
        let mut queues = self.queues();
        let buffer = match queue {
            Queue::Output => queues.output.pop_front(),
            Queue::Capture => queues.capture.pop_front(),
        };
        Ok(buffer.map_or(Dequeued::NotReady, Dequeued::Buffer))
    }

    fn export_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<OwnedFd> {
        self.soft.export_buffer(queue, index, plane)
    }

    fn map_buffer(&self, queue: Queue, index: BufferIndex, plane: u32) -> Result<Mapping> {
        self.soft.map_buffer(queue, index, plane)
    }

    fn stream_on(&self, queue: Queue) -> Result<()> {
        self.soft.stream_on(queue)
    }

    fn stream_off(&self, queue: Queue) -> Result<()> {
        *self.queues() = Queues::default();
        self.soft.stream_off(queue)
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }
}
