//! Directories: growing arrays of pointers that readers index without a lock.
//!
//! An array that is full is copied into one of twice its size. It is kept until the interner is gone, since
//! readers may be in it: all old arrays together are no larger than the last.

use core::alloc::Layout;
use core::mem::size_of;
use core::ptr::{self, NonNull};

use thrifty_sync::{
    atomic::{AtomicPtr, AtomicUsize},
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
    /// One more than the last number that has an entry.
    filled: AtomicUsize,
    /// How many there is room for.
    entries: usize,
    /// The array before this one.
    older: Option<NonNull<Self>>,
    first: [AtomicPtr<T>; 0],
}

impl<T> Directory<T> {
    /// A directory with room for so many pointers, of which there are none. There is an array from the start, so that
    /// readers need not look whether there is.
    pub(crate) fn new(entries: usize, budget: &Budget) -> Result<Self, InternError> {
        let array = create(entries, None, budget)?;
        Ok(Self {
            array: AtomicPtr::new(array.as_ptr()),
        })
    }

    #[inline]
    fn array(&self) -> NonNull<Array<T>> {
        // ORDERING(interner.directory): Acquire; pairs with interner.new_directory, so that the entries that were
        // copied into the array are seen.
        let array = self.array.load(ord!(interner.directory, Acquire));
        // SAFETY: there is one from the start until `destroy`, after which the directory is not used.
        unsafe { NonNull::new_unchecked(array) }
    }

    /// The entry of a number, null if there is none.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> *mut T {
        let array = self.array();
        // SAFETY: arrays are initialised before they are published and freed with the directory.
        if index >= filled(unsafe { array.as_ref() }) {
            return ptr::null_mut();
        }
        // SAFETY: what is filled is below the number of entries.
        unsafe { load(array, index) }
    }

    /// The entry of a number, where entries are added in the order of the numbers and taken out from the end.
    ///
    /// # Safety
    ///
    /// Every entry up to the last one that was ever [`set`](Self::set) since [`truncate`](Self::truncate) was set to
    /// something that is not null.
    #[inline]
    pub(crate) unsafe fn get_in_order(&self, index: usize) -> Option<NonNull<T>> {
        let array = self.array();
        // SAFETY: as in `get`.
        if index >= filled(unsafe { array.as_ref() }) {
            return None;
        }
        // SAFETY: as in `get`.
        let entry = unsafe { load(array, index) };
        // What a model with a weakened ordering runs into.
        debug_assert!(!entry.is_null(), "an entry is counted before it is seen");
        // SAFETY: all that is filled is not null, says the caller, and was seen to be filled with Acquire.
        Some(unsafe { NonNull::new_unchecked(entry) })
    }

    /// The entry of a number that was added before whatever told the caller of it.
    ///
    /// # Safety
    ///
    /// [`set`](Self::set) of this number happened before this call.
    #[inline]
    pub(crate) unsafe fn get_known(&self, index: usize) -> *mut T {
        let array = self.array();
        debug_assert!(
            // SAFETY: arrays are initialised before they are published.
            index < unsafe { array.as_ref() }.entries,
            "a record is read before its chunk is seen"
        );
        // SAFETY: it has this entry, since a `set` of it happened before.
        unsafe { load(array, index) }
    }

    /// Makes room for the entry of a number. Under the lock.
    pub(crate) fn ensure(&self, index: usize, budget: &Budget) -> Result<(), InternError> {
        let old = self.array();
        // SAFETY: as in `get`.
        let entries = unsafe { old.as_ref() }.entries;
        if index < entries {
            return Ok(());
        }
        let array = create((entries * 2).max(index + 1), Some(old), budget)?;
        // ORDERING(interner.new_directory): Release; pairs with interner.directory.
        self.array
            .store(array.as_ptr(), ord!(interner.new_directory, Release));
        Ok(())
    }

    /// Sets the entry of a number that [`ensure`](Self::ensure) made room for. Under the lock.
    pub(crate) fn set(&self, index: usize, value: *mut T) {
        let array = self.array();
        // SAFETY: room was made for it, under the same lock.
        let place = unsafe { entry(array, index) };
        // SAFETY: initialised with the array; shared, an atomic.
        let place = unsafe { place.as_ref() };
        // ORDERING(interner.entry): Relaxed; who reads it has seen that it is filled, or a record that was written
        // after it.
        place.store(value, ord!(interner.entry, Relaxed));
        // SAFETY: as in `get`.
        let header = unsafe { array.as_ref() };
        if filled(header) <= index {
            // ORDERING(interner.filled): Release; pairs with interner.see_filled, so that who finds a page by a
            // number that nobody has told it sees the entry, and the page emptied.
            header
                .filled
                .store(index + 1, ord!(interner.filled, Release));
        }
    }

    /// Forgets the entries from a number on.
    pub(crate) fn truncate(&mut self, entries: usize) {
        let array = self.array();
        // SAFETY: as in `get`; shared, atomics.
        let header = unsafe { array.as_ref() };
        for index in entries..filled(header) {
            self.set(index, ptr::null_mut());
        }
        if filled(header) > entries {
            // ORDERING(interner.truncate): Relaxed; whoever has the interner exclusively was told so by all who used it.
            header
                .filled
                .store(entries, ord!(interner.truncate, Relaxed));
        }
    }

    /// Frees the arrays that were replaced.
    pub(crate) fn forget_older(&mut self, budget: &Budget) {
        let array = self.array();
        // SAFETY: initialised; nobody else reads the directory meanwhile, and nobody reads this field but for freeing.
        let older = unsafe { &mut (*array.as_ptr()).older }.take();
        // SAFETY: replaced, and nobody reads them meanwhile.
        unsafe { destroy_all(older, budget) };
    }

    /// Frees the arrays; what the entries point to is the caller's.
    ///
    /// # Safety
    ///
    /// The directory is not used any more.
    pub(crate) unsafe fn destroy(&mut self, budget: &Budget) {
        // SAFETY: nobody reads them any more, says the caller.
        unsafe { destroy_all(Some(self.array()), budget) };
    }
}

