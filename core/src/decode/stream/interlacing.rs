//! How the fields of a frame are to be shown: what the stream says (D.2.3), and what is usual where it is silent.

use crate::h264::sei::{PicStruct, PicTiming};

/// The fields of a frame that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interlacing {
    /// The two fields are of different moments.
    pub interlaced: bool,
    /// The top field comes first.
    pub top_field_first: bool,
    /// The first field is to be shown again after the second (`pic_struct` 5 and 6), or the frame (7 and 8).
    pub repeated: bool,
}

/// `ct_type` 1: interlaced.
const CT_TYPE_INTERLACED: u8 = 1 << 1;

impl Interlacing {
    /// Of a frame with these SEI and order counts of its fields; `in_fields`: coded as fields, or MBAFF. `before` is
    /// that of the picture before it in decoding order.
    pub(super) fn new(timing: PicTiming, field_order_cnt: [i32; 2], in_fields: bool, before: Self) -> Self {
        let [top, bottom] = field_order_cnt;
        let PicTiming { pic_struct, ct_types } = timing;
        let interlaced = match pic_struct {
            None => in_fields,
            Some(PicStruct::TopField | PicStruct::BottomField) => true,
            // Pulled down film has such frames between those that repeat a field.
            Some(PicStruct::TopBottom | PicStruct::BottomTop) => in_fields || before.interlaced,
            Some(_) => false,
        };
        let known_types = ct_types & 0b011;
        let interlaced = match pic_struct {
            Some(
                PicStruct::Frame
                | PicStruct::TopField
                | PicStruct::BottomField
                | PicStruct::TopBottom
                | PicStruct::BottomTop,
            ) if known_types != 0 => known_types & CT_TYPE_INTERLACED != 0,
            _ => interlaced,
        };
        Self {
            interlaced,
            top_field_first: match pic_struct {
                _ if top != bottom => top < bottom,
                Some(pic_struct) => matches!(pic_struct, PicStruct::TopBottom | PicStruct::TopBottomTop),
                None => interlaced,
            },
            repeated: matches!(
                pic_struct,
                Some(
                    PicStruct::TopBottomTop
                        | PicStruct::BottomTopBottom
                        | PicStruct::FrameDoubling
                        | PicStruct::FrameTripling
                )
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pic_struct: Option<PicStruct>, ct_types: u8) -> PicTiming {
        PicTiming { pic_struct, ct_types }
    }

    fn of(timing: PicTiming, field_order_cnt: [i32; 2], in_fields: bool) -> Interlacing {
        Interlacing::new(timing, field_order_cnt, in_fields, Interlacing::default())
    }

    #[test]
    fn a_silent_stream_is_interlaced_where_it_codes_fields() {
        assert_eq!(of(with(None, 0), [0, 0], false), Interlacing::default());
        let fields = of(with(None, 0), [5, 4], true);
        assert!(fields.interlaced && !fields.top_field_first && !fields.repeated);
        assert!(of(with(None, 0), [4, 4], true).top_field_first, "the usual order");
    }

    #[test]
    fn clock_timestamps_outweigh_what_pic_struct_suggests() {
        let timing = with(Some(PicStruct::TopBottom), 0);
        assert!(of(timing, [0, 1], true).interlaced);
        assert!(!of(with(Some(PicStruct::TopBottom), 0b001), [0, 1], true).interlaced);
        assert!(of(with(Some(PicStruct::Frame), 0b010), [0, 1], false).interlaced);
    }

    #[test]
    fn a_repeated_field_is_told_and_its_frame_is_film() {
        let film = of(with(Some(PicStruct::BottomTopBottom), 0), [3, 3], true);
        assert_eq!(
            film,
            Interlacing {
                interlaced: false,
                top_field_first: false,
                repeated: true
            }
        );
        let between = with(Some(PicStruct::TopBottom), 0);
        assert!(!Interlacing::new(between, [0, 1], false, film).interlaced);
    }
}
