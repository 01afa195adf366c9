//! What can be read can be written, and reads the same again: parameter sets and slice headers.

use std::fmt::Debug;

use fourier_core::h264::parameter_sets::ActiveParameterSets;
use fourier_core::h264::{NalUnit, NalUnitType, ParameterSets, Pps, SliceHeader, Sps};

use crate::Outcome;
use crate::syntax::bits::BitWriter;
use crate::syntax::{pps, slice_header, sps};

/// How structures become NAL units: the fault of a writer looks like that of a parser.
struct Writers {
    sps: fn(&Sps) -> Vec<u8>,
    /// With the `chroma_format_idc` of its SPS.
    pps: fn(&Pps, u8) -> Vec<u8>,
    /// With its `nal_unit_type`; gives the header the sizes that it comes to have.
    slice_header: fn(&mut SliceHeader, &ActiveParameterSets, u8) -> Vec<u8>,
}

const WRITERS: Writers = Writers {
    sps: sps::nal,
    pps: pps::nal,
    slice_header: slice_header_nal,
};

fn slice_header_nal(header: &mut SliceHeader, active: &ActiveParameterSets, nal_unit_type: u8) -> Vec<u8> {
    let mut w = BitWriter::default();
    slice_header::write(&mut w, header, &active.sps, &active.pps);
    w.trailing_bits().nal(header.nal_ref_idc, nal_unit_type)
}

/// Reads every NAL unit of `stream`; what could be read is written and read again.
///
/// # Errors
/// Shows a structure and what it became.
pub fn what_was_read_survives_write_and_parse(stream: &[u8]) -> Outcome {
    survives(stream, &WRITERS)
}

fn survives(stream: &[u8], writers: &Writers) -> Outcome {
    let mut sets = ParameterSets::default();
    for nal in fourier_core::h264::annexb::nal_units(stream) {
        let Ok(nal) = NalUnit::parse(nal) else { continue };
        match nal.nal_unit_type {
            NalUnitType::Sps if sets.receive_sps(&nal).is_ok() => {
                let read = Sps::parse(&nal)?;
                same(&read, &Sps::parse(&NalUnit::parse(&(writers.sps)(&read))?)?)?;
            }
            NalUnitType::Pps if sets.receive_pps(&nal).is_ok() => {
                let parse = |nal: &NalUnit<'_>| Pps::parse(nal, |id| sets.sps(id).map(AsRef::as_ref));
                let read = parse(&nal)?;
                let of = sets.sps(read.seq_parameter_set_id);
                let written = (writers.pps)(&read, of.map_or(1, |sps| sps.chroma_format_idc));
                same(&read, &parse(&NalUnit::parse(&written)?)?)?;
            }
            NalUnitType::IdrSlice | NalUnitType::NonIdrSlice | NalUnitType::DataPartitionA => {
                slice_survives(&sets, &nal, writers)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The sizes of a header are those that writing it gives: a coded one may be longer than it need be.
fn slice_survives(sets: &ParameterSets, nal: &NalUnit<'_>, writers: &Writers) -> Outcome {
    let Ok((mut header, active)) = sets.parse_slice_header(nal) else {
        return Ok(());
    };
    let nal_unit_type = nal.bytes.first().map_or(0, |byte| byte & 31);
    let written = (writers.slice_header)(&mut header, &active, nal_unit_type);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::inputs::streams;

    /// One that gets one thing wrong, for each structure.
    const FAULTY: [(&str, Writers); 3] = [
        (
            "Sps",
            Writers {
                sps: |sps| {
                    let mut sps = sps.clone();
                    sps.max_num_ref_frames ^= 1;
                    sps::nal(&sps)
                },
                ..WRITERS
            },
        ),
        (
            "Pps",
            Writers {
                pps: |pps, chroma_format_idc| {
                    let mut pps = pps.clone();
                    pps.constrained_intra_pred_flag = !pps.constrained_intra_pred_flag;
                    pps::nal(&pps, chroma_format_idc)
                },
                ..WRITERS
            },
        ),
        (
            "SliceHeader",
            Writers {
                slice_header: |header, active, nal_unit_type| {
                    let written = slice_header_nal(header, active, nal_unit_type);
                    header.slice_qp_delta += 1;
                    written
                },
                ..WRITERS
            },
        ),
    ];

    #[test]
    fn one_wrong_element_of_any_structure_breaks_the_law() -> Outcome {
        for (name, stream) in streams()? {
            for (structure, faulty) in &FAULTY {
                let broken = survives(&stream, faulty);
                let says = |error: Box<dyn std::error::Error + Send + Sync>| {
                    error.to_string().contains(&format!("read as {structure}"))
                };
                assert!(broken.is_err_and(says), "{name}, {structure}");
            }
        }
        Ok(())
    }
}
