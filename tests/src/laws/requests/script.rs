//! Requests as bytes. All bytes are a script: what is missing is zero.
//!
//! ```text
//! script  = width_in_mbs u8, height_in_mbs u8 (of the CAPTURE buffers), request*
//! request = flags u8 (FLAG_*), mask u8 (bit n: Control::ALL[n]), sequence u16, those controls,
//!           size u16, slice data
//! ```

use fourier_soft::{Controls, DecodeMode, PicturePart, StartCode};

use super::fields::{Control, Number, Reader, Writer};

/// Largest CAPTURE buffers, in macroblocks: pictures need not be large to be wrong.
const MAX_SIDE_IN_MBS: u8 = 16;
/// What bytes can hold; more only takes longer.
const MAX_REQUESTS: usize = 64;

const FLAG_SLICE_BASED: u8 = 1;
const FLAG_NO_START_CODE: u8 = 2;
const FLAG_FIRST: u8 = 4;
const FLAG_LAST: u8 = 8;

/// What one request brings.
#[derive(Clone, Debug)]
pub struct Request {
    /// The values of all controls when it is queued.
    pub controls: Controls,
    /// What of a picture it holds.
    pub part: PicturePart,
    /// Names the picture: the timestamp of its OUTPUT buffer is this plus one, in microseconds.
    pub sequence: u16,
    /// The OUTPUT buffer.
    pub bitstream: Vec<u8>,
}

impl Request {
    /// What `reference_ts` names its picture by.
    pub fn timestamp(&self) -> u64 {
        timestamp(self.sequence)
    }
}

/// The timestamp of a picture in nanoseconds.
pub fn timestamp(sequence: u16) -> u64 {
    (u64::from(sequence) + 1) * 1000
}

/// Successive requests to one decoder.
#[derive(Clone, Debug)]
pub struct Script {
    /// Width of the CAPTURE buffers, 1 to 16.
    pub width_in_mbs: u8,
    /// Height of the CAPTURE buffers, 1 to 16.
    pub height_in_mbs: u8,
    /// In the order of queueing.
    pub requests: Vec<Request>,
}

impl Script {
    /// The script that `bytes` are.
    pub fn read(mut bytes: &[u8]) -> Self {
        let bytes = &mut bytes;
        let mut side = || u8::take(bytes) % MAX_SIDE_IN_MBS + 1;
        let (width_in_mbs, height_in_mbs) = (side(), side());
        let mut requests = Vec::new();
        let mut controls = Controls::default();
        while !bytes.is_empty() && requests.len() < MAX_REQUESTS {
            let request = read_request(bytes, controls, requests.is_empty());
            controls = request.controls.clone();
            requests.push(request);
        }
        Self {
            width_in_mbs,
            height_in_mbs,
            requests,
        }
    }

    /// `BitDepth` of the first request, which is what a CAPTURE format is chosen by.
    pub fn bit_depth(&self) -> u8 {
        let sps = self.requests.first().map(|request| request.controls.sps);
        8_u8.saturating_add(sps.map_or(0, |sps| sps.bit_depth_luma_minus8))
    }

    /// `MbHeightC` of the first request.
    pub fn mb_height_c(&self) -> usize {
        let chroma_format_idc = self
            .requests
            .first()
            .map(|request| request.controls.sps.chroma_format_idc);
        if chroma_format_idc == Some(2) { 16 } else { 8 }
    }

    /// Its bytes; of controls only those that differ from the request before.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = vec![self.width_in_mbs - 1, self.height_in_mbs - 1];
        let mut values = [const { Vec::new() }; Control::ALL.len()];
        for request in &self.requests {
            write_request(&mut bytes, request, &mut values);
        }
        bytes
    }
}

/// The first request begins a picture, whatever it says: there is none that it could go on with.
fn read_request(bytes: &mut &[u8], mut controls: Controls, is_first: bool) -> Request {
    let flags = u8::take(bytes);
    let mask = u8::take(bytes);
    let sequence = u16::take(bytes);
    controls.decode_mode = match flags & FLAG_SLICE_BASED {
        0 => DecodeMode::FrameBased,
        _ => DecodeMode::SliceBased,
    };
    controls.start_code = match flags & FLAG_NO_START_CODE {
        0 => StartCode::AnnexB,
        _ => StartCode::None,
    };
    let mut reader = Reader(bytes);
    for (bit, control) in Control::ALL.into_iter().enumerate() {
        if mask >> bit & 1 == 1 {
            control.fields(&mut controls, &mut reader);
        }
    }
    *bytes = reader.0;
    let size = usize::from(u16::take(bytes)).min(bytes.len());
    let (bitstream, rest) = bytes.split_at(size);
    *bytes = rest;
    Request {
        controls,
        part: PicturePart {
            first: is_first || flags & FLAG_FIRST != 0,
            last: flags & FLAG_LAST != 0,
        },
        sequence,
        bitstream: bitstream.to_vec(),
    }
}

fn write_request(bytes: &mut Vec<u8>, request: &Request, values: &mut [Vec<u8>; Control::ALL.len()]) {
    let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
    let mut controls = request.controls.clone();
    bytes.push(
        flag(FLAG_SLICE_BASED, controls.decode_mode == DecodeMode::SliceBased)
            | flag(FLAG_NO_START_CODE, controls.start_code == StartCode::None)
            | flag(FLAG_FIRST, request.part.first)
            | flag(FLAG_LAST, request.part.last),
    );
    let (mut mask, mut sent) = (0, Vec::<u8>::new());
    for (bit, (control, value)) in Control::ALL.into_iter().zip(values).enumerate() {
        let mut writer = Writer::default();
        control.fields(&mut controls, &mut writer);
        if writer.0 != *value {
            mask |= 1 << bit;
            sent.extend(&writer.0);
            *value = writer.0;
        }
    }
    bytes.push(mask);
    request.sequence.put(bytes);
    bytes.extend(sent);
    let size = u16::try_from(request.bitstream.len()).unwrap_or(u16::MAX);
    size.put(bytes);
    bytes.extend(&request.bitstream[..usize::from(size)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::Dice;

    #[test]
    fn a_script_reads_as_it_was_written_and_all_bytes_are_one() {
        let mut dice = Dice::new(1);
        let bytes: Vec<u8> = (0..400_000).map(|_| dice.below(256) as u8).collect();
        let script = Script::read(&bytes);
        assert!(script.requests.len() > 3);
        let again = Script::read(&script.write());
        assert_eq!(format!("{script:?}"), format!("{again:?}"));
    }

    #[test]
    fn controls_that_are_not_sent_keep_their_values() {
        let mut sent = vec![1, 1, FLAG_LAST, 2, 7, 0];
        // The PPS, slice data of one byte, a second request without controls.
        sent.extend([9; 12]);
        sent.extend([1, 0, 0xaa, 0, 0, 8, 0, 0, 0]);
        let script = Script::read(&sent);
        let ids: Vec<_> = script
            .requests
            .iter()
            .map(|request| request.controls.pps.pic_parameter_set_id)
            .collect();
        assert_eq!(ids, [9, 9]);
        assert_eq!(script.requests[0].timestamp(), 8000);
        assert_eq!(script.requests[0].bitstream, [0xaa]);
    }
}
