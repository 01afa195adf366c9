//! Supplemental enhancement information (7.3.2.3, annex D): the messages that decoding or display can use.
#![deny(clippy::indexing_slicing)]

use super::bit_reader::{BitReader, Structure};
use super::nal::NalUnit;
use super::sps::Sps;
use crate::BitstreamError;

const SEI_MESSAGE: Structure = Structure {
    name: "sei_message",
    clause: "7.4.2.3.1",
};
const PIC_TIMING: Structure = Structure {
    name: "pic_timing",
    clause: "D.2.3",
};
const RECOVERY_POINT: Structure = Structure {
    name: "recovery_point",
    clause: "D.2.8",
};
const MASTERING_DISPLAY: Structure = Structure {
    name: "mastering_display_colour_volume",
    clause: "D.2.29",
};
const CONTENT_LIGHT_LEVEL: Structure = Structure {
    name: "content_light_level_info",
    clause: "D.2.31",
};
const ALTERNATIVE_TRANSFER: Structure = Structure {
    name: "alternative_transfer_characteristics",
    clause: "D.2.32",
};

/// A message that somebody here can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeiMessage {
    /// Payload type 1.
    PicTiming(PicTiming),
    /// Payload type 6.
    RecoveryPoint(RecoveryPoint),
    /// Payload type 137.
    MasteringDisplayColourVolume(MasteringDisplayColourVolume),
    /// Payload type 144.
    ContentLightLevel(ContentLightLevel),
    /// Payload type 147: `preferred_transfer_characteristics`.
    AlternativeTransferCharacteristics(u8),
}

/// `pic_timing()` (D.1.3) without delays and times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PicTiming {
    /// `pic_struct` if `pic_struct_present_flag`.
    pub pic_struct: Option<PicStruct>,
    /// The `ct_type`s of its clock timestamps, as bits: 0 progressive, 1 interlaced, 2 unknown.
    pub ct_types: u8,
}

/// `pic_struct` (table D-1): how a picture is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PicStruct {
    /// 0: progressive frame.
    Frame,
    /// 1: top field.
    TopField,
    /// 2: bottom field.
    BottomField,
    /// 3: top field, bottom field.
    TopBottom,
    /// 4: bottom field, top field.
    BottomTop,
    /// 5: top field, bottom field, top field.
    TopBottomTop,
    /// 6: bottom field, top field, bottom field.
    BottomTopBottom,
    /// 7: frame, twice.
    FrameDoubling,
    /// 8: frame, three times.
    FrameTripling,
}

impl PicStruct {
    /// `NumClockTS` (table D-1).
    fn clock_timestamps(self) -> usize {
        match self {
            Self::Frame | Self::TopField | Self::BottomField => 1,
            Self::TopBottom | Self::BottomTop | Self::FrameDoubling => 2,
            Self::TopBottomTop | Self::BottomTopBottom | Self::FrameTripling => 3,
        }
    }
}

/// `recovery_point()` (D.1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryPoint {
    /// `recovery_frame_cnt`: after so many more increments of `frame_num`, output is right.
    pub recovery_frame_cnt: u16,
    /// `exact_match_flag`: right to the last bit then.
    pub exact_match_flag: bool,
    /// `broken_link_flag`: what precedes it in output order may be unfit to show.
    pub broken_link_flag: bool,
}

/// `mastering_display_colour_volume()` (D.1.29).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MasteringDisplayColourVolume {
    /// `display_primaries_x`, `_y` in units of 0.00002: green, blue, red where the encoder follows the recommendation.
    pub display_primaries: [(u16, u16); 3],
    /// `white_point_x`, `_y` in units of 0.00002.
    pub white_point: (u16, u16),
    /// `max_display_mastering_luminance` in units of 0.0001 cd/m2.
    pub max_display_mastering_luminance: u32,
    /// `min_display_mastering_luminance` in units of 0.0001 cd/m2.
    pub min_display_mastering_luminance: u32,
}

/// `content_light_level_info()` (D.1.31).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentLightLevel {
    /// `max_content_light_level` in cd/m2.
    pub max_content_light_level: u16,
    /// `max_pic_average_light_level` in cd/m2.
    pub max_pic_average_light_level: u16,
}

