//! Small streams through the software device. `open_gop.264` has 14 frames of 64x48 with a B pyramid and recovery points
//! before frames 6 and 12 (display order 6, 12); `small.264` is an IDR picture and three P pictures of 32x32;
//! `fake_interlaced.264` has four progressive frames in a sequence that permits fields.

mod fields;
mod parameter_sets;

use std::collections::HashMap;
use std::time::Duration;

use nix::errno::Errno;

use super::*;
use crate::decode::Outcome;
use crate::device::fault::{Fault, FaultyDevice, Occasion, Verb};
use crate::device::soft::{Personality, SoftDevice};
use crate::units::Size;

const OPEN_GOP: &[u8] = include_bytes!("tests/open_gop.264");
const SMALL: &[u8] = include_bytes!("tests/small.264");
const FAKE_INTERLACED: &[u8] = include_bytes!("tests/fake_interlaced.264");
const NAL: StreamConfig = StreamConfig {
    low_latency: false,
    start: StartPolicy::Clean,
    downstream_min_frames: 0,
    alignment: Alignment::Nal,
};

fn soft(config: StreamConfig) -> StreamDecoder {
    StreamDecoder::new(Arc::new(SoftDevice::default()), config).unwrap()
}

fn nal_units(stream: &[u8]) -> Vec<&[u8]> {
    annexb::nal_units(stream).collect()
}

fn annex_b<'a>(nal_units: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    nal_units
        .into_iter()
        .flat_map(|nal| [&[0, 0, 1], nal].concat())
        .collect()
}

/// Splits at each slice: parameter sets and SEI belong to the slice after them.
fn access_units(stream: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut units = vec![Vec::new()];
    for nal in nal_units(stream) {
        units.last_mut().unwrap().push(nal);
        if matches!(nal[0] & 31, 1 | 5) {
            units.push(Vec::new());
        }
    }
    units.retain(|unit| !unit.is_empty());
    units
}

/// What came out of a decoder.
#[derive(Default)]
struct Got {
    formats: Vec<Arc<StreamFormat>>,
    /// In display order: the tag, whether it is good, and the samples.
    frames: Vec<(u64, Outcome, Vec<u8>)>,
    dropped: HashMap<u64, DropReason>,
    warnings: Vec<String>,
}

impl Got {
    fn take(&mut self, decoder: &mut StreamDecoder) {
        while let Some(event) = decoder.next_event() {
            match event {
                Event::Format(format) => self.formats.push(format),
                Event::Frame(frame) => {
                    let outcome = frame.wait();
                    let samples = frame.frame().memory().read().unwrap().object(0).unwrap().to_vec();
                    self.frames.push((frame.tag().unwrap().0, outcome, samples));
                }
                Event::Dropped { tag, reason } => {
                    assert!(self.dropped.insert(tag.0, reason).is_none(), "{tag:?} is dropped twice");
                }
                Event::Warning(error) => self.warnings.push(error.to_string()),
            }
        }
    }

    fn tags(&self) -> Vec<u64> {
        self.frames.iter().map(|&(tag, ..)| tag).collect()
    }

    /// The tags of damaged frames.
    fn damaged(&self) -> Vec<u64> {
        self.frames
            .iter()
            .filter(|(_, outcome, _)| *outcome == Outcome::Damaged)
            .map(|&(tag, ..)| tag)
            .collect()
    }

    fn samples(&self) -> Vec<&[u8]> {
        self.frames.iter().map(|(.., samples)| samples.as_slice()).collect()
    }

    fn dropped_as(&self, reason: DropReason) -> Vec<u64> {
        let mut tags: Vec<_> = self
            .dropped
            .iter()
            .filter(|&(_, &why)| why == reason)
            .map(|(&tag, _)| tag)
            .collect();
        tags.sort_unstable();
        tags
    }
}

