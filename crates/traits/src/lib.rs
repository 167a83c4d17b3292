#![cfg_attr(feature = "alloc", doc = include_str!("../README.md"))]
// The example in the README needs `alloc`, and every set of features passes its doctests.
#![cfg_attr(
    not(feature = "alloc"),
    doc = "The vocabulary that the Thrifty crates share."
)]
#![no_std]
#![forbid(unsafe_code)]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core
)]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod alloc_error;
mod human;
mod pad;
mod pressure;
mod reclaim;
mod reclaimed;
mod rejected;
mod reset;
mod sum;
mod usage;

pub use alloc_error::{AllocError, AllocErrorKind};
pub use pressure::Pressure;
pub use reclaim::{MemoryUsage, Reclaim};
pub use reclaimed::Reclaimed;
pub use rejected::Rejected;
pub use reset::Reset;
#[cfg(feature = "derive")]
#[doc(inline)]
pub use thrifty_derive::Reset;
pub use usage::Usage;

/// What `thrifty-pool` re-exports, so that a user of that crate alone can derive
/// [`trait@Reset`].
///
/// The macro here expands through `::thrifty_pool::Reset`. It cannot share a module with the
/// macro that expands through `::thrifty_traits::Reset`, since both are named `Reset`. The
/// trait is here as well, so that one `pub use thrifty_traits::__via_pool::Reset;` brings trait
/// and macro, and brings this macro even when another crate in the graph turns on the `derive`
/// feature.
#[doc(hidden)]
pub mod __via_pool {
    pub use crate::reset::Reset;
    #[cfg(feature = "derive")]
    pub use thrifty_derive::ResetViaPool as Reset;
}
