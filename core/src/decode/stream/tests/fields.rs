//! Fields whose other field never comes: at the end of a stream, of a sequence, and in the middle. Nothing tells whether
//! there was one, so their frames are damaged.

use super::*;
use crate::decode::session::tests::clip::{Clip, Coded};
use crate::h264::pps::tests::write_pps;
use crate::h264::write::sps::nal as write_sps;
use crate::memory::PlaneLayout;

/// 64x64, which visl takes: two fields, a top field alone, two fields, a bottom field alone, all I_PCM of one value each.
/// `core/tests/kernel_node/lone_fields.264` is this.
fn lone_fields() -> Vec<Vec<u8>> {
    let mut clip = Clip::new(4, 2).interlaced();
    let mut units = vec![annex_b([
        write_sps(&clip.sps).as_slice(),
        write_pps(&clip.pps).as_slice(),
    ])];
    let unit = |field: &Coded| annex_b(field.nals.iter().map(|(_, nal)| nal.as_slice()));
    for (values, kept) in [([10, 20], 0..2), ([30, 0], 0..1), ([50, 60], 0..2), ([0, 80], 1..2)] {
        let fields = clip.code_fields(values);
        units.extend(fields[kept].iter().map(unit));
    }
    let first = units.remove(1);
    units[0].extend(first);
    units
}

/// The first luma sample of the first two rows.
fn rows(samples: &[u8], luma: &PlaneLayout) -> [u8; 2] {
    [0, 1].map(|row| samples[luma.offset + row * luma.pitch])
}

fn decode(options: &str) -> Got {
    let device = SoftDevice::new(Personality::parse(options).unwrap());
    let mut decoder = StreamDecoder::new(Arc::new(device), StreamConfig::default()).unwrap();
    let mut got = Got::default();
    for (unit, tag) in lone_fields().iter().zip((0..).map(FrameTag)) {
        decoder.decode(AccessUnitBytes::AnnexB(unit), tag).unwrap();
        got.take(&mut decoder);
    }
    decoder.drain().unwrap();
    got.take(&mut decoder);
    assert_eq!(decoder.stats().session.restarts, 0, "{options}");
    got
}

#[test]
fn a_field_alone_becomes_a_whole_frame_also_as_the_last_picture() {
    for options in ["default", "mode=slice", "threads=1"] {
        let got = decode(options);
        let luma = got.formats[0].layout.planes[0];
        let shown: Vec<_> = got.samples().iter().map(|samples| rows(samples, &luma)).collect();
        assert_eq!(shown, [[10, 20], [30, 30], [50, 60], [80, 80]], "{options}");
        assert_eq!((got.tags(), got.damaged()), (vec![0, 2, 3, 5], vec![2, 5]), "{options}");
    }
}

#[test]
fn without_held_buffers_a_field_alone_comes_out_like_any_other_picture() {
    let got = decode("hold=off");
    let luma = got.formats[0].layout.planes[0];
    let shown: Vec<_> = got.samples().iter().map(|samples| rows(samples, &luma)).collect();
    // Nobody tells such a device that the other field does not come: its rows are what they were.
    assert_eq!([shown[0], shown[2]], [[10, 20], [50, 60]]);
    assert_eq!([shown[1][0], shown[3][1]], [30, 80]);
    assert_eq!((got.tags(), got.damaged()), (vec![0, 2, 3, 5], vec![2, 5]));
}

#[test]
fn a_field_alone_is_whole_when_its_sequence_ends() {
    const END_OF_SEQUENCE: &[u8] = &[0, 0, 1, 10];
    let mut decoder = soft(StreamConfig::default());
    let mut got = Got::default();
    for (unit, tag) in lone_fields()[..3].iter().zip((0..).map(FrameTag)) {
        decoder.decode(AccessUnitBytes::AnnexB(unit), tag).unwrap();
        got.take(&mut decoder);
    }
    assert_eq!(got.tags(), [0], "the other field may still come");
    decoder
        .decode(AccessUnitBytes::AnnexB(END_OF_SEQUENCE), FrameTag(3))
        .unwrap();
    got.take(&mut decoder);
    assert_eq!(got.tags(), [0, 2]);
    let luma = got.formats[0].layout.planes[0];
    assert_eq!(rows(&got.frames[1].2, &luma), [30, 30]);
}

#[test]
fn the_stream_for_decoders_of_the_kernel_is_this_one() {
    let stored = include_bytes!("../../../../tests/kernel_node/lone_fields.264");
    assert!(lone_fields().concat() == stored, "write it anew");
}