/// Decodes pieces, the n-th with tag n, and drains.
fn decode_pieces<'a>(decoder: &mut StreamDecoder, pieces: impl IntoIterator<Item = Vec<&'a [u8]>>) -> Got {
    let mut got = Got::default();
    for (piece, tag) in pieces.into_iter().zip((0..).map(FrameTag)) {
        decoder.decode(AccessUnitBytes::AnnexB(&annex_b(piece)), tag).unwrap();
        got.take(decoder);
    }
    decoder.drain().unwrap();
    got.take(decoder);
    got
}

fn decode_access_units(units: impl IntoIterator<Item = Vec<&'static [u8]>>) -> Got {
    decode_pieces(&mut soft(StreamConfig::default()), units)
}

#[test]
fn is_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<StreamDecoder>();
    check::<OutputFrame>();
}

#[test]
fn frames_come_in_display_order_each_with_its_tag() {
    let got = decode_access_units(access_units(OPEN_GOP));
    assert_eq!(got.tags(), [0, 3, 2, 4, 1, 6, 5, 9, 8, 10, 7, 12, 11, 13]);
    assert_eq!(got.damaged(), []);
    assert!(got.dropped.is_empty() && got.warnings.is_empty());
    let [format] = got.formats.as_slice() else {
        panic!("one format")
    };
    assert_eq!(format.visible.size, crate::units::Size { width: 64, height: 48 });
    assert_eq!((format.frame_rate(), format.reorder_frames), (Some((50, 2)), 2));
}

#[test]
fn output_lags_no_more_than_the_stream_says() {
    let mut decoder = soft(StreamConfig::default());
    let mut lags = Vec::new();
    let mut frames = 0;
    for (n, unit) in (0..).zip(access_units(OPEN_GOP)) {
        decoder
            .decode(AccessUnitBytes::AnnexB(&annex_b(unit)), FrameTag(n))
            .unwrap();
        frames += std::iter::from_fn(|| decoder.next_event())
            .filter(|event| matches!(event, Event::Frame(_)))
            .count() as u64;
        lags.push(n + 1 - frames);
    }
    assert_eq!(lags.iter().max(), Some(&2));
}

#[test]
fn single_nal_units_lengths_and_whole_access_units_give_the_same_frames() {
    let whole = decode_access_units(access_units(OPEN_GOP));
    let single = decode_pieces(&mut soft(NAL), nal_units(OPEN_GOP).into_iter().map(|nal| vec![nal]));
    assert_eq!(single.samples(), whole.samples());
    assert_eq!(
        single.dropped_as(DropReason::NoPicture).len(),
        8,
        "parameter sets and SEI"
    );

    let mut decoder = soft(StreamConfig::default());
    let units = access_units(OPEN_GOP);
    let codec_data = avc_decoder_configuration(units[0][0], units[0][1]);
    let length_size = decoder.set_codec_data(&codec_data).unwrap();
    let mut got = Got::default();
    for (unit, tag) in units.iter().zip((0..).map(FrameTag)) {
        let slice = unit.last().unwrap();
        let data = [&u16::try_from(slice.len()).unwrap().to_be_bytes(), *slice].concat();
        decoder
            .decode(
                AccessUnitBytes::Avcc {
                    length_size,
                    data: &data,
                },
                tag,
            )
            .unwrap();
        got.take(&mut decoder);
    }
    decoder.drain().unwrap();
    got.take(&mut decoder);
    assert_eq!(got.samples(), whole.samples());
}

/// `avcC` with two-byte lengths.
fn avc_decoder_configuration(sps: &[u8], pps: &[u8]) -> Vec<u8> {
    let with_length = |set: &[u8]| [&u16::try_from(set.len()).unwrap().to_be_bytes(), set].concat();
    [
        vec![1, sps[1], sps[2], sps[3], 0xfd, 0xe1],
        with_length(sps),
        vec![1],
        with_length(pps),
    ]
    .concat()
}

