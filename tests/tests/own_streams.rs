//! Streams made here with x264, each coding tool on and off, against libavcodec picture by picture. Needs no vectors.

use fourier_core::device::discovery::open_device;
use fourier_tests::core_decoder::picture_md5s;
use fourier_tests::encode::{self, Recipe};
use fourier_tests::recipes::RECIPES;
use fourier_tests::{Outcome, two_at_a_time};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = two_at_a_time(Arguments::from_args());
    let trials = RECIPES.iter().map(|recipe| {
        let name = format!("{} is what libavcodec makes of it", recipe.name);
        Trial::test(name, || {
            equals_libavcodec(recipe).map_err(|error| Failed::from(error.to_string()))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit()
}

fn equals_libavcodec(recipe: &Recipe) -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("stream.264");
    encode::encode(recipe, &file)?;
    let reference = encode::libavcodec_md5s(&file)?;
    let decoded = picture_md5s(open_device(Some("soft"))?, &std::fs::read(&file)?)?;
    if reference.len() != recipe.frames as usize {
        return Err(format!("libavcodec gives {} of {} pictures", reference.len(), recipe.frames).into());
    }
    if decoded.len() != reference.len() {
        return Err(format!("{} pictures, libavcodec has {}", decoded.len(), reference.len()).into());
    }
    match decoded
        .iter()
        .zip(&reference)
        .position(|(decoded, reference)| decoded != reference)
    {
        Some(picture) => Err(format!("picture {picture} in display order differs").into()),
        None => Ok(()),
    }
}
