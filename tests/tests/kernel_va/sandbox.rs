//! Applications shut themselves in once they have initialised a display: it must not need the file system any more.

use std::fs::File;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use fourier_tests::Outcome;
use fourier_tests::va::VaDisplay;
use nix::unistd::{chdir, chroot, fchdir};
use vaclient::{Decoder, Habits, va};

use crate::VISL;
use crate::client::{self, Case, Ground};

pub const CASES: &[Case] = &[
    Case {
        name: "an initialised display decodes where there is no file at all",
        ground: Ground::Visl,
        environment: &[],
        run: shut_in_with_memory_of_the_device,
    },
    Case {
        name: "an initialised display makes surfaces of a heap where there is no file at all",
        ground: Ground::Visl,
        environment: &[("FOURIER_ALLOCATOR", "heap")],
        run: shut_in_with_memory_of_a_heap,
    },
];

/// Who made a dma-buf, as `exp_name` says: the kernel's buffers of V4L2, and the system heap.
const BY_THE_DEVICE: &str = "videobuf2_vmalloc";
const BY_THE_HEAP: &str = "system";

fn shut_in_with_memory_of_the_device() -> Outcome {
    shut_in(BY_THE_DEVICE)
}

fn shut_in_with_memory_of_a_heap() -> Outcome {
    shut_in(BY_THE_HEAP)
}

/// `vaInitialize` keeps the media device open once and the video node twice, for surfaces and the first context; from
/// then on nothing can be opened.
fn shut_in(exporter: &str) -> Outcome {
    let stream = std::fs::read(client::clip()?)?;
    let display = client::display()?;
    let open = open_files()?;
    let count = |name: &str| open.iter().filter(|path| path.starts_with(name)).count();
    let (media, video) = (count("/dev/media"), count(VISL));
    if (media, video) != (1, 2) {
        return Err(format!("vaInitialize keeps {media} media devices and {video} video nodes open: {open:?}").into());
    }
    let descriptors = File::open("/proc/self/fdinfo")?;
    let root = tempfile::tempdir()?;
    chroot(root.path())?;
    chdir("/")?;
    if Path::new("/proc").exists() || Path::new(VISL).exists() {
        return Err("there is something in the empty root".into());
    }
    let prime = va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2;
    let mut shown_at_all = 0;
    Decoder::new(&display, Habits::default()).decode(&stream, &mut |shown| {
        let exported = display.export_surface(shown.surface, prime, va::VA_EXPORT_SURFACE_SEPARATE_LAYERS)?;
        for fd in &exported.objects {
            let made_by = exporter_of(&descriptors, fd.as_raw_fd())?;
            if made_by != exporter {
                return Err(format!("a surface of {made_by}, not of {exporter}").into());
            }
        }
        vaclient::Picture::get(&display, shown.surface, shown.fourcc, shown.size)?;
        shown_at_all += u32::from(!shown.damaged);
        Ok(())
    })?;
    match shown_at_all {
        client::FRAMES => Ok(()),
        _ => Err(format!("{shown_at_all} whole pictures of {}", client::FRAMES).into()),
    }
}

/// Who made a dma-buf; `descriptors` is `/proc/self/fdinfo`, which has no name in an empty root.
fn exporter_of(descriptors: &File, fd: RawFd) -> Outcome<String> {
    fchdir(descriptors.as_raw_fd())?;
    let text = std::fs::read_to_string(fd.to_string());
    chdir("/")?;
    let text = text?;
    let exporter = text.lines().find_map(|line| line.strip_prefix("exp_name:"));
    Ok(exporter.ok_or("no dma-buf")?.trim().to_owned())
}

/// What the process has open, by name.
fn open_files() -> Outcome<Vec<String>> {
    let entries = std::fs::read_dir("/proc/self/fd")?;
    // One of them is the listing itself, which is gone by the time its name is read.
    let names = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// `vaInitialize` opens the media device once and the video node twice, and closes neither: every open of a program that
/// does nothing else is counted.
pub fn opens_are_counted(display: &VaDisplay) -> Outcome {
    let log = tempfile::NamedTempFile::new()?;
    let mut command = display.command("strace");
    command.args(["-f", "-e", "trace=open,openat", "-o"]).arg(log.path());
    command.args(["vainfo", "--display", "drm", "--device", display.name()]);
    let ended = display.run(command)?;
    if !ended.success {
        return Err(ended.log.into());
    }
    let calls = std::fs::read_to_string(log.path())?;
    let opened = |node: &str| calls.lines().filter(|call| call.contains(&format!("\"{node}"))).count();
    match (opened("/dev/media"), opened("/dev/video")) {
        (1, 2) => Ok(()),
        (media, video) => Err(format!("{media} opens of media devices, {video} of video nodes: {calls}").into()),
    }
}
