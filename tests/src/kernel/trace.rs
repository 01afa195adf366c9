//! The text of tracefs, taken apart into decode jobs.
//!
//! visl emits for each job the events `visl_h264_controls/*`, SPS first and prediction weights last, and videobuf2 then
//! `vb2_buf_done` for the OUTPUT buffer, which has the timestamp and the size that the events of visl lack.

use std::collections::BTreeMap;

use crate::Outcome;

/// `V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE`, the queue of visl that takes slice data.
const OUTPUT_MPLANE: &str = "10";

/// The names of the events of a job whose fields stand one to a line, and what their fields are called here.
const PLAIN_EVENTS: [(&str, &str); 6] = [
    ("v4l2_ctrl_h264_sps", "sps"),
    ("v4l2_ctrl_h264_pps", "pps"),
    ("v4l2_ctrl_h264_scaling_matrix", "scaling_matrix"),
    ("v4l2_ctrl_h264_slice_params", "slice_params"),
    ("v4l2_ctrl_h264_decode_params", "decode_params"),
    ("v4l2_ctrl_h264_pred_weights", "pred_weights"),
];

/// What the driver was told for one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Timestamp of the OUTPUT buffer in nanoseconds.
    pub timestamp: u64,
    /// Bytes of slice data.
    pub bytes: String,
    /// Plain fields by `control.field`, as printed.
    pub fields: BTreeMap<String, String>,
    /// `dpb` of the decode parameters, all 16.
    pub dpb: Vec<DpbEntry>,
    /// `ref_pic_list0` and `ref_pic_list1` of the slice parameters, all 32 of each.
    pub lists: [Vec<Reference>; 2],
}

/// `v4l2_h264_dpb_entry`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpbEntry {
    /// Timestamp of the picture in nanoseconds.
    pub reference_ts: u64,
    /// `fields`, as printed.
    pub fields: String,
    /// `flags`, as printed.
    pub flags: String,
    /// Its other fields, by name, as printed.
    pub numbers: Vec<(&'static str, String)>,
}

/// `v4l2_h264_reference`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `fields`, as printed.
    pub fields: String,
    /// Index into the DPB.
    pub index: usize,
}

impl Job {
    /// A plain field as text; empty where the trace has none.
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Whether a field of flags has this one.
    pub fn has_flag(&self, name: &str, flag: &str) -> bool {
        self.text(name).split('|').any(|set| set == flag)
    }

    /// A plain field as a number; 0 where the trace has none.
    pub fn number(&self, name: &str) -> usize {
        self.text(name).parse().unwrap_or(0)
    }
}

/// Takes a trace apart into its jobs, in the order in which the driver ran them.
///
/// # Errors
/// When events were lost, an event cannot be understood, or a job is cut off.
pub fn parse(text: &str) -> Outcome<Vec<Job>> {
    let mut jobs = Vec::new();
    let mut job: Option<Job> = None;
    for event in events(text)? {
        if event.name == "v4l2_ctrl_h264_sps" && job.replace(Job::default()).is_some() {
            return Err(format!("job {} has no end", jobs.len()).into());
        }
        let Some(current) = job.as_mut() else { continue };
        if event.name == "vb2_buf_done" {
            if value_after(&event.payload, "type = ") == Some(OUTPUT_MPLANE) {
                finish(current, &event.payload)?;
                jobs.extend(job.take());
            }
            continue;
        }
        take(current, &event).ok_or_else(|| format!("job {}: {event:?}", jobs.len()))?;
    }
    match job {
        None => Ok(jobs),
        Some(_) => Err(format!("job {} is cut off", jobs.len()).into()),
    }
}

/// One event: its name, and its text after the name.
#[derive(Debug)]
struct Event {
    name: String,
    payload: String,
}

/// Lines that belong together.
fn events(text: &str) -> Outcome<Vec<Event>> {
    let mut events: Vec<Event> = Vec::new();
    for line in text.lines() {
        if line.starts_with('#') {
            all_are_there(line)?;
            continue;
        }
        match head(line) {
            Some((name, payload)) => events.push(Event {
                name: name.to_owned(),
                payload: payload.to_owned(),
            }),
            None => {
                let event = events.last_mut().ok_or("the trace begins in the middle of an event")?;
                event.payload.push('\n');
                event.payload.push_str(line);
            }
        }
    }
    Ok(events)
}

/// Looks into the head of a trace for `entries-in-buffer/entries-written: 140/140`.
fn all_are_there(line: &str) -> Outcome {
    let counts = line
        .split_once("entries-written: ")
        .and_then(|(_, rest)| rest.split_ascii_whitespace().next());
    match counts.and_then(|counts| counts.split_once('/')) {
        Some((kept, written)) if kept != written => Err(format!("the trace buffer was too small: {line}").into()),
        Some(_) | None => Ok(()),
    }
}

/// Name and payload of `task-123 [000] ..... 12.345678: name: payload`.
fn head(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once(" [")?;
    let (processor, rest) = rest.split_once("] ")?;
    let (_, rest) = rest.split_once(": ")?;
    let (name, payload) = rest.split_once(':')?;
    let is_head = processor.bytes().all(|byte| byte.is_ascii_digit());
    is_head.then(|| (name, payload.trim_start_matches(' ')))
}

/// The word after a label.
fn value_after<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(label)?;
    rest.split([',', ' ', '\n']).next()
}

