//! Clips, pipelines, and what comes out of them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};

use gst::prelude::*;
use gst_app::AppSink;

/// Longer than anything here takes: whoever waits longer hangs.
pub const TIMEOUT: gst::ClockTime = gst::ClockTime::from_seconds(60);

/// Frames of the clip.
pub const FRAMES: usize = 100;

pub fn init() {
    static INIT: Once = Once::new();
    INIT.call_once(|| {
        gst::init().unwrap();
        gstfourier::plugin_register_static().unwrap();
    });
}

/// The clip that the project comes with: mp4, 100 frames with B frames, an IDR picture every second.
pub fn clip() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/media/counter.mp4")
        .canonicalize()
        .unwrap()
}

/// A file that ffmpeg makes of `input`, which ends in what it is called, with `arguments`; kept for the next run.
fn made(name: &str, input: &[&str], arguments: &str) -> PathBuf {
    kept(name, format!("{input:?} {arguments}").as_bytes(), |path| {
        let status = Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-nostdin"])
            .args(input)
            .args(arguments.split_whitespace())
            .arg(path)
            .status()
            .unwrap();
        assert!(status.success(), "ffmpeg {input:?} {arguments}");
    })
}

/// A file of these bytes.
pub fn written(name: &str, bytes: &[u8]) -> PathBuf {
    kept(name, bytes, |path| std::fs::write(path, bytes).unwrap())
}

/// A file made once of what is `source` to it; other tests that want it never see it half made.
fn kept(name: &str, source: &[u8], make: impl FnOnce(&Path)) -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let name = format!("{:x}-{name}", hash(source));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if !path.exists() {
        let unfinished = path.with_file_name(format!("unfinished-{name}"));
        make(&unfinished);
        std::fs::rename(unfinished, &path).unwrap();
    }
    path
}

/// The pictures of `file` in another container.
pub fn repacked(file: &Path, extension: &str) -> PathBuf {
    let stem = file.file_stem().unwrap().display();
    let name = format!("{stem}.{extension}");
    made(&name, &["-i", file.to_str().unwrap()], "-c copy")
}

/// The clip in another container.
pub fn remuxed(extension: &str) -> PathBuf {
    repacked(&clip(), extension)
}

/// A stream made by x264 from a test picture; the ending of the name says in what.
pub fn encoded_in(name: &str, source: &str, options: &str) -> PathBuf {
    let source = format!("testsrc2={source}");
    let input = ["-f", "lavfi", "-i", &source];
    made(name, &input, &format!("-c:v libx264 -pix_fmt yuv420p {options}"))
}

/// A bare stream made by x264 from a test picture.
pub fn encoded(name: &str, source: &str, options: &str) -> PathBuf {
    encoded_in(&format!("{name}.h264"), source, options)
}

/// Elements that read `file` up to the decoder.
pub fn source(file: &Path) -> String {
    let demux = match file.extension().and_then(|extension| extension.to_str()) {
        Some("mp4") => "qtdemux !",
        Some("mkv") => "matroskademux !",
        Some("flv") => "flvdemux !",
        Some("ts") => "tsdemux !",
        _ => "",
    };
    format!("filesrc location=\"{}\" ! {demux} h264parse", file.display())
}

/// A frame as the application gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub pts: Option<gst::ClockTime>,
    pub duration: Option<gst::ClockTime>,
    pub picture: u64,
    pub corrupted: bool,
}

impl Seen {
    pub fn of(buffer: &gst::BufferRef) -> Self {
        Self {
            pts: buffer.pts(),
            duration: buffer.duration(),
            picture: hash(&buffer.map_readable().unwrap()),
            corrupted: buffer.flags().contains(gst::BufferFlags::CORRUPTED),
        }
    }
}

pub fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// A pipeline that is stopped when it is dropped.
pub struct Running {
    pub pipeline: gst::Pipeline,
}

impl Running {
    /// Parses `description`, in which an appsink may be called `sink` and the decoder `dec`. A decoder without a device
    /// has the software decoder, whatever the machine has.
    pub fn new(description: &str) -> Self {
        init();
        let pipeline = gst::parse::launch(description).unwrap_or_else(|error| panic!("{description}: {error}"));
        let pipeline: gst::Pipeline = pipeline.downcast().unwrap();
        for decoder in pipeline.iterate_all_by_element_factory_name("fourierh264dec") {
            let decoder = decoder.unwrap();
            if decoder.property::<String>("device") == "auto" {
                decoder.set_property("device", "soft");
            }
        }
        Self { pipeline }
    }

