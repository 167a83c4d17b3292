//! User code whose panic must go no further.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f`; a panic of it ends here, after the panic hook has reported it.
///
/// For what runs while the engine has something in its hands, or a thread ends, where a panic would
/// lose rounds or abort the process.
pub fn contain<R>(f: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => Some(result),
        Err(payload) => {
            // What the user panicked with may panic in its own drop, and so may the payload of
            // that panic: the second one is leaked, since the chain could go on for ever.
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                #[expect(
                    clippy::mem_forget,
                    reason = "its drop may panic as the first one's did"
                )]
                core::mem::forget(second);
            }
            None
        }
    }
}
