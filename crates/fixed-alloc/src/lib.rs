#![doc = include_str!("../README.md")]
#![cfg_attr(
    all(thrifty_loom, feature = "loom"),
    expect(
        dead_code,
        reason = "a loom build has the slab layer without what uses it"
    )
)]

extern crate alloc;

#[cfg(all(
    feature = "allocator-api2-02",
    not(all(thrifty_loom, feature = "loom"))
))]
#[expect(unsafe_code, reason = "implements an unsafe trait")]
mod api2;
#[cfg_attr(
    thrifty_asan,
    expect(unsafe_code, reason = "calls AddressSanitizer's runtime")
)]
mod asan;
mod batch;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "owns a block of raw memory")]
mod block;
mod books;
#[cfg_attr(
    not(any(test, feature = "allocator-api2-02")),
    expect(dead_code, reason = "size classes use it")
)]
mod budget;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod builder;
#[cfg(all(
    feature = "allocator-api2-02",
    not(all(thrifty_loom, feature = "loom"))
))]
#[expect(unsafe_code, reason = "implements an unsafe trait")]
mod class;
#[cfg_attr(test, expect(unsafe_code, reason = "models read cells"))]
mod count;
#[expect(unsafe_code, reason = "owns a block that handles share")]
mod counted;
mod error;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "hands raw blocks out and takes them back")]
mod fixed;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "reads a free block; gives a lease back")]
mod hardened;
#[expect(unsafe_code, reason = "finds the start of a slab from a block in it")]
mod header;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "moves blocks and their leases")]
mod lend;
#[cfg(test)]
#[expect(unsafe_code, reason = "plays the part of the backing allocator")]
mod models;
mod places;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod reclaim;
mod shape;
#[expect(unsafe_code, reason = "owns the memory of slabs")]
mod slab;
#[expect(
    unsafe_code,
    reason = "writes headers; takes blocks by their addresses"
)]
mod slabs;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod stats;
#[expect(unsafe_code, reason = "implements the engine's unsafe trait")]
mod store;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "keeps values in raw blocks")]
mod typed;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod weak;

#[cfg(all(
    feature = "allocator-api2-02",
    not(all(thrifty_loom, feature = "loom"))
))]
pub use self::class::{ClassAlloc, ClassBuilder, ClassHandle, ClassStats};
pub use self::error::ConfigError;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use self::{
    block::{Block, UninitBlock},
    builder::{Builder, ThreadCache},
    fixed::{FixedAlloc, FixedHandle},
    stats::Stats,
    typed::{Branded, Counted, InsertError, Slab, SlabArc, SlabBox, SlabBuilder, WeakSlab},
    weak::WeakFixedAlloc,
};
#[doc(no_inline)]
pub use thrifty_sync::clock;
#[doc(no_inline)]
pub use thrifty_traits::{
    AllocError, AllocErrorKind, MemoryUsage, Pressure, Reclaim, Reclaimed, Rejected, Usage,
};
