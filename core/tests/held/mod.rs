//! What this process and the system hold, so that a test can tell whether something stays behind.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// What the allocator may keep for the next time.
const SLACK_KIB: usize = 16 << 10;
/// The kernel frees memory a moment after it was let go.
const PATIENCE: Duration = Duration::from_secs(10);

/// A count of everything that can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// File descriptors, threads, and mappings of shared memory of the process.
    pub of_the_process: [usize; 3],
    /// dma-bufs of the whole system; 0 where debugfs does not tell.
    pub dma_bufs: usize,
    /// Resident memory of the process.
    pub resident_kib: usize,
}

impl Held {
    /// What is held now.
    pub fn now() -> std::io::Result<Self> {
        let entries = |path| std::fs::read_dir(path).map(Iterator::count);
        let maps = std::fs::read_to_string("/proc/self/maps")?;
        let shared = |line: &&str| line.contains("memfd:") || line.contains("dmabuf");
        let status = std::fs::read_to_string("/proc/self/status")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let dma_bufs = std::fs::read_to_string("/sys/kernel/debug/dma_buf/bufinfo").unwrap_or_default();
        let number = |text: &str| text.split_ascii_whitespace().next().and_then(|word| word.parse().ok());
        Ok(Self {
            of_the_process: [
                entries("/proc/self/fd")?,
                entries("/proc/self/task")?,
                maps.lines().filter(shared).count(),
            ],
            dma_bufs: dma_bufs
                .rsplit_once("Total ")
                .and_then(|(_, total)| number(total))
                .unwrap_or_default(),
            resident_kib: resident.and_then(number).unwrap_or_default(),
        })
    }

    fn is_no_more_than(&self, before: &Self) -> bool {
        let counts = self.of_the_process.iter().zip(&before.of_the_process);
        counts.into_iter().all(|(now, before)| now <= before)
            && self.dma_bufs <= before.dma_bufs
            && self.resident_kib <= before.resident_kib + SLACK_KIB
    }

    /// Panics if more is held than `self`, and stays so.
    #[track_caller]
    pub fn must_be_all(&self, what: &str) {
        let start = Instant::now();
        loop {
            let now = Self::now().unwrap();
            if now.is_no_more_than(self) {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{what}: {now:?} is held, before it was {self:?}"
            );
            sleep(Duration::from_millis(20));
        }
    }
}
