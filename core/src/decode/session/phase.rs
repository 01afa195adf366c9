//! Life of a session: what may be asked of it. Pure: no ioctl, no lock.

/// Where a session is between opening the device and losing it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// No format, no buffers.
    #[default]
    Unconfigured,
    /// Formats and buffers are there, the queues do not stream.
    Configured,
    /// Pictures go in and come out.
    Streaming,
    /// The queues stream and nothing is outstanding.
    Drained,
    /// The device did not come back from a STREAMOFF: nothing more can be asked of it.
    Lost,
}

/// A verb that does not fit the phase; the phase is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {verb} a session that is {from:?}")]
pub struct PhaseError {
    /// The phase it is in.
    pub from: Phase,
    /// What was tried.
    pub verb: &'static str,
}

impl Phase {
    /// Formats were agreed on and buffers allocated: Unconfigured -> Configured.
    ///
    /// # Errors
    /// [`PhaseError`] in any other phase.
    pub fn negotiate(&mut self) -> Result<(), PhaseError> {
        match *self {
            Self::Unconfigured => self.go(Self::Configured),
            from @ (Self::Configured | Self::Streaming | Self::Drained | Self::Lost) => Err(PhaseError {
                from,
                verb: "negotiate",
            }),
        }
    }

    /// Both queues were switched on: Configured -> Streaming. The first picture after a drain: Drained -> Streaming.
    ///
    /// # Errors
    /// [`PhaseError`] without buffers, or when lost.
    pub fn start(&mut self) -> Result<(), PhaseError> {
        match *self {
            Self::Configured | Self::Streaming | Self::Drained => self.go(Self::Streaming),
            from @ (Self::Unconfigured | Self::Lost) => Err(PhaseError { from, verb: "start" }),
        }
    }

    /// Everything outstanding was collected: Streaming -> Drained.
    ///
    /// # Errors
    /// [`PhaseError`] if it does not stream.
    pub fn drain(&mut self) -> Result<(), PhaseError> {
        match *self {
            Self::Streaming | Self::Drained => self.go(Self::Drained),
            from @ (Self::Unconfigured | Self::Configured | Self::Lost) => Err(PhaseError { from, verb: "drain" }),
        }
    }

    /// Both queues were switched off and freed, for a new SPS: any phase but Streaming and Lost -> Unconfigured.
    ///
    /// # Errors
    /// [`PhaseError`] while pictures may be outstanding, or when lost.
    pub fn release(&mut self) -> Result<(), PhaseError> {
        match *self {
            Self::Unconfigured | Self::Configured | Self::Drained => self.go(Self::Unconfigured),
            from @ (Self::Streaming | Self::Lost) => Err(PhaseError { from, verb: "release" }),
        }
    }

    /// Both queues are on.
    pub fn is_streaming(self) -> bool {
        match self {
            Self::Streaming | Self::Drained => true,
            Self::Unconfigured | Self::Configured | Self::Lost => false,
        }
    }

    /// The device does not answer any more.
    pub fn lose(&mut self) {
        *self = Self::Lost;
    }

    fn go(&mut self, next: Self) -> Result<(), PhaseError> {
        *self = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_takes_every_verb_as_the_table_says() {
        use Phase::{Configured, Drained, Lost, Streaming, Unconfigured};
        type Verb = fn(&mut Phase) -> Result<(), PhaseError>;
        let verbs: [(&str, Verb); 4] = [
            ("negotiate", Phase::negotiate),
            ("start", Phase::start),
            ("drain", Phase::drain),
            ("release", Phase::release),
        ];
        let table = [
            (Unconfigured, [Some(Configured), None, None, Some(Unconfigured)]),
            (Configured, [None, Some(Streaming), None, Some(Unconfigured)]),
            (Streaming, [None, Some(Streaming), Some(Drained), None]),
            (Drained, [None, Some(Streaming), Some(Drained), Some(Unconfigured)]),
            (Lost, [None, None, None, None]),
        ];
        for (from, row) in table {
            for ((verb, apply), expected) in verbs.iter().zip(row) {
                let mut phase = from;
                match (apply(&mut phase), expected) {
                    (Ok(()), Some(next)) => assert_eq!(phase, next, "{verb} in {from:?}"),
                    (Err(error), None) => {
                        assert_eq!(error, PhaseError { from, verb });
                        assert_eq!(phase, from, "a refused {verb} changes nothing");
                    }
                    (result, expected) => panic!("{verb} in {from:?}: {result:?}, expected {expected:?}"),
                }
            }
            let mut phase = from;
            phase.lose();
            assert_eq!(phase, Lost);
        }
    }
}
