//! The motion of a decoded picture, kept with its CAPTURE buffer for the temporal direct mode of later ones (8.4.1.2.1).

use crate::macroblock::Mv;

/// The `reference_ts` of every entry of the two reference lists of a slice.
pub(crate) type ListTimestamps = [[Option<u64>; 32]; 2];

/// Motion of one macroblock. An unused list has `ref_idx` -1 and zero vectors; intra means that both are unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MbMotion {
    /// Vectors by list and 4x4 block, in raster order.
    pub mv: [[Mv; 16]; 2],
    /// `ref_idx` by list and 8x8 quarter.
    pub ref_idx: [[i8; 4]; 2],
    /// Which of [`MotionField::lists`] the indexes count in.
    pub slice: u32,
}

impl MbMotion {
    /// What stands for a macroblock without motion.
    pub(crate) const INTRA: Self = Self {
        mv: [[Mv { x: 0, y: 0 }; 16]; 2],
        ref_idx: [[-1; 4]; 2],
        slice: 0,
    };
}

/// Motion vectors and references of one picture.
#[derive(Debug, Default)]
pub struct MotionField {
    width_in_mbs: usize,
    macroblocks: Vec<MbMotion>,
    lists: Vec<ListTimestamps>,
}

impl MotionField {
    /// Forgets the picture it was of and takes the size of another; allocates only when it grows.
    pub(crate) fn start(&mut self, width_in_mbs: usize, height_in_mbs: usize) {
        self.width_in_mbs = width_in_mbs;
        self.macroblocks.resize(width_in_mbs * height_in_mbs, MbMotion::INTRA);
        self.lists.clear();
    }

    /// Whether it holds a picture of that size.
    pub(crate) fn is_of(&self, width_in_mbs: usize, height_in_mbs: usize) -> bool {
        self.width_in_mbs == width_in_mbs && self.macroblocks.len() == width_in_mbs * height_in_mbs
    }

    /// Begins a slice with these references; gives the number by which its macroblocks name it.
    pub(crate) fn start_slice(&mut self, lists: ListTimestamps) -> u32 {
        self.lists.push(lists);
        (self.lists.len() - 1) as u32
    }

    /// Motion of the macroblock at `mb_addr`.
    #[inline(always)]
    pub(crate) fn get(&self, mb_addr: usize) -> &MbMotion {
        &self.macroblocks[mb_addr]
    }

    /// Motion of the macroblock at `mb_addr`, to be written.
    #[inline(always)]
    pub(crate) fn get_mut(&mut self, mb_addr: usize) -> &mut MbMotion {
        &mut self.macroblocks[mb_addr]
    }

    /// The picture that a reference index of a macroblock of slice `slice` names.
    pub(crate) fn reference(&self, slice: u32, list: usize, ref_idx: i8) -> Option<u64> {
        let lists = self.lists.get(slice as usize)?;
        *lists[list].get(usize::try_from(ref_idx).ok()?)?
    }
}
