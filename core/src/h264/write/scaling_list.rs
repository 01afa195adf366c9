//! `scaling_list()` (7.3.2.1.1.1).

use fourier_core::h264::pps::ScalingList;

use super::bits::BitWriter;

/// `scaling_list_present_flag` and what it announces.
pub(super) fn write<const N: usize>(w: &mut BitWriter, list: &ScalingList<N>) {
    w.flag(*list != ScalingList::NotPresent);
    match list {
        ScalingList::NotPresent => {}
        // A first nextScale of 0 says useDefaultScalingMatrixFlag.
        ScalingList::UseDefault => {
            w.se(-8);
        }
        ScalingList::Coded(scales) => {
            let mut last = 8_u8;
            for &scale in scales {
                w.se(i32::from(scale.wrapping_sub(last).cast_signed()));
                last = scale;
            }
        }
    }
}
