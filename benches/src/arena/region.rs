//! What a row asks of an arena, and of std, which has none.
//!
//! Everything is compiled for each side; nothing is called through a pointer. A side gives out what its
//! crate gives out: references for arenas, `Box`, `String` and `Vec` for std, which has to hold
//! them ([`Hold`]) as long as an arena would.

use core::{
    mem::MaybeUninit,
    ops::{Deref, DerefMut},
};

use allocator_api2::alloc::Allocator;

/// Memory that is given back all at once.
pub(super) trait Region: Sized + 'static {
    /// A value.
    type Own<'a, T: 'a>: DerefMut<Target = T>;
    /// A text.
    type Text<'a>: Deref<Target = str>;
    /// A slice.
    type List<'a, T: 'a>: Deref<Target = [T]>;
    /// A vector that becomes a slice.
    type Growing<'a, T: 'a>: Grow<T, List = Self::List<'a, T>>;
    /// What keeps values until the end of an iteration.
    type Hold<T>: Hold<T>;
    /// What collections of `hashbrown` allocate with.
    type Alloc<'a>: Allocator + Clone;

    /// With the crate's best settings. Holds nothing yet, or little.
    fn new() -> Self;

    /// Gives everything back, to be used again.
    fn reset(&mut self);

    fn value<'a, T: Copy + 'a>(&'a self, value: T) -> Self::Own<'a, T>;

    /// A block whose bytes nobody writes.
    fn block(&self) -> Self::Own<'_, Block>;

    fn text(&self, text: &str) -> Self::Text<'_>;

    fn list<'a, T: Copy + 'a>(&'a self, items: &[T]) -> Self::List<'a, T>;

    fn join(&self, parts: &[&str], separator: &str) -> Self::Text<'_>;

    fn grow<'a, T: 'a>(&'a self) -> Self::Growing<'a, T>;

    fn allocator(&self) -> Self::Alloc<'_>;

    /// What the crate says that it has handed out, in how many chunks.
    fn told(&mut self) -> Option<Told> {
        None
    }
}

/// Four kilobytes.
pub(super) type Block = MaybeUninit<[u64; 512]>;

/// A region with scopes.
pub(super) trait Scoped: Region {
    /// Enters a scope, allocates a number and a text, gives their sum, leaves.
    fn scoped(&mut self, number: u64, text: &str) -> u64;
}

/// A vector in a region.
pub(super) trait Grow<T> {
    type List;

    fn push(&mut self, item: T);

    fn finish(self) -> Self::List;
}

/// Keeps values.
pub(super) trait Hold<T> {
    fn with_capacity(count: usize) -> Self;

    fn keep(&mut self, value: T);
}

/// The arena keeps them.
pub(super) struct InArena;

impl<T> Hold<T> for InArena {
    #[inline]
    fn with_capacity(_count: usize) -> Self {
        Self
    }

    #[inline]
    fn keep(&mut self, _value: T) {}
}

impl<T> Hold<T> for Vec<T> {
    #[inline]
    fn with_capacity(count: usize) -> Self {
        Self::with_capacity(count)
    }

    #[inline]
    fn keep(&mut self, value: T) {
        self.push(value);
    }
}

/// A crate's own figures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// With padding.
    pub(super) used_bytes: usize,
    pub(super) chunks: usize,
}

/// A number and a text as the scope rows add them up, where the compiler cannot see them.
#[inline]
pub(super) fn sum(number: &u64, text: &str) -> u64 {
    let (number, text) = core::hint::black_box((number, text));
    number.wrapping_add(text.len() as u64)
}
