//! What a user should see, through libva: it goes to standard error, or where the application wants it.

use std::ffi::CString;

use super::va;

/// `VADriverContext::error_callback` and its twin.
type Callback = Option<unsafe extern "C" fn(va::VADriverContextP, *const std::ffi::c_char)>;

/// Something does not work.
pub(super) fn error(display: &va::VADriverContext, text: &str) {
    tell(display, display.error_callback, text);
}

/// Something that explains what the application does next.
pub(super) fn info(display: &va::VADriverContext, text: &str) {
    tell(display, display.info_callback, text);
}

fn tell(display: &va::VADriverContext, callback: Callback, text: &str) {
    let (Some(callback), Ok(text)) = (callback, CString::new(format!("fourier: {text}\n"))) else {
        return;
    };
    // SAFETY: libva's callback with the context that it belongs to, which it only reads, and a string that lives as
    // long as the call.
    unsafe { callback((&raw const *display).cast_mut(), text.as_ptr()) };
}
