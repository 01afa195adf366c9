//! A stream read to its syntax, edited, and written again: slices follow the parameter sets that they refer to.

use fourier_core::h264::slice_header::SliceHeader;
use fourier_core::h264::{NalUnit, NalUnitType, ParameterSets, Pps, Sps};

use super::bits::{BitWriter, rbsp};
use super::{pps, slice_header, sps, with_start_code};
use crate::annexb::nals;

/// A NAL unit that can be edited.
#[derive(Debug)]
pub enum Unit<'a> {
    /// Type 7.
    Sps(&'a mut Sps),
    /// Type 8.
    Pps(&'a mut Pps),
    /// The header of types 1 and 5; its slice data is copied as it is.
    Slice(&'a mut SliceHeader),
}

/// Writes the stream anew, each NAL unit that can be read after `edit` has seen it; others are copied.
///
/// Without an edit every picture stays what it is: bits move, no value changes.
pub fn rewrite(stream: &[u8], mut edit: impl FnMut(Unit<'_>)) -> Vec<u8> {
    let mut sets = Sets::default();
    let units = nals(stream).into_iter().map(|nal| {
        let bytes = trimmed(&stream[nal.header..nal.range.end]);
        let written = NalUnit::parse(bytes).ok().and_then(|nal| sets.rewrite(&nal, &mut edit));
        written.map_or_else(|| stream[nal.range].to_vec(), |nal| with_start_code(&nal))
    });
    units.collect::<Vec<_>>().concat()
}

/// Without `trailing_zero_8bits`.
fn trimmed(nal: &[u8]) -> &[u8] {
    &nal[..nal.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)]
}

/// The parameter sets as they were read and as they are written.
#[derive(Default)]
struct Sets {
    read: ParameterSets,
    written: ParameterSets,
}

impl Sets {
    /// The NAL unit as it is to be; `None` if it is not one that can be edited.
    fn rewrite(&mut self, nal: &NalUnit<'_>, edit: &mut impl FnMut(Unit<'_>)) -> Option<Vec<u8>> {
        match nal.nal_unit_type {
            NalUnitType::Sps => {
                let mut read = Sps::parse(nal).ok()?;
                self.read.receive_sps(nal).ok()?;
                edit(Unit::Sps(&mut read));
                let written = sps::nal(&read);
                self.written.receive_sps(&NalUnit::parse(&written).ok()?).ok()?;
                Some(written)
            }
            NalUnitType::Pps => {
                self.read.receive_pps(nal).ok()?;
                let mut read = Pps::parse(nal, |id| self.read.sps(id).map(AsRef::as_ref)).ok()?;
                edit(Unit::Pps(&mut read));
                let of = self.written.sps(read.seq_parameter_set_id);
                let written = pps::nal(&read, of.map_or(1, |sps| sps.chroma_format_idc));
                self.written.receive_pps(&NalUnit::parse(&written).ok()?).ok()?;
                Some(written)
            }
            NalUnitType::IdrSlice | NalUnitType::NonIdrSlice => self.slice(nal, edit),
            _ => None,
        }
    }

    fn slice(&self, nal: &NalUnit<'_>, edit: &mut impl FnMut(Unit<'_>)) -> Option<Vec<u8>> {
        let (mut header, active) = self.read.parse_slice_header(nal).ok()?;
        let data_begins = header.header_bit_size as usize - 8;
        edit(Unit::Slice(&mut header));
        let target = self.written.activate(header.pic_parameter_set_id).ok()?;
        let mut w = BitWriter::default();
        slice_header::write(&mut w, &mut header, &target.sps, &target.pps);
        let rbsp = rbsp(nal.bytes);
        if active.pps.entropy_coding_mode_flag {
            w.align(true).copy(&rbsp, data_begins.next_multiple_of(8));
        } else {
            copy_slice_data(&mut w, &rbsp, data_begins);
        }
        Some(w.nal(header.nal_ref_idc, nal.bytes[0] & 31))
    }
}

/// CAVLC: what stands between header and stop bit moves, and gets a stop bit of its own.
fn copy_slice_data(w: &mut BitWriter, rbsp: &[u8], from: usize) {
    let last = rbsp.iter().rposition(|&byte| byte != 0).unwrap_or(0);
    let stop = last * 8 + 7 - rbsp.get(last).map_or(0, |byte| byte.trailing_zeros().min(7) as usize);
    for bit in from..stop {
        w.flag(rbsp[bit / 8] >> (7 - bit % 8) & 1 == 1);
    }
    w.trailing_bits();
}
