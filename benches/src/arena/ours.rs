//! Our arena as a region, with its default settings.

use thrifty_arena::{Arena, ArenaVec};

use super::region::{Block, Grow, InArena, Region, Scoped, Told, sum};

impl Region for Arena {
    type Own<'a, T: 'a> = &'a mut T;
    type Text<'a> = &'a mut str;
    type List<'a, T: 'a> = &'a mut [T];
    type Growing<'a, T: 'a> = ArenaVec<'a, T>;
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
        self.alloc(value)
    }

    #[inline]
    fn block(&self) -> &mut Block {
        self.alloc_uninit()
    }

    #[inline]
    fn text(&self, text: &str) -> &mut str {
        self.alloc_str(text)
    }

    #[inline]
    fn list<'a, T: Copy + 'a>(&'a self, items: &[T]) -> &'a mut [T] {
        self.alloc_slice_copy(items)
    }

    #[inline]
    fn join(&self, parts: &[&str], separator: &str) -> &mut str {
        self.alloc_join(parts, separator)
    }

    #[inline]
    fn grow<'a, T: 'a>(&'a self) -> ArenaVec<'a, T> {
        ArenaVec::new_in(self)
    }

    #[inline]
    fn allocator(&self) -> &Self {
        self
    }

    fn told(&mut self) -> Option<Told> {
        let stats = self.stats();
        Some(Told {
            used_bytes: stats.used_bytes,
            chunks: stats.chunks,
        })
    }
}

impl<'a, T: 'a> Grow<T> for ArenaVec<'a, T> {
    type List = &'a mut [T];

    #[inline]
    fn push(&mut self, item: T) {
        Self::push(self, item);
    }

    #[inline]
    fn finish(self) -> &'a mut [T] {
        self.into_slice()
    }
}

impl Scoped for Arena {
    #[inline]
    fn scoped(&mut self, number: u64, text: &str) -> u64 {
        self.scope(|scope| sum(scope.alloc(number), scope.alloc_str(text)))
    }
}
