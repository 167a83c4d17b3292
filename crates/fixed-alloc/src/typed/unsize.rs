//! From a box of a value to a box of a trait object or a slice, without `unsafe` for the user.
//!
//! The compiler turns `&mut T` into `&mut dyn Trait` by itself; for types of ours it does not on
//! stable Rust. So the user's closure does it to a reference that it cannot replace by another:
//!
//! - The reference is to a [`Branded`], which has no constructor, with a lifetime `'id` that is new in
//!   each call. Whatever `&mut Branded<'id, U>` the closure returns was made of this reference;
//! - out of a `&mut Branded<'id, T>` safe code makes a `&mut Branded<'id, U>` by unsizing only, which
//!   keeps the address and takes the vtable or the length of `T`. There is no field to be had, and
//!   nothing to swap it with;
//! - `U` is chosen outside, so that no lifetime of the call can be in it.
//!
//! Pointers would not do: safe code casts `*mut Other` to `*mut dyn Trait` and gives it any address.

use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

use super::boxed::SlabBox;

/// Stands for the value of a box while [`SlabBox::unsize`] changes the box's type.
///
/// There is nothing to be done with it but to return it.
#[repr(transparent)]
pub struct Branded<'id, T: ?Sized> {
    id: PhantomData<fn(&'id ()) -> &'id ()>,
    value: T,
}

impl<T: ?Sized> SlabBox<T> {
    /// The same box as one of a trait object or a slice. [`unsize!`](crate::unsize) is shorter.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::fmt::Display;
    /// use thrifty_fixed_alloc::{Slab, SlabBox};
    ///
    /// let numbers = Slab::new();
    /// let shown = SlabBox::unsize::<dyn Display, _>(numbers.insert(7), |value| value);
    /// assert_eq!(shown.to_string(), "7");
    ///
    /// let slice = SlabBox::unsize::<[u8], _>(Slab::new().insert([1, 2, 3]), |value| value);
    /// assert_eq!(slice.len(), 3);
    /// ```
    ///
    /// Nothing else can be returned:
    ///
    /// ```compile_fail
    /// # use thrifty_fixed_alloc::{Slab, SlabBox};
    /// let boxed = Slab::new().insert([0_u64; 4]);
    /// let other = SlabBox::unsize::<[u64], _>(boxed, |_| Box::leak(Box::new([0_u64; 4])));
    /// ```
    #[inline]
    pub fn unsize<U, F>(boxed: Self, unsize: F) -> SlabBox<U>
    where
        U: ?Sized,
        F: for<'a, 'id> FnOnce(&'a mut Branded<'id, T>) -> &'a mut Branded<'id, U>,
    {
        let value = Self::as_ptr(&boxed).cast_mut() as *mut Branded<'_, T>;
        // SAFETY:
        // - valid: the value of a box, and a `Branded` is laid out as what is in it;
        // - exclusive: the box is ours, and not used before the reference is gone.
        let value = unsize(unsafe { &mut *value });
        let value = NonNull::from(value).as_ptr() as *mut U;
        // The box is not dropped, nor was it if the closure panicked.
        let _ = Self::into_raw(boxed);
        // SAFETY: of a reference.
        let value = unsafe { NonNull::new_unchecked(value) };
        // SAFETY: the value of the box above, which gave it up: see the head of this file. Unsized, it
        // has the layout that it had.
        unsafe { SlabBox::from_raw(value) }
    }
}

impl<T: ?Sized> fmt::Debug for Branded<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Branded").finish_non_exhaustive()
    }
}

/// Turns a [`SlabBox`] of a value into one of a trait object or a slice.
///
/// # Examples
///
/// ```
/// use std::error::Error;
/// use std::fmt;
/// use thrifty_fixed_alloc::{Slab, SlabBox, unsize};
///
/// let closures = Slab::new();
/// let add: SlabBox<dyn Fn(u32) -> u32 + Send> = unsize!(closures.insert(|n| n + 1) => dyn Fn(u32) -> u32 + Send);
/// assert_eq!(add(1), 2);
///
/// let errors: Slab<fmt::Error> = Slab::new();
/// let error = unsize!(errors.insert(fmt::Error) => dyn Error);
/// assert!(error.source().is_none());
/// ```
///
/// A `dyn FnOnce` can be made and dropped, but not called: to move a value of unknown size out of a box is
/// a thing that only `Box` can do. Have a `dyn FnMut` and an `Option` in it.
///
/// Only what the compiler would do with a `Box` compiles:
///
/// ```compile_fail
/// # use thrifty_fixed_alloc::{Slab, unsize};
/// let number = unsize!(Slab::new().insert(1_u64) => [u8; 8]);
/// ```
#[macro_export]
macro_rules! unsize {
    ($boxed:expr => $target:ty) => {
        $crate::SlabBox::unsize::<$target, _>($boxed, |value| value)
    };
}
