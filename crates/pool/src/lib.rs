#![doc = include_str!("../README.md")]
#[doc(no_inline)]
pub use thrifty_traits::__via_pool::Reset;
