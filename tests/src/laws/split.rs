//! Any split of a byte stream gives the same NAL units, and they are those of annex B.

use fourier_core::h264::annexb::{Splitter, nal_units};

use crate::Outcome;
use crate::damage::Dice;

/// Cuts `stream` into pieces of one byte, of few and of many, and wants the NAL units of the uncut stream each time.
///
/// # Errors
/// Says which pieces gave other NAL units.
pub fn any_split_gives_the_same_nal_units(stream: &[u8]) -> Outcome {
    holds_for(stream, whole, split)
}

fn holds_for(
    stream: &[u8],
    whole: impl Fn(&[u8]) -> Vec<Vec<u8>>,
    split: impl Fn(&[&[u8]]) -> Outcome<Vec<Vec<u8>>>,
) -> Outcome {
    let expected = whole(stream);
    if expected != by_definition(stream) {
        return Err(format!("{expected:?} are not the NAL units of {stream:?}").into());
    }
    let mut dice = Dice::new(stream.len() as u64);
    for longest in [1, 2, 5, 64, 4096] {
        let mut pieces = Vec::new();
        let mut rest = stream;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(1 + dice.below(longest.min(rest.len())));
            pieces.push(piece);
            rest = after;
        }
        if split(&pieces)? != expected {
            let lengths: Vec<_> = pieces.iter().map(|piece| piece.len()).collect();
            return Err(format!("pieces of {lengths:?} bytes give other NAL units").into());
        }
    }
    Ok(())
}

fn whole(stream: &[u8]) -> Vec<Vec<u8>> {
    nal_units(stream).map(<[u8]>::to_vec).collect()
}

fn split(pieces: &[&[u8]]) -> Outcome<Vec<Vec<u8>>> {
    let mut splitter = Splitter::default();
    let (mut nals, mut error) = (Vec::new(), None);
    let mut sink = |nal: Result<&[u8], _>| match nal {
        Ok(nal) => nals.push(nal.to_vec()),
        Err(refusal) => error = Some(refusal),
    };
    for piece in pieces {
        splitter.push(piece, &mut sink);
    }
    splitter.finish(&mut sink);
    match error {
        Some(error) => Err(error.into()),
        None => Ok(nals),
    }
}

/// Byte by byte as B.1.2 has it: from a start code to the next 0x000000 or 0x000001.
fn by_definition(stream: &[u8]) -> Vec<Vec<u8>> {
    let starts_with = |at: usize, code: &[u8]| stream[at..].starts_with(code);
    let mut nals = Vec::new();
    let mut at = 0;
    while at < stream.len() {
        if !starts_with(at, &[0, 0, 1]) {
            at += 1;
            continue;
        }
        let begin = at + 3;
        // Zeros in front of a start code, or at the end of the stream, are none of the NAL unit's.
        let end = (begin..stream.len())
            .find(|&end| starts_with(end, &[0, 0, 1]))
            .unwrap_or(stream.len());
        let nal = &stream[begin..end];
        let used = nal.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        if used > 0 {
            nals.push(nal[..used].to_vec());
        }
        at = end;
    }
    nals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::inputs::streams;

    #[test]
    fn a_splitter_that_forgets_what_stood_at_the_end_of_a_piece_breaks_the_law() -> Outcome {
        let forgetful = |pieces: &[&[u8]]| Ok(pieces.iter().flat_map(|piece| whole(piece)).collect());
        for (name, stream) in streams()? {
            let broken = holds_for(&stream, whole, forgetful);
            assert!(
                broken.is_err_and(|error| error.to_string().contains("pieces of")),
                "{name}"
            );
        }
        Ok(())
    }

    #[test]
    fn nal_units_that_keep_the_zeros_behind_them_break_the_law() -> Outcome {
        let with_zeros = |stream: &[u8]| {
            let mut nals = whole(stream);
            nals.iter_mut().for_each(|nal| nal.push(0));
            nals
        };
        for (name, stream) in streams()? {
            let broken = holds_for(&stream, with_zeros, split);
            assert!(
                broken.is_err_and(|error| error.to_string().contains("are not the NAL units")),
                "{name}"
            );
        }
        Ok(())
    }
}
