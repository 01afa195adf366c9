//! An Annex B stream through libva: surfaces in display order.

use std::collections::HashMap;
use std::sync::Arc;

use fourier_core::decode::job::{ListEntry, ReferencePicture};
use fourier_core::h264::access_unit::{SlicePlace, place_slice};
use fourier_core::h264::dpb::{Dpb, DpbEvent, DpbLimits, OutputPolicy};
use fourier_core::h264::parameter_sets::{ActiveParameterSets, ParameterSets};
use fourier_core::h264::slice_header::SliceType;
use fourier_core::h264::{NalUnit, NalUnitType, PictureId, SliceHeader, Sps, annexb};
use fourier_core::units::Rect;

use crate::ffi::{Display, va};
use crate::habits::{BufferHabit, Habits, MemoryHabit, SliceHabit};
use crate::memory::ClientMemory;
use crate::parameters::Coded;
use crate::{Outcome, Parameters, Status};

/// Surfaces besides those that the decoded picture buffer needs.
const SPARE_SURFACES: usize = 2;

/// A picture to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Where it is.
    pub surface: va::VASurfaceID,
    /// The size of that.
    pub size: (u32, u32),
    /// What an image of it is: `VA_FOURCC_NV12`, or `VA_FOURCC_P010` of 10 bits.
    pub fourcc: u32,
    /// What of it is to be seen.
    pub visible: Rect,
    /// `vaSyncSurface` said that it is damaged.
    pub damaged: bool,
}

/// Decodes one stream with a context of its own on a display that others may use as well.
#[derive(Debug)]
pub struct Decoder<'a> {
    display: &'a Display,
    habits: Habits,
    parameter_sets: ParameterSets,
    dpb: Dpb,
    pending: Option<Pending<'a>>,
    sequence: Option<Sequence>,
    /// Where the pictures of the DPB are.
    surfaces: HashMap<PictureId, va::VASurfaceID>,
    /// A picture came that decoding may begin with.
    begun: bool,
    /// Surfaces of earlier sequences.
    kept: Vec<va::VASurfaceID>,
    /// Those that the first sequence is to have, and their size.
    given: Option<(Vec<va::VASurfaceID>, (u32, u32))>,
}

/// A picture whose slices are coming in.
#[derive(Debug)]
struct Pending<'a> {
    active: ActiveParameterSets,
    slices: Vec<(SliceHeader, &'a [u8])>,
}

/// A context and its surfaces.
#[derive(Debug)]
struct Sequence {
    sps: Arc<Sps>,
    config: va::VAConfigID,
    /// `None` once it is destroyed; its surfaces are shown all the same.
    context: Option<va::VAContextID>,
    size: (u32, u32),
    all: Vec<va::VASurfaceID>,
    free: Vec<va::VASurfaceID>,
}

impl<'a> Decoder<'a> {
    /// A decoder on `display`.
    pub fn new(display: &'a Display, habits: Habits) -> Self {
        Self {
            display,
            habits,
            parameter_sets: ParameterSets::default(),
            dpb: Dpb::new(OutputPolicy::Standard),
            pending: None,
            sequence: None,
            surfaces: HashMap::new(),
            begun: false,
            kept: Vec::new(),
            given: None,
        }
    }

    /// Decodes the first sequence into surfaces that there are already, all of that size, the first one first.
    pub fn with_surfaces(self, surfaces: &[va::VASurfaceID], size: (u32, u32)) -> Self {
        Self {
            given: Some((surfaces.to_vec(), size)),
            ..self
        }
    }

    /// Decodes a whole stream; `show` gets every picture in display order, when it is complete.
    ///
    /// # Errors
    /// What libva says, what the stream has that nobody decodes, and what `show` fails with.
    pub fn decode(mut self, stream: &'a [u8], show: &mut dyn FnMut(&Shown) -> Outcome) -> Outcome {
        for bytes in annexb::nal_units(stream) {
            // What is damaged is not there.
            if let Ok(nal) = NalUnit::parse(bytes) {
                self.receive(&nal, show)?;
            }
        }
        self.finish_picture(show)?;
        self.end_sequence(show)?;
        Ok(self.display.destroy_surfaces(&self.kept)?)
    }

