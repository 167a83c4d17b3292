//! Boxes without a value yet.

use core::mem::MaybeUninit;

use super::boxed::SlabBox;

impl<T> SlabBox<MaybeUninit<T>> {
    /// Puts a value into a block that has none.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabBox};
    /// let names: Slab<String> = Slab::new();
    /// let place = names.uninit();
    /// assert_eq!(*SlabBox::write(place, String::from("n")), "n");
    /// ```
    #[inline]
    pub fn write(mut boxed: Self, value: T) -> SlabBox<T> {
        (*boxed).write(value);
        // SAFETY: written above.
        unsafe { boxed.assume_init() }
    }

    /// The same block, with a value.
    ///
    /// # Safety
    ///
    /// The value was written, by whatever way.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::Slab;
    /// let pages: Slab<[u8; 4096]> = Slab::new();
    /// let mut page = pages.uninit();
    /// // SAFETY: valid for one page, and any bytes are one.
    /// unsafe { page.as_mut_ptr().write_bytes(1, 1) };
    /// // SAFETY: written above.
    /// let page = unsafe { page.assume_init() };
    /// assert_eq!(page[4095], 1);
    /// ```
    #[inline]
    pub unsafe fn assume_init(self) -> SlabBox<T> {
        let value = Self::into_raw(self);
        // SAFETY: from `into_raw` above, with a value by the caller's promise, of the same layout.
        unsafe { SlabBox::from_raw(value.cast()) }
    }
}
