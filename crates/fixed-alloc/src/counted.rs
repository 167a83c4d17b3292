//! A value that its handles share. An `Arc`, for which a lack of memory is an error.

use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;

use thrifty_traits::{AllocError, AllocErrorKind, Rejected};

use crate::count::Count;

/// A handle to a value.
///
/// # Invariants
///
/// 1. `inner` points to an `Inner` of a block of its own, which lives until the last handle goes.
pub(crate) struct Counted<T> {
    inner: NonNull<Inner<T>>,
    owns: PhantomData<Inner<T>>,
}

struct Inner<T> {
    count: Count,
    value: T,
}

// SAFETY: handles share the value (`Sync`), and the last one drops it where it is (`Send`).
unsafe impl<T: Send + Sync> Send for Counted<T> {}
// SAFETY: as for `Send`: a `&Counted` can be cloned.
unsafe impl<T: Send + Sync> Sync for Counted<T> {}

impl<T> Counted<T> {
    /// The first handle to a value.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is no memory.
    pub(crate) fn try_new(value: T) -> Result<Self, Rejected<T>> {
        let layout = Layout::new::<Inner<T>>();
        // SAFETY: the layout has a count in it and so is not of size zero.
        let inner = unsafe { alloc(layout) }.cast::<Inner<T>>();
        let Some(inner) = NonNull::new(inner) else {
            let error = AllocError::for_layout(AllocErrorKind::Backend, layout);
            return Err(Rejected::new(value, error));
        };
        let count = Count::new();
        // SAFETY: valid: the block has this layout. Exclusive: it is new.
        unsafe { inner.write(Inner { count, value }) };
        // INVARIANT: 1 — written above.
        Ok(Self {
            inner,
            owns: PhantomData,
        })
    }

    fn inner(&self) -> &Inner<T> {
        // SAFETY: valid by invariant 1; shared: nobody writes before the last handle goes.
        unsafe { self.inner.as_ref() }
    }
}

impl<T> Clone for Counted<T> {
    fn clone(&self) -> Self {
        self.inner().count.add();
        Self {
            inner: self.inner,
            owns: PhantomData,
        }
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner().value
    }
}

/// A block, which is freed when this is dropped.
struct Freed(NonNull<u8>, Layout);

impl Drop for Freed {
    fn drop(&mut self) {
        // SAFETY: owned, from `alloc` with this layout: `Counted::drop` made this.
        unsafe { dealloc(self.0.as_ptr(), self.1) };
    }
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        if self.inner().count.remove() {
            // Also when the value's drop panics.
            let _block = Freed(self.inner.cast(), Layout::new::<Inner<T>>());
            // SAFETY: valid by invariant 1, and owned: the last handle.
            unsafe { self.inner.drop_in_place() };
        }
    }
}

impl<T: core::fmt::Debug> core::fmt::Debug for Counted<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use thrifty_testkit::Ledger;

    use super::*;

    #[test]
    fn the_value_goes_with_the_last_handle() {
        let ledger = Ledger::new();
        let first = Counted::try_new(ledger.track(5)).expect("there is memory");
        let second = first.clone();
        drop(first);
        assert_eq!((**second, ledger.live()), (5, 1));
        drop(second);
        assert_eq!(ledger.check(), Ok(()));
    }
}
