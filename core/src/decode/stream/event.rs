//! What comes out of a stream decoder.

use std::sync::Arc;

use super::format::StreamFormat;
use super::health::Health;
use super::interlacing::Interlacing;
use crate::Error;
use crate::decode::Outcome;
use crate::pool::Frame;

/// A name that the caller gives to a piece of input, to find it again in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameTag(pub u64);

/// Something that happened, in the order in which it is to be dealt with.
#[derive(Debug)]
pub enum Event {
    /// All frames from here on are of this format.
    Format(Arc<StreamFormat>),
    /// The next frame in display order. It may still be decoding.
    Frame(OutputFrame),
    /// No frame will come for this piece of input.
    Dropped {
        /// Which piece.
        tag: FrameTag,
        /// Why.
        reason: DropReason,
    },
    /// Something in the stream was wrong or was lost; decoding goes on.
    Warning(Error),
}

/// Why there is no frame for a piece of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// It starts no picture: parameter sets, SEI, further slices of a picture that another piece started.
    NoPicture,
    /// It is the second field of a frame that another piece started.
    SecondField,
    /// Its parameter sets have not come.
    AwaitingParameterSets,
    /// Decoding has not begun: no IDR picture, recovery point or intra picture came before it.
    AwaitingKeyframe,
    /// Decoding began at a recovery point, and output is not right yet.
    NotRecovered,
    /// It precedes the picture where decoding began in output order: what it refers to was never there.
    Leading,
    /// It could not be decoded.
    Undecodable,
    /// The stream wants it to be dropped: `no_output_of_prior_pics_flag`.
    NotOutput,
    /// A flush.
    Flushed,
    /// Nobody took the frames in time, and there was no memory for more.
    NoMemory,
}

/// A frame that is due for display. Dropping it and what was taken from it gives its memory back.
#[derive(Clone, Debug)]
pub struct OutputFrame {
    pub(super) tag: Option<FrameTag>,
    pub(super) pic_order_cnt: i32,
    pub(super) interlacing: Interlacing,
    pub(super) frame: Frame,
    pub(super) format: Arc<StreamFormat>,
    pub(super) health: Arc<Health>,
}

impl OutputFrame {
    /// The piece of input that it came from; `None` if that piece held more pictures than one.
    pub fn tag(&self) -> Option<FrameTag> {
        self.tag
    }

    /// Waits until it is decoded, from any thread and without the decoder.
    ///
    /// It is damaged if its own data was, or if it was predicted from a picture that was lost or damaged and the
    /// stream has not promised to have recovered since.
    pub fn wait(&self) -> Outcome {
        self.health.wait()
    }

    /// Whether [`Self::wait`] would return at once; never blocks. Somebody must wait for pictures to end at all.
    pub fn is_decoded(&self) -> bool {
        self.health.is_settled()
    }

    /// The samples, valid after [`Self::wait`]. A clone keeps the memory from being decoded into again.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Its format; the one of the last [`Event::Format`] before it.
    pub fn format(&self) -> &Arc<StreamFormat> {
        &self.format
    }

    /// `PicOrderCnt`: ascending within a coded video sequence.
    pub fn pic_order_cnt(&self) -> i32 {
        self.pic_order_cnt
    }

    /// How its fields are to be shown.
    pub fn interlacing(&self) -> Interlacing {
        self.interlacing
    }
}
