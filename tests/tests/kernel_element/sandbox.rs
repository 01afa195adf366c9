//! A process that opens its device early, and then shuts itself in: only the video node is there for it later.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use fourier_core::device::discovery::{ENVIRONMENT, open_device};
use fourier_tests::Outcome;
use fourier_tests::core_decoder::decode;
use nix::sys::stat::{Mode, SFlag, mknod};
use nix::unistd::{chdir, chroot};

use crate::clips;
use crate::modes::undisturbed;
use crate::{Case, Ground};

/// Names the folder in which a process is to shut itself in.
pub const CHILD: &str = "FOURIER_TEST_ROOT";

pub const CASES: &[Case] = &[(
    "an_open_device_needs_nothing_of_the_file_system_but_its_video_node",
    sandboxed,
)];

/// A process cannot come back from another root: it is one of its own.
fn sandboxed(ground: &Ground) -> Outcome {
    // Made here, where x264 is.
    clips::sliced()?;
    let root = tempfile::tempdir()?;
    let output = Command::new(std::env::current_exe()?)
        .env(CHILD, root.path())
        .env(ENVIRONMENT, &ground.path)
        .output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}

/// Opens the device at `video`, makes the empty folder `root` with nothing but that node the root, and decodes.
///
/// # Errors
/// It cannot be decoded there.
pub fn decode_in_an_empty_root(root: &Path, video: &Path) -> Outcome {
    let clip = clips::sliced()?;
    let stream = std::fs::read(&clip.path)?;
    let device = open_device(video.to_str())?;
    let number = std::fs::metadata(video)?.rdev();
    let node = root.join(video.strip_prefix("/")?);
    std::fs::create_dir_all(node.parent().ok_or("no folder")?)?;
    mknod(&node, SFlag::S_IFCHR, Mode::S_IRUSR | Mode::S_IWUSR, number)?;
    chroot(root)?;
    chdir("/")?;
    if Path::new("/proc").exists() || Path::new("/dev/media0").exists() {
        return Err("there is more in the root than the video node".into());
    }
    undisturbed(&decode(device, &stream, |_| Ok(()))?, &clip)
}
