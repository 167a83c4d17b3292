#![doc = include_str!("../README.md")]

extern crate alloc;

mod error;
#[expect(unsafe_code, reason = "turns stored bytes back into keys")]
mod key;
mod state;
mod symbol;

pub use self::{
    error::InternError,
    key::{Element, Key},
    state::{DefaultHasher, DefaultState},
    symbol::{Sym, Sym8, Sym16, Symbol},
};
