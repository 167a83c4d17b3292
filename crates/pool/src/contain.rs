//! User code whose panic must go no further.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f`, and ends a panic of it here. The panic hook has reported it by then.
///
/// For places that may not unwind: the engine destroys items while a thread exits, and a second
/// panic that leaves a destructor during unwinding would abort the program.
pub(crate) fn contain(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        // What the user panicked with may panic in its own drop. The second payload is leaked,
        // since that chain could go on for ever.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            #[expect(
                clippy::mem_forget,
                reason = "its drop may panic as the first one's did"
            )]
            core::mem::forget(second);
        }
    }
}

/// An item that is dropped unless it is taken out, where a second panic ends instead of aborting.
pub(crate) struct Doomed<T>(pub(crate) Option<T>);

impl<T> Drop for Doomed<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(item) = self.0.take() {
            drop_cold(item);
        }
    }
}

#[cold]
#[inline(never)]
fn drop_cold<T>(item: T) {
    if std::thread::panicking() {
        contain(|| drop(item));
    }
}

#[cfg(test)]
mod tests {
    use super::contain;

    struct PanicsInDrop;

    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            std::panic::panic_any(Self);
        }
    }

    #[test]
    fn a_payload_that_panics_is_contained() {
        thrifty_testkit::quietly(|| contain(|| std::panic::panic_any(PanicsInDrop)))
            .expect("contained");
    }
}
