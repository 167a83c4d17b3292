#![cfg_attr(feature = "derive", doc = include_str!("../README.md"))]
// The example in the README derives, and every set of features passes its doctests.
#![cfg_attr(
    not(feature = "derive"),
    doc = "Pools of objects and buffers that come back clean."
)]

extern crate alloc;

#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[cfg_attr(
    thrifty_asan,
    expect(unsafe_code, reason = "calls AddressSanitizer's runtime")
)]
mod asan;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(
    unsafe_code,
    reason = "allocates a box by hand to see that there is memory"
)]
mod boxed;
mod buffer;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod builder;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod contain;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod error;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod keeper;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod local;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod make;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod manage;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(
    unsafe_code,
    reason = "nodes are raw memory that the engine holds as untyped pointers"
)]
mod node;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod pool;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "moves the loan out of a guard that is dropped")]
mod pooled;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod reclaim;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod static_pool;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod stats;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod weak;

#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use self::buffer::{
    BufError, BufferPool, BufferPoolBuilder, BufferPoolError, BufferStats, ClassStats, Classes,
    ClassesError, MAX_CLASSES, Oversize, PooledBuf, PooledBytes, WeakBufferPool, Wipe,
};
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use self::static_pool::StaticPool;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use self::{
    builder::{BuildError, Builder, OnUnwind, ThreadCache},
    error::{AdoptError, GetError},
    local::{ByReset, Clean, LocalPool, LocalPooled, LocalStats},
    make::{Make, With},
    manage::{Manage, Verdict},
    pool::Pool,
    pooled::Pooled,
    stats::PoolStats,
    weak::WeakPool,
};
#[doc(no_inline)]
pub use thrifty_sync::clock;
#[doc(no_inline)]
pub use thrifty_traits::__via_pool::Reset;
#[doc(no_inline)]
pub use thrifty_traits::{
    AllocError, AllocErrorKind, MemoryUsage, Pressure, Reclaim, Reclaimed, Rejected, Usage,
};
