//! What `strace -f -y` wrote, as numbers.

use std::collections::BTreeMap;

/// Calls that reach a device or wait for one.
const OF_DEVICES: [&str; 4] = ["ioctl", "poll", "ppoll", "select"];
/// How `-y` shows descriptors of a video node, a request and a dma-buf.
const DEVICES: [&str; 3] = ["</dev/video", "<anon_inode:request", "<anon_inode:[request"];
const DMA_BUF: &str = "dmabuf";

/// How often each system call was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// All of them, by name.
    pub all: BTreeMap<String, u64>,
    /// ioctl and poll on video nodes, requests and dma-bufs, by the name of the ioctl.
    pub device: BTreeMap<String, u64>,
}

impl Calls {
    /// Counts what is in a log. A call that another thread interrupted stands there twice and is one.
    pub fn parse(log: &str) -> Self {
        let mut calls = Self::default();
        for line in log.lines() {
            // The thread, and what it called.
            let call = line.split_once(' ').map(|(_, call)| call.trim_start());
            let Some((name, arguments)) = call.and_then(|call| call.split_once('(')) else {
                continue;
            };
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                continue;
            }
            *calls.all.entry(name.to_owned()).or_default() += 1;
            if OF_DEVICES.contains(&name) && is_of_device(arguments) {
                let ioctl = arguments.split(", ").nth(1).filter(|_| name == "ioctl");
                let ioctl = ioctl.unwrap_or(name).trim_end_matches([')', ' ']);
                let word = ioctl.split([',', ' ', ')']).next().unwrap_or(name);
                *calls.device.entry(word.to_owned()).or_default() += 1;
            }
        }
        calls
    }

    /// How many more calls of each kind there are than in `shorter`, for each of `frames`.
    pub fn per_frame(&self, shorter: &Self, frames: u64) -> PerFrame {
        let more = |long: &BTreeMap<String, u64>, short: &BTreeMap<String, u64>| -> BTreeMap<String, f64> {
            let more = |(name, &count): (&String, &u64)| {
                let before = short.get(name).copied().unwrap_or(0);
                (name.clone(), (count as f64 - before as f64) / frames as f64)
            };
            long.iter().map(more).collect()
        };
        PerFrame {
            all: more(&self.all, &shorter.all),
            device: more(&self.device, &shorter.device),
        }
    }
}

fn is_of_device(arguments: &str) -> bool {
    DEVICES.iter().any(|device| arguments.contains(device))
        || arguments
            .split('<')
            .skip(1)
            .any(|shown| shown.split('>').next().is_some_and(|path| path.contains(DMA_BUF)))
}

/// Calls for one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerFrame {
    /// As in [`Calls`].
    pub all: BTreeMap<String, f64>,
    /// As in [`Calls`].
    pub device: BTreeMap<String, f64>,
}

impl PerFrame {
    /// Of all kinds.
    pub fn sum(counts: &BTreeMap<String, f64>) -> f64 {
        counts.values().sum()
    }

    /// Those that are made every tenth frame at least, most frequent first.
    pub fn words(counts: &BTreeMap<String, f64>) -> String {
        let mut frequent: Vec<_> = counts.iter().filter(|(_, count)| **count >= 0.1).collect();
        frequent.sort_by(|a, b| b.1.total_cmp(a.1));
        let words: Vec<_> = frequent
            .iter()
            .map(|(name, count)| format!("{name} {count:.1}"))
            .collect();
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
12 ioctl(9</dev/video0<char 81:0>>, VIDIOC_QBUF, {type=V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE}) = 0
13 ppoll([{fd=11<anon_inode:request>, events=POLLPRI}], 1, {tv_sec=3, tv_nsec=0}, NULL, 8 <unfinished ...>
12 ioctl(20</dmabuf:>, DMA_BUF_IOCTL_SYNC, {flags=DMA_BUF_SYNC_READ}) = 0
13 <... ppoll resumed>) = 1 ([{fd=11, revents=POLLPRI}])
12 ioctl(11<anon_inode:request>, MEDIA_REQUEST_IOC_QUEUE) = 0
12 read(3</tmp/a dmabuf.264>, \"\", 4096) = 0
13 futex(0x7f00, FUTEX_WAKE_PRIVATE, 1) = 1
13 --- SIGCHLD {si_signo=SIGCHLD} ---
13 +++ exited with 0 +++
";

    #[test]
    fn a_call_is_counted_once_and_by_what_it_is_made_on() {
        let calls = Calls::parse(LOG);
        let all: Vec<_> = calls.all.iter().map(|(name, &count)| (name.as_str(), count)).collect();
        assert_eq!(all, [("futex", 1), ("ioctl", 3), ("ppoll", 1), ("read", 1)]);
        let device: Vec<_> = calls.device.keys().map(String::as_str).collect();
        assert_eq!(
            device,
            ["DMA_BUF_IOCTL_SYNC", "MEDIA_REQUEST_IOC_QUEUE", "VIDIOC_QBUF", "ppoll"]
        );
        assert!(calls.device.values().all(|&count| count == 1));
    }

    #[test]
    fn what_a_shorter_run_has_too_is_start_up() {
        let (short, long) = (Calls::parse(LOG), Calls::parse(&LOG.repeat(5)));
        let per_frame = long.per_frame(&short, 2);
        assert_eq!(PerFrame::sum(&per_frame.device), 8.0);
        assert_eq!(PerFrame::sum(&per_frame.all), 12.0);
        assert_eq!(
            PerFrame::words(&per_frame.all),
            "ioctl 6.0, futex 2.0, ppoll 2.0, read 2.0"
        );
    }
}
