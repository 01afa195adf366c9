//! The constraints of a real driver, worn by the software node: `soft:hantro`, `soft:pitch=64,mode=slice`.

use crate::memory::PixelFormat;
use crate::units::Size;
use crate::{Error, Result};

use crate::device::format::{MM21, NV12_4L4, NV12_32L32, NV15};
use crate::device::{DecodeMode, StartCode};

/// What the software node pretends to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Personality {
    /// Its name, `default` for none.
    pub name: &'static str,
    /// Decode modes it has, the default first.
    pub decode_modes: Vec<DecodeMode>,
    /// Start codes it has, the default first.
    pub start_codes: Vec<StartCode>,
    /// `bytesperline` is a multiple of this.
    pub pitch_alignment: u32,
    /// The CAPTURE height is a multiple of this.
    pub height_alignment: u32,
    /// Bytes after the samples of the last memory plane, per macroblock (where drivers keep motion vectors).
    pub tail_per_macroblock: u32,
    /// Memory planes of a picture of 8 bits: 1 (NV12) or 2 (NV12M); of 10 bits there is always one (P010, NV15).
    pub memory_planes: u32,
    /// Pictures of 8 bits of 4:2:0 lie in tiles, as one of [`Self::TILED`].
    pub tiled: Option<PixelFormat>,
    /// Pictures of 10 bits of 4:2:0 lie without gaps, as NV15.
    pub dense: bool,
    /// Most bits of a sample: 8 or 10.
    pub max_bit_depth: u8,
    /// It decodes 4:2:2.
    pub chroma_422: bool,
    /// It can hold a CAPTURE buffer for several requests.
    pub hold_capture: bool,
    /// It decodes fields and MBAFF frames, as far as fourier-soft does.
    pub interlaced: bool,
    /// It imports dma-bufs.
    pub import: bool,
    /// It has REMOVE_BUFS.
    pub remove_bufs: bool,
    /// Buffers that a queue may have.
    pub max_num_buffers: u32,
    /// 2 = entropy decoding and reconstruction have a thread each, 1 = they share one.
    pub threads: u32,
    /// Smallest coded size.
    pub min_size: Size,
    /// Largest coded size.
    pub max_size: Size,
}

impl Default for Personality {
    fn default() -> Self {
        Self {
            name: "default",
            decode_modes: vec![DecodeMode::FrameBased],
            start_codes: vec![StartCode::AnnexB],
            pitch_alignment: 64,
            height_alignment: 16,
            tail_per_macroblock: 0,
            memory_planes: 1,
            tiled: None,
            dense: false,
            max_bit_depth: 10,
            chroma_422: true,
            hold_capture: true,
            interlaced: true,
            import: true,
            remove_bufs: true,
            max_num_buffers: 32,
            threads: 2,
            min_size: Size { width: 16, height: 16 },
            max_size: Size {
                width: 4096,
                height: 2304,
            },
        }
    }
}

impl Personality {
    /// The formats in tiles: Vivante's, Allwinner's and MediaTek's.
    pub const TILED: [PixelFormat; 3] = [NV12_4L4, NV12_32L32, MM21];

