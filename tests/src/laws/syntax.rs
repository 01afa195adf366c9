//! What can be read can be written, and reads the same again: parameter sets and slice headers.

use std::fmt::Debug;

use fourier_core::h264::{NalUnit, NalUnitType, ParameterSets, Pps, SliceHeader, Sps};

use crate::Outcome;
use crate::syntax::bits::BitWriter;
use crate::syntax::{pps, slice_header, sps};

/// Reads every NAL unit of `stream`; what could be read is written and read again.
///
/// # Errors
/// Shows a structure and what it became.
pub fn what_was_read_survives_write_and_parse(stream: &[u8]) -> Outcome {
    let mut sets = ParameterSets::default();
    for nal in fourier_core::h264::annexb::nal_units(stream) {
        let Ok(nal) = NalUnit::parse(nal) else { continue };
        match nal.nal_unit_type {
            NalUnitType::Sps if sets.receive_sps(&nal).is_ok() => {
                let read = Sps::parse(&nal)?;
                same(&read, &Sps::parse(&NalUnit::parse(&sps::nal(&read))?)?)?;
            }
            NalUnitType::Pps if sets.receive_pps(&nal).is_ok() => {
                let parse = |nal: &NalUnit<'_>| Pps::parse(nal, |id| sets.sps(id).map(AsRef::as_ref));
                let read = parse(&nal)?;
                let of = sets.sps(read.seq_parameter_set_id);
                let written = pps::nal(&read, of.map_or(1, |sps| sps.chroma_format_idc));
                same(&read, &parse(&NalUnit::parse(&written)?)?)?;
            }
            NalUnitType::IdrSlice | NalUnitType::NonIdrSlice | NalUnitType::DataPartitionA => {
                slice_survives(&sets, &nal)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The sizes of a header are those that writing it gives: a coded one may be longer than it need be.
fn slice_survives(sets: &ParameterSets, nal: &NalUnit<'_>) -> Outcome {
    let Ok((mut header, active)) = sets.parse_slice_header(nal) else {
        return Ok(());
    };
    let mut w = BitWriter::default();
    slice_header::write(&mut w, &mut header, &active.sps, &active.pps);
    let nal_unit_type = nal.bytes.first().map_or(0, |byte| byte & 31);
    let written = w.trailing_bits().nal(header.nal_ref_idc, nal_unit_type);
    same(
        &header,
        &SliceHeader::parse(&NalUnit::parse(&written)?, &active.sps, &active.pps)?,
    )
}

fn same<T: PartialEq + Debug>(read: &T, again: &T) -> Outcome {
    match read == again {
        true => Ok(()),
        false => Err(format!("read as {read:?}, written and read as {again:?}").into()),
    }
}
