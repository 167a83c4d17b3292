//! Panics that a test wants: caught, and not printed.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::failing::exempt;
use crate::fuse::Blown;

thread_local! {
    /// Depth of `quietly` on this thread.
    static QUIET: Cell<u32> = const { Cell::new(0) };
}

/// Runs `f`, catches its panic and prints nothing of it. Other threads' panics are printed.
///
/// # Errors
///
/// The panic's payload.
///
/// # Examples
///
/// ```
/// use thrifty_testkit::{message, quietly};
///
/// let payload = quietly(|| panic!("{} too many", 1)).unwrap_err();
/// assert_eq!(message(&*payload), "1 too many");
/// ```
pub fn quietly<R>(f: impl FnOnce() -> R) -> std::thread::Result<R> {
    install();
    QUIET.set(QUIET.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(f));
    QUIET.set(QUIET.get() - 1);
    result
}

/// What a panic said, from the payload that `catch_unwind` or `join` returns.
#[must_use]
pub fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else if let Some(blown) = payload.downcast_ref::<Blown>() {
        blown.to_string()
    } else {
        "(a payload that is no text)".to_owned()
    }
}

/// Puts a hook before the one that is there. It drops what is wanted and passes on the rest.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    // What it allocates stays, which must not look like a leak of whoever comes first.
    let install = || {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if QUIET.get() == 0 && !info.payload().is::<Blown>() {
                previous(info);
            }
        }));
    };
    INSTALLED.call_once(|| exempt(install));
}
