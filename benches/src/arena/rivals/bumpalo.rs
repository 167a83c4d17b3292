//! `bumpalo`, as it is by default, and with a least alignment of 8.

use bumpalo::{Bump, collections};

use super::{join_with, joined_len};
use crate::arena::region::{Block, Grow, InArena, Region, Told};

/// `Bump`.
pub(in crate::arena) type Bumpalo = Bump;

/// `Bump<8>`. The crate's collections take the other one only; `allocator-api2`'s stand in.
pub(in crate::arena) type BumpaloAligned = Bump<8>;

/// What both have in common.
macro_rules! common {
    () => {
        type Own<'a, T: 'a> = &'a mut T;
        type Text<'a> = &'a str;
        type List<'a, T: 'a> = &'a mut [T];
        type Hold<T> = InArena;
        type Alloc<'a> = &'a Self;

        #[inline]
        fn reset(&mut self) {
            Self::reset(self);
        }

        #[inline]
        fn value<'a, T: Copy + 'a>(&'a self, value: T) -> &'a mut T {
            self.alloc(value)
        }

        #[inline]
        fn block(&self) -> &mut Block {
            self.alloc_with(Block::uninit)
        }

        #[inline]
        fn text(&self, text: &str) -> &str {
            self.alloc_str(text)
        }

        #[inline]
        fn list<'a, T: Copy + 'a>(&'a self, items: &[T]) -> &'a mut [T] {
            self.alloc_slice_copy(items)
        }

        #[inline]
        fn allocator(&self) -> &Self {
            self
        }

        fn told(&mut self) -> Option<Told> {
            let chunks = self.iter_allocated_chunks();
            let sizes: Vec<usize> = chunks.map(<[_]>::len).collect();
            Some(Told {
                used_bytes: sizes.iter().sum(),
                chunks: sizes.len(),
            })
        }
    };
}

impl Region for Bumpalo {
    common!();
    type Growing<'a, T: 'a> = collections::Vec<'a, T>;

    fn new() -> Self {
        Self::new()
    }

    #[inline]
    fn join(&self, parts: &[&str], separator: &str) -> &str {
        let bytes = joined_len(parts, separator);
        let mut text = collections::String::with_capacity_in(bytes, self);
        join_with(parts, separator, |part| text.push_str(part));
        text.into_bump_str()
    }

    #[inline]
    fn grow<'a, T: 'a>(&'a self) -> collections::Vec<'a, T> {
        collections::Vec::new_in(self)
    }
}

impl<'a, T: 'a> Grow<T> for collections::Vec<'a, T> {
    type List = &'a mut [T];

    #[inline]
    fn push(&mut self, item: T) {
        Self::push(self, item);
    }

    #[inline]
    fn finish(self) -> &'a mut [T] {
        self.into_bump_slice_mut()
    }
}

impl Region for BumpaloAligned {
    common!();
    type Growing<'a, T: 'a> = allocator_api2::vec::Vec<T, &'a Self>;

    fn new() -> Self {
        Self::with_min_align()
    }

    #[inline]
    fn join(&self, parts: &[&str], separator: &str) -> &str {
        let bytes = joined_len(parts, separator);
        let mut text = allocator_api2::vec::Vec::with_capacity_in(bytes, self);
        join_with(parts, separator, |part| {
            text.extend_from_slice(part.as_bytes());
        });
        // SAFETY: texts, one after the other.
        unsafe { core::str::from_utf8_unchecked(text.leak()) }
    }

    #[inline]
    fn grow<'a, T: 'a>(&'a self) -> Self::Growing<'a, T> {
        allocator_api2::vec::Vec::new_in(self)
    }
}

impl<'a, T: 'a> Grow<T> for allocator_api2::vec::Vec<T, &'a BumpaloAligned> {
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
