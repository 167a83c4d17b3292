//! Shared ownership and locks, from std or from loom.
//!
//! A std lock inside a model is invisible to loom, which then explores one schedule and passes;
//! these are the ones it sees.

#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use alloc::sync::Arc;
#[cfg(all(thrifty_loom, feature = "loom"))]
pub use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
/// A cell that is written once. Loom has none, so it is missing under loom: it is for statics,
/// which no model can construct, and not for protocols.
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use std::sync::OnceLock;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use std::sync::{Condvar, Mutex, MutexGuard};
