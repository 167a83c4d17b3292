//! Pools of byte buffers.
//!
//! ```text
//!  BufferPool ──► Root ──► Class 256 ──► engine: magazines, depot ──► blocks
//!                     ├──► Class 512 ──►   …          ▲
//!                     ├──►   …                        │ lease, way back
//!                     ├──► Class 1 MiB ─► … + slots   │
//!                     └──► oversize                PooledBuf ──freeze──► PooledBytes
//! ```
//!
//! `classes` chooses a class, `class` takes a block from it and gives it back, `block` knows what
//! lies in its memory, `buf` and `bytes` are what users hold. `slot` and `refs` are the protocols
//! between threads.
#![cfg_attr(
    all(thrifty_loom, feature = "loom"),
    expect(
        dead_code,
        reason = "a loom build has the protocols without what uses them"
    )
)]

#[cfg(all(thrifty_asan, not(all(thrifty_loom, feature = "loom"))))]
#[expect(unsafe_code, reason = "calls the sanitizer's runtime")]
mod asan;
mod refs;
#[cfg(any(test, feature = "thread_local", all(thrifty_loom, feature = "loom")))]
mod slot;

#[cfg(test)]
#[expect(unsafe_code, reason = "toys that share a cell between threads")]
mod models;

#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(
    unsafe_code,
    reason = "allocates blocks and reads and writes their headers"
)]
mod block;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "slices of a block's initialised bytes")]
mod buf;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod builder;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "slices of a block's initialised bytes")]
mod bytes;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[cfg(feature = "bytes-1")]
#[expect(unsafe_code, reason = "implements the unsafe trait `BufMut`")]
mod bytes_1;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "hands blocks to engines and takes them back")]
mod class;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod classes;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod error;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "copies from a block to another")]
mod grow;
#[cfg(all(feature = "thread_local", not(all(thrifty_loom, feature = "loom"))))]
mod interval;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod pool;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod read;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "implements the unsafe trait `Supplier`")]
mod root;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod rules;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[cfg_attr(not(feature = "thread_local"), path = "no_slots.rs")]
mod slots;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod stats;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "implements the unsafe trait `Supplier`")]
mod supplier;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[cfg(feature = "tokio-1")]
mod tokio_1;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod traits;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "volatile writes")]
mod wipe;

#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use self::{
    buf::PooledBuf,
    builder::BufferPoolBuilder,
    bytes::PooledBytes,
    classes::{Classes, ClassesError, MAX_CLASSES},
    error::{BufError, BufferPoolError},
    pool::{BufferPool, WeakBufferPool},
    rules::{Oversize, Wipe},
    stats::{BufferStats, ClassStats},
};