/// The messages of an SEI NAL unit (type 6) that somebody here can use; all others are passed over.
///
/// A broken message is logged and passed over too: no picture depends on it. `pic_timing()` can be read only with the
/// active SPS.
pub fn messages<'a>(nal: &NalUnit<'a>, sps: Option<&'a Sps>) -> SeiMessages<'a> {
    SeiMessages {
        reader: BitReader::new(SEI_MESSAGE, nal.payload()),
        sps,
        is_over: false,
    }
}

/// What [`messages`] returns.
#[derive(Clone, Debug)]
pub struct SeiMessages<'a> {
    reader: BitReader<'a>,
    sps: Option<&'a Sps>,
    is_over: bool,
}

impl Iterator for SeiMessages<'_> {
    type Item = SeiMessage;

    fn next(&mut self) -> Option<SeiMessage> {
        while !self.is_over && self.reader.more_rbsp_data() {
            match self.next_payload() {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(error) => tracing::debug!("an SEI message is ignored: {error}"),
            }
        }
        None
    }
}

impl SeiMessages<'_> {
    /// Reads one message and goes on to the next; an error of the framing is the end of all.
    fn next_payload(&mut self) -> Result<Option<SeiMessage>, BitstreamError> {
        self.is_over = true;
        let r = &mut self.reader;
        let payload_type = sum_of_bytes(r, "payload_type_byte")?;
        let bits = sum_of_bytes(r, "payload_size_byte")? * 8;
        let payload = r.clone();
        let skipped = r.skip(bits, "payloadSize");
        self.is_over = skipped.is_err();
        let message = parse_payload(payload_type, self.sps, |structure| payload.limited(structure, bits));
        message.and_then(|message| skipped.map(|()| message))
    }
}

/// `payloadType` and `payloadSize`: a byte of 255 says that another one follows.
fn sum_of_bytes(r: &mut BitReader<'_>, element: &'static str) -> Result<u64, BitstreamError> {
    let mut sum = 0;
    loop {
        let byte: u8 = r.bits(8, element)?;
        sum += u64::from(byte);
        if byte != u8::MAX {
            return Ok(sum);
        }
    }
}

fn parse_payload<'a>(
    payload_type: u64,
    sps: Option<&Sps>,
    payload: impl FnOnce(Structure) -> BitReader<'a>,
) -> Result<Option<SeiMessage>, BitstreamError> {
    Ok(Some(match payload_type {
        1 => match sps {
            Some(sps) => SeiMessage::PicTiming(pic_timing(&mut payload(PIC_TIMING), sps)?),
            None => return Ok(None),
        },
        6 => SeiMessage::RecoveryPoint(recovery_point(&mut payload(RECOVERY_POINT))?),
        137 => SeiMessage::MasteringDisplayColourVolume(mastering_display(&mut payload(MASTERING_DISPLAY))?),
        144 => {
            let r = &mut payload(CONTENT_LIGHT_LEVEL);
            SeiMessage::ContentLightLevel(ContentLightLevel {
                max_content_light_level: r.bits(16, "max_content_light_level")?,
                max_pic_average_light_level: r.bits(16, "max_pic_average_light_level")?,
            })
        }
        147 => {
            let r = &mut payload(ALTERNATIVE_TRANSFER);
            SeiMessage::AlternativeTransferCharacteristics(r.bits(8, "preferred_transfer_characteristics")?)
        }
        _ => return Ok(None),
    }))
}

fn pic_timing(r: &mut BitReader<'_>, sps: &Sps) -> Result<PicTiming, BitstreamError> {
    let Some(vui) = &sps.vui else {
        return Ok(PicTiming::default());
    };
    let hrd = vui.nal_hrd_parameters.or(vui.vcl_hrd_parameters);
    if let Some(hrd) = hrd {
        r.skip(u64::from(hrd.cpb_removal_delay_length_minus1) + 1, "cpb_removal_delay")?;
        r.skip(u64::from(hrd.dpb_output_delay_length_minus1) + 1, "dpb_output_delay")?;
    }
    if !vui.pic_struct_present_flag {
        return Ok(PicTiming::default());
    }
    let pic_struct = pic_struct(r)?;
    // Where the stream is silent, E.2.2 infers 24.
    let time_offset_length = hrd.map_or(24, |hrd| hrd.time_offset_length);
    let mut ct_types = 0;
    for _ in 0..pic_struct.clock_timestamps() {
        if r.flag("clock_timestamp_flag")? {
            ct_types |= 1 << clock_timestamp(r, time_offset_length)?;
        }
    }
    Ok(PicTiming {
        pic_struct: Some(pic_struct),
        ct_types,
    })
}

