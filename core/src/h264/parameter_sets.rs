//! The parameter sets of a stream by their ids, and which of them a slice activates (7.4.1.2.1).
#![deny(clippy::indexing_slicing)]

use std::sync::Arc;

use super::bit_reader::Structure;
use super::nal::NalUnit;
use super::pps::{Pps, PpsId};
use super::slice_header::SliceHeader;
use super::sps::{Sps, SpsId};
use crate::BitstreamError;

const ACTIVATION: Structure = Structure {
    name: "slice_header",
    clause: "7.4.1.2.1",
};

/// What receiving a parameter set did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// It is new or has other content than the one that it replaces.
    Changed,
    /// It is the one that is known already.
    Repeated,
}

/// The parameter sets that a slice refers to.
#[derive(Clone, Debug)]
pub struct ActiveParameterSets {
    /// The SPS; the same `Arc` for as long as its content is the same.
    pub sps: Arc<Sps>,
    /// The PPS; the same `Arc` for as long as its content is the same.
    pub pps: Arc<Pps>,
}

/// As much of a PPS NAL unit as any PPS needs: the longest is a slice group map of the largest picture.
const MAX_PPS_BYTES: usize = 256 << 10;

/// A PPS with the NAL unit that it was read from: with another SPS it may read otherwise.
#[derive(Clone, Debug)]
struct StoredPps {
    pps: Arc<Pps>,
    nal: Box<[u8]>,
}

/// Every SPS and PPS received so far. A new one replaces that of its id; an identical one changes nothing.
#[derive(Clone, Debug, Default)]
pub struct ParameterSets {
    /// By `seq_parameter_set_id`, as far as there are any.
    sps: Vec<Option<Arc<Sps>>>,
    /// By `pic_parameter_set_id`, as far as there are any.
    pps: Vec<Option<StoredPps>>,
}

impl ParameterSets {
    /// Takes an SPS NAL unit (type 7).
    ///
    /// # Errors
    /// If it cannot be parsed; what was there stays.
    pub fn receive_sps(&mut self, nal: &NalUnit<'_>) -> Result<Reception, BitstreamError> {
        let sps = Sps::parse(nal)?;
        let id = sps.seq_parameter_set_id;
        if self.sps(id).is_some_and(|known| **known == sps) {
            return Ok(Reception::Repeated);
        }
        store(&mut self.sps, usize::from(id.get()), Arc::new(sps));
        self.read_pps_of_sps_again(id);
        Ok(Reception::Changed)
    }

    /// Takes a PPS NAL unit (type 8). Its SPS may come later.
    ///
    /// # Errors
    /// If it cannot be parsed; what was there stays.
    pub fn receive_pps(&mut self, nal: &NalUnit<'_>) -> Result<Reception, BitstreamError> {
        let pps = Pps::parse(nal, |id| self.sps(id).map(Arc::as_ref))?;
        let index = usize::from(pps.pic_parameter_set_id.get());
        if self.pps(pps.pic_parameter_set_id).is_some_and(|known| **known == pps) {
            return Ok(Reception::Repeated);
        }
        store(
            &mut self.pps,
            index,
            StoredPps {
                pps: Arc::new(pps),
                nal: nal.bytes.get(..MAX_PPS_BYTES).unwrap_or(nal.bytes).into(),
            },
        );
        Ok(Reception::Changed)
    }

    /// The SPS of that id.
    pub fn sps(&self, id: SpsId) -> Option<&Arc<Sps>> {
        self.sps.get(usize::from(id.get()))?.as_ref()
    }

    /// The PPS of that id.
    pub fn pps(&self, id: PpsId) -> Option<&Arc<Pps>> {
        self.pps.get(usize::from(id.get()))?.as_ref().map(|stored| &stored.pps)
    }

    /// The parameter sets that a slice with this `pic_parameter_set_id` activates.
    ///
    /// # Errors
    /// If one of them has not come.
    pub fn activate(&self, id: PpsId) -> Result<ActiveParameterSets, BitstreamError> {
        let Some(pps) = self.pps(id) else {
            return Err(ACTIVATION.error("pic_parameter_set_id", format!("there is no PPS {}", id.get())));
        };
        let sps_id = pps.seq_parameter_set_id;
        let Some(sps) = self.sps(sps_id) else {
            let reason = format!("there is no SPS {}, to which PPS {} refers", sps_id.get(), id.get());
            return Err(ACTIVATION.error("seq_parameter_set_id", reason));
        };
        Ok(ActiveParameterSets {
            sps: Arc::clone(sps),
            pps: Arc::clone(pps),
        })
    }

    /// Reads the header of a slice (NAL types 1, 2 and 5) with the parameter sets that it activates.
    ///
    /// # Errors
    /// If one of them has not come, or the header is cut off or out of range.
    pub fn parse_slice_header(&self, nal: &NalUnit<'_>) -> Result<(SliceHeader, ActiveParameterSets), BitstreamError> {
        let active = self.activate(SliceHeader::parse_pic_parameter_set_id(nal)?)?;
        let header = SliceHeader::parse(nal, &active.sps, &active.pps)?;
        Ok((header, active))
    }

    /// What the end of a PPS means depends on the SPS, which came last.
    fn read_pps_of_sps_again(&mut self, id: SpsId) {
        let sps = self.sps(id).cloned();
        for stored in self
            .pps
            .iter_mut()
            .flatten()
            .filter(|stored| stored.pps.seq_parameter_set_id == id)
        {
            let again = NalUnit::parse(&stored.nal).and_then(|nal| Pps::parse(&nal, |_| sps.as_deref()));
            match again {
                Ok(pps) if pps != *stored.pps => stored.pps = Arc::new(pps),
                Ok(_) => {}
                Err(error) => tracing::warn!("a PPS does not fit the SPS that came after it: {error}"),
            }
        }
    }
}

