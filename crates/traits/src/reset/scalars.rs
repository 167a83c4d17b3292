//! Values without a heap: numbers, characters, markers.

use core::marker::PhantomData;
use core::time::Duration;

use super::Reset;

macro_rules! reset_to {
    ($($value:expr => $($ty:ty),+;)+) => {$($(
        impl Reset for $ty {
            #[inline]
            fn reset(&mut self) {
                *self = $value;
            }
        }
    )+)+};
}

reset_to! {
    0 => u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize;
    0.0 => f32, f64;
    false => bool;
    '\0' => char;
    () => ();
    Self::ZERO => Duration;
}

impl<T: ?Sized> Reset for PhantomData<T> {
    #[inline]
    fn reset(&mut self) {}
}
