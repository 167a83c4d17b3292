//! What a loop that only puts in and takes out needs to know of its subject: blocks, boxes and keys
//! look alike to it.

use core::{mem::MaybeUninit, ptr::NonNull};

use thrifty_fixed_alloc::{Slab, SlabBox};

use super::blocks::{Blocks, LAYOUT};

/// What threads share.
pub(super) trait Shop: Sync + 'static {
    /// One value that was put in; not `Copy`, so that it is taken out once.
    type Item: 'static;

    /// What a thread works with.
    type Store<'a>: Store<Item = Self::Item>;

    /// That of the calling thread.
    fn store(&self) -> Self::Store<'_>;
}

/// Keeps values of 64 bytes.
pub(super) trait Store {
    /// As [`Shop::Item`].
    type Item;

    /// Puts in a value that has this number.
    fn put(&mut self, number: u64) -> Self::Item;

    /// Takes it out; gives its number.
    ///
    /// # Safety
    ///
    /// The item came from a store of the same shop, and of this thread's if the shop says so.
    unsafe fn take(&mut self, item: Self::Item) -> u64;
}

/// A value: a number, and room up to 64 bytes that nobody writes.
pub(super) struct Cell {
    number: u64,
    _rest: MaybeUninit<[u64; 7]>,
}

const _: () = assert!(size_of::<Cell>() == LAYOUT.size() && align_of::<Cell>() == LAYOUT.align());

impl Cell {
    #[inline]
    pub(super) const fn new(number: u64) -> Self {
        Self {
            number,
            _rest: MaybeUninit::uninit(),
        }
    }

    #[inline]
    pub(super) const fn number(&self) -> u64 {
        self.number
    }
}

/// Raw blocks, taken and freed on any thread.
pub(super) struct Raw<B>(pub(super) B);

/// A block with a [`Cell`] in it; [`Raw`] alone makes them.
pub(super) struct Place(NonNull<Cell>);

// SAFETY: the block is this value's alone, and an allocator of blocks frees on any thread what it
// lent on another.
unsafe impl Send for Place {}

impl<B: Blocks> Shop for Raw<B> {
    type Item = Place;
    type Store<'a> = &'a B;

    fn store(&self) -> &B {
        &self.0
    }
}

impl<B: Blocks> Store for &B {
    type Item = Place;

    #[inline]
    fn put(&mut self, number: u64) -> Place {
        let place = self.alloc().cast::<Cell>();
        // SAFETY: a block has a cell's layout and is this place's alone.
        unsafe { place.write(Cell::new(number)) };
        Place(place)
    }

    #[inline]
    unsafe fn take(&mut self, item: Place) -> u64 {
        // SAFETY: `put` wrote a cell there, and nobody has taken the item yet.
        let number = unsafe { item.0.as_ref() }.number();
        // SAFETY: it came from this allocator (the caller's promise), and the item is used up.
        unsafe { self.free(item.0.cast()) };
        number
    }
}

/// Our boxes.
pub(super) struct SlabBoxes(Slab<Cell>);

impl SlabBoxes {
    pub(super) fn new() -> Self {
        Self(Slab::new())
    }
}

impl Shop for SlabBoxes {
    type Item = SlabBox<Cell>;
    type Store<'a> = &'a Slab<Cell>;

    fn store(&self) -> &Slab<Cell> {
        &self.0
    }
}

impl Store for &Slab<Cell> {
    type Item = SlabBox<Cell>;

    #[inline]
    fn put(&mut self, number: u64) -> SlabBox<Cell> {
        self.insert(Cell::new(number))
    }

    #[inline]
    unsafe fn take(&mut self, item: SlabBox<Cell>) -> u64 {
        item.number()
    }
}

/// Boxes of std.
pub(super) struct Boxes;

impl Shop for Boxes {
    type Item = Box<Cell>;
    type Store<'a> = &'a Self;

    fn store(&self) -> &Self {
        self
    }
}

impl Store for &Boxes {
    type Item = Box<Cell>;

    #[inline]
    fn put(&mut self, number: u64) -> Box<Cell> {
        Box::new(Cell::new(number))
    }

    #[inline]
    unsafe fn take(&mut self, item: Box<Cell>) -> u64 {
        item.number()
    }
}
