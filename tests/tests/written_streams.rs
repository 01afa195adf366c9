//! What the tests' own writer of H.264 syntax writes, in the opinion of libavcodec and of the decoder.

use fourier_core::decode::stream::OutputFrame;
use fourier_core::device::discovery::open_device;
use fourier_tests::core_decoder::{Ending, decode};
use fourier_tests::encode::{self, filtered_md5s, libavcodec_md5s};
use fourier_tests::picture::{Digester, Plane};
use fourier_tests::recipes::RECIPES;
use fourier_tests::syntax::example::{Coding, Tool, predicted};
use fourier_tests::syntax::rewrite::rewrite;
use fourier_tests::syntax::slice_data::SampleFormat;
use fourier_tests::{Outcome, laws};

/// The md5 of every picture by libavcodec.
fn by_libavcodec(stream: &[u8]) -> Outcome<Vec<String>> {
    by_libavcodec_and(stream, "null")
}

/// The same of what a filter of FFmpeg makes of the pictures.
fn by_libavcodec_and(stream: &[u8], filter: &str) -> Outcome<Vec<String>> {
    let file = tempfile::NamedTempFile::with_suffix(".264")?;
    std::fs::write(file.path(), stream)?;
    filtered_md5s(file.path(), filter)
}

/// What `of_frame` has of each frame, and how it ended.
fn decoded<T>(stream: &[u8], of_frame: impl Fn(&OutputFrame) -> Outcome<T>) -> Outcome<(Vec<T>, Ending)> {
    let mut frames = Vec::new();
    let ending = decode(open_device(Some("soft"))?, stream, |frame| {
        frames.push(of_frame(frame)?);
        Ok(())
    })?;
    Ok((frames, ending))
}

/// What `of_frame` has of each frame, if the decoder itself has no doubts.
fn of_each_frame<T>(name: &str, stream: &[u8], of_frame: impl Fn(&OutputFrame) -> Outcome<T>) -> Outcome<Vec<T>> {
    let (frames, ending) = decoded(stream, of_frame)?;
    let sound = Ending {
        frames: frames.len(),
        ..Ending::default()
    };
    match ending == sound {
        true => Ok(frames),
        false => Err(format!("{name}: not right in the decoder's own opinion: {ending:?}").into()),
    }
}

fn md5(frame: &OutputFrame) -> Outcome<String> {
    let mut digester = Digester::default();
    digester.push_frame(frame)?;
    Ok(digester.finish().md5)
}

fn must_be_what_libavcodec_makes_of_it(name: &str, stream: &[u8], frames: usize) -> Outcome {
    must_be(name, stream, frames, &by_libavcodec(stream)?)
}

fn must_be(name: &str, stream: &[u8], frames: usize, expected: &[String]) -> Outcome {
    if expected.len() != frames {
        return Err(format!("{name}: libavcodec has {} of {frames} pictures", expected.len()).into());
    }
    match of_each_frame(name, stream, md5)? {
        md5s if md5s != expected => Err(format!("{name}: {md5s:?}, libavcodec has {expected:?}").into()),
        _ => Ok(()),
    }
}

/// What libavcodec has an opinion of: it does not show lone fields.
const COMPARED: [Coding; 3] = [Coding::Frames, Coding::Fields, Coding::Mbaff];

/// Every tool in every coding.
fn must_be_right_in(format: SampleFormat, seeds: u64) -> Outcome {
    for (tool, coding) in Tool::ALL
        .into_iter()
        .flat_map(|tool| COMPARED.map(|coding| (tool, coding)))
    {
        for seed in 1..=seeds {
            let name = format!("{tool:?}, {coding:?}, {format:?}, seed {seed}");
            must_be_what_libavcodec_makes_of_it(&name, &predicted(tool, coding, format, seed), 4)?;
        }
    }
    Ok(())
}

#[test]
fn weights_and_temporal_direct_in_frames_fields_and_mbaff_frames_are_what_libavcodec_makes_of_them() -> Outcome {
    must_be_right_in(SampleFormat::PLAIN, 8)
}

#[test]
fn weights_and_temporal_direct_in_4_2_2_and_10_bits_are_what_libavcodec_makes_of_them() -> Outcome {
    for format in [(1, 10), (2, 8), (2, 10)].map(sample_format) {
        must_be_right_in(format, 2)?;
    }
    Ok(())
}

/// libavcodec weights the chroma that monochrome pictures do not have: its place is taken by what it should be.
#[test]
fn monochrome_frames_and_fields_of_8_and_10_bits_have_the_luma_of_libavcodec_and_no_colour() -> Outcome {
    for bit_depth in [8, 10] {
        let grey = 1 << (bit_depth - 1);
        for (tool, coding) in Tool::ALL
            .into_iter()
            .flat_map(|tool| COMPARED.map(|coding| (tool, coding)))
        {
            for seed in 1..=2 {
                let stream = predicted(tool, coding, sample_format((0, bit_depth)), seed);
                let expected = by_libavcodec_and(&stream, &format!("lutyuv=y=val:u={grey}:v={grey}"))?;
                let name = format!("{tool:?}, {coding:?}, {bit_depth} bits, seed {seed}");
                must_be(&name, &stream, 4, &expected)?;
            }
        }
    }
    Ok(())
}

#[test]
fn both_rows_of_a_lone_field_are_those_of_a_frame_that_is_coded_alike() -> Outcome {
    let formats = [(0, 8), (0, 10), (1, 8), (1, 10), (2, 8), (2, 10)].map(sample_format);
    for (tool, format) in Tool::ALL
        .into_iter()
        .flat_map(|tool| formats.map(|format| (tool, format)))
    {
        for seed in 1..=4 {
            let name = format!("{tool:?}, {format:?}, seed {seed}");
            let of = |coding| predicted(tool, coding, format, seed);
            let (fields, frames) = (of(Coding::LoneFields), of(Coding::HalfFrames));
            let expected = of_each_frame(&name, &frames, md5)?;
            for row in [0, 1] {
                // Frames without their other field count as damaged.
                let (rows, ending) = decoded(&fields, |frame| every_other_row_md5(frame, row))?;
                if expected.len() != 4 || rows != expected || ending.dropped > 0 || !ending.warnings.is_empty() {
                    return Err(format!("{name}, rows from {row} on: {rows:?}, alone {expected:?}, {ending:?}").into());
                }
            }
        }
    }
    Ok(())
}

fn sample_format((chroma_format_idc, bit_depth): (u8, u8)) -> SampleFormat {
    SampleFormat {
        chroma_format_idc,
        bit_depth,
    }
}

/// The md5 of one of the fields of a frame.
fn every_other_row_md5(frame: &OutputFrame, first: usize) -> Outcome<String> {
    let memory = frame.frame().memory();
    let samples = memory.read()?;
    let planes = memory.layout.planes.iter().enumerate().map(|(number, layout)| {
        Some(Plane {
            bytes: samples.plane(number)?.get(first * layout.pitch..)?,
            pitch: 2 * layout.pitch,
        })
    });
    let planes: Vec<_> = planes.collect::<Option<_>>().ok_or("a frame without its planes")?;
    let mut visible = frame.format().visible;
    visible.size.height /= 2;
    let mut digester = Digester::default();
    digester.push(memory.layout.fourcc, &planes, visible)?;
    Ok(digester.finish().md5)
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
