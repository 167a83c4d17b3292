//! `multitude`. Its owning handles are given up for references.

use multitude::{Alloc, Arena, vec};

use super::{join_with, joined_len};
use crate::arena::region::{Block, Grow, InArena, Region};

/// `Arena`.
pub(in crate::arena) type Multitude = Arena;

impl Region for Multitude {
    type Own<'a, T: 'a> = &'a mut T;
    type Text<'a> = &'a mut str;
    type List<'a, T: 'a> = &'a mut [T];
    type Growing<'a, T: 'a> = vec::Vec<'a, T>;
    type Hold<T> = InArena;
    type Alloc<'a> = &'a Self;

    fn new() -> Self {
        Self::new()
    }

    #[inline]
    fn reset(&mut self) {
        Self::reset(self);
    }

    #[inline]
    fn value<'a, T: Copy + 'a>(&'a self, value: T) -> &'a mut T {
        Alloc::leak(self.alloc(value))
    }

    #[inline]
    fn block(&self) -> &mut Block {
        Alloc::leak(self.alloc_uninit::<[u64; 512]>())
    }

    #[inline]
    fn text(&self, text: &str) -> &mut str {
        Alloc::leak(self.alloc_str(text))
    }

    #[inline]
    fn list<'a, T: Copy + 'a>(&'a self, items: &[T]) -> &'a mut [T] {
        Alloc::leak(self.alloc_slice_copy(items))
    }

    #[inline]
    fn join(&self, parts: &[&str], separator: &str) -> &mut str {
        let bytes = joined_len(parts, separator);
        let mut text = self.alloc_string_with_capacity(bytes);
        join_with(parts, separator, |part| text.push_str(part));
        text.leak()
    }

    #[inline]
    fn grow<'a, T: 'a>(&'a self) -> vec::Vec<'a, T> {
        self.alloc_vec()
    }

    #[inline]
    fn allocator(&self) -> &Self {
        self
    }
}

impl<'a, T: 'a> Grow<T> for vec::Vec<'a, T> {
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
