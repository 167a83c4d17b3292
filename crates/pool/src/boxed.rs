//! A box that says no when there is no memory, where `Box::new` would abort.

use core::alloc::Layout;
use core::ptr::NonNull;

use thrifty_traits::{AllocError, AllocErrorKind, Rejected};

/// Boxes a value, or hands it back.
pub(crate) fn try_box<T>(value: T) -> Result<Box<T>, Rejected<T>> {
    let layout = Layout::new::<T>();
    let place: *mut T = if layout.size() == 0 {
        NonNull::dangling().as_ptr()
    } else {
        // SAFETY: the size is not zero.
        unsafe { std::alloc::alloc(layout) }.cast()
    };
    if place.is_null() {
        let error = AllocError::for_layout(AllocErrorKind::Backend, layout);
        return Err(Rejected::new(value, error));
    }
    // SAFETY: valid for writing: allocated above with the layout of `T`, or dangling for a type
    // of no size, which needs no more.
    unsafe { place.write(value) };
    // SAFETY: owned: allocated by the global allocator with the layout of `T`, as a box's memory
    // is, and initialised on the line above; nobody else has the pointer.
    Ok(unsafe { Box::from_raw(place) })
}
