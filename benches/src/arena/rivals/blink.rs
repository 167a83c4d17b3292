//! `blink-alloc`. It has no vector of its own; that of the version of `allocator-api2` that it speaks
//! stands in.

use core::{alloc::Layout, ptr::NonNull};

use allocator_api2::alloc::{AllocError, Allocator};
use allocator_api2_04::vec;
use blink_alloc::BlinkAlloc;

use super::{join_with, joined_len};
use crate::arena::region::{Block, Grow, InArena, Region};

/// `Blink`.
pub(in crate::arena) type Blink = blink_alloc::Blink;

impl Region for Blink {
    type Own<'a, T: 'a> = &'a mut T;
    type Text<'a> = &'a str;
    type List<'a, T: 'a> = &'a mut [T];
    type Growing<'a, T: 'a> = vec::Vec<T, &'a BlinkAlloc>;
    type Hold<T> = InArena;
    type Alloc<'a> = Adapted<'a>;

    fn new() -> Self {
        Self::new()
    }

    #[inline]
    fn reset(&mut self) {
        Self::reset(self);
    }

    #[inline]
    fn value<'a, T: Copy + 'a>(&'a self, value: T) -> &'a mut T {
        self.put_no_drop(value)
    }

    #[inline]
    fn block(&self) -> &mut Block {
        self.uninit()
    }

    #[inline]
    fn text(&self, text: &str) -> &str {
        self.copy_str(text)
    }

    #[inline]
    fn list<'a, T: Copy + 'a>(&'a self, items: &[T]) -> &'a mut [T] {
        self.copy_slice(items)
    }

    #[inline]
    fn join(&self, parts: &[&str], separator: &str) -> &str {
        let bytes = joined_len(parts, separator);
        let mut text = vec::Vec::with_capacity_in(bytes, Self::allocator(self));
        join_with(parts, separator, |part| {
            text.extend_from_slice(part.as_bytes());
        });
        // SAFETY: texts, one after the other.
        unsafe { core::str::from_utf8_unchecked(text.leak()) }
    }

    #[inline]
    fn grow<'a, T: 'a>(&'a self) -> Self::Growing<'a, T> {
        vec::Vec::new_in(Self::allocator(self))
    }

    #[inline]
    fn allocator(&self) -> Adapted<'_> {
        Adapted(Self::allocator(self))
    }
}

impl<'a, T: 'a> Grow<T> for vec::Vec<T, &'a BlinkAlloc> {
    type List = &'a mut [T];

    #[inline]
    fn push(&mut self, item: T) {
        Self::push(self, item);
    }

    #[inline]
    fn finish(self) -> &'a mut [T] {
        self.leak()
    }
}

/// The arena for `hashbrown`, which speaks another version of `allocator-api2`.
#[derive(Clone, Copy)]
pub(in crate::arena) struct Adapted<'a>(&'a BlinkAlloc);

// SAFETY: passes the calls on to the arena, which is borrowed and so is not reset; copies of it are
// the same allocator.
unsafe impl Allocator for Adapted<'_> {
    #[inline]
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.0.allocate(layout).map_err(|_| AllocError)
    }

    #[inline]
    unsafe fn deallocate(&self, start: NonNull<u8>, layout: Layout) {
        use allocator_api2_04::alloc::Allocator as _;
        // SAFETY: the caller's contract is the same.
        unsafe { (&self.0).deallocate(start, layout) }
    }
}