    fn receive(&mut self, nal: &NalUnit<'a>, show: &mut dyn FnMut(&Shown) -> Outcome) -> Outcome {
        match nal.nal_unit_type {
            NalUnitType::Sps => drop(self.parameter_sets.receive_sps(nal)),
            NalUnitType::Pps => drop(self.parameter_sets.receive_pps(nal)),
            NalUnitType::AccessUnitDelimiter => self.finish_picture(show)?,
            NalUnitType::EndOfSequence | NalUnitType::EndOfStream => {
                self.finish_picture(show)?;
                self.dpb.end_sequence();
                self.take_events(show)?;
            }
            NalUnitType::IdrSlice | NalUnitType::NonIdrSlice => {
                if let Ok((header, active)) = self.parameter_sets.parse_slice_header(nal)
                    && header.redundant_pic_cnt == 0
                {
                    self.receive_slice((header, nal.bytes), active, show)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn receive_slice(
        &mut self,
        slice: (SliceHeader, &'a [u8]),
        active: ActiveParameterSets,
        show: &mut dyn FnMut(&Shown) -> Outcome,
    ) -> Outcome {
        let place = match self.pending.as_ref().map(|pending| pending.slices.as_slice()) {
            Some([(only, _)]) => place_slice(only, only, &slice.0),
            Some([(first, _), .., (previous, _)]) => place_slice(first, previous, &slice.0),
            Some([]) | None => SlicePlace::NewPicture,
        };
        match (place, &mut self.pending) {
            (SlicePlace::SamePicture, Some(pending)) => pending.slices.push(slice),
            (SlicePlace::OutOfOrder, Some(_)) => {}
            (_, _) => {
                self.finish_picture(show)?;
                let slices = vec![slice];
                self.pending = Some(Pending { active, slices });
            }
        }
        Ok(())
    }

    fn finish_picture(&mut self, show: &mut dyn FnMut(&Shown) -> Outcome) -> Outcome {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        let Some((first, _)) = pending.slices.first() else {
            return Ok(());
        };
        let is_intra = pending
            .slices
            .iter()
            .all(|(header, _)| header.slice_type == SliceType::I);
        self.begun |= is_intra;
        if !self.begun {
            return Ok(());
        }
        self.enter_sequence(&pending.active.sps, show)?;
        let started = self.dpb.start_picture(&pending.active.sps, first);
        // Frames that this one leaves no room for are shown first: their surfaces may be needed.
        self.take_events(show)?;
        let target = match self.surfaces.get(&started.picture) {
            Some(&surface) => surface,
            None => self.take_surface()?,
        };
        self.surfaces.insert(started.picture, target);
        let lists: Vec<_> = pending
            .slices
            .iter()
            .map(|(header, _)| self.dpb.ref_pic_lists(header))
            .collect();
        let references = self.dpb.references().to_vec();
        let coded = Coded {
            sps: &pending.active.sps,
            pps: &pending.active.pps,
            first,
            target,
            field_order_cnt: started.field_order_cnt,
            surfaces: self.surfaces_of(&references, target),
            references: &references,
            order_count_base: self.habits.order_count_base,
        };
        self.submit(&coded, &pending.slices, &lists)?;
        self.dpb.finish_picture(first);
        self.take_events(show)
    }

    /// The surfaces of references; of one that was never there, any.
    fn surfaces_of(&self, references: &[ReferencePicture], any: va::VASurfaceID) -> Vec<va::VASurfaceID> {
        let surface = |reference: &ReferencePicture| self.surfaces.get(&reference.picture).copied().unwrap_or(any);
        references.iter().map(surface).collect()
    }

    fn take_surface(&mut self) -> Outcome<va::VASurfaceID> {
        let sequence = self.sequence.as_mut().ok_or("a picture without a sequence")?;
        // The one that was free for longest.
        match sequence.free.is_empty() {
            true => Err("every surface is in use".into()),
            false => Ok(sequence.free.remove(0)),
        }
    }

    fn take_events(&mut self, show: &mut dyn FnMut(&Shown) -> Outcome) -> Outcome {
        while let Some(event) = self.dpb.next_event() {
            match event {
                DpbEvent::Output { picture, .. } => self.show(picture, show)?,
                DpbEvent::Released { picture } => {
                    if let (Some(surface), Some(sequence)) = (self.surfaces.remove(&picture), &mut self.sequence) {
                        sequence.free.push(surface);
                    }
                }
                DpbEvent::Discarded { .. } | DpbEvent::Unpaired { .. } | DpbEvent::Violation(_) => {}
            }
        }
        Ok(())
    }

    fn show(&self, picture: PictureId, show: &mut dyn FnMut(&Shown) -> Outcome) -> Outcome {
        let (Some(&surface), Some(sequence)) = (self.surfaces.get(&picture), &self.sequence) else {
            return Ok(());
        };
        let damaged = match self.display.sync_surface(surface) {
            Ok(()) => false,
            Err(Status(code)) if code == va::VA_STATUS_ERROR_DECODING_ERROR.cast_signed() => true,
            Err(status) => return Err(status.into()),
        };
        show(&Shown {
            surface,
            size: sequence.size,
            fourcc: fourcc_of(&sequence.sps),
            visible: sequence.sps.crop_rect(),
            damaged,
        })
    }
}

impl Decoder<'_> {
    /// A context for pictures of `sps`: the one that there is, if they have the same size and need no more surfaces.
    fn enter_sequence(&mut self, sps: &Arc<Sps>, show: &mut dyn FnMut(&Shown) -> Outcome) -> Outcome {
        if let Some(sequence) = &mut self.sequence
            && (Arc::ptr_eq(&sequence.sps, sps) || sequence.serves(sps))
        {
            sequence.sps = Arc::clone(sps);
            return Ok(());
        }
        self.end_sequence(show)?;
        let size = sps.coded_size();
        let margin = self.habits.surface_margin;
        let (given, surface_size) = match self.given.take() {
            Some((given, size)) => (Some(given), size),
            None => (None, (size.width + margin, size.height + margin)),
        };
        let display = self.display;
        let config = display.create_config((profile_of(sps), va::VAEntrypointVLD), &[])?;
        let frames = DpbLimits::new(sps, OutputPolicy::Standard).max_dec_frame_buffering;
        let count = frames + SPARE_SURFACES + self.habits.extra_surfaces;
        let make_surfaces = || match &given {
            Some(given) => Ok(given.clone()),
            None => self.make_surfaces(sps, surface_size, count),
        };
        let make_context = |targets: &[_]| display.create_context(config, (size.width, size.height), targets);
        let (all, context) = match self.habits.names_render_targets {
            true => {
                let all = make_surfaces()?;
                let context = make_context(&all)?;
                (all, context)
            }
            false => {
                let context = make_context(&[])?;
                (make_surfaces()?, context)
            }
        };
        if self.habits.looks_before_decoding {
            all.iter().try_for_each(|&surface| self.look_at(surface))?;
        }
        self.sequence = Some(Sequence {
            sps: Arc::clone(sps),
            config,
            context: Some(context),
            size: surface_size,
            free: all.clone(),
            all,
        });
        Ok(())
    }

    /// Surfaces in the memory of whose habit it is.
    fn make_surfaces(&self, sps: &Sps, size: (u32, u32), count: usize) -> Outcome<Vec<va::VASurfaceID>> {
        let display = self.display;
        match self.habits.memory {
            MemoryHabit::Drivers => Ok(display.create_surfaces(rt_format_of(sps), size, count, &[])?),
            MemoryHabit::Prime(alignment) => {
                let allocate = |_| ClientMemory::allocate(size, alignment);
                let memories: Vec<_> = (0..count).map(allocate).collect::<Outcome<_>>()?;
                Ok(display.import_surfaces(size, count, &ClientMemory::prime(&memories))?)
            }
            MemoryHabit::Prime2(alignment) => {
                let import = |_| {
                    let memory = ClientMemory::allocate(size, alignment)?;
                    Ok(display.import_surfaces(size, 1, &memory.prime_2())?[0])
                };
                (0..count).map(import).collect()
            }
        }
    }

    /// What applications do to see whether a surface is any good.
    fn look_at(&self, surface: va::VASurfaceID) -> Outcome {
        let prime = va::VA_SURFACE_ATTRIB_MEM_TYPE_DRM_PRIME_2;
        let flags = va::VA_EXPORT_SURFACE_READ_ONLY | va::VA_EXPORT_SURFACE_SEPARATE_LAYERS;
        let unsupported = Status::of(va::VA_STATUS_ERROR_UNSUPPORTED_MEMORY_TYPE);
        match self.display.export_surface(surface, prime, flags) {
            Ok(_) => {}
            Err(status) if status == unsupported => {
                let image = self.display.derive_image(surface)?;
                self.display.destroy_image(image.image_id)?;
            }
            Err(status) => return Err(status.into()),
        }
        Ok(())
    }

    /// Shows what there is. The context goes first, as FFmpeg does it: surfaces are read when it is gone.
    fn end_sequence(&mut self, show: &mut dyn FnMut(&Shown) -> Outcome) -> Outcome {
        if let Some(context) = self.sequence.as_mut().and_then(|sequence| sequence.context.take()) {
            self.display.destroy_context(context)?;
        }
        self.dpb.end_sequence();
        self.take_events(show)?;
        if let Some(sequence) = self.sequence.take() {
            self.display.destroy_config(sequence.config)?;
            match self.habits.keeps_surfaces {
                true => self.kept.extend(sequence.all),
                false => self.display.destroy_surfaces(&sequence.all)?,
            }
        }
        Ok(())
    }

    fn submit(
        &self,
        coded: &Coded<'_>,
        slices: &[(SliceHeader, &[u8])],
        lists: &[[Vec<Option<ListEntry>>; 2]],
    ) -> Outcome {
        let context = self.sequence.as_ref().and_then(|sequence| sequence.context);
        let context = context.ok_or("a picture without a context")?;
        let pieces: Vec<_> = slices
            .iter()
            .zip(lists)
            .map(|((header, nal), lists)| (coded.slice(header, lists), *nal))
            .collect();
        let picture = Submission {
            display: self.display,
            context,
            early: self.habits.buffers == BufferHabit::MappedAndDestroyedEarly,
        };
        picture.submit(self.habits.slices, coded, &pieces)
    }
}

impl Sequence {
    fn serves(&self, sps: &Sps) -> bool {
        let frames = |sps: &Sps| DpbLimits::new(sps, OutputPolicy::Standard).max_dec_frame_buffering;
        let same_coding = self.sps.coded_size() == sps.coded_size()
            && self.sps.frame_mbs_only_flag == sps.frame_mbs_only_flag
            && profile_of(&self.sps) == profile_of(sps)
            && rt_format_of(&self.sps) == rt_format_of(sps);
        same_coding && frames(sps) + SPARE_SURFACES <= self.all.len()
    }
}

/// `VAProfileH264High10`, which libva has a name for since 2.18.
pub const PROFILE_H264_HIGH10: va::VAProfile = 36;

fn profile_of(sps: &Sps) -> va::VAProfile {
    match sps.profile_idc {
        66 => va::VAProfileH264ConstrainedBaseline,
        77 | 88 => va::VAProfileH264Main,
        // What has 10 bits has no other profile, whatever it calls itself.
        110 => PROFILE_H264_HIGH10,
        _ if sps.bit_depth_luma() > 8 => PROFILE_H264_HIGH10,
        _ => va::VAProfileH264High,
    }
}

fn rt_format_of(sps: &Sps) -> u32 {
    match sps.bit_depth_luma() {
        8 => va::VA_RT_FORMAT_YUV420,
        _ => va::VA_RT_FORMAT_YUV420_10,
    }
}

fn fourcc_of(sps: &Sps) -> u32 {
    match sps.bit_depth_luma() {
        8 => va::VA_FOURCC_NV12,
        _ => va::VA_FOURCC_P010,
    }
}

/// The calls of one picture.
#[derive(Clone, Copy, Debug)]
struct Submission<'a> {
    display: &'a Display,
    context: va::VAContextID,
    /// Buffers are created empty, and destroyed as soon as they were rendered.
    early: bool,
}

impl Submission<'_> {
    fn submit(
        self,
        habit: SliceHabit,
        coded: &Coded<'_>,
        slices: &[(va::VASliceParameterBufferH264, &[u8])],
    ) -> Outcome {
        let picture = self.buffer(va::VAPictureParameterBufferType, &[coded.picture()])?;
        let matrices = self.buffer(va::VAIQMatrixBufferType, &[coded.matrices()])?;
        let slices = self.slice_buffers(habit, slices)?;
        self.display.begin_picture(self.context, coded.target)?;
        let head = [picture, matrices];
        match habit {
            SliceHabit::LastFirst => {
                // Slices keep their order: that is the order of their data.
                let of_slices = slices.chunks(2).flat_map(|pair| pair.iter().rev());
                let all: Vec<_> = of_slices.chain(&head).copied().collect();
                self.render(&all)?;
            }
            SliceHabit::RenderedOneByOne => {
                for &buffer in head.iter().chain(&slices) {
                    self.render(&[buffer])?;
                }
            }
            SliceHabit::BufferEach | SliceHabit::InOneBuffer | SliceHabit::InPieces(_) => {
                self.render(&head)?;
                self.render(&slices)?;
            }
        }
        self.display.end_picture(self.context)?;
        if !self.early {
            let mut all = head.into_iter().chain(slices);
            all.try_for_each(|id| self.display.destroy_buffer(id))?;
        }
        Ok(())
    }

    fn render(self, buffers: &[va::VABufferID]) -> Outcome {
        self.display.render_picture(self.context, buffers)?;
        if self.early {
            buffers.iter().try_for_each(|&id| self.display.destroy_buffer(id))?;
        }
        Ok(())
    }

    fn buffer<T: Parameters>(self, kind: va::VABufferType, elements: &[T]) -> Result<va::VABufferID, Status> {
        if !self.early {
            return self.display.create_buffer(self.context, kind, elements);
        }
        let size = (size_of::<T>() as u32, elements.len() as u32);
        let id = self.display.create_empty_buffer(self.context, kind, size)?;
        self.display.fill_buffer(id, elements).map(|()| id)
    }

    fn slice_buffers(
        self,
        habit: SliceHabit,
        slices: &[(va::VASliceParameterBufferH264, &[u8])],
    ) -> Result<Vec<va::VABufferID>, Status> {
        let mut buffers = Vec::with_capacity(2 * slices.len());
        let mut parameters_and_data = |parameters: &[_], data: &[u8]| {
            buffers.push(self.buffer(va::VASliceParameterBufferType, parameters)?);
            buffers.push(self.buffer(va::VASliceDataBufferType, data)?);
            Ok(())
        };
        match habit {
            SliceHabit::BufferEach | SliceHabit::RenderedOneByOne | SliceHabit::LastFirst => {
                for (slice, nal) in slices {
                    parameters_and_data(&[located(slice, (0, nal.len()), va::VA_SLICE_DATA_FLAG_ALL)], nal)?;
                }
            }
            SliceHabit::InOneBuffer => {
                let (mut all, mut data) = (Vec::new(), Vec::new());
                for (slice, nal) in slices {
                    all.push(located(slice, (data.len(), nal.len()), va::VA_SLICE_DATA_FLAG_ALL));
                    data.extend_from_slice(nal);
                }
                parameters_and_data(&all, &data)?;
            }
            SliceHabit::InPieces(bytes) => {
                for (slice, nal) in slices {
                    let last = nal.len().div_ceil(bytes.max(1)).saturating_sub(1);
                    for (n, piece) in nal.chunks(bytes.max(1)).enumerate() {
                        let flag = match (n, last) {
                            (_, 0) => va::VA_SLICE_DATA_FLAG_ALL,
                            (0, _) => va::VA_SLICE_DATA_FLAG_BEGIN,
                            (n, last) if n == last => va::VA_SLICE_DATA_FLAG_END,
                            (_, _) => va::VA_SLICE_DATA_FLAG_MIDDLE,
                        };
                        parameters_and_data(&[located(slice, (0, piece.len()), flag)], piece)?;
                    }
                }
            }
        }
        Ok(buffers)
    }
}

/// `slice` with its data at that place of that length.
fn located(
    slice: &va::VASliceParameterBufferH264,
    (offset, size): (usize, usize),
    flag: u32,
) -> va::VASliceParameterBufferH264 {
    va::VASliceParameterBufferH264 {
        slice_data_offset: offset as u32,
        slice_data_size: size as u32,
        slice_data_flag: flag,
        ..*slice
    }
}
