//! Turns panics of the storage library into errors, without a crash report on stderr.
//!
//! sled panics where this crate returns errors: on a flipped bit, on a torn page. The panic is
//! caught at the call and becomes an error value; the process-wide hook stays silent for exactly
//! the calls that are guarded here and passes everything else on to the hook there was before.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs a call into the storage library; a panic in it gives its text as an error.
///
/// Whatever the call worked on must not be used for writing after an error, since a panic may
/// have left it half done. The callers stop the writer.
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(install_hook);
    let before = GUARDED.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(before);
    outcome.map_err(|payload| panic_text(payload.as_ref()))
}

fn install_hook() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !GUARDED.get() {
            before(info);
        }
    }));
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("panic without text")
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}
