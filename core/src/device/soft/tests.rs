//! The node under calls in no sensible order, with values of no sensible kind.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use v4l2r::bindings as v4l2;

use super::*;
use crate::device::contract::{CASES, Verdict};
use crate::device::{
    BufferMemory, Control, DecodeMode, Dequeued, MemoryType, Queue, QueueBuffer, RequestId, StartCode,
};
use crate::memory::{Format, PixelFormat, PlaneFormat};
use crate::units::{BufferIndex, Size, Timestamp};

/// A generator of numbers that look random (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32 % below
    }

    fn queue(&mut self) -> Queue {
        if self.next(2) == 0 {
            Queue::Output
        } else {
            Queue::Capture
        }
    }

    fn memory(&mut self) -> MemoryType {
        if self.next(3) == 0 {
            MemoryType::DmaBuf
        } else {
            MemoryType::Mmap
        }
    }

    fn index(&mut self) -> BufferIndex {
        BufferIndex(self.next(6))
    }

    fn format(&mut self) -> Format {
        let plane = PlaneFormat {
            bytes_per_line: self.next(200),
            size_image: self.next(100_000),
        };
        let size = Size {
            width: self.next(200),
            height: self.next(200),
        };
        Format {
            pixel_format: PixelFormat(self.next(u32::MAX)),
            size,
            planes: vec![plane; 1 + self.next(2) as usize],
        }
    }

    fn request(&mut self) -> Option<RequestId> {
        (self.next(8) != 0).then(|| RequestId(self.next(5)))
    }
}

/// One call with arguments of chance; what it answers does not matter.
fn call(node: &dyn DecoderNode, numbers: &mut Numbers, imports: &[OwnedFd]) {
    let (queue, index, memory) = (numbers.queue(), numbers.index(), numbers.memory());
    match numbers.next(100) {
        0 => drop(node.set_format(queue, &numbers.format())),
        1 => drop(node.request_buffers(queue, memory, numbers.next(5))),
        2 => drop(node.create_buffers(queue, memory, numbers.next(3), &numbers.format())),
        3 => drop(node.remove_buffer(queue, index)),
        4 => drop(node.alloc_request()),
        5 => node.close_request(RequestId(numbers.next(5))),
        6 => drop(node.stream_off(queue)),
        7 => drop(node.flush()),
        8 => drop(node.export_buffer(queue, index, numbers.next(3))),
        10..20 => drop(node.stream_on(queue)),
        20..35 => drop(node.reinit_request(RequestId(numbers.next(5)))),
        35..40 => drop(node.poll_request(RequestId(numbers.next(5)), Duration::from_micros(50))),
        40..50 => set_controls(node, numbers),
        50..65 => drop(node.queue_request(RequestId(numbers.next(5)))),
        verb => {
            let lengths = numbers.next(60_000) as usize;
            let planes: Vec<_> = imports
                .iter()
                .take(numbers.next(3) as usize)
                .map(|fd| (fd.as_fd(), lengths))
                .collect();
            let memory = match memory {
                MemoryType::Mmap => BufferMemory::Mmap,
                MemoryType::DmaBuf => BufferMemory::DmaBuf(&planes),
            };
            let buffer = QueueBuffer {
                index,
                memory,
                bytes_used: numbers.next(20_000) as usize,
                timestamp: Timestamp::from_timeval(0, i64::from(numbers.next(4))),
                request: if queue == Queue::Output {
                    numbers.request()
                } else {
                    None
                },
                hold_capture: numbers.next(3) == 0,
            };
            match verb {
                9 => drop(node.prepare_buffer(queue, index, memory)),
                _ => drop(node.queue_buffer(queue, &buffer)),
            }
        }
    }
}

fn set_controls(node: &dyn DecoderNode, numbers: &mut Numbers) {
    let sps = v4l2::v4l2_ctrl_h264_sps {
        profile_idc: 100,
        chroma_format_idc: numbers.next(2) as u8,
        max_num_ref_frames: numbers.next(18) as u8,
        pic_width_in_mbs_minus1: numbers.next(5) as u16,
        pic_height_in_map_units_minus1: numbers.next(5) as u16,
        flags: v4l2::V4L2_H264_SPS_FLAG_FRAME_MBS_ONLY | numbers.next(256),
        ..Default::default()
    };
    let mut params = v4l2::v4l2_ctrl_h264_decode_params {
        flags: numbers.next(32),
        ..Default::default()
    };
    for entry in &mut params.dpb {
        entry.reference_ts = u64::from(numbers.next(4)) * 1_000;
        entry.fields = numbers.next(4) as u8;
        entry.flags = numbers.next(16);
    }
    let mode = if numbers.next(2) == 0 {
        DecodeMode::FrameBased
    } else {
        DecodeMode::SliceBased
    };
    let code = if numbers.next(2) == 0 {
        StartCode::AnnexB
    } else {
        StartCode::None
    };
    let all = [
        Control::Sps(&sps),
        Control::DecodeParams(&params),
        Control::DecodeMode(mode),
        Control::StartCode(code),
    ];
    let request = numbers.request();
    let refused = node.set_controls(request, &all[..1 + numbers.next(4) as usize]);
    drop(refused);
}

/// From here on, counts the panics of the node's own threads, which a join would only log.
fn count_worker_panics() -> &'static AtomicUsize {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current()
            .name()
            .is_some_and(|name| name.starts_with("fourier-"))
        {
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        report(info);
    }));
    &PANICS
}

#[test]
fn calls_in_any_order_with_any_values_neither_panic_nor_hang() {
    let device = SoftDevice::new(Personality::parse("mode=both,startcode=both,buffers=6").unwrap());
    let imports: Vec<_> = (0..3).map(|_| crate::sys::memfd_create(100_000).unwrap()).collect();
    let panics = count_worker_panics();
    let mut jobs = 0;
    for seed in 1..=40_u64 {
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let node = device.open().unwrap();
        // Something to start from: otherwise most walks never stream.
        for queue in [Queue::Output, Queue::Capture] {
            node.request_buffers(queue, MemoryType::Mmap, 4).unwrap();
            node.stream_on(queue).unwrap();
        }
        (0..4).for_each(|_| drop(node.alloc_request()));
        for _ in 0..1_500 {
            call(node.as_ref(), &mut numbers, &imports);
            let capture = node.dequeue_buffer(Queue::Capture);
            jobs += usize::from(matches!(capture, Ok(Dequeued::Buffer(_))));
        }
    }
    assert_eq!(panics.load(Ordering::Relaxed), 0);
    assert!(jobs > 100, "{jobs} jobs");
    for case in CASES {
        assert!(
            matches!((case.run)(&device), Ok(Verdict::Held | Verdict::NotApplicable(_))),
            "{case:?}"
        );
    }
}
