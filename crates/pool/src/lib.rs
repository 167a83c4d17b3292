#![doc = include_str!("../README.md")]

extern crate alloc;

#[cfg_attr(
    thrifty_asan,
    expect(unsafe_code, reason = "calls AddressSanitizer's runtime")
)]
mod asan;
#[expect(
    unsafe_code,
    reason = "allocates a box by hand to see that there is memory"
)]
mod boxed;
mod buffer;
mod builder;
mod contain;
mod error;
mod keeper;
mod local;
mod make;
mod manage;
#[expect(
    unsafe_code,
    reason = "nodes are raw memory that the engine holds as untyped pointers"
)]
mod node;
mod pool;
#[expect(unsafe_code, reason = "moves the loan out of a guard that is dropped")]
mod pooled;
mod reclaim;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod static_pool;
mod stats;
mod weak;

#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use self::buffer::{
    BufError, BufferPool, BufferPoolBuilder, BufferPoolError, BufferStats, ClassStats, Classes,
    ClassesError, MAX_CLASSES, Oversize, PooledBuf, PooledBytes, WeakBufferPool, Wipe,
};
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use self::static_pool::StaticPool;
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
