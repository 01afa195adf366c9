//! Life of one request, which belongs to one OUTPUT slot for good. Pure: no ioctl, no lock.

use super::Outcome;

/// What the kernel and we are doing with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Request {
    /// Empty: controls and a buffer can be put in.
    #[default]
    Idle,
    /// It has controls; the buffer comes next.
    Prepared,
    /// The driver has it.
    Queued,
    /// The driver is done with it; it must be reinitialised before the next use.
    Completed(Outcome),
}

/// A verb that does not fit the state; the state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {verb} a request that is {from:?}")]
pub struct RequestError {
    /// The state it is in.
    pub from: Request,
    /// What was tried.
    pub verb: &'static str,
}

impl Request {
    /// Controls were set in it: Idle -> Prepared.
    ///
    /// # Errors
    /// [`RequestError`] in any other state.
    pub fn prepare(&mut self) -> Result<(), RequestError> {
        match *self {
            Self::Idle => self.become_state(Self::Prepared),
            from @ (Self::Prepared | Self::Queued | Self::Completed(_)) => Err(RequestError { from, verb: "prepare" }),
        }
    }

    /// `MEDIA_REQUEST_IOC_QUEUE` took it: Prepared -> Queued.
    ///
    /// # Errors
    /// [`RequestError`] in any other state.
    pub fn queue(&mut self) -> Result<(), RequestError> {
        match *self {
            Self::Prepared => self.become_state(Self::Queued),
            from @ (Self::Idle | Self::Queued | Self::Completed(_)) => Err(RequestError { from, verb: "queue" }),
        }
    }

    /// Its buffers came back, or STREAMOFF cancelled it: Queued -> Completed.
    ///
    /// # Errors
    /// [`RequestError`] in any other state.
    pub fn complete(&mut self, outcome: Outcome) -> Result<(), RequestError> {
        match *self {
            Self::Queued => self.become_state(Self::Completed(outcome)),
            from @ (Self::Idle | Self::Prepared | Self::Completed(_)) => Err(RequestError { from, verb: "complete" }),
        }
    }

    /// `MEDIA_REQUEST_IOC_REINIT` emptied it: Prepared (given up) or Completed -> Idle.
    ///
    /// # Errors
    /// [`RequestError`] while the driver has it (the kernel says EBUSY), or if there is nothing to undo.
    pub fn reinit(&mut self) -> Result<(), RequestError> {
        match *self {
            Self::Prepared | Self::Completed(_) => self.become_state(Self::Idle),
            from @ (Self::Idle | Self::Queued) => Err(RequestError { from, verb: "reinit" }),
        }
    }

    /// The driver does not have it: it can take the next picture, after a reinit unless it is idle.
    pub fn is_available(self) -> bool {
        match self {
            Self::Idle | Self::Prepared | Self::Completed(_) => true,
            Self::Queued => false,
        }
    }

    fn become_state(&mut self, next: Self) -> Result<(), RequestError> {
        *self = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_takes_every_verb_as_the_table_says() {
        use Request::{Completed, Idle, Prepared, Queued};
        type Verb = fn(&mut Request) -> Result<(), RequestError>;
        let verbs: [(&str, Verb); 4] = [
            ("prepare", Request::prepare),
            ("queue", Request::queue),
            ("complete", |request| request.complete(Outcome::Damaged)),
            ("reinit", Request::reinit),
        ];
        let damaged = Completed(Outcome::Damaged);
        let table = [
            (Idle, [Some(Prepared), None, None, None]),
            (Prepared, [None, Some(Queued), None, Some(Idle)]),
            (Queued, [None, None, Some(damaged), None]),
            (damaged, [None, None, None, Some(Idle)]),
            (Completed(Outcome::Good), [None, None, None, Some(Idle)]),
        ];
        for (from, row) in table {
            for ((verb, apply), expected) in verbs.iter().zip(row) {
                let mut request = from;
                match (apply(&mut request), expected) {
                    (Ok(()), Some(next)) => assert_eq!(request, next, "{verb} in {from:?}"),
                    (Err(error), None) => {
                        assert_eq!(error, RequestError { from, verb });
                        assert_eq!(request, from, "a refused {verb} changes nothing");
                    }
                    (result, expected) => panic!("{verb} in {from:?}: {result:?}, expected {expected:?}"),
                }
            }
        }
    }
}
