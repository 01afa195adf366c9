//! Two traces of one stream, field by field.

use std::collections::{BTreeMap, BTreeSet};

use super::normal::{DecodeMode, Fields, NormalTrace};

/// One field that differs in some jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// In how many jobs.
    pub jobs: usize,
    /// The first of them.
    pub first: usize,
    /// The field in full, with ours and the peer's value there.
    pub example: String,
}

/// What a comparison found.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Jobs of ours, and of the peer's.
    pub jobs: [usize; 2],
    /// By field, without what stands in brackets.
    pub differences: BTreeMap<String, Difference>,
}

/// Compares what two decoders told the driver of the same stream. If one works by slices and the other by pictures, then
/// what belongs to pictures.
pub fn compare(ours: &NormalTrace, peers: &NormalTrace) -> Comparison {
    match (ours.mode, peers.mode) {
        (DecodeMode::Frame, DecodeMode::Slice) => compare_jobs(&ours.by_picture(), &peers.by_picture()),
        (DecodeMode::Slice, DecodeMode::Frame) => compare_jobs(&ours.by_picture(), &peers.by_picture()),
        (DecodeMode::Frame, DecodeMode::Frame) | (DecodeMode::Slice, DecodeMode::Slice) => compare_jobs(ours, peers),
    }
}

fn compare_jobs(ours: &NormalTrace, peers: &NormalTrace) -> Comparison {
    let jobs = [ours.jobs.len(), peers.jobs.len()];
    let mut comparison = Comparison {
        jobs,
        differences: BTreeMap::new(),
    };
    if jobs[0] != jobs[1] {
        comparison.note("jobs", jobs[0].min(jobs[1]), format!("{} / {}", jobs[0], jobs[1]));
    }
    for (number, (ours, peers)) in ours.jobs.iter().zip(&peers.jobs).enumerate() {
        comparison.add_job(number, ours, peers);
    }
    comparison
}

impl Comparison {
    fn add_job(&mut self, number: usize, ours: &Fields, peers: &Fields) {
        let mut in_this_job = BTreeSet::new();
        for name in ours.keys().chain(peers.keys()) {
            let (our_value, peer_value) = (ours.get(name), peers.get(name));
            // An entry that only one of them has differs once, not in each of its fields.
            let has_entry = |fields: &Fields| entry_of(name).is_none_or(|entry| fields.contains_key(entry));
            if our_value == peer_value || !has_entry(ours) || !has_entry(peers) {
                continue;
            }
            if in_this_job.insert(without_brackets(name)) {
                let value = |value: Option<&String>| value.map_or("nothing", String::as_str).to_owned();
                let example = format!("{name}: {} / {}", value(our_value), value(peer_value));
                self.note(&without_brackets(name), number, example);
            }
        }
    }

    fn note(&mut self, field: &str, job: usize, example: String) {
        let difference = self.differences.entry(field.to_owned()).or_insert(Difference {
            jobs: 0,
            first: job,
            example,
        });
        difference.jobs += 1;
    }
}

/// `dpb[picture 3]` of `dpb[picture 3].pic_num`.
fn entry_of(name: &str) -> Option<&str> {
    let end = name.starts_with("dpb[").then(|| name.rfind("]."))??;
    name.get(..=end)
}

