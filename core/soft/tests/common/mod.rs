//! Decodes whole elementary streams with this crate: parameter sets, slice headers and the DPB are core's, the controls
//! are filled here, pictures are decoded one after another.

mod fill;

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use fourier_core::h264::access_unit::{SlicePlace, place_slice};
use fourier_core::h264::dpb::{Dpb, DpbEvent, OutputPolicy};
use fourier_core::h264::reference::ReferencePicture;
use fourier_core::h264::{NalUnit, NalUnitType, PictureId, Pps, SliceHeader, Sps};
use fourier_core::units::Rect;
use fourier_soft::picture::{DPB_SIZE, Parity};
use fourier_soft::{
    Controls, DecodeMode, EntropyDecoder, Error, FrameMut, FrameRef, MotionField, ParsedPicture, PicturePart, PlaneMut,
    PlaneRef, Reconstructor, Reference, References, Sample, Sample10, StartCode,
};

/// Where the streams are; `None` = not on this machine.
pub fn vectors() -> Option<PathBuf> {
    let path = match std::env::var_os("FOURIER_VECTORS") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
    };
    path.join("INDEX.tsv").is_file().then_some(path)
}

/// A sample that can be written as planar files have it.
pub trait FileSample: Sample {
    /// Appends it: one byte, or two in little endian.
    fn append(self, file: &mut Vec<u8>);
}

impl FileSample for u8 {
    fn append(self, file: &mut Vec<u8>) {
        file.push(self);
    }
}

impl FileSample for Sample10 {
    fn append(self, file: &mut Vec<u8>) {
        file.extend((self.value() as u16).to_le_bytes());
    }
}

/// A decoded frame.
#[derive(Debug)]
pub struct Frame<S> {
    luma: Vec<S>,
    chroma: Vec<S>,
    pitch: usize,
    /// 1 in 4:2:2, else 2.
    sub_height_c: usize,
    crop: Rect,
    motion: MotionField,
}

impl<S: FileSample> Frame<S> {
    fn new(sps: &Sps) -> Self {
        let size = sps.coded_size();
        let (width, height) = (size.width as usize, size.height as usize);
        let sub_height_c = if sps.chroma_format_idc == 2 { 1 } else { 2 };
        Self {
            luma: vec![S::default(); width * height],
            chroma: vec![S::default(); width * height / sub_height_c],
            pitch: width,
            sub_height_c,
            crop: sps.crop_rect(),
            motion: MotionField::default(),
        }
    }

    fn planes_mut(&mut self) -> (FrameMut<'_, S>, &mut MotionField) {
        let pitch = self.pitch;
        let frame = FrameMut {
            luma: PlaneMut {
                data: &mut self.luma,
                pitch,
            },
            chroma: PlaneMut {
                data: &mut self.chroma,
                pitch,
            },
        };
        (frame, &mut self.motion)
    }

    fn planes(&self) -> FrameRef<'_, S> {
        FrameRef {
            luma: PlaneRef {
                data: &self.luma,
                pitch: self.pitch,
            },
            chroma: PlaneRef {
                data: &self.chroma,
                pitch: self.pitch,
            },
        }
    }

    /// The visible part as planar YUV.
    pub fn planar(&self) -> Vec<u8> {
        let (x, y) = (self.crop.x as usize, self.crop.y as usize);
        let (width, height) = (self.crop.size.width as usize, self.crop.size.height as usize);
        let mut planar = Vec::with_capacity(width * height * 3 / 2);
        for row in self.luma.chunks(self.pitch).skip(y).take(height) {
            row[x..x + width].iter().for_each(|sample| sample.append(&mut planar));
        }
        for component in 0..2 {
            let rows = self.chroma.chunks(self.pitch).skip(y / self.sub_height_c);
            for row in rows.take(height.div_ceil(self.sub_height_c)) {
                let samples = row[x / 2 * 2 + component..].iter().step_by(2).take(width.div_ceil(2));
                samples.for_each(|sample| sample.append(&mut planar));
            }
        }
        planar
    }
}

/// How a stream went.
#[derive(Debug, Default)]
pub struct Report {
    /// Frames shown.
    pub frames: usize,
    /// What was wrong with slice data.
    pub faults: Vec<Error>,
    /// Macroblocks that no slice delivered.
    pub concealed_macroblocks: u32,
    /// Why decoding stopped.
    pub refused: Option<Error>,
    /// Time in the entropy stage.
    pub parsing: Duration,
    /// Time in the reconstruction stage.
    pub reconstruction: Duration,
}

