//! Output caps: dma-bufs where both sides can, else system memory.

use std::sync::Arc;

use fourier_core::Error;
use fourier_core::decode::stream::{OutputFrame, StreamFormat};
use fourier_core::memory::MemoryKind;
use fourier_core::units::Rect;
use gst::glib;
use gst::subclass::prelude::*;
use gst_video::VideoInfo;
use gst_video::prelude::*;

use super::downstream;
use super::fields::Fields;
use super::imp::FourierH264Dec;
use super::presentation::Presentation;
use super::{CAT, caps, lock, messages};

/// Where the stream and the container are silent, latency is reckoned with this many frames a second.
const USUAL_FRAME_RATE: u64 = 25;

/// What downstream agreed to.
#[derive(Clone, Debug)]
pub(super) struct Negotiated {
    format: Arc<StreamFormat>,
    fields: Fields,
    presentation: Arc<Presentation>,
}

/// Memory that may be announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offer {
    /// The frames' own kind, if downstream takes it.
    Any,
    /// What anybody can allocate.
    SystemMemory,
}

impl FourierH264Dec {
    /// How to push `frame`: negotiates if the caps do not hold for it, or downstream asked for that.
    pub(super) fn presentation(&self, frame: &OutputFrame) -> Result<Arc<Presentation>, gst::FlowError> {
        let asked = self.obj().src_pad().check_reconfigure();
        let fields = self.fields(frame);
        let known = lock(&self.negotiated).clone();
        // The base class too takes the flag, and asks downstream anew, when it pushes or allocates.
        let downstream = *lock(&self.downstream);
        let holds = |known: &Negotiated| {
            known.format == *frame.format() && known.fields == fields && known.presentation.downstream == downstream
        };
        match known.filter(|known| holds(known) && !asked) {
            Some(known) => Ok(known.presentation),
            None => self.negotiate_offer(frame, Offer::Any),
        }
    }

    /// What holds for `frame` and those before it of the same format.
    fn fields(&self, frame: &OutputFrame) -> Fields {
        match &*lock(&self.negotiated) {
            Some(known) if known.format == *frame.format() => known.fields.with(frame.interlacing()),
            _ => Fields::of(frame.interlacing()),
        }
    }

    /// Goes over to system memory, so that frames can be copied for a consumer that keeps all its dma-bufs; `None` if
    /// downstream takes nothing else.
    pub(super) fn leave_dmabuf(
        &self,
        frame: &OutputFrame,
        presentation: &Presentation,
    ) -> Result<Option<Arc<Presentation>>, gst::FlowError> {
        let system = presentation.info.to_caps().map_err(|_| gst::FlowError::NotNegotiated)?;
        if !downstream::accepts(self.obj().src_pad(), &system) {
            return Ok(None);
        }
        self.negotiate_offer(frame, Offer::SystemMemory).map(Some)
    }

    fn negotiate_offer(&self, frame: &OutputFrame, offer: Offer) -> Result<Arc<Presentation>, gst::FlowError> {
        let (format, fields) = (frame.format(), self.fields(frame));
        match self.negotiate_format(format, fields, offer) {
            Ok(presentation) => {
                let presentation = Arc::new(presentation);
                let negotiated = Negotiated {
                    format: Arc::clone(format),
                    fields,
                    presentation: Arc::clone(&presentation),
                };
                *lock(&self.negotiated) = Some(negotiated);
                Ok(presentation)
            }
            Err(flow) => {
                let element = self.obj();
                let pad = element.src_pad();
                pad.mark_reconfigure();
                let flushing = pad.pad_flags().contains(gst::PadFlags::FLUSHING);
                Err(if flushing { gst::FlowError::Flushing } else { flow })
            }
        }
    }

    fn negotiate_format(
        &self,
        format: &StreamFormat,
        fields: Fields,
        offer: Offer,
    ) -> Result<Presentation, gst::FlowError> {
        let element = self.obj();
        let refused = |error: glib::BoolError| {
            gst::error!(CAT, imp = self, "{error}");
            gst::FlowError::NotNegotiated
        };
        let upstream = element.sink_pad().current_caps().unwrap_or_else(gst::Caps::new_empty);
        let video_format = caps::video_format(&format.layout)
            .ok_or_else(|| messages::fail(&element, &Error::Unsupported(format!("frames of {:?}", format.layout))))?;
        let info = caps::video_info(video_format, format, fields, &upstream).map_err(refused)?;
        let system = caps::system(&info, format, &upstream).map_err(refused)?;
        let visible = caps::visible(format, &upstream);
        self.report_latency(&info, format);

        let is_dmabuf = format.memory_kind == MemoryKind::DmaBuf && offer == Offer::Any;
        let dmabuf = caps::dmabuf(&system, &format.layout).filter(|_| is_dmabuf);
        if let Some(dmabuf) = dmabuf.filter(|caps| downstream::accepts(element.src_pad(), caps)) {
            let presentation = Presentation {
                is_dmabuf: true,
                ..self.agree_on(&dmabuf, &info, visible)?
            };
            if presentation.can_share(&format.layout) {
                return Ok(presentation);
            }
            gst::info!(
                CAT,
                imp = self,
                "downstream takes dma-bufs, not their strides or crop: system memory"
            );
        }
        self.agree_on(&system, &info, visible)
    }

    /// Sends `caps` downstream and asks what it can do with pictures like `info`.
    fn agree_on(&self, caps: &gst::Caps, info: &VideoInfo, visible: Rect) -> Result<Presentation, gst::FlowError> {
        let element = self.obj();
        let mut state = element.set_output_state(info.format(), info.width(), info.height(), None)?;
        state.set_info(info.clone());
        state.set_caps(caps);
        element.negotiate(state)?;
        let downstream = *lock(&self.downstream);
        gst::info!(CAT, imp = self, "output: {caps}, {downstream:?}");
        self.set_downstream_frames(downstream.min_buffers);
        Ok(Presentation {
            info: info.clone(),
            visible,
            downstream,
            is_dmabuf: false,
        })
    }

    /// A frame comes out at the earliest when those that it is reordered with are in.
    fn report_latency(&self, info: &VideoInfo, format: &StreamFormat) {
        let fps = info.fps();
        let frames = format.reorder_frames as u64;
        let latency = match (u64::try_from(fps.numer()), u64::try_from(fps.denom())) {
            (Ok(numer @ 1..), Ok(denom)) => gst::ClockTime::SECOND.mul_div_ceil(frames * denom, numer),
            _ => gst::ClockTime::SECOND.mul_div_ceil(frames, USUAL_FRAME_RATE),
        };
        let latency = latency.unwrap_or_default();
        self.obj().set_latency(latency, latency);
    }
}