/// `dpb[].pic_num` of `dpb[picture 3].pic_num`.
fn without_brackets(name: &str) -> String {
    match (name.find('['), name.rfind(']')) {
        (Some(open), Some(close)) => [name.get(..=open), name.get(close..)].into_iter().flatten().collect(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::trace;
    use super::*;

    /// Two frames in two fields each, by our element and by GStreamer's own, as visl traced them (shortened).
    const OURS: &str = include_str!("samples/fields.trace");
    const PEERS: &str = include_str!("samples/fields_of_the_peer.trace");
    const BY_PICTURE: &str = include_str!("samples/fields_in_frame_mode.trace");

    fn normal(text: &str) -> NormalTrace {
        NormalTrace::new(&trace::parse(text).unwrap())
    }

    /// The fields that differ once `from` is `to` in our trace.
    fn differing(from: &str, to: &str) -> Vec<String> {
        assert!(OURS.contains(from), "{from}");
        let changed = OURS.replace(from, to);
        compare(&normal(&changed), &normal(OURS))
            .differences
            .into_keys()
            .collect()
    }

    #[test]
    fn decoders_that_name_their_pictures_otherwise_say_the_same() {
        let comparison = compare(&normal(OURS), &normal(PEERS));
        assert_eq!(comparison.jobs, [4, 4]);
        assert_eq!(comparison.differences.into_keys().collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn frame_mode_and_slice_mode_are_compared_by_picture() {
        let comparison = compare(&normal(BY_PICTURE), &normal(PEERS));
        assert_eq!(comparison.jobs, [4, 4]);
        assert_eq!(comparison.differences.into_keys().collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn the_order_of_dpb_entries_does_not_matter() {
        let swapped = OURS
            .replace("dpb_entry: [0]: reference_ts 1000", "dpb_entry: [9]: reference_ts 1000")
            .replace("dpb_entry: [1]: reference_ts 2000", "dpb_entry: [0]: reference_ts 2000");
        let mut jobs = trace::parse(&swapped).unwrap();
        let last = jobs.last_mut().unwrap();
        last.dpb.swap(0, 1);
        for reference in last.lists.iter_mut().flatten() {
            reference.index = 1 - reference.index;
        }
        let comparison = compare(&NormalTrace::new(&jobs), &normal(OURS));
        assert_eq!(comparison.differences.into_keys().collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn every_kind_of_field_that_matters_is_compared() {
        for (from, to, field) in [
            ("level_idc 30", "level_idc 31", "sps.level_idc"),
            (
                "header_bit_size 51",
                "header_bit_size 52",
                "slice_params.header_bit_size",
            ),
            ("bytesused = 1503", "bytesused = 1504", "bytes"),
            (
                "flags FIELD_PIC|BOTTOM_FIELD",
                "flags IDR_PIC|FIELD_PIC|BOTTOM_FIELD",
                "decode_params.flags:IDR_PIC",
            ),
            ("pic_num 2 frame_num 1", "pic_num 4 frame_num 1", "dpb[].pic_num"),
            (
                "list0: [2]: fields TOP_FIELD_REF index 0",
                "list0: [2]: fields TOP_FIELD_REF index 1",
                "ref_pic_list0[]",
            ),
            ("reference_ts 2000", "reference_ts 3000", "dpb[]"),
        ] {
            assert!(differing(from, to).iter().any(|differs| differs == field), "{field}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_not_compared() {
        for (from, to) in [
            // One number for two fields.
            ("pic_num 2 frame_num 1", "pic_num 3 frame_num 1"),
            // The bottom field of a frame that has only a top field.
            (
                "top_field_order_cnt 6 bottom_field_order_cnt 6 flags",
                "top_field_order_cnt 6 bottom_field_order_cnt 0 flags",
            ),
            // An entry that is not valid, an entry of a list that is not active, weights without weighted prediction.
            ("[2]: reference_ts 0, pic_num 0", "[2]: reference_ts 7, pic_num 9"),
            ("list1: [0]: fields  index 0", "list1: [0]: fields FRAME_REF index 3"),
            ("luma_log2_weight_denom 0", "luma_log2_weight_denom 5"),
        ] {
            assert_eq!(differing(from, to), [""; 0], "{from}");
        }
    }

    #[test]
    fn a_decoder_that_counts_anew_has_pictures_of_its_own() {
        let twice = format!("{PEERS}\n{PEERS}");
        let later = OURS
            .replace("reference_ts 1000", "reference_ts 9001000")
            .replace("reference_ts 2000", "reference_ts 9002000")
            .replace("timestamp = 1000", "timestamp = 9001000")
            .replace("timestamp = 2000", "timestamp = 9002000");
        let comparison = compare(&normal(&twice), &normal(&format!("{OURS}\n{later}")));
        assert_eq!(comparison.jobs, [8, 8]);
        assert_eq!(comparison.differences.into_keys().collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn a_job_too_few_is_a_difference() {
        let mut short = normal(OURS);
        short.jobs.pop();
        let comparison = compare(&short, &normal(OURS));
        assert_eq!(comparison.differences.into_keys().collect::<Vec<_>>(), ["jobs"]);
    }
}