fn finish(job: &mut Job, payload: &str) -> Outcome {
    let timestamp = value_after(payload, "timestamp = ").ok_or("vb2_buf_done without a timestamp")?;
    job.timestamp = timestamp.parse()?;
    job.bytes = value_after(payload, "bytesused = ").unwrap_or_default().to_owned();
    Ok(())
}

/// Adds what an event says; `None` if it is not understood.
fn take(job: &mut Job, event: &Event) -> Option<()> {
    match event.name.as_str() {
        "v4l2_h264_dpb_entry" => job.dpb.push(dpb_entry(&event.payload)?),
        "v4l2_h264_ref_pic_list0" => job.lists[0].push(reference(&event.payload)?),
        "v4l2_h264_ref_pic_list1" => job.lists[1].push(reference(&event.payload)?),
        name => {
            let (_, control) = PLAIN_EVENTS.into_iter().find(|(event, _)| *event == name)?;
            plain_fields(&event.payload, |name, value| {
                job.fields.insert(format!("{control}.{name}"), value);
            });
        }
    }
    Some(())
}

/// Fields one to a line, `name value`; a value in braces may go over several lines.
fn plain_fields(payload: &str, mut found: impl FnMut(&str, String)) {
    let mut lines = payload.lines();
    while let Some(line) = lines.next() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        let mut value = value.trim().to_owned();
        if value.starts_with('{') {
            // Without the braces, and one space between bytes.
            while !value.ends_with('}') {
                let Some(line) = lines.next() else { break };
                value = [value.as_str(), line.trim()].join(" ");
            }
            value = value.trim_matches(['{', '}', ' ']).to_owned();
        }
        if !name.is_empty() {
            found(name, value);
        }
    }
}

/// `[0]: reference_ts 1000, pic_num 0 frame_num 0 fields FRAME_REF top_field_order_cnt 0 bottom_field_order_cnt 0 flags
/// VALID|ACTIVE`.
fn dpb_entry(payload: &str) -> Option<DpbEntry> {
    let (_, rest) = payload.split_once(" fields ")?;
    let (fields, rest) = rest.split_once(" top_field_order_cnt ")?;
    let (_, flags) = rest.split_once(" flags ")?;
    let number = |name: &'static str| {
        let value = value_after(payload, &format!(" {name} "))?;
        Some((name, value.to_owned()))
    };
    Some(DpbEntry {
        reference_ts: value_after(payload, "reference_ts ")?.parse().ok()?,
        fields: fields.trim().to_owned(),
        flags: flags.trim().to_owned(),
        numbers: vec![
            number("pic_num")?,
            number("frame_num")?,
            number("top_field_order_cnt")?,
            number("bottom_field_order_cnt")?,
        ],
    })
}

/// `[0]: fields FRAME_REF index 3`.
fn reference(payload: &str) -> Option<Reference> {
    let (_, rest) = payload.split_once("fields ")?;
    let (fields, index) = rest.split_once("index ")?;
    Some(Reference {
        fields: fields.trim().to_owned(),
        index: index.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &str = include_str!("samples/fields.trace");

    #[test]
    fn a_trace_is_taken_apart_into_jobs() {
        let jobs = parse(FIELDS).unwrap();
        assert_eq!(
            jobs.iter().map(|job| job.timestamp).collect::<Vec<_>>(),
            [1000, 1000, 2000, 2000]
        );
        let second = &jobs[1];
        assert_eq!(second.bytes, "1503");
        assert_eq!(second.number("sps.profile_idc"), 100);
        assert_eq!(second.text("slice_params.slice_type"), "P");
        assert!(
            second.has_flag("decode_params.flags", "BOTTOM_FIELD") && !second.has_flag("decode_params.flags", "PIC")
        );
        assert_eq!(second.lists[0][0].fields, "TOP_FIELD_REF");
        let entry = &second.dpb[0];
        assert_eq!((entry.reference_ts, entry.flags.as_str()), (1000, "VALID|ACTIVE|FIELD"));
        assert_eq!(entry.numbers[1], ("frame_num", "0".to_owned()));
    }

    #[test]
    fn an_array_over_several_lines_is_one_value() {
        let jobs = parse(FIELDS).unwrap();
        let matrix = jobs[0].text("scaling_matrix.scaling_list_8x8");
        assert_eq!(matrix.split(' ').count(), 32);
        assert!(
            matrix.split(' ').all(|byte| u8::from_str_radix(byte, 16).is_ok()),
            "{matrix}"
        );
    }

    #[test]
    fn a_trace_that_lost_events_is_refused() {
        let lost = format!("# entries-in-buffer/entries-written: 140/141   #P:1\n{FIELDS}");
        assert!(parse(&lost).unwrap_err().to_string().contains("too small"));
        let whole = format!("# entries-in-buffer/entries-written: 141/141   #P:1\n{FIELDS}");
        assert!(parse(&whole).is_ok());
    }

    #[test]
    fn a_job_without_an_end_is_refused() {
        let (cut, _) = FIELDS.rsplit_once("vb2_buf_done").unwrap();
        assert!(parse(cut).unwrap_err().to_string().contains("cut off"));
        let event = "v4l2_ctrl_h264_sps: \n";
        let doubled = FIELDS.replacen(event, &format!("{event} x-1 [000] ..... 1.0: {event}"), 1);
        assert!(parse(&doubled).unwrap_err().to_string().contains("no end"));
    }
}