#[test]
fn an_access_unit_that_is_complete_need_not_wait_for_the_next() {
    let mut decoder = soft(NAL);
    decoder
        .decode(
            AccessUnitBytes::AnnexB(&annex_b(access_units(SMALL)[0].clone())),
            FrameTag(7),
        )
        .unwrap();
    let frames = |decoder: &mut StreamDecoder| {
        std::iter::from_fn(|| decoder.next_event())
            .filter(|event| matches!(event, Event::Frame(_)))
            .count()
    };
    assert_eq!(frames(&mut decoder), 0);
    decoder.end_of_access_unit().unwrap();
    assert_eq!(frames(&mut decoder), 1);
}

#[test]
fn slices_without_parameter_sets_are_dropped_quietly() {
    let mut decoder = soft(StreamConfig::default());
    let slices = access_units(SMALL).into_iter().map(|unit| vec![*unit.last().unwrap()]);
    let got = decode_pieces(&mut decoder, slices);
    assert_eq!(got.dropped_as(DropReason::AwaitingParameterSets), [0, 1, 2, 3]);
    assert_eq!(decoder.state(), DecodingState::AwaitingParameterSets);
}

#[test]
fn decoding_begins_at_a_recovery_point_and_drops_what_precedes_it() {
    let whole = decode_access_units(access_units(OPEN_GOP));
    // Without the IDR picture: tags 0 to 3 are the rest of its group, 4 is the recovery point, 5 leads it.
    let got = decode_access_units(access_units(OPEN_GOP).into_iter().map(|unit| {
        if unit[0][0] & 31 == 7 && unit.len() == 3 {
            unit[..2].to_vec()
        } else {
            unit
        }
    }));
    assert_eq!(got.dropped_as(DropReason::AwaitingKeyframe), [1, 2, 3, 4]);
    assert_eq!(got.dropped_as(DropReason::Leading), [6]);
    assert_eq!(got.tags(), [5, 9, 8, 10, 7, 12, 11, 13]);
    assert_eq!(got.damaged(), []);
    assert_eq!(got.samples(), whole.samples()[6..]);
}

#[test]
fn a_recovery_point_of_a_picture_that_did_not_come_is_not_that_of_the_next_access_unit() {
    const DELIMITER: &[u8] = &[9, 0xf0];
    let units = access_units(OPEN_GOP);
    let sei_of_lost = units[5].iter().copied().filter(|nal| nal[0] & 31 == 6);
    let parameter_sets = units[0].iter().copied().filter(|nal| matches!(nal[0] & 31, 7 | 8));
    let lost = parameter_sets.chain(sei_of_lost).collect::<Vec<_>>();
    assert!(lost.len() > 2, "a recovery point is among them");
    let next = [&[DELIMITER], &units[7][..]].concat();
    let pieces = lost.into_iter().chain(next).map(|nal| vec![nal]);
    let got = decode_pieces(&mut soft(NAL), pieces);
    assert_eq!(got.tags(), []);
    assert_eq!(got.dropped_as(DropReason::AwaitingKeyframe).len(), 1);
}

#[test]
fn an_intra_picture_without_recovery_point_is_a_beginning_too() {
    let got = decode_access_units(access_units(OPEN_GOP).into_iter().map(|unit| {
        let keep = |nal: &&[u8]| !matches!(nal[0] & 31, 5 | 6);
        unit.into_iter().filter(keep).collect()
    }));
    assert_eq!(got.tags()[0], 5);
    assert_eq!(got.damaged(), []);
}

#[test]
fn a_fast_start_shows_everything_that_it_can_and_flags_what_is_not_right_yet() {
    let whole = decode_access_units(access_units(OPEN_GOP));
    let config = StreamConfig {
        start: StartPolicy::Fast,
        ..StreamConfig::default()
    };
    let without_idr = access_units(OPEN_GOP).into_iter().map(|unit| {
        let keep = |nal: &&[u8]| nal[0] & 31 != 5;
        unit.into_iter().filter(keep).collect()
    });
    let got = decode_pieces(&mut soft(config), without_idr);
    // The recovery point is tag 5, and 6 leads it.
    assert_eq!(got.damaged(), [3, 2, 4, 1]);
    assert_eq!(got.tags(), [3, 2, 4, 1, 5, 9, 8, 10, 7, 12, 11, 13]);
    assert_eq!(got.samples()[4..], whole.samples()[6..]);
}