fn store<T>(slots: &mut Vec<Option<T>>, index: usize, value: T) {
    if slots.len() <= index {
        slots.resize_with(index + 1, || None);
    }
    if let Some(slot) = slots.get_mut(index) {
        *slot = Some(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::h264::pps::tests::{example_pps, write_pps};
    use crate::h264::pps::{PicScalingMatrix, ScalingList};
    use crate::h264::sps::tests::example_sps;
    use crate::h264::write::sps::nal as write_sps;

    fn receive_sps(sets: &mut ParameterSets, sps: &Sps) -> Reception {
        sets.receive_sps(&NalUnit::parse(&write_sps(sps)).unwrap()).unwrap()
    }

    fn receive_pps(sets: &mut ParameterSets, pps: &Pps) -> Reception {
        sets.receive_pps(&NalUnit::parse(&write_pps(pps)).unwrap()).unwrap()
    }

    #[test]
    fn a_pps_may_come_before_its_sps() {
        let mut sets = ParameterSets::default();
        receive_pps(&mut sets, &example_pps());
        let error = sets.activate(PpsId(0)).unwrap_err();
        assert!(error.reason.contains("no SPS 0, to which PPS 0 refers"), "{error}");
        receive_sps(&mut sets, &example_sps());
        assert_eq!(*sets.activate(PpsId(0)).unwrap().sps, example_sps());
    }

    #[test]
    fn a_slice_of_an_unknown_pps_names_it() {
        let error = ParameterSets::default().activate(PpsId(7)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "slice_header: pic_parameter_set_id: there is no PPS 7 (H.264 7.4.1.2.1)"
        );
    }

    #[test]
    fn a_repeated_parameter_set_is_no_change() {
        let mut sets = ParameterSets::default();
        assert_eq!(receive_sps(&mut sets, &example_sps()), Reception::Changed);
        assert_eq!(receive_pps(&mut sets, &example_pps()), Reception::Changed);
        let before = sets.activate(PpsId(0)).unwrap();
        assert_eq!(receive_sps(&mut sets, &example_sps()), Reception::Repeated);
        assert_eq!(receive_pps(&mut sets, &example_pps()), Reception::Repeated);
        let after = sets.activate(PpsId(0)).unwrap();
        assert!(Arc::ptr_eq(&before.sps, &after.sps) && Arc::ptr_eq(&before.pps, &after.pps));
    }

    #[test]
    fn a_new_sps_keeps_the_pps_that_refers_to_it_and_those_who_use_the_old_one() {
        let mut sets = ParameterSets::default();
        receive_sps(&mut sets, &example_sps());
        receive_pps(&mut sets, &example_pps());
        let before = sets.activate(PpsId(0)).unwrap();
        let smaller = Sps {
            pic_width_in_mbs_minus1: 9,
            ..example_sps()
        };
        assert_eq!(receive_sps(&mut sets, &smaller), Reception::Changed);
        let after = sets.activate(PpsId(0)).unwrap();
        assert_eq!((&*before.sps, &*after.sps), (&example_sps(), &smaller));
        assert!(Arc::ptr_eq(&before.pps, &after.pps));
    }

    #[test]
    fn a_damaged_parameter_set_leaves_the_old_one() {
        let mut sets = ParameterSets::default();
        receive_sps(&mut sets, &example_sps());
        let nal = write_sps(&Sps {
            max_num_ref_frames: 17,
            ..example_sps()
        });
        assert!(sets.receive_sps(&NalUnit::parse(&nal).unwrap()).is_err());
        assert_eq!(**sets.sps(SpsId(0)).unwrap(), example_sps());
    }

    #[test]
    fn a_pps_is_read_again_when_its_sps_turns_out_to_be_4_4_4() {
        let mut sets = ParameterSets::default();
        // Read as 4:2:0 these are two lists and an offset; as 4:4:4 the lists go on, and the data ends in them.
        let matrix = PicScalingMatrix {
            lists_4x4: [const { ScalingList::NotPresent }; 6],
            lists_8x8: [const { ScalingList::NotPresent }; 6],
        };
        let pps = Pps {
            transform_8x8_mode_flag: true,
            scaling_matrix: Some(Box::new(matrix)),
            second_chroma_qp_index_offset: -12,
            ..example_pps()
        };
        let nal = write_pps(&pps);
        receive_pps(&mut sets, &pps);
        let sps = Sps {
            chroma_format_idc: 3,
            profile_idc: 244,
            ..example_sps()
        };
        receive_sps(&mut sets, &sps);
        let again = Pps::parse(&NalUnit::parse(&nal).unwrap(), |_| Some(&sps)).unwrap();
        assert_ne!(again, pps);
        assert_eq!(**sets.pps(PpsId(0)).unwrap(), again);
    }

    #[test]
    fn garbage_at_the_end_of_a_main_profile_pps_is_no_high_profile_field() {
        let sps = Sps {
            profile_idc: 77,
            constraint_set_flags: 2,
            ..example_sps()
        };
        let garbage = Pps {
            transform_8x8_mode_flag: true,
            second_chroma_qp_index_offset: 5,
            ..example_pps()
        };
        let mut sets = ParameterSets::default();
        receive_pps(&mut sets, &garbage);
        assert_eq!(**sets.pps(PpsId(0)).unwrap(), garbage);
        receive_sps(&mut sets, &sps);
        assert_eq!(**sets.pps(PpsId(0)).unwrap(), example_pps());
    }
}
