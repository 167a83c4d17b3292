//! From a box of a value to a box of a trait object or a slice.
//!
//! The compiler coerces references to types of its own and of ours alike, but not boxes of ours. So a closure
//! coerces a reference for us, to a [`Coerced`] that stands for the value:
//!
//! - safe code cannot make a `Coerced`, and finds none with the same lifetime `'id` elsewhere, which is new in
//!   each call: what the closure returns comes from the reference that it was given;
//! - its fields are private, so that there is no way to a part of it. Only unsizing is left, which keeps the
//!   address and adds a vtable or a length that fit the value.
//!
//! Addresses are not compared: values of no size may share one and still have different owners.

use core::{fmt, marker::PhantomData, mem::ManuallyDrop, ptr::NonNull};

use crate::ArenaBox;

/// Stands for a box's value while [`ArenaBox::unsize`] changes the box's type; there is nothing in it to use.
#[repr(transparent)]
pub struct Coerced<'id, T: ?Sized> {
    brand: PhantomData<fn(&'id ()) -> &'id ()>,
    value: T,
}

impl<'a, T: ?Sized> ArenaBox<'a, T> {
    /// Makes a box of the unsized form of its value: `dyn Trait`, or a slice of an array.
    ///
    /// The closure is `|value| value`; the compiler finds the form by the type that is expected.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{Arena, ArenaBox};
    ///
    /// let arena = Arena::new();
    /// let call: ArenaBox<'_, dyn Fn(i32) -> i32> = ArenaBox::unsize(arena.alloc_box(|n| n + 1), |f| f);
    /// assert_eq!(call(1), 2);
    /// ```
    ///
    /// The closure can return nothing else:
    ///
    /// ```compile_fail
    /// # use thrifty_arena::{Arena, ArenaBox};
    /// let arena = Arena::new();
    /// let other: ArenaBox<'_, [u8]> = ArenaBox::unsize(arena.alloc_box([1_u8]), |_| Box::leak(Box::new([2_u8])));
    /// ```
    #[inline]
    pub fn unsize<U: ?Sized>(
        boxed: Self,
        form: for<'x, 'id> fn(&'x mut Coerced<'id, T>) -> &'x mut Coerced<'id, U>,
    ) -> ArenaBox<'a, U> {
        let value = boxed.as_non_null().as_ptr() as *mut Coerced<'_, T>;
        // SAFETY:
        // - valid: a box's value, and a `Coerced` is laid out as its only field that has a size;
        // - exclusive: the box is ours, and is not used while the reference is.
        let value = form(unsafe { &mut *value });
        let value: *mut Coerced<'_, U> = value;
        // SAFETY: from a reference.
        let value = unsafe { NonNull::new_unchecked(value as *mut U) };
        let _given_up = ManuallyDrop::new(boxed);
        // SAFETY: the value of the box that was given up, by what the head of this file says.
        unsafe { ArenaBox::from_raw_owned(value) }
    }
}

impl<T: ?Sized> fmt::Debug for Coerced<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coerced").finish_non_exhaustive()
    }
}