#[test]
fn a_flush_forgets_pictures_but_not_parameter_sets() {
    let units = access_units(OPEN_GOP);
    let mut decoder = soft(StreamConfig::default());
    let mut got = Got::default();
    for (unit, tag) in units[..3].iter().zip((0..).map(FrameTag)) {
        decoder
            .decode(AccessUnitBytes::AnnexB(&annex_b(unit.clone())), tag)
            .unwrap();
    }
    decoder.flush().unwrap();
    got.take(&mut decoder);
    assert_eq!(
        got.dropped_as(DropReason::Flushed),
        [0, 1, 2],
        "also the one that nobody had taken"
    );
    assert_eq!(decoder.state(), DecodingState::AwaitingIdr);

    // Only slices from here on, as in mp4.
    for (unit, tag) in units.iter().zip((10..).map(FrameTag)).skip(3) {
        let slice = unit.iter().copied().filter(|nal| !matches!(nal[0] & 31, 7 | 8));
        decoder.decode(AccessUnitBytes::AnnexB(&annex_b(slice)), tag).unwrap();
        got.take(&mut decoder);
    }
    decoder.drain().unwrap();
    got.take(&mut decoder);
    assert_eq!(got.tags(), [15, 19, 18, 20, 17, 22, 21, 23]);
    assert_eq!(got.formats.len(), 1);
}

#[test]
fn a_lost_reference_damages_what_follows_until_the_recovery_point() {
    // The second picture in decoding order (shown fifth) is lost.
    let mut units = access_units(OPEN_GOP);
    units.remove(1);
    let got = decode_access_units(units);
    assert_eq!(got.tags(), [0, 2, 1, 3, 5, 4, 8, 7, 9, 6, 11, 10, 12]);
    // Frame 5 leads the recovery point 4; from there on all is right, although what was lost is still referred to.
    assert_eq!(got.damaged(), [2, 1, 3, 5]);
    assert!(
        got.warnings.iter().any(|warning| warning.contains("frame_num")),
        "{:?}",
        got.warnings
    );
}

#[test]
fn a_picture_that_the_device_damages_damages_what_refers_to_it() {
    let device = Arc::new(FaultyDevice::new(Arc::new(SoftDevice::default())));
    device.inject(Fault::ErrorFlag, Occasion::Nth(2));
    let mut decoder = StreamDecoder::new(device, StreamConfig::default()).unwrap();
    let got = decode_pieces(&mut decoder, access_units(SMALL));
    assert_eq!((got.tags(), got.damaged()), (vec![0, 1, 2, 3], vec![1, 2, 3]));
}

#[test]
fn a_picture_that_cannot_be_queued_is_dropped_and_decoding_goes_on() {
    let device = Arc::new(FaultyDevice::new(Arc::new(SoftDevice::default())));
    device.inject(
        Fault::Errno(Verb::QueueRequest, nix::errno::Errno::EIO),
        Occasion::Nth(2),
    );
    let mut decoder = StreamDecoder::new(device, StreamConfig::default()).unwrap();
    let got = decode_pieces(&mut decoder, access_units(SMALL));
    assert_eq!(got.dropped_as(DropReason::Undecodable), [1]);
    assert_eq!((got.tags(), got.damaged()), (vec![0, 2, 3], vec![2, 3]));
    assert_eq!(got.warnings.len(), 1);
    let stats = decoder.stats();
    assert_eq!((stats.frames, stats.dropped, stats.warnings), (3, 1, 1));
}

