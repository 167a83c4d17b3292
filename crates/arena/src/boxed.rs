//! A value in an arena that is dropped.

use core::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::{Deref, DerefMut},
    ptr::{self, NonNull},
};

use thrifty_traits::Rejected;

use crate::{Arena, arena::fail};

/// Owns a value in an arena, and drops it. Its memory stays until the arena is reset.
///
/// A box cannot be pinned, as a `Box` can: if it were forgotten, the reset would reuse the memory of a pinned
/// value that was never dropped.
///
/// # Concurrency
///
/// `Send` and `Sync` as the value is: the box touches nothing of the arena.
///
/// # Examples
///
/// ```
/// use thrifty_arena::{Arena, ArenaBox};
///
/// let arena = Arena::new();
/// let name: ArenaBox<'_, String> = arena.alloc_box("dropped".to_owned());
/// assert_eq!(*name, "dropped");
/// ```
///
/// As `dyn Trait`:
///
/// ```
/// use std::fmt::Display;
/// use thrifty_arena::{Arena, ArenaBox};
///
/// let arena = Arena::new();
/// let shown: [ArenaBox<'_, dyn Display>; 2] = [
///     ArenaBox::unsize(arena.alloc_box(1), |value| value),
///     ArenaBox::unsize(arena.alloc_box("two".to_owned()), |value| value),
/// ];
/// assert_eq!(format!("{} {}", shown[0], shown[1]), "1 two");
/// ```
pub struct ArenaBox<'a, T: ?Sized> {
    /// Valid for `'a`, and owned.
    value: NonNull<T>,
    owns: PhantomData<(&'a (), T)>,
}

// SAFETY: it is the only pointer to the value, as a `Box` is: with `T: Send` the value may go along.
unsafe impl<T: ?Sized + Send> Send for ArenaBox<'_, T> {}

// SAFETY: a shared box gives shared references to the value and nothing else: `T: Sync` is for that.
unsafe impl<T: ?Sized + Sync> Sync for ArenaBox<'_, T> {}

impl<const MIN_ALIGN: usize> Arena<MIN_ALIGN> {
    /// Moves a value into the arena, in a box that drops it.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// assert_eq!(arena.alloc_box(vec![1, 2]).len(), 2);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_box<'a, T: 'a>(&'a self, value: T) -> ArenaBox<'a, T> {
        match self.try_alloc_box(value) {
            Ok(boxed) => boxed,
            Err(rejected) => fail(rejected.error),
        }
    }

    /// As [`alloc_box`](Self::alloc_box), and gives the value back where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_alloc_box<'a, T: 'a>(&'a self, value: T) -> Result<ArenaBox<'a, T>, Rejected<T>> {
        let value = self.try_alloc(value)?;
        // SAFETY: just moved there, and nobody else has it.
        Ok(unsafe { ArenaBox::from_owned(value) })
    }
}

impl<'a, T: ?Sized> ArenaBox<'a, T> {
    /// Owns the value from now on.
    ///
    /// # Safety
    ///
    /// Nobody else uses or drops it, also not after `'a`.
    #[inline]
    pub(crate) unsafe fn from_owned(value: &'a mut T) -> Self {
        Self {
            value: NonNull::from(value),
            owns: PhantomData,
        }
    }

    /// Owns the value from now on.
    ///
    /// # Safety
    ///
    /// The value is valid for `'a`; nobody else uses or drops it, also not after `'a`.
    #[inline]
    pub(crate) unsafe fn from_raw_owned(value: NonNull<T>) -> Self {
        Self {
            value,
            owns: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn as_non_null(&self) -> NonNull<T> {
        self.value
    }

    /// Makes a plain reference of the box: the value is never dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{Arena, ArenaBox};
    ///
    /// let arena = Arena::new();
    /// let kept: &mut u32 = ArenaBox::leak(arena.alloc_box(1));
    /// assert_eq!(*kept, 1);
    /// ```
    #[inline]
    #[must_use]
    pub fn leak(boxed: Self) -> &'a mut T {
        let boxed = ManuallyDrop::new(boxed);
        // SAFETY: valid for `'a`, and owned by the box, which is no more.
        unsafe { &mut *boxed.value.as_ptr() }
    }
}

impl<T> ArenaBox<'_, T> {
    /// Moves the value out.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{Arena, ArenaBox};
    ///
    /// let arena = Arena::new();
    /// assert_eq!(ArenaBox::into_inner(arena.alloc_box(vec![1])), [1]);
    /// ```
    #[inline]
    #[must_use]
    pub fn into_inner(boxed: Self) -> T {
        let boxed = ManuallyDrop::new(boxed);
        // SAFETY: valid and owned, and read once: the box is no more.
        unsafe { boxed.value.read() }
    }
}

impl<T: ?Sized> Drop for ArenaBox<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: valid and owned, and not used again.
        unsafe { ptr::drop_in_place(self.value.as_ptr()) };
    }
}

impl<T: ?Sized> Deref for ArenaBox<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: valid and owned, and borrowed as the box is.
        unsafe { self.value.as_ref() }
    }
}

impl<T: ?Sized> DerefMut for ArenaBox<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: valid and owned, and borrowed as the box is, exclusively.
        unsafe { self.value.as_mut() }
    }
}

impl<T: ?Sized> AsRef<T> for ArenaBox<'_, T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: ?Sized> AsMut<T> for ArenaBox<'_, T> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: ?Sized> Borrow<T> for ArenaBox<'_, T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<I: ?Sized + Iterator> Iterator for ArenaBox<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        (**self).next()
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (**self).size_hint()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ArenaBox<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for ArenaBox<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl<T: ?Sized + PartialEq> PartialEq for ArenaBox<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: ?Sized + Eq> Eq for ArenaBox<'_, T> {}

impl<T: ?Sized + PartialOrd> PartialOrd for ArenaBox<'_, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<T: ?Sized + Ord> Ord for ArenaBox<'_, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: ?Sized + Hash> Hash for ArenaBox<'_, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}
