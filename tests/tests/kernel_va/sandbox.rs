//! Applications shut themselves in once they have initialised a display: it must not need the file system any more.

use std::path::Path;

use fourier_tests::Outcome;
use nix::unistd::{chdir, chroot};
use vaclient::{Decoder, Habits, va};

use crate::VISL;
use crate::client::{self, Case, Ground};

pub const CASES: &[Case] = &[Case {
    name: "an initialised display decodes where there is no file at all",
    ground: Ground::Visl,
    run: shut_in,
}];

/// `vaInitialize` opens the media device once and the video node twice, for surfaces and the first context; from then on
/// nothing can be opened.
fn shut_in() -> Outcome {
    let stream = std::fs::read(client::clip()?)?;
    let display = client::display()?;
    let open = open_files()?;
    let count = |name: &str| open.iter().filter(|path| path.starts_with(name)).count();
    let (media, video) = (count("/dev/media"), count(VISL));
    if (media, video) != (1, 2) {
        return Err(format!("vaInitialize keeps {media} media devices and {video} video nodes open: {open:?}").into());
    }
    let root = tempfile::tempdir()?;
    chroot(root.path())?;
    chdir("/")?;
    if Path::new("/proc").exists() || Path::new(VISL).exists() {
        return Err("there is something in the empty root".into());
    }
    let prime = va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2;
    let mut shown_at_all = 0;
    Decoder::new(&display, Habits::default()).decode(&stream, &mut |shown| {
        display.export_surface(shown.surface, prime, va::VA_EXPORT_SURFACE_SEPARATE_LAYERS)?;
        vaclient::Picture::get(&display, shown.surface, shown.fourcc, shown.size)?;
        shown_at_all += u32::from(!shown.damaged);
        Ok(())
    })?;
    match shown_at_all {
        client::FRAMES => Ok(()),
        _ => Err(format!("{shown_at_all} whole pictures of {}", client::FRAMES).into()),
    }
}

/// What the process has open, by name.
fn open_files() -> Outcome<Vec<String>> {
    let entries = std::fs::read_dir("/proc/self/fd")?;
    // One of them is the listing itself, which is gone by the time its name is read.
    let names = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}