    pub fn element(&self, name: &str) -> gst::Element {
        self.pipeline
            .by_name(name)
            .unwrap_or_else(|| panic!("no element {name}"))
    }

    pub fn sink(&self) -> AppSink {
        self.element("sink").downcast().unwrap()
    }

    pub fn play(&self) {
        self.pipeline.set_state(gst::State::Playing).unwrap();
    }

    /// Sets a state and waits until it is reached.
    pub fn reach(&self, state: gst::State) {
        self.pipeline.set_state(state).unwrap();
        let (reached, ..) = self.pipeline.state(TIMEOUT);
        reached.unwrap_or_else(|error| panic!("{state:?} is not reached: {error}"));
    }

    /// The next message of one of these types; panics on an error that is none of them, or after too long.
    pub fn message(&self, types: &[gst::MessageType]) -> gst::Message {
        let bus = self.pipeline.bus().unwrap();
        let mut wanted = types.to_vec();
        wanted.push(gst::MessageType::Error);
        let message = bus.timed_pop_filtered(TIMEOUT, &wanted);
        let message = message.unwrap_or_else(|| panic!("it hangs: {types:?} does not come"));
        match message.view() {
            gst::MessageView::Error(error) if !types.contains(&gst::MessageType::Error) => {
                panic!("{} ({:?})", error.error(), error.debug())
            }
            _ => message,
        }
    }

    pub fn wait_for_eos(&self) {
        self.message(&[gst::MessageType::Eos]);
    }

    /// Every frame that reaches the appsink up to the end of the stream.
    pub fn frames(&self) -> Vec<Seen> {
        let sink = self.sink();
        let mut frames = Vec::new();
        while let Some(sample) = sink.try_pull_sample(TIMEOUT) {
            frames.push(Seen::of(sample.buffer().unwrap()));
        }
        assert!(sink.is_eos(), "it hangs after {} frames", frames.len());
        frames
    }

    pub fn seek(&self, flags: gst::SeekFlags, to: gst::ClockTime) {
        self.pipeline.seek_simple(flags, to).unwrap();
    }

    /// A count of the decoder's property `stats`.
    pub fn count(&self, field: &str) -> u64 {
        self.element("dec")
            .property::<gst::Structure>("stats")
            .get(field)
            .unwrap()
    }

    /// Makes `element` answer like a camera or a receiver to whoever asks what latency it has.
    pub fn pretend_live(&self, element: &str) {
        let pad = self.element(element).static_pad("src").unwrap();
        pad.add_probe(gst::PadProbeType::QUERY_UPSTREAM, |_, info| {
            let Some(gst::QueryViewMut::Latency(latency)) = info.query_mut().map(gst::QueryRef::view_mut) else {
                return gst::PadProbeReturn::Ok;
            };
            latency.set(true, gst::ClockTime::ZERO, gst::ClockTime::NONE);
            gst::PadProbeReturn::Handled
        });
    }

    /// Hashes every buffer that leaves the decoder, before `then` sees it.
    pub fn watch(&self, then: impl Fn(&mut gst::Buffer) + Send + Sync + 'static) -> Arc<Mutex<Vec<u64>>> {
        let hashes = Arc::new(Mutex::new(Vec::new()));
        let pad = self.element("dec").static_pad("src").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, {
            let hashes = Arc::clone(&hashes);
            move |_, info| {
                let buffer = info.buffer_mut().unwrap();
                hashes.lock().unwrap().push(hash(&buffer.map_readable().unwrap()));
                then(buffer);
                gst::PadProbeReturn::Ok
            }
        });
        hashes
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Everything that comes out of `description`, which ends in the decoder or a filter after it, as I420.
pub fn frames_of(description: &str) -> Vec<Seen> {
    let running = Running::new(&format!(
        "{description} ! videoconvert ! video/x-raw,format=I420 ! appsink name=sink sync=false max-buffers=8"
    ));
    running.play();
    running.frames()
}

/// The clip as libavcodec decodes it.
pub fn reference() -> &'static [Seen] {
    static REFERENCE: LazyLock<Vec<Seen>> = LazyLock::new(|| frames_of(&format!("{} ! avdec_h264", source(&clip()))));
    assert_eq!(REFERENCE.len(), FRAMES);
    &REFERENCE
}

/// Only the pictures.
pub fn pictures(frames: &[Seen]) -> Vec<u64> {
    frames.iter().map(|frame| frame.picture).collect()
}
