//! `bump-scope`: upwards as by default, upwards with a least alignment of 8, and downwards.

use bump_scope::{Bump, BumpBox, BumpString, BumpVec, alloc::Global, settings::BumpSettings};

use super::{join_with, joined_len};
use crate::arena::region::{Block, Grow, InArena, Region, Scoped, Told, sum};

pub(in crate::arena) type ScopeUp = Bump;
pub(in crate::arena) type ScopeAligned = Bump<Global, BumpSettings<8, true>>;
pub(in crate::arena) type ScopeDown = Bump<Global, BumpSettings<1, false>>;

macro_rules! regions {
    ($($bump:ty),+) => { $(
        impl Region for $bump {
            type Own<'a, T: 'a> = &'a mut T;
            type Text<'a> = &'a mut str;
            type List<'a, T: 'a> = &'a mut [T];
            type Growing<'a, T: 'a> = BumpVec<T, &'a Self>;
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
                BumpBox::leak(self.alloc(value))
            }

            #[inline]
            fn block(&self) -> &mut Block {
                self.alloc_uninit::<[u64; 512]>().into_mut()
            }

            #[inline]
            fn text(&self, text: &str) -> &mut str {
                self.alloc_str(text).into_mut()
            }

            #[inline]
            fn list<'a, T: Copy + 'a>(&'a self, items: &[T]) -> &'a mut [T] {
                BumpBox::leak(self.alloc_slice_copy(items))
            }

            #[inline]
            fn join(&self, parts: &[&str], separator: &str) -> &mut str {
                let bytes = joined_len(parts, separator);
                let mut text = BumpString::with_capacity_in(bytes, self);
                join_with(parts, separator, |part| text.push_str(part));
                text.into_str()
            }

            #[inline]
            fn grow<'a, T: 'a>(&'a self) -> BumpVec<T, &'a Self> {
                BumpVec::new_in(self)
            }

            #[inline]
            fn allocator(&self) -> &Self {
                self
            }

            fn told(&mut self) -> Option<Told> {
                let stats = self.stats();
                Some(Told { used_bytes: stats.allocated(), chunks: stats.count() })
            }
        }

        impl<'a, T: 'a> Grow<T> for BumpVec<T, &'a $bump> {
            type List = &'a mut [T];

            #[inline]
            fn push(&mut self, item: T) {
                Self::push(self, item);
            }

            #[inline]
            fn finish(self) -> &'a mut [T] {
                BumpBox::leak(self.into_boxed_slice())
            }
        }

        impl Scoped for $bump {
            #[inline]
            fn scoped(&mut self, number: u64, text: &str) -> u64 {
                Bump::scoped(self, |scope| sum(scope.alloc(number).into_mut(), &scope.alloc_str(text)))
            }
        }
    )+ };
}

regions!(ScopeUp, ScopeAligned, ScopeDown);
