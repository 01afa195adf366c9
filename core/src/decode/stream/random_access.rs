//! Where decoding may begin, what may be shown, and until when damage is passed on. Pure.

use crate::h264::PictureId;
use crate::h264::reference::ReferencePicture;
use crate::h264::sei::RecoveryPoint;

use super::DropReason;

/// Recoveries that are under way at once, at most.
const MAX_RECOVERIES: usize = 8;

/// How far the decoder is into its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecodingState {
    /// No slice has found its parameter sets yet.
    #[default]
    AwaitingParameterSets,
    /// Parameter sets are there; an IDR picture, a recovery point or an intra picture is not.
    AwaitingIdr,
    /// Decoding began at a recovery point and has not reached the frame from which on output is right.
    Recovering,
    /// Pictures are decoded and shown.
    Decoding,
}

/// What to do with pictures before the stream is known to be right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartPolicy {
    /// Nothing is shown before an IDR picture, the end of a recovery (D.2.8) or, as a last resort, an intra picture.
    #[default]
    Clean,
    /// Everything is decoded and shown from the first slice on; what is not known to be right is damaged.
    Fast,
}

/// What of a picture decides whether decoding may begin with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) is_idr: bool,
    /// Every slice is intra.
    pub(super) is_intra: bool,
    pub(super) recovery_point: Option<RecoveryPoint>,
    pub(super) frame_num: u16,
    pub(super) max_frame_num: u32,
}

/// When damage happens. Epochs begin with recoveries: one that is complete heals what was damaged in epochs before its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Epoch(u32);

/// What is known of a picture once it has an order count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Not to be shown, and why.
    pub(super) hidden: Option<DropReason>,
    /// What is wrong with this picture itself is wrong in this epoch.
    pub(super) epoch: Epoch,
    /// References that were damaged before this epoch do not count.
    pub(super) trusts_since: Epoch,
    /// It is shown although the stream does not promise that it is right.
    pub(super) is_unproven: bool,
    /// References were lost, so that what is predicted is wrong in this epoch, whatever it is predicted from.
    pub(super) lost_references: Option<Epoch>,
}

/// A recovery that is under way. It may last until the next one has long begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Recovery {
    /// The epoch that began with it.
    epoch: Epoch,
    /// Steps of `frame_num` that are left.
    remaining: u32,
}

/// Lost references. The encoder went on with them, and with what their slice headers did to others: which references there
/// are, and in what order, is a guess from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Loss {
    epoch: Epoch,
    /// The first picture after it that is right by itself.
    intra: Option<PictureId>,
}

/// The machine: AwaitingParameterSets -> AwaitingIdr -> (Recovering ->) Decoding -reset-> AwaitingIdr.
#[derive(Clone, Debug, Default)]
pub(super) struct RandomAccess {
    policy: StartPolicy,
    state: DecodingState,
    /// The one that lasts.
    epoch: Epoch,
    /// That before the current picture.
    epoch_before: Epoch,
    /// That of the last recovery that is complete, and of the one before it.
    trusted: Epoch,
    trusted_before: Epoch,
    /// In the order in which they began.
    recoveries: Vec<Recovery>,
    /// `frame_num` of the picture admitted last; 0 after memory_management_control_operation 5.
    frame_num: u16,
    /// The current picture is the one where decoding begins, or from which on output is right.
    is_entry: bool,
    /// References that were lost, as long as it matters.
    loss: Option<Loss>,
    /// Whether pictures before the entry in output order were never decodable.
    drops_leading: bool,
    /// `PicOrderCnt` of the entry; what precedes it in output order is not covered by its promise.
    entry: Option<i32>,
}

impl RandomAccess {
    pub(super) fn new(policy: StartPolicy) -> Self {
        Self {
            policy,
            ..Self::default()
        }
    }

    pub(super) fn state(&self) -> DecodingState {
        self.state
    }

    /// A slice has found its parameter sets.
    pub(super) fn parameter_sets_found(&mut self) {
        match self.state {
            DecodingState::AwaitingParameterSets => self.state = DecodingState::AwaitingIdr,
            DecodingState::AwaitingIdr | DecodingState::Recovering | DecodingState::Decoding => {}
        }
    }

    /// What was decoded counts no more: a seek, the end of a sequence, a device that lost its pictures.
    pub(super) fn reset(&mut self) {
        let state = match self.state {
            DecodingState::AwaitingParameterSets => DecodingState::AwaitingParameterSets,
            DecodingState::AwaitingIdr | DecodingState::Recovering | DecodingState::Decoding => {
                DecodingState::AwaitingIdr
            }
        };
        *self = Self {
            state,
            epoch: self.epoch,
            trusted: self.trusted,
            ..Self::new(self.policy)
        };
    }

