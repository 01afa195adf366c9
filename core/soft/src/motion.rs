//! The motion of a decoded picture, kept with its CAPTURE buffer for the temporal direct mode of later ones (8.4.1.2.1).

use crate::macroblock::Mv;
use crate::picture::{Parity, Structure};

/// A picture that a reference index named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PictureName {
    /// Its `reference_ts`.
    pub timestamp: u64,
    /// `None` = the frame or complementary field pair.
    pub parity: Option<Parity>,
}

/// The pictures of every entry of the two reference lists of a slice.
pub(crate) type ListNames = [[Option<PictureName>; 32]; 2];

/// Motion of one macroblock. An unused list has `ref_idx` -1 and zero vectors; intra means that both are unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MbMotion {
    /// Vectors by list and 4x4 block, in raster order.
    pub mv: [[Mv; 16]; 2],
    /// `ref_idx` by list and 8x8 quarter.
    pub ref_idx: [[i8; 4]; 2],
    /// Which of the picture's lists the indexes count in.
    pub slice: u32,
    /// A field macroblock of an MBAFF frame: its vectors and indexes are those of fields.
    pub field: bool,
}

impl MbMotion {
    /// What stands for a macroblock without motion.
    pub(crate) const INTRA: Self = Self {
        mv: [[Mv { x: 0, y: 0 }; 16]; 2],
        ref_idx: [[-1; 4]; 2],
        slice: 0,
        field: false,
    };
}

/// What the macroblocks of a [`MotionField`] are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Coding {
    /// A frame, in raster order.
    #[default]
    Frame,
    /// An MBAFF frame, in pairs.
    Mbaff,
    /// Two fields, all of the top field first.
    Fields,
}

impl Coding {
    fn of(structure: Structure) -> Self {
        match structure {
            Structure::Frame { mbaff: false } => Self::Frame,
            Structure::Frame { mbaff: true } => Self::Mbaff,
            Structure::Field(_) => Self::Fields,
        }
    }
}

/// Motion vectors and references of one frame, or of the fields of one.
#[derive(Debug, Default)]
pub struct MotionField {
    width_in_mbs: usize,
    coding: Coding,
    macroblocks: Vec<MbMotion>,
    /// Of the slices of a frame or top field, and of a bottom field.
    lists: [Vec<ListNames>; 2],
    /// The picture that is being decoded begins here.
    first_mb: usize,
}

/// Where the slices and macroblocks of a field stand.
fn half(parity: Parity) -> usize {
    match parity {
        Parity::Top => 0,
        Parity::Bottom => 1,
    }
}

impl MotionField {
    /// Takes a new picture in; of another field of the same frame it keeps what it has. Allocates only when it grows.
    pub(crate) fn start(&mut self, structure: Structure, width_in_mbs: usize, height_in_mbs: usize) {
        let size = width_in_mbs * height_in_mbs;
        if !self.is_of(structure, width_in_mbs, height_in_mbs) {
            self.width_in_mbs = width_in_mbs;
            self.coding = Coding::of(structure);
            self.macroblocks.clear();
            self.macroblocks
                .resize(size * structure.pictures_per_frame(), MbMotion::INTRA);
            self.lists.iter_mut().for_each(Vec::clear);
        }
        let half = structure.parity().map_or(0, half);
        self.first_mb = half * size;
        self.lists[half].clear();
    }

    /// Whether it has room for a picture of that structure and size beside what it holds.
    pub(crate) fn is_of(&self, structure: Structure, width_in_mbs: usize, height_in_mbs: usize) -> bool {
        let size = width_in_mbs * height_in_mbs * structure.pictures_per_frame();
        (self.coding, self.width_in_mbs, self.macroblocks.len()) == (Coding::of(structure), width_in_mbs, size)
    }

    /// How the frame was coded, if it is of that many macroblocks.
    pub(crate) fn coding(&self, width_in_mbs: usize, frame_size_in_mbs: usize) -> Option<Coding> {
        let same_size = (self.width_in_mbs, self.macroblocks.len()) == (width_in_mbs, frame_size_in_mbs);
        same_size.then_some(self.coding)
    }

    /// Begins a slice with these references; gives the number by which its macroblocks name it.
    pub(crate) fn start_slice(&mut self, names: ListNames) -> u32 {
        let lists = &mut self.lists[usize::from(self.first_mb > 0)];
        lists.push(names);
        (lists.len() - 1) as u32
    }

    /// Motion of a macroblock of the picture that is being decoded.
    #[inline(always)]
    pub(crate) fn get(&self, mb_addr: usize) -> &MbMotion {
        &self.macroblocks[self.first_mb + mb_addr]
    }

    /// Motion of a macroblock of the picture that is being decoded, to be written.
    #[inline(always)]
    pub(crate) fn get_mut(&mut self, mb_addr: usize) -> &mut MbMotion {
        &mut self.macroblocks[self.first_mb + mb_addr]
    }

    /// Motion of a macroblock of a frame, or of one of its fields.
    pub(crate) fn of(&self, field: Option<Parity>, mb_addr: usize) -> &MbMotion {
        let first = field.map_or(0, half) * self.macroblocks.len() / 2;
        &self.macroblocks[first + mb_addr]
    }

    /// The picture that a reference index of a macroblock names: `field` as in [`Self::of`], of a field macroblock of an
    /// MBAFF frame the parity of the macroblock.
    pub(crate) fn reference(
        &self,
        field: Option<Parity>,
        motion: &MbMotion,
        list: usize,
        ref_idx: i8,
    ) -> Option<PictureName> {
        let of_picture = if self.coding == Coding::Fields { field } else { None };
        let names = self.lists[of_picture.map_or(0, half)].get(motion.slice as usize)?;
        let ref_idx = usize::try_from(ref_idx).ok()?;
        if !motion.field {
            return *names[list].get(ref_idx)?;
        }
        let frame = (*names[list].get(ref_idx / 2)?)?;
        let parity = field.map(|parity| parity.of_field_ref_idx(ref_idx));
        Some(PictureName { parity, ..frame })
    }
}
