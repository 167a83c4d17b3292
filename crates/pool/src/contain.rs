//! User code whose panic must go no further.

/// The engine's way to run user code; it destroys items under the same conditions.
pub(crate) use thrifty_magazine::__private::contain;

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
