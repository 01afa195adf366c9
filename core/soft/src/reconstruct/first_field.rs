//! The first field of a frame as a reference of the second: a copy, as its rows alternate with those that are written.

use super::{Reference, References};
use crate::PictureParams;
use crate::picture::{Parity, Structure};
use crate::planes::{FrameMut, FrameRef, PlaneMut, PlaneRef, Sample};

/// The samples of a first field that is referred to.
#[derive(Debug, Default)]
pub(super) struct FirstField<S> {
    luma: Vec<S>,
    chroma: Vec<S>,
    width: usize,
    is_used: bool,
}

impl<S: Sample> FirstField<S> {
    /// Copies the other field of `target`, if the references name it.
    pub(super) fn take(
        &mut self,
        references: &References<'_, S>,
        params: &PictureParams,
        target: &mut FrameMut<'_, S>,
    ) {
        self.is_used = false;
        let is_target = |reference: &Option<Reference<'_, S>>| matches!(reference, Some(Reference::Target));
        let Some(parity) = params.structure.parity().map(Parity::opposite) else {
            return;
        };
        if !references.0.iter().any(is_target) {
            return;
        }
        self.is_used = true;
        self.width = params.width_in_mbs as usize * 16;
        let height_in_mbs = params.height_in_mbs as usize;
        let chroma_rows = height_in_mbs * params.chroma_format.mb_height_c();
        let field = target.picture(Structure::Field(parity));
        copy(&mut self.luma, &field.luma, self.width, height_in_mbs * 16);
        copy(&mut self.chroma, &field.chroma, self.width, chroma_rows);
    }

    /// The copy, if there is one.
    pub(super) fn planes(&self) -> Option<FrameRef<'_, S>> {
        self.is_used.then(|| FrameRef {
            luma: PlaneRef::new(&self.luma, self.width),
            chroma: PlaneRef::new(&self.chroma, self.width),
        })
    }
}

fn copy<S: Sample>(copy: &mut Vec<S>, plane: &PlaneMut<'_, S>, width: usize, rows: usize) {
    copy.clear();
    for row in plane.data.chunks(plane.pitch).take(rows) {
        copy.extend_from_slice(&row[..width]);
    }
}
