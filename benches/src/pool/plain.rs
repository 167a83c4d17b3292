//! What a program does without a pool crate: a vector behind a lock, or an allocation each time.

use core::{
    alloc::{GlobalAlloc, Layout},
    ops::{Deref, DerefMut},
    ptr::NonNull,
};
use std::{
    alloc::handle_alloc_error,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::keep::{Held, Keep, Own, ROOM, fresh};

/// How many things were made; the closures that make them count, which costs nothing where
/// nothing is made.
#[derive(Default)]
pub(super) struct Made(AtomicU64);

impl Made {
    pub(super) fn one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// `Mutex<Vec<Vec<u8>>>`. Its guard borrows.
pub(super) struct MutexVec {
    idle: Mutex<Vec<Vec<u8>>>,
    made: Made,
}

pub(super) struct MutexVecGuard<'a> {
    vec: Vec<u8>,
    home: &'a MutexVec,
}

impl MutexVec {
    pub(super) fn new(live: usize) -> Self {
        Self {
            idle: Mutex::new((0..live).map(|_| fresh()).collect()),
            made: Made::default(),
        }
    }
}

impl Keep for MutexVec {
    type Guard<'a> = MutexVecGuard<'a>;

    #[inline]
    fn get(&self) -> MutexVecGuard<'_> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let vec = idle.unwrap_or_else(|| {
            self.made.one();
            fresh()
        });
        MutexVecGuard { vec, home: self }
    }

    fn created(&self) -> Option<u64> {
        Some(self.made.count())
    }
}

impl Deref for MutexVecGuard<'_> {
    type Target = Vec<u8>;

    #[inline]
    fn deref(&self) -> &Vec<u8> {
        &self.vec
    }
}

impl DerefMut for MutexVecGuard<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.vec
    }
}

impl Drop for MutexVecGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        let mut vec = core::mem::take(&mut self.vec);
        vec.clear();
        let mut idle = self
            .home
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        idle.push(vec);
    }
}

/// An allocator as a value: a block of [`ROOM`] bytes is allocated, and freed. Its guard owns.
pub(super) struct Heap<A: 'static>(pub(super) &'static A);

/// A block of its own, and who frees it.
pub(super) struct Block<A: GlobalAlloc + 'static> {
    place: Place,
    allocator: &'static A,
}

/// A block that holds a number in its first bytes; [`Heap::own`] alone makes them.
pub(super) struct Place(NonNull<u64>);

// SAFETY: the block is this value's alone, no thread but the one that has the value knows of it, and
// a `GlobalAlloc` frees on any thread what it allocated on another.
unsafe impl Send for Place {}

const LAYOUT: Layout = match Layout::from_size_align(ROOM, 8) {
    Ok(layout) => layout,
    Err(_) => panic!("some bytes are a layout"),
};

impl<A: GlobalAlloc + Sync> Own for Heap<A> {
    type Item = Block<A>;

    #[inline]
    fn own(&self) -> Block<A> {
        // SAFETY: the layout's size is not zero.
        let start = unsafe { self.0.alloc(LAYOUT) };
        let Some(start) = NonNull::new(start) else {
            handle_alloc_error(LAYOUT);
        };
        let mut place = Place(start.cast());
        // What emptying a vector is.
        place.mark(0);
        Block {
            place,
            allocator: self.0,
        }
    }
}

impl Held for Place {
    #[inline]
    fn mark(&mut self, number: u64) {
        // SAFETY: the block has room for a number, is aligned for it, and is this value's alone.
        unsafe { self.0.write(number) };
    }

    #[inline]
    fn marked(&self) -> u64 {
        // SAFETY: valid as in `mark`, which `own` has called.
        unsafe { self.0.read() }
    }
}

impl<A: GlobalAlloc> Deref for Block<A> {
    type Target = Place;

    #[inline]
    fn deref(&self) -> &Place {
        &self.place
    }
}

impl<A: GlobalAlloc> DerefMut for Block<A> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Place {
        &mut self.place
    }
}

impl<A: GlobalAlloc> Drop for Block<A> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the block came from this allocator with this layout, and is freed once.
        unsafe { self.allocator.dealloc(self.place.0.as_ptr().cast(), LAYOUT) };
    }
}
