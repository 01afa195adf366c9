//! Bad input through the element: every pipeline ends, the bus says what was wrong, and `stats` counts what came out.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fourier_tests::Outcome;
use fourier_tests::annexb::nals;
use fourier_tests::damage::{self, Damaged};
use fourier_tests::encode::encode;
use fourier_tests::recipes::RECIPES;
use gst::prelude::*;

/// Nothing here takes a second: who needs longer hangs.
const DEADLINE: gst::ClockTime = gst::ClockTime::from_seconds(60);

/// Streams of ours to be damaged: CAVLC and CABAC, with and without B pictures, one and many slices.
const STREAMS: [&str; 4] = ["baseline", "cabac-main-b", "slices-4", "intra-refresh"];

/// What a pipeline said and gave.
#[derive(Debug, Default)]
struct Told {
    /// From the element itself.
    warnings: Vec<String>,
    /// The error that ended it, and who posted it.
    error: Option<(String, String)>,
    /// Buffers that left the element; of these, how many are marked as corrupted.
    buffers: u64,
    corrupted: u64,
    /// The same in `stats`, and what never left.
    stat_frames: u64,
    stat_damaged: u64,
    stat_dropped: u64,
}

/// Runs `description`, in which `fourierh264dec name=decoder` is, to its end.
fn run(pipeline: &gst::Pipeline) -> Outcome<Told> {
    let decoder = pipeline.by_name("decoder").ok_or("no decoder")?;
    let counts = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let counted = Arc::clone(&counts);
    let pad = decoder.static_pad("src").ok_or("no source pad")?;
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let corrupted = info
            .buffer()
            .is_some_and(|buffer| buffer.flags().contains(gst::BufferFlags::CORRUPTED));
        counted[0].fetch_add(1, Ordering::Relaxed);
        counted[1].fetch_add(u64::from(corrupted), Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
    let mut told = Told::default();
    let bus = pipeline.bus().ok_or("no bus")?;
    pipeline.set_state(gst::State::Playing)?;
    let wanted = [
        gst::MessageType::Eos,
        gst::MessageType::Error,
        gst::MessageType::Warning,
    ];
    let ended = loop {
        let message = bus.timed_pop_filtered(DEADLINE, &wanted);
        match message.as_ref().map(|message| message.view()) {
            None => break Err("it hangs: no end of stream and no error"),
            Some(gst::MessageView::Warning(warning)) if warning.src() == Some(decoder.upcast_ref()) => {
                told.warnings.push(warning.error().to_string());
            }
            // A parser's.
            Some(gst::MessageView::Warning(_)) => {}
            Some(gst::MessageView::Error(error)) => {
                let source = error.src().map(|source| source.name().to_string());
                told.error = Some((source.unwrap_or_default(), error.error().to_string()));
                break Ok(());
            }
            Some(_) => break Ok(()),
        }
    };
    let stats = decoder.property::<gst::Structure>("stats");
    pipeline.set_state(gst::State::Null)?;
    ended?;
    [told.buffers, told.corrupted] = [0, 1].map(|which: usize| counts[which].load(Ordering::Relaxed));
    told.stat_frames = stats.get("frames")?;
    told.stat_damaged = stats.get("damaged")?;
    told.stat_dropped = stats.get("dropped")?;
    Ok(told)
}

/// What must be so however bad the input was.
fn check(told: &Told) -> Outcome {
    let blames_the_stream = |text: &String| text.contains("damaged");
    let error_is_clear = match &told.error {
        None => true,
        // A parser, or the base class, that found nothing says so itself.
        Some((source, text)) => {
            source != "decoder"
                || ["cannot be decoded", "No valid frames"]
                    .iter()
                    .any(|words| text.contains(words))
        }
    };
    let laws = [
        (
            "every buffer is counted",
            told.stat_frames == told.buffers || told.error.is_some(),
        ),
        (
            "every corrupted buffer is counted",
            told.stat_damaged == told.corrupted || told.error.is_some(),
        ),
        (
            "warnings say that the stream is damaged",
            told.warnings.iter().all(blames_the_stream),
        ),
        (
            "a damaged frame is told on the bus",
            told.corrupted == 0 || !told.warnings.is_empty() || told.error.is_some(),
        ),
        ("an error says what cannot be decoded", error_is_clear),
    ];
    match laws.iter().find(|(_, holds)| !holds) {
        Some((law, _)) => Err(format!("{law}: not so: {told:?}").into()),
        None => Ok(()),
    }
}

fn init() -> Outcome {
    gst::init()?;
    Ok(gstfourier::plugin_register_static()?)
}

/// The streams, from x264.
fn streams() -> Outcome<Vec<(&'static str, Vec<u8>)>> {
    let folder = tempfile::tempdir()?;
    let chosen = RECIPES.iter().filter(|recipe| STREAMS.contains(&recipe.name));
    let streams = chosen.map(|recipe| {
        let file = folder.path().join(recipe.name);
        encode(recipe, &file)?;
        Ok((recipe.name, std::fs::read(&file)?))
    });
    streams.collect()
}

/// Every damage but most of the truncations, which differ little here.
fn damages(stream: &[u8]) -> Vec<Damaged> {
    let truncated = damage::truncations(stream).into_iter().step_by(9);
    let others = [
        damage::losses(stream),
        damage::disorders(stream),
        damage::garbage(stream),
        damage::flips(stream),
    ];
    truncated.chain(others.concat()).collect()
}

/// Runs every damaged stream through `run`.
fn each(run: impl Fn(&[u8]) -> Outcome<Told>) -> Outcome {
    init()?;
    let streams = streams()?;
    assert_eq!(streams.len(), STREAMS.len());
    for (name, stream) in streams {
        let good = run(&stream).map_err(|error| format!("{name}: {error}"))?;
        assert!(
            good.buffers > 0 && good.warnings.is_empty() && good.error.is_none(),
            "{name}: {good:?}"
        );
        for damaged in damages(&stream) {
            run(&damaged.bytes)
                .and_then(|told| check(&told))
                .map_err(|error| format!("{name}, {}: {error}", damaged.what))?;
        }
    }
    Ok(())
}

fn launch(description: &str) -> Outcome<gst::Pipeline> {
    gst::parse::launch(description)?
        .downcast()
        .map_err(|_| "not a pipeline".into())
}

fn decode_file(file: &Path) -> Outcome<Told> {
    let file = file.display();
    run(&launch(&format!(
        "filesrc location=\"{file}\" ! h264parse ! fourierh264dec name=decoder device=soft ! fakesink sync=false"
    ))?)
}

#[test]
fn a_damaged_file_ends_and_tells_behind_a_parser() -> Outcome {
    each(|stream| {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), stream)?;
        decode_file(file.path())
    })
}

#[test]
fn damaged_nal_units_end_and_tell_without_a_parser() -> Outcome {
    each(|stream| {
        let pipeline = launch(
            "appsrc name=source format=time caps=video/x-h264,stream-format=byte-stream,alignment=nal,framerate=25/1 ! \
             fourierh264dec name=decoder device=soft ! fakesink sync=false",
        )?;
        let source = pipeline
            .by_name("source")
            .and_then(|source| source.downcast::<gst_app::AppSrc>().ok());
        let source = source.ok_or("no appsrc")?;
        source.set_max_bytes(u64::MAX);
        for (number, nal) in (0..).zip(nals(stream)) {
            let mut buffer = gst::Buffer::from_mut_slice(stream[nal.range].to_vec());
            buffer
                .get_mut()
                .ok_or("a shared buffer")?
                .set_pts(gst::ClockTime::from_mseconds(40 * number));
            source.push_buffer(buffer)?;
        }
        source.end_of_stream()?;
        run(&pipeline)
    })
}
