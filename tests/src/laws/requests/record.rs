//! The requests of a stream: parameter sets, slice headers, DPB and the filling of controls are core's.

use std::num::NonZeroU64;

use fourier_core::decode::controls::{DPB_ENTRIES, JobControls};
use fourier_core::decode::{DecodeJob, SliceJob};
use fourier_core::device::{Control, DecodeMode};
use fourier_core::h264::access_unit::{SlicePlace, place_slice};
use fourier_core::h264::dpb::{Dpb, OutputPolicy};
use fourier_core::h264::parameter_sets::ActiveParameterSets;
use fourier_core::h264::{NalUnit, NalUnitType, ParameterSets, SliceHeader, annexb};
use fourier_core::units::Timestamp;
use fourier_soft::{Controls, PicturePart, StartCode};

use super::script::{Request, Script};

/// A picture whose slices are being gathered.
struct Coded {
    active: ActiveParameterSets,
    slices: Vec<(SliceHeader, Vec<u8>)>,
}

/// What turns a stream into requests.
struct Recorder {
    mode: DecodeMode,
    sets: ParameterSets,
    dpb: Dpb,
    coded: Option<Coded>,
    controls: JobControls,
    script: Script,
}

/// The requests that a device of that decode mode gets for the first `pictures` of an annex B stream.
pub fn requests_of(stream: &[u8], mode: DecodeMode, pictures: usize) -> Script {
    let mut recorder = Recorder {
        mode,
        sets: ParameterSets::default(),
        dpb: Dpb::new(OutputPolicy::Standard),
        coded: None,
        controls: JobControls::default(),
        script: Script {
            width_in_mbs: 1,
            height_in_mbs: 1,
            requests: Vec::new(),
        },
    };
    let mut left = pictures;
    for nal in annexb::nal_units(stream) {
        let Ok(nal) = NalUnit::parse(nal) else { continue };
        if recorder.begins_picture(&nal) {
            left = left.saturating_sub(usize::from(recorder.finish_picture()));
        }
        if left == 0 {
            return recorder.script;
        }
        recorder.receive(&nal);
    }
    recorder.finish_picture();
    recorder.script
}

impl Recorder {
    fn begins_picture(&self, nal: &NalUnit<'_>) -> bool {
        let Some(coded) = &self.coded else { return false };
        match self.sets.parse_slice_header(nal) {
            Ok((header, _)) if nal.nal_unit_type.is_slice() => match (coded.slices.first(), coded.slices.last()) {
                (Some((first, _)), Some((last, _))) => place_slice(first, last, &header) == SlicePlace::NewPicture,
                _ => false,
            },
            _ => matches!(nal.nal_unit_type, NalUnitType::Sps | NalUnitType::Pps),
        }
    }

    fn receive(&mut self, nal: &NalUnit<'_>) {
        // What cannot be read becomes no request.
        match nal.nal_unit_type {
            NalUnitType::Sps => drop(self.sets.receive_sps(nal)),
            NalUnitType::Pps => drop(self.sets.receive_pps(nal)),
            NalUnitType::IdrSlice | NalUnitType::NonIdrSlice => {
                if let Ok((header, active)) = self.sets.parse_slice_header(nal) {
                    let coded = self.coded.get_or_insert_with(|| Coded {
                        active,
                        slices: Vec::new(),
                    });
                    coded.slices.push((header, nal.bytes.to_vec()));
                }
            }
            _ => {}
        }
    }

    /// Whether there was one.
    fn finish_picture(&mut self) -> bool {
        let Some(Coded { active, slices }) = self.coded.take() else {
            return false;
        };
        let Some((header, _)) = slices.first() else {
            return false;
        };
        let started = self.dpb.start_picture(&active.sps, header);
        let references = self.dpb.references().to_vec();
        let jobs: Vec<_> = slices
            .iter()
            .map(|(header, nal)| SliceJob {
                pps: None,
                header: header.clone(),
                nal,
                ref_pic_lists: self.dpb.ref_pic_lists(header),
            })
            .collect();
        let job = DecodeJob {
            picture: started.picture,
            second_field: started.second_field,
            sps: &active.sps,
            pps: &active.pps,
            field_order_cnt: started.field_order_cnt,
            references: &references,
            slices: &jobs,
        };
        let mut names = [None; DPB_ENTRIES];
        for (name, reference) in names.iter_mut().zip(&references) {
            *name = Some(Timestamp::from_sequence(
                NonZeroU64::MIN.saturating_add(reference.picture.0),
            ));
        }
        self.controls.fill_picture(&job, &names);
        self.script.width_in_mbs = active.sps.pic_width_in_mbs().clamp(1, 16) as u8;
        self.script.height_in_mbs = active.sps.frame_height_in_mbs().clamp(1, 16) as u8;
        self.record(&job);
        self.dpb.finish_picture(header);
        while self.dpb.next_event().is_some() {}
        true
    }

    fn record(&mut self, job: &DecodeJob<'_>) {
        let sequence = job.picture.0 as u16;
        match self.mode {
            DecodeMode::FrameBased => {
                let slices = job.slices.iter().map(|slice| [&[0, 0, 1], slice.nal].concat());
                let part = PicturePart {
                    first: true,
                    last: true,
                };
                let bitstream = slices.collect::<Vec<_>>().concat();
                self.push(part, sequence, bitstream);
            }
            DecodeMode::SliceBased => {
                for (place, slice) in job.slices.iter().enumerate() {
                    self.controls.fill_slice(job, slice);
                    let part = PicturePart {
                        first: place == 0,
                        last: place + 1 == job.slices.len(),
                    };
                    self.push(part, sequence, slice.nal.to_vec());
                }
            }
        }
    }

    fn push(&mut self, part: PicturePart, sequence: u16, bitstream: Vec<u8>) {
        let before = self.script.requests.last();
        let mut controls = before.map(|request| request.controls.clone()).unwrap_or_default();
        (controls.decode_mode, controls.start_code) = match self.mode {
            DecodeMode::FrameBased => (fourier_soft::DecodeMode::FrameBased, StartCode::AnnexB),
            DecodeMode::SliceBased => (fourier_soft::DecodeMode::SliceBased, StartCode::None),
        };
        self.controls.with(self.mode, |all| {
            all.iter().for_each(|control| set(&mut controls, *control));
        });
        self.script.requests.push(Request {
            controls,
            part,
            sequence,
            bitstream,
        });
    }
}

fn set(controls: &mut Controls, control: Control<'_>) {
    match control {
        Control::Sps(sps) => controls.sps = *sps,
        Control::Pps(pps) => controls.pps = *pps,
        Control::ScalingMatrix(matrix) => controls.scaling_matrix = *matrix,
        Control::DecodeParams(params) => controls.decode_params = *params,
        Control::SliceParams(params) => controls.slice_params = *params,
        Control::PredWeights(weights) => controls.pred_weights = *weights,
        Control::DecodeMode(_) | Control::StartCode(_) => {}
    }
}
