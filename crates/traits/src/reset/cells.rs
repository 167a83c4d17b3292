//! Interior mutability without locks. `&mut self` proves that nobody else looks at the
//! contents.

use core::cell::{Cell, OnceCell, RefCell};

use super::Reset;

/// Resets the value inside.
///
/// `T: Copy`, because what a cell of any other type retains cannot be read through `&self`, and
/// a wrong `0` would let it past a byte budget. A `Copy` value owns no heap.
impl<T: Reset + Copy> Reset for Cell<T> {
    #[inline]
    fn reset(&mut self) {
        self.get_mut().reset();
    }
}

/// Resets the value inside.
///
/// A guard that was leaked (`mem::forget`) still counts as a borrow afterwards: the standard
/// library has no stable way to undo it. While the value is mutably borrowed, `retained_bytes`
/// answers 0.
impl<T: Reset + ?Sized> Reset for RefCell<T> {
    #[inline]
    fn reset(&mut self) {
        self.get_mut().reset();
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.try_borrow().map_or(0, |value| value.retained_bytes())
    }
}

/// Empties the cell; the next user initialises it anew.
impl<T> Reset for OnceCell<T> {
    #[inline]
    fn reset(&mut self) {
        drop(self.take());
    }
}
