//! The sampler: which events are sampled, what they stand for, and where that is kept.
//!
//! ```text
//! hook ── hot path: one compare with next_event ──► slow path: `draw` says whether to sample
//!   │                                                  │ yes
//!   │ free, realloc                                    ▼
//!   └─► `filter` ── maybe ──► `table` address ► sample ──► `sites` stack ► sums, by size
//! ```
//!
//! # What a sample stands for
//!
//! With rate R, a block of `s` bytes is a sample with probability p(s) = 1 - exp(-s/R), as if each
//! byte that the thread allocates were marked with probability 1/R. It counts as w = 1/p(s)
//! objects, so that the sums have no bias whatever the sizes; a weight per stack would have one.
//! The weight is a number of fixed point, stored with the sample: what a free subtracts is what the
//! allocation added, to the bit.
//!
//! A reallocation keeps it so that *a block of `s` bytes is a sample with probability p(s)*, whatever its
//! past. Growing by `g` bytes lets the block through the marks of `g` more bytes: what was no sample
//! can become one, and what was one has the weight of its new size. Shrinking keeps a sample with
//! probability p(new)/p(old). A sampled `Vec` is thus followed over its whole growth.
//!
//! At rate 1 every event is a sample of weight 1.
//!
//! # What the hooks rely on
//!
//! All memory is taken from the system when sampling starts, and never given back. There is no lock:
//! a thread that is stopped anywhere, by a signal, by `fork`, keeps nobody waiting.

mod block;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub(crate) mod capture;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub(crate) mod control;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub(crate) mod draw;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub(crate) mod engine;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub(crate) mod environment;
pub(crate) mod filter;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub(crate) mod hooks;
#[cfg(test)]
mod models;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod peek;
pub(crate) mod prints;
pub(crate) mod rates;
pub(crate) mod sites;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod snapshot;
pub(crate) mod sums;
pub(crate) mod table;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[cfg_attr(
    not(all(
        target_os = "linux",
        target_arch = "x86_64",
        target_pointer_width = "64"
    )),
    path = "sampler/walk/nowhere.rs"
)]
mod walk;
pub(crate) mod weight;