#[test]
fn a_device_that_is_unplugged_is_an_error_and_its_frames_stay() {
    let device = Arc::new(FaultyDevice::new(Arc::new(SoftDevice::default())));
    let mut decoder = StreamDecoder::new(device.clone(), StreamConfig::default()).unwrap();
    let mut got = Got::default();
    let mut failure = None;
    for (tag, unit) in (0..).map(FrameTag).zip(access_units(OPEN_GOP)) {
        if tag.0 == 5 {
            for verb in Verb::ALL {
                device.inject(Fault::Errno(verb, Errno::ENODEV), Occasion::Every);
            }
        }
        if let Err(error) = decoder.decode(AccessUnitBytes::AnnexB(&annex_b(unit)), tag) {
            failure = Some(error);
            break;
        }
        got.take(&mut decoder);
    }
    assert!(matches!(failure, Some(Error::Lost(_))), "{failure:?}");
    assert!(decoder.drain().is_ok());
    got.take(&mut decoder);
    assert!(!got.frames.is_empty());
    assert!(decoder.flush().is_err());
}

#[test]
fn another_size_gives_a_new_format_after_all_frames_of_the_old() {
    let mut decoder = soft(StreamConfig::default());
    let units = access_units(OPEN_GOP)
        .into_iter()
        .chain(access_units(SMALL))
        .chain(access_units(OPEN_GOP));
    let got = decode_pieces(&mut decoder, units);
    let sizes: Vec<_> = got.formats.iter().map(|format| format.coded_size.width).collect();
    assert_eq!(sizes, [64, 32, 64]);
    let lengths: Vec<_> = got.samples().iter().map(|samples| samples.len()).collect();
    assert_eq!(lengths.iter().filter(|&&length| length == lengths[0]).count(), 28);
    assert_eq!(lengths[14..18], [lengths[14]; 4]);
    assert_eq!(got.damaged(), []);
}

#[test]
fn of_several_devices_the_first_that_takes_the_stream_decodes_it() {
    let device =
        |options| -> Arc<dyn DecoderDevice> { Arc::new(SoftDevice::new(Personality::parse(options).unwrap())) };
    let devices = vec![device("hantro,max=48x48"), device("max=32x32"), device("rkvdec")];
    let mut decoder = StreamDecoder::with_candidates(devices, StreamConfig::default()).unwrap();
    assert_eq!(decoder.device().capabilities().path, "soft:hantro");
    let got = decode_pieces(&mut decoder, access_units(OPEN_GOP));
    assert_eq!(got.frames.len(), 14);
    assert_eq!(decoder.device().capabilities().path, "soft:rkvdec");
    // Too small for hantro and rkvdec.
    let got = decode_pieces(&mut decoder, access_units(SMALL));
    assert_eq!(got.frames.len(), 4);
    assert_eq!(decoder.device().capabilities().path, "soft");

    let mut none = StreamDecoder::with_candidates(
        vec![device("max=32x32"), device("hantro,max=48x48")],
        StreamConfig::default(),
    )
    .unwrap();
    let refusal = none.decode(AccessUnitBytes::AnnexB(OPEN_GOP), FrameTag(0)).unwrap_err();
    assert!(matches!(refusal, Error::Unsupported(_)), "{refusal}");
    assert!(StreamDecoder::with_candidates(Vec::new(), StreamConfig::default()).is_err());
}

#[test]
fn frames_outlive_their_format_and_their_decoder() {
    let mut decoder = soft(StreamConfig::default());
    let mut frames = Vec::new();
    for (unit, tag) in access_units(SMALL)
        .into_iter()
        .chain(access_units(OPEN_GOP))
        .zip((0..).map(FrameTag))
    {
        decoder.decode(AccessUnitBytes::AnnexB(&annex_b(unit)), tag).unwrap();
        frames.extend(
            std::iter::from_fn(|| decoder.next_event()).filter_map(|event| match event {
                Event::Frame(frame) => Some(frame),
                Event::Format(_) | Event::Dropped { .. } | Event::Warning(_) => None,
            }),
        );
    }
    drop(decoder);
    let small = decode_access_units(access_units(SMALL));
    for (frame, expected) in frames.iter().zip(small.samples()) {
        assert_eq!(frame.wait(), Outcome::Good);
        assert_eq!(frame.frame().memory().read().unwrap().object(0).unwrap(), expected);
    }
}

