//! What laws are tried on: the corpus, what was found with it, and seeded inputs without end.

use std::path::PathBuf;

use fourier_core::device::DecodeMode;

use super::requests::fields::{Control, Reader, Writer};
use super::requests::record::requests_of;
use super::requests::script::{Request, Script};
use super::{InputKind, Law};
use crate::damage::{Dice, seeded};
use crate::syntax::example::{Coding, Tool, predicted};
use crate::syntax::slice_data::SampleFormat;
use crate::{Outcome, project_root};

/// Pictures of a stream that become requests.
const PICTURES: usize = 8;

/// An input with its name.
pub type Named = (String, Vec<u8>);

/// Small streams of our own, one for each way of coding: those of `tests/corpus` and some that no encoder makes.
///
/// # Errors
/// If there are none.
pub fn streams() -> Outcome<Vec<Named>> {
    let mut streams = files(project_root().join("tests/corpus"))?;
    streams.retain(|(name, _)| name.ends_with(".264"));
    if streams.is_empty() {
        return Err("tests/corpus has no stream".into());
    }
    let weighted = |coding| predicted(Tool::ExplicitWeights, coding, SampleFormat::PLAIN, 1);
    streams.extend(Coding::ALL.map(|coding| (format!("weighted {coding:?}"), weighted(coding))));
    Ok(streams)
}

/// The corpus of a law: the streams as it takes them, and whatever once broke it.
///
/// # Errors
/// If it cannot be read.
pub fn corpus(law: &Law) -> Outcome<Vec<Named>> {
    let mut inputs = match law.input {
        InputKind::ByteStream => streams()?,
        InputKind::Requests => {
            let modes = [(DecodeMode::FrameBased, "frame"), (DecodeMode::SliceBased, "slice")];
            let of = |(name, stream): Named| {
                modes.map(|(mode, word)| (format!("{name}.{word}"), requests_of(&stream, mode, PICTURES).write()))
            };
            streams()?.into_iter().flat_map(of).collect()
        }
    };
    let found = project_root().join("tests/corpus/found").join(law.name);
    if found.is_dir() {
        inputs.extend(files(found)?);
    }
    Ok(inputs)
}

/// Inputs made of `corpus` by the seeds from `first` on.
pub fn mutations(law: &Law, corpus: Vec<Named>, first: u64) -> impl Iterator<Item = Named> + Send + use<> {
    let kind = law.input;
    (first..).map(move |seed| {
        let mut dice = Dice::new(seed);
        let mut some = || &corpus[dice.below(corpus.len())];
        let ((name, input), (_, other)) = (some(), some());
        match kind {
            InputKind::ByteStream => {
                let damaged = seeded(input, other, seed);
                (format!("{name}, {}", damaged.what), damaged.bytes)
            }
            InputKind::Requests => (format!("{name}, seed {seed}"), requests(input, other, &mut dice)),
        }
    })
}

/// Every file of a folder, by name.
fn files(folder: PathBuf) -> Outcome<Vec<Named>> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push((
                entry.file_name().to_string_lossy().into_owned(),
                std::fs::read(entry.path())?,
            ));
        }
    }
    files.sort();
    Ok(files)
}

/// One to four changes of the requests in `script`; `other` may lend some.
fn requests(script: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut script = Script::read(script);
    let other = Script::read(other);
    for _ in 0..=dice.below(4) {
        let count = script.requests.len();
        let at = dice.below(count);
        match dice.below(9) {
            0 => script.width_in_mbs = 1 + dice.below(16) as u8,
            1 => script.height_in_mbs = 1 + dice.below(16) as u8,
            2 if count > 1 => drop(script.requests.remove(at)),
            3 if !other.requests.is_empty() => {
                let lent = other.requests[dice.below(other.requests.len())].clone();
                script.requests.insert(at, lent);
            }
            _ => {
                if let Some(request) = script.requests.get_mut(at) {
                    change(request, &other, dice);
                }
            }
        }
    }
    let mut bytes = script.write();
    // Now and then any byte, whatever it is of.
    if dice.below(8) == 0 {
        let at = dice.below(bytes.len());
        bytes[at] ^= 1 << dice.below(8);
    }
    bytes
}

fn change(request: &mut Request, other: &Script, dice: &mut Dice) {
    match dice.below(6) {
        0 => request.part.first = !request.part.first,
        1 => request.part.last = !request.part.last,
        2 => request.sequence = dice.below(8) as u16,
        3 if !other.requests.is_empty() => {
            let lent = &other.requests[dice.below(other.requests.len())];
            request.bitstream.clone_from(&lent.bitstream);
        }
        4 => {
            for _ in 0..=dice.below(8) {
                let at = dice.below(request.bitstream.len());
                if let Some(byte) = request.bitstream.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
        }
        _ => change_control(request, dice),
    }
}

/// One byte of a control: a flipped bit, an edge or anything.
fn change_control(request: &mut Request, dice: &mut Dice) {
    let control = Control::ALL[dice.below(Control::ALL.len())];
    let mut writer = Writer::default();
    control.fields(&mut request.controls, &mut writer);
    let mut bytes = writer.0;
    let at = dice.below(bytes.len());
    bytes[at] = match dice.below(3) {
        0 => bytes[at] ^ 1 << dice.below(8),
        1 => [0, 1, 0x7f, 0x80, 0xff][dice.below(5)],
        _ => dice.below(256) as u8,
    };
    control.fields(&mut request.controls, &mut Reader(&bytes));
}
