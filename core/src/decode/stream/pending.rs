//! The picture whose slices are coming in.

use std::ops::Range;
use std::sync::Arc;

use super::event::FrameTag;
use super::sei::PictureSei;
use crate::h264::Pps;
use crate::h264::parameter_sets::ActiveParameterSets;
use crate::h264::slice_header::{SliceHeader, SliceType};

/// Where the bytes of a slice are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// In the input that is being decoded.
    Input(Range<usize>),
    /// In the decoder's own buffer, because its input is gone.
    Kept(Range<usize>),
}

/// A slice of the picture.
#[derive(Debug)]
pub(super) struct PendingSlice {
    pub(super) header: SliceHeader,
    /// Where it is another one than the first slice's.
    pub(super) pps: Option<Arc<Pps>>,
    place: Place,
}

/// A picture whose slices are coming in.
#[derive(Debug)]
pub(super) struct PendingPicture {
    pub(super) tag: Option<FrameTag>,
    pub(super) active: ActiveParameterSets,
    pub(super) sei: PictureSei,
    pub(super) slices: Vec<PendingSlice>,
}

/// The bytes of slices whose input is gone; used again and again.
pub(super) type KeptBytes = Vec<u8>;

impl PendingSlice {
    /// A slice whose NAL unit lies in `range` of the input.
    pub(super) fn in_input(header: SliceHeader, range: Range<usize>) -> Self {
        Self {
            header,
            pps: None,
            place: Place::Input(range),
        }
    }

    /// Its NAL unit.
    pub(super) fn nal<'a>(&self, input: &'a [u8], kept: &'a KeptBytes) -> &'a [u8] {
        match &self.place {
            Place::Input(range) => input.get(range.clone()),
            Place::Kept(range) => kept.get(range.clone()),
        }
        .unwrap_or_default()
    }

    fn keep(&mut self, input: &[u8], kept: &mut KeptBytes) {
        if let Place::Input(range) = &self.place {
            let start = kept.len();
            kept.extend_from_slice(input.get(range.clone()).unwrap_or_default());
            self.place = Place::Kept(start..kept.len());
        }
    }
}

impl PendingPicture {
    /// One more slice; encoders may give each its own PPS.
    pub(super) fn push(&mut self, slice: PendingSlice, pps: Arc<Pps>) {
        let pps = Some(pps).filter(|pps| *pps != self.active.pps);
        self.slices.push(PendingSlice { pps, ..slice });
    }

    /// Copies what lies in `input`, which will be gone when the next slice comes.
    pub(super) fn keep(&mut self, input: &[u8], kept: &mut KeptBytes) {
        for slice in &mut self.slices {
            slice.keep(input, kept);
        }
    }

    /// Every slice that came is intra.
    pub(super) fn is_intra(&self) -> bool {
        self.slices.iter().all(|slice| slice.header.slice_type == SliceType::I)
    }
}
