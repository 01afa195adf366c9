//! Programs that decode through libva with the driver just built, on an X server without a screen or on a DRM node.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use md5::{Digest as _, Md5};
use tempfile::TempDir;

use crate::Outcome;
use crate::picture::Digest;

/// No stream of the suite takes nearly as long: a process that does hangs.
const DEADLINE_SECONDS: &str = "180";

/// What libva opens, and a folder in which it finds the driver and nothing else.
#[derive(Debug)]
pub struct VaDisplay {
    /// The X server, where it is one.
    server: Option<Child>,
    name: String,
    /// `FOURIER_DEVICE`.
    device: String,
    folder: TempDir,
}

/// What the driver says of itself when it is terminated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames or fields that the device was given.
    pub pictures: usize,
    /// Of these, how many were damaged.
    pub damaged: usize,
    /// Frames or fields that could not be given to it.
    pub refused: usize,
    /// Pictures that had to be copied.
    pub copied: usize,
}

/// What a finished process left.
#[derive(Debug)]
pub struct Decoded {
    /// It ended with exit code 0.
    pub success: bool,
    /// Standard error, and what the driver logged.
    pub log: String,
    /// The md5 of what it wrote.
    pub md5: String,
    /// Of all displays that the process opened.
    pub counters: Counters,
}

impl VaDisplay {
    /// Starts the server on a number that is free.
    ///
    /// # Errors
    /// Without Xvfb, or when the driver is not where cargo puts it.
    pub fn start() -> Outcome<Self> {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-noreset",
                "-nolisten",
                "tcp",
                "-screen",
                "0",
                "640x480x24",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("Xvfb: {error}"))?;
        let mut number = String::new();
        if let Some(output) = server.stdout.take() {
            BufReader::new(output).read_line(&mut number)?;
        }
        let name = format!(":{}", number.trim());
        Ok(Self {
            server: Some(server),
            name,
            device: "soft".to_owned(),
            folder: driver_folder()?,
        })
    }

    /// A node of a DRM device, and a decoder as in `FOURIER_DEVICE`.
    ///
    /// # Errors
    /// When the driver is not where cargo puts it.
    pub fn on_node(node: &str, device: &str) -> Outcome<Self> {
        Ok(Self {
            server: None,
            name: node.to_owned(),
            device: device.to_owned(),
            folder: driver_folder()?,
        })
    }

    /// The name of the display, `:99` or `/dev/dri/renderD128`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `program` in an environment in which libva loads the driver, ended if it hangs.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", DEADLINE_SECONDS, program])
            .env("LIBVA_DRIVERS_PATH", self.folder.path())
            .env("LIBVA_DRIVER_NAME", "fourier")
            .env("FOURIER_DEVICE", &self.device)
            .env("FOURIER_LOG", "info")
            .stdin(Stdio::null());
        if self.server.is_some() {
            command.env("DISPLAY", &self.name);
        }
        command
    }

    /// Runs a command that writes pictures to its standard output.
    ///
    /// # Errors
    /// When it cannot be started, hangs, or ends by a signal.
    pub fn run(&self, command: Command) -> Outcome<Decoded> {
        self.run_and_see(command, &mut |_| ())
    }

    /// The same, and gives `see` everything as it comes.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_and_see(&self, mut command: Command, see: &mut dyn FnMut(&[u8])) -> Outcome<Decoded> {
        let driver_log = tempfile::NamedTempFile::new_in(self.folder.path())?;
        let errors = tempfile::NamedTempFile::new_in(self.folder.path())?;
        command.env("FOURIER_LOG_FILE", driver_log.path());
        command.stdout(Stdio::piped()).stderr(File::create(errors.path())?);
        let mut child = command.spawn()?;
        let md5 = md5_of(child.stdout.take().ok_or("a process without standard output")?, see)?;
        let status = child.wait()?;
        let of_driver = std::fs::read_to_string(driver_log.path())?;
        let log = format!("{}{of_driver}", std::fs::read_to_string(errors.path())?);
        match (status.signal(), status.code()) {
            (Some(signal), _) => return Err(format!("ended by signal {signal}: {log}").into()),
            (None, Some(124 | 137)) => return Err(format!("still running after {DEADLINE_SECONDS} s: {log}").into()),
            // What `timeout` says of a program that ended by a signal; above, ffmpeg says what was wrong with its input.
            (None, Some(code @ 129..=159)) => return Err(format!("ended by signal {}: {log}", code - 128).into()),
            (None, _) => {}
        }
        Ok(Decoded {
            success: status.success(),
            counters: Counters::of_log(&of_driver),
            log,
            md5,
        })
    }

    /// ffmpeg decodes the video of `file`: `before` are options of the decoder, `after` of the pictures.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn ffmpeg(&self, file: &Path, before: &[&str], after: &[&str]) -> Outcome<Decoded> {
        self.run(self.ffmpeg_command(file, before, after))
    }

    /// What [`Self::ffmpeg`] runs.
    pub fn ffmpeg_command(&self, file: &Path, before: &[&str], after: &[&str]) -> Command {
        let mut command = self.command("ffmpeg");
        command
            .args(["-nostdin", "-v", "error", "-flags", "unaligned"])
            .args(before);
        command
            .arg("-i")
            .arg(file)
            .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-noautoscale"]);
        command.args(after).args(["-f", "rawvideo", "-"]);
        command
    }
}

impl Drop for VaDisplay {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // A server that has ended already cannot be ended.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// A folder with the driver, next to the running test's executable.
fn driver_folder() -> Outcome<TempDir> {
    let executable = std::env::current_exe()?;
    let built = executable.parent().ok_or("an executable without a folder")?;
    let driver = built.join("libfourier_drv_video.so");
    let folder = tempfile::tempdir_in(built)?;
    symlink(driver.canonicalize()?, folder.path().join("fourier_drv_video.so"))?;
    Ok(folder)
}

impl Counters {
    /// The sum of what the displays of a process say.
    fn of_log(log: &str) -> Self {
        let mut sum = Self::default();
        for line in log.lines().filter(|line| line.contains(" terminate: ")) {
            let field = |name: &str| {
                let value = line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name));
                value.and_then(|value| value.parse::<usize>().ok()).unwrap_or(0)
            };
            sum.pictures += field("pictures=");
            sum.damaged += field("damaged=");
            sum.refused += field("refused=");
            sum.copied += field("copied=");
        }
        sum
    }

    /// Fails unless all of `frames` pictures went through the driver, and every one of them came out whole.
    ///
    /// # Errors
    /// Says what the driver counted.
    pub fn must_cover(&self, frames: usize) -> Outcome {
        match self.pictures >= frames && self.damaged == 0 && self.refused == 0 && self.copied == 0 {
            true => Ok(()),
            false => Err(format!("{frames} pictures are expected, the driver counted {self:?}").into()),
        }
    }
}

impl Decoded {
    /// As a digest of as many pictures as expected: a wrong number of them has another md5.
    pub fn digest(&self, frames: usize) -> Digest {
        Digest {
            frames,
            md5: self.md5.clone(),
        }
    }
}

/// The md5 of everything that comes out of `output`, hexadecimal; `see` gets it piece by piece.
fn md5_of(mut output: impl Read, see: &mut dyn FnMut(&[u8])) -> Outcome<String> {
    let mut md5 = Md5::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match output.read(&mut chunk)? {
            0 => return Ok(md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            length => {
                md5.update(&chunk[..length]);
                see(&chunk[..length]);
            }
        }
    }
}