/// One clock timestamp; gives its `ct_type`.
fn clock_timestamp(r: &mut BitReader<'_>, time_offset_length: u8) -> Result<u8, BitstreamError> {
    let ct_type = r.bits::<u8>(2, "ct_type")?;
    r.skip(1 + 5, "counting_type")?;
    let full_timestamp = r.flag("full_timestamp_flag")?;
    r.skip(1 + 1 + 8, "n_frames")?;
    if full_timestamp {
        r.skip(6 + 6 + 5, "hours_value")?;
    } else if r.flag("seconds_flag")? {
        r.skip(6, "seconds_value")?;
        if r.flag("minutes_flag")? {
            r.skip(6, "minutes_value")?;
            if r.flag("hours_flag")? {
                r.skip(5, "hours_value")?;
            }
        }
    }
    r.skip(time_offset_length.into(), "time_offset")?;
    Ok(ct_type)
}

fn pic_struct(r: &mut BitReader<'_>) -> Result<PicStruct, BitstreamError> {
    Ok(match r.bits::<u8>(4, "pic_struct")? {
        0 => PicStruct::Frame,
        1 => PicStruct::TopField,
        2 => PicStruct::BottomField,
        3 => PicStruct::TopBottom,
        4 => PicStruct::BottomTop,
        5 => PicStruct::TopBottomTop,
        6 => PicStruct::BottomTopBottom,
        7 => PicStruct::FrameDoubling,
        8 => PicStruct::FrameTripling,
        reserved => return Err(r.error("pic_struct", format!("{reserved} is reserved"))),
    })
}

fn recovery_point(r: &mut BitReader<'_>) -> Result<RecoveryPoint, BitstreamError> {
    Ok(RecoveryPoint {
        recovery_frame_cnt: r.ue_max(u16::MAX, "recovery_frame_cnt")?,
        exact_match_flag: r.flag("exact_match_flag")?,
        broken_link_flag: r.flag("broken_link_flag")?,
    })
}

