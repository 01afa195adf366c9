//! Life of one frame memory. Pure: no ioctl, no lock.

use crate::units::Timestamp;

/// Who may touch a frame memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlotState {
    /// Nobody reads or writes it; it may be queued.
    #[default]
    Free,
    /// The driver; `expected` is the timestamp of the OUTPUT buffer that it is decoded from.
    InDecode {
        /// What DQBUF must answer with.
        expected: Timestamp,
    },
    /// The holders of its frame, all inside this process.
    Decoded {
        /// Names the picture in it.
        timestamp: Timestamp,
    },
    /// The holders of its frame, and whoever they gave its file descriptors to.
    Exported {
        /// Names the picture in it.
        timestamp: Timestamp,
    },
}

/// A verb that does not fit the state; the state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// The verb is not allowed in this state.
    #[error("cannot {verb} a frame memory that is {from:?}")]
    WrongState {
        /// The state it is in.
        from: SlotState,
        /// What was tried.
        verb: &'static str,
    },
    /// The driver answered for another picture.
    #[error("the driver returned a buffer for {actual}, expected {expected}")]
    Timestamp {
        /// The picture that was queued.
        expected: Timestamp,
        /// The picture that came back.
        actual: Timestamp,
    },
}

impl SlotState {
    /// The driver may write it: Free -> InDecode, and Decoded -> InDecode for the second field of a picture.
    ///
    /// # Errors
    /// [`SlotError::WrongState`] while it is in decode, or exported: somebody outside reads it.
    pub fn queue(&mut self, expected: Timestamp) -> Result<(), SlotError> {
        match *self {
            Self::Free | Self::Decoded { .. } => {
                *self = Self::InDecode { expected };
                Ok(())
            }
            from @ (Self::InDecode { .. } | Self::Exported { .. }) => {
                Err(SlotError::WrongState { from, verb: "queue" })
            }
        }
    }

    /// Takes it back after `VIDIOC_DQBUF`: InDecode -> Decoded.
    ///
    /// # Errors
    /// [`SlotError::WrongState`] unless in decode; [`SlotError::Timestamp`] if the driver answered for another picture.
    pub fn dequeue(&mut self, actual: Timestamp) -> Result<(), SlotError> {
        match *self {
            Self::InDecode { expected } if expected == actual => {
                *self = Self::Decoded { timestamp: actual };
                Ok(())
            }
            Self::InDecode { expected } => Err(SlotError::Timestamp { expected, actual }),
            from @ (Self::Free | Self::Decoded { .. } | Self::Exported { .. }) => {
                Err(SlotError::WrongState { from, verb: "dequeue" })
            }
        }
    }

    /// The driver will not write it any more, or never did: Free, InDecode -> Decoded. Whatever is in it, its holders may
    /// go on with it. What was decoded or exported stays.
    pub fn cancel(&mut self, timestamp: Timestamp) {
        match *self {
            Self::Free | Self::InDecode { .. } => *self = Self::Decoded { timestamp },
            Self::Decoded { .. } | Self::Exported { .. } => {}
        }
    }

    /// Its file descriptors leave the process: Decoded -> Exported. Exporting twice is one export.
    ///
    /// # Errors
    /// [`SlotError::WrongState`] if no picture is in it yet.
    pub fn export(&mut self) -> Result<(), SlotError> {
        match *self {
            Self::Decoded { timestamp } | Self::Exported { timestamp } => {
                *self = Self::Exported { timestamp };
                Ok(())
            }
            from @ (Self::Free | Self::InDecode { .. }) => Err(SlotError::WrongState { from, verb: "export" }),
        }
    }

    /// Whoever was given its file descriptors let go, somebody inside still holds it: Exported -> Decoded.
    ///
    /// # Errors
    /// [`SlotError::WrongState`] if it was not exported.
    pub fn come_home(&mut self) -> Result<(), SlotError> {
        match *self {
            Self::Exported { timestamp } => {
                *self = Self::Decoded { timestamp };
                Ok(())
            }
            from @ (Self::Free | Self::InDecode { .. } | Self::Decoded { .. }) => Err(SlotError::WrongState {
                from,
                verb: "take home",
            }),
        }
    }

    /// The last holder let go: any state but InDecode -> Free.
    ///
    /// # Errors
    /// [`SlotError::WrongState`] while the driver writes it.
    pub fn give_back(&mut self) -> Result<(), SlotError> {
        match *self {
            Self::Free | Self::Decoded { .. } | Self::Exported { .. } => {
                *self = Self::Free;
                Ok(())
            }
            from @ Self::InDecode { .. } => Err(SlotError::WrongState {
                from,
                verb: "give back",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU64;

    fn timestamp(n: u64) -> Timestamp {
        Timestamp::from_sequence(NonZeroU64::new(n).unwrap())
    }

    #[test]
    fn every_state_takes_every_verb_as_the_table_says() {
        let free = SlotState::Free;
        let in_decode = SlotState::InDecode { expected: timestamp(1) };
        let decoded = SlotState::Decoded {
            timestamp: timestamp(1),
        };
        let exported = SlotState::Exported {
            timestamp: timestamp(1),
        };
        let requeued = SlotState::InDecode { expected: timestamp(2) };
        type Verb = fn(&mut SlotState) -> bool;
        let verbs: [(&str, Verb); 6] = [
            ("queue", |slot| slot.queue(timestamp(2)).is_ok()),
            ("dequeue", |slot| slot.dequeue(timestamp(1)).is_ok()),
            ("cancel", |slot| {
                slot.cancel(timestamp(1));
                true
            }),
            ("export", |slot| slot.export().is_ok()),
            ("come_home", |slot| slot.come_home().is_ok()),
            ("give_back", |slot| slot.give_back().is_ok()),
        ];
        // `None` = refused, and the state stays.
        let table = [
            (free, [Some(requeued), None, Some(decoded), None, None, Some(free)]),
            (in_decode, [None, Some(decoded), Some(decoded), None, None, None]),
            (
                decoded,
                [Some(requeued), None, Some(decoded), Some(exported), None, Some(free)],
            ),
            (
                exported,
                [None, None, Some(exported), Some(exported), Some(decoded), Some(free)],
            ),
        ];
        for (from, row) in table {
            for ((name, verb), expected) in verbs.iter().zip(row) {
                let mut slot = from;
                let accepted = verb(&mut slot);
                assert_eq!(accepted, expected.is_some(), "{name} in {from:?}");
                assert_eq!(slot, expected.unwrap_or(from), "{name} in {from:?}");
            }
        }
    }

    #[test]
    fn a_slot_answered_for_another_picture_stays_queued() {
        let mut slot = SlotState::InDecode { expected: timestamp(7) };
        let expected = SlotError::Timestamp {
            expected: timestamp(7),
            actual: timestamp(8),
        };
        assert_eq!(slot.dequeue(timestamp(8)), Err(expected));
        assert_eq!(slot, SlotState::InDecode { expected: timestamp(7) });
    }
}
