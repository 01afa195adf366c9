//! Where decoding may begin, what may be shown, and until when damage is passed on. Pure.

use crate::h264::sei::RecoveryPoint;

use super::DropReason;

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

/// When damage counts. Epochs begin where the stream promises to be right again whatever was lost before.
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
}

/// The machine: AwaitingParameterSets -> AwaitingIdr -> (Recovering ->) Decoding -reset-> AwaitingIdr.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RandomAccess {
    state: DecodingState,
    epoch: Epoch,
    /// The `frame_num` at which a recovery that is under way ends.
    recovery_frame_num: Option<u16>,
    /// The current picture is the one where decoding begins, or from which on output is right.
    is_entry: bool,
    /// Whether pictures before the entry in output order were never decodable.
    drops_leading: bool,
    /// `PicOrderCnt` of the entry; what precedes it in output order is not covered by its promise.
    entry: Option<i32>,
}

impl RandomAccess {
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
            ..Self::default()
        };
    }

    /// Decides about a frame or first field before anything is known but its headers.
    ///
    /// # Errors
    /// Why it cannot be decoded.
    pub(super) fn admit(&mut self, candidate: &Candidate) -> Result<(), DropReason> {
        self.is_entry = false;
        match self.state {
            DecodingState::AwaitingParameterSets | DecodingState::AwaitingIdr => self.begin(candidate)?,
            DecodingState::Recovering | DecodingState::Decoding => self.go_on(candidate),
        }
        self.finish_recovery(candidate);
        Ok(())
    }

    /// Says how the admitted picture stands, given its count. `resets` = it is IDR or restarts the counting.
    pub(super) fn place(&mut self, pic_order_cnt: i32, resets: bool) -> Standing {
        if self.is_entry {
            self.entry = Some(pic_order_cnt);
        } else if resets {
            self.entry = None;
        }
        let leads = self.entry.is_some_and(|entry| pic_order_cnt < entry);
        let hidden = match self.state {
            DecodingState::Recovering => Some(DropReason::NotRecovered),
            _ if leads && self.drops_leading => Some(DropReason::Leading),
            DecodingState::AwaitingParameterSets | DecodingState::AwaitingIdr | DecodingState::Decoding => None,
        };
        let recovering = self.recovery_frame_num.is_some();
        Standing {
            hidden,
            // A loss on the way to recovery spoils the recovery.
            epoch: match (recovering, leads) {
                (true, _) => self.epoch.next(),
                (false, true) => self.epoch.previous(),
                (false, false) => self.epoch,
            },
            trusts_since: if leads { self.epoch.previous() } else { self.epoch },
        }
    }

    /// The first picture to be decoded.
    fn begin(&mut self, candidate: &Candidate) -> Result<(), DropReason> {
        let frames = match candidate.recovery_point {
            _ if candidate.is_idr => 0,
            Some(point) => point.recovery_frame_cnt,
            None if candidate.is_intra => 0,
            None => return Err(DropReason::AwaitingKeyframe),
        };
        self.state = DecodingState::Recovering;
        self.drops_leading = !candidate.is_idr;
        self.recovery_frame_num = Some(frame_num_after(candidate, frames));
        Ok(())
    }

    fn go_on(&mut self, candidate: &Candidate) {
        if candidate.is_idr {
            self.recovery_frame_num = Some(candidate.frame_num);
            self.drops_leading = false;
        } else if let (Some(point), None) = (candidate.recovery_point, self.recovery_frame_num) {
            self.recovery_frame_num = Some(frame_num_after(candidate, point.recovery_frame_cnt));
            self.drops_leading = point.broken_link_flag;
        }
    }

    /// Ends a recovery at its frame, or at one after it if that was lost.
    fn finish_recovery(&mut self, candidate: &Candidate) {
        let Some(target) = self.recovery_frame_num else {
            return;
        };
        let past =
            (u32::from(candidate.frame_num) + candidate.max_frame_num - u32::from(target)) % candidate.max_frame_num;
        if past < candidate.max_frame_num / 2 {
            self.state = DecodingState::Decoding;
            self.recovery_frame_num = None;
            self.epoch = self.epoch.next();
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

fn frame_num_after(candidate: &Candidate, frames: u16) -> u16 {
    let target = (u32::from(candidate.frame_num) + u32::from(frames)) % candidate.max_frame_num;
    u16::try_from(target).unwrap_or(candidate.frame_num)
}

#[cfg(test)]
mod tests;
