//! What a program does without an arena: a block for each thing, freed one by one.

use allocator_api2::alloc::Global;

use super::region::{Block, Grow, Region, Scoped, sum};

/// `Box`, `String` and `Vec`.
pub(super) struct Std;

impl Region for Std {
    type Own<'a, T: 'a> = Box<T>;
    type Text<'a> = Box<str>;
    type List<'a, T: 'a> = Vec<T>;
    type Growing<'a, T: 'a> = Vec<T>;
    type Hold<T> = Vec<T>;
    type Alloc<'a> = Global;

    fn new() -> Self {
        Self
    }

    fn reset(&mut self) {}

    #[inline]
    fn value<'a, T: Copy + 'a>(&'a self, value: T) -> Box<T> {
        Box::new(value)
    }

    #[inline]
    fn block(&self) -> Box<Block> {
        Box::new(Block::uninit())
    }

    #[inline]
    fn text(&self, text: &str) -> Box<str> {
        text.into()
    }

    #[inline]
    fn list<'a, T: Copy + 'a>(&'a self, items: &[T]) -> Vec<T> {
        items.to_vec()
    }

    #[inline]
    fn join(&self, parts: &[&str], separator: &str) -> Box<str> {
        parts.join(separator).into_boxed_str()
    }

    #[inline]
    fn grow<'a, T: 'a>(&'a self) -> Vec<T> {
        Vec::new()
    }

    #[inline]
    fn allocator(&self) -> Global {
        Global
    }
}

impl<T> Grow<T> for Vec<T> {
    type List = Self;

    #[inline]
    fn push(&mut self, item: T) {
        Self::push(self, item);
    }

    #[inline]
    fn finish(self) -> Self {
        self
    }
}

impl Scoped for Std {
    #[inline]
    fn scoped(&mut self, number: u64, text: &str) -> u64 {
        sum(&self.value(number), &self.text(text))
    }
}