/// The slices of one picture.
struct Coded {
    sps: Sps,
    pps: Pps,
    slices: Vec<(SliceHeader, Vec<u8>)>,
}

/// Decodes one stream.
pub struct Decoder<S, F> {
    mode: DecodeMode,
    show: F,
    sps: HashMap<u8, Sps>,
    pps: HashMap<u8, Pps>,
    dpb: Dpb,
    entropy: EntropyDecoder,
    reconstructor: Reconstructor<S>,
    parsed: ParsedPicture,
    frames: HashMap<PictureId, Rc<Frame<S>>>,
    /// A frame with one field, and which one is missing.
    open: Option<(PictureId, Frame<S>, Parity)>,
    coded: Option<Coded>,
    report: Report,
}

/// Decodes an Annex B stream whose samples are of type `S`; `show` gets its frames in display order.
pub fn decode<S: FileSample>(stream: &[u8], mode: DecodeMode, show: impl FnMut(&Frame<S>)) -> Report {
    let mut decoder = Decoder {
        mode,
        show,
        sps: HashMap::new(),
        pps: HashMap::new(),
        dpb: Dpb::new(OutputPolicy::Standard),
        entropy: EntropyDecoder::default(),
        reconstructor: Reconstructor::default(),
        parsed: ParsedPicture::default(),
        frames: HashMap::new(),
        open: None,
        coded: None,
        report: Report::default(),
    };
    for bytes in split(stream) {
        if let Ok(nal) = NalUnit::parse(bytes) {
            decoder.nal(&nal);
        }
    }
    decoder.finish_picture();
    decoder.close_frame();
    decoder.dpb.drain();
    decoder.events();
    decoder.report
}

/// The NAL units of an Annex B stream.
fn split(stream: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = memchr::memmem::find_iter(stream, &[0, 0, 1]).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| stream[start + 3..end].trim_end_zeros())
        .collect()
}

/// `trailing_zero_8bits` belong to no NAL unit.
trait TrimZeros {
    fn trim_end_zeros(&self) -> &Self;
}

impl TrimZeros for [u8] {
    fn trim_end_zeros(&self) -> &Self {
        let end = self.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        &self[..end]
    }
}

impl<S: FileSample, F: FnMut(&Frame<S>)> Decoder<S, F> {
    fn nal(&mut self, nal: &NalUnit<'_>) {
        match nal.nal_unit_type {
            NalUnitType::Sps => {
                if let Ok(sps) = Sps::parse(nal) {
                    self.finish_picture();
                    self.sps.insert(sps.seq_parameter_set_id.get(), sps);
                }
            }
            NalUnitType::Pps => {
                self.finish_picture();
                if let Ok(pps) = Pps::parse(nal, |id| self.sps.get(&id.get())) {
                    self.pps.insert(pps.pic_parameter_set_id.get(), pps);
                }
            }
            NalUnitType::IdrSlice | NalUnitType::NonIdrSlice => self.slice(nal),
            _ => {}
        }
    }

    fn slice(&mut self, nal: &NalUnit<'_>) {
        let Ok(id) = SliceHeader::parse_pic_parameter_set_id(nal) else {
            return;
        };
        let Some(pps) = self.pps.get(&id.get()).cloned() else {
            return;
        };
        let Some(sps) = self.sps.get(&pps.seq_parameter_set_id.get()).cloned() else {
            return;
        };
        let Ok(header) = SliceHeader::parse(nal, &sps, &pps) else {
            return;
        };
        if header.redundant_pic_cnt > 0 {
            return;
        }
        let continues = self
            .coded
            .as_ref()
            .is_some_and(|coded| match (coded.slices.first(), coded.slices.last()) {
                (Some((first, _)), Some((last, _))) => place_slice(first, last, &header) != SlicePlace::NewPicture,
                _ => false,
            });
        if !continues {
            self.finish_picture();
        }
        let coded = self.coded.get_or_insert_with(|| Coded {
            sps,
            pps,
            slices: Vec::new(),
        });
        coded.slices.push((header, nal.bytes.to_vec()));
    }

