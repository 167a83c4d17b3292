//! The guard of a local pool.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

use super::{ByReset, Clean, LocalPool};

/// An item on loan from a [`LocalPool`]. Dropped, it goes back, cleaned.
///
/// If cleaning it panics, or it is too heavy, or the guard is dropped while a panic unwinds, also one
/// that began before the loan, the item is dropped. `mem::forget` leaks the item and no more.
///
/// # Memory
///
/// Two pointers.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{LocalPool, LocalPooled};
///
/// fn greeting<'p, 'a>(pool: &'p LocalPool<'a, String>) -> LocalPooled<'p, 'a, String> {
///     let mut text = pool.get();
///     text.push_str("hello");
///     text
/// }
///
/// assert_eq!(*greeting(&LocalPool::new(String::new)), "hello");
/// ```
#[must_use = "dropped at once, the item goes straight back"]
pub struct LocalPooled<'p, 'a, T, C: Clean<T> = ByReset> {
    pool: &'p LocalPool<'a, T, C>,
    item: ManuallyDrop<Box<T>>,
}

impl<'p, 'a, T, C: Clean<T>> LocalPooled<'p, 'a, T, C> {
    #[inline]
    pub(super) fn new(pool: &'p LocalPool<'a, T, C>, item: Box<T>) -> Self {
        Self {
            pool,
            item: ManuallyDrop::new(item),
        }
    }

    /// Takes the item out of the pool for good.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::LocalPool;
    ///
    /// let pool = LocalPool::new(String::new);
    /// let line: String = pool.get().detach();
    /// assert_eq!(pool.stats().in_use, 0);
    /// # drop(line);
    /// ```
    #[must_use = "the item is dropped otherwise; `discard` says so"]
    pub fn detach(self) -> T {
        *self.into_item()
    }

    /// Drops the item instead of returning it.
    ///
    /// # Panics
    ///
    /// When the item's drop does.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::LocalPool;
    ///
    /// let pool = LocalPool::new(String::new);
    /// pool.get().discard();
    /// assert_eq!(pool.stats().idle, 0);
    /// ```
    pub fn discard(self) {
        drop(self.into_item());
    }

    fn into_item(self) -> Box<T> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither dropped nor used again.
        unsafe { this.end() }
    }

    /// Ends the loan.
    ///
    /// # Safety
    ///
    /// The guard is neither used nor dropped afterwards.
    #[inline]
    unsafe fn end(&mut self) -> Box<T> {
        self.pool.in_use.set(self.pool.in_use.get() - 1);
        // SAFETY: owned: by the contract, the item in the guard is used no more.
        unsafe { ManuallyDrop::take(&mut self.item) }
    }
}

impl<T, C: Clean<T>> Drop for LocalPooled<'_, '_, T, C> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this is the drop, and the field is used no more.
        let item = unsafe { self.end() };
        self.pool.receive(item);
    }
}

impl<T, C: Clean<T>> Deref for LocalPooled<'_, '_, T, C> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T, C: Clean<T>> DerefMut for LocalPooled<'_, '_, T, C> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.item
    }
}

impl<T, C: Clean<T>> AsRef<T> for LocalPooled<'_, '_, T, C> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T, C: Clean<T>> AsMut<T> for LocalPooled<'_, '_, T, C> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: fmt::Debug, C: Clean<T>> fmt::Debug for LocalPooled<'_, '_, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display, C: Clean<T>> fmt::Display for LocalPooled<'_, '_, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
