//! What this process holds, read from `/proc/self`.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;

/// A snapshot of what can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Open file descriptors.
    pub fds: usize,
    /// Threads.
    pub threads: usize,
    /// Mappings of dma-bufs and memfds.
    pub mappings: usize,
    /// Resident memory in KiB.
    pub resident_kib: usize,
}

impl Resources {
    /// What the process holds now.
    ///
    /// # Errors
    /// Without `/proc`.
    pub fn now() -> Outcome<Self> {
        let entries = |folder| -> Outcome<usize> { Ok(std::fs::read_dir(Path::new(folder))?.count()) };
        let maps = std::fs::read_to_string("/proc/self/maps")?;
        let status = std::fs::read_to_string("/proc/self/status")?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap_or_default();
        Ok(Self {
            // The directory that is being read is open too.
            fds: entries("/proc/self/fd")? - 1,
            threads: entries("/proc/self/task")?,
            mappings: maps
                .lines()
                .filter(|line| line.contains("memfd:") || line.contains("dmabuf"))
                .count(),
            resident_kib: resident.trim().trim_end_matches(" kB").parse()?,
        })
    }

    /// Fails when more is held than in `before`; resident memory may differ by `slack_kib`.
    ///
    /// # Errors
    /// Says what grew.
    pub fn must_not_exceed(&self, before: &Self, slack_kib: usize) -> Outcome {
        let grew = [
            ("file descriptors", before.fds, self.fds),
            ("threads", before.threads, self.threads),
            ("mappings", before.mappings, self.mappings),
            ("KiB resident", before.resident_kib + slack_kib, self.resident_kib),
        ];
        match grew.into_iter().find(|(_, before, now)| now > before) {
            Some((what, before, now)) => Err(format!("{what} grew from {before} to {now}").into()),
            None => Ok(()),
        }
    }

    /// As [`Self::must_not_exceed`], of this process now: threads that were joined may be listed for a moment longer, what
    /// leaked stays.
    ///
    /// # Errors
    /// Says what grew since `self` was taken.
    pub fn must_come_back(&self, slack_kib: usize) -> Outcome {
        const GRACE: Duration = Duration::from_secs(30);
        let begin = Instant::now();
        loop {
            match Self::now()?.must_not_exceed(self, slack_kib) {
                Err(_) if begin.elapsed() < GRACE => thread::sleep(Duration::from_millis(20)),
                result => return result,
            }
        }
    }
}

/// How many dma-bufs there are in the whole system; `None` where debugfs does not tell.
pub fn dma_bufs_of_the_system() -> Option<usize> {
    let list = std::fs::read_to_string("/sys/kernel/debug/dma_buf/bufinfo").ok()?;
    let (_, total) = list.rsplit_once("Total ")?;
    total.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Resources = Resources {
        fds: 20,
        threads: 4,
        mappings: 3,
        resident_kib: 1_000,
    };

    #[test]
    fn whatever_grows_is_named() {
        let grown = [
            ("file descriptors", Resources { fds: 21, ..HELD }),
            ("threads", Resources { threads: 5, ..HELD }),
            ("mappings", Resources { mappings: 4, ..HELD }),
            (
                "KiB resident",
                Resources {
                    resident_kib: 1_101,
                    ..HELD
                },
            ),
        ];
        for (what, now) in grown {
            let error = now.must_not_exceed(&HELD, 100).unwrap_err().to_string();
            assert!(error.starts_with(what), "{error}");
        }
        assert!(HELD.must_not_exceed(&HELD, 0).is_ok());
    }

    #[test]
    fn open_descriptors_are_counted() {
        // Other tests of this process open and close theirs meanwhile: only what is open for sure can be asked for.
        let held: Vec<_> = (0..100).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
        assert!(Resources::now().unwrap().fds >= held.len());
    }
}
