//! A list of differences that have a reason, checked in next to the list of streams.
//!
//! One to a line: the stream, the field, and the reason with the clause that proves it. `*` is every stream, and every
//! field. `#` begins a comment.

use std::cell::Cell;

use crate::Outcome;

/// One line of the list.
#[derive(Debug)]
struct Entry {
    stream: String,
    field: String,
    reason: String,
    used: Cell<bool>,
}

/// The list.
#[derive(Debug)]
pub struct Explained(Vec<Entry>);

impl Explained {
    /// Reads the list.
    ///
    /// # Errors
    /// Names a line without a reason.
    pub fn parse(text: &str) -> Outcome<Self> {
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entries = lines.map(|line| {
            let entry = || {
                let (stream, rest) = line.split_once(char::is_whitespace)?;
                let (field, reason) = rest.trim_start().split_once(char::is_whitespace)?;
                Some(Entry {
                    stream: stream.to_owned(),
                    field: field.to_owned(),
                    reason: reason.trim().to_owned(),
                    used: Cell::new(false),
                })
            };
            entry().ok_or_else(|| format!("no reason given: {line}").into())
        });
        entries.collect::<Outcome<_>>().map(Self)
    }

    /// Why this field of this stream may differ; the line counts as used from then on.
    pub fn reason(&self, stream: &str, field: &str) -> Option<&str> {
        let is = |wanted: &str, name: &str| wanted == "*" || wanted == name;
        let found = self
            .0
            .iter()
            .find(|entry| is(&entry.stream, stream) && is(&entry.field, field))?;
        found.used.set(true);
        Some(&found.reason)
    }

    /// Lines that explain nothing any more, though their stream was compared: they would hide the next fault.
    pub fn stale<'a>(&'a self, compared: &'a [String]) -> impl Iterator<Item = String> + 'a {
        self.0
            .iter()
            .filter(|entry| !entry.used.get() && (entry.stream == "*" || compared.contains(&entry.stream)))
            .map(|entry| format!("{} {}", entry.stream, entry.field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_explained_for_its_stream_only() {
        let list =
            Explained::parse("# why\nA.264 dpb[] 8.2.5.2: filled gaps\n* bytes  B.1.2: trailing zeros\n").unwrap();
        assert_eq!(list.reason("A.264", "dpb[]"), Some("8.2.5.2: filled gaps"));
        assert_eq!(list.reason("B.264", "dpb[]"), None);
        assert_eq!(list.reason("B.264", "bytes"), Some("B.1.2: trailing zeros"));
    }

    #[test]
    fn a_line_that_explains_nothing_is_stale_once_its_stream_was_compared() {
        let list = Explained::parse("A.264 dpb[] reason\nB.264 dpb[] reason").unwrap();
        let compared = ["A.264".to_owned()];
        assert_eq!(list.stale(&compared).collect::<Vec<_>>(), ["A.264 dpb[]"]);
        list.reason("A.264", "dpb[]");
        assert_eq!(list.stale(&compared).count(), 0);
    }

    #[test]
    fn a_star_is_every_stream_or_every_field() {
        let list = Explained::parse("* pps.flags reason\nA.264 * reason").unwrap();
        assert!(list.reason("B.264", "pps.flags").is_some() && list.reason("A.264", "dpb[]").is_some());
        assert!(list.reason("B.264", "dpb[]").is_none());
    }

    #[test]
    fn a_line_without_a_reason_is_refused() {
        assert!(Explained::parse("A.264 dpb[]").is_err());
    }
}
