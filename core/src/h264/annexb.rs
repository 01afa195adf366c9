//! Byte streams of annex B: NAL units between start codes, from one buffer or from pieces cut anywhere.
#![deny(clippy::indexing_slicing)]

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::bit_reader::Structure;
use crate::BitstreamError;

/// The largest NAL unit that a [`Splitter`] keeps: more than the largest picture of level 6.2 has with every
/// macroblock at its limit of 3,200 bits (A.3.1 n).
pub const MAX_NAL_UNIT_BYTES: usize = 64 << 20;

const BYTE_STREAM_NAL_UNIT: Structure = Structure {
    name: "byte_stream_nal_unit",
    clause: "B.1",
};
const START_CODE_PREFIX: [u8; 3] = [0, 0, 1];
static START_CODE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&START_CODE_PREFIX));

/// The NAL units of a whole buffer, in place. What precedes the first start code is none; empty ones are passed over.
pub fn nal_units(bytes: &[u8]) -> NalUnits<'_> {
    let rest = split_at_start_code(bytes).map(|(_, after)| after);
    NalUnits { rest }
}

/// What [`nal_units`] returns.
#[derive(Clone, Debug)]
pub struct NalUnits<'a> {
    /// What follows the last start code that was found.
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let rest = self.rest?;
            let (nal, after) = match split_at_start_code(rest) {
                Some((nal, after)) => (nal, Some(after)),
                None => (rest, None),
            };
            self.rest = after;
            let nal = trim_zeros(nal);
            if !nal.is_empty() {
                return Some(nal);
            }
        }
    }
}

/// Takes a byte stream in pieces and gives its NAL units: the same ones wherever it is cut.
///
/// A NAL unit that lies in one piece with the start code after it is given in place; others are put together in a
/// buffer that never exceeds [`MAX_NAL_UNIT_BYTES`].
#[derive(Clone, Debug, Default)]
pub struct Splitter {
    state: State,
    /// The NAL unit so far, without the zeros at its end.
    pending: Vec<u8>,
    /// Zeros since then: part of the NAL unit, of a start code or of nothing, as the next bytes decide.
    zeros: usize,
}

/// Where in the stream a [`Splitter`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first start code.
    #[default]
    AwaitingStartCode,
    /// After a start code.
    InNalUnit,
    /// In a NAL unit that is too large: it is reported already.
    Discarding,
}

impl Splitter {
    /// Passes what the stream has up to the end of `piece` to `sink`, except a NAL unit that is not over yet.
    ///
    /// `sink` takes an error in place of a NAL unit that exceeds [`MAX_NAL_UNIT_BYTES`]; the others are not affected.
    pub fn push(&mut self, piece: &[u8], mut sink: impl FnMut(Result<&[u8], BitstreamError>)) {
        let mut rest = piece;
        if let Some(after) = self.start_code_across(piece) {
            self.end_nal_unit(&[], &mut sink);
            rest = after;
        }
        while let Some((before, after)) = split_at_start_code(rest) {
            self.end_nal_unit(before, &mut sink);
            rest = after;
        }
        self.keep(rest, &mut sink);
    }

    /// Passes on the last NAL unit: at the end of the stream, or of an access unit where the container says so.
    ///
    /// What is pushed next starts a new byte stream.
    pub fn finish(&mut self, mut sink: impl FnMut(Result<&[u8], BitstreamError>)) {
        self.end_nal_unit(&[], &mut sink);
        self.reset();
    }

    /// Forgets what is kept: after a seek.
    pub fn reset(&mut self) {
        self.pending.clear();
        self.zeros = 0;
        self.state = State::AwaitingStartCode;
    }

    /// What follows a start code that began before `piece`.
    fn start_code_across<'a>(&self, piece: &'a [u8]) -> Option<&'a [u8]> {
        match self.zeros {
            0 => None,
            1 => piece.strip_prefix(&[0, 1]),
            _ => piece.strip_prefix(&[1]).or_else(|| piece.strip_prefix(&[0, 1])),
        }
    }

    /// A start code follows `tail`, the last bytes of the current NAL unit.
    fn end_nal_unit(&mut self, tail: &[u8], sink: &mut impl FnMut(Result<&[u8], BitstreamError>)) {
        let tail = trim_zeros(tail);
        if self.state == State::InNalUnit && self.pending.is_empty() && self.zeros == 0 {
            match tail.len() {
                0 => {}
                1..=MAX_NAL_UNIT_BYTES => sink(Ok(tail)),
                _ => sink(Err(too_large())),
            }
        } else {
            self.keep(tail, sink);
            if self.state == State::InNalUnit && !self.pending.is_empty() {
                sink(Ok(&self.pending));
            }
        }
        self.pending.clear();
        self.zeros = 0;
        self.state = State::InNalUnit;
    }

    /// Adds `bytes` to the current NAL unit.
    fn keep(&mut self, bytes: &[u8], sink: &mut impl FnMut(Result<&[u8], BitstreamError>)) {
        let used = trim_zeros(bytes);
        let zeros_after = bytes.len() - used.len();
        if used.is_empty() {
            self.zeros = self.zeros.saturating_add(zeros_after);
            return;
        }
        if self.state == State::InNalUnit {
            let length = self.pending.len().saturating_add(self.zeros).saturating_add(used.len());
            if length > MAX_NAL_UNIT_BYTES {
                self.state = State::Discarding;
                self.pending = Vec::new();
                sink(Err(too_large()));
            } else {
                self.pending.resize(self.pending.len() + self.zeros, 0);
                self.pending.extend_from_slice(used);
            }
        }
        self.zeros = zeros_after;
    }
}