    /// Decides about a frame or first field before anything is known but its headers.
    ///
    /// # Errors
    /// Why it cannot be decoded.
    pub(super) fn admit(&mut self, candidate: &Candidate) -> Result<(), DropReason> {
        self.is_entry = false;
        self.epoch_before = self.epoch;
        match self.state {
            DecodingState::AwaitingParameterSets | DecodingState::AwaitingIdr => match self.begin(candidate) {
                Err(reason) if self.policy == StartPolicy::Clean => return Err(reason),
                Ok(()) | Err(_) => {}
            },
            DecodingState::Recovering | DecodingState::Decoding => self.go_on(candidate),
        }
        self.finish_recoveries();
        self.frame_num = candidate.frame_num;
        Ok(())
    }

    /// References were lost before the admitted picture.
    pub(super) fn lose_references(&mut self) {
        let epoch = self.epoch_before;
        self.loss = Some(Loss { epoch, intra: None });
    }

    /// The admitted picture has these references, and is `intra` or not. Once nothing is left from before an intra
    /// picture, what was lost before that does not matter.
    pub(super) fn note_references(&mut self, picture: PictureId, is_intra: bool, references: &[ReferencePicture]) {
        let Some(loss) = &mut self.loss else {
            return;
        };
        match loss.intra {
            None if is_intra => loss.intra = Some(picture),
            Some(intra)
                if references
                    .iter()
                    .all(|reference| reference.picture >= intra && !reference.lost) =>
            {
                self.loss = None;
            }
            None | Some(_) => {}
        }
    }

    /// Says how the admitted picture stands, given its count. `resets` = it is IDR or restarts the counting.
    pub(super) fn place(&mut self, pic_order_cnt: i32, resets: bool) -> Standing {
        if resets {
            // Nothing that follows refers to what came before, whatever its count.
            self.entry = None;
            self.frame_num = 0;
        } else if self.is_entry {
            self.entry = Some(pic_order_cnt);
        }
        let leads = self.entry.is_some_and(|entry| pic_order_cnt < entry);
        let is_unproven = self.state != DecodingState::Decoding;
        let hidden = match self.policy {
            StartPolicy::Clean if is_unproven => Some(DropReason::NotRecovered),
            StartPolicy::Clean | StartPolicy::Fast if leads && self.drops_leading => Some(DropReason::Leading),
            StartPolicy::Clean | StartPolicy::Fast => None,
        };
        // Nothing that is decoded after a leading picture and shown after the entry refers to it.
        let (epoch, trusts_since) = if leads {
            (self.trusted.previous(), self.trusted_before)
        } else {
            (self.epoch, self.trusted)
        };
        let loss = self.loss.map(|loss| loss.epoch);
        Standing {
            hidden,
            epoch,
            trusts_since,
            is_unproven,
            lost_references: loss.filter(|&epoch| epoch >= trusts_since),
        }
    }

    /// The first picture to be decoded.
    fn begin(&mut self, candidate: &Candidate) -> Result<(), DropReason> {
        let remaining = match candidate.recovery_point {
            _ if candidate.is_idr => 0,
            Some(point) => point.recovery_frame_cnt.into(),
            None if candidate.is_intra => 0,
            None => return Err(DropReason::AwaitingKeyframe),
        };
        self.state = DecodingState::Recovering;
        self.drops_leading = !candidate.is_idr;
        self.begin_recovery(remaining);
        Ok(())
    }

    fn go_on(&mut self, candidate: &Candidate) {
        // `MaxFrameNum` is a power of two, and may have been another one for the picture before.
        let steps = u32::from(candidate.frame_num).wrapping_sub(self.frame_num.into()) % candidate.max_frame_num;
        for recovery in &mut self.recoveries {
            recovery.remaining = recovery.remaining.saturating_sub(steps);
        }
        if candidate.is_idr {
            self.begin_recovery(0);
            self.drops_leading = false;
        } else if let Some(point) = candidate.recovery_point {
            self.begin_recovery(point.recovery_frame_cnt.into());
            if self.state == DecodingState::Decoding {
                self.drops_leading = point.broken_link_flag;
            }
        }
    }

    fn begin_recovery(&mut self, remaining: u32) {
        // Who begins more of them at once than any stream needs keeps the oldest.
        if remaining > 0 && self.recoveries.len() >= MAX_RECOVERIES {
            return;
        }
        self.epoch = self.epoch.next();
        self.recoveries.push(Recovery {
            epoch: self.epoch,
            remaining,
        });
    }

    /// Ends a recovery at its frame, or at one after it if that was lost, and with it those that began before.
    fn finish_recoveries(&mut self) {
        if let Some(last) = self.recoveries.iter().rposition(|recovery| recovery.remaining == 0) {
            self.trusted_before = self.trusted;
            self.trusted = self.recoveries[last].epoch;
            self.recoveries.drain(..=last);
            self.state = DecodingState::Decoding;
            self.is_entry = true;
        }
    }
}

impl Epoch {
    fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests;
