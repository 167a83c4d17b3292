//! A handle to size classes that can be cloned and kept.

use core::fmt;
use core::ops::Deref;
use core::panic::{RefUnwindSafe, UnwindSafe};

use allocator_api2::alloc::Global;
use thrifty_traits::Rejected;

use super::alloc::ClassAlloc;
use crate::counted::Counted;

/// A handle to a [`ClassAlloc`] that can be cloned and kept, from [`ClassAlloc::into_handle`].
///
/// # Memory
///
/// One pointer.
///
/// # Concurrency
///
/// As [`ClassAlloc`]. Cloning and dropping a handle changes a shared count: a collection that clones
/// its allocator often is better off with a `&ClassAlloc`.
///
/// # Examples
///
/// ```
/// use allocator_api2::vec::Vec;
/// use thrifty_fixed_alloc::{ClassAlloc, ClassHandle};
///
/// fn squares(classes: &ClassHandle) -> Vec<u32, ClassHandle> {
///     let mut squares = Vec::new_in(classes.clone());
///     squares.extend((0..10).map(|n| n * n));
///     squares
/// }
///
/// let classes = ClassAlloc::new().into_handle()?;
/// let numbers = squares(&classes);
/// drop(classes);
/// assert_eq!(numbers[9], 81);
/// # Ok::<(), thrifty_fixed_alloc::Rejected<ClassAlloc>>(())
/// ```
pub struct ClassHandle<A = Global>(Counted<ClassAlloc<A>>);

impl<A> ClassHandle<A> {
    #[expect(clippy::result_large_err, reason = "this happens once")]
    pub(super) fn try_new(classes: ClassAlloc<A>) -> Result<Self, Rejected<ClassAlloc<A>>> {
        Counted::try_new(classes).map(Self)
    }
}

impl<A> Deref for ClassHandle<A> {
    type Target = ClassAlloc<A>;

    #[inline]
    fn deref(&self) -> &ClassAlloc<A> {
        &self.0
    }
}

impl<A> Clone for ClassHandle<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A> fmt::Debug for ClassHandle<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClassHandle").field(&self.0).finish()
    }
}

// As for the allocator that it is a handle to, which it shares.
impl<A: RefUnwindSafe> UnwindSafe for ClassHandle<A> {}
impl<A: RefUnwindSafe> RefUnwindSafe for ClassHandle<A> {}
