//! What two right decoders must have in common: names instead of timestamps and indexes, and only what has a meaning.
//!
//! Timestamps and the order of DPB entries are a decoder's own choice. Entries that are not valid, list entries beyond
//! the active ones, weights where prediction is not weighted, order counts of fields that are not there, and in frame
//! mode everything that belongs to a slice, are whatever was left there. While a field is decoded, an entry has one
//! `pic_num` for two fields (8-30, 8-31): twice the number of the frame, or one more.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::trace::{DpbEntry, Job, Reference};

/// The fields of a job by name; what stands in brackets says which of several.
pub type Fields = BTreeMap<String, String>;

/// What one request stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeMode {
    /// A picture: a frame or one field.
    Frame,
    /// A slice.
    Slice,
}

/// A trace in its normal form.
#[derive(Clone, Debug)]
pub struct NormalTrace {
    /// How the driver was used.
    pub mode: DecodeMode,
    /// In the order in which the driver ran them.
    pub jobs: Vec<Fields>,
}

impl NormalTrace {
    /// The normal form of these jobs.
    pub fn new(jobs: &[Job]) -> Self {
        // A slice has a header; only slice mode says how long it is.
        let mode = match jobs.iter().all(|job| job.number("slice_params.header_bit_size") == 0) {
            true => DecodeMode::Frame,
            false => DecodeMode::Slice,
        };
        let decoders = Decoder::all_of(jobs);
        let of_decoder = |decoder: &Decoder| -> Vec<Fields> {
            let job = |number| Some((jobs.get(number)?, is_second_field(jobs, number)));
            let jobs = decoder.jobs.clone().filter_map(job);
            jobs.map(|(job, second_field)| flag_by_flag(fields(job, mode, &decoder.pictures, second_field)))
                .collect()
        };
        let jobs = decoders.iter().flat_map(of_decoder).collect();
        Self { mode, jobs }
    }

    /// The same without what a slice has of its own: one job for each coded picture, as in frame mode.
    #[must_use]
    pub fn by_picture(&self) -> Self {
        let mut jobs: Vec<Fields> = self.jobs.iter().map(without_slice).collect();
        let which = [
            "picture",
            "decode_params.flags:FIELD_PIC",
            "decode_params.flags:BOTTOM_FIELD",
        ];
        jobs.dedup_by_key(|job| which.map(|name| job.get(name).cloned()));
        Self {
            mode: DecodeMode::Frame,
            jobs,
        }
    }
}

/// Flags are fields of their own, so that each is compared and explained by itself.
fn flag_by_flag(fields: Fields) -> Fields {
    let mut single = Fields::new();
    for (name, value) in fields {
        if !name.ends_with("flags") {
            single.insert(name, value);
            continue;
        }
        let flags = value.split('|').filter(|flag| !flag.is_empty());
        single.extend(flags.map(|flag| (format!("{name}:{flag}"), "set".to_owned())));
    }
    single
}

