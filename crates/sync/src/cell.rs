//! The cell whose accesses loom can see.

#[cfg(all(thrifty_loom, feature = "loom"))]
pub use loom::cell::UnsafeCell;

#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use self::real::UnsafeCell;

#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod real {
    /// [`core::cell::UnsafeCell`], opened by closures.
    ///
    /// An access has a beginning and an end, the run of the closure, so loom can tell when two
    /// accesses overlap. The closure gets a raw pointer: reading or writing through it is the
    /// caller's `unsafe`, and the pointer must not leave the closure.
    ///
    /// # Memory
    ///
    /// `size_of::<T>()`: the wrapper is `repr(transparent)`.
    ///
    /// # Concurrency
    ///
    /// Not `Sync`, like the cell of `core`. A type built on it argues its own `Sync`.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_sync::UnsafeCell;
    ///
    /// let cell = UnsafeCell::new(1);
    /// // SAFETY: the cell is a local that no other thread and no other pointer reaches.
    /// cell.with_mut(|value| unsafe { *value += 1 });
    /// assert_eq!(cell.into_inner(), 2);
    /// ```
    #[derive(Debug, Default)]
    #[repr(transparent)]
    pub struct UnsafeCell<T: ?Sized>(core::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        /// Wraps a value. `const` except under loom.
        #[inline]
        pub const fn new(value: T) -> Self {
            Self(core::cell::UnsafeCell::new(value))
        }

        /// Unwraps the value.
        #[inline]
        pub fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }

    impl<T: ?Sized> UnsafeCell<T> {
        /// Runs `read` on a pointer for reading; accesses of this kind may overlap each other.
        #[inline]
        pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
            read(self.0.get())
        }

        /// Runs `write` on a pointer for writing; nothing else may access the cell meanwhile.
        #[inline]
        pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
            write(self.0.get())
        }
    }
}
