//! The threads of a streaming node: they live from STREAMON to STREAMOFF.

use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::context::Context;
use super::job::Step;
use super::stages::{EntropyStage, Finished, ReconstructionStage};

/// How many parsed pictures may wait for reconstruction.
const PARSED_AHEAD: usize = 2;

/// What the node and its threads share.
#[derive(Debug)]
pub(super) struct Shared {
    context: Mutex<Context>,
    /// There may be a job, or it is time to stop.
    work: Condvar,
    /// A job ended.
    pub(super) done: Condvar,
}

impl Shared {
    pub(super) fn new(context: Context) -> Self {
        Self {
            context: Mutex::new(context),
            work: Condvar::new(),
            done: Condvar::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Context> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something changed that may make a job ready.
    pub(super) fn wake(&self) {
        self.work.notify_one();
    }

    /// Waits for the next step; `None` when the node stops.
    fn next_step(&self) -> Option<Step> {
        let mut context = self.lock();
        loop {
            if context.stopping {
                return None;
            }
            if let Some(step) = context.take() {
                return Some(step);
            }
            context = self.work.wait(context).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn finish(&self, stage: &mut ReconstructionStage, finished: Finished) {
        let mut context = self.lock();
        match finished {
            Finished::Job(job) => context.finish(job),
            Finished::Release { capture, error } => context.release(capture, error),
        }
        stage.spare.drain(..).for_each(|arena| context.recycle(arena));
        drop(context);
        self.done.notify_all();
    }
}

/// The running threads.
#[derive(Debug)]
pub(super) struct Worker {
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Starts one thread, or two.
    ///
    /// # Errors
    /// What pthread_create(3) says; no thread is left behind.
    pub(super) fn start(shared: &Arc<Shared>, threads: u32) -> io::Result<Self> {
        shared.lock().stopping = false;
        let mut worker = Self {
            threads: Vec::with_capacity(2),
        };
        let started = if threads == 1 {
            worker.start_one(shared)
        } else {
            worker.start_two(shared)
        };
        match started {
            Ok(()) => Ok(worker),
            Err(error) => {
                worker.stop(shared);
                Err(error)
            }
        }
    }

    fn start_one(&mut self, shared: &Arc<Shared>) -> io::Result<()> {
        let shared = Arc::clone(shared);
        self.spawn("fourier-decode", move || both_stages(&shared))
    }

    fn start_two(&mut self, shared: &Arc<Shared>) -> io::Result<()> {
        let (parsed, to_reconstruct) = mpsc::sync_channel(PARSED_AHEAD);
        let (for_entropy, for_reconstruction) = (Arc::clone(shared), Arc::clone(shared));
        self.spawn("fourier-recon", move || {
            reconstruction_stage(&for_reconstruction, &to_reconstruct)
        })?;
        self.spawn("fourier-entropy", move || entropy_stage(&for_entropy, &parsed))
    }

    fn spawn(&mut self, name: &str, stage: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(Builder::new().name(name.into()).spawn(stage)?);
        Ok(())
    }

    /// Waits for the jobs that were begun; no further one begins.
    pub(super) fn stop(self, shared: &Shared) {
        shared.lock().stopping = true;
        shared.work.notify_all();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the software decoder panicked");
            }
        }
    }
}

fn both_stages(shared: &Shared) {
    let (mut entropy, mut reconstruction) = (EntropyStage::default(), ReconstructionStage::default());
    while let Some(mut step) = shared.next_step() {
        entropy.run(&mut step);
        let finished = reconstruction.run(step);
        shared.finish(&mut reconstruction, finished);
    }
}

fn entropy_stage(shared: &Shared, parsed: &SyncSender<Step>) {
    let mut stage = EntropyStage::default();
    while let Some(mut step) = shared.next_step() {
        stage.run(&mut step);
        if parsed.send(step).is_err() {
            return;
        }
    }
}

fn reconstruction_stage(shared: &Shared, parsed: &Receiver<Step>) {
    let mut stage = ReconstructionStage::default();
    for step in parsed {
        let finished = stage.run(step);
        shared.finish(&mut stage, finished);
    }
}