#[test]
fn a_drain_in_the_middle_loses_nothing() {
    let whole = decode_access_units(access_units(OPEN_GOP));
    let mut decoder = soft(StreamConfig::default());
    let mut got = Got::default();
    for (n, unit) in (0..).zip(access_units(OPEN_GOP)) {
        decoder
            .decode(AccessUnitBytes::AnnexB(&annex_b(unit)), FrameTag(n))
            .unwrap();
        if n == 4 {
            decoder.drain().unwrap();
        }
        got.take(&mut decoder);
    }
    decoder.drain().unwrap();
    got.take(&mut decoder);
    assert_eq!(got.samples(), whole.samples());
    assert!(got.warnings.is_empty());
}

#[test]
fn what_no_stateless_decoder_can_do_is_refused_by_name() {
    let mut decoder = soft(StreamConfig::default());
    let units = access_units(SMALL);
    decoder
        .decode(AccessUnitBytes::AnnexB(&annex_b(units[0].clone())), FrameTag(0))
        .unwrap();
    let mut partition = units[1][0].to_vec();
    partition[0] = partition[0] & 0xe0 | 2;
    let error = decoder
        .decode(AccessUnitBytes::AnnexB(&annex_b([partition.as_slice()])), FrameTag(1))
        .unwrap_err();
    assert!(
        matches!(&error, Error::Unsupported(feature) if feature.contains("data partitioning")),
        "{error}"
    );
    let mut got = Got::default();
    got.take(&mut decoder);
    assert_eq!((got.tags(), got.dropped.len()), (vec![0], 1));
}

#[test]
fn progressive_frames_of_a_sequence_that_permits_fields_need_no_interlaced_decoder() {
    let device = SoftDevice::new(Personality::parse("fields=off").unwrap());
    let mut decoder = StreamDecoder::new(Arc::new(device), StreamConfig::default()).unwrap();
    let got = decode_pieces(&mut decoder, access_units(FAKE_INTERLACED));
    assert_eq!((got.frames.len(), got.damaged()), (4, vec![]));
    assert_eq!(got.formats[0].coded_size, Size { width: 32, height: 32 });
}

#[test]
fn garbage_is_a_warning() {
    let mut decoder = soft(StreamConfig::default());
    let garbage: [&[u8]; 3] = [&[0xe5, 1, 2], &[0x67, 0x64], &[0x68]];
    let units = access_units(SMALL)
        .into_iter()
        .map(|unit| [unit, garbage.to_vec()].concat());
    let got = decode_pieces(&mut decoder, units);
    assert_eq!((got.tags(), got.damaged()), (vec![0, 1, 2, 3], vec![]));
    assert_eq!(got.warnings.len(), 12);
    assert!(got.warnings[0].contains("forbidden_zero_bit"), "{}", got.warnings[0]);
    decoder.decode(AccessUnitBytes::AnnexB(&[]), FrameTag(9)).unwrap();
    let length_size = LengthSize::Four;
    decoder
        .decode(
            AccessUnitBytes::Avcc {
                length_size,
                data: &[0x3f, 0xff, 0xff, 0xff, 0x65],
            },
            FrameTag(10),
        )
        .unwrap();
    let mut got = Got::default();
    got.take(&mut decoder);
    assert_eq!(got.dropped[&9], DropReason::NoPicture);
    assert_eq!(got.dropped[&10], DropReason::Undecodable);
    assert!(got.warnings[0].contains("NALUnitLength"), "{}", got.warnings[0]);
}

#[test]
fn a_flood_that_nobody_takes_drops_frames_instead_of_waiting_for_ever() {
    let mut decoder = soft(NAL);
    let flood: Vec<u8> = annex_b(nal_units(SMALL)).repeat(8);
    decoder.decode(AccessUnitBytes::AnnexB(&flood), FrameTag(0)).unwrap();
    decoder.drain().unwrap();
    let frames = std::iter::from_fn(|| decoder.next_event())
        .filter(|event| matches!(event, Event::Frame(_)))
        .count();
    assert!((8..32).contains(&frames), "{frames} frames");
}

