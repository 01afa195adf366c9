//! `gst-launch-1.0` processes that find the plugin just built and nothing of the user's own.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fourier_core::units::Size;

use crate::Outcome;
use crate::picture::{Digest, Digester, Planar};
use crate::vectors::Container;

/// No stream of the suite takes nearly as long: a process that does hangs.
const DEADLINE: Duration = Duration::from_secs(180);
/// What a process may take to end once it has said that it failed.
const AFTER_AN_ERROR: Duration = Duration::from_secs(10);

/// Where the plugin and GStreamer's registry of it are.
#[derive(Clone, Debug)]
pub struct Launcher {
    folder: PathBuf,
}

/// What a finished process left.
#[derive(Debug)]
pub struct Finished {
    /// It ended with exit code 0.
    pub success: bool,
    /// Standard output and standard error.
    pub log: String,
    /// What the pipeline's `filesink` wrote.
    pub written: tempfile::TempPath,
}

impl Launcher {
    /// Makes a folder with nothing but the plugin, next to the running test's executable.
    ///
    /// # Errors
    /// When the plugin is not where cargo puts it.
    pub fn new() -> Outcome<Self> {
        let executable = std::env::current_exe()?;
        let built = executable.parent().ok_or("an executable without a folder")?;
        // A test lies in `deps`, next to the plugin; a program lies one above.
        let plugin = [built.join("libgstfourier.so"), built.join("deps/libgstfourier.so")]
            .into_iter()
            .find(|path| path.exists())
            .ok_or_else(|| format!("no libgstfourier.so at {}", built.display()))?;
        let folder = built.join("gstreamer-of-the-tests");
        std::fs::create_dir_all(folder.join("plugins"))?;
        let link = folder.join("plugins/libgstfourier.so");
        // A build folder that was moved has a link to where it was.
        if std::fs::read_link(&link).is_ok_and(|target| target != plugin) {
            std::fs::remove_file(&link)?;
        }
        match std::os::unix::fs::symlink(&plugin, &link) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.into()),
            Ok(()) | Err(_) => Ok(Self { folder }),
        }
    }

    /// A command of GStreamer's tools in this environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("GST_PLUGIN_PATH", self.folder.join("plugins"))
            .env("GST_REGISTRY", self.folder.join("registry.bin"))
            .env("GST_DEBUG_NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs `filesrc ! demuxer ! h264parse ! decoder ! videoconvert ! filesink` on a file; `formats` are GStreamer's names of
    /// what is written. With its usual dither videoconvert adds noise when it repacks 10 bits.
    ///
    /// # Errors
    /// When the process cannot be started or does not end.
    pub fn decode(&self, file: &Path, container: Container, decoder: &str, formats: &str) -> Outcome<Finished> {
        let written = tempfile::NamedTempFile::new_in(&self.folder)?.into_temp_path();
        let demuxer = container.demuxer().map(|name| format!("{name} !")).unwrap_or_default();
        let pipeline = format!(
            "filesrc location=\"{}\" ! {demuxer} h264parse ! {decoder} ! videoconvert dither=none ! video/x-raw,format={formats} ! \
             filesink location=\"{}\"",
            file.display(),
            written.display()
        );
        let mut command = self.command("gst-launch-1.0");
        // With -m it prints the messages, the element's statistics among them.
        command.arg("-m").args(words(&pipeline));
        let log = tempfile::tempfile_in(&self.folder)?;
        command.stdout(log.try_clone()?).stderr(log.try_clone()?);
        let success = wait(command.spawn()?, &log, &pipeline)?;
        Ok(Finished {
            success,
            log: read(&log)?,
            written,
        })
    }
}

/// The arguments of gst-launch-1.0 for a pipeline in which paths are quoted.
pub fn words(pipeline: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let words = pipeline.split(move |c: char| {
        is_quoted ^= c == '"';
        !is_quoted && c.is_ascii_whitespace()
    });
    words.filter(|word| !word.is_empty())
}

impl Finished {
    /// The digest of the pictures, packed; `size` is that of the first one.
    ///
    /// Pictures are counted in bytes of that size. Only streams that keep one size may have one whose rows GStreamer
    /// pads.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn digest(&self, format: Planar, size: Size) -> Outcome<Digest> {
        let mut digester = Digester::default();
        let mut file = File::open(&self.written)?;
        let padded = !size.width.is_multiple_of(8);
        let picture = if padded {
            format.padded_length(size)
        } else {
            format.packed_length(size)
        };
        let mut chunk = Vec::with_capacity(picture);
        while file.by_ref().take(picture as u64).read_to_end(&mut chunk)? > 0 {
            match padded {
                true => digester.push_packed(&format.pack_gstreamer(&chunk, size), format, size),
                false => digester.push_packed(&chunk, format, size),
            }
            chunk.clear();
        }
        Ok(digester.finish())
    }

    /// How many frames the message says that fourierh264dec posts when it stops; `None` where it did not decode.
    pub fn frames_by_the_element(&self) -> Option<usize> {
        self.counted_by_the_element("frames")
    }

    /// How many of them it had to copy.
    pub fn copies_by_the_element(&self) -> Option<usize> {
        self.counted_by_the_element("copies")
    }

    fn counted_by_the_element(&self, what: &str) -> Option<usize> {
        let (_, statistics) = self.log.rsplit_once("fourierh264dec-stats, device=(string)soft,")?;
        let (_, count) = statistics.split_once(&format!("{what}=(guint64)"))?;
        count.split(',').next()?.parse().ok()
    }
}

/// Waits for the end, at most until the deadline; gives whether it succeeded.
///
/// gst-launch-1.0 of GStreamer 1.22 now and then stays in its main loop after an error during preroll, whichever
/// element posted it: with an error in its `log` it is given a moment and then ended.
fn wait(mut child: Child, log: &File, what: &str) -> Outcome<bool> {
    let start = Instant::now();
    let mut failed_at = None;
    while failed_at.is_none_or(|at: Instant| at.elapsed() < AFTER_AN_ERROR) {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if start.elapsed() > DEADLINE {
            end(child)?;
            return Err(format!("still running after {DEADLINE:?}: {what}").into());
        }
        if failed_at.is_none() && read(log)?.contains("ERROR: from element") {
            failed_at = Some(Instant::now());
        }
        sleep(Duration::from_millis(10));
    }
    end(child)?;
    Ok(false)
}

fn end(mut child: Child) -> Outcome {
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// Everything that was written so far; the position that the writer shares stays where it is.
fn read(file: &File) -> Outcome<String> {
    let mut bytes = vec![0; usize::try_from(file.metadata()?.len())?];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