fn without_slice(job: &Fields) -> Fields {
    let of_a_slice = |name: &str| {
        name == "bytes"
            || ["slice_params.", "pred_weights.", "ref_pic_list"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
    };
    // Whether a picture is P or B is said of its slices, which may differ.
    let kind = |name: &str| name == "decode_params.flags:PFRAME" || name == "decode_params.flags:BFRAME";
    let kept = job.iter().filter(|(name, _)| !of_a_slice(name) && !kind(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn without_flags(flags: &str, left_out: &[&str]) -> String {
    let kept: Vec<&str> = flags.split('|').filter(|flag| !left_out.contains(flag)).collect();
    kept.join("|")
}

/// One of the decoders that a trace has one after another: its jobs, and their pictures.
struct Decoder {
    jobs: Range<usize>,
    pictures: Pictures,
}

impl Decoder {
    /// Every decoder counts up: a timestamp that comes back after others is that of the next one.
    fn all_of(jobs: &[Job]) -> Vec<Self> {
        let mut decoders: Vec<Self> = Vec::new();
        let mut count = 0;
        let mut before = None;
        for (number, job) in jobs.iter().enumerate() {
            let is_new = before.replace(job.timestamp) != Some(job.timestamp);
            let is_known = |decoder: &Self| decoder.pictures.0.contains_key(&job.timestamp);
            if is_new && decoders.last().is_none_or(is_known) {
                decoders.push(Self {
                    jobs: number..number,
                    pictures: Pictures(HashMap::new()),
                });
            }
            let Some(decoder) = decoders.last_mut() else { continue };
            decoder.jobs.end = number + 1;
            if is_new {
                decoder.pictures.0.insert(job.timestamp, count);
                count += 1;
            }
        }
        decoders
    }
}

/// The number of each picture in decoding order, by its timestamp.
struct Pictures(HashMap<u64, usize>);

impl Pictures {
    fn name(&self, timestamp: u64) -> String {
        match self.0.get(&timestamp) {
            Some(number) => format!("picture {number}"),
            None => "no picture".to_owned(),
        }
    }
}

/// Whether the frame of a job has a field of the other parity already.
fn is_second_field(jobs: &[Job], number: usize) -> bool {
    let before = jobs.iter().take(number).rev();
    let Some(job) = jobs.get(number) else { return false };
    let mut of_the_frame = before.take_while(|other| other.timestamp == job.timestamp);
    of_the_frame.any(|other| is_bottom(other) != is_bottom(job))
}

fn is_field(job: &Job) -> bool {
    job.has_flag("decode_params.flags", "FIELD_PIC")
}

fn is_bottom(job: &Job) -> bool {
    job.has_flag("decode_params.flags", "BOTTOM_FIELD")
}

fn fields(job: &Job, mode: DecodeMode, pictures: &Pictures, second_field: bool) -> Fields {
    let mut fields: Fields = job.fields.clone();
    fields.retain(|name, _| !name.starts_with("slice_params.") && !name.starts_with("pred_weights."));
    fields.insert("picture".to_owned(), pictures.name(job.timestamp));
    fields.insert("bytes".to_owned(), job.bytes.clone());
    scaling_lists(job, &mut fields);
    if is_field(job) && !second_field {
        fields.remove(match is_bottom(job) {
            true => "decode_params.top_field_order_cnt",
            false => "decode_params.bottom_field_order_cnt",
        });
    }
    let names = dpb(job, pictures, &mut fields);
    if mode == DecodeMode::Slice {
        slice(job, &names, &mut fields);
    }
    fields
}

/// Adds the valid entries; gives the name of each, valid or not.
fn dpb(job: &Job, pictures: &Pictures, fields: &mut Fields) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(job.dpb.len());
    for entry in &job.dpb {
        let is_valid = entry.flags.split('|').any(|flag| flag == "VALID");
        let picture = match is_valid {
            true => pictures.name(entry.reference_ts),
            false => "empty".to_owned(),
        };
        let name = match names
            .iter()
            .filter(|name| **name == picture || name.starts_with(&format!("{picture}, ")))
            .count()
        {
            0 => picture,
            before => format!("{picture}, {}", before + 1),
        };
        if is_valid {
            dpb_entry(entry, &name, is_field(job), fields);
        }
        names.push(name);
    }
    names
}

fn dpb_entry(entry: &DpbEntry, name: &str, in_field: bool, fields: &mut Fields) {
    let has = |field: &str| entry.fields.split('|').any(|set| set == field);
    let mut add = |field: &str, value: String| fields.insert(format!("dpb[{name}].{field}"), value);
    for (field, value) in &entry.numbers {
        match *field {
            "top_field_order_cnt" if !has("TOP_FIELD_REF") => {}
            "bottom_field_order_cnt" if !has("BOTTOM_FIELD_REF") => {}
            "pic_num" if in_field => drop(add(field, number_of_frame(value))),
            _ => drop(add(field, value.clone())),
        }
    }
    add("fields", entry.fields.clone());
    add("flags", without_flags(&entry.flags, &["VALID"]));
    fields.insert(format!("dpb[{name}]"), "valid".to_owned());
}

/// The number of the frame, from that of one of its fields; negative numbers are printed without their sign.
fn number_of_frame(pic_num: &str) -> String {
    match pic_num.parse::<u32>() {
        Ok(number) => (number.cast_signed() >> 1).to_string(),
        Err(_) => pic_num.to_owned(),
    }
}

/// Without 4:4:4 there are two 8x8 lists (7.3.2.1.1.1), intra and inter of luma.
fn scaling_lists(job: &Job, fields: &mut Fields) {
    let lists = if job.number("sps.chroma_format_idc") == 3 { 6 } else { 2 };
    if let Some(value) = fields.get_mut("scaling_matrix.scaling_list_8x8") {
        *value = first(value, ' ', lists * 64);
    }
}

/// How many entries of each reference list a slice uses.
fn active_references(job: &Job) -> [usize; 2] {
    let active = |list: usize| job.number(&format!("slice_params.num_ref_idx_l{list}_active_minus1")) + 1;
    match job.text("slice_params.slice_type") {
        "B" => [active(0), active(1)],
        "P" | "SP" => [active(0), 0],
        _ => [0, 0],
    }
}

fn slice(job: &Job, names: &[String], fields: &mut Fields) {
    let active = active_references(job);
    for (name, value) in job.fields.iter().filter(|(name, _)| name.starts_with("slice_params.")) {
        let value = match name.as_str() {
            "slice_params.num_ref_idx_l0_active_minus1" if active[0] == 0 => continue,
            "slice_params.num_ref_idx_l1_active_minus1" if active[1] == 0 => continue,
            "slice_params.flags" if active[1] == 0 => without_flags(value, &["DIRECT_SPATIAL_MV_PRED"]),
            _ => value.clone(),
        };
        fields.insert(name.clone(), value);
    }
    for (list, (references, active)) in job.lists.iter().zip(active).enumerate() {
        for (position, reference) in references.iter().take(active).enumerate() {
            fields.insert(format!("ref_pic_list{list}[{position}]"), named(reference, names));
        }
    }
    if is_weighted(job) {
        weights(job, active, fields);
    }
}

fn named(reference: &Reference, names: &[String]) -> String {
    let name = names.get(reference.index).map_or("outside of the DPB", String::as_str);
    format!("{name} {}", reference.fields)
}

/// `V4L2_H264_CTRL_PRED_WEIGHTS_REQUIRED`.
fn is_weighted(job: &Job) -> bool {
    match job.text("slice_params.slice_type") {
        "B" => job.number("pps.weighted_bipred_idc") == 1,
        "P" | "SP" => job.has_flag("pps.flags", "WEIGHTED_PRED"),
        _ => false,
    }
}

fn weights(job: &Job, active: [usize; 2], fields: &mut Fields) {
    let has_chroma = job.number("sps.chroma_format_idc") != 0 && !job.has_flag("sps.flags", "SEPARATE_COLOUR_PLANE");
    for (name, value) in job.fields.iter().filter(|(name, _)| name.starts_with("pred_weights.")) {
        let is_chroma = name.contains("chroma");
        if is_chroma && !has_chroma {
            continue;
        }
        let list = if name.contains("[1]") { 1 } else { 0 };
        let value = match name.contains("weight_factor[") {
            // Two chroma samples of two bytes each are printed byte by byte.
            true if is_chroma => first(value, ' ', active[list] * 4),
            true => first(value, ',', active[list]),
            false => value.clone(),
        };
        fields.insert(name.clone(), value);
    }
}

/// The first elements of a printed array.
fn first(array: &str, separator: char, count: usize) -> String {
    let elements = array.split(separator);
    let kept: Vec<&str> = elements.take(count).collect();
    kept.join(&separator.to_string())
}
