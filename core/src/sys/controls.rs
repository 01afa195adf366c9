//! Controls of a video node: what it has, and setting many in one call.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use v4l2r::bindings as v4l2;
use v4l2r::ioctl::{self, CtrlId, CtrlWhich, QueryCtrlFlags};

use super::video::{VideoNode, errno, retried};
use crate::IoctlError;

/// Controls of one request at most.
pub const MAX_CONTROLS: usize = 8;

/// What VIDIOC_QUERY_EXT_CTRL says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlInfo {
    /// Bytes of a value.
    pub elem_size: u32,
    /// Least value.
    pub minimum: i64,
    /// Greatest value.
    pub maximum: i64,
}

/// A control and its value. It is a copy, because the kernel writes the value back that it took.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a few on the stack, once per picture: boxes would be allocations"
)]
pub enum ControlValue {
    /// An item of the menu with this id.
    Menu(u32, i32),
    /// `V4L2_CID_STATELESS_H264_SPS`.
    Sps(v4l2::v4l2_ctrl_h264_sps),
    /// `V4L2_CID_STATELESS_H264_PPS`.
    Pps(v4l2::v4l2_ctrl_h264_pps),
    /// `V4L2_CID_STATELESS_H264_SCALING_MATRIX`.
    ScalingMatrix(v4l2::v4l2_ctrl_h264_scaling_matrix),
    /// `V4L2_CID_STATELESS_H264_DECODE_PARAMS`.
    DecodeParams(v4l2::v4l2_ctrl_h264_decode_params),
    /// `V4L2_CID_STATELESS_H264_SLICE_PARAMS`.
    SliceParams(v4l2::v4l2_ctrl_h264_slice_params),
    /// `V4L2_CID_STATELESS_H264_PRED_WEIGHTS`.
    PredWeights(v4l2::v4l2_ctrl_h264_pred_weights),
}

impl ControlValue {
    /// The `v4l2_ext_control` that points at the value.
    fn as_ext_control(&mut self) -> v4l2::v4l2_ext_control {
        let mut value = v4l2::v4l2_ext_control__bindgen_ty_1::default();
        let (id, size) = match self {
            Self::Menu(id, item) => {
                value.value = *item;
                (*id, 0)
            }
            Self::Sps(sps) => {
                value.p_h264_sps = sps;
                (v4l2::V4L2_CID_STATELESS_H264_SPS, size_of_val(sps))
            }
            Self::Pps(pps) => {
                value.p_h264_pps = pps;
                (v4l2::V4L2_CID_STATELESS_H264_PPS, size_of_val(pps))
            }
            Self::ScalingMatrix(matrix) => {
                value.p_h264_scaling_matrix = matrix;
                (v4l2::V4L2_CID_STATELESS_H264_SCALING_MATRIX, size_of_val(matrix))
            }
            Self::DecodeParams(params) => {
                value.p_h264_decode_params = params;
                (v4l2::V4L2_CID_STATELESS_H264_DECODE_PARAMS, size_of_val(params))
            }
            Self::SliceParams(params) => {
                value.p_h264_slice_params = params;
                (v4l2::V4L2_CID_STATELESS_H264_SLICE_PARAMS, size_of_val(params))
            }
            Self::PredWeights(weights) => {
                value.p_h264_pred_weights = weights;
                (v4l2::V4L2_CID_STATELESS_H264_PRED_WEIGHTS, size_of_val(weights))
            }
        };
        v4l2::v4l2_ext_control {
            id,
            size: size as u32,
            __bindgen_anon_1: value,
            ..Default::default()
        }
    }
}

impl VideoNode {
    /// VIDIOC_QUERY_EXT_CTRL; `None` if the node has no such control.
    ///
    /// # Errors
    /// What the ioctl says, but for EINVAL.
    pub fn query_control(&self, id: u32) -> Result<Option<ControlInfo>, IoctlError> {
        const CALL: &str = "VIDIOC_QUERY_EXT_CTRL";
        let ask = || {
            let id = CtrlId::new(id).map_err(|_| Errno::EINVAL)?;
            ioctl::query_ext_ctrl::<v4l2::v4l2_query_ext_ctrl>(&self.fd, id, QueryCtrlFlags::empty()).map_err(errno)
        };
        match retried(ask) {
            Ok(found) => Ok(Some(ControlInfo {
                elem_size: found.elem_size,
                minimum: found.minimum,
                maximum: found.maximum,
            })),
            Err(Errno::EINVAL) => Ok(None),
            Err(errno) => Err(self.error(CALL, errno)),
        }
    }

    /// VIDIOC_QUERYMENU: whether the menu `id` has `item`.
    ///
    /// # Errors
    /// What the ioctl says, but for EINVAL.
    pub fn has_menu_item(&self, id: u32, item: u32) -> Result<bool, IoctlError> {
        match retried(|| ioctl::querymenu::<v4l2::v4l2_querymenu>(&self.fd, id, item).map_err(errno)) {
            Ok(_) => Ok(true),
            Err(Errno::EINVAL) => Ok(false),
            Err(errno) => Err(self.error("VIDIOC_QUERYMENU", errno)),
        }
    }

    /// VIDIOC_S_EXT_CTRLS: all `values` in one call, at once or with `request`.
    ///
    /// # Errors
    /// What the ioctl says; E2BIG for more than [`MAX_CONTROLS`].
    pub fn set_controls(&self, request: Option<BorrowedFd<'_>>, values: &mut [ControlValue]) -> Result<(), IoctlError> {
        const CALL: &str = "VIDIOC_S_EXT_CTRLS";
        let mut controls = [v4l2::v4l2_ext_control::default(); MAX_CONTROLS];
        let controls = self.point_at(CALL, values, &mut controls)?;
        retried(|| ioctl::s_ext_ctrls(&self.fd, which(request), &mut *controls).map_err(errno))
            .map_err(|errno| self.error(CALL, errno))
    }

    /// VIDIOC_TRY_EXT_CTRLS: whether the driver takes `value`.
    ///
    /// # Errors
    /// What the ioctl says.
    pub fn try_control(&self, request: Option<BorrowedFd<'_>>, mut value: ControlValue) -> Result<(), IoctlError> {
        let mut control = [value.as_ext_control()];
        retried(|| ioctl::try_ext_ctrls(&self.fd, which(request), &mut control[..]).map_err(errno))
            .map_err(|errno| self.error("VIDIOC_TRY_EXT_CTRLS", errno))
    }

    fn point_at<'c>(
        &self,
        call: &'static str,
        values: &mut [ControlValue],
        controls: &'c mut [v4l2::v4l2_ext_control; MAX_CONTROLS],
    ) -> Result<&'c mut [v4l2::v4l2_ext_control], IoctlError> {
        let used = controls
            .get_mut(..values.len())
            .ok_or_else(|| self.error(call, Errno::E2BIG))?;
        for (control, value) in used.iter_mut().zip(values) {
            *control = value.as_ext_control();
        }
        Ok(used)
    }
}

fn which(request: Option<BorrowedFd<'_>>) -> CtrlWhich {
    request.map_or(CtrlWhich::Current, |request| CtrlWhich::Request(request.as_raw_fd()))
}
