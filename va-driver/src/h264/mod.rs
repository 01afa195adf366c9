//! What core makes of an application's picture: parameter sets, slices and references in H.264's own terms.
//!
//! VA carries most of it; the rest is read from the slice headers once more, and checked against what VA says.
//! [`parameter_sets`] makes SPS and PPS, [`slices`] reads headers, [`references`] finds what is referred to.

mod parameter_sets;
mod references;
mod slices;

use std::collections::HashMap;
use std::sync::Arc;

use fourier_core::decode::{DecodeJob, ReferencePicture, SliceJob};
use fourier_core::h264::pps::PpsId;
use fourier_core::h264::ref_lists::{self, CurrentPicture};
use fourier_core::h264::slice_header::{DecRefPicMarking, MemoryManagementControlOperation};
use fourier_core::h264::{PictureId, PictureStructure, Pps, SliceHeader, Sps};

use crate::config::Profile;
use crate::ffi::{parameters, va};
use crate::picture::ContextId;
use crate::render::{OpenPicture, RenderedSlice};
use crate::status::{Result, Status};
use crate::surface::Surface;

pub use parameter_sets::placeholder_sps;
use references::OrderCounts;
use slices::Defaults;

/// What a context remembers from picture to picture.
#[derive(Debug)]
pub struct H264 {
    profile: Profile,
    next_picture: u64,
    counts: OrderCounts,
    /// `num_ref_idx_l0_default_active_minus1` and its twin, which VA does not carry, as far as slices gave them away.
    defaults: HashMap<PpsId, Defaults>,
    /// It was said that slice headers are not as long as VA says.
    mismatch_reported: bool,
}

/// A picture in H.264's terms.
#[derive(Debug)]
pub struct Job<'a> {
    /// The sequence.
    pub sps: Sps,
    /// The picture's own parameters.
    pps: Pps,
    /// Frame or field.
    pub structure: PictureStructure,
    /// `frame_num`, by which later pictures refer to it.
    pub frame_num: u16,
    /// It completes the picture that is in the target.
    pub second_field: bool,
    /// `TopFieldOrderCnt`, `BottomFieldOrderCnt`.
    pub field_order_cnt: [i32; 2],
    references: Vec<ReferencePicture>,
    slices: Vec<SliceJob<'a>>,
}

impl Job<'_> {
    /// The picture is among its references.
    pub fn refers_to(&self, picture: PictureId) -> bool {
        self.references.iter().any(|reference| reference.picture == picture)
    }

    /// What core's session takes.
    pub fn decode_job(&self, picture: PictureId) -> DecodeJob<'_> {
        DecodeJob {
            picture,
            second_field: self.second_field,
            sps: &self.sps,
            pps: &self.pps,
            field_order_cnt: self.field_order_cnt,
            references: &self.references,
            slices: &self.slices,
        }
    }
}

