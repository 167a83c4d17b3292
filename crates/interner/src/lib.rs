#![doc = include_str!("../README.md")]

extern crate alloc;

mod builder;
mod dedup;
mod error;
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
#[expect(unsafe_code, reason = "counts and frees blocks of raw bytes")]
mod shared;
mod state;
mod symbol;

#[doc(no_inline)]
pub use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

pub use self::{
    builder::Builder,
    dedup::{Dedup, DedupBuilder, DedupStats, WhenFull},
    error::InternError,
    interner::Interner,
    iter::Iter,
    key::{Element, Key},
    shared::Shared,
    state::{DefaultHasher, DefaultState},
    symbol::{Sym, Sym8, Sym16, Symbol},
};
