//! Values made of other values: tuples, arrays, options, transparent wrappers.

use core::cmp::Reverse;
use core::num::{Saturating, Wrapping};

use super::Reset;

/// Drops what is inside: `None` is the only state that is "as new" for every option.
///
/// To keep an inner buffer across resets, store the buffer without the option.
impl<T> Reset for Option<T> {
    #[inline]
    fn reset(&mut self) {
        *self = None;
    }
}

/// Resets each element; the length stays.
///
/// After a panic in one element's reset, the elements before it are reset, those after it are
/// not.
impl<T: Reset> Reset for [T] {
    #[inline]
    fn reset(&mut self) {
        for element in self {
            element.reset();
        }
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.iter().fold(0, |sum, element| {
            sum.saturating_add(element.retained_bytes())
        })
    }
}

/// Resets each element, like the implementation for slices.
impl<T: Reset, const N: usize> Reset for [T; N] {
    #[inline]
    fn reset(&mut self) {
        self.as_mut_slice().reset();
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.as_slice().retained_bytes()
    }
}

macro_rules! reset_inner {
    ($($wrapper:ident),+) => {$(
        impl<T: Reset> Reset for $wrapper<T> {
            #[inline]
            fn reset(&mut self) {
                self.0.reset();
            }

            #[inline]
            fn retained_bytes(&self) -> usize {
                self.0.retained_bytes()
            }
        }
    )+};
}

reset_inner!(Reverse, Saturating, Wrapping);

macro_rules! reset_tuple {
    ($($ty:ident $index:tt),+) => {
        impl<$($ty: Reset),+> Reset for ($($ty,)+) {
            #[inline]
            fn reset(&mut self) {
                $(self.$index.reset();)+
            }

            #[inline]
            fn retained_bytes(&self) -> usize {
                0_usize$(.saturating_add(self.$index.retained_bytes()))+
            }
        }
    };
}

reset_tuple!(A 0);
reset_tuple!(A 0, B 1);
reset_tuple!(A 0, B 1, C 2);
reset_tuple!(A 0, B 1, C 2, D 3);
reset_tuple!(A 0, B 1, C 2, D 3, E 4);
reset_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
reset_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
reset_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
reset_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
reset_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
reset_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
reset_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