impl H264 {
    /// Nothing was decoded yet.
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            next_picture: 0,
            counts: OrderCounts::default(),
            defaults: HashMap::new(),
            mismatch_reported: false,
        }
    }

    /// A name that no picture of this context had.
    pub fn next_picture(&mut self) -> PictureId {
        self.next_picture += 1;
        PictureId(self.next_picture)
    }

    /// Makes a job of what was rendered; `find` gives the surface of an id.
    ///
    /// # Errors
    /// [`Status::InvalidBuffer`] if something is missing, [`Status::DecodingError`] without a slice that can be read,
    /// [`Status::InvalidParameter`] for numbers that H.264 does not have.
    pub fn job<'a>(
        &mut self,
        context: ContextId,
        open: &'a OpenPicture,
        find: impl Fn(va::VASurfaceID) -> Option<Arc<Surface>>,
    ) -> Result<Job<'a>> {
        let Some(picture) = &open.picture else {
            return Err(Status::InvalidBuffer.because("a picture without picture parameters"));
        };
        let sps = parameter_sets::sps(picture, self.profile)?;
        let template = parameter_sets::pps(picture, open.matrices.as_ref(), &sps)?;
        let rendered = open.slices()?;
        let headers = self.read_slices(&rendered, &sps, &template);
        let Some((first, _)) = headers.first() else {
            return Err(Status::DecodingError.because("a picture without a slice that can be read"));
        };
        let mut pps = template;
        self.complete(&mut pps, &headers);
        let (structure, frame_num) = (first.structure, first.frame_num);
        let unmarks_all = unmarks_all(first);
        let in_target = open.target.picture().filter(|picture| picture.context == context);
        let first_field = in_target.filter(|before| before.is_completed_by(structure, frame_num));
        self.counts.begin(first, &picture.CurrPic);
        let count_of_first = first_field.as_ref().map(|before| before.field_order_cnt);
        let field_order_cnt = self.counts.of_current(structure, count_of_first, &picture.CurrPic);
        let references = references::find(picture, &rendered, (&sps, first), (context, &self.counts), find);
        tracing::trace!("frame_num {frame_num} counts {field_order_cnt:?} references {references:?}");
        let current = CurrentPicture {
            structure,
            frame_num,
            max_frame_num: sps.max_frame_num().cast_signed(),
            pic_order_cnt: match structure.parity() {
                Some(parity) => field_order_cnt[parity.index()],
                None => field_order_cnt[0].min(field_order_cnt[1]),
            },
            pic_order_cnt_type_is_0: parameters::seq_fields(picture).pic_order_cnt_type() == 0,
        };
        let slices = headers
            .into_iter()
            .map(|(header, nal)| SliceJob {
                pps: None,
                ref_pic_lists: ref_lists::build(&current, &references, &header),
                header,
                nal,
            })
            .collect();
        Ok(Job {
            sps,
            pps,
            structure,
            // After such a picture counting begins anew (7.4.3).
            frame_num: if unmarks_all { 0 } else { frame_num },
            second_field: first_field.is_some(),
            field_order_cnt,
            references,
            slices,
        })
    }

    /// The headers of all slices that can be read and are not redundant.
    fn read_slices<'a>(
        &mut self,
        rendered: &[RenderedSlice<'a>],
        sps: &Sps,
        template: &Pps,
    ) -> Vec<(SliceHeader, &'a [u8])> {
        let mut headers = Vec::with_capacity(rendered.len());
        for slice in rendered {
            match slices::read(slice, sps, template) {
                Ok(read) => {
                    if !read.agrees && !std::mem::replace(&mut self.mismatch_reported, true) {
                        tracing::warn!(
                            "a slice header has {} bits, the application says {}",
                            read.header.header_bit_size,
                            slice.parameters.slice_data_bit_offset
                        );
                    }
                    if read.header.redundant_pic_cnt == 0 {
                        headers.push((read.header, slice.nal));
                    }
                }
                Err(failure) => tracing::warn!("a slice is lost: {}", failure.reason),
            }
        }
        headers
    }

    /// Gives `pps` its id, and the defaults that its slices, or earlier ones, gave away.
    fn complete(&mut self, pps: &mut Pps, headers: &[(SliceHeader, &[u8])]) {
        if let Some((first, _)) = headers.first() {
            pps.pic_parameter_set_id = first.pic_parameter_set_id;
        }
        let defaults = self.defaults.entry(pps.pic_parameter_set_id).or_default();
        for (header, _) in headers {
            defaults.learn(header);
        }
        let [l0, l1] = defaults.active_minus1();
        pps.num_ref_idx_l0_default_active_minus1 = l0;
        pps.num_ref_idx_l1_default_active_minus1 = l1;
    }
}

/// `memory_management_control_operation` 5.
fn unmarks_all(header: &SliceHeader) -> bool {
    match &header.dec_ref_pic_marking {
        Some(DecRefPicMarking::Adaptive(operations)) => {
            operations.contains(&MemoryManagementControlOperation::UnmarkAll)
        }
        Some(DecRefPicMarking::Idr { .. } | DecRefPicMarking::SlidingWindow) | None => false,
    }
}
