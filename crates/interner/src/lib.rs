#![doc = include_str!("../README.md")]

extern crate alloc;

pub mod backing;
mod batch;
#[expect(unsafe_code, reason = "a block of bytes from the allocator")]
mod buffer;
mod builder;
mod compact;
mod convert;
#[cfg(feature = "stats")]
mod counters;
mod dedup;
mod error;
mod exclusive;
mod frozen;
#[expect(unsafe_code, reason = "turns stored bytes back into keys")]
mod interner;
mod iter;
#[expect(unsafe_code, reason = "turns stored bytes back into keys")]
mod key;
#[expect(
    unsafe_code,
    reason = "owns raw memory that readers look at without a lock"
)]
mod live;
#[expect(unsafe_code, reason = "turns stored bytes back into keys")]
mod local;
mod mark;
mod panics;
#[cfg(feature = "rayon-1")]
mod parallel;
#[expect(unsafe_code, reason = "promises about checked bytes")]
mod portable;
#[expect(unsafe_code, reason = "turns stored bytes back into keys")]
mod resolver;
#[cfg(feature = "serde-1")]
mod serde_1;
#[expect(unsafe_code, reason = "counts and frees blocks of raw bytes")]
mod shared;
mod state;
mod stats;
mod symbol;

#[doc(no_inline)]
pub use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

#[cfg(feature = "stats")]
pub use self::counters::Counted;
use self::panics::{cold_unknown, or_panic};
pub use self::{
    builder::Builder,
    compact::{Remap, RemapIter},
    dedup::{Dedup, DedupBuilder, DedupStats, WhenFull},
    error::InternError,
    exclusive::StaleMark,
    frozen::{Frozen, FrozenError, FrozenIter, FrozenRef, KeysError},
    interner::Interner,
    iter::Iter,
    key::{Element, Key},
    local::{LocalBuilder, LocalInterner, LocalIter},
    mark::Mark,
    portable::Portable,
    resolver::{Resolver, ResolverRef},
    shared::Shared,
    state::{DefaultHasher, DefaultState},
    stats::{Headroom, Stats},
    symbol::{Sym, Sym8, Sym16, Symbol},
};

/// Marks a type with the keys and symbols that it is for, and owns neither.
type Kinds<K, Y> = core::marker::PhantomData<(fn() -> Y, fn(&K))>;

/// What the macros expand to; not an interface.
#[cfg(feature = "serde-raw")]
#[doc(hidden)]
pub mod __private {
    pub use serde_core;

    pub use crate::serde_1::symbol_from;
}
