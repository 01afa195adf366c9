//! Quantities that cross module boundaries: no naked integers there.

use std::fmt;
use std::time::Duration;

/// The timestamp that names a decoded picture to the driver: nanoseconds, whole microseconds, never 0.
///
/// `v4l2_buffer.timestamp` is a `timeval`, so nothing finer than a microsecond survives; the driver compares
/// `v4l2_timeval_to_ns()` of it with `reference_ts`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The n-th timestamp of a session; `sequence` counts from 1 and is never reused.
    pub const fn from_sequence(sequence: std::num::NonZeroU64) -> Self {
        Self(sequence.get() * 1_000)
    }

    /// The value that `v4l2_h264_dpb_entry.reference_ts` takes.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds and microseconds for `v4l2_buffer.timestamp`.
    pub const fn to_timeval(self) -> (i64, i64) {
        ((self.0 / 1_000_000_000) as i64, (self.0 % 1_000_000_000 / 1_000) as i64)
    }

    /// What `v4l2_buffer.timestamp` says; `None` where a driver returned something that is no timestamp of ours.
    pub fn from_timeval(sec: i64, usec: i64) -> Option<Self> {
        let sec = u64::try_from(sec).ok()?;
        let usec = u64::try_from(usec).ok().filter(|&usec| usec < 1_000_000)?;
        let nanos = sec.checked_mul(1_000_000_000)?.checked_add(usec * 1_000)?;
        (nanos != 0).then_some(Self(nanos))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}us", self.0 / 1_000)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Index of a V4L2 buffer in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferIndex(pub u32);

impl fmt::Display for BufferIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Width and height in luma samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A rectangle in luma samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width and height.
    pub size: Size,
}

/// How long a driver may take for one request; drivers' own watchdogs take 2 s.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU64;

    #[test]
    fn timestamp_survives_the_timeval_round_trip_past_one_second() {
        for sequence in [1, 999_999, 1_000_000, 1_000_001, u64::from(u32::MAX) + 7] {
            let timestamp = Timestamp::from_sequence(NonZeroU64::new(sequence).unwrap());
            let (sec, usec) = timestamp.to_timeval();
            assert!(usec < 1_000_000);
            assert_eq!(Timestamp::from_timeval(sec, usec), Some(timestamp));
        }
    }

    #[test]
    fn a_timeval_that_is_no_timestamp_of_ours_is_refused() {
        for (sec, usec) in [(0, 0), (-1, 0), (0, -1), (0, 1_000_000), (i64::MAX, 0)] {
            assert_eq!(Timestamp::from_timeval(sec, usec), None);
        }
    }
}
