//! A display: libva with the driver that it found.

use std::ffi::{CStr, c_char, c_void};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, PoisonError};

use super::va;
use crate::{Outcome, Status};

/// An initialised display. All calls may come from several threads at once.
#[derive(Debug)]
pub struct Display {
    pub(super) raw: va::VADisplay,
    /// What libva and the driver told the user; behind a pointer that libva has.
    messages: Arc<Messages>,
    // Closed after the display.
    _native: Native,
}

/// What libva and the driver told the user.
#[derive(Debug, Default)]
struct Messages(Mutex<Vec<String>>);

/// What a display is on.
#[derive(Debug)]
enum Native {
    X11(NonNull<va::Display>),
    Drm { _device: File },
}

impl Drop for Native {
    fn drop(&mut self) {
        match self {
            // SAFETY: opened by `XOpenDisplay`, closed only here.
            Self::X11(display) => drop(unsafe { va::XCloseDisplay(display.as_ptr()) }),
            Self::Drm { .. } => {}
        }
    }
}

impl Display {
    /// On an X server, the one that `DISPLAY` names.
    ///
    /// # Errors
    /// Without a server, or what `vaInitialize` says, and told the user.
    pub fn x11() -> Outcome<Self> {
        // SAFETY: NULL stands for the display that the environment names.
        let display = unsafe { va::XOpenDisplay(ptr::null()) };
        let display = NonNull::new(display).ok_or("there is no X server")?;
        let native = Native::X11(display);
        // SAFETY: an open display, which outlives what is made of it.
        let raw = unsafe { va::vaGetDisplay(display.as_ptr().cast()) };
        Self::initialize(raw, native)
    }

    /// On a DRM device.
    ///
    /// # Errors
    /// What open(2) or `vaInitialize` says, and told the user.
    pub fn drm(device: &Path) -> Outcome<Self> {
        let file = File::options().read(true).write(true).open(device)?;
        // SAFETY: an open file, which outlives what is made of it.
        let raw = unsafe { va::vaGetDisplayDRM(file.as_raw_fd()) };
        Self::initialize(raw, Native::Drm { _device: file })
    }

    fn initialize(raw: va::VADisplay, native: Native) -> Outcome<Self> {
        let display = Self {
            raw,
            messages: Arc::default(),
            _native: native,
        };
        let messages = Arc::as_ptr(&display.messages).cast_mut().cast::<c_void>();
        // SAFETY: the display is alive, and has the messages for as long as it lives.
        unsafe { va::vaSetErrorCallback(raw, Some(note), messages) };
        // SAFETY: as above.
        unsafe { va::vaSetInfoCallback(raw, Some(note), messages) };
        let (mut major, mut minor) = (0, 0);
        // SAFETY: a display that libva made, and places for two numbers.
        match Status::check(unsafe { va::vaInitialize(raw, &raw mut major, &raw mut minor) }) {
            Ok(()) => Ok(display),
            Err(status) => Err(format!("vaInitialize: {status}\n{}", display.messages().join("\n")).into()),
        }
    }

    /// What the driver calls itself.
    pub fn vendor(&self) -> String {
        // SAFETY: an initialised display.
        let vendor = unsafe { va::vaQueryVendorString(self.raw) };
        if vendor.is_null() {
            return String::new();
        }
        // SAFETY: a string of the driver that lives as long as the display.
        let vendor = unsafe { CStr::from_ptr(vendor) };
        vendor.to_string_lossy().into_owned()
    }

    /// What libva and the driver had to say to the user.
    pub fn messages(&self) -> Vec<String> {
        self.messages.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// `VAMessageCallback`.
unsafe extern "C" fn note(messages: *mut c_void, message: *const c_char) {
    // SAFETY: it was registered with the messages of a display that lives.
    let messages = unsafe { &*messages.cast::<Messages>() };
    // SAFETY: libva gives a string.
    let message = unsafe { CStr::from_ptr(message) };
    let message = message.to_string_lossy().trim_end().to_owned();
    messages.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
}

impl Drop for Display {
    fn drop(&mut self) {
        // SAFETY: terminated once, by its only owner; the native display is closed afterwards.
        let status = unsafe { va::vaTerminate(self.raw) };
        if let Err(status) = Status::check(status) {
            eprintln!("vaTerminate: {status}");
        }
    }
}

// SAFETY: libva's calls may come from any thread, and the native display is only kept open.
unsafe impl Send for Display {}
// SAFETY: libva's calls may come from several threads at once.
unsafe impl Sync for Display {}
