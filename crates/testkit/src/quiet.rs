//! Panics that a test wants: caught, and not printed.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::failing::exempt;
use crate::fuse::Blown;

thread_local! {
    /// Depth of `quietly` on this thread.
    static QUIET: Cell<u32> = const { Cell::new(0) };
}

/// Sweeps that are running, on whatever threads: a fuse may blow on another one than its sweep's.
static SWEEPS: AtomicU64 = AtomicU64::new(0);

/// As long as it is there, blown fuses are wanted.
pub(crate) struct Sweeping(());

impl Sweeping {
    pub(crate) fn begin() -> Self {
        SWEEPS.fetch_add(1, Relaxed);
        Self(())
    }
}

impl Drop for Sweeping {
    fn drop(&mut self) {
        SWEEPS.fetch_sub(1, Relaxed);
    }
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
///
/// Later, where the thread is panicking: a hook cannot be set meanwhile, and the attempt would abort.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    if std::thread::panicking() {
        return;
    }
    // What it allocates stays, which must not look like a leak of whoever comes first.
    let install = || {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if QUIET.get() > 0 {
                return;
            }
            match info.payload().downcast_ref::<Blown>() {
                None => previous(info),
                // The hook that was there would not know what to say of it.
                Some(blown) if SWEEPS.load(Relaxed) == 0 => {
                    exempt(|| eprintln!("thrifty-testkit: {blown}, outside of a sweep"));
                }
                Some(_) => {}
            }
        }));
    };
    INSTALLED.call_once(|| exempt(install));
}
