//! In which order applications call, where va.h leaves it to them.

/// Where the parameters of a picture come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BufferHabit {
    /// `vaCreateBuffer` has them; all buffers are destroyed after `vaEndPicture` (FFmpeg, Chromium).
    #[default]
    Given,
    /// Created empty before `vaBeginPicture` and filled by `vaMapBuffer`; destroyed as soon as they were rendered
    /// (gstreamer-vaapi).
    MappedAndDestroyedEarly,
}

/// How slices are handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SliceHabit {
    /// One buffer of parameters and one of data each, in one `vaRenderPicture` (FFmpeg).
    #[default]
    BufferEach,
    /// The same, with a `vaRenderPicture` for every buffer.
    RenderedOneByOne,
    /// All parameters in one buffer, all data in another.
    InOneBuffer,
    /// Data before parameters, and these before those of the picture.
    LastFirst,
    /// The data in pieces of that many bytes, each with its `VA_SLICE_DATA_FLAG_*`.
    InPieces(usize),
}

/// Whose memory surfaces have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryHabit {
    /// The driver's.
    #[default]
    Drivers,
    /// The application's own dma-bufs (`DRM_PRIME`), rows at multiples of that many bytes.
    Prime(u32),
    /// The same as `DRM_PRIME_2`.
    Prime2(u32),
}

/// How an application uses libva.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// Where parameters come from.
    pub buffers: BufferHabit,
    /// How slices are handed over.
    pub slices: SliceHabit,
    /// Added to every picture order count; FFmpeg adds 65,536.
    pub order_count_base: i32,
    /// Surfaces are made first and named as render targets of the context (FFmpeg); else there are none, and they are
    /// made after it (GStreamer, Chromium).
    pub names_render_targets: bool,
    /// Each surface is exported or derived from once before anything is decoded into it (mpv, Chromium, `vah264dec`).
    pub looks_before_decoding: bool,
    /// Surfaces of another size stay until the end, because somebody shows them still (mpv).
    pub keeps_surfaces: bool,
    /// Whose memory surfaces have.
    pub memory: MemoryHabit,
    /// Samples to each side by which surfaces are larger than the pictures.
    pub surface_margin: u32,
    /// Surfaces that decoding could do without; all of them take turns.
    pub extra_surfaces: usize,
}