/// An array that begins as the older one, if there is one.
fn create<T>(
    entries: usize,
    older: Option<NonNull<Array<T>>>,
    budget: &Budget,
) -> Result<NonNull<Array<T>>, InternError> {
    let array = budget.allocate(layout::<T>(entries))?.cast::<Array<T>>();
    // SAFETY: initialised.
    let known = older.map_or(0, |older| filled(unsafe { older.as_ref() }));
    let header = Array {
        filled: AtomicUsize::new(known),
        entries,
        older,
        first: [],
    };
    // SAFETY: just allocated for this.
    unsafe { array.write(header) };
    for index in 0..entries {
        let value = match older {
            // SAFETY: below what is filled, and so below the older array's number of entries.
            Some(older) if index < known => unsafe { load(older, index) },
            _ => ptr::null_mut(),
        };
        // SAFETY: within the array's block.
        let place = unsafe { entry(array, index) };
        // SAFETY: valid for writes, just allocated.
        unsafe { place.write(AtomicPtr::new(value)) };
    }
    Ok(array)
}

/// Frees an array and those before it.
///
/// # Safety
///
/// They are from [`create`] with this budget, and nobody reads them any more.
unsafe fn destroy_all<T>(mut next: Option<NonNull<Array<T>>>, budget: &Budget) {
    while let Some(array) = next {
        // SAFETY: initialised, and nobody else's.
        let Array { entries, older, .. } = *unsafe { array.as_ref() };
        // SAFETY: allocated by `create` with this layout.
        unsafe { budget.free(array.cast(), layout::<T>(entries)) };
        next = older;
    }
}

/// How many entries of an array are filled.
#[inline]
fn filled<T>(array: &Array<T>) -> usize {
    // ORDERING(interner.see_filled): Acquire; pairs with interner.filled.
    array.filled.load(ord!(interner.see_filled, Acquire))
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
    // ORDERING(interner.see_entry): Relaxed; see interner.entry.
    place.load(ord!(interner.see_entry, Relaxed))
}

fn layout<T>(entries: usize) -> Layout {
    let bytes = size_of::<Array<T>>() + entries * size_of::<AtomicPtr<T>>();
    Layout::from_size_align(bytes, align_of::<Array<T>>())
        .expect("2^32 symbols have no more than 2^23 pages")
}
