//! A box that says no when there is no memory, where `Box::new` would abort.

use core::alloc::Layout;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use thrifty_traits::{AllocError, AllocErrorKind, Rejected};

/// Boxes a value, or hands it back.
pub(crate) fn try_box<T>(value: T) -> Result<Box<T>, Rejected<T>> {
    match Place::try_new() {
        Ok(place) => Ok(place.fill(value)),
        Err(error) => Err(Rejected::new(value, error)),
    }
}

/// Boxes a value that is made where there is memory for it.
pub(crate) fn try_box_with<T>(make: impl FnOnce() -> T) -> Result<Box<T>, AllocError> {
    let place = Place::try_new()?;
    Ok(place.fill(make()))
}

/// Memory for a value that is yet to be made, as a box would have it.
struct Place<T>(NonNull<T>);

impl<T> Place<T> {
    fn try_new() -> Result<Self, AllocError> {
        let layout = Layout::new::<T>();
        if layout.size() == 0 {
            return Ok(Self(NonNull::dangling()));
        }
        // SAFETY: the size is not zero.
        let place = unsafe { std::alloc::alloc(layout) }.cast();
        NonNull::new(place)
            .map(Self)
            .ok_or_else(|| AllocError::for_layout(AllocErrorKind::Backend, layout))
    }

    fn fill(self, value: T) -> Box<T> {
        let place = ManuallyDrop::new(self).0;
        // SAFETY: valid for writing: allocated with the layout of `T`, or dangling for a type of no
        // size, which needs no more.
        unsafe { place.write(value) };
        // SAFETY: owned: allocated by the global allocator with the layout of `T`, as a box's
        // memory is, and initialised on the line above; nobody else has the pointer.
        unsafe { Box::from_raw(place.as_ptr()) }
    }
}

/// The value was not made.
impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        let layout = Layout::new::<T>();
        if layout.size() > 0 {
            // SAFETY: from `alloc` with this layout, and given up by nobody.
            unsafe { std::alloc::dealloc(self.0.as_ptr().cast(), layout) };
        }
    }
}