fn too_large() -> BitstreamError {
    BYTE_STREAM_NAL_UNIT.error("nal_unit", format!("larger than {MAX_NAL_UNIT_BYTES} bytes"))
}

fn split_at_start_code(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, code_and_after) = bytes.split_at_checked(START_CODE.find(bytes)?)?;
    Some((before, code_and_after.strip_prefix(&START_CODE_PREFIX)?))
}

/// Without `trailing_zero_8bits`, and without the `zero_byte` of the next start code.
fn trim_zeros(bytes: &[u8]) -> &[u8] {
    let used = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    bytes.get(..used).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::h264::testing::Random;

    fn split(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut nals = Vec::new();
        let mut splitter = Splitter::default();
        for piece in pieces {
            splitter.push(piece, |nal| nals.push(nal.unwrap().to_vec()));
        }
        splitter.finish(|nal| nals.push(nal.unwrap().to_vec()));
        nals
    }

    #[test]
    fn nal_units_lie_between_start_codes_of_three_or_four_bytes() {
        let stream = [
            9, 9, 0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 0, 0, 3, 0, 0, 0, 0, 1, 0x65, 5, 0, 0,
        ];
        let expected: [&[u8]; 3] = [&[0x67, 1], &[0x68, 0, 0, 3], &[0x65, 5]];
        assert_eq!(nal_units(&stream).collect::<Vec<_>>(), expected);
        assert_eq!(split(&[&stream]), expected);
    }

    #[test]
    fn a_stream_without_start_codes_has_no_nal_units() {
        for stream in [
            &[][..],
            &[0, 0],
            &[1, 2, 3, 0, 0],
            &[0, 0, 1],
            &[0, 0, 1, 0, 0, 1, 0, 0, 0, 0],
        ] {
            assert_eq!(nal_units(stream).count(), 0, "{stream:?}");
            assert!(split(&[stream]).is_empty(), "{stream:?}");
        }
    }

    /// Bytes among which start codes, runs of zeros and near misses are frequent.
    fn random_stream(random: &mut Random) -> Vec<u8> {
        (0..random.below(60))
            .map(|_| [0, 0, 0, 1, 1, 2, 3, 0x65][random.below(8) as usize])
            .collect()
    }

    #[test]
    fn any_chunking_gives_the_same_nal_units() {
        let mut random = Random::new(1);
        for _ in 0..20_000 {
            let stream = random_stream(&mut random);
            let expected: Vec<_> = nal_units(&stream).map(<[u8]>::to_vec).collect();
            let mut pieces = Vec::new();
            let mut rest = &stream[..];
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(random.below(rest.len().min(5) as u32 + 1) as usize);
                pieces.push(piece);
                rest = after;
            }
            assert_eq!(split(&pieces), expected, "{pieces:?}");
        }
    }

    #[test]
    fn every_cut_into_two_pieces_gives_the_same_nal_units() {
        let stream = [
            0, 0, 0, 1, 0x67, 0, 1, 0, 0, 0, 1, 0x68, 0, 0, 0, 0, 0, 1, 0x65, 0, 0, 2, 0, 0, 1, 0x41,
        ];
        let expected: Vec<_> = nal_units(&stream).collect();
        for cut in 0..=stream.len() {
            let (first, second) = stream.split_at(cut);
            assert_eq!(split(&[first, second]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn whole_nal_units_are_given_in_place() {
        let stream = [0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 2, 0, 0, 1];
        let mut inside = 0;
        Splitter::default().push(&stream, |nal| {
            inside += usize::from(stream.as_ptr_range().contains(&nal.unwrap().as_ptr()))
        });
        assert_eq!(inside, 2);
    }

    #[test]
    fn a_nal_unit_without_end_is_reported_once_and_its_memory_freed() {
        let mut splitter = Splitter::default();
        let (mut errors, mut nals) = (0, Vec::new());
        let mut sink = |nal: Result<&[u8], BitstreamError>| match nal {
            Ok(nal) => nals.push(nal.to_vec()),
            Err(_) => errors += 1,
        };
        splitter.push(&[0, 0, 1, 0x65], &mut sink);
        let piece = vec![0x55; 1 << 20];
        for _ in 0..70 {
            splitter.push(&piece, &mut sink);
        }
        assert_eq!(splitter.pending.capacity(), 0);
        splitter.push(&[0, 0, 1, 0x41, 7], &mut sink);
        splitter.finish(&mut sink);
        assert_eq!((errors, nals), (1, vec![vec![0x41, 7]]));
    }

    #[test]
    fn zeros_without_end_take_no_memory() {
        let mut splitter = Splitter::default();
        let mut nals = Vec::new();
        splitter.push(&[0, 0, 1, 0x65], |_| {});
        let zeros = vec![0; 1 << 20];
        for _ in 0..100 {
            splitter.push(&zeros, |_| {});
        }
        assert!(splitter.pending.capacity() < 64);
        splitter.push(&[1, 0x41], |nal| nals.push(nal.unwrap().to_vec()));
        assert_eq!(nals, [[0x65]]);
    }

    #[test]
    fn after_a_reset_the_stream_starts_anew() {
        let mut splitter = Splitter::default();
        splitter.push(&[0, 0, 1, 0x65, 1, 0, 0], |_| {});
        splitter.reset();
        let mut nals = Vec::new();
        splitter.push(&[1, 7, 0, 0, 1, 0x67], |nal| nals.push(nal.unwrap().to_vec()));
        splitter.finish(|nal| nals.push(nal.unwrap().to_vec()));
        assert_eq!(nals, [[0x67]]);
    }
}
