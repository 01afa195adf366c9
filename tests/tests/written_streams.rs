//! What the tests' own writer of H.264 syntax writes, in the opinion of libavcodec and of the decoder.

use fourier_core::device::discovery::open_device;
use fourier_tests::core_decoder::decode;
use fourier_tests::encode::{self, libavcodec_md5s};
use fourier_tests::picture::Digester;
use fourier_tests::recipes::RECIPES;
use fourier_tests::syntax::example::{Coding, explicit_weights};
use fourier_tests::syntax::rewrite::rewrite;
use fourier_tests::{Outcome, laws};

/// The md5 of every picture by libavcodec.
fn by_libavcodec(stream: &[u8]) -> Outcome<Vec<String>> {
    let file = tempfile::NamedTempFile::with_suffix(".264")?;
    std::fs::write(file.path(), stream)?;
    libavcodec_md5s(file.path())
}

fn must_be_what_libavcodec_makes_of_it(name: &str, stream: &[u8], frames: usize) -> Outcome {
    let expected = by_libavcodec(stream)?;
    if expected.len() != frames {
        return Err(format!("{name}: libavcodec has {} of {frames} pictures", expected.len()).into());
    }
    let mut md5s = Vec::new();
    let ending = decode(open_device(Some("soft"))?, stream, |frame| {
        let mut digester = Digester::default();
        digester.push_frame(frame)?;
        md5s.push(digester.finish().md5);
        Ok(())
    })?;
    match ending.refusal {
        None if ending.damaged > 0 || ending.dropped > 0 || !ending.warnings.is_empty() => {
            Err(format!("{name}: not right in the decoder's own opinion: {ending:?}").into())
        }
        None if md5s != expected => Err(format!("{name}: {md5s:?}, libavcodec has {expected:?}").into()),
        None => Ok(()),
        Some(refusal) => Err(format!("{name}: refused: {refusal}").into()),
    }
}

#[test]
fn explicit_weights_of_frames_fields_and_mbaff_frames_are_what_libavcodec_makes_of_them() -> Outcome {
    for coding in Coding::ALL {
        for seed in 1..=12 {
            let stream = explicit_weights(coding, seed);
            must_be_what_libavcodec_makes_of_it(&format!("{coding:?}, seed {seed}"), &stream, 4)?;
        }
    }
    Ok(())
}

#[test]
fn a_stream_that_is_written_anew_has_the_same_pictures() -> Outcome {
    let folder = tempfile::tempdir()?;
    for recipe in RECIPES.iter().step_by(3) {
        let file = folder.path().join(recipe.name);
        encode::encode(recipe, &file)?;
        let stream = std::fs::read(&file)?;
        let mut edits = 0;
        let again = rewrite(&stream, |_| edits += 1);
        let expected = libavcodec_md5s(&file)?;
        if edits < recipe.frames || by_libavcodec(&again)? != expected {
            return Err(format!("{}: {edits} NAL units written anew, other pictures", recipe.name).into());
        }
    }
    Ok(())
}

#[test]
fn the_corpus_survives_writing_in_every_coding() -> Outcome {
    for (name, stream) in laws::inputs::streams()? {
        if by_libavcodec(&rewrite(&stream, |_| {}))? != by_libavcodec(&stream)? {
            return Err(format!("{name}: other pictures").into());
        }
    }
    Ok(())
}