#[test]
fn an_interrupt_ends_the_wait_for_frames_that_somebody_holds() {
    let mut decoder = soft(StreamConfig::default());
    let interrupt = decoder.interrupt();
    let mut held = Vec::new();
    let waiter = std::thread::spawn(move || {
        for tag in (0..).map(FrameTag) {
            let units = access_units(SMALL);
            let unit = units[tag.0 as usize % units.len()].clone();
            if let Err(error) = decoder.decode(AccessUnitBytes::AnnexB(&annex_b(unit)), tag) {
                return (decoder, error, held);
            }
            held.extend(std::iter::from_fn(|| decoder.next_event()));
        }
        unreachable!()
    });
    while !waiter.is_finished() {
        interrupt.set();
        std::thread::sleep(Duration::from_millis(5));
        interrupt.clear();
        std::thread::sleep(Duration::from_millis(20));
    }
    let (mut decoder, error, held) = waiter.join().unwrap();
    assert!(matches!(error, Error::Flushing), "{error}");
    assert!(held.len() > 8);
    drop(held);
    decoder.flush().unwrap();
    while decoder.next_event().is_some() {}
    let got = decode_pieces(&mut decoder, access_units(SMALL));
    assert_eq!(got.tags(), [0, 1, 2, 3], "as if nothing had happened");
}

#[test]
fn the_end_of_a_sequence_shows_everything_and_waits_for_an_idr_picture() {
    let mut decoder = soft(StreamConfig::default());
    let mut units = access_units(OPEN_GOP);
    units[4].push(&[0x0a]);
    let got = decode_pieces(&mut decoder, units);
    assert_eq!(got.tags()[..5], [0, 3, 2, 4, 1]);
    assert_eq!(got.tags()[5], 5, "the recovery point");
    assert_eq!(got.dropped_as(DropReason::Leading), [6]);
}

#[test]
fn whatever_comes_every_tag_comes_out_once_and_nothing_panics() {
    let mut noise = 2_024u32;
    let mut random = move |below: usize| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 8) as usize % below
    };
    let mut decoder = soft(StreamConfig::default());
    for round in 0..60 {
        let mut units: Vec<Vec<u8>> = access_units(OPEN_GOP).into_iter().map(annex_b).collect();
        for _ in 0..1 + random(6) {
            let unit = random(units.len());
            let bytes = &mut units[unit];
            let at = random(bytes.len());
            match random(5) {
                0 => bytes.truncate(at),
                1 => bytes[at] ^= 1 << random(8),
                2 => bytes.insert(at, 0),
                3 => drop(bytes.drain(..at)),
                _ => bytes.extend([0, 0, 1, 0x0a]),
            }
            bytes.push(0x80);
        }
        let count = units.len() as u64;
        let mut seen = HashMap::new();
        let mut take = |decoder: &mut StreamDecoder| {
            while let Some(event) = decoder.next_event() {
                let tag = match event {
                    Event::Frame(frame) => {
                        frame.wait();
                        frame.tag()
                    }
                    Event::Dropped { tag, .. } => Some(tag),
                    Event::Format(_) | Event::Warning(_) => None,
                };
                if let Some(tag) = tag {
                    *seen.entry(tag.0).or_insert(0) += 1;
                }
            }
        };
        for (tag, unit) in (0..).map(FrameTag).zip(units) {
            // A damaged parameter set may ask for what is not supported; the stream goes on.
            match decoder.decode(AccessUnitBytes::AnnexB(&unit), tag) {
                Ok(()) | Err(Error::Unsupported(_) | Error::Device(_) | Error::NeedFrames { .. }) => {}
                Err(error) => panic!("round {round}: {error}"),
            }
            take(&mut decoder);
        }
        if round % 2 == 0 {
            decoder.drain().unwrap();
        } else {
            decoder.flush().unwrap();
        }
        take(&mut decoder);
        assert!(
            (0..count).all(|tag| seen.get(&tag) == Some(&1)),
            "round {round}: {seen:?}"
        );
    }
}