    /// The personalities that have a name.
    pub const NAMES: [&'static str; 6] = ["default", "hantro", "rkvdec", "cedrus", "mediatek", "visl"];

    /// The personality of one of [`Self::NAMES`].
    fn named(name: &str) -> Option<Self> {
        let base = Self::default();
        let square = |side| Size {
            width: side,
            height: side,
        };
        Some(match name {
            "default" => base,
            "hantro" => Self {
                name: "hantro",
                max_bit_depth: 8,
                chroma_422: false,
                pitch_alignment: 16,
                tail_per_macroblock: 64,
                min_size: square(48),
                ..base
            },
            "rkvdec" => Self {
                name: "rkvdec",
                max_bit_depth: 8,
                chroma_422: false,
                pitch_alignment: 16,
                tail_per_macroblock: 128,
                remove_bufs: false,
                min_size: square(48),
                ..base
            },
            "cedrus" => Self {
                name: "cedrus",
                max_bit_depth: 8,
                chroma_422: false,
                decode_modes: vec![DecodeMode::SliceBased],
                start_codes: vec![StartCode::None],
                pitch_alignment: 32,
                remove_bufs: false,
                ..base
            },
            "mediatek" => Self {
                name: "mediatek",
                max_bit_depth: 8,
                chroma_422: false,
                height_alignment: 64,
                memory_planes: 2,
                hold_capture: false,
                interlaced: false,
                remove_bufs: false,
                min_size: square(64),
                ..base
            },
            "visl" => Self {
                name: "visl",
                max_bit_depth: 8,
                chroma_422: false,
                decode_modes: vec![DecodeMode::SliceBased, DecodeMode::FrameBased],
                start_codes: vec![StartCode::None, StartCode::AnnexB],
                pitch_alignment: 1,
                min_size: square(64),
                ..base
            },
            _ => return None,
        })
    }

    /// Parses what follows `soft:`: a name, options, or a name and options, separated by commas.
    ///
    /// Options are `mode` (`frame`, `slice`, `both`), `startcode` (`annexb`, `none`, `both`), `pitch`, `height`, `tail`,
    /// `planes`, `depth`, `buffers`, `threads` (numbers), `format` (`VT12`, `ST12`, `MM21`: tiles; `NV15`: 10 bits without gaps), `hold`, `422`, `fields`, `import`, `remove` (`on`, `off`), `min`, `max` (`WxH`).
    ///
    /// # Errors
    /// [`Error::Unsupported`] naming the word that is not understood.
    pub fn parse(text: &str) -> Result<Self> {
        let mut personality = Self::default();
        for (position, word) in text.split(',').filter(|word| !word.is_empty()).enumerate() {
            let understood = match word.split_once('=') {
                Some((option, value)) => personality.set(option, value),
                None if position == 0 => Self::named(word).map(|named| personality = named),
                None => None,
            };
            understood.ok_or_else(|| Error::Unsupported(format!("software device option `{word}`")))?;
        }
        Ok(personality)
    }

    /// Sets one option; `None` if there is no such option or value.
    fn set(&mut self, option: &str, value: &str) -> Option<()> {
        match option {
            "mode" => {
                self.decode_modes = match value {
                    "frame" => vec![DecodeMode::FrameBased],
                    "slice" => vec![DecodeMode::SliceBased],
                    "both" => vec![DecodeMode::FrameBased, DecodeMode::SliceBased],
                    _ => return None,
                }
            }
            "startcode" => {
                self.start_codes = match value {
                    "annexb" => vec![StartCode::AnnexB],
                    "none" => vec![StartCode::None],
                    "both" => vec![StartCode::AnnexB, StartCode::None],
                    _ => return None,
                }
            }
            "pitch" => self.pitch_alignment = number(value, 1..=4096)?,
            "height" => self.height_alignment = number(value, 16..=256).filter(|height| height % 16 == 0)?,
            "tail" => self.tail_per_macroblock = number(value, 0..=4096)?,
            "planes" => self.memory_planes = number(value, 1..=2)?,
            "format" => {
                let format = PixelFormat::from_fourcc(value.as_bytes().try_into().ok()?);
                match format {
                    NV15 => self.dense = true,
                    format => self.tiled = Some(Self::TILED.into_iter().find(|tiled| *tiled == format)?),
                }
            }
            "depth" => self.max_bit_depth = number(value, 8..=10).filter(|depth| depth % 2 == 0)? as u8,
            "buffers" => self.max_num_buffers = number(value, 1..=64)?,
            "threads" => self.threads = number(value, 1..=2)?,
            "hold" => self.hold_capture = switch(value)?,
            "422" => self.chroma_422 = switch(value)?,
            "fields" => self.interlaced = switch(value)?,
            "import" => self.import = switch(value)?,
            "remove" => self.remove_bufs = switch(value)?,
            "min" => self.min_size = size(value)?,
            "max" => self.max_size = size(value)?,
            _ => return None,
        }
        (self.min_size.width <= self.max_size.width && self.min_size.height <= self.max_size.height).then_some(())
    }
}

fn number(value: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
    value.parse().ok().filter(|number| range.contains(number))
}

fn switch(value: &str) -> Option<bool> {
    match value {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// A coded size in whole macroblocks, up to what level 6.2 permits (A.3.1).
fn size(value: &str) -> Option<Size> {
    let (width, height) = value.split_once('x')?;
    let side = |side: &str| number(side, 16..=16_384).filter(|side| side % 16 == 0);
    Some(Size {
        width: side(width)?,
        height: side(height)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_takes_options_after_it() {
        let cedrus = Personality::parse("cedrus,hold=off,max=1920x1088").unwrap();
        assert_eq!(cedrus.decode_modes, [DecodeMode::SliceBased]);
        assert_eq!(
            (cedrus.hold_capture, cedrus.max_size),
            (
                false,
                Size {
                    width: 1920,
                    height: 1088
                }
            )
        );
        assert_eq!(Personality::parse("").unwrap(), Personality::default());
        assert_eq!(Personality::parse("pitch=128,threads=1").unwrap().pitch_alignment, 128);
    }

    #[test]
    fn every_name_is_known() {
        for name in Personality::NAMES {
            assert_eq!(Personality::parse(name).unwrap().name, name);
        }
    }

    #[test]
    fn a_word_that_is_not_understood_is_named() {
        for word in [
            "hantr",
            "pitch=0",
            "pitch=a",
            "mode=field",
            "hold=maybe",
            "max=17x16",
            "min=64",
            "planes=3",
            "depth=9",
            "format=NV12",
            "format=VT1",
            "height=17",
            "x=1",
        ] {
            let error = Personality::parse(word).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
        assert!(Personality::parse("hold=off,hantro").is_err(), "a name comes first");
        assert!(Personality::parse("min=64x64,max=48x48").is_err());
    }
}
