//! Any controls and any slice data into fourier-soft: it comes to an end, says nothing impossible of it, and does the same
//! again, whatever it did before.
//!
//! * [`script`]: requests as bytes, so that they can be kept, cut and flipped;
//! * [`fields`]: every field of the control structures in one order;
//! * [`driver`]: what stands around the decoder in a device: CAPTURE buffers and their timestamps;
//! * [`record`]: the requests of a stream, as core would send them.

pub mod driver;
pub mod fields;
pub mod record;
pub mod script;

use fourier_soft::{Sample, Sample10};

use self::driver::{Completed, Driver};
pub use self::script::Script;
use crate::Outcome;

/// Runs the requests that `bytes` are, twice with one decoder.
///
/// # Errors
/// Says what was impossible, or that the second run was not like the first.
pub fn any_requests_end_twice_the_same(bytes: &[u8]) -> Outcome {
    let script = Script::read(bytes);
    match script.bit_depth() {
        8 => end_twice_the_same::<u8>(&script),
        _ => end_twice_the_same::<Sample10>(&script),
    }
}

fn end_twice_the_same<S: Sample>(script: &Script) -> Outcome {
    let mut driver = Driver::<S>::default();
    twice_the_same(|| driver.run(script))
}

fn twice_the_same(mut run: impl FnMut() -> Outcome<Vec<Completed>>) -> Outcome {
    let (first, second) = (run()?, run()?);
    if first.len() != second.len() {
        return Err(format!("first {} requests, then {}", first.len(), second.len()).into());
    }
    match first.iter().zip(&second).position(|(first, second)| first != second) {
        None => Ok(()),
        Some(request) => Err(format!(
            "request {request}: first {:?}, then {:?}",
            first[request], second[request]
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use fourier_soft::Error;

    use super::*;
    use crate::laws::inputs::corpus;
    use crate::laws::{InputKind, LAWS};

    fn completed<S: Sample>(script: &Script) -> Outcome<Vec<Completed>> {
        Driver::<S>::default().run(script)
    }

    #[test]
    fn the_corpus_reaches_reconstruction() -> Outcome {
        let law = LAWS.iter().find(|law| law.input == InputKind::Requests);
        let (mut sound, mut refused) = (0, 0);
        for (name, bytes) in corpus(law.ok_or("no law takes requests")?)? {
            let script = Script::read(&bytes);
            let requests = match script.bit_depth() {
                8 => completed::<u8>(&script)?,
                _ => completed::<Sample10>(&script)?,
            };
            assert!(!requests.is_empty(), "{name}");
            if requests.iter().all(|request| request.refusal.is_some()) {
                refused += 1;
                continue;
            }
            for request in &requests {
                let is_whole = request.faults.is_empty() && request.outcome == Default::default();
                assert!(is_whole, "{name}: {request:?}");
            }
            sound += 1;
        }
        assert!(sound > 4 * refused, "{sound} decoded, {refused} refused");
        Ok(())
    }

    /// A decoder that remembers anything from run to run: here, how far it came.
    #[test]
    fn whatever_is_not_twice_the_same_breaks_the_law() -> Outcome {
        type Tamper = fn(&mut Vec<Completed>);
        const TAMPERS: [Tamper; 4] = [
            |completed| completed[0].hash ^= 1,
            |completed| completed[0].outcome.concealed_macroblocks += 1,
            |completed| completed[0].faults.push(Error::Unsupported("a tool")),
            |completed| drop(completed.pop()),
        ];
        let law = LAWS.iter().find(|law| law.input == InputKind::Requests);
        let inputs = corpus(law.ok_or("no law takes requests")?)?;
        let (_, bytes) = inputs.first().ok_or("no requests")?;
        let script = Script::read(bytes);
        twice_the_same(|| completed::<u8>(&script))?;
        for tamper in TAMPERS {
            let mut runs = 0;
            let broken = twice_the_same(|| {
                let mut completed = completed::<u8>(&script)?;
                runs += 1;
                if runs == 2 {
                    tamper(&mut completed);
                }
                Ok(completed)
            });
            assert!(broken.is_err());
        }
        Ok(())
    }
}
