#![doc = include_str!("../README.md")]

extern crate alloc;

mod builder;
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
mod state;
mod symbol;

pub use self::{
    builder::Builder,
    error::InternError,
    interner::Interner,
    iter::Iter,
    key::{Element, Key},
    state::{DefaultHasher, DefaultState},
    symbol::{Sym, Sym8, Sym16, Symbol},
};
