//! Boxes of anything.

use core::any::Any;

use super::boxed::SlabBox;

macro_rules! downcasts {
    ($($any:ty;)+) => {$(
        impl SlabBox<$any> {
            /// The box as one of a `T`, if its value is one.
            ///
            /// # Errors
            ///
            /// Gives the box back if it is not.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::any::Any;
            /// use thrifty_fixed_alloc::{Slab, SlabBox, unsize};
            ///
            #[doc = concat!("let any = unsize!(Slab::new().insert(1_u8) => ", stringify!($any), ");")]
            /// let any = any.downcast::<u16>().expect_err("it is an `u8`");
            /// assert_eq!(*any.downcast::<u8>().expect("it is"), 1);
            /// ```
            pub fn downcast<T: Any>(self) -> Result<SlabBox<T>, Self> {
                if !self.is::<T>() {
                    return Err(self);
                }
                let value = Self::into_raw(self);
                // SAFETY: from `into_raw` above. It is a `T`, and so has the layout of one.
                Ok(unsafe { SlabBox::from_raw(value.cast()) })
            }
        }
    )+};
}

downcasts! {
    dyn Any;
    dyn Any + Send;
    dyn Any + Send + Sync;
}
