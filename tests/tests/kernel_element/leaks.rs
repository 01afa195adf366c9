//! Nothing stays behind.

use std::thread::sleep;
use std::time::{Duration, Instant};

use fourier_tests::Outcome;
use fourier_tests::resources::{Resources, dma_bufs_of_the_system};
use gst::glib::ThreadPool;

/// What the allocator and GStreamer may keep for the next time.
const SLACK_KIB: usize = 16 << 10;
/// Threads of GStreamer end, and the kernel frees memory, a moment after they were let go.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs it, and fails if the process or the system then holds more than before.
pub fn none_after(run: impl FnOnce() -> Outcome) -> Outcome {
    ThreadPool::stop_unused_threads();
    let before = held()?;
    run()?;
    let start = Instant::now();
    loop {
        ThreadPool::stop_unused_threads();
        let grown = compare(before, held()?);
        match grown {
            Err(_) if start.elapsed() < PATIENCE => sleep(Duration::from_millis(50)),
            grown => return grown,
        }
    }
}

fn held() -> Outcome<(Resources, usize)> {
    let dma_bufs = dma_bufs_of_the_system().ok_or("debugfs does not list dma-bufs")?;
    Ok((Resources::now()?, dma_bufs))
}

fn compare(before: (Resources, usize), now: (Resources, usize)) -> Outcome {
    now.0.must_not_exceed(&before.0, SLACK_KIB)?;
    match now.1 > before.1 {
        true => Err(format!("dma-bufs grew from {} to {}", before.1, now.1).into()),
        false => Ok(()),
    }
}
