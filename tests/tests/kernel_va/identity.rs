//! What visl shows: a picture of it says which job drew it, so that two programs can be asked for the same pictures.
//!
//! Byte for byte they are the same only within one program. FFmpeg, GStreamer and our element enter references into the
//! DPB in orders of their own, and visl writes down entry after entry with their timestamps; nothing else differs.

use std::path::Path;

use fourier_core::units::Size;
use fourier_tests::Outcome;
use fourier_tests::kernel::drawn::{Drawn, Luma};
use fourier_tests::picture::Planar;
use fourier_tests::va::VaDisplay;

use crate::{VISL, Way, pictures_of};

/// The ways out of each program: the first for every picture, the others as well.
const PROGRAMS: &[(Way, &[Way])] = &[
    (Way::GetImage, &[Way::DrmPrime]),
    (Way::System, &[Way::VaMemory, Way::DmaBuf]),
];

/// Every way out of a program gives the same bytes.
pub fn every_way_shows_the_same(display: &VaDisplay, file: &Path, frames: usize) -> Outcome {
    let of_way = |way: Way| -> Outcome<String> {
        let decoded = way.decode(display, file, "yuv420p")?;
        if !decoded.success {
            return Err(format!("{}: {}", way.name(), decoded.log).into());
        }
        let covered = decoded.counters.must_cover(frames);
        covered.map_err(|error| format!("{}: {error}\n{}", way.name(), decoded.log))?;
        Ok(decoded.md5)
    };
    for (first, others) in PROGRAMS {
        let expected = of_way(*first)?;
        for way in *others {
            if of_way(*way)? != expected {
                return Err(format!("{} shows something else than {}", way.name(), first.name()).into());
            }
        }
    }
    Ok(())
}

/// Whether a picture has room for what is read in it.
pub fn is_legible(size: Size) -> bool {
    Luma::is_legible(size.width as usize, size.height as usize)
}

/// Each program shows the pictures that `fourierh264dec` shows, in that order: as many as there are, no two by one job,
/// of jobs that were told the same.
pub fn programs_show_the_same(display: &VaDisplay, file: &Path, size: Size, frames: usize, ways: &[Way]) -> Outcome {
    let element = format!("fourierh264dec device={VISL}");
    let expected = pictures(display, pictures_of(display, file, &element), size)?;
    let mut jobs: Vec<u64> = expected.iter().map(|drawn| drawn.sequence).collect();
    jobs.sort_unstable();
    jobs.dedup();
    if jobs.len() != frames {
        return Err(format!("{} pictures of {} jobs, not {frames}", expected.len(), jobs.len()).into());
    }
    for way in ways {
        let shown = pictures(display, way.command(display, file, "yuv420p"), size)?;
        let differs = expected.iter().zip(&shown).position(|(ours, theirs)| ours != theirs);
        let differs = differs.or((expected.len() != shown.len()).then_some(shown.len().min(expected.len())));
        if let Some(number) = differs {
            let (ours, theirs) = (expected.get(number), shown.get(number));
            let name = way.name();
            return Err(format!("picture {number} is {ours:?} by fourierh264dec, {theirs:?} by {name}").into());
        }
    }
    Ok(())
}

/// What is written in the pictures that a command writes.
fn pictures(display: &VaDisplay, command: std::process::Command, size: Size) -> Outcome<Vec<Drawn>> {
    let length = Planar::of_ffmpeg("yuv420p").packed_length(size);
    let (width, of_luma) = (size.width as usize, (size.width * size.height) as usize);
    let (mut drawn, mut rest): (Vec<Option<Drawn>>, _) = (Vec::new(), Vec::with_capacity(length));
    let decoded = display.run_and_see(command, &mut |bytes| {
        rest.extend_from_slice(bytes);
        let whole = rest.chunks_exact(length);
        drawn.extend(whole.map(|picture| {
            let samples = picture.get(..of_luma)?;
            Drawn::read(Luma { samples, width })
        }));
        rest.drain(..rest.len() / length * length);
    })?;
    if !decoded.success || !rest.is_empty() {
        return Err(format!("{} bytes too many: {}", rest.len(), decoded.log).into());
    }
    let count = drawn.len();
    let all: Option<Vec<Drawn>> = drawn.into_iter().collect();
    Ok(all.ok_or_else(|| format!("visl drew not all of {count} pictures: {}", decoded.log))?)
}
