//! What the next elements said that they can do.

/// The answer to an allocation query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Downstream {
    /// It reads strides and offsets from GstVideoMeta.
    pub(super) video_meta: bool,
    /// It reads the visible rectangle from GstVideoCropMeta.
    pub(super) crop_meta: bool,
    /// How many buffers it wants to hold.
    pub(super) min_buffers: u32,
}

impl Downstream {
    /// Reads `query`, and takes the offered pools out: frames come from the decoder, and copies from a pool without a
    /// limit, because waiting for a consumer that keeps its buffers would never end.
    pub(super) fn from_query(query: &mut gst::query::Allocation) -> Self {
        let pools: Vec<_> = query.allocation_pools().collect();
        let min_buffers = pools.iter().map(|&(_, _, min, _)| min).max().unwrap_or_default();
        for _ in &pools {
            query.remove_nth_allocation_pool(0);
        }
        Self {
            video_meta: query.find_allocation_meta::<gst_video::VideoMeta>().is_some(),
            crop_meta: query.find_allocation_meta::<gst_video::VideoCropMeta>().is_some(),
            min_buffers,
        }
    }
}

/// Whether the next element takes `caps`.
pub(super) fn accepts(src_pad: &gst::Pad, caps: &gst::Caps) -> bool {
    use gst::prelude::PadExt;
    src_pad.peer_query_caps(Some(caps)).can_intersect(caps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metas_and_the_number_of_buffers_are_read_and_pools_are_taken_out() {
        gst::init().unwrap();
        let mut query = gst::query::Allocation::new(None, true);
        query.add_allocation_pool(gst::BufferPool::NONE, 100, 3, 5);
        query.add_allocation_pool(gst::BufferPool::NONE, 100, 7, 0);
        query.add_allocation_meta::<gst_video::VideoMeta>(None);
        let downstream = Downstream::from_query(&mut query);
        assert_eq!(
            downstream,
            Downstream {
                video_meta: true,
                crop_meta: false,
                min_buffers: 7
            }
        );
        assert_eq!(query.allocation_pools().count(), 0);
    }
}
