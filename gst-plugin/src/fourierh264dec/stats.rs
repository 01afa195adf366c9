//! What the element has done, as the user sees it.

use std::sync::atomic::{AtomicU64, Ordering};

use fourier_core::pool::PoolStats;

/// Name of the structure, in the property and in the message.
pub(super) const NAME: &str = "fourierh264dec-stats";

/// A count that any thread may raise.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// Counts since the element started.
#[derive(Debug, Default)]
pub(super) struct Stats {
    /// Frames given out; the base class leaves out those before the start of a seek.
    pub(super) frames: Counter,
    /// Of these, damaged ones.
    pub(super) damaged: Counter,
    /// Access units and frames that nothing was pushed for.
    pub(super) dropped: Counter,
    /// Frames whose samples were copied.
    pub(super) copies: Counter,
    /// Times that decoding waited for downstream to let go of a frame.
    waits: Counter,
    /// Frame memories there are.
    pool_size: Counter,
    /// Frame memories in use at once, at most.
    pool_high_water: Counter,
}

impl Stats {
    /// Takes over what the frame pool counts.
    pub(super) fn set_pool(&self, pool: PoolStats) {
        self.pool_size.set(pool.frames as u64);
        self.pool_high_water.set(pool.high_water as u64);
        self.waits.set(pool.waits);
    }

    /// From zero.
    pub(super) fn reset(&self) {
        let Self {
            frames,
            damaged,
            dropped,
            copies,
            waits,
            pool_size,
            pool_high_water,
        } = self;
        for counter in [frames, damaged, dropped, copies, waits, pool_size, pool_high_water] {
            counter.set(0);
        }
    }

    /// What the property `stats` gives; `device` is empty while nothing decodes.
    pub(super) fn structure(&self, device: &str) -> gst::Structure {
        gst::Structure::builder(NAME)
            .field("device", device)
            .field("frames", self.frames.get())
            .field("damaged", self.damaged.get())
            .field("dropped", self.dropped.get())
            .field("copies", self.copies.get())
            .field("waits", self.waits.get())
            .field("pool-size", self.pool_size.get())
            .field("pool-high-water", self.pool_high_water.get())
            .build()
    }
}
