//! Directories: growing arrays of pointers that readers index without a lock.
//!
//! An array that is full is copied into one of twice its size. It is kept until the interner is gone, since
//! readers may be in it: all old arrays together are no larger than the last.

use core::alloc::Layout;
use core::mem::size_of;
use core::ptr::{self, NonNull};

use thrifty_sync::{
    atomic::{AtomicPtr, Exclusive},
    ord,
};

use super::budget::Budget;
use crate::InternError;

/// Pointers by number. Entries are added by whoever holds the lock that guards the directory.
pub(crate) struct Directory<T> {
    array: AtomicPtr<Array<T>>,
}

/// What stands before an array's entries.
#[repr(C)]
struct Array<T> {
    entries: usize,
    /// The array before this one.
    older: *mut Self,
    first: [AtomicPtr<T>; 0],
}

impl<T> Directory<T> {
    pub(crate) fn new() -> Self {
        Self {
            array: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[inline]
    fn array(&self) -> *mut Array<T> {
        // ORDERING(interner.directory): Acquire; pairs with interner.new_directory, so that the entries that were
        // copied into the array are seen.
        self.array.load(ord!(interner.directory, Acquire))
    }

    /// The entry of a number, null if there is none.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> *mut T {
        let Some(array) = NonNull::new(self.array()) else {
            return ptr::null_mut();
        };
        // SAFETY: arrays are initialised before they are published and freed with the directory.
        if index >= unsafe { array.as_ref() }.entries {
            return ptr::null_mut();
        }
        // SAFETY: below the number of entries.
        unsafe { load(array, index) }
    }

    /// The entry of a number that was added before whatever told the caller of it.
    ///
    /// # Safety
    ///
    /// [`set`](Self::set) of this number happened before this call.
    #[inline]
    pub(crate) unsafe fn get_known(&self, index: usize) -> *mut T {
        let array = self.array();
        // What a model with a weakened ordering runs into.
        debug_assert!(
            !array.is_null(),
            "a record is read before its chunk is seen"
        );
        // SAFETY: there is an array, since a `set` happened before.
        let array = unsafe { NonNull::new_unchecked(array) };
        debug_assert!(
            // SAFETY: arrays are initialised before they are published.
            index < unsafe { array.as_ref() }.entries,
            "a record is read before its chunk is seen"
        );
        // SAFETY: it has this entry, since a `set` of it happened before.
        unsafe { load(array, index) }
    }

    /// Makes room for the entry of a number. Under the lock.
    pub(crate) fn ensure(
        &self,
        index: usize,
        first: usize,
        budget: &Budget,
    ) -> Result<(), InternError> {
        let old = NonNull::new(self.array());
        // SAFETY: as in `get`.
        let entries = old.map_or(0, |array| unsafe { array.as_ref() }.entries);
        if index < entries {
            return Ok(());
        }
        let wanted = (entries * 2).max(first).max(index + 1);
        let array = budget.allocate(layout::<T>(wanted))?.cast::<Array<T>>();
        let older = old.map_or(ptr::null_mut(), NonNull::as_ptr);
        let header = Array {
            entries: wanted,
            older,
            first: [],
        };
        // SAFETY: just allocated for this.
        unsafe { array.write(header) };
        for index in 0..wanted {
            let value = match old {
                // SAFETY: below the old array's number of entries.
                Some(old) if index < entries => unsafe { load(old, index) },
                _ => ptr::null_mut(),
            };
            // SAFETY: within the array's block.
            let place = unsafe { entry(array, index) };
            // SAFETY: valid for writes, just allocated.
            unsafe { place.write(AtomicPtr::new(value)) };
        }
        // ORDERING(interner.new_directory): Release; pairs with interner.directory.
        self.array
            .store(array.as_ptr(), ord!(interner.new_directory, Release));
        Ok(())
    }

    /// Sets the entry of a number that [`ensure`](Self::ensure) made room for. Under the lock.
    pub(crate) fn set(&self, index: usize, value: *mut T) {
        let array = NonNull::new(self.array()).expect("room was made");
        // SAFETY: room was made for it, under the same lock.
        let place = unsafe { entry(array, index) };
        // SAFETY: initialised by `ensure`; shared, an atomic.
        let place = unsafe { place.as_ref() };
        // ORDERING(interner.entry): Release; pairs with interner.see_entry, so that who finds a page by a number
        // that nobody has told it sees the page emptied.
        place.store(value, ord!(interner.entry, Release));
    }

    /// Frees the arrays that were replaced.
    pub(crate) fn forget_older(&mut self, budget: &Budget) {
        let Some(array) = NonNull::new(self.array.read_mut()) else {
            return;
        };
        // SAFETY: initialised, and nobody else reads the directory meanwhile.
        let mut next = unsafe { array.as_ref() }.older;
        // SAFETY: as above; nobody reads this field but for freeing.
        unsafe { (*array.as_ptr()).older = ptr::null_mut() };
        while let Some(array) = NonNull::new(next) {
            // SAFETY: initialised, and ours alone.
            let Array { entries, older, .. } = *unsafe { array.as_ref() };
            // SAFETY: allocated by `ensure` with this layout.
            unsafe { budget.free(array.cast(), layout::<T>(entries)) };
            next = older;
        }
    }

    /// Frees the arrays; what the entries point to is the caller's.
    pub(crate) fn destroy(&mut self, budget: &Budget) {
        let mut next = self.array.read_mut();
        self.array.write_mut(ptr::null_mut());
        while let Some(array) = NonNull::new(next) {
            // SAFETY: initialised, and ours alone.
            let Array { entries, older, .. } = *unsafe { array.as_ref() };
            // SAFETY: allocated by `ensure` with this layout.
            unsafe { budget.free(array.cast(), layout::<T>(entries)) };
            next = older;
        }
    }
}

/// # Safety
///
/// `array` is initialised or about to be, and has more than `index` entries.
#[inline]
unsafe fn entry<T>(array: NonNull<Array<T>>, index: usize) -> NonNull<AtomicPtr<T>> {
    // SAFETY: the entries begin behind the header, in the same block.
    let first = unsafe { array.add(1) }.cast::<AtomicPtr<T>>();
    // SAFETY: so many entries are in the block, says the caller.
    unsafe { first.add(index) }
}

/// # Safety
///
/// As for [`entry`], and the entry is initialised.
#[inline]
unsafe fn load<T>(array: NonNull<Array<T>>, index: usize) -> *mut T {
    // SAFETY: by the caller's promise.
    let place = unsafe { entry(array, index) };
    // SAFETY: initialised; shared, an atomic.
    let place = unsafe { place.as_ref() };
    // ORDERING(interner.see_entry): Acquire; pairs with interner.entry.
    place.load(ord!(interner.see_entry, Acquire))
}

fn layout<T>(entries: usize) -> Layout {
    let bytes = size_of::<Array<T>>() + entries * size_of::<AtomicPtr<T>>();
    Layout::from_size_align(bytes, align_of::<Array<T>>())
        .expect("2^32 symbols have no more than 2^23 pages")
}