fn mastering_display(r: &mut BitReader<'_>) -> Result<MasteringDisplayColourVolume, BitstreamError> {
    let mut display_primaries = [(0, 0); 3];
    for primary in &mut display_primaries {
        *primary = (r.bits(16, "display_primaries_x")?, r.bits(16, "display_primaries_y")?);
    }
    Ok(MasteringDisplayColourVolume {
        display_primaries,
        white_point: (r.bits(16, "white_point_x")?, r.bits(16, "white_point_y")?),
        max_display_mastering_luminance: r.bits(32, "max_display_mastering_luminance")?,
        min_display_mastering_luminance: r.bits(32, "min_display_mastering_luminance")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::h264::sps::tests::example_sps;
    use crate::h264::sps::{HrdParameters, Vui};
    use crate::h264::testing::Random;
    use crate::h264::write::bits::BitWriter;

    fn write_message(w: &mut BitWriter, payload_type: u32, payload: &[u8]) {
        for _ in 0..payload_type / 255 {
            w.u(8, 255);
        }
        w.u(8, payload_type % 255);
        for _ in 0..payload.len() / 255 {
            w.u(8, 255);
        }
        w.u(8, payload.len() as u32 % 255);
        for &byte in payload {
            w.u(8, u32::from(byte));
        }
    }

    fn parse(nal: &[u8], sps: Option<&Sps>) -> Vec<SeiMessage> {
        messages(&NalUnit::parse(nal).unwrap(), sps).collect()
    }

    const RECOVERY: SeiMessage = SeiMessage::RecoveryPoint(RecoveryPoint {
        recovery_frame_cnt: 0,
        exact_match_flag: true,
        broken_link_flag: false,
    });

    #[test]
    fn messages_are_found_among_others() {
        let mut w = BitWriter::default();
        write_message(&mut w, 5, &[0; 600]);
        write_message(&mut w, 6, &[0b1100_0100]);
        write_message(&mut w, 300, &[1, 2, 3]);
        write_message(&mut w, 147, &[18]);
        write_message(&mut w, 144, &[3, 232, 1, 144]);
        let light = ContentLightLevel {
            max_content_light_level: 1000,
            max_pic_average_light_level: 400,
        };
        let expected = [
            RECOVERY,
            SeiMessage::AlternativeTransferCharacteristics(18),
            SeiMessage::ContentLightLevel(light),
        ];
        assert_eq!(parse(&w.trailing_bits().nal(0, 6), None), expected);
    }

    #[test]
    fn the_mastering_display_is_read_through_emulation_prevention() {
        let mut w = BitWriter::default();
        let payload: Vec<u8> = [1_u16, 0, 2, 0, 3, 0, 4, 5]
            .iter()
            .flat_map(|value| value.to_be_bytes())
            .collect();
        let luminance = [10_000_000_u32, 1]
            .iter()
            .flat_map(|value| value.to_be_bytes())
            .collect::<Vec<_>>();
        write_message(&mut w, 137, &[payload, luminance].concat());
        let nal = w.trailing_bits().nal(0, 6);
        assert!(nal.windows(4).any(|bytes| bytes[..3] == [0, 0, 3]));
        let expected = MasteringDisplayColourVolume {
            display_primaries: [(1, 0), (2, 0), (3, 0)],
            white_point: (4, 5),
            max_display_mastering_luminance: 10_000_000,
            min_display_mastering_luminance: 1,
        };
        assert_eq!(parse(&nal, None), [SeiMessage::MasteringDisplayColourVolume(expected)]);
    }

    #[test]
    fn picture_timing_needs_the_active_sps() {
        let hrd = HrdParameters {
            initial_cpb_removal_delay_length_minus1: 23,
            cpb_removal_delay_length_minus1: 6,
            dpb_output_delay_length_minus1: 4,
            time_offset_length: 0,
        };
        let vui = Vui {
            vcl_hrd_parameters: Some(hrd),
            pic_struct_present_flag: true,
            ..Vui::default()
        };
        let sps = Sps {
            vui: Some(vui),
            ..example_sps()
        };
        let mut w = BitWriter::default();
        let payload = BitWriter::default()
            .u(7, 99)
            .u(5, 9)
            .u(4, 4)
            .flag(false)
            // Interlaced, drop-frame counting, seconds but no minutes.
            .flag(true)
            .u(2, 1)
            .u(6, 4)
            .flag(false)
            .u(10, 7)
            .flag(true)
            .u(6, 59)
            .flag(false)
            .trailing_bits()
            .bytes()
            .to_vec();
        write_message(&mut w, 1, &payload);
        let nal = w.trailing_bits().nal(0, 6);
        assert_eq!(parse(&nal, None), []);
        let timing = PicTiming {
            pic_struct: Some(PicStruct::BottomTop),
            ct_types: 0b010,
        };
        assert_eq!(parse(&nal, Some(&sps)), [SeiMessage::PicTiming(timing)]);
        let silent = SeiMessage::PicTiming(PicTiming::default());
        assert_eq!(parse(&nal, Some(&example_sps())), [silent]);
    }

    #[test]
    fn a_message_cannot_read_beyond_its_payload() {
        let mut w = BitWriter::default();
        write_message(&mut w, 137, &[0xff; 23]);
        write_message(&mut w, 6, &[0b1100_0100]);
        assert_eq!(parse(&w.trailing_bits().nal(0, 6), None), [RECOVERY]);
    }

    #[test]
    fn a_payload_that_exceeds_the_nal_unit_ends_it() {
        let mut w = BitWriter::default();
        write_message(&mut w, 6, &[0b1100_0100]);
        w.u(8, 5).u(8, 200).u(8, 7);
        assert_eq!(parse(&w.trailing_bits().nal(0, 6), None), [RECOVERY]);
    }

    #[test]
    fn any_bytes_are_messages_or_ignored() {
        let mut random = Random::new(10);
        for _ in 0..20_000 {
            let length = random.below(40);
            let bytes =
                (0..length).map(|_| [0, 1, 6, 137, 144, 255, random.below(256) as u8][random.below(7) as usize]);
            let nal: Vec<u8> = std::iter::once(6).chain(bytes).collect();
            assert!(parse(&nal, Some(&example_sps())).len() <= nal.len());
        }
    }
}
