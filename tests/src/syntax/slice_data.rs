//! `slice_data()` of CAVLC slices (7.3.4, 7.3.5): samples as they are, and prediction without a residual, so that a test
//! can say what every sample becomes.

use fourier_core::h264::slice_header::SliceType;

use super::bits::BitWriter;

/// What samples are like; luma and chroma have the same depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleFormat {
    /// `chroma_format_idc`: 0, 1 or 2.
    pub chroma_format_idc: u8,
    /// `BitDepth`.
    pub bit_depth: u8,
}

impl SampleFormat {
    /// 8 bits, 4:2:0.
    pub const PLAIN: Self = Self {
        chroma_format_idc: 1,
        bit_depth: 8,
    };

    /// Samples of Cb, and of Cr, in a macroblock: 8 in a row.
    pub fn chroma_samples(self) -> usize {
        usize::from(self.chroma_format_idc) * 64
    }
}

/// Samples of an `I_PCM` macroblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PcmSamples {
    /// Bits of each.
    pub bit_depth: u8,
    /// In raster order.
    pub luma: [u16; 256],
    /// Cb and Cr in raster order.
    pub chroma: [Vec<u16>; 2],
}

impl PcmSamples {
    /// Of [`SampleFormat::PLAIN`], all the same and without colour.
    pub fn flat(luma: u8) -> Self {
        Self {
            bit_depth: 8,
            luma: [luma.into(); 256],
            chroma: std::array::from_fn(|_| vec![128; SampleFormat::PLAIN.chroma_samples()]),
        }
    }
}

/// A reference and a vector of a 16x16 partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prediction {
    /// `ref_idx`.
    pub ref_idx: u8,
    /// `mvd`, horizontal and vertical, in quarters of a sample.
    pub mvd: [i32; 2],
}

/// A macroblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Macroblock {
    /// `P_Skip` or `B_Skip`.
    Skip,
    /// `I_PCM`.
    Pcm(Box<PcmSamples>),
    /// `P_L0_16x16`, or `B_L0_16x16`, `B_L1_16x16`, `B_Bi_16x16` by the lists that are used; at least one is.
    Inter16x16([Option<Prediction>; 2]),
}

/// Whether a slice has pairs of macroblocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// `MbaffFrameFlag` 0.
    None,
    /// `MbaffFrameFlag` 1; macroblocks come top, bottom, top, bottom.
    Mbaff,
}

/// Writes the macroblocks of one slice behind its header.
#[derive(Debug)]
pub struct SliceData<'a> {
    w: &'a mut BitWriter,
    slice_type: SliceType,
    num_ref_idx_active: [u8; 2],
    pairs: Pairs,
    mb_skip_run: u32,
    /// Macroblocks so far.
    count: usize,
    /// `mb_field_decoding_flag` of this pair is written.
    pair_has_flag: bool,
}

impl<'a> SliceData<'a> {
    /// Begins after the header, which `w` has.
    pub fn new(w: &'a mut BitWriter, slice_type: SliceType, num_ref_idx_active: [u8; 2], pairs: Pairs) -> Self {
        Self {
            w,
            slice_type,
            num_ref_idx_active,
            pairs,
            mb_skip_run: 0,
            count: 0,
            pair_has_flag: false,
        }
    }

    /// The next macroblock; `field` is `mb_field_decoding_flag` of its pair, which counts in MBAFF frames only.
    pub fn macroblock(&mut self, macroblock: &Macroblock, field: bool) {
        if self.count.is_multiple_of(2) {
            self.pair_has_flag = false;
        }
        self.count += 1;
        if *macroblock == Macroblock::Skip {
            self.mb_skip_run += 1;
            return;
        }
        if self.slice_type != SliceType::I {
            self.w.ue(std::mem::take(&mut self.mb_skip_run));
        }
        let is_field = self.pairs == Pairs::Mbaff && field;
        if self.pairs == Pairs::Mbaff && !std::mem::replace(&mut self.pair_has_flag, true) {
            self.w.flag(field);
        }
        match macroblock {
            Macroblock::Skip => {}
            Macroblock::Pcm(samples) => self.pcm(samples),
            Macroblock::Inter16x16(predictions) => self.inter_16x16(predictions, is_field),
        }
    }

    /// `rbsp_slice_trailing_bits()`.
    pub fn finish(self) {
        if self.mb_skip_run > 0 {
            self.w.ue(self.mb_skip_run);
        }
        self.w.trailing_bits();
    }

    fn pcm(&mut self, samples: &PcmSamples) {
        // Table 7-11, behind the types of inter macroblocks (tables 7-13, 7-14).
        let i_pcm = 25;
        self.w.ue(match self.slice_type {
            SliceType::P | SliceType::Sp => 5 + i_pcm,
            SliceType::B => 23 + i_pcm,
            SliceType::I | SliceType::Si => i_pcm,
        });
        self.w.align(false);
        for &sample in samples.luma.iter().chain(samples.chroma.iter().flatten()) {
            self.w.u(samples.bit_depth.into(), u32::from(sample));
        }
    }

    fn inter_16x16(&mut self, predictions: &[Option<Prediction>; 2], is_field: bool) {
        self.w.ue(match (self.slice_type, predictions) {
            (SliceType::B, [Some(_), None]) => 1,
            (SliceType::B, [None, Some(_)]) => 2,
            (SliceType::B, _) => 3,
            _ => 0,
        });
        for (prediction, &active) in predictions.iter().zip(&self.num_ref_idx_active) {
            // A field macroblock of a frame chooses among twice as many fields.
            let choices = u32::from(active) * if is_field { 2 } else { 1 };
            if let Some(prediction) = prediction.filter(|_| choices > 1) {
                te(self.w, choices - 1, u32::from(prediction.ref_idx));
            }
        }
        for prediction in predictions.iter().flatten() {
            self.w.se(prediction.mvd[0]).se(prediction.mvd[1]);
        }
        // Table 9-4: of inter macroblocks, 0 stands for coded_block_pattern 0.
        let coded_block_pattern = 0;
        self.w.ue(coded_block_pattern);
    }
}

/// `te(v)` (9.1.1).
fn te(w: &mut BitWriter, max: u32, value: u32) {
    match max {
        1 => w.flag(value == 0),
        _ => w.ue(value),
    };
}