    /// Decodes what was collected.
    fn finish_picture(&mut self) {
        let Some(coded) = self.coded.take() else { return };
        let Some((header, _)) = coded.slices.first() else {
            return;
        };
        let started = self.dpb.start_picture(&coded.sps, header);
        let references = self.dpb.references().to_vec();
        let controls = fill::picture(&coded.sps, &coded.pps, header, started.field_order_cnt, &references);
        let mut frame = match self.open.take() {
            Some((picture, frame, _)) if picture == started.picture => frame,
            unpaired => {
                self.open = unpaired;
                self.close_frame();
                Frame::new(&coded.sps)
            }
        };
        match self.mode {
            DecodeMode::FrameBased => {
                let bitstream: Vec<u8> = coded
                    .slices
                    .iter()
                    .flat_map(|(_, nal)| [&[0, 0, 1], nal.as_slice()].concat())
                    .collect();
                self.request(
                    &controls,
                    &bitstream,
                    PicturePart {
                        first: true,
                        last: true,
                    },
                    &mut frame,
                    started.picture,
                    &references,
                );
            }
            DecodeMode::SliceBased => {
                let mut controls = Controls {
                    decode_mode: DecodeMode::SliceBased,
                    start_code: StartCode::None,
                    ..controls
                };
                for (i, (header, nal)) in coded.slices.iter().enumerate() {
                    fill::slice(&mut controls, header, &self.dpb.ref_pic_lists(header));
                    let part = PicturePart {
                        first: i == 0,
                        last: i + 1 == coded.slices.len(),
                    };
                    self.request(&controls, nal, part, &mut frame, started.picture, &references);
                }
            }
        }
        match header.structure.parity() {
            Some(parity) if !started.second_field => {
                let missing = match parity {
                    fourier_core::h264::Parity::Top => Parity::Bottom,
                    fourier_core::h264::Parity::Bottom => Parity::Top,
                };
                self.open = Some((started.picture, frame, missing));
            }
            _ => drop(self.frames.insert(started.picture, Rc::new(frame))),
        }
        self.dpb.finish_picture(header);
        self.events();
    }

    /// Nothing more comes of a frame: if it has only one field, that is shown in the rows of both.
    fn close_frame(&mut self) {
        if let Some((picture, mut frame, missing)) = self.open.take() {
            frame.planes_mut().0.fill_field(missing);
            self.frames.insert(picture, Rc::new(frame));
        }
    }

    /// What a driver does with one request.
    fn request(
        &mut self,
        controls: &Controls,
        bitstream: &[u8],
        part: PicturePart,
        frame: &mut Frame<S>,
        picture: PictureId,
        references: &[ReferencePicture],
    ) {
        let start = Instant::now();
        let result = self.entropy.parse(controls, bitstream, &mut self.parsed);
        self.report.parsing += start.elapsed();
        if let Err(error) = result {
            self.report.refused.get_or_insert(error);
            return;
        }
        self.report.faults.append(&mut self.parsed.faults.clone());
        let held: Vec<Option<Rc<Frame<S>>>> = references
            .iter()
            .map(|reference| self.frames.get(&reference.picture).cloned())
            .collect();
        let mut pictures = References([None; DPB_SIZE]);
        for ((entry, held), reference) in pictures.0.iter_mut().zip(&held).zip(references) {
            if reference.picture == picture {
                *entry = Some(Reference::Target);
                continue;
            }
            *entry = held.as_ref().map(|frame| Reference::Frame {
                frame: frame.planes(),
                motion: &frame.motion,
            });
        }
        let (mut target, motion) = frame.planes_mut();
        let start = Instant::now();
        let outcome = self
            .reconstructor
            .reconstruct(&self.parsed, part, &mut target, motion, &pictures);
        self.report.reconstruction += start.elapsed();
        self.report.concealed_macroblocks += outcome.concealed_macroblocks;
    }

    /// Shows and drops frames as the DPB says.
    fn events(&mut self) {
        while let Some(event) = self.dpb.next_event() {
            match event {
                DpbEvent::Output { picture, .. } => {
                    if let Some(frame) = self.frames.get(&picture) {
                        self.report.frames += 1;
                        (self.show)(frame);
                    }
                }
                DpbEvent::Released { picture } => drop(self.frames.remove(&picture)),
                DpbEvent::Discarded { .. } | DpbEvent::Unpaired { .. } | DpbEvent::Violation(_) => {}
            }
        }
    }
}
