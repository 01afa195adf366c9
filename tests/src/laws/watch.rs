//! Panics of any thread, and time: what a law cannot tell by itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::Outcome;

/// A hundred times what the slowest takes: who needs longer hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// Panics of any thread, also of those that nobody joins.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts panics from here on, besides saying them as before.
pub fn count_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        hook(panic);
    }));
}

/// Fails if any thread panicked.
///
/// # Errors
/// Says how many.
pub fn nothing_panicked() -> Outcome {
    match PANICS.load(Ordering::Relaxed) {
        0 => Ok(()),
        count => Err(format!("{count} threads panicked").into()),
    }
}

/// Runs `test` on a thread of its own; a panic or too long a time is an error.
///
/// # Errors
/// That of `test`, or that it panicked or hangs.
pub fn watched<T: Send + 'static>(test: impl FnOnce() -> Outcome<T> + Send + 'static) -> Outcome<T> {
    let (sender, receiver) = channel();
    let thread = thread::spawn(move || sender.send(test()));
    let result = answer(&receiver)?;
    // The thread has ended but for its own last words.
    let _ = thread.join();
    result
}

/// Gives every input to `check`, on a thread of its own, and watches each. Says how many there were.
///
/// # Errors
/// The first that fails, by its name, with how it failed.
pub fn each_watched(
    inputs: impl Iterator<Item = (String, Vec<u8>)> + Send + 'static,
    check: impl Fn(&[u8]) -> Outcome + Send + 'static,
) -> Outcome<usize> {
    let (sender, receiver) = channel();
    let (begins, begun) = channel();
    let thread = thread::spawn(move || {
        for (name, input) in inputs {
            // Nobody listens any more once one failed.
            if begins.send(name).is_err() || sender.send(check(&input)).is_err() {
                return;
            }
        }
    });
    let mut count = 0;
    for name in &begun {
        answer(&receiver)
            .and_then(|result| result)
            .map_err(|error| format!("{name}: {error}"))?;
        count += 1;
    }
    match thread.join() {
        Ok(()) => Ok(count),
        Err(_) => Err(format!("no input after the first {count}: making it panicked").into()),
    }
}

fn answer<T>(receiver: &Receiver<T>) -> Outcome<T> {
    receiver.recv_timeout(DEADLINE).map_err(|error| match error {
        RecvTimeoutError::Disconnected => "it panicked".into(),
        RecvTimeoutError::Timeout => format!("it hangs: nothing after {DEADLINE:?}").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_that_panics_or_fails_is_named() {
        let check = |input: &[u8]| -> Outcome {
            assert_ne!(input, [2]);
            match input {
                [1] => Err("is one".into()),
                _ => Ok(()),
            }
        };
        let inputs = |last: u8| {
            [0, 0, last]
                .into_iter()
                .map(|byte| (format!("input {byte}"), vec![byte]))
        };
        assert_eq!(each_watched(inputs(0), check).unwrap(), 3);
        assert_eq!(
            each_watched(inputs(1), check).unwrap_err().to_string(),
            "input 1: is one"
        );
        assert_eq!(
            each_watched(inputs(2), check).unwrap_err().to_string(),
            "input 2: it panicked"
        );
    }
}
