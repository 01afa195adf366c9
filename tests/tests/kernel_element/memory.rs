//! Frames belong to who holds them: kept for ever, outliving whoever made them, and through a DRM device.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use drm::Device;
use drm::control::Device as ControlDevice;
use fourier_core::device::discovery::open_device;
use fourier_core::memory::{FrameMemory, MemoryKind};
use fourier_core::pool::Frame;
use fourier_tests::Outcome;
use fourier_tests::core_decoder::decode;

use crate::clips::{self, counter};
use crate::playing::{Playing, all_of, hashes};
use crate::{Case, Ground};

pub const CASES: &[Case] = &[
    ("a_consumer_that_keeps_every_frame_stops_nothing", keeps_everything),
    (
        "playing_backwards_into_nothing_but_dma_bufs_is_an_error_where_a_group_has_more_pictures",
        backwards_into_dma_bufs,
    ),
    ("frames_outlive_the_element", outlive_the_element),
    ("frames_outlive_decoder_and_device", outlive_the_decoder),
    (
        "a_frame_lives_on_in_a_drm_device_when_all_else_is_closed",
        through_prime,
    ),
];

/// The pool grows to its limit, what is beyond is copied, and every frame stays what it was.
fn keeps_everything(ground: &Ground) -> Outcome {
    /// No pool has more frames.
    const MOST: u64 = 64;
    let clip = counter();
    let playing = Playing::start(ground, &clip, "max-buffers=1")?;
    let (mut kept, mut pictures) = (Vec::new(), Vec::new());
    while let Some(sample) = playing.next()? {
        let buffer = sample.buffer_owned().ok_or("a sample without a buffer")?;
        pictures.extend(hashes(std::slice::from_ref(&buffer))?);
        kept.push(buffer);
    }
    all_of(&clip, kept.len())?;
    let [frames, copies, waits] = ["pool-size", "copies", "waits"].map(|name| playing.statistic(name));
    let (frames, copies, waits) = (frames?, copies?, waits?);
    if copies == 0 || waits == 0 || frames > MOST || frames + copies < clip.frames as u64 {
        return Err(format!("{frames} frames in the pool, {copies} copies, {waits} waits").into());
    }
    match hashes(&kept)? == pictures {
        true => Ok(()),
        false => Err("a frame was written to while it was kept".into()),
    }
}

/// The base class keeps a group of pictures before it gives out the first.
fn backwards_into_dma_bufs(ground: &Ground) -> Outcome {
    match Playing::start_backwards_into_dma_bufs(ground, &counter())?.count_the_rest() {
        Err(error) if error.to_string().contains("backwards takes more dma-bufs") => Ok(()),
        Err(error) => Err(error),
        Ok(frames) => Err(format!("{frames} frames, and no error").into()),
    }
}

fn outlive_the_element(ground: &Ground) -> Outcome {
    let playing = Playing::start(ground, &counter(), "max-buffers=1")?;
    let kept = playing.take(5)?;
    let pictures = hashes(&kept)?;
    drop(playing);
    match kept.len() == 5 && hashes(&kept)? == pictures {
        true => Ok(()),
        false => Err("frames changed when their element went".into()),
    }
}

fn outlive_the_decoder(ground: &Ground) -> Outcome {
    let kept = kept_frames(ground)?;
    if kept.windows(2).all(|pair| pair[0].picture == pair[1].picture) {
        return Err("all pictures are the same: nothing is seen here".into());
    }
    for (number, Kept { frame, picture }) in kept.iter().enumerate() {
        if bytes(frame.memory())? != *picture {
            return Err(format!("frame {number} changed when its decoder went").into());
        }
    }
    Ok(())
}

/// A frame whose decoder is gone, and what was in it before.
#[derive(Debug)]
struct Kept {
    frame: Frame,
    picture: Vec<u8>,
}

/// Some frames of a decoder on a device of its own, so that nothing of either is left but the frames.
fn kept_frames(ground: &Ground) -> Outcome<Vec<Kept>> {
    let device = open_device(Some(&ground.path))?;
    let stream = std::fs::read(clips::sliced()?.path)?;
    let mut kept = Vec::new();
    decode(device, &stream, |output| {
        let frame = output.frame().clone();
        if kept.len() < 8 {
            let picture = bytes(frame.memory())?;
            kept.push(Kept { frame, picture });
        }
        Ok(())
    })?;
    Ok(kept)
}

fn bytes(memory: &Arc<FrameMemory>) -> Outcome<Vec<u8>> {
    Ok(memory.read()?.object(0).ok_or("a memory without an object")?.to_vec())
}

/// A DRM device without a screen.
#[derive(Debug)]
struct Vgem(File);

impl AsFd for Vgem {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Device for Vgem {}
impl ControlDevice for Vgem {}

impl Vgem {
    fn open() -> Outcome<Self> {
        for entry in std::fs::read_dir("/dev/dri")? {
            let path = entry?.path();
            let Ok(node) = File::options().read(true).write(true).open(&path) else {
                continue;
            };
            let vgem = Self(node);
            if vgem.get_driver().is_ok_and(|driver| driver.name() == "vgem") {
                return Ok(vgem);
            }
        }
        Err("no vgem in /dev/dri".into())
    }
}

/// Imported, everything else closed, exported again from the handle, mapped, compared.
fn through_prime(ground: &Ground) -> Outcome {
    let vgem = Vgem::open()?;
    let mut imported = Vec::new();
    for Kept { frame, picture } in kept_frames(ground)? {
        let memory = frame.memory();
        let fd = memory.fds.first().ok_or("a memory without a descriptor")?;
        let handle = vgem.prime_fd_to_buffer(fd.as_fd())?;
        imported.push((handle, memory.layout.clone(), picture));
    }
    for (number, (handle, layout, picture)) in imported.into_iter().enumerate() {
        let fd: OwnedFd = vgem.buffer_to_prime_fd(handle, drm::CLOEXEC | drm::RDWR)?;
        let again = Arc::new(FrameMemory {
            fds: vec![fd],
            kind: MemoryKind::DmaBuf,
            layout,
        });
        let same = bytes(&again)? == picture;
        vgem.close_buffer(handle)?;
        if !same {
            return Err(format!("frame {number} came back from the DRM device changed").into());
        }
    }
    Ok(())
}
